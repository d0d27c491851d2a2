//! From what was found, and what was wished for, to what is written.

use std::{net::SocketAddr, path::PathBuf};

use bluegreen_core::Name;
use bluegreen_nginx::setup::{Door, Place};

use super::{
    findings::Findings,
    found::{App, Found},
    proxy::Proxy,
};

/// What a person said, by flags or answers; it wins over all that was found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wishes {
    pub(crate) app: Option<Name>,
    pub(crate) artifact: Option<PathBuf>,
    pub(crate) ports: [Option<u16>; 2],
    pub(crate) command: Vec<String>,
    /// The path of the health page.
    pub(crate) health: Option<String>,
    /// The front door.
    pub(crate) url: Option<String>,
    pub(crate) connect: Option<SocketAddr>,
    pub(crate) user: Option<String>,
    /// Who asks for it, unless that is root: who deploys when nobody says anything else.
    pub(crate) login: Option<String>,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) allow_temporary: bool,
    /// Of the nginx that is meant, where several run.
    pub(crate) pid_file: Option<PathBuf>,
    /// The app's name when nobody says one.
    pub(crate) directory: String,
}

/// What will be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) app: String,
    pub(crate) user: Option<String>,
    /// The one that may read what is deployed; none where the user's own is not known.
    pub(crate) group: Option<String>,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) allow_temporary: bool,
    pub(crate) profiles: [(String, u16); 2],
    pub(crate) command: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) health: Option<String>,
    pub(crate) body: Option<&'static str>,
    pub(crate) url: String,
    pub(crate) connect: Option<String>,
    pub(crate) pid_file: Option<PathBuf>,
    /// For `[hook]`.
    pub(crate) pattern: Option<String>,
    /// What will be deployed first.
    pub(crate) artifact: Option<PathBuf>,
    /// What was found, for a person.
    pub(crate) found: Vec<Found>,
    /// What a person should know before the next command.
    pub(crate) notes: Vec<String>,
}

/// A port that was passed over, and why.
type Passed = (u16, String);

/// The article's ports, when nothing says others.
const PORTS: [u16; 2] = [8081, 8082];

impl Draft {
    /// Decides. A draft without a command means that nothing was found that could be deployed.
    pub(crate) fn new(wishes: &Wishes, findings: &Findings) -> Self {
        let app = findings.app.clone().unwrap_or_default();
        let name = name(wishes, &app);
        let (profiles, passed) = profiles(wishes, findings, &app, &name);
        let scripts = &findings.scripts;
        let command = [&wishes.command, scripts.command.as_ref().unwrap_or(&app.command)];
        let command = command.into_iter().find(|words| !words.is_empty()).cloned().unwrap_or_default();
        // a command that names the port needs no variable for it
        let uses_port = command.iter().any(|word| word.contains("{port}"));
        let env = app.env.iter().filter(|(name, _)| !(uses_port && name == "PORT")).cloned().collect();
        let health = wishes.health.clone().or_else(|| scripts.health.clone()).or_else(|| app.health.map(str::to_owned));
        let says_profile = health.as_deref() == Some("/profile") && (app.says_profile || scripts.health.is_some());
        let (url, connect) = front_door(wishes, findings, says_profile);
        let spec = findings.spec.as_ref();
        let runas = spec.and_then(|spec| spec.hooks.iter().find_map(|hook| hook.user.clone()));
        let mut draft = Self {
            app: name,
            user: wishes.user.clone().or(runas.filter(|user| user != "root")).or_else(|| wishes.login.clone()),
            state_dir: wishes.state_dir.clone(),
            allow_temporary: wishes.allow_temporary,
            profiles,
            command,
            env,
            health,
            body: says_profile.then_some("{profile}"),
            url,
            connect,
            pid_file: wishes.pid_file.clone(),
            pattern: spec.and(scripts.artifacts.clone().or_else(|| app.pattern.clone())),
            artifact: app.artifact.clone(),
            ..Self::default()
        };
        draft.tell(findings, &app, passed);
        draft.notes.extend(findings.unseen.iter().cloned());
        draft
    }

