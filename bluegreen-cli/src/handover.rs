//! Root goes on as the deploy user, who gets neither root's terminal nor its descriptors nor its environment.

use std::{
    env,
    ffi::OsString,
    io,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::{self, Path, PathBuf},
    process::{Command, Stdio, exit},
};

use bluegreen_linux::program::{self, relay};
use rustix::{fs::Mode, process::umask};

use crate::{config::Config, exit::Exit, halt::Halt, owner::User};

/// What a language, a clock, a terminal, CodeDeploy and whoever looks for a mistake say; nothing of that is a secret.
const KEPT: [&str; 16] = [
    "LANG",
    "LANGUAGE",
    "TZ",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "COLUMNS",
    "LINES",
    "CI",
    "RUST_BACKTRACE",
    "BLUEGREEN_CONFIG",
    "LIFECYCLE_EVENT",
    "DEPLOYMENT_ID",
    "DEPLOYMENT_GROUP_ID",
    "DEPLOYMENT_GROUP_NAME",
    "APPLICATION_NAME",
];
/// What every shell and every `sudo` has, and nobody misses.
const OF_A_SHELL: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
    "MAIL",
    "LS_COLORS",
    "LESSOPEN",
    "LESSCLOSE",
    relay::RELAY,
];
/// Names what was left behind to the process that goes on.
const LEFT_BEHIND: &str = "BLUEGREEN_LEFT_BEHIND";

/// Where root called, when the process that goes on does not stand there.
const DIRECTORY: &str = "BLUEGREEN_DIRECTORY";
/// At least this is closed to others in what is made from now on.
const UMASK: Mode = Mode::from_raw_mode(0o022);

/// Replaces this process. What comes back is why it could not. The one who goes on reads the very file that root has judged:
/// where root has looked for it may be closed to them.
pub(crate) fn go_on_as(user: &User, config: &Config) -> Halt {
    let cannot = |error: io::Error| Halt::new(Exit::Usage, format!("cannot go on as {}: {error}", user.name));
    // a terminal that we have from our relay is none of root's
    match if relay::is_ours() { Ok(false) } else { relay::has_terminal() } {
        // the same again without one
        Ok(true) => match relay::run(ourselves()) {
            Ok(code) => exit(code),
            Err(error) => return cannot(error),
        },
        Ok(false) => {}
        Err(error) => return cannot(error),
    }
    let mut command = ourselves();
    command.stdin(Stdio::null()).env_clear().envs(environment(user, &config.passed(), env::vars_os()));
    match path::absolute(config.file()) {
        Ok(file) => command.env("BLUEGREEN_CONFIG", file),
        Err(error) => return cannot(error),
    };
    program::keep_descriptors();
    umask(umask(UMASK) | UMASK);
    let became = user.turn_into().and_then(|()| relay::follow()).and_then(|()| stand(&mut command));
    cannot(became.err().unwrap_or_else(|| command.exec()))
}

/// Leaves a directory that root's rights alone have led to: as the user that this process is now, it would stay open to them.
fn stand(command: &mut Command) -> io::Result<()> {
    let here = env::current_dir()?;
    let place = |path: &Path| path.metadata().map(|meta| (meta.dev(), meta.ino()));
    if place(&here).is_ok_and(|there| place(Path::new(".")).is_ok_and(|ours| ours == there)) {
        return Ok(());
    }
    command.current_dir("/").env(DIRECTORY, here);
    Ok(())
}

/// What a path that was typed means where it was typed.
pub(crate) fn typed(path: &Path) -> PathBuf {
    env::var_os(DIRECTORY).map_or_else(|| path.to_owned(), |directory| Path::new(&directory).join(path))
}

/// Whether this process was root's before.
pub(crate) fn was_root() -> bool {
    env::var_os(LEFT_BEHIND).is_some()
}

/// The names of the variables that root had and this process has not.
pub(crate) fn left_behind() -> Vec<String> {
    let names = env::var(LEFT_BEHIND).unwrap_or_default();
    names.split_whitespace().map(str::to_owned).collect()
}

/// This program, called as it was.
fn ourselves() -> Command {
    let mut words = env::args_os();
    let mut command = Command::new("/proc/self/exe");
    command.arg0(words.next().unwrap_or_else(|| "bluegreen".into())).args(words);
    command
}

/// What `user` gets of `ours`.
fn environment(
    user: &User,
    passed: &[String],
    ours: impl Iterator<Item = (OsString, OsString)>,
) -> Vec<(OsString, OsString)> {
    let is_kept = |name: &str| KEPT.contains(&name) || name.starts_with("LC_") || passed.iter().any(|it| it == name);
    let is_missed = |name: &str| {
        !OF_A_SHELL.contains(&name) && !name.starts_with("SUDO_") && name != LEFT_BEHIND && name != DIRECTORY
    };
    let (mut theirs, left): (Vec<_>, Vec<_>) = ours.partition(|(name, _)| name.to_str().is_some_and(is_kept));
    let left: Vec<&str> = left.iter().filter_map(|(name, _)| name.to_str()).filter(|name| is_missed(name)).collect();
    let own: [(&str, OsString); 5] = [
        ("HOME", user.home.clone().into()),
        ("USER", user.name.clone().into()),
        ("LOGNAME", user.name.clone().into()),
        ("PATH", program::path()),
        (LEFT_BEHIND, left.join(" ").into()),
    ];
    theirs.extend(own.map(|(name, value)| (name.into(), value)));
    theirs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_roots_variables_only_those_that_were_asked_for() {
        let ours = [
            ("PATH", "/root/bin"),
            ("HOME", "/root"),
            ("LC_ALL", "C"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("SSH_AUTH_SOCK", "/tmp/x"),
            ("SUDO_UID", "7"),
            ("LD_PRELOAD", "x.so"),
        ];
        let user = User::named("root").unwrap().unwrap();
        let seen = |passed: &[&str]| {
            let passed: Vec<String> = passed.iter().map(|name| (*name).to_owned()).collect();
            let all = ours.into_iter().map(|(name, value)| (name.into(), value.into()));
            let mut seen: Vec<String> = environment(&user, &passed, all)
                .into_iter()
                .map(|(name, value)| format!("{}={}", name.display(), value.display()))
                .filter(|line| !line.starts_with("PATH="))
                .collect();
            seen.sort();
            seen.join(" ")
        };
        assert_eq!(
            seen(&[]),
            format!(
                "BLUEGREEN_LEFT_BEHIND=AWS_SECRET_ACCESS_KEY SSH_AUTH_SOCK LD_PRELOAD HOME={} LC_ALL=C LOGNAME=root USER=root",
                user.home.display()
            )
        );
        assert_eq!(
            seen(&["SSH_AUTH_SOCK", "NO_SUCH"]),
            format!(
                "BLUEGREEN_LEFT_BEHIND=AWS_SECRET_ACCESS_KEY LD_PRELOAD HOME={} LC_ALL=C LOGNAME=root \
                 SSH_AUTH_SOCK=/tmp/x USER=root",
                user.home.display()
            )
        );
    }
}
