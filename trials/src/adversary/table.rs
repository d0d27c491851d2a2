//! What is shown at the end.

use super::{Input, Kind, Verdict};
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

/// In the order of the table of inputs.
pub(super) fn print(mut rows: Vec<Row>) {
    let place = |row: &Row| super::inputs::all().position(|input| input.name == row.input.name);
    rows.sort_by_key(place);
    let old = rows.iter().any(|row| row.old.is_some());
    let (before, rule) = if old { (" | 0.1.0", "---|") } else { ("", "") };
    say(&format!("\n| input | what is attacked{before} | now | |\n|---|---|---|---|{rule}"));
    for row in &rows {
        say(&row.line());
    }
    let count = |is: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| is(row)).count();
    let fell = count(&|row| matches!(row.old, Some(Verdict::Fell(_))));
    let held = count(&|row| matches!(row.new, Verdict::Held(_)));
    let skipped = count(&|row| matches!(row.new, Verdict::Skipped(_)));
    let failed = count(&|row| !row.is_good());
    let before = if old { format!("0.1.0 fell in {fell}, ") } else { String::new() };
    say(&format!("\n{} inputs: {before}today's held in {held}, {skipped} skipped, {failed} FAIL", rows.len()));
}
