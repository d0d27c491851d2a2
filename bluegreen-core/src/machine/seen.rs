use crate::{Acted, Cause, Failure, Occupant, Profile, Profiles, ReleaseId, ResolveError, Route, Stamp, Step};

/// What the world says now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Seen {
    /// The two profiles.
    pub profiles: Profiles,
    /// The route in effect, as the resolver reads it.
    pub route: Result<Route, ResolveError>,
    /// Who is on the first and on the second profile.
    pub occupants: [Occupant; 2],
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
    pub fn on(&self, profile: &Profile) -> &Occupant {
        &self.occupants[usize::from(profile != self.profiles.first())]
    }

    /// Whether our process of `release` runs on `profile` and listens.
    pub(super) fn serves(&self, profile: &Profile, release: &ReleaseId) -> bool {
        matches!(self.on(profile), Occupant::Ours { process, listening: true } if process.release == *release)
    }

    /// Whether the proxy sends new requests to `profile`; `false` also when that cannot be told.
    pub(super) fn is_active(&self, profile: &Profile) -> bool {
        self.route.as_ref().is_ok_and(|route| route.active == *profile)
    }

    /// Whether the active profile does not answer, and its standby does.
    pub(super) fn failed_over(&self) -> bool {
        let answers = |profile: &Profile| self.on(profile).listens();
        self.route.as_ref().is_ok_and(|route| !answers(&route.active) && route.standby.as_ref().is_some_and(answers))
    }

    /// Whether it cannot be told if the proxy uses a profile.
    pub(super) fn route_unknown(&self) -> Option<&ResolveError> {
        self.route.as_ref().err().filter(|e| !matches!(e, ResolveError::NotSetUp(_) | ResolveError::Unmanaged(_)))
    }
}
