//! `init`: writes a `bluegreen.toml` from what is there.

use std::{
    env,
    fs::OpenOptions,
    io::{self, IsTerminal as _, Write as _, stderr, stdin, stdout},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use bluegreen_core::InvalidName;
use bluegreen_linux::files::{self, Replace};
use bluegreen_nginx::Master;
use bluegreen_process::ProcPorts;

use super::{Exit, Format, Global, Halt};
use crate::{
    access, args,
    config::Config,
    documents::{self, SCHEMA},
    init::{self, Draft, Findings, Proxy, Wishes},
    output,
    owner::who_deploys,
    report::{self, Paint},
};

/// The ports that are looked at besides those that nginx leads to.
const LOOKED_AT: std::ops::RangeInclusive<u16> = 8080..=8099;

pub(super) async fn run(global: &Global, args: &args::Init) -> Result<Exit, Halt> {
    let dir = env::current_dir().map_err(|error| Halt::error(Exit::Usage, &error))?;
    let target = global.config.clone().unwrap_or_else(|| "bluegreen.toml".into());
    if !args.print && !args.force && target.symlink_metadata().is_ok() {
        let what = format!("{} is there already, and is left as it is", target.display());
        return Err(Halt::new(Exit::Usage, what).next("bluegreen check; or the same with --force, or with --print"));
    }
    let proxy = init::proxy::look(&args.pid_file.iter().fold(Master::new(), Master::with_pid_file)).await;
    let mut wishes = wishes(global, args, &dir);
    let paint = report::stdout_paint(global.color);
    let findings = look_again(&dir, &wishes, proxy.clone());
    let mut draft = Draft::new(&wishes, &findings);
    let human = global.format == Format::Human && !args.print;
    if human && !global.quiet {
        show(&draft, paint);
    }
    if human && !global.yes && stdin().is_terminal() && stdout().is_terminal() {
        ask(&mut wishes, &draft).map_err(|error| Halt::error(Exit::Usage, &error))?;
        draft = Draft::new(&wishes, &look_again(&dir, &wishes, proxy.clone()));
    }
    if draft.command.is_empty() {
        let what = "nothing to deploy was found here: no jar, package.json, Python app or single program";
        return Err(
            Halt::new(Exit::Usage, what).next("bluegreen init --artifact FILE, or bluegreen init -- COMMAND {port}")
        );
    }
    close(&mut draft);
    let text = draft.to_toml();
    // what a flag or an answer brought in may be no good
    Config::parse(&text, &target)
        .map_err(|error| Halt::mistake(&error, global.color.enabled(stderr().is_terminal())))?;
    if args.print {
        output::raw(&text);
        return Ok(Exit::Done);
    }
    write(&target, &text, args.force)?;
    finish(global, &draft, &proxy, &target, paint);
    Ok(Exit::Done)
}

/// A new app begins closed: what is deployed is for the user's own group.
fn close(draft: &mut Draft) {
    let Some(user) = &draft.user else { return };
    match access::own_group(user) {
        Ok(Some(group)) => draft.group = Some(group),
        Ok(None) => draft.notes.push(format!(
            "{user} has no group of their own: until `[access] group` says one, a release is as open as its artifact"
        )),
        Err(error) => draft.notes.push(format!(
            "the group of {user} cannot be looked up: {error}; until `[access] group` says one, a release is as open as its artifact"
        )),
    }
}

fn wishes(global: &Global, args: &args::Init, dir: &Path) -> Wishes {
    Wishes {
        app: global.app.clone(),
        artifact: args.artifact.clone(),
        ports: [args.port1, args.port2],
        command: args.command.clone(),
        health: args.health.clone().map(|path| format!("/{}", path.trim_start_matches('/'))),
        url: args.url.clone(),
        connect: args.connect,
        user: args.user.clone(),
        login: who_deploys(None).ok().filter(|user| user.uid != 0 && user.is_known).map(|user| user.name),
        state_dir: args.state_dir.clone(),
        allow_temporary: args.allow_temporary,
        pid_file: args.pid_file.clone(),
        directory: dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
    }
}

fn look_again(dir: &Path, wishes: &Wishes, proxy: Proxy) -> Findings {
    let findings = init::look_at(dir, wishes.artifact.as_deref());
    let mut ports: Vec<u16> = LOOKED_AT.chain(wishes.ports.into_iter().flatten()).collect();
    for (port, ..) in &proxy.passes {
        ports.extend([*port, port.saturating_add(1), port.saturating_add(2)]);
    }
    let ephemeral = init::Ephemeral::read();
    ports.extend(ephemeral.range.into_iter().flat_map(|(_, last)| last.saturating_add(1)..=last.saturating_add(20)));
    ports.sort_unstable();
    ports.dedup();
    let (neighbours, unread) = init::neighbours(dir);
    let owners = init::owners(&ProcPorts, &ports);
    let unseen = findings.unseen.iter().cloned().chain(unseen(owners.as_ref().err(), &unread)).collect();
    Findings { proxy: Some(proxy), owners: owners.unwrap_or_default(), neighbours, ephemeral, unseen, ..findings }
}

/// What a person should look at in the place of `init`.
fn unseen(ports: Option<&io::Error>, neighbours: &[String]) -> Vec<String> {
    let ports = ports.map(|error| {
        format!("who listens cannot be seen: {error}; whether the two ports are free is for `bluegreen check` to say")
    });
    let more = neighbours.len().saturating_sub(1);
    let beside = neighbours.first().map(|first| match more {
        0 => format!("another app may count on the same ports: {first}"),
        _ => format!("another app may count on the same ports: {first}; and {more} more"),
    });
    ports.into_iter().chain(beside).collect()
}

fn show(draft: &Draft, paint: Paint) {
    for found in &draft.found {
        let parts = [&found.what, &found.origin].map(|part| report::sanitize(part));
        let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ");
        let kind = paint.dim(format!("{:<14}", found.kind));
        output::raw(report::hanging(&format!("  {kind}"), 16, &text, report::table_width()));
    }
}

/// The few things that a finder may get wrong; Enter takes what stands in brackets.
fn ask(wishes: &mut Wishes, draft: &Draft) -> io::Result<()> {
    output::line("Enter takes what stands in brackets.");
    if draft.command.is_empty() && wishes.artifact.is_none() {
        let there = |text: &str| match Path::new(text) {
            path if path.exists() => Ok(path.to_owned()),
            _ => Err(format!("there is no {text}")),
        };
        wishes.artifact = answer_of("what is deployed: a jar, a program or a directory", "", there)?;
    }
    if wishes.app.is_none() {
        wishes.app =
            answer_of("name of the app", &draft.app, |text| text.parse().map_err(|e: InvalidName| e.to_string()))?;
    }
    let [(_, first), (_, second)] = draft.profiles;
    if wishes.ports[0].is_none() {
        wishes.ports[0] = answer_of("port 1", &first.to_string(), |text| port(text, wishes.ports[1]))?;
    }
    let first = wishes.ports[0].unwrap_or(first);
    if wishes.ports[1].is_none() {
        let free = if second == first { first.wrapping_add(1) } else { second };
        wishes.ports[1] = answer_of("port 2", &free.to_string(), |text| port(text, Some(first)))?;
    }
    if wishes.health.is_none() {
        let path = answer("path of its health page", draft.health.as_deref().unwrap_or("/"))?;
        wishes.health = path.map(|path| format!("/{}", path.trim_start_matches('/')));
    }
    if wishes.url.is_none() {
        wishes.url = answer_of("front door, as users reach it through nginx", &draft.url, front_door)?;
    }
    Ok(())
}

/// What was typed; `None` for Enter.
fn answer(question: &str, default: &str) -> io::Result<Option<String>> {
    output::raw(if default.is_empty() { format!("  {question}: ") } else { format!("  {question} [{default}]: ") });
    let mut line = String::new();
    if stdin().read_line(&mut line)? == 0 {
        output::line("");
    }
    Ok(Some(line.trim().to_owned()).filter(|line| !line.is_empty()))
}

/// Asks until it makes sense.
fn answer_of<T>(question: &str, default: &str, read: impl Fn(&str) -> Result<T, String>) -> io::Result<Option<T>> {
    loop {
        match answer(question, default)?.map(|text| read(&text)).transpose() {
            Ok(value) => return Ok(value),
            Err(error) => output::raw(report::hanging("  ", 2, &error, report::table_width())),
        }
    }
}

/// A port that is not that of the other profile.
fn port(text: &str, other: Option<u16>) -> Result<u16, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a port is a number from 1 to 65535".to_owned()),
        Ok(port) if other == Some(port) => Err("the other profile has that port".to_owned()),
        Ok(port) => Ok(port),
    }
}

