//! The reference of `bluegreen.toml`, made of the table that the reader uses.

use super::keys::{Absent, KEYS, Key};

/// The reference as a page of Markdown.
pub fn reference() -> String {
    let section = |key: &Key| key.name.rsplit_once('.').map(|(at, _)| at);
    let block = |same: &[Key]| {
        let title = section(&same[0]).map_or_else(|| "At the top".to_owned(), |at| format!("`[{at}]`"));
        format!("\n## {title}\n\n") + &same.iter().map(entry).collect::<String>()
    };
    let blocks: String = KEYS.chunk_by(|a, b| section(a) == section(b)).map(block).collect();
    format!(
        "# Configuration reference\n\nMade by the program itself; `bluegreen config` prints the values in effect.\n{blocks}"
    )
}

fn entry(Key { name, absent, doc, example }: &Key) -> String {
    let leaf = name.rsplit('.').next().unwrap_or(name);
    let absent = match absent {
        Absent::Required => format!("required, as `{example}`"),
        Absent::Unset(means) => format!("default: {means}; as `{example}`"),
        Absent::Default(value) => format!("default: `{value}`"),
    };
    format!("- **`{leaf}`** ({absent}). {doc}\n")
}
