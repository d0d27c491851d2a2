//! The model: one machine, two tools of which one has the lock, and everything that can go wrong.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use bluegreen_core::{
    Blind, Command, Failover, Gates, Kind, Occupant, Policy, Previous, Profile, ReleaseId, Route, State, Step,
    testing::{Health, World},
};
use stateright::{Model, Property};

use super::{
    host::{Host, Lost, answering, answers_well, former, stranger as named},
    mutant::Mutant,
    promise::Promise,
    tool::{Strike, Tool, Went},
};

/// More micro-steps than any command takes.
pub(crate) const BOUND: usize = 200;

#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) policy: Policy,
    pub(crate) faults: u8,
    pub(crate) launches: u8,
    pub(crate) mutant: Option<Mutant>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Now {
    pub(crate) host: Host,
    /// The first one has the lock, the second waits for it. One that is suspended is one that makes no step.
    pub(crate) tools: Vec<Tool>,
    faults: u8,
    launches: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Launch(Command),
    /// One micro-step of this tool.
    Step(usize),
    /// SIGKILL, between any two micro-steps. Costs no fault: every instant is tried.
    Kill,
    Interrupt,
    /// The effect under way goes wrong.
    Struck(Strike),
    Die(Profile),
    Sicken(Profile),
    Deafen(Profile),
    Heal(Profile),
    /// It ends, and a supervisor runs it again. Only where the owner is asked, whose yes is about one run.
    Restart(Profile),
    /// It dies, and a stranger takes its port.
    Replace(Profile),
    Stranger(Profile),
    /// What a release needs to start is gone.
    Spoil(ReleaseId),
    /// Power is lost: no process, another boot; what was saved is there.
    Reboot,
    /// Somebody moves the route by hand.
    Meddle(Route),
    HideRoute,
    ShowRoute,
    /// It cannot be seen who is on a profile, for as long as it takes.
    Hide(Profile),
    Show(Profile),
    /// Somebody removed the route: nginx does what it does without one.
    LoseRoute,
    /// The state is damaged, and the copy before it is not.
    Damage,
    /// Both are.
    DamageBoth,
}

/// What is so after one undisturbed recover, and then a deploy.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a promise")]
struct Verdict {
    safe: bool,
    clean: bool,
    closed: bool,
    deploys: bool,
}

const FINE: Verdict = Verdict { safe: true, clean: true, closed: true, deploys: true };

pub(crate) fn id(text: &str) -> ReleaseId {
    text.parse().unwrap()
}

impl Machine {
    pub(crate) fn new(policy: Policy, faults: u8, launches: u8) -> Self {
        Self { policy, faults, launches, mutant: None }
    }

    pub(crate) fn with_mutant(self, mutant: Mutant) -> Self {
        Self { mutant: Some(mutant), ..self }
    }

    /// Every policy that decides something; times decide nothing in the model.
    pub(crate) fn policies() -> Vec<Policy> {
        let failovers = [Failover::Bake, Failover::Always, Failover::Never];
        let all = failovers.into_iter().flat_map(|f| [(f, Previous::Warm), (f, Previous::Stop)]);
        let mut policies: Vec<Policy> = all
            .map(|(failover, previous)| Policy { failover, previous, settle: Duration::ZERO, ..Policy::default() })
            .collect();
        let minute = Some(Duration::from_secs(60));
        let gates = Gates { before_stop: minute, before_switch: minute };
        policies.push(Policy { gates, ..policies[0].clone() });
        policies
    }

    fn commands() -> Vec<Command> {
        let deploy = |release, until, breaking, replace| Command::Deploy {
            release: id(release),
            until,
            breaking,
            replace,
            if_changed: false,
        };
        vec![
            deploy("v3", Step::Retire, false, false),
            deploy("v3", Step::Retire, true, false),
            deploy("sick", Step::Retire, false, true),
            deploy("dies", Step::Retire, false, false),
            // half copied, or pruned: the store has nothing to start
            deploy("half", Step::Retire, false, false),
            deploy("v3", Step::Health, false, false),
            deploy("v3", Step::Switch, false, false),
            Command::Promote { release: None, until: Step::Retire, drain: false },
            Command::Promote { release: None, until: Step::Retire, drain: true },
            Command::Abort { release: None },
            Command::Rollback { release: None, only: None },
            Command::Up,
            Command::Recover,
        ]
    }

