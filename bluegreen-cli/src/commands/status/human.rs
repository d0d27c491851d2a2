//! `status`, as a person reads it.

use bluegreen_core::{Occupant, Profile, Traffic};
use jiff::Timestamp;

use super::{Condition, Global, Status};
use crate::{
    advice::said,
    commands::preflight,
    config::ProxyMode,
    report::{self, StatusRow, Tone, as_typed, sanitize, status_table, wrap},
};

/// Columns in front of what is said.
const LABEL: usize = 13;

impl Status<'_> {
    pub(super) fn row(&self, profile: &Profile) -> StatusRow {
        let role = match self.seen.route() {
            Some(route) if route.active == *profile => "active",
            Some(route) if route.standby.as_ref() == Some(profile) => "standby",
            Some(_) => "idle",
            None => "?",
        };
        let (health, tone) = match (self.seen.on(profile), self.facts().health(profile)) {
            (Ok(Occupant::Nobody), _) if role == "active" => ("nothing runs here".to_owned(), Tone::Bad),
            (Ok(Occupant::Nobody), _) => ("nothing runs here".to_owned(), Tone::Dim),
            (Ok(Occupant::Stranger { who, .. }), _) => (format!("foreign: {who}"), Tone::Warn),
            (Err(blind), _) => (blind.to_string(), Tone::Warn),
            (Ok(Occupant::Ours { process, .. }), Ok(())) if self.state.has_failed(&process.release) => {
                ("healthy, but failed before".to_owned(), Tone::Warn)
            }
            (Ok(Occupant::Ours { .. }), Ok(())) => ("healthy".to_owned(), Tone::Good),
            (Ok(Occupant::Ours { .. }), Err(why)) => (why.to_string(), Tone::Bad),
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

    pub(super) fn human(&self, global: &Global) -> String {
        let (paint, width) = (report::stdout_paint(global.color), report::table_width());
        let rows = self.session.config.profiles.both().map(|profile| self.row(profile));
        let mut text = format!("{}\n\n{}\n", self.heading(paint, width), status_table(&rows, paint, width));
        let room = if width == 0 { usize::MAX } else { width.saturating_sub(LABEL) };
        for (label, what, tone) in self.facts_below() {
            for (n, part) in wrap(&sanitize(&what), room).iter().enumerate() {
                let label = if n == 0 { label } else { "" };
                text.extend([&paint.dim(format!("{label:>11}")), "  ", &tone.paint(paint, part), "\n"]);
            }
        }
        // a command to type is never broken
        let next = |command: String| format!("{}  {}\n", paint.dim("       next"), paint.strong(as_typed(&command)));
        text + &self.next().map(next).unwrap_or_default()
    }

    /// The app, and before it what is wrong with it.
    fn heading(&self, paint: report::Paint, width: usize) -> String {
        let app = paint.strong(&self.session.config.app);
        let Some(word) = self.verdict.condition.word() else { return app };
        let word = match self.verdict.condition {
            Condition::Empty => paint.strong(word),
            Condition::FailedOver | Condition::Degraded | Condition::Unknown => paint.warn(word),
            Condition::Up | Condition::Down => paint.bad(word),
        };
        let should = match self.should() {
            Some(release) if !self.verdict.condition.is_well() => {
                format!("; {} should serve", self.session.name(release))
            }
            _ => String::new(),
        };
        let says = sanitize(&format!("{}{should}", self.verdict.says));
        format!("{word}  {app}\n  {}", wrap(&says, if width == 0 { usize::MAX } else { width - 2 }).join("\n  "))
    }

    /// The lines below the table, each with its label.
    fn facts_below(&self) -> Vec<(&'static str, String, Tone)> {
        let mut facts = Vec::new();
        match &self.seen.traffic {
            Ok(Traffic::Ours(route)) => {
                let who = match self.session.config.nginx.mode {
                    ProxyMode::Marker => "as nginx says it",
                    ProxyMode::Reload => "as the include file and the age of nginx's workers say",
                };
                facts.push(("route", format!("{route}, {who}"), Tone::Plain));
            }
            Ok(other) if self.verdict.condition == Condition::Empty => {
                facts.push(("route", other.to_string(), Tone::Bad));
            }
            // the heading says it
            Ok(_) | Err(_) => {}
        }
        if let Some(newer) = self.replaced() {
            facts.push(("older", self.session.older(newer), Tone::Warn));
        }
        if let Some(tx) = &self.state.transaction {
            let doing = if tx.undo.is_some() { "is being taken back" } else { "is open" };
            let what =
                format!("{} of {} to {} {doing}, at {}", tx.kind, self.session.name(&tx.release), tx.to, tx.step);
            facts.push(("transaction", what, Tone::Plain));
        }
        // what died, or cannot be seen, is taken back, and nobody can promote it
        let waits = self.waits.iter().map(|waits| {
            if self.facts().rests() {
                ("waits", waits.says(Timestamp::now()), Tone::Plain)
            } else {
                ("waits", "no more: `bluegreen recover` takes it back".to_owned(), Tone::Warn)
            }
        });
        facts.extend(waits);
        facts.extend(self.damaged.iter().map(|damaged| ("state", damaged.clone(), Tone::Warn)));
        facts.extend(self.records.iter().map(|damage| ("record", damage.clone(), Tone::Warn)));
        facts.extend(self.lock.iter().map(|holder| ("lock", format!("held by {holder}"), Tone::Plain)));
        facts
    }

    /// The command that comes next.
    pub(super) fn next(&self) -> Option<String> {
        if self.lock.is_some() {
            // who is at work may be mending it
            return (!self.verdict.condition.is_well()).then(|| "bluegreen status --watch".to_owned());
        }
        let next = |tx| match super::waits::waits(tx) && self.facts().rests() {
            true if preflight::lacks_artifact(self.session, tx) => "bluegreen start ARTIFACT",
            true => "bluegreen promote",
            false => "bluegreen recover",
        };
        match (&self.verdict.condition, &self.state.transaction) {
            (Condition::Up, Some(tx)) => Some(next(tx).to_owned()),
            (Condition::Empty, Some(tx)) if self.seen.route().is_some() => Some(next(tx).to_owned()),
            (Condition::Up, None) if self.cure.is_some() => self.cure.clone(),
            (Condition::Up, None) if !self.records.is_empty() => Some("bluegreen recover".to_owned()),
            _ => self.verdict.next.clone(),
        }
    }

    /// All of it in one line, for a log.
    pub(super) fn line(&self) -> String {
        let side = |profile: &Profile| {
            let row = self.row(profile);
            let what = row.version.or(row.release).map(|what| format!(" {what}")).unwrap_or_default();
            let pid = row.pid.map(|pid| format!(" pid {pid}")).unwrap_or_default();
            format!("{} {}{what}{pid} {}", row.role, row.profile, row.health)
        };
        let mut parts: Vec<String> = self.verdict.condition.word().map(str::to_owned).into_iter().collect();
        parts.extend(self.session.config.profiles.both().map(side));
        if self.seen.route().is_none() {
            parts.push(said(&self.seen.traffic));
        }
        if let Some(tx) = &self.state.transaction {
            let doing = if tx.undo.is_some() { ", being taken back" } else { "" };
            parts.push(format!("{} of {} at {}{doing}", tx.kind, tx.release, tx.step));
        }
        parts.extend(self.damaged.clone());
        parts.extend(self.lock.as_ref().map(|holder| format!("locked by {holder}")));
        sanitize(&parts.join("; "))
    }
}