    /// What was found, and what follows.
    fn tell(&mut self, findings: &Findings, app: &App, passed: Vec<Passed>) {
        let mut found = |kind, what: String, origin: String| self.found.push(Found { kind, what, origin });
        if let Some(path) = &app.artifact {
            found(app.kind, app.details.join(", "), path.display().to_string());
        }
        if let Some(spec) = &findings.spec {
            let hooks: Vec<&str> = spec.hooks.iter().map(|hook| hook.event.as_str()).collect();
            found("CodeDeploy", hooks.join(", "), spec.path.display().to_string());
        }
        for script in &findings.scripts.files {
            found("script", String::new(), script.display().to_string());
        }
        if let Some(proxy) = &findings.proxy {
            let version = proxy.version.as_ref().map(|version| format!("nginx {version}"));
            let runs = match proxy.pid {
                Some(pid) => format!("runs, pid {pid}"),
                None if proxy.several => "several run".to_owned(),
                None if proxy.unseen.is_some() => "is not looked into".to_owned(),
                None => "does not run".to_owned(),
            };
            if let Some(version) = version {
                found("proxy", format!("{version}, {runs}"), proxy.configuration.display().to_string());
            }
            if let Some((place, url)) = &proxy.service_url {
                found("include", format!("$service_url is {url}"), place.to_string());
            }
            if let Some((port, place, _)) = proxy.target() {
                found("traffic", format!("goes to port {port}"), place.to_string());
            }
            if proxy.several {
                self.notes.push("several nginx run here: say which one with --pid-file FILE".to_owned());
            }
            self.notes.extend(proxy.unseen.clone());
        }
        self.notes
            .extend(findings.proxy.as_ref().and_then(|proxy| leads_nowhere(proxy, &self.app, self.profiles[0].1)));
        for owner in &findings.owners {
            found("port", format!("{} is taken", owner.port), owner.who.to_string());
        }
        let listened = |port: u16| findings.owners.iter().any(|owner| owner.port == port);
        for (port, why) in passed.into_iter().filter(|(port, _)| !listened(*port)) {
            found("port", format!("{port} is left alone"), why);
        }
        let served = findings.proxy.as_ref().and_then(|proxy| proxy.target()).map(|(port, ..)| port);
        if let Some(port) = served.filter(|port| self.profiles.iter().all(|(_, own)| own != port))
            && findings.owners.iter().any(|owner| owner.port == port)
        {
            self.notes.push(format!(
                "the app is served from port {port}, which is neither profile: `bluegreen prepare` comes before the last \
                 part of the set-up, which says so"
            ));
        }
    }
}

/// What to write into an nginx that does not lead to this app yet. What serves another app stays.
fn leads_nowhere(proxy: &Proxy, app: &str, port: u16) -> Option<String> {
    let is_ours = proxy.doors.iter().any(|door| door.apps.iter().any(|known| known == app));
    let Door { at, apps, .. } = proxy.door().filter(|_| proxy.passes.is_empty() && !is_ours)?;
    Some(if apps.is_empty() {
        format!(
            "nginx leads to no app yet: write `proxy_pass http://127.0.0.1:{port};` into `location /` of the server block at \
             {at}, in place of what is there"
        )
    } else {
        format!(
            "nginx does not lead to {app} yet, and the server block at {at} serves {} by bluegreen: leave that as it is, and \
             write a location of your own, as `location /{app}/ {{ proxy_pass http://127.0.0.1:{port}; }}`",
            apps.join(" and ")
        )
    })
}

fn name(wishes: &Wishes, app: &App) -> String {
    let told = wishes.app.as_ref().map(ToString::to_string);
    let clean = |text: &str| {
        let text: String =
            text.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let text = text.trim_start_matches(|c: char| !c.is_ascii_lowercase()).trim_end_matches('-');
        let text: String = text.chars().take(32).collect();
        text.parse::<Name>().ok().map(|name| name.to_string())
    };
    told.or_else(|| app.name.as_deref().and_then(clean))
        .or_else(|| clean(&wishes.directory))
        .unwrap_or_else(|| "app".to_owned())
}