    /// Nothing at all; v1 warm on real1 and v2 active on real2; the scripts' app, foreign, and adopted.
    fn beginnings(&self) -> Vec<Now> {
        let (faults, launches) = (self.faults, self.launches);
        let now = |host| Now { host, tools: Vec::new(), faults, launches };
        let mut fresh = World::new();
        let ways =
            [("sick", Health::Sick), ("dies", Health::Dies), ("half", Health::Missing), ("adopted", Health::Good)];
        fresh.releases.extend(ways.map(|(release, health)| (id(release), health)));
        let mut served = Host::new(fresh.clone());
        for release in ["v1", "v2"] {
            self.run(&mut served, Command::deploy(id(release)), &mut Vec::new());
        }
        let first = fresh.profiles.first().clone();
        let mut foreign = Host::new(fresh.clone());
        foreign.world.traffic = Ok(Route::solo(first.clone()).into());
        let mut adopted = foreign.clone();
        foreign.world.strangers.insert(first.clone(), former());
        adopted.world.start(&first, &id("adopted")).unwrap();
        adopted.world.releases.insert(id("adopted"), Health::Missing);
        let hosts = [Host::new(fresh), served, foreign, adopted];
        let begins = |mut host: Host| {
            host.note_served();
            now(Host { previous: None, ..host })
        };
        hosts.into_iter().map(begins).collect()
    }

    fn routes(world: &World) -> [Route; 3] {
        let [first, second] = world.profiles.both();
        [Route::solo(first.clone()), Route::solo(second.clone()), Route::with_standby(first.clone(), second.clone())]
    }

    /// Runs a command to its end with nobody in its way: whether it said that a person is needed. `None`: it does not end.
    fn run(&self, host: &mut Host, command: Command, trace: &mut Vec<String>) -> Option<bool> {
        let mut tool = Tool::launch(command);
        for _ in 0..BOUND {
            let effect = tool.about_to().map(|effect| format!("{effect:?}"));
            trace.extend(effect);
            match tool.go(host, self, None) {
                Went::On(next) => tool = next,
                Went::Over { degraded } => return Some(degraded),
            }
        }
        None
    }
}

/// What a second recover must not change. What failed may be tried again: that counts up.
fn gist(host: &Host) -> impl PartialEq + use<> {
    let on = |p: &Profile| host.world.running.get(p).map(|r| r.process.release.clone());
    let (running, route) = (host.world.profiles.both().map(on), host.world.traffic.clone());
    (running, route, State { number: 0, ..host.disk.clone() })
}

impl Model for Machine {
    type State = Now;
    type Action = Action;

    fn init_states(&self) -> Vec<Now> {
        self.beginnings()
    }

    fn actions(&self, now: &Now, actions: &mut Vec<Action>) {
        if !now.host.broken.is_empty() {
            return;
        }
        if now.launches > 0 && now.tools.len() < 2 {
            actions.extend(Self::commands().into_iter().map(Action::Launch));
        }
        let past_the_lock = if self.mutant == Some(Mutant::NoLock) { 2 } else { 1 };
        actions.extend((0..now.tools.len().min(past_the_lock)).map(Action::Step));
        if !now.tools.is_empty() {
            actions.push(Action::Kill);
        }
        if now.faults > 0 {
            now.faults(actions);
            if self.policy.gates != Gates::default() {
                let runs = |profile: &&Profile| now.host.world.inspect(profile).is_ok_and(|on| on.ours().is_some());
                actions.extend(now.host.world.profiles.both().into_iter().filter(runs).cloned().map(Action::Restart));
            }
        }
    }

    fn next_state(&self, last: &Now, action: Action) -> Option<Now> {
        let mut now = last.clone();
        if !matches!(action, Action::Launch(_) | Action::Step(_) | Action::Kill) {
            now.faults -= 1;
        }
        match action {
            Action::Launch(command) => {
                now.launches -= 1;
                let mut tool = Tool::launch(command);
                if self.mutant == Some(Mutant::LoadBeforeLock) && !now.tools.is_empty() {
                    tool.stale = Some(Box::new(now.host.disk.clone()));
                }
                now.tools.push(tool);
            }
            Action::Step(index) => now.step(self, index, None),
            Action::Struck(strike) => now.step(self, 0, Some(strike)),
            Action::Interrupt => now.tools[0].interrupt().then_some(())?,
            Action::Kill => drop(now.tools.remove(0)),
            other => now.strike(other)?,
        }
        if now.faults == 0 {
            now.host.previous = None;
        }
        (now != *last).then_some(now)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn kept<const P: usize>(machine: &Machine, now: &Now) -> bool {
            machine.keeps(now, Promise::ALL[P])
        }
        let kept: [fn(&Self, &Now) -> bool; Promise::ALL.len()] = [
            kept::<0>, kept::<1>, kept::<2>, kept::<3>, kept::<4>, kept::<5>, kept::<6>, kept::<7>, kept::<8>,
            kept::<9>, kept::<10>, kept::<11>,
        ];
        Promise::ALL.into_iter().zip(kept).map(|(promise, kept)| Property::always(promise.name(), kept)).collect()
    }
}

