//! The engine over the fakes, and the model's tool over the same world: what the one saves and does is what the other does.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bluegreen_core::{
    Answer, Autopsy, Blind, Command, Deployer, FrontDoor, Gate, Holder, Lease, Occupant, Options, Process,
    ProcessError, ProcessManager, Profile, ProxySwitcher, Refused, ReleaseId, Route, Seen, Stamp, State, StateStore,
    Step, StoreError, SwitchError, Transaction,
    machine::{self, Acted, Effect, preview},
    testing::{FakeHost, MemoryStore, Op},
};
use stateright::Model as _;

use super::{
    host::Host,
    machine::{Action, BOUND, Machine},
    tool::{Tool, Went},
};

/// What was saved and done, in order, in words.
type Trace = Arc<Mutex<Vec<String>>>;

/// What a saved state decides; times and texts decide nothing.
fn saved(state: &State) -> String {
    let State { number, confirmed, failed, transaction, .. } = state;
    let tx = transaction.as_ref().map(|tx| {
        let undo = tx.undo.as_ref().map(|failure| failure.cause);
        let facts = (
            (tx.breaking, tx.drain),
            tx.admitted,
            tx.started,
            &tx.proven,
            tx.answered,
            tx.standby_settled,
            tx.sacrifices_standby,
            undo,
        );
        format!("{} of {} to {} at {} until {} {facts:?}", tx.kind, tx.release, tx.to, tx.step, tx.until)
    });
    format!("save {number} {confirmed:?} {failed:?} {tx:?}")
}

fn routed(route: &Route) -> String {
    format!("route {route}")
}

/// A fake host and its store, which tell what they are asked to do.
#[derive(Debug, Clone)]
struct Told(FakeHost, MemoryStore, Trace);

impl Told {
    fn tell(&self, what: String) {
        // the dead do nothing
        if !self.0.faults().fired() {
            self.2.lock().unwrap().push(what);
        }
    }
}

/// Its front door.
#[derive(Debug)]
struct Door(FakeHost);

#[async_trait]
impl ProcessManager for Told {
    async fn inspect(&self, profile: &Profile) -> Result<Occupant, Blind> {
        self.0.inspect(profile).await
    }

    async fn start(&self, profile: &Profile, release: &ReleaseId) -> Result<(), ProcessError> {
        self.tell(format!("start {release} on {profile}"));
        self.0.start(profile, release).await
    }

    async fn stop(&self, profile: &Profile, process: &Process, grace: std::time::Duration) -> Result<(), ProcessError> {
        self.tell(format!("stop {} on {profile}", process.start));
        self.0.stop(profile, process, grace).await
    }

    async fn autopsy(&self, profile: &Profile) -> Autopsy {
        self.0.autopsy(profile).await
    }
}

#[async_trait]
impl ProxySwitcher for Told {
    async fn switch_to(&self, route: &Route) -> Result<(), SwitchError> {
        self.tell(routed(route));
        self.0.switch_to(route).await
    }

    async fn drain(&self, profile: &Profile, within: std::time::Duration) -> Result<usize, Blind> {
        self.0.drain(profile, within).await
    }
}

#[async_trait]
impl FrontDoor for Door {
    async fn ask(&self, expected: &Profile) -> Answer {
        match self.0.world().answering() {
            Some(answering) if answering == expected => Answer::Release,
            _ => Answer::Gateway { status: 502, says: "502 Bad Gateway".into() },
        }
    }
}

#[async_trait]
impl Gate for Told {
    async fn ask(&self, before: Step, _: &Transaction, _: &Seen) -> Result<(), Refused> {
        self.tell(format!("ask before {before}"));
        Ok(())
    }

    fn name(&self, before: Step) -> String {
        format!("the gate before {before}")
    }
}

impl StateStore for Told {
    fn lock(&self, who: &Holder) -> Result<Lease, StoreError> {
        self.1.lock(who)
    }

    fn load(&self) -> Result<State, StoreError> {
        self.1.load()
    }

    fn save(&self, lease: &Lease, state: &State) -> Result<(), StoreError> {
        let (before, now) = (saved(&self.1.load()?), saved(state));
        if now != before {
            self.tell(now);
        }
        self.1.save(lease, state)
    }

    fn now(&self) -> Stamp {
        self.0.world().now()
    }
}

/// What the engine did, until it was killed.
async fn by_the_engine(
    machine: &Machine,
    host: &Host,
    command: &Command,
    killed: Option<(Op, u64)>,
) -> (Vec<String>, FakeHost) {
    let fake = FakeHost::new();
    *fake.world() = host.world.clone();
    let store = fake.store();
    store.set(host.disk.clone());
    if let Some((op, n)) = killed {
        fake.faults().fail(op, n);
    }
    let told = Told(fake.clone(), store, Trace::default());
    let profiles = host.world.profiles.clone();
    let deployer = Deployer::new(profiles, fake.clone(), told.clone(), fake.clone(), told.clone(), told.clone())
        .with_front_door(Door(fake.clone()))
        .with_gate(told.clone())
        .with_policy(machine.policy.clone());
    // a refusal is an end too
    let _ = deployer.run(command, &Options::default()).await;
    let trace = told.2.lock().unwrap().clone();
    (trace, fake)
}

