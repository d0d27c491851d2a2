//! What is started: the app and the hooks. Can it be run, and does each profile get a port of its own?

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use bluegreen_core::{Profile, Template};
use bluegreen_linux::{
    files::is_missing,
    program::{Obstacle, is_noexec, obstacle},
};
use rustix::process::geteuid;

use super::Finding;
use crate::{
    config::{Config, HookCommand, ProxyMode},
    owner::who_deploys,
    trust::{Distrust, distrust},
};

/// The finding about the program of the app.
pub(super) const PROGRAM: &str = "program";
/// Programs whose first argument is the file that they run.
const INTERPRETERS: [&str; 10] = ["sh", "bash", "dash", "zsh", "python", "python3", "node", "ruby", "perl", "php"];
/// What only a release that is deployed gives a value to.
const OF_A_RELEASE: [&str; 4] = ["artifact", "release", "release_dir", "version"];
/// What differs between the two profiles.
const OF_A_PROFILE: [&str; 3] = ["port", "profile", "other_port"];
/// The same as variables, which every app has: its command or its script may read them.
const VARIABLES: [&str; 2] = ["BLUEGREEN_PORT", "BLUEGREEN_PROFILE"];
/// No script is larger; in bytes.
const SCRIPT: u64 = 1 << 20;

pub(super) fn look(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let path = config.start.env.get("PATH").map(ToString::to_string).or_else(|| env::var("PATH").ok());
    // an env_file may set another PATH
    let path = path.filter(|_| config.start.env_file.is_none());
    for profile in config.profiles.both() {
        let Some(workdir) = render(config, profile, &config.start.workdir) else { continue };
        let workdir = Path::new(&workdir);
        findings.extend(runnable(config, profile, &config.start.command, path.as_deref(), Some(workdir)));
    }
    findings.extend(takes_a_port(config));
    findings.extend(hooks(config));
    findings.extend(of_others(config));
    findings.dedup();
    if findings.is_empty() {
        findings.push(Finding::good(PROGRAM, "the program of the app is there, and each profile has its own port"));
    }
    findings
}

fn hooks(config: &Config) -> Vec<Finding> {
    let hooks = &config.hooks;
    let named: [(&str, &Option<HookCommand>); 4] = [
        ("before_start", &hooks.before_start),
        ("before_switch", &hooks.before_switch),
        ("after_switch", &hooks.after_switch),
        ("after_failure", &hooks.after_failure),
    ];
    let path = env::var("PATH").ok();
    let judge = |(name, hook): (&str, &Option<HookCommand>)| {
        let command = &hook.as_ref()?.command;
        let first = config.profiles.first();
        let (what, fix) = if let Some(found) = runnable(config, first, command, path.as_deref(), None) {
            (found.what, found.fix.unwrap_or_default())
        } else {
            let program = render(config, first, command.first()?)?;
            let Distrust { file, why, fix } = distrust(&program).filter(|_| is_known(&program))?;
            (format!("{} is not run: {why}", file.display()), fix)
        };
        let severity = if name == "after_failure" { Finding::warning } else { Finding::fatal };
        Some(severity("hook-program", format!("the hook {name}: {what}"), fix))
    };
    named.into_iter().filter_map(judge).collect()
}

/// Programs, besides those of hooks, that others could have written, or could exchange. Root runs none of them.
fn of_others(config: &Config) -> Vec<Finding> {
    let me = geteuid();
    // whoever deploys judges for himself whom he trusts
    if who_deploys(config.user.as_deref()).is_ok_and(|user| user.uid != me.as_raw()) {
        return Vec::new();
    }
    let (start, nginx, first) = (&config.start.command, &config.nginx, config.profiles.first());
    let program = start.first().and_then(|word| render(config, first, word));
    let script = program.as_ref().and_then(|program| render(config, first, script_of(program, start)?));
    let starts = [program, script.filter(|script| script.contains('/'))].into_iter().flatten();
    let mut named: Vec<(&str, String)> = starts.map(|program| ("start.command", program)).collect();
    if config.nginx.mode == ProxyMode::Reload {
        let words = [("install", nginx.install.as_ref()), ("test", Some(&nginx.test)), ("reload", Some(&nginx.reload))];
        named.extend(words.into_iter().filter_map(|(key, words)| Some((key, words?.first()?.clone()))));
    }
    let judge = |(key, program): (&str, String)| {
        let Distrust { file, why, fix } = distrust(&program).filter(|_| is_known(&program))?;
        let what = format!("{key} runs {}: {why}", file.display());
        let severity = if me.is_root() { Finding::fatal } else { Finding::warning };
        Some(severity("foreign-program", what, fix))
    };
    named.into_iter().filter_map(judge).collect()
}

