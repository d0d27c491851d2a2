//! The machine that the tools work on: the world, the disk, and what only the model knows.

use std::collections::{BTreeMap, BTreeSet};

use bluegreen_core::{Process, Profile, Route, State, Stranger, testing::World};

use super::{
    mutant::Mutant,
    promise::{self, Promise},
};

/// The foreign process that had the traffic before us.
pub(crate) fn former() -> Stranger {
    stranger("the scripts' app")
}

/// One who is told from the others by what he calls himself: in the model nobody lies.
pub(crate) fn stranger(program: &str) -> Stranger {
    let mut stranger = Stranger::new();
    stranger.program = Some(program.to_owned());
    stranger
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    pub(crate) world: World,
    /// The state that was saved last.
    pub(crate) disk: State,
    /// The one before it, as long as a fault may still bring it back.
    pub(crate) previous: Option<Box<State>>,
    /// Both are damaged: nothing can be read.
    pub(crate) damaged: bool,
    /// What of that is gone: then nobody can promise that nothing is left behind.
    pub(crate) lost: Lost,
    /// The route that is in effect while nobody can read it.
    pub(crate) hidden: Option<Route>,
    /// Somebody meddled with the route: then nobody can promise that it points at something that lives.
    pub(crate) meddled: bool,
    /// The transaction whose release has last answered through the front door, alone.
    pub(crate) proved: u64,
    /// The transaction that the owner has let begin.
    pub(crate) admitted: u64,
    /// The process that he has let have the traffic.
    pub(crate) passed: Option<Process>,
    /// The profiles whose process has had the traffic.
    pub(crate) served: BTreeSet<Profile>,
    /// The profile on which a foreign process had the traffic when the transaction began. Who has that port later is that one
    /// again, as after a reboot: nobody can tell them apart, and it is where the traffic was.
    pub(crate) former: Option<Profile>,
    /// What a pid file would say, for mutants that read one.
    pub(crate) pid_file: BTreeMap<Profile, Process>,
    pub(crate) broken: Vec<Promise>,
}

/// How much of what was written is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Lost {
    Nothing,
    /// What was saved last.
    Last,
    /// All of it, and no release has become good since.
    All,
}

impl Host {
    pub(crate) fn new(world: World) -> Self {
        Self {
            world,
            disk: State::default(),
            previous: None,
            damaged: false,
            lost: Lost::Nothing,
            hidden: None,
            meddled: false,
            proved: 0,
            admitted: 0,
            passed: None,
            served: BTreeSet::new(),
            former: None,
            pid_file: BTreeMap::new(),
            broken: Vec::new(),
        }
    }

    /// The route that is in effect, whoever can read it.
    pub(crate) fn truth(&self) -> Option<&Route> {
        self.hidden.as_ref().or(self.world.route())
    }

    /// To be called after everything that moves the route, or ends a process.
    pub(crate) fn note_served(&mut self) {
        let used = |p: &Profile| self.truth().is_some_and(|route| route.uses(p));
        self.served = self.world.running.keys().filter(|p| used(p) || self.has_served(p)).cloned().collect();
    }

    pub(crate) fn has_served(&self, profile: &Profile) -> bool {
        self.served.contains(profile)
    }

    /// A durable save of a tool that holds the lock.
    pub(crate) fn save(&mut self, state: &State, mutant: Option<Mutant>) {
        let kept = match mutant {
            Some(Mutant::NoJournal) => State { transaction: None, ..state.clone() },
            Some(Mutant::FailureForgotten) => State { failed: Vec::new(), ..state.clone() },
            _ => state.clone(),
        };
        if kept != self.disk {
            let number = |state: &State| state.transaction.as_ref().map(|tx| tx.number);
            if number(&kept).is_some() && number(&kept) != number(&self.disk) {
                // who has a port when a transaction begins is what the traffic came from
                self.world.strangers.values_mut().for_each(|who| *who = former());
                let from = kept.transaction.as_ref().and_then(|tx| tx.from.clone());
                self.former = from.filter(|from| self.world.strangers.contains_key(from));
            }
            self.previous = Some(Box::new(self.disk.clone()));
            self.replace(kept);
        }
    }

    /// As above, in place of a state that cannot be read.
    pub(crate) fn rebuild(&mut self, state: State) {
        self.broken.extend(promise::judge_rebuilt(&self.world, &state));
        self.lost = Lost::All;
        // the copy before it cannot be read either
        self.previous = None;
        self.replace(state);
    }

    fn replace(&mut self, state: State) {
        if self.lost == Lost::All && state.last_good().is_some() {
            self.lost = Lost::Last;
        }
        self.disk = state;
        self.damaged = false;
    }
}

/// Who answers users, with the proxy's failover.
pub(crate) fn answering<'a>(world: &World, route: Option<&'a Route>) -> Option<&'a Profile> {
    let route = route?;
    [Some(&route.active), route.standby.as_ref()].into_iter().flatten().find(|p| world.occupant(p).listens())
}

/// Whether users get an answer that a step of the tool must not take away: a healthy one, and not that of a stranger whom
/// the failover met.
pub(crate) fn answers_well(world: &World, route: Option<&Route>) -> bool {
    let met = |p: &Profile| world.strangers.contains_key(p) && route.is_some_and(|route| route.active != *p);
    answering(world, route).is_some_and(|p| world.healthy(p) && !met(p))
}
