//! `status`.

mod human;
mod verdict;
mod waits;
mod watch;

use bluegreen_core::{
    Holder, Policy, Profile, ReleaseId, Seen, State, StateStore as _, StoreError, Unhealthy, machine::rebuild,
};
use jiff::Timestamp;

pub(crate) use self::verdict::Condition;
use self::{
    verdict::{Facts, Verdict},
    waits::Waits,
};
use super::{Exit, Format, Global, Halt, Session};
use crate::{
    advice::{for_traffic, said},
    app::{AGAIN, replaced},
    config::ProxyMode,
    documents::{self, SCHEMA},
    output,
    owner::User,
    report::as_typed,
};

/// What is so now, for the two ways to show it.
struct Status<'a> {
    session: &'a Session,
    seen: Seen,
    state: State,
    policy: Policy,
    health: [Result<(), Unhealthy>; 2],
    user: String,
    /// What was written last cannot be read: what takes its place.
    damaged: Option<String>,
    /// What makes it safe again.
    cure: Option<String>,
    lock: Option<Holder>,
    /// Of the records of processes, what is damaged or cannot be read.
    records: Vec<String>,
    verdict: Verdict,
    waits: Option<Waits>,
}

/// `status`: 0 when the active release answers, or when none is expected to; else 20.
pub(super) async fn run(session: &Session, global: &Global, watch: bool) -> Result<Exit, Halt> {
    if watch {
        return watch::run(session, global).await;
    }
    let mut status = Status::look(session).await?;
    // one hiccup is no verdict
    if !status.verdict.condition.is_well() {
        tokio::time::sleep(AGAIN).await;
        status = Status::look(session).await?;
    }
    match global.format {
        Format::Json => output::json(&status.document(Timestamp::now().into())),
        Format::Human => output::raw(status.human(global)),
    }
    Ok(if status.verdict.condition.is_well() { Exit::Done } else { Exit::Degraded })
}

/// Whether the state is lost without a trace: releases are in the store only once a deploy has begun.
fn is_gone(session: &Session) -> bool {
    let file = session.config.state_dir.join("state.json");
    matches!(file.try_exists(), Ok(false))
        && session
            .wired
            .processes
            .releases()
            .list()
            .map_or(true, |stored| !stored.releases.is_empty() || !stored.unreadable.is_empty())
}

impl<'a> Status<'a> {
    async fn look(session: &'a Session) -> Result<Self, Halt> {
        let (deployer, store) = (&session.wired.deployer, &session.wired.store);
        let seen = deployer.look().await;
        let mut trouble = store.trouble();
        let rebuilt = || rebuild(&seen).unwrap_or_else(|_| State::forgotten());
        let (state, damaged) = match store.load() {
            Err(error @ StoreError::Corrupt { .. }) => {
                let says = format!("{error}; what is seen takes its place, and `bluegreen recover` writes that");
                (rebuilt(), Some(says))
            }
            // it may say anything of what is there
            Err(error @ StoreError::Newer { .. }) => return Err(error.into()),
            Err(error) => {
                let says = format!("{error}; what is seen takes its place");
                trouble = trouble.or(Some(error));
                (rebuilt(), Some(says))
            }
            Ok(state) => {
                let damaged = store.fell_back().map(|why| format!("{why}; the state before it is used"));
                let damaged = trouble.as_ref().map(ToString::to_string).or(damaged);
                let gone =
                    is_gone(session).then_some("there is no state, and there are releases: which served is not known");
                (State { lost: state.lost || gone.is_some(), ..state }, damaged.or(gone.map(str::to_owned)))
            }
        };
        let [first, second] = session.config.profiles.both();
        let (a, b) = tokio::join!(deployer.check(first), deployer.check(second));
        let (policy, health, user) = (session.config.policy(), [a, b], User::current().name);
        let facts = Facts { seen: &seen, state: &state, policy: &policy, health: &health, user: &user };
        let releases = session.wired.processes.releases();
        let stored = |id: &ReleaseId| releases.get(id).is_ok_and(|release| !release.lacks_artifact());
        let verdict = facts.judge(|| for_traffic(&seen.traffic, &session.config), stored);
        let damage = |profile: &Profile| match session.wired.processes.damage(profile) {
            Ok(damage) => damage,
            Err(error) => Some(format!("the record of {profile} cannot be read: {error}")),
        };
        let records = [first, second].into_iter().filter_map(damage).collect();
        let waits = Waits::look(session, &state);
        let cure = trouble.and_then(StoreError::fix);
        let lock = store.holder();
        Ok(Self { session, seen, state, policy, health, user, damaged, cure, lock, records, verdict, waits })
    }

    fn facts(&self) -> Facts<'_> {
        Facts { seen: &self.seen, state: &self.state, policy: &self.policy, health: &self.health, user: &self.user }
    }

    /// The release that should serve.
    fn should(&self) -> Option<&ReleaseId> {
        self.state.last_good()
    }

    /// The release that recovery left for the older one that serves.
    fn replaced(&self) -> Option<&ReleaseId> {
        replaced(&self.state, &self.seen)
    }

    fn version(&self, profile: &Profile) -> Option<String> {
        let release = &self.seen.ours(profile)?.release;
        self.session.wired.processes.releases().get(release).ok()?.version
    }

    fn pid(&self, profile: &Profile) -> Option<u32> {
        self.seen.ours(profile)?;
        self.session.wired.processes.main_pid(profile)
    }

    fn side(&self, profile: &Profile) -> documents::Side {
        documents::Side {
            profile: profile.name().clone(),
            port: profile.port(),
            release: self.seen.ours(profile).map(|process| process.release.clone()),
            version: self.version(profile),
            pid: self.pid(profile),
            healthy: self.facts().healthy(profile),
        }
    }

    /// What waits has an age where a moment is given.
    fn document(&self, now: Option<Timestamp>) -> documents::Status {
        let route = self.seen.route();
        let mode = match self.session.config.nginx.mode {
            ProxyMode::Marker => "marker",
            ProxyMode::Reload => "reload",
        };
        documents::Status {
            schema: SCHEMA,
            app: self.session.config.app.clone(),
            condition: self.verdict.condition,
            says: self.verdict.says.clone(),
            should: self.should().cloned(),
            replaced: self.replaced().cloned(),
            next: self.next().map(|command| as_typed(&command)),
            damaged: self.damaged.clone(),
            active: route.map(|route| self.side(&route.active)),
            idle: self.seen.idle().map(|idle| self.side(idle)),
            failover: route.and_then(|route| route.standby.as_ref()).map(|standby| standby.name().clone()),
            failed_over: self.seen.failed_over(),
            route: documents::RouteSaid { mode, proven: route.is_some(), name: said(&self.seen.traffic) },
            transaction: self.state.transaction.clone(),
            waits: self.waits.as_ref().map(|waits| waits.document(now)),
            lock: self.lock.clone(),
        }
    }
}
