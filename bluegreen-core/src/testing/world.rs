use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    Blind, Cause, Failure, Occupant, Process, ProcessError, Profile, Profiles, ReleaseId, Route, Seen, Stamp, Step,
    Stranger, Traffic,
    machine::{Effect, Sacrifice},
};

/// How a release behaves once it runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Health {
    /// Healthy at once.
    #[default]
    Good,
    /// Runs and listens, and is never healthy.
    Sick,
    /// Runs and never listens.
    Deaf,
    /// Healthy at once, and does not end when it is asked to.
    Stubborn,
    /// Ends at once.
    Dies,
    /// Runs, and somebody else was faster to take its port.
    Robbed,
    /// Cannot be started: the release store does not have it, or not all of it.
    Missing,
}

/// A process of the world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FakeProcess {
    /// Who it is.
    pub process: Process,
    /// How it behaves.
    pub health: Health,
}

impl FakeProcess {
    fn is_healthy(&self) -> bool {
        matches!(self.health, Health::Good | Health::Stubborn)
    }
}

/// One machine, pure: what the proxy does and what runs. The fakes act on it, and a model check can too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// The two profiles.
    pub profiles: Profiles,
    /// Where the traffic goes, or why that cannot be read.
    pub traffic: Result<Traffic, Blind>,
    /// Profiles of which it cannot be seen who is there.
    pub hidden: BTreeSet<Profile>,
    /// What runs on each profile.
    pub running: BTreeMap<Profile, FakeProcess>,
    /// Foreign processes on the ports.
    pub strangers: BTreeMap<Profile, Stranger>,
    /// How each release behaves; the others are [`Health::Good`].
    pub releases: BTreeMap<ReleaseId, Health>,
    /// Time since boot.
    pub clock: Duration,
    /// Which boot it is.
    pub boot: u32,
    /// Rules that were broken, in words: a test asserts that there is none.
    pub broken: Vec<String>,
    next: u32,
}

impl World {
    /// A machine after `setup`: the route starts on the second profile, nothing runs.
    pub fn new() -> Self {
        let profile = |name: &str, port| Profile::new(name.parse().expect("a name"), port).expect("a port");
        let profiles = Profiles::new(profile("real1", 8081), profile("real2", 8082)).expect("two profiles");
        Self {
            traffic: Ok(Route::solo(profiles.second().clone()).into()),
            hidden: BTreeSet::new(),
            profiles,
            running: BTreeMap::new(),
            strangers: BTreeMap::new(),
            releases: BTreeMap::new(),
            clock: Duration::ZERO,
            boot: 0,
            broken: Vec::new(),
            next: 0,
        }
    }

    /// Who is on `profile`.
    pub fn occupant(&self, profile: &Profile) -> Occupant {
        if let Some(who) = self.strangers.get(profile) {
            let beside = self.running.get(profile).map(|it| it.process.clone());
            return Occupant::Stranger { who: who.clone(), beside };
        }
        match self.running.get(profile) {
            None => Occupant::Nobody,
            Some(FakeProcess { process, health }) => {
                Occupant::Ours { process: process.clone(), listening: *health != Health::Deaf }
            }
        }
    }

    /// What a look at `profile` sees.
    ///
    /// # Errors
    /// It is one of [`World::hidden`].
    pub fn inspect(&self, profile: &Profile) -> Result<Occupant, Blind> {
        if self.hidden.contains(profile) {
            return Err(Blind::Profile { profile: profile.to_string(), reason: "it is dark".to_owned() });
        }
        Ok(self.occupant(profile))
    }

    /// The route, when it is known and leads to a profile.
    pub fn route(&self) -> Option<&Route> {
        self.traffic.as_ref().ok().and_then(Traffic::route)
    }

    /// Somebody whose java listens.
    pub fn bob() -> Stranger {
        Stranger { pid: Some(4711), user: Some("bob".into()), program: Some("java".into()), address: None }
    }

    /// Whether `profile` would pass a health attempt.
    pub fn healthy(&self, profile: &Profile) -> bool {
        self.strangers.contains_key(profile) || self.running.get(profile).is_some_and(FakeProcess::is_healthy)
    }

    /// The profile whose answer a user gets now, with the proxy's failover.
    pub fn answering(&self) -> Option<&Profile> {
        let route = self.route()?;
        let up = |profile: &&Profile| self.occupant(profile).listens();
        [Some(&route.active), route.standby.as_ref()].into_iter().flatten().find(up)
    }

    /// Starts `release`; something else on the profile is an error.
    ///
    /// # Errors
    /// Somebody else is on the profile, or the release is [`Health::Missing`].
    pub fn start(&mut self, profile: &Profile, release: &ReleaseId) -> Result<(), ProcessError> {
        let refused = |reason, unstartable| {
            let (profile, release) = (profile.to_string(), release.to_string());
            Err(ProcessError::Start { profile, release, reason, unstartable })
        };
        match self.occupant(profile) {
            Occupant::Ours { process, .. } if process.release == *release => return Ok(()),
            Occupant::Nobody => {}
            other => return refused(format!("occupied: {other:?}"), false),
        }
        let health = self.releases.get(release).copied().unwrap_or_default();
        if health == Health::Missing {
            return refused(format!("release {release} is not in the store"), true);
        }
        let process = Process::new(release.clone(), self.identity());
        if health == Health::Robbed {
            self.strangers.insert(profile.clone(), Self::bob());
        }
        if health != Health::Dies {
            self.running.insert(profile.clone(), FakeProcess { process, health });
        }
        Ok(())
    }