/// An address that can be asked.
fn front_door(text: &str) -> Result<String, String> {
    let is = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if is { Ok(text.to_owned()) } else { Err("an address as http://127.0.0.1/ or https://shop.example/".to_owned()) }
}

fn write(target: &Path, text: &str, force: bool) -> Result<(), Halt> {
    let written = if force {
        // never through a link: whoever made it would choose what we write over
        files::replace(target, text.as_bytes(), &Replace::public().as_before()).map_err(io::Error::from)
    } else {
        // another one may have appeared meanwhile
        let new = OpenOptions::new().write(true).mode(0o644).create_new(true).open(target);
        new.and_then(|mut file| file.write_all(text.as_bytes()))
    };
    written.map_err(|error| {
        Halt::new(Exit::Usage, format!("cannot write {}: {error}", target.display()))
            .next("bluegreen init --config FILE, or --print")
    })
}

fn finish(global: &Global, draft: &Draft, proxy: &Proxy, target: &Path, paint: Paint) {
    let next = next(proxy);
    if global.format == Format::Json {
        let config = target.to_owned();
        output::json(&documents::Init { schema: SCHEMA, config, found: &draft.found, notes: &draft.notes, next });
        return;
    }
    for note in &draft.notes {
        output::raw(report::marked(&paint.warn("!"), note, report::table_width()));
    }
    let config = global.config.as_ref().map(|path| format!(" --config {}", path.display())).unwrap_or_default();
    let artifact = match &draft.artifact {
        Some(path) => format!(" {}", path.display()),
        None if draft.command.iter().any(|word| word.contains("{artifact}")) => " ARTIFACT".to_owned(),
        None => String::new(),
    };
    output::line(format!("{} wrote {}; look it over", paint.good("✓"), target.display()));
    let steps = [
        (next.replace("bluegreen ", &format!("bluegreen{config} ")), "nginx, once"),
        (format!("bluegreen{config} check"), "would a deploy work?"),
        (format!("bluegreen{config} deploy{artifact}"), ""),
    ];
    let width = steps.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
    for (n, (command, why)) in steps.iter().enumerate() {
        let label = if n == 0 { "next" } else { "then" };
        let gap = " ".repeat(width - command.len() + 2);
        let command = paint.strong(report::as_typed(command));
        output::line(format!("  {}  {command}{}", paint.dim(label), paint.dim(format!("{gap}{why}")).trim_end()));
    }
}

/// The next command.
fn next(proxy: &Proxy) -> String {
    let setup = "sudo bluegreen setup --apply";
    match (&proxy.version, proxy.pid) {
        (None, _) => format!("{}, then {setup}", report::install("nginx")),
        (Some(_), None) if !proxy.several && proxy.unseen.is_none() => {
            format!("sudo systemctl start nginx, then {setup}")
        }
        _ => setup.to_owned(),
    }
}