/// Who deploys may stand elsewhere, and what a relative path means there is not known.
fn is_known(program: &str) -> bool {
    program.starts_with('/') || !program.contains('/')
}

/// What is known before there is a release; `None` when the text has more in it.
fn render(config: &Config, profile: &Profile, text: &Template) -> Option<String> {
    if OF_A_RELEASE.iter().any(|name| text.mentions(name)) {
        return None;
    }
    Some(text.render(|name| match name {
        "app" => Some(config.app.to_string()),
        "profile" => Some(profile.to_string()),
        "port" => Some(profile.port().to_string()),
        "other_port" => Some(config.profiles.other(profile)?.port().to_string()),
        "shared_dir" => Some(config.state_dir.join("shared").display().to_string()),
        _ => None,
    }))
}

/// What stops `command` from being run. `path`: where it is searched, when that is known. Without a `workdir` it is run where we are.
fn runnable(
    config: &Config,
    profile: &Profile,
    command: &[Template],
    path: Option<&str>,
    workdir: Option<&Path>,
) -> Option<Finding> {
    let first = command.first()?;
    let fatal = |obstacle: &Obstacle| Some(Finding::fatal(PROGRAM, words(config, obstacle), fix(obstacle)));
    if ["artifact", "release_dir"].iter().any(|name| first.mentions(name)) && is_noexec(&config.state_dir) {
        return fatal(&Obstacle::NoExec(config.state_dir.clone()));
    }
    let program = render(config, profile, first)?;
    let judged = |workdir| obstacle(program.as_ref(), path.map(OsStr::new), workdir);
    let obstacle = match judged(workdir) {
        // what is made with the state is not missed before that
        Some(Obstacle::Workdir(dir, _)) if dir.starts_with(&config.state_dir) && is_missing(&dir) => {
            judged(None).filter(|_| is_known(&program))
        }
        obstacle => obstacle,
    };
    if let Some(obstacle) = obstacle {
        return fatal(&obstacle);
    }
    let workdir = workdir.unwrap_or(Path::new(""));
    let script = workdir.join(render(config, profile, script_of(&program, command)?)?);
    // a shell searches what has no slash in PATH too
    let named = script.is_absolute() && script.extension().is_some();
    (named && is_missing(&script)).then(|| {
        let shown = script.display();
        Finding::fatal(PROGRAM, format!("there is no {shown}, which {program} is to run"), format!("ls -l {shown}"))
    })
}

/// The obstacle, with what the reader may not know: whose PATH that is, and where a relative path begins.
fn words(config: &Config, obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::NotInPath(_) => {
            let who = who_deploys(config.user.as_deref()).map_or_else(|_| "the user".to_owned(), |user| user.name);
            format!("{obstacle} of {who}")
        }
        Obstacle::Missing(file) if file.is_relative() => match env::current_dir() {
            Ok(here) => format!("{obstacle} in {}, from where it would be run", here.display()),
            Err(error) => format!("{obstacle}: the directory that we are in cannot be told: {error}"),
        },
        _ => obstacle.to_string(),
    }
}