impl Now {
    fn faults(&self, actions: &mut Vec<Action>) {
        let (host, world) = (&self.host, &self.host.world);
        if let Some(tool) = self.tools.first() {
            actions.push(Action::Interrupt);
            if let Some(effect) = tool.about_to() {
                actions.push(Action::Struck(Strike::Refused));
                if effect.changes() {
                    actions.extend([Action::Struck(Strike::Late), Action::Struck(Strike::Lie)]);
                }
            }
        }
        for profile in world.profiles.both() {
            let look: fn(Profile) -> Action = if world.hidden.contains(profile) { Action::Show } else { Action::Hide };
            actions.push(look(profile.clone()));
            let at = |action: fn(Profile) -> Action| action(profile.clone());
            match world.occupant(profile) {
                Occupant::Ours { .. } if world.running[profile].health == Health::Good => {
                    actions.extend([at(Action::Die), at(Action::Sicken), at(Action::Deafen), at(Action::Replace)]);
                }
                Occupant::Ours { .. } => actions.extend([at(Action::Die), at(Action::Heal)]),
                Occupant::Nobody => actions.push(at(Action::Stranger)),
                Occupant::Stranger { .. } => {}
            }
        }
        actions.push(Action::Reboot);
        actions.extend(host.disk.last_good().cloned().map(Action::Spoil));
        match &world.traffic {
            Ok(_) => {
                actions.extend(Machine::routes(world).map(Action::Meddle));
                actions.extend([Action::HideRoute, Action::LoseRoute]);
            }
            Err(_) => actions.push(Action::ShowRoute),
        }
        if host.previous.is_some() && !host.damaged {
            actions.push(Action::Damage);
        }
        actions.push(Action::DamageBoth);
    }

    /// What happens to the machine, whoever works on it.
    fn strike(&mut self, action: Action) -> Option<()> {
        let host = &mut self.host;
        let world = &mut host.world;
        // one that has the port already when a deploy begins is what the traffic came from
        let idle = host.disk.transaction.is_none();
        let came_from = host.former.clone();
        let stranger = |on: &Profile| if idle || came_from.as_ref() == Some(on) { former() } else { named("somebody") };
        match action {
            Action::Die(profile) => world.kill(&profile),
            Action::Sicken(profile) => world.running.get_mut(&profile)?.health = Health::Sick,
            Action::Deafen(profile) => world.running.get_mut(&profile)?.health = Health::Deaf,
            Action::Heal(profile) => world.running.get_mut(&profile)?.health = Health::Good,
            Action::Restart(profile) => {
                world.restart(&profile);
            }
            Action::Replace(profile) => {
                world.kill(&profile);
                world.strangers.insert(profile.clone(), stranger(&profile));
            }
            Action::Stranger(profile) => drop(world.strangers.insert(profile.clone(), stranger(&profile))),
            Action::Spoil(release) => drop(world.releases.insert(release, Health::Missing)),
            Action::Reboot => {
                world.reboot();
                world.strangers.clear();
                self.tools.clear();
            }
            Action::Meddle(route) => {
                host.meddled = true;
                world.traffic = Ok(route.into());
            }
            Action::HideRoute => {
                let unknown = Err(Blind::Route("nginx does not say".into()));
                let shown = std::mem::replace(&mut world.traffic, unknown).ok();
                host.hidden = shown.and_then(|traffic| traffic.route().cloned());
            }
            Action::ShowRoute => world.traffic = Ok(host.hidden.take()?.into()),
            Action::Hide(profile) => {
                world.hidden.insert(profile);
            }
            Action::Show(profile) => {
                world.hidden.remove(&profile);
            }
            Action::LoseRoute => {
                host.meddled = true;
                let [first, second] = world.profiles.both();
                world.traffic = Ok(Route::with_standby(first.clone(), second.clone()).into());
            }
            Action::Damage => {
                host.lost = Lost::Last;
                host.disk = host.previous.take()?.outdated();
            }
            Action::DamageBoth => host.damaged = true,
            _ => unreachable!("{action:?} is of the tools"),
        }
        host.note_served();
        Some(())
    }

