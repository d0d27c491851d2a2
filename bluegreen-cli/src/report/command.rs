//! Commands for a person to type, as they work on this machine.

use std::{env, path::Path};

/// `text` with this program called as it was called: one that was downloaded into a directory is in no `PATH`.
pub fn as_typed(text: &str) -> String {
    let typed = env::args().next().unwrap_or_default();
    let is_path = typed.ends_with("/bluegreen");
    if is_path && !is_found("bluegreen") { called(text, &typed) } else { text.to_owned() }
}

fn called(text: &str, typed: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("bluegreen ") {
        let (before, from) = rest.split_at(at);
        let whole = before.chars().next_back().is_none_or(|c| matches!(c, ' ' | '`' | '('));
        out.push_str(before);
        out.push_str(if whole { typed } else { "bluegreen" });
        rest = &from["bluegreen".len()..];
    }
    out + rest
}

/// How a package is installed here.
pub fn install(package: &str) -> String {
    let manager = ["apt-get", "dnf", "yum", "zypper", "apk"].into_iter().find(|manager| is_found(manager));
    match manager {
        Some("apk") => format!("sudo apk add {package}"),
        Some(manager) => format!("sudo {manager} install {package}"),
        None => format!("install {package}"),
    }
}

fn is_found(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|dir| Path::new(&dir).join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_programs_own_name_is_replaced() {
        let text = "sudo bluegreen setup --apply; `bluegreen check`, cat /var/lib/bluegreen x.bluegreen y";
        assert_eq!(
            called(text, "./bluegreen"),
            "sudo ./bluegreen setup --apply; `./bluegreen check`, cat /var/lib/bluegreen x.bluegreen y"
        );
    }
}
