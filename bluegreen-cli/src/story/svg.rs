//! The two pictures of a page. Numbers and our own words only; what others wrote goes through [`escape`].

use std::{fmt::Write as _, time::Duration};

use bluegreen_core::{AnsweredBy, Answers, Receipt};

use crate::{
    history::{Entry, Moment, What},
    report::{sanitize, took},
};

/// Where bars begin and end, of 1000.
const LEFT: f64 = 190.0;
const RIGHT: f64 = 985.0;
/// The height of a lane.
const LANE: f64 = 30.0;
/// Room for the words above the lanes, and for the time below them.
const ABOVE: f64 = 26.0;
const BELOW: f64 = 30.0;
/// A line of words above the lanes.
const LINE: f64 = 17.0;

/// From a number to its place.
#[derive(Debug, Clone, Copy)]
struct Scale {
    from: f64,
    to: f64,
}

impl Scale {
    fn x(self, value: f64) -> f64 {
        let share = (value - self.from) / (self.to - self.from).max(f64::MIN_POSITIVE);
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    /// Round numbers, at most eight.
    fn ticks(self) -> Vec<f64> {
        let rough = (self.to - self.from).max(f64::MIN_POSITIVE) / 7.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|s| *s >= rough).unwrap_or(10.0 * power);
        let first = (self.from / step).ceil();
        (0..9).map(|n| (first + f64::from(n)) * step).take_while(|tick| *tick <= self.to).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "pixels")]
fn number(value: u64) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "pixels")]
fn signed(value: i64) -> f64 {
    value as f64
}

/// One bar: its lane, from, to, its look, and what the pointer says.
struct Bar {
    lane: String,
    from: u64,
    to: u64,
    class: &'static str,
    says: String,
    /// For the sum beside the lane's name.
    counts: bool,
}

fn bars(entry: &Entry) -> Vec<Bar> {
    let mut ended = 0;
    let mut bars = Vec::new();
    for Moment { at_ms: at, what } in &entry.timeline.moments {
        let mut bar = |lane: &str, from: u64, to: u64, class, says: &str, counts| {
            bars.push(Bar { lane: lane.to_owned(), from, to, class, says: says.to_owned(), counts });
        };
        match what {
            What::Copied { .. } => bar("copy", 0, *at, "good", "the artifact goes into the store", true),
            What::Step { step, took_ms, detail } => {
                bar(step.word(), at.saturating_sub(*took_ms), *at, "good", detail, true);
            }
            What::Waiting { step, reason, until_ms } => bar(step.word(), *at, *until_ms, "wait", reason, false),
            What::Hook { hook, took_ms, failure } => {
                let (class, says) = failure.as_deref().map_or(("hook", "a hook"), |why| ("bad", why));
                bar(hook, at.saturating_sub(*took_ms), *at, class, says, true);
            }
            What::Failed { step, message } => bar(step.word(), ended, *at, "bad", message, true),
            What::Undoing => bar("undo", *at, entry.took_ms, "warn", "what was done is taken back", true),
            _ => {}
        }
        if !matches!(what, What::Waiting { .. } | What::Warning { .. }) {
            ended = *at;
        }
    }
    // what waits is drawn over what lasts
    bars.sort_by_key(|bar| bar.class == "wait");
    bars
}

/// The timeline: a lane for each step.
pub(super) fn timeline(entry: &Entry) -> String {
    let bars = bars(entry);
    let mut lanes: Vec<&str> = Vec::new();
    let mut in_time: Vec<&Bar> = bars.iter().collect();
    in_time.sort_by_key(|bar| (bar.from, bar.to));
    for bar in in_time {
        if !lanes.contains(&bar.lane.as_str()) {
            lanes.push(&bar.lane);
        }
    }
    if lanes.is_empty() {
        return String::new();
    }
    let last = bars.iter().map(|bar| bar.to).chain([entry.took_ms]).max().unwrap_or(0);
    let scale = Scale { from: 0.0, to: number(last.max(1)) };
    let moves = moves(entry);
    let above = ABOVE + LINE * number(moves.len().saturating_sub(1) as u64);
    let bottom = above + LANE * number(lanes.len() as u64);
    let mut svg = open(bottom + BELOW, "when each step was under way");
    axis(&mut svg, scale, above, bottom, |ms| format!("{} s", ms / 1000.0));
    for (n, lane) in lanes.iter().enumerate() {
        let top = above + LANE * number(n as u64);
        let sum: u64 = bars.iter().filter(|b| b.lane == *lane && b.counts).map(|b| b.to - b.from.min(b.to)).sum();
        let sum = if sum == 0 { String::new() } else { took(Duration::from_millis(sum)) };
        let (y, name) = (top + 20.0, escape(lane));
        let _ = write!(
            svg,
            r#"<text class="lane" x="8" y="{y}">{name}</text><text class="sum" x="176" y="{y}">{sum}</text>"#
        );
        for bar in bars.iter().filter(|bar| bar.lane == *lane) {
            let (x, end) = (scale.x(number(bar.from)), scale.x(number(bar.to)));
            let (inset, radius) = if bar.class == "wait" { (11.0, 4.0) } else { (5.0, 5.0) };
            let (wide, high) = ((end - x).max(4.0), LANE - 2.0 * inset);
            let (x, y, class, says) = (x.min(RIGHT - wide), top + inset, bar.class, escape(&bar.says));
            let _ = write!(
                svg,
                r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{wide:.1}" height="{high:.1}" rx="{radius}"><title>{says}</title></rect>"#
            );
        }
    }
    for (n, (at_ms, active)) in moves.into_iter().enumerate() {
        let (x, top) = (scale.x(number(at_ms)), 4.0 + LINE * number(n as u64));
        cut(&mut svg, x, (top, bottom), &format!("{active} has the traffic"));
    }
    svg + "</svg>"
}

