//! The model: one machine, one tool at a time (the lock sees to that), and everything that can go wrong.

use std::time::Duration;

use bluegreen_core::{
    Command, Failover, Kind, Occupant, Policy, Previous, Profile, ReleaseId, ResolveError, Route, State, Step,
    testing::{Health, World},
};
use stateright::{Model, Property};

use super::{mutant::Mutant, tool::Tool};

/// More micro-steps than any recovery takes.
const BOUND: usize = 200;

#[derive(Debug, Clone)]
pub(crate) struct Machine {
    policy: Policy,
    faults: u8,
    launches: u8,
    mutant: Option<Mutant>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Now {
    world: World,
    disk: State,
    tool: Option<Tool>,
    faults: u8,
    launches: u8,
    /// The route that is in effect while nobody can read it.
    hidden: Option<Route>,
    /// Somebody meddled with the route: then nobody can promise that it points at something that lives.
    meddled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Launch(Command),
    Step,
    Interrupt,
    Kill,
    Die(Profile),
    Sicken(Profile),
    Deafen(Profile),
    Spoil(ReleaseId),
    Reboot,
    Stranger(Profile),
    Meddle(Route),
    HideRoute,
    ShowRoute,
}

impl Now {
    /// The world with the route that is in effect, whoever can read it.
    fn in_truth(&self) -> World {
        let mut world = self.world.clone();
        world.route = self.hidden.clone().map_or(world.route, Ok);
        world
    }
}

fn id(text: &str) -> ReleaseId {
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
        all.map(|(failover, previous)| Policy { failover, previous, settle: Duration::ZERO, ..Policy::default() })
            .collect()
    }

    fn commands() -> Vec<Command> {
        let deploy = |release, until, breaking| Command::Deploy {
            release: id(release),
            until,
            breaking,
            replace: false,
            if_changed: false,
        };
        vec![
            deploy("v3", Step::Retire, false),
            deploy("v3", Step::Retire, true),
            deploy("sick", Step::Retire, false),
            deploy("dies", Step::Retire, false),
            deploy("v3", Step::Health, false),
            deploy("v3", Step::Switch, false),
            Command::Promote { until: Step::Retire },
            Command::Abort,
            Command::Rollback { release: None },
            Command::Up,
            Command::Recover,
        ]
    }

    /// v1 warm on real1, v2 active on real2; or nothing at all.
    fn beginnings(&self) -> Vec<Now> {
        let now = |world: World, disk| Now {
            world,
            disk,
            tool: None,
            faults: self.faults,
            launches: self.launches,
            hidden: None,
            meddled: false,
        };
        let mut fresh = World::new();
        fresh.releases.insert(id("sick"), Health::Sick);
        fresh.releases.insert(id("dies"), Health::Dies);
        let mut served = now(fresh.clone(), State::default());
        for release in ["v1", "v2"] {
            let deploy = Tool::launch(Command::deploy(id(release)));
            run(deploy, &mut served.world, &mut served.disk, self);
        }
        vec![now(fresh, State::default()), served]
    }

    fn routes(world: &World) -> Vec<Route> {
        let [first, second] = world.profiles.both();
        vec![
            Route::solo(first.clone()),
            Route::solo(second.clone()),
            Route::with_standby(first.clone(), second.clone()),
        ]
    }
}

/// What a second recover must not change. What failed may be tried again: that counts up.
fn gist(world: &World, disk: &State) -> impl PartialEq + use<> {
    let on = |p: &Profile| world.running.get(p).map(|r| r.process.release.clone());
    let (running, route) = (world.profiles.both().map(on), world.route.clone());
    (running, route, State { number: 0, transaction: disk.transaction.clone(), ..disk.clone() })
}

/// Runs a tool to its end with nobody in its way; `false` when it does not end.
fn run(mut tool: Tool, world: &mut World, disk: &mut State, machine: &Machine) -> bool {
    for _ in 0..BOUND {
        match tool.go(world, disk, &machine.policy, machine.mutant) {
            Some(next) => tool = next,
            None => return true,
        }
    }
    false
}

impl Model for Machine {
    type State = Now;
    type Action = Action;

    fn init_states(&self) -> Vec<Now> {
        self.beginnings()
    }

    fn actions(&self, now: &Now, actions: &mut Vec<Action>) {
        match &now.tool {
            None if now.launches > 0 => actions.extend(Self::commands().into_iter().map(Action::Launch)),
            None => {}
            Some(_) => actions.push(Action::Step),
        }
        if now.faults == 0 {
            return;
        }
        if now.tool.is_some() {
            actions.extend([Action::Kill, Action::Interrupt]);
        }
        for profile in now.world.profiles.both() {
            match now.world.occupant(profile) {
                Occupant::Ours { .. } => {
                    let profile = || profile.clone();
                    actions.extend([Action::Die(profile()), Action::Sicken(profile()), Action::Deafen(profile())]);
                }
                Occupant::Nobody => actions.push(Action::Stranger(profile.clone())),
                Occupant::Stranger(_) => {}
            }
        }
        actions.push(Action::Reboot);
        actions.extend(now.disk.last_good().cloned().map(Action::Spoil));
        match &now.world.route {
            Ok(_) => {
                actions.extend(Self::routes(&now.world).into_iter().map(Action::Meddle));
                actions.push(Action::HideRoute);
            }
            Err(_) => actions.push(Action::ShowRoute),
        }
    }

