//! `check`: what would make a deploy fail, seen before it.

use bluegreen_core::Severity;

use super::{Exit, Format, Global, Halt, Session};
use crate::{
    config::Config,
    doctor::{self, Finding},
    documents::{self, SCHEMA},
    output,
    report::{self, Paint},
};

pub(super) async fn run(session: &Session, global: &Global) -> Result<Exit, Halt> {
    Ok(tell(&session.config, global, &doctor::examine(session).await))
}

/// As far as it goes without a place for the state.
pub(super) async fn before_setup(config: &Config, global: &Global) -> Result<Exit, Halt> {
    Ok(tell(config, global, &doctor::before_setup(config).await))
}

fn tell(config: &Config, global: &Global, findings: &[Finding]) -> Exit {
    if global.format == Format::Json {
        output::json(&documents::Check { schema: SCHEMA, app: &config.app, findings });
    } else {
        let (width, all) = (report::table_width(), global.verbose);
        show(findings, report::stdout_paint(global.color), width, all);
    }
    verdict(findings)
}

/// For `hook`: lines without control codes, whatever stdout is.
pub(super) async fn run_plain(session: &Session) -> Result<Exit, Halt> {
    let mut findings = doctor::examine(session).await;
    // the hook that starts takes the place of what waits
    findings.retain(|finding| finding.id != doctor::WAITS);
    show(&findings, Paint(false), 0, false);
    Ok(verdict(&findings))
}

/// While a command of ours is at work, or a release waits, so does a deploy, and what else is seen may be otherwise when it has ended.
fn verdict(findings: &[Finding]) -> Exit {
    match count(findings, Severity::Fatal) {
        _ if has(findings, doctor::LOCKED) => Exit::Busy,
        0 if has(findings, doctor::WAITS) => Exit::Busy,
        0 => Exit::Done,
        _ => Exit::Refused,
    }
}

fn has(findings: &[Finding], id: &str) -> bool {
    findings.iter().any(|finding| finding.id == id)
}

fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}

/// Worst first; the good ones only when all are wanted.
fn show(findings: &[Finding], paint: Paint, width: usize, all: bool) {
    let shown: Vec<&Finding> = findings.iter().filter(|finding| all || finding.severity != Severity::Good).collect();
    for (n, finding) in shown.iter().enumerate() {
        let mark = match finding.severity {
            Severity::Fatal => paint.bad("✗"),
            Severity::Warning => paint.warn("!"),
            Severity::Good => paint.good("✓"),
        };
        output::raw(report::marked(&mark, &finding.what, width));
        if let Some(place) = &finding.place {
            output::raw(report::indented(&paint.dim("at "), 3, place, width));
        }
        // one fix of several is said behind the last of them
        let again = shown.get(n + 1).is_some_and(|next| next.fix == finding.fix);
        if let Some(fix) = finding.fix.as_ref().filter(|_| !again) {
            output::raw(report::indented(&paint.dim("→ "), 2, &report::as_typed(fix), width));
        }
    }
    let good = count(findings, Severity::Good);
    let folded =
        if all || good == 0 { String::new() } else { format!("; {good} more things are fine (-v shows them)") };
    output::line(match (count(findings, Severity::Fatal), count(findings, Severity::Warning)) {
        _ if has(findings, doctor::LOCKED) => {
            paint.warn("a deploy has to wait until that command has ended") + &paint.dim(folded)
        }
        (0, _) if has(findings, doctor::WAITS) => {
            paint.warn("a deploy has to wait for what was prepared") + &paint.dim(folded)
        }
        (0, 0) => paint.good("✓ a deploy can begin") + &paint.dim(folded),
        (0, 1) => paint.good("✓ a deploy can begin") + &paint.dim(format!(", with a warning{folded}")),
        (0, n) => paint.good("✓ a deploy can begin") + &paint.dim(format!(", with {n} warnings{folded}")),
        (1, _) => paint.bad("a deploy would fail") + &paint.dim(folded),
        (n, _) => paint.bad(format!("a deploy would fail for {n} reasons")) + &paint.dim(folded),
    });
}
