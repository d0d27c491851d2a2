//! Tables for `status` and `history`: columns, no lines.

use bluegreen_process::Release;
use unicode_width::UnicodeWidthStr;

use super::{
    Paint,
    text::{pad, sanitize, wrap},
    units::size,
};

/// How a row should look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// A person should look.
    Warn,
    /// Wrong.
    Bad,
    /// Not important now.
    Dim,
}

impl Tone {
    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Good => paint.good(text),
            Self::Warn => paint.warn(text),
            Self::Bad => paint.bad(text),
            Self::Dim => paint.dim(text),
        }
    }
}

/// One line of `status`. What is not known is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusRow {
    /// `active`, `idle` or `standby`.
    pub role: String,
    /// The profile's name.
    pub profile: String,
    /// Its port.
    pub port: u16,
    /// The release that runs there.
    pub release: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The process.
    pub pid: Option<u32>,
    /// In words, as `healthy` or `answers 503`.
    pub health: String,
    /// How `health` should look.
    pub tone: Tone,
}

/// One line of `history`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryRow {
    /// The number of the transaction; 0 without one.
    pub number: u64,
    /// As `3 min ago`.
    pub when: String,
    /// As `deploy`.
    pub what: String,
    /// The release.
    pub release: String,
    /// Its version.
    pub version: Option<String>,
    /// The profile that it went to.
    pub to: String,
    /// As `8.2 s`.
    pub took: String,
    /// As `switched`, or why not.
    pub outcome: String,
    /// How `outcome` should look.
    pub tone: Tone,
}

const NOTHING: &str = "–";

/// The table of `status`. Lines are broken to `width` columns; 0 leaves them as they are.
pub fn status_table(rows: &[StatusRow], paint: Paint, width: usize) -> String {
    let known = |text: Option<String>| text.unwrap_or_else(|| NOTHING.to_owned());
    let cells = |row: &StatusRow| {
        let StatusRow { role, profile, port, release, version, pid, health, tone } = row.clone();
        let cells =
            [role, profile, port.to_string(), known(release), known(version), known(pid.map(|p| p.to_string()))];
        (cells.into_iter().chain([health]).collect(), tone)
    };
    // people know a version; the id is what there is without one
    let named = rows.iter().all(|row| row.release.is_none() || row.version.is_some());
    let name = if named { "RELEASE" } else { "VERSION" };
    let rows: Vec<_> = rows.iter().map(cells).collect();
    let head = ["", "PROFILE", "PORT", "RELEASE", "VERSION", "PID", "HEALTH"];
    grid(&head, (&["PID", name, "PORT"], 26), &rows, paint, width)
}

/// The table of `history`. Lines are broken to `width` columns; 0 leaves them as they are.
pub fn history_table(rows: &[HistoryRow], paint: Paint, width: usize) -> String {
    let cells = |row: &HistoryRow| {
        let HistoryRow { number, when, what, release, version, to, took, outcome, tone } = row.clone();
        let number = if number == 0 { NOTHING.to_owned() } else { number.to_string() };
        (vec![number, when, what, version.unwrap_or(release), to, took, outcome], tone)
    };
    let rows: Vec<_> = rows.iter().map(cells).collect();
    let head = ["#", "WHEN", "WHAT", "RELEASE", "TO", "TOOK", "OUTCOME"];
    grid(&head, (&["TOOK", "TO"], 44), &rows, paint, width)
}

/// The table of `releases`, with what each one is. Lines are broken to `width` columns; 0 leaves them as they are.
pub fn release_table(rows: &[(Release, String, Tone)], paint: Paint, width: usize) -> String {
    let cells = |(release, is, tone): &(Release, String, Tone)| {
        let known = |text: &Option<String>| text.clone().unwrap_or_else(|| NOTHING.to_owned());
        let (id, created) = (release.id.to_string(), release.created.replace('T', " "));
        let created = created.get(..16).unwrap_or(&created).to_owned();
        (vec![id, known(&release.version), size(release.size), created, known(&release.artifact), is.clone()], *tone)
    };
    let rows: Vec<_> = rows.iter().map(cells).collect();
    let head = ["RELEASE", "VERSION", "SIZE", "ADDED (UTC)", "ARTIFACT", "IS"];
    grid(&head, (&["ARTIFACT", "ADDED (UTC)", "SIZE"], 26), &rows, paint, width)
}

/// Columns as wide as their widest cell. The last one has the row's tone; where it has less room than it needs, or than
/// `enough`, the columns `spare` go, in this order, and then it goes on in the next line.
fn grid(
    head: &[&str],
    (spare, enough): (&[&str], usize),
    rows: &[(Vec<String>, Tone)],
    paint: Paint,
    width: usize,
) -> String {
    let rows: Vec<(Vec<String>, Tone)> =
        rows.iter().map(|(cells, tone)| (cells.iter().map(|c| sanitize(c)).collect(), *tone)).collect();
    let last = head.len() - 1;
    let widest = |n: usize| rows.iter().map(|(cells, _)| cells[n].width()).chain([head[n].width()]).max().unwrap_or(0);
    let mut columns: Vec<(usize, usize)> = (0..last).map(|n| (n, widest(n) + 2)).collect();
    let room = |columns: &[(usize, usize)]| width.saturating_sub(columns.iter().map(|(_, w)| w).sum());
    for name in spare.iter().filter(|_| width > 0) {
        if room(&columns) < widest(last).min(enough) {
            columns.retain(|(n, _)| head[*n] != *name);
        }
    }
    let room = if width == 0 { usize::MAX } else { room(&columns) };
    let fixed = |cells: &[&str]| columns.iter().map(|(n, w)| pad(cells[*n], *w)).collect::<String>();
    let line = |(cells, tone): &(Vec<String>, Tone)| {
        let start = fixed(&cells.iter().map(String::as_str).collect::<Vec<_>>());
        let below = " ".repeat(start.width());
        let start = if *tone == Tone::Dim { paint.dim(start) } else { start };
        let end = wrap(&cells[last], room);
        let starts = std::iter::once(start).chain(std::iter::repeat(below));
        let lines = starts.zip(end).map(|(start, end)| start + &tone.paint(paint, &end));
        lines.map(|line| line.trim_end().to_owned() + "\n").collect::<String>()
    };
    let title = paint.dim(fixed(head) + head[last]) + "\n";
    title + &rows.iter().map(line).collect::<String>()
}
