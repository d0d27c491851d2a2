//! What a person reads when something went wrong.

use bluegreen_core::{Cause, Failure, Finding, Stranger};

use crate::exit::Exit;

use super::{
    command::as_typed,
    paint::Paint,
    text::{sanitize, wrap},
};

/// What a finding is about that says where the traffic is.
pub(crate) const TRAFFIC: &str = "traffic";
/// What a finding is about that is a command to type.
pub(crate) const NEXT: &str = "next";

/// Something that went wrong: what, why, where traffic is, and what to type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    /// What happened, a lower-case fragment.
    pub what: String,
    /// Why, outermost first; one line each.
    pub causes: Vec<String>,
    /// What was looked at, and what was found.
    pub findings: Vec<Finding>,
    /// The app's last log lines.
    pub log: Vec<String>,
    /// Where traffic is, a sentence.
    pub traffic: Option<String>,
    /// One command to type.
    pub command: Option<String>,
}

impl Trouble {
    /// Something that has only a name.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::default() }
    }

    /// An error with its chain of sources.
    pub fn from_error(error: &dyn std::error::Error) -> Self {
        let sources = std::iter::successors(error.source(), |e| e.source()).map(ToString::to_string);
        Self { what: error.to_string(), causes: sources.collect(), ..Self::default() }
    }

    /// What happened and why, for a line.
    pub fn one_line(self) -> String {
        [self.what].into_iter().chain(self.causes).collect::<Vec<_>>().join(": ")
    }

    /// A failed step of a deploy to the profile `to`, of a command that ends with `exit_code`; `active` is the profile that
    /// has the traffic now, where that is known.
    pub fn of(failure: &Failure, to: Option<&str>, active: Option<&str>, exit_code: u8) -> Self {
        let degraded = exit_code == Exit::Degraded.code();
        let stayed = !degraded && to != active;
        let to = to.map(|to| format!(" {to}")).unwrap_or_default();
        let command = match failure.cause {
            _ if degraded => "bluegreen recover".to_owned(),
            Cause::Unhealthy | Cause::Died | Cause::Crashed => format!("bluegreen logs{to}"),
            // who cannot be seen cannot be adopted either
            Cause::PortTaken => match failure.facts.stranger.as_ref() {
                Some(who) if who.pid.is_none() => shows(who).to_owned(),
                Some(_) => format!("bluegreen adopt{to}"),
                // who only has the port is no process of an app
                None => "bluegreen check".to_owned(),
            },
            Cause::Process | Cause::Switch | Cause::Route | Cause::Blind => "bluegreen check".to_owned(),
            // its command, and how long it may take
            Cause::Hook => "bluegreen config".to_owned(),
            _ => "bluegreen status".to_owned(),
        };
        let traffic = match active {
            Some(active) if stayed => format!("{active} has it, as before"),
            Some(active) => format!("{active} has it"),
            None => "no profile is known to have it; ask `bluegreen status`".to_owned(),
        };
        Self {
            what: failure.message.clone(),
            causes: failure.causes.clone(),
            log: failure.log.clone(),
            traffic: Some(traffic),
            command: Some(command),
            ..Self::default()
        }
    }

    /// No step has failed, and yet nothing more can be done; a warning has said why.
    pub fn unsafe_to_go_on(active: Option<&str>) -> Self {
        let traffic =
            active.map_or_else(|| "no profile is known to have it".to_owned(), |active| format!("{active} has it"));
        Self {
            traffic: Some(traffic),
            command: Some("bluegreen check".to_owned()),
            ..Self::new("it is not safe to go on, for the reason above; nothing was touched after it")
        }
    }

    /// The same, with what an autopsy found. It may know better where the traffic is, and what to type.
    #[must_use]
    pub fn with_findings(mut self, findings: &[Finding]) -> Self {
        for finding in findings.iter().cloned() {
            match &*finding.id {
                TRAFFIC => self.traffic = Some(finding.what),
                NEXT => self.command = Some(finding.what),
                _ => self.findings.push(finding),
            }
        }
        self
    }

    /// The block, ending with a line break. Text is broken to `width` columns; 0 leaves it as it is.
    pub fn render(&self, paint: Paint, width: usize) -> String {
        let width = if width == 0 { usize::MAX } else { width };
        let mut lines = Vec::new();
        let mut say = |label: String, columns: usize, text: &str| {
            let text = wrap(&sanitize(text), width.saturating_sub(columns));
            lines.push(format!("{label}{}", text[0]));
            lines.extend(text[1..].iter().map(|rest| " ".repeat(columns) + rest));
        };
        say(paint.bad("error") + ": ", 7, &self.what);
        for cause in &self.causes {
            say("  because: ".to_owned(), 11, cause);
        }
        if !self.findings.is_empty() {
            lines.push(String::new());
        }
        let mut before = "";
        for (about, says) in self.findings.iter().flat_map(Finding::told) {
            for (n, part) in wrap(&sanitize(says), width.saturating_sub(11)).iter().enumerate() {
                let label = if n == 0 && about != before { sanitize(about) } else { String::new() };
                lines.push(format!("  {}  {part}", paint.dim(format!("{label:>7}"))));
            }
            before = about;
        }
        if !self.log.is_empty() {
            lines.push(String::new());
            lines.push(paint.dim("  the last lines of its log:"));
            let bar = paint.dim("  │ ");
            for text in &self.log {
                let parts = wrap(&sanitize(text), width.saturating_sub(4));
                lines.extend(parts.iter().map(|part| format!("{bar}{part}")));
            }
        }
        lines.join("\n") + "\n" + &self.ending(paint, width)
    }

    /// The end of the block: where the traffic is, and the command. Empty when neither is known.
    pub fn ending(&self, paint: Paint, width: usize) -> String {
        let width = if width == 0 { usize::MAX } else { width };
        let mut lines = Vec::new();
        if self.traffic.is_some() || self.command.is_some() {
            lines.push(String::new());
        }
        let mut say = |label: &str, text: &str| lines.push(format!("  {}  {text}", paint.dim(format!("{label:>7}"))));
        if let Some(traffic) = &self.traffic {
            wrap(&sanitize(traffic), width.saturating_sub(11)).iter().enumerate().for_each(|(n, text)| {
                say(if n == 0 { "traffic" } else { "" }, text);
            });
        }
        if let Some(command) = &self.command {
            say("next", &paint.strong(as_typed(&sanitize(command))));
        }
        lines.into_iter().map(|line| line + "\n").collect()
    }
}

/// Shows who it is that has a port and cannot be seen; where nobody listens, a rule of the firewall leads it away.
pub(crate) fn shows(who: &Stranger) -> &'static str {
    match (who.pid, &who.user, who.address) {
        (None, None, None) => "sudo nft list ruleset",
        _ => LISTENERS,
    }
}

/// Shows who listens where.
pub(crate) const LISTENERS: &str = "sudo ss -ltnp";