/// The two profiles, and the ports that were passed over for them, each with the reason.
fn profiles(wishes: &Wishes, findings: &Findings, app: &App, name: &str) -> ([(String, u16); 2], Vec<Passed>) {
    let known = findings.scripts.profiles.clone().or_else(|| app.profiles.clone().try_into().ok());
    let target = findings.proxy.as_ref().and_then(|proxy| proxy.target()).map(|(port, ..)| port);
    let mut passed = Vec::new();
    let mut free_from = |port: u16| findings.free_from(port, name, &mut passed);
    let ports = match (&known, target) {
        (Some([(_, first), (_, second)]), _) => [*first, *second],
        // what nginx leads to already is a profile: nothing of it changes for those that it serves
        (None, Some(port)) if PORTS.contains(&port) => {
            let other = if port == PORTS[0] { PORTS[1] } else { PORTS[0] };
            match free_from(other) {
                free if free == other => PORTS,
                free if free == port => [port, free_from(port.saturating_add(1))],
                free => [port, free],
            }
        }
        (None, Some(port)) => [port, free_from(port.saturating_add(1))],
        (None, None) => {
            let first = wishes.ports[0].unwrap_or_else(|| free_from(PORTS[0]));
            [first, wishes.ports[1].unwrap_or_else(|| free_from(first.saturating_add(1)))]
        }
    };
    let names = known.map_or_else(|| ["real1", "real2"].map(str::to_owned), |profiles| profiles.map(|(name, _)| name));
    let [first, second] = names;
    let first_port = wishes.ports[0].unwrap_or(ports[0]);
    let second_port = match wishes.ports[1] {
        Some(port) => port,
        None if ports[1] == first_port || wishes.ports[0].is_some() => free_from(first_port.saturating_add(1)),
        None => ports[1],
    };
    passed.retain(|(port, _)| ![first_port, second_port].contains(port));
    ([(first, first_port), (second, second_port)], passed)
}

impl Findings {
    /// The first port from `port` on that nobody has or counts on, for the app `name`; what comes before it is `passed`, with the
    /// reason, those of the kernel once. Where the kernel has all of them, its own are as good as any.
    fn free_from(&self, port: u16, name: &str, passed: &mut Vec<Passed>) -> u16 {
        let others = |port: &u16| self.has(*port, name).is_none();
        let best = (port..=u16::MAX).find(|port| others(port) && !self.ephemeral.has(*port));
        let free = best.or_else(|| (port..=u16::MAX).find(others)).unwrap_or(port);
        let mut kernels = false;
        for port in port..free {
            let why = self.has(port, name).or_else(|| {
                let (low, high) = self.ephemeral.range.filter(|_| !std::mem::replace(&mut kernels, true))?;
                Some(format!("the kernel gives {low}-{high} to outgoing connections"))
            });
            let is_new = !passed.iter().any(|(known, _)| *known == port);
            passed.extend(why.filter(|_| is_new).map(|why| (port, why)));
        }
        free
    }

    /// Who has this port, or counts on it, other than the app `name`.
    fn has(&self, port: u16, name: &str) -> Option<String> {
        let own = format!("bluegreen-{name}.conf");
        let listens = self.owners.iter().find(|owner| owner.port == port).map(|owner| owner.who.to_string());
        let beside = || self.neighbours.iter().find(|other| other.port == port && other.app != name);
        let neighbour = || beside().map(|other| format!("{} has it, by {}", other.app, other.file.display()));
        let named = || self.proxy.iter().flat_map(|proxy| &proxy.ports).find(|(known, _)| *known == port);
        let is_others = |at: &Place| at.path.file_name().is_none_or(|file| *file != *own);
        let nginx = || named().filter(|(_, at)| is_others(at)).map(|(_, at)| format!("nginx names it at {at}"));
        listens.or_else(neighbour).or_else(nginx)
    }
}

/// The address, and what to dial.
fn front_door(wishes: &Wishes, findings: &Findings, says_profile: bool) -> (String, Option<String>) {
    let path = if says_profile { "/profile" } else { "/" };
    if let Some(url) = &wishes.url {
        return (url.clone(), wishes.connect.map(|address| address.to_string()));
    }
    let Some(door) = findings.proxy.as_ref().and_then(|proxy| proxy.door()) else {
        return (format!("http://127.0.0.1{path}"), None);
    };
    let (scheme, usual) = if door.tls { ("https", 443) } else { ("http", 80) };
    let port = if door.port == usual { String::new() } else { format!(":{}", door.port) };
    let host = address(door);
    match door.name.as_ref().filter(|_| door.tls || !door.is_default) {
        Some(name) => (format!("{scheme}://{name}{port}{path}"), Some(format!("{host}:{}", door.port))),
        None => (format!("{scheme}://{host}{port}{path}"), None),
    }
}

/// The loopback address that reaches it.
fn address(door: &Door) -> String {
    let host = door.listen.rsplit_once(':').map_or("", |(host, _)| host);
    if host.starts_with("127.") || host == "[::1]" { host.to_owned() } else { "127.0.0.1".to_owned() }
}

#[cfg(test)]
mod tests;
