//! `plan`: what `deploy` would do now, as the engine's own machine foresees it. It changes nothing.

mod steps;
mod usual;

use bluegreen_core::{
    Cause, Command, Failure, Name, Profile, State, StateStore as _, Step, Transaction,
    machine::{Answer, preview},
    millis,
};
use bluegreen_process::{NewRelease, Release};

use self::{steps::Line, usual::Usual};
use super::{Exit, Format, Global, Halt, Session, preflight, releases};
use crate::{
    args,
    documents::{self, SCHEMA},
    handover, output,
    report::{self, pad, sanitize, title, wrap},
    wiring,
};

/// What would be done.
struct Plan {
    release: Release,
    /// Whether the store has it.
    stored: bool,
    /// What has to be done before, because somebody left something behind.
    first: Vec<String>,
    from: Option<Profile>,
    /// `None`: it is so already, and the text of `already` says what.
    to: Option<Profile>,
    already: Option<String>,
    lines: Vec<Line>,
    usual: Usual,
    /// Releases that would be removed in the end.
    removes: Vec<Release>,
}

pub(super) async fn run(session: &Session, global: &Global, args: &args::Plan) -> Result<Exit, Halt> {
    if args.artifact.is_none() {
        preflight::needs_no_artifact(session, "plan")?;
    }
    if let Some(error) = session.wired.store.locked() {
        return Err(error.into());
    }
    preflight::look(session, Step::Retire).await?;
    let plan = make(session, args).await?;
    match global.format {
        Format::Json => output::json(&plan.document(&session.config.app)),
        Format::Human => output::raw(plan.human(global)),
    }
    // it is told all the same, but it is no yes
    Ok(if plan.lines.iter().any(|line| line.fails) { Exit::Refused } else { Exit::Done })
}

async fn make(session: &Session, args: &args::Plan) -> Result<Plan, Halt> {
    let store = session.wired.processes.releases();
    let spec = wiring::launch(&session.config).spec();
    let (artifact, version) = (args.artifact.as_deref().map(handover::typed), args.version.as_deref());
    let new = NewRelease { artifact: artifact.as_deref(), spec: &spec, version, sha256: None };
    let (release, stored) = session.read(&args::Run::default(), |_, _| {}, |progress| store.look_at(&new, progress))?;

    let seen = session.wired.deployer.look().await;
    let state = session.wired.store.load()?;
    let command = Command::Deploy {
        release: release.id.clone(),
        until: Step::Retire,
        breaking: false,
        replace: args.replace,
        if_changed: false,
    };
    let preview = preview(&state, &seen, &command, &session.config.policy());
    let mut first: Vec<String> = preview.first.iter().map(|way| before(&way.transaction, &state)).collect();
    first.extend(preview.degraded.map(|reason| format!("recovery needs a person: {reason}")));
    let (way, already) = match preview.answer {
        Answer::Go(way) => (Some(way), None),
        Answer::Already(what) => (None, Some(what)),
        Answer::Refuse(refusal) => return Err(refusal.into()),
        Answer::Degraded(reason) => return Err(Halt::new(Exit::Refused, reason).next("bluegreen recover")),
    };
    let surplus = releases::surplus(session, &release, stored).await?;
    let usual = Usual::of(&session.config.state_dir);
    let lines = way.as_ref().map(|way| steps::lines(session, &seen, way, &release, stored)).unwrap_or_default();
    let (from, to) = (way.as_ref().and_then(|way| way.transaction.from.clone()), way.map(|way| way.transaction.to));
    Ok(Plan { release, stored, first, from, to, already, lines, usual, removes: surplus })
}

/// What is brought to an end before the deploy begins; `state` is as it is now.
fn before(tx: &Transaction, state: &State) -> String {
    match &tx.undo {
        Some(Failure { cause: Cause::Aborted, .. }) => format!("takes back {}", about(tx)),
        Some(Failure { message, .. }) => format!("takes back {}: {message}", about(tx)),
        None if tx.number > state.number => format!("recovers, as what should serve does not: {}", about(tx)),
        None => format!("brings to its end {}, at {}", about(tx), tx.step),
    }
}

fn about(tx: &Transaction) -> String {
    format!("{} of {} on {}", tx.kind, tx.release, tx.to)
}

impl Plan {
    fn name(&self) -> String {
        let Release { id, version, .. } = &self.release;
        version.as_ref().map_or_else(|| id.to_string(), |version| format!("{} ({id})", sanitize(version)))
    }

    fn human(&self, global: &Global) -> String {
        let (paint, width) = (report::stdout_paint(global.color), report::table_width());
        let width = if width == 0 { usize::MAX } else { width };
        let mut text = String::new();
        let mut say = |label: &str, time: &str, detail: &str| {
            for (n, part) in wrap(&sanitize(detail), width.saturating_sub(21)).iter().enumerate() {
                let (label, time) = if n == 0 { (label, time) } else { ("", "") };
                let line = format!("  {} {}  {part}", pad(label, 9), paint.dim(format!("{time:>7}")));
                text.extend([line.trim_end(), "\n"]);
            }
        };
        self.first.iter().for_each(|first| say("first", "", first));
        for line in &self.lines {
            let time = self.usual.step(line.label).filter(|time| !time.is_zero()).map(report::took).unwrap_or_default();
            say(line.label, &time, &line.does);
        }
        for gone in &self.removes {
            let version = gone.version.as_ref().map(|version| format!("{version}, ")).unwrap_or_default();
            say("prune", "", &format!("removes {} ({version}{})", gone.id, report::size(gone.size)));
        }
        let from = self.from.as_ref().map(|from| format!("; {from} serves")).unwrap_or_default();
        let head = match (&self.to, &self.already) {
            (Some(to), _) => title((paint, width), &format!("A deploy would bring {} to {to}", self.name()), &from),
            (None, Some(already)) => format!("A deploy would do nothing: {}", sanitize(already)),
            (None, None) => "A deploy would do nothing".to_owned(),
        };
        let end = match (self.usual.total(), self.to.is_some()) {
            (Some((total, count)), true) => {
                let of = if count == 1 {
                    "as the last one did".to_owned()
                } else {
                    format!("the median of the last {count}")
                };
                format!("{} in all, {of}; nothing was changed", report::took(total))
            }
            _ => "nothing was changed".to_owned(),
        };
        let end = wrap(&end, width.saturating_sub(2)).join("\n  ");
        format!("{head}\n{text}\n  {end}\n")
    }

    fn document<'a>(&'a self, app: &'a Name) -> documents::Plan<'a> {
        let step = |line: &'a Line| documents::PlannedStep {
            step: line.label,
            does: &line.does,
            usually_ms: self.usual.step(line.label).map(millis),
        };
        let Release { id, version, size, .. } = &self.release;
        documents::Plan {
            schema: SCHEMA,
            app,
            release: documents::PlannedRelease { id, version: version.as_deref(), size: *size, stored: self.stored },
            first: &self.first,
            from: self.from.as_ref().map(Profile::name),
            to: self.to.as_ref().map(Profile::name),
            already: self.already.as_deref(),
            steps: self.lines.iter().map(step).collect(),
            usually_ms: self.usual.total().map(|(total, _)| millis(total)),
            removes: self.removes.iter().map(|release| &release.id).collect(),
        }
    }
}
