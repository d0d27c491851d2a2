//! Commands for a person to type, as they work on this machine.

use std::{env, path::Path};

use bluegreen_linux::program::find_for_root;

/// `text` with this program called as it was called: one that was downloaded into a directory is in no `PATH`, and a
/// configuration that had to be named must be named again.
pub fn as_typed(text: &str) -> String {
    let mut args = env::args_os().map(|arg| arg.to_string_lossy().into_owned());
    let typed = args.next().unwrap_or_default();
    let is_path = typed.ends_with("/bluegreen") && !is_found("bluegreen");
    let program = if is_path { typed } else { "bluegreen".to_owned() };
    called(text, &(program + &configuration(args)))
}

/// The option that says which configuration, with a blank in front.
fn configuration(args: impl Iterator<Item = String>) -> String {
    let mut args = args.take_while(|arg| arg != "--");
    while let Some(arg) = args.next() {
        if ["--config", "--app"].contains(&arg.as_str()) {
            return args.next().map(|value| format!(" {arg} {value}")).unwrap_or_default();
        }
        if ["--config=", "--app="].iter().any(|option| arg.starts_with(option)) {
            return format!(" {arg}");
        }
    }
    String::new()
}

fn called(text: &str, typed: &str) -> String {
    let named = |rest: &str| ["bluegreen --config", "bluegreen --app"].iter().any(|option| rest.starts_with(option));
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("bluegreen ") {
        let (before, from) = rest.split_at(at);
        let whole = before.chars().next_back().is_none_or(|c| matches!(c, ' ' | '`' | '(')) && !named(from);
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

/// The whole path of `program` for a rule of root's, where there is one that nobody else can exchange.
pub fn path_of(program: &str) -> String {
    find_for_root(program).map_or_else(|| program.to_owned(), |file| file.display().to_string())
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

    #[test]
    fn a_configuration_that_was_named_is_named_again() {
        let option = |line: &str| configuration(line.split(' ').map(str::to_owned));
        assert_eq!(option("-v --config /etc/x.toml deploy"), " --config /etc/x.toml");
        assert_eq!(option("deploy --app=shop x.jar"), " --app=shop");
        assert_eq!(option("init -- run --config x"), "");
        let typed = "bluegreen --app shop";
        assert_eq!(called("sudo bluegreen setup --apply", typed), "sudo bluegreen --app shop setup --apply");
        assert_eq!(called("bluegreen --config a check", typed), "bluegreen --config a check");
    }
}
