//! What must be known first: how the app is, what should be, and what to type.

use bluegreen_core::{
    Occupant, Policy, Profile, ReleaseId, Route, Seen, State, Step, Stranger, Traffic, Unhealthy,
    machine::{Recovery, Tried, recover},
};
use serde::Serialize;

use crate::{
    advice::{FIRST_DEPLOY, SET_UP, said},
    report::{LISTENERS, shows},
};

/// What is said of an app that nobody expects to answer.
const NOTHING_YET: &str = "no release was confirmed yet";

/// How the app is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Condition {
    /// The active release answers.
    Up,
    /// No release was confirmed yet, and nothing of ours has the traffic.
    Empty,
    /// The active release does not answer.
    Down,
    /// The active release is dead, and the standby answers for it.
    FailedOver,
    /// Users get another answer than that of a healthy active release.
    Degraded,
    /// Where the traffic goes, or who answers there, cannot be told.
    Unknown,
}

impl Condition {
    /// The word that is said first; none when all is well.
    pub(super) fn word(self) -> Option<&'static str> {
        Some(match self {
            Self::Up => return None,
            Self::Empty => "EMPTY",
            Self::Down => "DOWN",
            Self::FailedOver => "FAILED OVER",
            Self::Degraded => "DEGRADED",
            Self::Unknown => "UNKNOWN",
        })
    }

    /// Whether users are served as they should be, or nobody expects to be.
    pub(super) fn is_well(self) -> bool {
        matches!(self, Self::Up | Self::Empty)
    }
}

/// What is so, and what should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) condition: Condition,
    /// Why, a fragment; empty when all is well.
    pub(super) says: String,
    /// The command that mends it.
    pub(super) next: Option<String>,
}

/// What a verdict is made of.
pub(super) struct Facts<'a> {
    pub(super) seen: &'a Seen,
    pub(super) state: &'a State,
    pub(super) policy: &'a Policy,
    /// The answer to one health attempt on each profile.
    pub(super) health: &'a [Result<(), Unhealthy>; 2],
    /// Whose processes this user may adopt.
    pub(super) user: &'a str,
}

