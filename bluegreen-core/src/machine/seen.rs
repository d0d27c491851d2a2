use crate::{
    Blind, Cause, Failure, Occupant, Process, Profile, Profiles, ReleaseId, Route, Stamp, State, Step, Traffic,
    machine::Acted,
};

/// What the world says now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Seen {
    /// The two profiles.
    pub profiles: Profiles,
    /// Where new requests go, as the resolver reads it.
    pub traffic: Result<Traffic, Blind>,
    /// Who is on the first and on the second profile.
    pub occupants: [Result<Occupant, Blind>; 2],
    /// Now.
    pub now: Stamp,
    /// Somebody wants us to stop.
    pub interrupt: Option<Interrupt>,
    /// The effect that was just done, and how it went; `None` at the beginning of a run.
    pub last: Option<Acted>,
}

/// Why a run shall end early. A fact that the machine sees, until the bake ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interrupt {
    /// It was cancelled.
    Cancelled,
    /// Its deadline has passed.
    Deadline,
}

impl Interrupt {
    /// The failure of the step that was under way.
    pub(crate) fn failure(self, step: Step) -> Failure {
        match self {
            Self::Cancelled => Failure::new(step, Cause::Interrupted, "interrupted"),
            Self::Deadline => Failure::new(step, Cause::Deadline, "the deadline of the command has passed"),
        }
    }
}

impl Seen {
    /// Who is on `profile`.
    ///
    /// # Errors
    /// It cannot be seen.
    pub fn on(&self, profile: &Profile) -> Result<&Occupant, &Blind> {
        self.occupants[usize::from(profile != self.profiles.first())].as_ref()
    }

    /// The route, when it is known and leads to a profile. What else it may be, [`Seen::traffic`] says.
    pub fn route(&self) -> Option<&Route> {
        self.traffic.as_ref().ok().and_then(Traffic::route)
    }

    /// The profile that gets no new requests, when the route is known and leads to the other one.
    pub fn idle(&self) -> Option<&Profile> {
        self.profiles.other(&self.route()?.active)
    }

    /// Our process that is seen on `profile`.
    pub fn ours(&self, profile: &Profile) -> Option<&Process> {
        self.on(profile).ok().and_then(Occupant::ours)
    }

    /// Whether it is known that somebody listens on `profile`.
    pub fn listens(&self, profile: &Profile) -> bool {
        self.on(profile).is_ok_and(Occupant::listens)
    }

    /// Whether it is known that nobody is on `profile`.
    pub fn is_free(&self, profile: &Profile) -> bool {
        self.on(profile) == Ok(&Occupant::Nobody)
    }

    /// Whether our process of `release` runs on `profile` and listens.
    pub(super) fn serves(&self, profile: &Profile, release: &ReleaseId) -> bool {
        matches!(self.on(profile), Ok(Occupant::Ours { process, listening: true }) if process.release == *release)
    }

    /// Whether it is known that the proxy sends new requests to `profile`.
    pub(super) fn is_active(&self, profile: &Profile) -> bool {
        self.route().is_some_and(|route| route.active == *profile)
    }

    /// Whether it is known that the active profile does not answer, and its standby does.
    pub fn failed_over(&self) -> bool {
        self.route().is_some_and(|route| {
            self.on(&route.active).is_ok_and(|active| !active.listens())
                && route.standby.as_ref().is_some_and(|standby| self.listens(standby))
        })
    }

    /// The first thing that cannot be seen: the route, or who is on a profile.
    pub(crate) fn blind(&self) -> Option<&Blind> {
        self.traffic.as_ref().err().or_else(|| self.occupants.iter().find_map(|on| on.as_ref().err()))
    }

    /// The route as far as it permits touching a profile: `None` means that neither has the traffic.
    ///
    /// # Errors
    /// It is not known, or leads to a profile that is none of the two; also when the proxy does not know an app that had its traffic when it was last seen: whoever took the
    /// set-up away may still lead the users to a profile.
    pub(super) fn permits(&self, state: &State) -> Result<Option<&Route>, Blind> {
        match self.traffic.as_ref().map_err(Clone::clone)? {
            Traffic::NotSetUp(why) if state.has_traffic() => {
                Err(Blind::Differs(format!("the app had the traffic, and now the proxy does not know it: {why}")))
            }
            traffic => traffic.among(&self.profiles).map(Traffic::route),
        }
    }
}
