//! `status`.

mod watch;

use bluegreen_core::{Occupant, Profile, Route, Seen, State, Traffic};

use super::{Exit, Format, Global, Halt, Session, preflight};
use crate::{
    config::ProxyMode,
    documents::{self, SCHEMA},
    halt::{for_traffic, said},
    output,
    report::{self, StatusRow, Tone, status_table, wrap},
};

/// What is so now, for the two ways to show it.
struct Status<'a> {
    session: &'a Session,
    seen: Seen,
    state: State,
    health: [Result<(), String>; 2],
}

/// `status`: 20 when the standby answers for a dead active profile, or when nobody can say where the traffic goes.
pub(super) async fn run(session: &Session, global: &Global, watch: bool) -> Result<Exit, Halt> {
    if watch {
        return watch::run(session, global).await;
    }
    let status = Status::look(session).await?;
    match global.format {
        Format::Json => output::json(&status.document()),
        Format::Human => output::raw(status.human(global)),
    }
    let lost = status.seen.traffic.is_err();
    Ok(if lost || status.failed_over() { Exit::Degraded } else { Exit::Done })
}

impl<'a> Status<'a> {
    async fn look(session: &'a Session) -> Result<Self, Halt> {
        let deployer = &session.wired.deployer;
        let seen = deployer.look().await;
        let state = session.state().await?;
        let [first, second] = session.config.profiles.both();
        let (a, b) = tokio::join!(deployer.check(first), deployer.check(second));
        Ok(Self { session, seen, state, health: [a, b].map(|h| h.map_err(|e| e.to_string())) })
    }
}

