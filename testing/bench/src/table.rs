//! The report: a Markdown table, one column per contender.

use std::{fmt::Write, time::Duration};

use crate::{Figures, Machine, Plan, Switch, figures::median};

/// The report as Markdown: where it was measured, the table, and what failed.
pub fn markdown(machine: &Machine, plan: Plan, all: &[Figures]) -> String {
    let manners = if plan.polite { "look" } else { "do not look" };
    let mut text = format!(
        "{machine}\n\n{} keep-alive clients that {manners} for an end before they write, {} ms away, GET and POST in turn, \
         0-20 ms between two requests, no retries. Rounds of one deploy and one warm rollback for each contender, in \
         turn: {}. Times are medians; ratios are to the first column.\n\n",
        plan.clients,
        plan.air.as_millis(),
        plan.rounds
    );
    let names: Vec<&str> = all.iter().map(|f| f.name.as_str()).collect();
    row(&mut text, "", &names);
    row(&mut text, "---", &vec!["---:"; names.len()]);
    let mut line = |label: &str, cell: &dyn Fn(&Figures) -> String| {
        let cells: Vec<String> = all.iter().map(cell).collect();
        row(&mut text, label, &cells.iter().map(String::as_str).collect::<Vec<_>>());
    };
    line("requests lost per deploy", &|f| per_switch(&f.deploys, |s| s.lost));
    line("requests lost per warm rollback", &|f| per_switch(&f.rollbacks, |s| s.lost));
    line("old answers after the command had returned, per deploy", &|f| per_switch(&f.deploys, |s| s.stale));
    line("deploy, beyond the app's own boot", &|f| compared(f, all, |f| time(&f.deploys, Switch::overhead)));
    line("from \"app listens\" to \"front door answers with it\"", &|f| {
        compared(f, all, |f| time(&f.deploys, |s| s.ready_to_live))
    });
    line("the switch inside a deploy", &|f| compared(f, all, |f| time(&f.deploys, |s| s.switch)));
    line("warm rollback, the whole command", &|f| compared(f, all, |f| time(&f.rollbacks, |s| Some(s.whole))));
    line("requests in all", &|f| f.deploys.iter().chain(&f.rollbacks).map(|s| s.requests).sum::<usize>().to_string());
    for figures in all {
        if let Some(failure) = &figures.failure {
            let _ = write!(text, "\n**{} failed:**\n```\n{failure}\n```\n", figures.name);
        }
    }
    text
}

fn row(text: &mut String, label: &str, cells: &[&str]) {
    let _ = writeln!(text, "| {label} | {} |", cells.join(" | "));
}

/// `9.8 (49 in 5)`: the mean, for a loss that happens once in a while has a median of 0.
fn per_switch(switches: &[Switch], count: fn(&Switch) -> usize) -> String {
    let total: usize = switches.iter().map(count).sum();
    match switches.len() {
        0 => "-".to_owned(),
        n => {
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let mean = total as f64 / n as f64;
            format!("{mean:.1} ({total} in {n})")
        }
    }
}

fn time(switches: &[Switch], of: impl Fn(&Switch) -> Option<Duration>) -> Option<Duration> {
    median(switches.iter().filter_map(of))
}

/// A median, and how many times that of the first column it is smaller.
fn compared(figures: &Figures, all: &[Figures], of: impl Fn(&Figures) -> Option<Duration>) -> String {
    let Some(own) = of(figures) else { return "-".to_owned() };
    let first = all.first().filter(|f| f.name != figures.name).and_then(&of);
    match first.map(|first| first.as_secs_f64() / own.as_secs_f64().max(1e-6)) {
        Some(ratio) if ratio >= 10.0 => format!("{} ({ratio:.0}x faster)", human(own)),
        Some(ratio) if ratio >= 1.0 => format!("{} ({ratio:.1}x faster)", human(own)),
        Some(ratio) => format!("{} ({:.1}x slower)", human(own), 1.0 / ratio.max(1e-6)),
        None => human(own),
    }
}

/// Three digits, in the unit that reads best.
fn human(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s >= 10.0 => format!("{s:.1} s"),
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 0.01 => format!("{:.0} ms", s * 1e3),
        s => format!("{:.2} ms", s * 1e3),
    }
}

#[cfg(test)]
mod tests;