    fn step(&mut self, machine: &Machine, index: usize, strike: Option<Strike>) {
        if index > 0 {
            self.host.broken.push(Promise::OneWriter);
        }
        let tool = self.tools.remove(index);
        if let Went::On(tool) = tool.go(&mut self.host, machine, strike) {
            self.tools.insert(index, tool);
        }
    }
}

impl fmt::Display for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Host { world, disk, .. } = &self.host;
        let on = |p: &Profile| match (world.occupant(p), world.running.get(p)) {
            (Occupant::Stranger { who, .. }, _) => who.to_string(),
            (_, Some(it)) => format!("{} {:?} {}", it.process.release, it.health, it.process.run),
            _ => "-".to_owned(),
        };
        let route = self.host.truth().map(ToString::to_string).unwrap_or_default();
        let hidden = if world.traffic.is_err() { " (hidden)" } else { "" };
        let [a, b] = world.profiles.both().map(on);
        write!(f, "   [{a} | {b}] {route}{hidden}; good {:?} failed {:?}", disk.confirmed, disk.failed)?;
        if let Some(tx) = &disk.transaction {
            let undo = tx.undo.as_ref().map(|failure| format!(", undoing: {failure}")).unwrap_or_default();
            write!(f, "; {} of {} to {} at {} until {}{undo}", tx.kind, tx.release, tx.to, tx.step, tx.until)?;
        }
        for tool in &self.tools {
            write!(f, "; {} about to {:?}", tool.command.word(), tool.about_to())?;
        }
        let Host { damaged, lost, meddled, broken, .. } = &self.host;
        write!(f, "; damaged {damaged}, lost {lost:?}, meddled {meddled}, broken {broken:?}")
    }
}

thread_local! {
    /// Three properties ask the same of one state.
    static LAST: Cell<Option<(u64, Verdict)>> = const { Cell::new(None) };
    /// Hosts that were found to be fine: they come back with other budgets of faults and launches.
    static KNOWN: RefCell<HashSet<u64>> = RefCell::default();
}

impl Machine {
    pub(crate) fn keeps(&self, now: &Now, promise: Promise) -> bool {
        match promise {
            Promise::OneRecoverIsSafe => self.verdict(now).safe,
            Promise::NothingIsLeftBehind => self.verdict(now).clean,
            Promise::NeverFailsOpen => self.verdict(now).closed && !now.host.broken.contains(&promise),
            Promise::APlainDeployWorks => self.verdict(now).deploys,
            promise => !now.host.broken.contains(&promise),
        }
    }

    /// What the recover and the deploy do by which a state is judged.
    pub(crate) fn trace(&self, now: &Now) -> Vec<String> {
        let (mut host, mut trace) = (now.host.clone(), Vec::new());
        for command in [Command::Recover, Command::Recover, Command::Abort { release: None }, Command::deploy(id("v9"))]
        {
            trace.push(format!("-> {command:?}, undisturbed"));
            let said = self.run(&mut host, command, &mut trace);
            let after = Now { host: host.clone(), tools: Vec::new(), ..*now };
            trace.push(format!("{after}; it said that a person is needed: {said:?}"));
        }
        trace
    }

    /// States with a tool at work are covered by the kill that leads out of them.
    fn verdict(&self, now: &Now) -> Verdict {
        if !now.tools.is_empty() || !now.host.broken.is_empty() {
            return FINE;
        }
        let mut hasher = DefaultHasher::new();
        (&now.host, self.mutant, &self.policy).hash(&mut hasher);
        let host = hasher.finish();
        if KNOWN.with_borrow(|known| known.contains(&host)) {
            return FINE;
        }
        if let Some((_, verdict)) = LAST.get().filter(|(last, _)| *last == host) {
            return verdict;
        }
        let verdict = self.judge(&Host { previous: None, ..now.host.clone() });
        LAST.set(Some((host, verdict)));
        if verdict == FINE {
            KNOWN.with_borrow_mut(|known| known.insert(host));
        }
        verdict
    }

