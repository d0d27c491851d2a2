//! From the document to a checked [`Config`].

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use super::{
    Access, AfterSwitch, Config, Health, Hook, Hooks, Metrics, Nginx, ProxyMode, Releases, Resolve, ResolveKind, Start,
    Stop, find::Source, problem::Problem, reader::Reader, url, value,
};

/// Reads every key, then says all that is wrong.
pub(super) fn build(text: &str, path: &Path) -> Result<Config, Vec<Problem>> {
    let mut r = Reader::new(text);
    if !r.problems.is_empty() {
        return Err(r.problems);
    }
    let config = read(&mut r);
    r.report_unknown();
    r.problems.sort_by_key(|p| p.span.as_ref().map_or(usize::MAX, |s| s.start));
    match config {
        Some(config) if r.problems.is_empty() => Ok(Config { file: path.to_owned(), settings: r.settings, ..config }),
        _ => Err(r.problems),
    }
}

/// What no deploy may begin with, in `text`, of which `config` was made.
pub(super) fn objections(text: &str, config: &Config) -> Vec<Problem> {
    let mut r = Reader::new(text);
    let urls = config.profiles.both().map(|profile| config.health_url(profile));
    if let Some(why) = url::confuses(&urls, &config.profiles) {
        r.complain("health.url", |at| {
            Problem::new("`health.url` does not tell the profiles apart", at).label(why).help(
                "put {port} into it; a port of its own for management too, as \"http://127.0.0.1:1{port}/health\"",
            )
        });
    }
    r.problems
}

/// `None` when a required key is missing or bad; the reader has the problems.
fn read(r: &mut Reader<'_>) -> Option<Config> {
    let app = r.read("app", value::name);
    r.define("app", app.as_ref().map_or("app", |a| a.as_str()));
    let user = r.read("user", value::user);
    let state_dir = r.or_default("state_dir", value::path);
    r.define("state_dir", state_dir.display().to_string());
    let route_dir = r.or_default("route_dir", value::path);
    let allow_temporary = r.or_default("allow_temporary", value::flag);
    if !allow_temporary {
        no_temporary(r, "state_dir", &state_dir);
        no_temporary(r, "route_dir", &route_dir);
    }
    let profiles = r.read("profiles", value::profiles);
    let start = start(r);
    let stop = Stop {
        signal: r.or_default("stop.signal", value::signal),
        to: r.or_default("stop.to", value::signal_target),
        grace: r.or_default("stop.grace", value::duration),
    };
    let health = health(r);
    let nginx = nginx(r);
    let resolve = resolve(r, nginx.as_ref());
    Some(Config {
        after_switch: after_switch(r),
        hook: Hook { artifact: r.read("hook.artifact", value::string) },
        hooks: Hooks {
            before_start: r.read("hooks.before_start", value::hook),
            before_switch: r.read("hooks.before_switch", value::hook),
            after_switch: r.read("hooks.after_switch", value::hook),
            after_failure: r.read("hooks.after_failure", value::hook),
            timeout: r.or_default("hooks.timeout", value::some_time),
            pass_env: r.or_default("hooks.pass_env", value::strings),
        },
        metrics: Metrics { textfile: r.read("metrics.textfile", value::path) },
        access: Access { group: r.read("access.group", value::group) },
        releases: Releases { keep: r.or_default("releases.keep", value::count) },
        app: app?,
        user,
        state_dir,
        route_dir,
        allow_temporary,
        profiles: profiles?,
        start: start?,
        stop,
        health,
        nginx: nginx?,
        resolve,
        file: PathBuf::new(),
        source: Source::default(),
        settings: Vec::new(),
        objections: None,
    })
}

/// Complains about a place that is no home for a state. Mount points and modes are looked at by `setup`, not here.
fn no_temporary(r: &mut Reader<'_>, key: &str, dir: &Path) {
    const GONE: &str = "may be gone after a reboot";
    const CLOSED: &str = "nginx's workers may not search it";
    let places = [("/run", GONE), ("/var/run", GONE), ("/tmp", GONE), ("/var/tmp", GONE), ("/dev", GONE)];
    let homes = [("/home", CLOSED), ("/root", CLOSED)];
    if let Some((place, why)) = places.into_iter().chain(homes).find(|(place, _)| dir.starts_with(place)) {
        r.complain(key, |at| {
            Problem::new(format!("`{key}` is below {place}"), at)
                .label(why)
                .help("use /var/lib/bluegreen, or `allow_temporary = true` for a test")
        });
    }
}