/// What is done of `effect` at the process manager, the proxy or the gate.
fn done(effect: &Effect) -> Option<String> {
    match effect {
        Effect::Gate { before, .. } => Some(format!("ask before {before}")),
        Effect::Start { profile, release } => Some(format!("start {release} on {profile}")),
        Effect::Stop { profile, process, .. } => Some(format!("stop {} on {profile}", process.start)),
        Effect::Switch { to, .. } => Some(routed(&Route::solo(to.clone()))),
        Effect::Isolate { active, .. } => Some(routed(&Route::solo(active.clone()))),
        Effect::Standby { active, standby, .. } => Some(routed(&Route::with_standby(active.clone(), standby.clone()))),
        Effect::AwaitHealthy { .. } | Effect::Prove { .. } | Effect::Bake { .. } => None,
    }
}

/// What is done of a command, as its preview says it. A process that is imagined has not the name that it would have.
fn by_the_preview(machine: &Machine, host: &Host, command: &Command) -> Vec<String> {
    let preview = preview(&host.disk, &host.world.seen(), command, &machine.policy);
    let own = match preview.answer {
        machine::Answer::Go(way) => Some(*way),
        _ => None,
    };
    let ways = preview.first.into_iter().chain(own);
    ways.flat_map(|way| way.effects).filter_map(|(_, effect)| done(&effect)).map(|what| nameless(&what)).collect()
}

/// Of a stop only where.
fn nameless(what: &str) -> String {
    match what.strip_prefix("stop ").and_then(|rest| rest.split_once(" on ")) {
        Some((_, profile)) => format!("stop on {profile}"),
        None => what.to_owned(),
    }
}

/// What the model's tool does, or the first so many things of that; and whether all went well.
fn by_the_model(machine: &Machine, host: &mut Host, command: &Command, at_most: usize) -> (Vec<String>, bool) {
    let (mut tool, mut trace, mut well) = (Tool::launch(command.clone()), Vec::new(), true);
    for _ in 0..BOUND {
        if trace.len() == at_most {
            return (trace, well);
        }
        let before = saved(&host.disk);
        let went = tool.go(host, machine, None);
        trace.extend(Some(saved(&host.disk)).filter(|now| *now != before));
        let Went::On(next) = went else { return (trace, well) };
        if let Some(Acted { effect, result }) = next.has_just() {
            // what is started and dies at once is no failure of its start
            let dies = matches!(effect, Effect::Start { release, .. } if release.as_str() == "dies");
            well &= result.is_ok() && !dies;
            // what is refused by a probe never reaches the process manager, or the proxy
            let reached = result.is_ok() || matches!(effect, Effect::Start { .. });
            trace.extend(done(effect).filter(|_| reached));
        }
        tool = next;
    }
    panic!("{command:?} does not end");
}

/// A random walk of this many actions through the model, with the engine beside each command, also when that is killed
/// half-way: how many commands it had, and of how many the preview was compared.
pub(crate) async fn walk(seed: u64, actions: usize) -> (usize, usize) {
    let policies = Machine::policies();
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut pick = |among: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 33).unwrap() % among
    };
    let machine = Machine::new(policies[pick(policies.len())].clone(), u8::MAX, u8::MAX);
    let mut beginnings = machine.init_states();
    let mut now = beginnings.swap_remove(pick(beginnings.len()));
    let (mut commands, mut previews, mut told) = (0, 0, Vec::new());
    for _ in 0..actions {
        let mut possible = Vec::new();
        machine.actions(&now, &mut possible);
        // the fakes' store is never damaged
        possible.retain(|action| !matches!(action, Action::DamageBoth));
        let launches = possible.iter().filter(|action| matches!(action, Action::Launch(_))).count();
        // as many commands as accidents
        let index = if pick(2) == 0 { pick(launches) } else { pick(possible.len()) };
        let action = possible.swap_remove(index);
        told.push(format!("{action:?}"));
        let Action::Launch(command) = action else {
            now = machine.next_state(&now, action).unwrap_or(now);
            continue;
        };
        let killed = [None, Some(Op::Save), Some(Op::AfterEffect)][pick(3)].zip(u64::try_from(pick(8)).ok());
        told.extend(killed.map(|(op, n)| format!("... killed at {op:?} {n}")));
        let (engine, fake) = by_the_engine(&machine, &now.host, &command, killed).await;
        let at_most = if fake.faults().fired() { engine.len() } else { usize::MAX };
        let foreseen = by_the_preview(&machine, &now.host, &command);
        let (model, well) = by_the_model(&machine, &mut now.host, &command, at_most);
        let replay = format!(
            "BLUEGREEN_MODEL_WALK={seed} cargo test -p bluegreen-core --all-features --test model the_engine -- --nocapture"
        );
        assert_eq!(engine, model, "left: the engine; right: the model; after {told:#?}\nTo see it again:\n{replay}");
        if well && killed.is_none() {
            previews += usize::from(!foreseen.is_empty());
            let did: Vec<_> =
                engine.iter().filter(|what| !what.starts_with("save")).map(|what| nameless(what)).collect();
            assert_eq!(
                did, foreseen,
                "left: what was done; right: its preview; after {told:#?}\nTo see it again:\n{replay}"
            );
        }
        let (world, said) = (fake.world(), &now.host.world);
        assert_eq!((&world.traffic, &world.running), (&said.traffic, &said.running), "{told:#?}\n{replay}");
        assert!(now.host.broken.is_empty(), "{:?} after {told:#?}\n{replay}", now.host.broken);
        commands += 1;
    }
    (commands, previews)
}