/// When the traffic went to whom. A standby that comes or goes moves none.
fn moves(entry: &Entry) -> Vec<(u64, &str)> {
    let mut before = entry.from.as_deref().unwrap_or_default();
    let mut moves = Vec::new();
    for moment in &entry.timeline.moments {
        let What::Switched { active, .. } = &moment.what else { continue };
        if active != before {
            moves.push((moment.at_ms, active.as_str()));
            before = active;
        }
    }
    moves
}

/// A line from top to bottom, with words beside its upper end.
fn cut(svg: &mut String, x: f64, (top, bottom): (f64, f64), words: &str) {
    let (anchor, at) = if x > f64::midpoint(LEFT, RIGHT) { ("end", x - 5.0) } else { ("start", x + 5.0) };
    let (words, y) = (escape(words), top + 11.0);
    let _ = write!(
        svg,
        r#"<line class="cut" x1="{x:.1}" y1="{top}" x2="{x:.1}" y2="{bottom}"/><text class="cutsays" x="{at:.1}" y="{y}" text-anchor="{anchor}">{words}</text>"#
    );
}

fn open(height: f64, says: &str) -> String {
    format!(r#"<svg viewBox="0 0 1000 {height}" role="img" aria-label="{says}">"#)
}

fn axis(svg: &mut String, scale: Scale, top: f64, bottom: f64, label: impl Fn(f64) -> String) {
    for tick in scale.ticks() {
        let (x, y, says) = (scale.x(tick), bottom + 20.0, label((tick * 1e6).round() / 1e6));
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{x:.1}" y1="{top}" x2="{x:.1}" y2="{bottom}"/><text class="tick" x="{x:.1}" y="{y}" text-anchor="middle">{says}</text>"#
        );
    }
}

/// What the front door answered: through all of the watch, and close to the switch.
pub(super) fn door(receipt: &Receipt) -> String {
    let rows = &receipt.answers;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return String::new() };
    let close = receipt.first_answer_us.unwrap_or(0).max(receipt.switch_us.unwrap_or(0)) * 3;
    let close = number(close.clamp(2000, 2_000_000));
    // some room before the order, so that who was there is seen
    let to = signed(last.last_us.max(1));
    let whole = Scale { from: signed(first.first_us.min(0)).min(-to / 20.0), to };
    let near = Scale { from: -close, to: close };
    let (high, top) = (8.0, LANE + BELOW + ABOVE);
    let mut svg = open(top + LANE + BELOW, "who answered at the front door");
    strip(&mut svg, rows, whole, high, "all of it", |us| format!("{} s", us / 1e6));
    strip(&mut svg, rows, near, top, "at the switch", |us| format!("{} ms", us / 1000.0));
    if let Some(us) = receipt.switch_us {
        let (x, wide) = (near.x(0.0), (near.x(number(us)) - near.x(0.0)).max(2.0));
        let (y, high, says) = (top - 6.0, LANE + 6.0, top - 10.0);
        let _ = write!(
            svg,
            r#"<rect class="switch" x="{x:.1}" y="{y}" width="{wide:.1}" height="{high}"/><text class="tick" x="{x:.1}" y="{says}">the switch</text>"#
        );
    }
    svg + "</svg>"
}

fn strip(svg: &mut String, rows: &[Answers], scale: Scale, top: f64, name: &str, label: impl Fn(f64) -> String) {
    let (bottom, y) = (top + LANE, top + 20.0);
    axis(svg, scale, top, bottom, label);
    let _ = write!(svg, r#"<text class="lane" x="8" y="{y}">{name}</text>"#);
    for row in rows.iter().filter(|row| signed(row.last_us) >= scale.from && signed(row.first_us) <= scale.to) {
        let (x, end) = (scale.x(signed(row.first_us)), scale.x(signed(row.last_us)));
        let (class, who) = look(row.by);
        let (wide, y, high, count) = ((end - x).max(4.0), top + 4.0, LANE - 8.0, row.count);
        let _ = write!(
            svg,
            r#"<rect class="{class}" x="{x:.1}" y="{y}" width="{wide:.1}" height="{high}" rx="3"><title>{count}, {who}</title></rect>"#
        );
    }
}

/// The colour of an answer, and its name.
pub(super) fn look(by: AnsweredBy) -> (&'static str, &'static str) {
    match by {
        AnsweredBy::Release => ("good", "the release"),
        AnsweredBy::Other => ("old", "who was there before"),
        _ => ("bad", "nobody"),
    }
}

/// `text` of anybody, as text in HTML and in its attributes.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in sanitize(text).chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            c => safe.push(c),
        }
    }
    safe
}