    fn next_state(&self, last: &Now, action: Action) -> Option<Now> {
        let mut now = last.clone();
        if !matches!(action, Action::Launch(_) | Action::Step) {
            now.faults -= 1;
        }
        match action {
            Action::Launch(command) => {
                now.launches -= 1;
                now.tool = Some(Tool::launch(command));
            }
            Action::Step => {
                // an answer that is sick, or of a stranger whom the failover met, is none that a step could take away
                let met = |world: &World, p: &Profile| {
                    world.strangers.contains_key(p) && world.route.as_ref().is_ok_and(|route| route.active != *p)
                };
                let good = |world: &World, p: &Profile| world.healthy(p) && !met(world, p);
                let answers = |world: &World| world.answering().is_some_and(|profile| good(world, profile));
                let answered = answers(&now.in_truth());
                now.tool = now.tool?.go(&mut now.world, &mut now.disk, &self.policy, self.mutant);
                // a route that the tool has written can be read again
                now.hidden = now.hidden.filter(|_| now.world.route.is_err());
                // who moves the route by hand in the middle may move it to something sick
                if answered && !answers(&now.in_truth()) && !now.meddled {
                    now.world.broken.push("a step of the tool was an outage".to_owned());
                }
            }
            Action::Interrupt => now.tool.as_mut()?.interrupt().then_some(())?,
            Action::Kill => now.tool = None,
            Action::Die(profile) => now.world.kill(&profile),
            Action::Sicken(profile) => now.world.running.get_mut(&profile)?.health = Health::Sick,
            Action::Deafen(profile) => now.world.running.get_mut(&profile)?.health = Health::Deaf,
            // what it needs to start is gone
            Action::Spoil(release) => drop(now.world.releases.insert(release, Health::Dies)),
            Action::Reboot => {
                now.world.reboot();
                now.world.strangers.clear();
                now.tool = None;
            }
            Action::Stranger(profile) => drop(now.world.strangers.insert(profile, "somebody".into())),
            Action::ShowRoute => now.world.route = Ok(now.hidden.take()?),
            Action::Meddle(route) => {
                now.meddled = true;
                now.world.route = Ok(route);
            }
            Action::HideRoute => {
                let unknown = Err(ResolveError::Unknown("nginx does not say".into()));
                now.hidden = std::mem::replace(&mut now.world.route, unknown).ok();
            }
        }
        (now != *last).then_some(now)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no rule is broken", |_, now: &Now| now.world.broken.is_empty()),
            Property::always("one recover is safe", |machine: &Self, now| machine.recovers(now)),
            Property::always("then a plain deploy works", |machine: &Self, now| machine.deploys(now)),
            Property::always("nothing serves that failed", |_, now: &Now| {
                now.disk.confirmed.iter().all(|release| !now.disk.has_failed(release))
            }),
        ]
    }
}

impl Machine {
    /// From here, one undisturbed recover ends, breaks nothing, and leaves what it says; a second one does nothing. States
    /// with a tool at work are covered by the kill that leads out of them.
    fn recovers(&self, now: &Now) -> bool {
        if now.tool.is_some() {
            return true;
        }
        let (mut world, mut disk) = (now.world.clone(), now.disk.clone());
        let recover = || Tool::launch(Command::Recover);
        if !run(recover(), &mut world, &mut disk, self) || !world.broken.is_empty() {
            return false;
        }
        let before = gist(&world, &disk);
        let again = run(recover(), &mut world, &mut disk, self);
        again && gist(&world, &disk) == before && self.calm(now, &world, &disk)
    }

    /// From here, on a machine whose nginx answers and whose ports are free or ours, a good release can be deployed: that is
    /// the repair of everything.
    fn deploys(&self, now: &Now) -> bool {
        if now.tool.is_some() || now.world.route.is_err() || !now.world.strangers.is_empty() {
            return true;
        }
        let (mut world, mut disk) = (now.world.clone(), now.disk.clone());
        let commands = [Command::Recover, Command::Abort, Command::deploy(id("v9"))];
        let ended = commands.into_iter().all(|command| run(Tool::launch(command), &mut world, &mut disk, self));
        let active = world.route.as_ref().ok().and_then(|route| world.running.get(&route.active));
        let serves = active.is_some_and(|p| p.process.release == id("v9")) && disk.last_good() == Some(&id("v9"));
        ended && serves && disk.transaction.is_none()
    }

    /// Safe and with a name: who served before still serves, and nothing is left behind.
    fn calm(&self, now: &Now, world: &World, disk: &State) -> bool {
        let answered = now.world.answering().is_some_and(|profile| now.world.healthy(profile));
        let answers = world.answering().is_some();
        if answered && !answers {
            return false;
        }
        // what was good once is started again, unless somebody else has its port
        let startable = |release: &ReleaseId| world.releases.get(release).is_none_or(|health| *health == Health::Good);
        let free = |route: &Route| matches!(world.occupant(&route.active), Occupant::Nobody);
        if disk.last_good().is_some_and(startable) && world.route.as_ref().is_ok_and(free) && !answers {
            return false;
        }
        let Ok(route) = &world.route else { return true };
        let open = disk.transaction.as_ref();
        if open.is_some_and(|tx| tx.undo.is_none() && tx.step != tx.until && tx.step != Step::Retire) {
            return false;
        }
        // an idle process is one that was proven, or that rests, or that a failed start of the live side left
        let idle = world.profiles.other(&route.active);
        let stray = world.running.get(idle).filter(|p| {
            let known = disk.confirmed.contains(&p.process.release) || disk.has_failed(&p.process.release);
            let rests = open.is_some_and(|tx| tx.release == p.process.release || tx.kind == Kind::Warm);
            // a first release that was degraded stays where it is until the next deploy
            !known && !rests && disk.last_good().is_some()
        });
        stray.is_none() || now.meddled || self.policy.failover == Failover::Never && route.standby.is_some()
    }
}
