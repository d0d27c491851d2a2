//! What a person reads when something went wrong.

use bluegreen_core::{Cause, Failure};

use super::{
    paint::Paint,
    text::{sanitize, truncate, wrap},
};

/// Something that went wrong: what, why, where traffic is, and what to type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    /// What happened, a lower-case fragment.
    pub what: String,
    /// Why, outermost first; one line each.
    pub causes: Vec<String>,
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

    /// A failed step of a deploy; `active` is the profile that has the traffic now, where that is known.
    pub fn of(failure: &Failure, active: Option<&str>) -> Self {
        let command = match failure.cause {
            Cause::Unhealthy | Cause::Died => Some("bluegreen logs"),
            Cause::PortTaken => Some("bluegreen adopt"),
            Cause::Process | Cause::Switch | Cause::Route | Cause::Store => Some("bluegreen check"),
            Cause::Crashed => Some("bluegreen recover"),
            _ => Some("bluegreen status"),
        };
        Self {
            what: failure.message.clone(),
            causes: failure.causes.clone(),
            log: failure.log.clone(),
            traffic: Some(match active {
                Some(active) => format!("{active} serves"),
                None => "not known; ask `bluegreen status`".to_owned(),
            }),
            command: command.map(str::to_owned),
        }
    }

    /// The block, ending with a line break. Text is broken to `width` columns, log lines are cut; 0 leaves all as it is.
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
        if !self.log.is_empty() {
            lines.push(String::new());
            lines.push(paint.dim("  the last lines of its log:"));
            let bar = paint.dim("  │ ");
            let line = |text: &String| format!("{bar}{}", truncate(&sanitize(text), width.saturating_sub(4)));
            lines.extend(self.log.iter().map(line));
        }
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
            say("next", &paint.strong(sanitize(command)));
        }
        lines.join("\n") + "\n"
    }
}