impl Facts<'_> {
    /// `proxy` is what to type when the proxy is in the way; `stored` says whether a release can be started from the store.
    pub(super) fn judge(&self, proxy: impl FnOnce() -> String, stored: impl Fn(&ReleaseId) -> bool) -> Verdict {
        let served = self.state.last_good().is_some() || self.state.lost;
        let verdict = |condition, says: String, next| Verdict { condition, says, next };
        let route = match &self.seen.traffic {
            Err(_) => return verdict(Condition::Unknown, said(&self.seen.traffic), Some(proxy())),
            Ok(Traffic::Ours(route)) => route,
            Ok(Traffic::NotSetUp(why)) if served => {
                let says = format!("who gets the traffic is not known, as the proxy does not know the app: {why}");
                return verdict(Condition::Unknown, says, Some(SET_UP.to_owned()));
            }
            Ok(Traffic::Elsewhere(to)) if served => {
                let says = format!("neither profile has the traffic: {to}");
                return verdict(Condition::Degraded, says, Some(FIRST_DEPLOY.to_owned()));
            }
            Ok(Traffic::NotSetUp(_)) => {
                return verdict(Condition::Empty, NOTHING_YET.to_owned(), Some(SET_UP.to_owned()));
            }
            Ok(Traffic::Elsewhere(_)) => {
                return verdict(Condition::Empty, NOTHING_YET.to_owned(), Some(FIRST_DEPLOY.to_owned()));
            }
        };
        self.of_a_profile(route, served, &stored)
    }

    /// Of an app whose traffic goes to one of its profiles.
    fn of_a_profile(&self, route: &Route, served: bool, stored: impl Fn(&ReleaseId) -> bool) -> Verdict {
        let verdict = |condition, says: String, next| Verdict { condition, says, next };
        let (active, mend) = (&route.active, || Some(self.cure(&route.active, &stored)));
        let has_it = format!("{active} has the traffic, and");
        if let (Ok(occupant), true, Some(who)) = (self.seen.on(active), served, self.stands_by(route)) {
            let is = if occupant.listens() { "serves" } else { "is dead" };
            let says = format!("{active} {is}, and who answers at its standby is not ours: {who}");
            return verdict(Condition::Degraded, says, mend());
        }
        match self.seen.on(active) {
            Err(blind) => verdict(Condition::Unknown, blind.to_string(), Some(LISTENERS.to_owned())),
            Ok(_) if self.seen.failed_over() => {
                verdict(Condition::FailedOver, self.failed_over(route), Some("bluegreen recover".to_owned()))
            }
            // somebody else may answer there, as what the scripts left
            Ok(Occupant::Nobody | Occupant::Stranger { .. }) if !served => {
                verdict(Condition::Empty, NOTHING_YET.to_owned(), Some(FIRST_DEPLOY.to_owned()))
            }
            Ok(Occupant::Nobody) => verdict(Condition::Down, format!("{has_it} nothing runs there"), mend()),
            Ok(Occupant::Stranger { who, .. }) => {
                verdict(Condition::Degraded, format!("{has_it} who answers there is not ours: {who}"), mend())
            }
            Ok(Occupant::Ours { listening: false, .. }) => {
                verdict(Condition::Down, format!("{has_it} what runs there does not listen"), mend())
            }
            Ok(Occupant::Ours { listening: true, .. }) => match self.health(active) {
                Ok(()) => verdict(Condition::Up, String::new(), None),
                Err(why) => {
                    let sick = matches!(why, Unhealthy::Sick(_));
                    let (condition, is) = if sick || matches!(why, Unhealthy::NotOurs(_)) {
                        (Condition::Degraded, "is not healthy")
                    } else {
                        (Condition::Down, "does not answer its health check")
                    };
                    // recovery leaves who gives no answer at all, where there is somebody to go to
                    let warm = || self.would_leave(active);
                    let next = if !sick && warm() {
                        "bluegreen recover".to_owned()
                    } else {
                        format!("bluegreen logs {active}")
                    };
                    verdict(condition, format!("{has_it} {is}: {why}"), Some(next))
                }
            },
        }
    }

    pub(super) fn health(&self, profile: &Profile) -> &Result<(), Unhealthy> {
        &self.health[usize::from(profile != self.seen.profiles.first())]
    }

    /// Whether what is there answers as it should; `None` where it cannot be seen who that is, or that he does not answer.
    pub(super) fn healthy(&self, profile: &Profile) -> Option<bool> {
        match (self.seen.on(profile), self.health(profile)) {
            (Err(_), Ok(()) | Err(Unhealthy::NoAnswer(_))) => None,
            (_, health) => Some(health.is_ok()),
        }
    }

    /// Somebody else to whom nginx leads the users as soon as the active release does not answer.
    fn stands_by(&self, route: &Route) -> Option<&Stranger> {
        match self.seen.on(route.standby.as_ref()?) {
            Ok(Occupant::Stranger { who, .. }) => Some(who),
            _ => None,
        }
    }

    fn failed_over(&self, route: &Route) -> String {
        let Some(standby) = &route.standby else { return format!("{} is dead", route.active) };
        match self.health(standby) {
            Ok(()) => format!("{} is dead, {standby} answers", route.active),
            Err(why) => format!("{} is dead, and {standby}, which stands by, is not healthy: {why}", route.active),
        }
    }

    /// Whether recovery goes to the other profile when `active` is as good as dead.
    fn would_leave(&self, active: &Profile) -> bool {
        let mut seen = self.seen.clone();
        if let Ok(Occupant::Ours { listening, .. }) = &mut seen.occupants[usize::from(active != seen.profiles.first())]
        {
            *listening = false;
        }
        matches!(recover(self.state, &seen, self.policy, Tried::default()), Recovery::Walk(_))
    }

    /// Whether what waits can still be promoted.
    pub(super) fn rests(&self) -> bool {
        matches!(recover(self.state, self.seen, self.policy, Tried::default()), Recovery::Rests(_))
    }

    /// What to do about strangers on both profiles: no release of ours has a place then.
    fn no_place(&self, active: &Profile) -> Option<String> {
        let Ok(Occupant::Stranger { who, .. }) = self.seen.on(active) else { return None };
        let other = self.seen.profiles.other(active)?;
        matches!(self.seen.on(other), Ok(Occupant::Stranger { .. })).then(|| {
            let mine = who.pid.is_some() && who.user.as_deref() == Some(self.user);
            if mine { format!("bluegreen adopt {active}") } else { shows(who).to_owned() }
        })
    }

    /// What brings a release of ours back where recovery can, or where a person must.
    fn cure(&self, active: &Profile, stored: impl Fn(&ReleaseId) -> bool) -> String {
        let starts = |to: &State| to.transaction.as_ref().is_some_and(|tx| tx.step == Step::Start);
        match (recover(self.state, self.seen, self.policy, Tried::default()), &self.state.transaction) {
            (Recovery::Walk(to), _) if !starts(&to) || self.state.confirmed.iter().any(&stored) => {
                "bluegreen recover".to_owned()
            }
            // what waits there is the repair
            (_, Some(tx)) if tx.undo.is_none() && tx.step >= Step::Health => "bluegreen promote".to_owned(),
            (_, Some(_)) => "bluegreen recover".to_owned(),
            (_, None) => self.no_place(active).unwrap_or_else(|| {
                match self.state.last_good().filter(|release| stored(release)) {
                    Some(release) => format!("bluegreen rollback {release}"),
                    None => FIRST_DEPLOY.to_owned(),
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests;