fn start(r: &mut Reader<'_>) -> Option<Start> {
    let command = r.read("start.command", value::command_template);
    let rest = (
        r.or_default("start.env", value::env),
        r.read("start.env_file", value::path),
        r.or_default("start.pass_env", value::strings),
        r.or_default("start.workdir", value::template),
    );
    let (env, env_file, pass_env, workdir) = rest;
    Some(Start { command: command?, env, env_file, pass_env, workdir })
}

fn health(r: &mut Reader<'_>) -> Health {
    let target = r.or_default("health.url", url::template);
    let allow_remote = r.or_default("health.allow_remote", value::flag);
    if let Some(host) = url::remote_host_of(&target).filter(|_| !allow_remote) {
        r.complain("health.url", |at| remote(at, &host).help(ALLOW));
    }
    Health {
        url: target,
        status: r.or_default("health.status", value::statuses),
        body: r.read("health.body", value::body).unwrap_or_default(),
        healthy_threshold: r.or_default("health.healthy_threshold", value::count),
        timeout: r.or_default("health.timeout", value::some_time),
        deadline: r.or_default("health.deadline", value::some_time),
        interval: r.or_default("health.interval", value::some_time),
    }
}

fn nginx(r: &mut Reader<'_>) -> Option<Nginx> {
    let mode = r.or_default("proxy.nginx.mode", value::proxy_mode);
    let target = r.read("proxy.nginx.url", url::plain);
    let connect = r.read("proxy.nginx.connect", value::address);
    let pid_file = r.read("proxy.nginx.pid_file", value::path);
    let program = r.read("proxy.nginx.program", value::path);
    let allow_remote = r.or_default("proxy.nginx.allow_remote", value::flag);
    let host = target.as_ref().and_then(url::remote_host).filter(|_| !allow_remote && connect.is_none());
    if let Some(host) = host {
        let port = target.as_ref().and_then(::url::Url::port_or_known_default).unwrap_or(80);
        let help = format!("add `connect = \"127.0.0.1:{port}\"`, and the name is used for Host, SNI and certificate");
        r.complain("proxy.nginx.url", |at| remote(at, &host).help(help));
    }
    let service_url_file = r.or_default("proxy.nginx.service_url_file", value::path);
    let install = r.read("proxy.nginx.install", value::command);
    let reload = r.or_default("proxy.nginx.reload", value::command);
    let test = r.or_default("proxy.nginx.test", value::command);
    Some(Nginx { mode, url: target?, connect, pid_file, program, service_url_file, install, reload, test })
}

fn resolve(r: &mut Reader<'_>, nginx: Option<&Nginx>) -> Resolve {
    let kind = r.or_default("resolve.kind", value::resolve_kind);
    if kind == ResolveKind::Http && nginx.is_some_and(|n| n.mode == ProxyMode::Marker) {
        // GET /profile sees who answers, not whether the route has a standby
        r.complain("resolve.kind", |at| {
            Problem::new("`kind = \"http\"` cannot see the route in marker mode", at)
                .help("leave it out: nginx itself says it; or use `mode = \"reload\"` in `[proxy.nginx]`")
        });
    }
    let target = r.or_default("resolve.url", url::plain);
    let allow_remote = r.or_default("resolve.allow_remote", value::flag);
    if let Some(host) = url::remote_host(&target).filter(|_| !allow_remote) {
        r.complain("resolve.url", |at| remote(at, &host).help(ALLOW));
    }
    Resolve { kind, url: target }
}

fn after_switch(r: &mut Reader<'_>) -> AfterSwitch {
    AfterSwitch {
        bake: r.or_default("after_switch.bake", value::duration),
        failover: r.or_default("after_switch.failover", value::failover),
        previous: r.or_default("after_switch.previous", value::previous),
        settle: r.or_default("after_switch.settle", value::duration),
        drain: r.or_default("after_switch.drain", value::duration),
    }
}

const ALLOW: &str = "use 127.0.0.1, or `allow_remote = true` below it";

fn remote(at: Range<usize>, host: &str) -> Problem {
    Problem::new(format!("`{host}` is not a loopback address"), at).label("may be another machine")
}