    fn judge(&self, before: &Host) -> Verdict {
        let mut host = before.clone();
        let Some(degraded) = self.run(&mut host, Command::Recover, &mut Vec::new()) else {
            return Verdict { safe: false, ..FINE };
        };
        let clean = self.clean(before, &host);
        let closed = Self::closed(&host, degraded);
        let (kept, deploys) = (gist(&host), self.deploys(&host));
        let calm = Self::calm(before, &host, degraded);
        let again = self.run(&mut host, Command::Recover, &mut Vec::new()).is_some();
        let safe = again && calm && host.broken.is_empty() && gist(&host) == kept;
        Verdict { safe, clean, closed, deploys }
    }

    /// On a machine whose nginx answers and whose ports are free or ours, a good release can be deployed: that is the
    /// repair of everything.
    fn deploys(&self, recovered: &Host) -> bool {
        let World { traffic, strangers, hidden, .. } = &recovered.world;
        if traffic.is_err() || !strangers.is_empty() || !hidden.is_empty() {
            return true;
        }
        let mut host = recovered.clone();
        let commands = [Command::Abort { release: None }, Command::deploy(id("v9"))];
        let ended = commands.into_iter().all(|command| self.run(&mut host, command, &mut Vec::new()).is_some());
        let active = host.truth().and_then(|route| host.world.running.get(&route.active));
        let serves = active.is_some_and(|p| p.process.release == id("v9")) && host.disk.last_good() == Some(&id("v9"));
        ended && serves && host.disk.transaction.is_none() && host.broken.is_empty()
    }

    /// Safe and with a name: who served before still serves, what should serve does or recover has said that it does not.
    fn calm(before: &Host, host: &Host, degraded: bool) -> bool {
        let (disk, world) = (&host.disk, &host.world);
        let answers = answering(world, host.truth()).is_some();
        if answers_well(&before.world, before.truth()) && !answers {
            return false;
        }
        // what was good once is started again, unless somebody else has its port
        let startable = |release: &ReleaseId| world.releases.get(release).is_none_or(|health| *health == Health::Good);
        let free = |route: &Route| matches!(world.occupant(&route.active), Occupant::Nobody);
        let dark = !world.hidden.is_empty();
        if !dark && disk.confirmed.iter().any(startable) && world.route().is_some_and(free) && !answers {
            return false;
        }
        if !answers && disk.last_good().is_some() && !degraded {
            return false;
        }
        if world.traffic.is_err() || dark {
            return degraded || disk.transaction.is_none();
        }
        // who took the place of a good release answers, and is not what should
        let usurped = |route: &Route| world.strangers.contains_key(&route.active);
        if disk.last_good().is_some() && disk.transaction.is_none() && world.route().is_some_and(usurped) && !degraded {
            return false;
        }
        let open = disk.transaction.as_ref();
        !open.is_some_and(|tx| tx.undo.is_none() && tx.step != tx.until && tx.step != Step::Retire)
    }

    /// Who has lost the state and sees nobody serve says so, every time, until a release is good again.
    fn closed(host: &Host, degraded: bool) -> bool {
        let silent = host.world.traffic.is_ok() && answering(&host.world, host.truth()).is_none();
        host.lost != Lost::All || !silent || degraded
    }

    /// An idle process is one that was proven, or that rests, or that a failed start of the live side left.
    fn clean(&self, before: &Host, host: &Host) -> bool {
        let (disk, world) = (&host.disk, &host.world);
        let Some(route) = world.route() else { return true };
        let open = disk.transaction.as_ref();
        let Some(idle) = world.profiles.other(&route.active) else { return false };
        // what cannot be seen is not cleared away, as long as it is written down that it has to be
        let waits = !world.hidden.is_empty() && (open.is_some() || before.disk.transaction.is_none());
        let stray = world.running.get(idle).filter(|_| !waits).filter(|p| {
            let known = disk.confirmed.contains(&p.process.release) || disk.has_failed(&p.process.release);
            let rests = open.is_some_and(|tx| tx.release == p.process.release || tx.kind == Kind::Warm);
            // a first release that was degraded stays where it is until the next deploy
            !known && !rests && disk.last_good().is_some() && p.process.release != id("adopted")
        });
        // what had the traffic is the previous release, though never confirmed, which is kept warm; and when it fell silent, a
        // flip ends nobody (see `live_side`), the next deploy does
        let previous = self.policy.previous == Previous::Warm || stray.is_some_and(|p| p.health == Health::Deaf);
        let forgiven = host.has_served(idle) && previous
            || before.meddled
            || host.lost != Lost::Nothing
            || self.policy.failover == Failover::Never && route.standby.is_some();
        stray.is_none() || forgiven
    }
}
