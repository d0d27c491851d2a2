//! A deploy as one page: no script, no font, no picture from elsewhere.

use std::{fmt::Write as _, time::Duration};

use bluegreen_core::{AnsweredBy, Finding, Receipt};

use super::{
    row::row,
    svg::{self, escape},
    text::short,
    words::{name, numbered, outcome, trouble, when},
};
use crate::{
    history::Entry,
    report::{Tone, Trouble, took},
};

/// How it looks.
const STYLE: &str = include_str!("page.css");

/// The page of one transaction; `entries` are what each command did for it, at least one.
pub(crate) fn page(app: &str, entries: &[Entry]) -> String {
    let title = entries.last().map(|entry| short(app, entry)).unwrap_or_default();
    let body: String = entries.iter().map(|entry| section(app, entry)).collect();
    // the policy lets nothing run and nothing load, whatever a text may hold
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n<main>\n{body}<footer>bluegreen {}: <code>bluegreen history show \
         {}</code></footer>\n</main>\n</html>\n",
        escape(&title),
        env!("CARGO_PKG_VERSION"),
        entries.last().map_or(0, |entry| entry.number),
    )
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Warn => "warn",
        Tone::Bad => "bad",
        Tone::Plain | Tone::Dim => "dim",
    }
}

fn section(app: &str, entry: &Entry) -> String {
    let (word, tone) = outcome(entry);
    let mut html = format!(
        "<article>\n<header>\n<p class=\"app\">{}</p>\n<h1>{}: {}</h1>\n<span class=\"badge {}\">{}</span>\n</header>\n",
        escape(app),
        numbered(entry),
        escape(entry.version.as_deref().unwrap_or(&name(entry))),
        class(tone),
        escape(&word),
    );
    html += &cards(entry);
    if let Some(trouble) = trouble(entry) {
        html += &autopsy(&trouble);
    }
    let picture = svg::timeline(entry);
    if !picture.is_empty() {
        let _ = writeln!(html, "<h2>Timeline</h2>\n<figure>{picture}</figure>");
    }
    if let Some(receipt) = entry.receipt.as_ref().filter(|receipt| receipt.probes > 0) {
        html += &door(receipt);
    }
    html + &moments(entry) + "</article>\n"
}

fn cards(entry: &Entry) -> String {
    let from = entry.from.as_deref().filter(|from| *from != entry.to);
    let way = from.map_or_else(|| entry.to.clone(), |from| format!("{from} → {}", entry.to));
    let ms = |us: u64| took(Duration::from_micros(us));
    let receipt = entry.receipt.as_ref();
    let seen = receipt.filter(|receipt| receipt.probes > 0);
    let switch = receipt.and_then(|receipt| receipt.switch_us);
    let first = receipt.and_then(|receipt| receipt.first_answer_us);
    let cards = [
        ("took", Some(took(Duration::from_millis(entry.took_ms)))),
        ("profiles", Some(way)),
        ("traffic after it", Some(entry.active.clone().unwrap_or_else(|| "not known".to_owned()))),
        ("our probes lost", seen.map(|receipt| format!("{} of {}", receipt.lost, receipt.probes))),
        ("moved in", switch.map(ms)),
        ("first new answer", first.map(ms)),
    ];
    let mut html = String::from("<dl class=\"cards\">\n");
    for (label, value) in cards {
        let Some(value) = value else { continue };
        let _ = writeln!(html, "<div><dt>{label}</dt><dd>{}</dd></div>", escape(&value));
    }
    let by = entry.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let config = entry.config.as_ref().map(|c| format!(" · bluegreen.toml {c}")).unwrap_or_default();
    let facts =
        format!("{}{by} · release {}{config} · exit code {}", when(entry.began), entry.release, entry.exit_code);
    html + &format!("</dl>\n<p class=\"facts\">{}</p>\n", escape(&facts))
}

fn autopsy(trouble: &Trouble) -> String {
    let mut html = format!(
        "<section class=\"autopsy\">\n<h2>What went wrong</h2>\n<p><strong>{}</strong></p>\n",
        escape(&trouble.what)
    );
    if !trouble.causes.is_empty() {
        let causes: String = trouble.causes.iter().map(|cause| escape(cause)).collect::<Vec<_>>().join("</li><li>");
        let _ = writeln!(html, "<ul class=\"causes\"><li>{causes}</li></ul>");
    }
    html += "<dl class=\"findings\">\n";
    let mut say = |about: &str, says: &str| {
        let _ = writeln!(html, "<dt>{}</dt><dd>{}</dd>", escape(about), escape(says));
    };
    let mut before = "";
    for (about, says) in trouble.findings.iter().flat_map(Finding::told) {
        say(if about == before { "" } else { about }, says);
        before = about;
    }
    trouble.traffic.iter().for_each(|traffic| say("traffic", traffic));
    html += "</dl>\n";
    if !trouble.log.is_empty() {
        let log: String = trouble.log.iter().map(|line| escape(line) + "\n").collect();
        let _ = writeln!(html, "<h3>The last lines of its log</h3>\n<pre>{log}</pre>");
    }
    if let Some(command) = &trouble.command {
        let _ = writeln!(html, "<p>Next: <code>{}</code></p>", escape(command));
    }
    html + "</section>\n"
}

fn door(receipt: &Receipt) -> String {
    let picture = svg::door(receipt);
    let mut html = format!("<h2>The front door</h2>\n<p>{}.</p>\n", escape(&receipt.to_string()));
    if picture.is_empty() {
        return html;
    }
    let _ = writeln!(html, "<figure>{picture}</figure>\n<p class=\"legend\">");
    for by in [AnsweredBy::Other, AnsweredBy::Release, AnsweredBy::Nobody] {
        let count: u64 = receipt.answers.iter().filter(|row| row.by == by).map(|row| row.count).sum();
        if count == 0 {
            continue;
        }
        let (class, who) = svg::look(by);
        let _ = write!(html, "<span><i class=\"{class}\"></i>{count} answered by {who}</span> ");
    }
    html + "</p>\n" + &drawn(receipt)
}

/// Where the picture has other answers than those that are counted: a look before the switch is no probe of it, and those of
/// an earlier command are counted only.
fn drawn(receipt: &Receipt) -> String {
    let drawn: u64 = receipt.answers.iter().map(|row| row.count).sum();
    let says = match (drawn, receipt.probes) {
        (drawn, probes) if drawn > probes => {
            format!("The picture has {} more, from before them, which only tells who answered then.", drawn - probes)
        }
        (drawn, probes) if drawn < probes => "The picture has those of the last command.".to_owned(),
        _ => return String::new(),
    };
    format!("<p class=\"facts\">{says}</p>\n")
}

fn moments(entry: &Entry) -> String {
    let rows: Vec<_> = entry.timeline.moments.iter().filter_map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut html = String::from("<h2>Moment by moment</h2>\n<table>\n");
    for row in rows {
        let _ = writeln!(
            html,
            "<tr class=\"{}\"><td>{}.{:03} s</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            class(row.tone),
            row.at_ms / 1000,
            row.at_ms % 1000,
            row.mark,
            escape(&row.label),
            escape(&row.took),
            escape(&row.detail),
        );
    }
    html += "</table>\n";
    if entry.timeline.more > 0 {
        let _ = writeln!(html, "<p class=\"facts\">and {} more that were not kept</p>", entry.timeline.more);
    }
    html
}
