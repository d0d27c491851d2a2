//! The machine that the tools work on: the world, the disk, and what only the model knows.

use std::collections::BTreeMap;

use bluegreen_core::{Process, Profile, Route, State, testing::World};

use super::{
    mutant::Mutant,
    promise::{self, Promise},
};

/// The foreign process that had the traffic before us.
pub(crate) const FORMER: &str = "the scripts' app";

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    pub(crate) world: World,
    /// The state that was saved last.
    pub(crate) disk: State,
    /// The one before it, as long as a fault may still bring it back.
    pub(crate) previous: Option<Box<State>>,
    /// Both are damaged: nothing can be read.
    pub(crate) damaged: bool,
    /// Something that was written is gone: then nobody can promise that nothing is left behind.
    pub(crate) lost: bool,
    /// The route that is in effect while nobody can read it.
    pub(crate) hidden: Option<Route>,
    /// Somebody meddled with the route: then nobody can promise that it points at something that lives.
    pub(crate) meddled: bool,
    /// The transaction whose release has last answered through the front door, alone.
    pub(crate) proved: u64,
    /// What a pid file would say, for mutants that read one.
    pub(crate) pid_file: BTreeMap<Profile, Process>,
    pub(crate) broken: Vec<Promise>,
}

impl Host {
    pub(crate) fn new(world: World) -> Self {
        Self {
            world,
            disk: State::default(),
            previous: None,
            damaged: false,
            lost: false,
            hidden: None,
            meddled: false,
            proved: 0,
            pid_file: BTreeMap::new(),
            broken: Vec::new(),
        }
    }

    /// The route that is in effect, whoever can read it.
    pub(crate) fn truth(&self) -> Option<&Route> {
        self.hidden.as_ref().or(self.world.route.as_ref().ok())
    }

    /// A durable save of a tool that holds the lock.
    pub(crate) fn save(&mut self, state: &State, mutant: Option<Mutant>) {
        let kept = match mutant {
            Some(Mutant::NoJournal) => State { transaction: None, ..state.clone() },
            Some(Mutant::FailureForgotten) => State { failed: Vec::new(), ..state.clone() },
            _ => state.clone(),
        };
        if kept != self.disk || self.damaged {
            if !self.lost {
                self.broken.extend(promise::judge_save(&self.disk, state, self.proved));
            }
            self.previous = Some(Box::new(std::mem::replace(&mut self.disk, kept)));
            self.damaged = false;
        }
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