    /// An identity that nobody had before.
    fn identity(&mut self) -> String {
        self.next += 1;
        format!("boot{}-{}", self.boot, self.next)
    }

    /// The process on `profile` has ended, and a supervisor runs it again.
    pub fn restart(&mut self, profile: &Profile) {
        let run = self.identity();
        self.running.get_mut(profile).into_iter().for_each(|it| it.process.run.clone_from(&run));
    }

    /// Stops `process`, in whichever run it is, and no other. Invariant 2: never one that the proxy uses.
    pub fn stop(&mut self, profile: &Profile, process: &Process) {
        if self.running.get(profile).is_some_and(|p| p.process.start == process.start) {
            if self.route().is_some_and(|route| route.uses(profile)) {
                self.broken.push(format!("stopped {profile}, which the proxy uses"));
            }
            self.running.remove(profile);
        }
    }

    /// Moves the route. Invariant 1: the active profile only changes to a healthy one.
    pub fn switch(&mut self, route: &Route) {
        let moved = self.route().is_none_or(|old| old.active != route.active);
        if moved && !self.healthy(&route.active) {
            self.broken.push(format!("moved the route to {}, which is not healthy", route.active));
        }
        if let Some(standby) = route.standby.as_ref().filter(|standby| !self.healthy(standby)) {
            self.broken.push(format!("made {standby} the standby, which is not healthy"));
        }
        self.traffic = Ok(route.clone().into());
    }

    /// The process on `profile` is gone, by itself.
    pub fn kill(&mut self, profile: &Profile) {
        self.running.remove(profile);
    }

    /// The machine restarts: all processes are gone, the route is where it was.
    pub fn reboot(&mut self) {
        self.running.clear();
        self.boot += 1;
        self.clock = Duration::ZERO;
    }

    /// Now.
    pub fn now(&self) -> Stamp {
        Stamp { boot: format!("boot{}", self.boot), since_boot: self.clock }
    }

    /// Does one effect at once, as the engine does it over the fakes: with the same probes, and the same failures.
    ///
    /// # Errors
    /// What the engine would report of the same effect.
    pub fn act(&mut self, effect: &Effect) -> Result<(), Failure> {
        match effect {
            Effect::Isolate { active, .. } | Effect::Standby { active, .. } if !self.is_active(active) => {
                Err(failure(Cause::Route, format!("{active} is not active any more")))
            }
            Effect::Isolate { active, sacrifice } if !self.occupant(active).listens() && self.spares(*sacrifice) => {
                let cause = if *sacrifice == Sacrifice::Never { Cause::Died } else { Cause::Route };
                Err(failure(cause, format!("{active} does not answer, and its standby does")))
            }
            Effect::Isolate { active, .. } => {
                self.switch(&Route::solo(active.clone()));
                Ok(())
            }
            Effect::Stop { profile, .. } if self.may_use(profile) => {
                Err(failure(Cause::Route, format!("{profile} is in use again")))
            }
            Effect::Stop { profile, process, .. } => {
                self.stop(profile, process);
                Ok(())
            }
            Effect::Start { profile, release } => {
                self.start(profile, release).map_err(|e| Failure::start(Step::Stop, profile, release, &e))
            }
            Effect::AwaitHealthy { profile, process, .. } | Effect::Bake { profile, process } => {
                self.proven(profile, |occupant| occupant.ours() == Some(process))
            }
            Effect::Switch { to, expect } => {
                self.proven(to, |occupant| occupant == expect)?;
                self.switch(&Route::solo(to.clone()));
                Ok(())
            }
            Effect::Gate { .. } => Ok(()),
            Effect::Prove { profile } if self.answering() == Some(profile) => Ok(()),
            Effect::Prove { profile } => Err(failure(Cause::Switch, format!("{profile} does not answer"))),
            Effect::Standby { active, standby, expect } => {
                self.proven(standby, |occupant| occupant == expect)?;
                self.switch(&Route::with_standby(active.clone(), standby.clone()));
                Ok(())
            }
        }
    }

    /// Whether who answers now is more than `sacrifice` allows to take away.
    fn spares(&self, sacrifice: Sacrifice) -> bool {
        self.answering().is_some_and(|standby| match sacrifice {
            Sacrifice::Never => true,
            Sacrifice::Sick => self.healthy(standby),
            Sacrifice::Always => false,
        })
    }

    fn proven(&self, profile: &Profile, is_it: impl Fn(&Occupant) -> bool) -> Result<(), Failure> {
        match self.occupant(profile) {
            occupant if !is_it(&occupant) => Err(failure(Cause::Died, format!("somebody else is on {profile}"))),
            _ if self.healthy(profile) => Ok(()),
            _ => Err(failure(Cause::Unhealthy, format!("{profile} is not healthy"))),
        }
    }

    fn may_use(&self, profile: &Profile) -> bool {
        self.traffic.as_ref().map_or(true, |traffic| traffic.route().is_some_and(|route| route.uses(profile)))
    }

    fn is_active(&self, profile: &Profile) -> bool {
        self.route().is_some_and(|route| route.active == *profile)
    }

    /// What the engine would see.
    pub fn seen(&self) -> Seen {
        let [first, second] = self.profiles.both();
        Seen {
            profiles: self.profiles.clone(),
            traffic: self.traffic.clone(),
            occupants: [self.inspect(first), self.inspect(second)],
            now: self.now(),
            interrupt: None,
            last: None,
        }
    }
}

fn failure(cause: Cause, message: String) -> Failure {
    Failure::new(Step::Stop, cause, message)
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
