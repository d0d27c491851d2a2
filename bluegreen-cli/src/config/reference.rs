//! The reference of `bluegreen.toml`, made of the table that the reader uses.

use bluegreen_core::PLACEHOLDERS;

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
        "# Configuration reference\n\nMade by the program itself; `bluegreen config` prints the values in effect.\n{blocks}\n\
         ## Placeholders\n\n\
         In commands, variables, `[health] url` and `body` (there only the first four). Anything else in braces is left alone; an unknown name is an error.\n\n\
         | placeholder | is |\n|---|---|\n{}",
        PLACEHOLDERS.map(placeholder).concat()
    )
}

fn placeholder(name: &str) -> String {
    let is = match name {
        "app" => "the name of the app",
        "profile" => "the profile that the release runs on, as `real1`",
        "port" => "its port",
        "other_port" => "the port of the other profile",
        "artifact" => "the path of the stored file or directory",
        "release" => "the id of the release",
        "release_dir" => "the directory in which it is stored",
        "shared_dir" => "`shared` in the state directory: writable, and common to all releases",
        "version" => "what `--version` said, else the id",
        other => unreachable!("nobody says what {{{other}}} is"),
    };
    format!("| `{{{name}}}` | {is} |\n")
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
