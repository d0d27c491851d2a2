//! What is shown at the end.

use super::{
    Verdict,
    inputs::{AREAS, Area, Input, Kind},
};
use bluegreen_rig::say;

/// One input on both.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) input: Input,
    /// `None` in the sample.
    pub(super) old: Option<Verdict>,
    pub(super) new: Verdict,
}

impl Row {
    /// Today's holds; and a fault fell before, or it shows nothing.
    pub(super) fn is_good(&self) -> bool {
        let shown = match (&self.old, self.input.kind) {
            (None | Some(Verdict::Skipped(_)), _) => true,
            (Some(old), Kind::Fault) => matches!(old, Verdict::Fell(_)),
            (Some(old), Kind::Control) => matches!(old, Verdict::Held(_)),
        };
        shown && matches!(self.new, Verdict::Held(_) | Verdict::Skipped(_))
    }

    /// While the others run.
    pub(super) fn short(&self) -> String {
        format!("{:<28} {}", self.input.name, if self.is_good() { "ok" } else { "FAIL" })
    }

    fn line(&self) -> String {
        let kind = if self.input.kind == Kind::Control { " (control)" } else { "" };
        let old = self.old.as_ref().map_or(String::new(), |old| format!(" | {}", told(old)));
        let end = if self.is_good() { "ok" } else { "FAIL" };
        format!("| {}{kind} | {}{old} | {} | {end} |", self.input.name, self.input.attacks, told(&self.new))
    }
}

fn told(verdict: &Verdict) -> String {
    let (word, text) = match verdict {
        Verdict::Held(text) => ("held", text),
        Verdict::Fell(text) => ("FELL", text),
        Verdict::Skipped(text) => ("SKIPPED", text),
        Verdict::Broken(text) => ("BROKEN", text),
    };
    format!("{word}: {}", text.replace('|', "¦").split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Every input in the order of its list, then each area in one line, then all in one.
pub(super) fn print(rows: &[Row]) {
    let old = rows.iter().any(|row| row.old.is_some());
    let (before, rule) = if old { (" | 0.1.0", "---|") } else { ("", "") };
    say(&format!("\n| input | what is attacked{before} | now | |\n|---|---|---|---|{rule}"));
    let of = |area: &Area| -> Vec<&Row> {
        let row = |input: &Input| rows.iter().find(|row| row.input.name == input.name);
        area.inputs.iter().filter_map(row).collect()
    };
    for row in AREAS.iter().flat_map(of) {
        say(&row.line());
    }
    say(
        "\n| area | inputs | of them controls | 0.1.0 fell in | today's holds in | skipped | FAIL |\n|---|---|---|---|---|---|---|",
    );
    for area in AREAS.iter().filter(|area| !of(area).is_empty()) {
        say(&counted(&format!("{}: {}", area.point, area.what), &of(area)));
    }
    say(&counted("all", &rows.iter().collect::<Vec<_>>()));
}

fn counted(what: &str, rows: &[&Row]) -> String {
    let count = |is: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| is(row)).count();
    let controls = count(&|row| row.input.kind == Kind::Control);
    let fell = count(&|row| matches!(row.old, Some(Verdict::Fell(_))));
    let holds = count(&|row| matches!(row.new, Verdict::Held(_)));
    let skipped = count(&|row| matches!(row.new, Verdict::Skipped(_)));
    let fell = if rows.iter().any(|row| row.old.is_some()) { fell.to_string() } else { "not asked".to_owned() };
    format!(
        "| {what} | {} | {controls} | {fell} | {holds} | {skipped} | {} |",
        rows.len(),
        count(&|row| !row.is_good())
    )
}
