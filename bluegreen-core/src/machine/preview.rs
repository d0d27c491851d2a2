use super::{Acted, Begin, Command, Effect, Outcome, Recovery, Refusal, Seen, Then, Tried, begin, recover, step};
use crate::{Occupant, Policy, Process, Profile, Route, State, Step, Transaction};

/// What a command would do now, when all goes well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// What comes first: what recovery has to bring to an end, and a release that makes place for another one.
    pub first: Vec<Way>,
    /// What recovery could not make safe, and a person has to.
    pub degraded: Option<String>,
    /// What the command itself would do.
    pub answer: Answer,
}

/// What a command would answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It would do this.
    Go(Box<Way>),
    /// It is so already; the text says what is.
    Already(String),
    /// It cannot begin.
    Refuse(Refusal),
    /// It would end where a person is needed, before its own first effect; the text says why.
    Degraded(String),
}

/// A transaction from where it is to where it would end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// As it would be opened, or gone on with.
    pub transaction: Transaction,
    /// What would be done, in order, and towards which step.
    pub effects: Vec<(Step, Effect)>,
    /// How that would end.
    pub end: Outcome,
}

impl Preview {
    /// The transaction that the command would walk.
    pub fn transaction(&self) -> Option<&Transaction> {
        match &self.answer {
            Answer::Go(way) => Some(&way.transaction),
            _ => None,
        }
    }
}

/// What `command` would do now: [`recover`], [`begin`] and [`step`] over a world in which every effect succeeds. Touches nothing.
pub fn preview(state: &State, seen: &Seen, command: &Command, policy: &Policy) -> Preview {
    let mut world = World { state: state.clone(), seen: seen.clone(), policy };
    let (mut first, degraded) = world.recover();
    let only_recovery = matches!(command, Command::Recover | Command::Up);
    if let (true, Some(reason)) = (only_recovery, &degraded) {
        return Preview { first, answer: Answer::Degraded(reason.clone()), degraded };
    }
    loop {
        let answer = match begin(&world.state, command, &world.seen, policy) {
            Begin::Go(opened) => Answer::Go(Box::new(world.walk(*opened))),
            Begin::First(opened) => {
                let way = world.walk(*opened);
                let end = way.end.clone();
                first.push(way);
                match end {
                    Outcome::Degraded { reason, .. } => Answer::Degraded(reason),
                    _ => continue,
                }
            }
            Begin::Already(what) => Answer::Already(what),
            Begin::Refuse(refusal) => Answer::Refuse(refusal),
        };
        return Preview { first, degraded, answer };
    }
}

/// What is written down and what is so, as imagined so far.
struct World<'a> {
    state: State,
    seen: Seen,
    policy: &'a Policy,
}

impl World<'_> {
    /// What recovery walks, and what it cannot make safe.
    fn recover(&mut self) -> (Vec<Way>, Option<String>) {
        let (mut ways, mut tried) = (Vec::new(), Tried::default());
        loop {
            let opened = match recover(&self.state, &self.seen, self.policy, tried) {
                Recovery::Stable | Recovery::Rests(_) | Recovery::Blind(_) => return (ways, None),
                Recovery::Degraded(reason) => return (ways, Some(reason)),
                Recovery::Walk(opened) => *opened,
            };
            tried.begins(&self.state, &opened);
            let way = self.walk(opened);
            tried.ended(&way.end);
            ways.push(way);
            if self.state.transaction.is_some() {
                return (ways, None);
            }
        }
    }

    /// Walks the transaction of `opened` to its end, or to where it rests.
    fn walk(&mut self, opened: State) -> Way {
        let transaction = opened.transaction.clone().expect("what is opened has a transaction");
        let (mut at, mut effects) = (transaction.step, Vec::new());
        self.state = opened;
        loop {
            let next = step(&self.state, &self.seen, self.policy);
            self.state = next.state;
            at = self.state.transaction.as_ref().map_or(at, |tx| tx.step);
            match next.then {
                Then::Do(effect) => {
                    imagine(&mut self.seen, &effect);
                    self.seen.last = Some(Acted { effect: effect.clone(), result: Ok(()) });
                    effects.push((at, effect));
                }
                Then::End(end) => {
                    self.seen.last = None;
                    return Way { transaction, effects, end };
                }
            }
        }
    }
}

/// What is so when `effect` has succeeded.
fn imagine(seen: &mut Seen, effect: &Effect) {
    let (first, traffic) = (seen.profiles.first().clone(), &mut seen.traffic);
    let mut on = |profile: &Profile, occupant| seen.occupants[usize::from(*profile != first)] = Ok(occupant);
    match effect {
        Effect::Switch { to: active, .. } | Effect::Isolate { active, .. } => {
            *traffic = Ok(Route::solo(active.clone()).into());
        }
        Effect::Standby { active, standby, .. } => {
            *traffic = Ok(Route::with_standby(active.clone(), standby.clone()).into());
        }
        Effect::Stop { profile, .. } => on(profile, Occupant::Nobody),
        Effect::Start { profile, release } => {
            let process = Process::new(release.clone(), "imagined");
            on(profile, Occupant::Ours { process, listening: false });
        }
        Effect::AwaitHealthy { profile, process, .. } => {
            on(profile, Occupant::Ours { process: process.clone(), listening: true });
        }
        Effect::Gate { .. } | Effect::Prove { .. } | Effect::Bake { .. } => {}
    }
}