impl Status<'_> {
    fn route(&self) -> Option<&Route> {
        self.seen.route()
    }

    fn failed_over(&self) -> bool {
        self.seen.failed_over()
    }

    fn health(&self, profile: &Profile) -> &Result<(), String> {
        &self.health[usize::from(profile != self.session.config.profiles.first())]
    }

    fn version(&self, profile: &Profile) -> Option<String> {
        let release = &self.seen.ours(profile)?.release;
        self.session.wired.processes.releases().get(release).ok()?.version
    }

    fn pid(&self, profile: &Profile) -> Option<u32> {
        self.seen.ours(profile)?;
        self.session.wired.processes.main_pid(profile)
    }

    fn row(&self, profile: &Profile) -> StatusRow {
        let role = match self.route() {
            Some(route) if route.active == *profile => "active",
            Some(route) if route.standby.as_ref() == Some(profile) => "standby",
            Some(_) => "idle",
            None => "?",
        };
        let occupant = self.seen.on(profile);
        let (health, tone) = match (occupant, self.health(profile)) {
            (Ok(Occupant::Nobody), _) if role == "active" => ("nothing runs here".to_owned(), Tone::Bad),
            (Ok(Occupant::Nobody), _) => ("nothing runs here".to_owned(), Tone::Dim),
            (Ok(Occupant::Stranger { who, .. }), _) => (format!("foreign: {who}"), Tone::Warn),
            (Err(blind), _) => (blind.to_string(), Tone::Warn),
            (Ok(Occupant::Ours { process, .. }), Ok(())) if self.state.has_failed(&process.release) => {
                ("healthy, but failed before".to_owned(), Tone::Warn)
            }
            (_, Ok(())) => ("healthy".to_owned(), Tone::Good),
            (_, Err(why)) => (why.clone(), Tone::Bad),
        };
        StatusRow {
            role: role.to_owned(),
            profile: profile.to_string(),
            port: profile.port(),
            release: self.seen.ours(profile).map(|process| process.release.to_string()),
            version: self.version(profile),
            pid: self.pid(profile),
            health,
            tone,
        }
    }

    fn human(&self, global: &Global) -> String {
        let (paint, width) = (report::stdout_paint(global.color), report::table_width());
        let rows = self.session.config.profiles.both().map(|profile| self.row(profile));
        let mut text = format!("{}\n\n{}\n", paint.strong(&self.session.config.app), status_table(&rows, paint, width));
        let room = if width == 0 { usize::MAX } else { width.saturating_sub(13) };
        let mut say = |label: &str, what: &str, tone: Tone| {
            for (n, part) in wrap(&report::sanitize(what), room).iter().enumerate() {
                let label = if n == 0 { label } else { "" };
                text.extend([&paint.dim(format!("{label:>11}")), "  ", &tone.paint(paint, part), "\n"]);
            }
        };
        let fix;
        let mut command = None;
        match &self.seen.traffic {
            Ok(Traffic::Ours(route)) if self.failed_over() => {
                let standby = route.standby.as_ref().map(ToString::to_string).unwrap_or_default();
                say("route", &format!("FAILED OVER: {} is dead, {standby} answers", route.active), Tone::Bad);
                command = Some("bluegreen recover");
            }
            Ok(Traffic::Ours(route)) => {
                let who = match self.session.config.nginx.mode {
                    ProxyMode::Marker => "as nginx says it",
                    ProxyMode::Reload => "as the include file and the age of nginx's workers say",
                };
                say("route", &format!("{route}, {who}"), Tone::Plain);
            }
            other => {
                say("route", &said(other), Tone::Bad);
                fix = for_traffic(other, &self.session.config);
                command = Some(fix.as_str());
            }
        }
        if self.state.last_good().is_none() && self.state.transaction.is_none() && self.route().is_some() {
            command = command.or(Some("bluegreen deploy ARTIFACT"));
        }
        if let Some(tx) = &self.state.transaction {
            let doing = if tx.undo.is_some() { "is being taken back" } else { "is open" };
            let what = format!("{} of {} to {} {doing}, at {}", tx.kind, tx.release, tx.to, tx.step);
            say("transaction", &what, Tone::Plain);
        }
        match (&self.state.transaction, self.session.wired.store.holder()) {
            (_, Some(holder)) => say("lock", &format!("held by {holder}"), Tone::Plain),
            (Some(tx), None) if preflight::rests(tx) && preflight::lacks_artifact(self.session, tx) => {
                command = command.or(Some("bluegreen start ARTIFACT"));
            }
            (Some(tx), None) if preflight::rests(tx) => command = command.or(Some("bluegreen promote")),
            (Some(_), None) => command = command.or(Some("bluegreen recover")),
            (None, None) => {}
        }
        for profile in self.session.config.profiles.both() {
            // one that cannot be read is seen in the row of its profile
            if let Ok(Some(damage)) = self.session.wired.processes.damage(profile) {
                say("record", &damage, Tone::Warn);
                command = command.or(Some("bluegreen recover"));
            }
        }
        // a command to type is never broken
        let next = |command| format!("{}  {}\n", paint.dim("       next"), paint.strong(report::as_typed(command)));
        text + &command.map(next).unwrap_or_default()
    }

    /// All of it in one line, for a log.
    fn line(&self) -> String {
        let side = |profile: &Profile| {
            let row = self.row(profile);
            let what = row.version.or(row.release).map(|what| format!(" {what}")).unwrap_or_default();
            let pid = row.pid.map(|pid| format!(" pid {pid}")).unwrap_or_default();
            format!("{} {}{what}{pid} {}", row.role, row.profile, row.health)
        };
        let mut parts: Vec<String> = self.session.config.profiles.both().map(side).into();
        match &self.seen.traffic {
            Ok(Traffic::Ours(_)) if self.failed_over() => parts.push("FAILED OVER".to_owned()),
            Ok(Traffic::Ours(_)) => {}
            other => parts.push(said(other)),
        }
        if let Some(tx) = &self.state.transaction {
            let doing = if tx.undo.is_some() { ", being taken back" } else { "" };
            parts.push(format!("{} of {} at {}{doing}", tx.kind, tx.release, tx.step));
        }
        parts.extend(self.session.wired.store.holder().map(|holder| format!("locked by {holder}")));
        report::sanitize(&parts.join("; "))
    }

    fn side(&self, profile: &Profile) -> documents::Side {
        documents::Side {
            profile: profile.name().clone(),
            port: profile.port(),
            release: self.seen.ours(profile).map(|process| process.release.clone()),
            version: self.version(profile),
            pid: self.pid(profile),
            healthy: self.health(profile).is_ok(),
        }
    }

    fn document(&self) -> documents::Status {
        let route = self.route();
        let mode = match self.session.config.nginx.mode {
            ProxyMode::Marker => "marker",
            ProxyMode::Reload => "reload",
        };
        documents::Status {
            schema: SCHEMA,
            app: self.session.config.app.clone(),
            active: route.map(|route| self.side(&route.active)),
            idle: route.map(|route| self.side(self.session.config.profiles.other(&route.active))),
            failover: route.and_then(|route| route.standby.as_ref()).map(|standby| standby.name().clone()),
            failed_over: self.failed_over(),
            route: documents::RouteSaid { mode, proven: route.is_some(), name: said(&self.seen.traffic) },
            transaction: self.state.transaction.clone(),
            lock: self.session.wired.store.holder(),
        }
    }
}