fn fix(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::NotInPath(_) => "install it, or name it with its whole path".to_owned(),
        Obstacle::NotExecutable(file) => format!("chmod +x {}", file.display()),
        Obstacle::NoExec(file) => {
            format!("findmnt -T {0}; sudo mount -o remount,exec \"$(findmnt -nT {0} -o TARGET)\"", file.display())
        }
        Obstacle::Interpreter(script, _) => format!("head -1 {}", script.display()),
        Obstacle::Workdir(path, _) | Obstacle::Closed(path, _) => format!("namei -l {}", path.display()),
        Obstacle::Missing(file) | Obstacle::Directory(file) => format!("ls -ld {}", file.display()),
        _ => "bluegreen config".to_owned(),
    }
}

/// The file that an interpreter is called with.
fn script_of<'a>(program: &str, command: &'a [Template]) -> Option<&'a Template> {
    let name = program.rsplit('/').next().unwrap_or_default();
    if name == "java" {
        let jar = command.iter().position(|word| word.to_string() == "-jar")?;
        // options may stand between the two
        return command[jar..].iter().skip(1).find(|word| !word.to_string().starts_with('-'));
    }
    // `sh -c`, `python -m`: what comes then is no file
    let first = command.get(1).filter(|word| !word.to_string().starts_with('-'));
    first.filter(|_| INTERPRETERS.contains(&name))
}

/// Whether anything of the start differs between the profiles: by the port itself, or by the profile, as in Spring's
/// `--spring.profiles.active={profile}`.
fn takes_a_port(config: &Config) -> Option<Finding> {
    let start = &config.start;
    let mut texts = start.command.iter().chain(start.env.values()).chain([&start.workdir]);
    let differs = |text: &Template| {
        let written = text.to_string();
        OF_A_PROFILE.iter().any(|name| text.mentions(name)) || VARIABLES.iter().any(|name| written.contains(name))
    };
    if texts.any(differs) || start.command.iter().any(|word| reads_it(config, word)) {
        return None;
    }
    let fix = "add `env = { PORT = \"{port}\" }` to [start], or {port} to its command";
    // a program may read BLUEGREEN_PORT, which it gets in any case: that cannot be seen from here
    let what = "neither start.command nor start.env has {port}: unless the app reads BLUEGREEN_PORT, both profiles would take \
                the same port";
    Some(Finding::warning("same-port", what, fix))
}

/// Whether `word` is a script that reads one of the variables.
fn reads_it(config: &Config, word: &Template) -> bool {
    let file = |text: &Template| render(config, config.profiles.first(), text).map(PathBuf::from);
    let Some(file) = file(&config.start.workdir).zip(file(word)).map(|(dir, word)| dir.join(word)) else {
        return false;
    };
    let small = fs::metadata(&file).is_ok_and(|meta| meta.is_file() && meta.len() <= SCRIPT);
    let text = small.then(|| fs::read(&file).ok()).flatten().unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    VARIABLES.iter().any(|name| text.contains(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::{config::SMALLEST, doctor::ids};

    /// The findings of an app with these lines in `[start]`, and more sections behind.
    fn found(start: &str) -> Vec<Finding> {
        let command = SMALLEST.lines().find(|line| line.starts_with("command")).unwrap();
        let text = SMALLEST.replace(command, start);
        look(&Config::parse(&text, "bluegreen.toml".as_ref()).unwrap())
    }

    fn what(start: &str) -> String {
        found(start).into_iter().map(|finding| finding.what + "; ").collect()
    }

    const FINE: &str = "the program of the app is there, and each profile has its own port; ";

    #[test]
    fn each_profile_needs_a_port_of_its_own() {
        let found = found("command = [\"sh\", \"-c\", \"x {artifact} --port 8081\"]");
        assert_eq!(ids(&found), [(crate::doctor::Severity::Warning, "same-port")]);
        assert!(found[0].fix().contains("env = { PORT = \"{port}\" }"), "{}", found[0].fix());
        for start in [
            "command = [\"sh\", \"-c\", \"x --spring.profiles.active={profile}\"]",
            "command = [\"sh\", \"-c\", \"x\"]\nenv = { PORT = \"{port}\" }",
            "command = [\"sh\", \"-c\", \"x\"]\nworkdir = \"{shared_dir}/{profile}\"",
            "command = [\"sh\", \"-c\", \"exec x $BLUEGREEN_PORT\"]",
        ] {
            assert_eq!(what(start), FINE, "{start}");
        }
    }

    #[test]
    fn a_script_may_read_the_port_from_its_environment() {
        let home = tempfile::tempdir().unwrap();
        let script = home.path().join("start.sh");
        let start = format!("command = [\"sh\", \"{}\"]", script.display());
        fs::write(&script, "exec app --port 8081\n").unwrap();
        assert!(what(&start).contains("the same port"));
        fs::write(&script, "exec app --port $BLUEGREEN_PORT\n").unwrap();
        assert_eq!(what(&start), FINE);
    }

    #[test]
    fn a_program_or_script_that_is_not_there_is_named_once() {
        let who = bluegreen_linux::users::User::current().name;
        assert_eq!(
            what("command = [\"no-such-prog\", \"{port}\"]"),
            format!("`no-such-prog` is not in PATH of {who}; ")
        );
        assert_eq!(what("command = [\"/no/such\", \"{port}\"]"), "there is no /no/such; ");
        assert_eq!(what("command = [\"/etc/passwd\", \"{port}\"]"), "/etc/passwd is not executable; ");
        assert_eq!(what("command = [\"sh\", \"/no/s.sh\", \"{port}\"]"), "there is no /no/s.sh, which sh is to run; ");
        assert_eq!(what("command = [\"/usr\", \"{port}\"]"), "/usr is a directory; ");
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("start");
        fs::write(&script, "#!/no/interpreter -x\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let says = format!(
            "the first line of {} names the interpreter \"/no/interpreter\", which is not there; ",
            script.display()
        );
        assert_eq!(what(&format!("command = [\"{}\", \"{{port}}\"]", script.display())), says);
        for (workdir, says) in [("/no/such", "does not exist"), ("/etc/passwd", "is no directory")] {
            let start = format!("command = [\"sleep\", \"{{port}}\"]\nworkdir = \"{workdir}\"");
            assert_eq!(what(&start), format!("the working directory {workdir} {says}; "));
        }
        for start in
            ["[\"{artifact}\", \"{port}\"]", "[\"sh\", \"{artifact}\", \"{port}\"]", "[\"sh\", \"-c\", \"{port}\"]"]
        {
            assert_eq!(what(&format!("command = {start}")), FINE, "{start}");
        }
    }

    #[test]
    fn options_of_java_are_no_file() {
        let command = ["java", "-jar", "-Dx=/a.properties", "{artifact}"].map(|word| Template::parse(word).unwrap());
        assert_eq!(script_of("java", &command), Some(&command[3]));
    }

    #[test]
    fn the_program_of_a_hook_too() {
        let hooks =
            |hook: &str| found(&format!("command = [\"sh\", \"-c\", \"{{port}}\"]\n[hooks]\n{hook} = [\"/no/hook\"]"));
        assert_eq!(ids(&hooks("before_switch")), [(crate::doctor::Severity::Fatal, "hook-program")]);
        assert_eq!(hooks("before_switch")[0].what, "the hook before_switch: there is no /no/hook");
        let here = env::current_dir().unwrap();
        let relative = found("command = [\"sh\", \"-c\", \"{port}\"]\n[hooks]\nbefore_start = [\"./migrate\"]");
        let says =
            format!("the hook before_start: there is no ./migrate in {}, from where it would be run", here.display());
        assert_eq!(relative[0].what, says);
        assert_eq!(ids(&hooks("after_failure")), [(crate::doctor::Severity::Warning, "hook-program")]);

        let file = tempfile::NamedTempFile::new().unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let program = file.path().display();
        let config = format!("command = [\"sh\", \"-c\", \"{{port}}\"]\n[hooks]\nbefore_switch = [\"{program}\"]");
        assert_eq!(
            found(&config)[0].what,
            format!("the hook before_switch: {program} is not run: everybody may write to it")
        );
    }
}
