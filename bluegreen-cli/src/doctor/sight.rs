//! Whether nginx's workers see the route that we write.
//!
//! What they do not see they take for the first profile, without a word.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use bluegreen_linux::{
    program::{Program, Said},
    users::{self, User},
};
use bluegreen_nginx::Master;

use super::Finding;
use crate::{
    config::{Config, ProxyMode},
    report, wiring,
};

/// systemd answers within milliseconds, or is not to be reached.
const WITHIN: Duration = Duration::from_secs(5);
/// The finding about a directory on the way to the route.
pub(super) const CLOSED: &str = "not-searchable";

/// A worker, as far as this user may know it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Worker {
    pid: u32,
    uid: u32,
    groups: Vec<u32>,
    cgroups: String,
}

/// A directory on the way to the route.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Dir {
    path: PathBuf,
    uid: u32,
    gid: u32,
    mode: u32,
}

/// `proven`: nginx has just said the route that is written there, so its workers see it.
pub(super) fn look(config: &Config, proven: bool) -> Vec<Finding> {
    if config.nginx.mode == ProxyMode::Reload {
        return Vec::new();
    }
    let Some(worker) = worker(&wiring::master(config)) else { return Vec::new() };
    let route = config.route_dir.as_path();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let blocks = |closed: Finding| {
        let first = config.profiles.first();
        let what = format!("{}: they do not see the route, and keep to {first} whatever a deploy does", closed.what);
        Finding { what, ..closed }
    };
    // one that `setup` has yet to make has no label
    let labels = if route.exists() { Labels::read(worker.pid, route) } else { Ok(Labels::default()) };
    let unit = unit(&worker.cgroups);
    let hidden = unit.map_or(Ok(None), |unit| properties(&unit).map(|said| hidden(route, &unit, &said)));
    let looks = [
        way(route).map(|way| searchable(&worker, &way).map(blocks).into_iter().collect()),
        Ok(container(&worker, &own, same_file(worker.pid, route), route).into_iter().collect()),
        hidden.map(|hidden| hidden.into_iter().collect()),
        labels.map(|labels| selinux(&labels)),
    ];
    let (mut findings, unseen) = told(looks, route);
    // what nginx itself says needs no look
    findings.extend(unseen.into_iter().filter(|_| !proven));
    if findings.is_empty() {
        let who = users::name(worker.uid);
        let can = if route.exists() { "can see" } else { "will see" };
        findings.push(Finding::good("sight", format!("nginx's workers ({who}) {can} {}", route.display())));
    }
    findings
}

/// What was found, and what could not be looked at.
fn told(looks: [Result<Vec<Finding>, String>; 4], route: &Path) -> (Vec<Finding>, Vec<Finding>) {
    let (mut findings, mut unseen) = (Vec::new(), Vec::new());
    for look in looks {
        match look {
            Ok(found) => findings.extend(found),
            Err(why) => {
                let what = format!("whether nginx's workers see {} is not known: {why}", route.display());
                unseen.push(Finding::warning(
                    "sight-unknown",
                    what,
                    "sudo bluegreen setup --apply, which ends with a proof",
                ));
            }
        }
    }
    (findings, unseen)
}

/// `None` where this user sees none, of which nothing is said then.
fn worker(master: &Master) -> Option<Worker> {
    let pid = master.worker().ok()?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let numbers = |key: &str| -> Vec<u32> {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
        line.split_whitespace().filter_map(|number| number.parse().ok()).collect()
    };
    let groups = [numbers("Gid:").get(1).copied().into_iter().collect(), numbers("Groups:")].concat();
    let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    Some(Worker { pid, uid: *numbers("Uid:").get(1)?, groups, cgroups })
}

/// Every directory from the root to the route that is there already; or which one cannot be looked at, and why.
fn way(route: &Path) -> Result<Vec<Dir>, String> {
    let unseen = |path: &Path, error: &io::Error| format!("{} cannot be looked at: {error}", path.display());
    let real = match route.canonicalize() {
        Err(error) if error.kind() == ErrorKind::NotFound => route.to_owned(),
        real => real.map_err(|error| unseen(route, &error))?,
    };
    let mut dirs: Vec<PathBuf> = real.ancestors().map(Path::to_path_buf).collect();
    dirs.reverse();
    let mut way = Vec::new();
    for path in dirs {
        match fs::metadata(&path) {
            Ok(meta) => way.push(Dir { path, uid: meta.uid(), gid: meta.gid(), mode: meta.mode() }),
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            Err(error) => return Err(unseen(&path, &error)),
        }
    }
    Ok(way)
}

/// The first directory that the worker's user may not search. (Access control lists are not looked at: they are rare, and the
/// proof tells.)
fn searchable(worker: &Worker, way: &[Dir]) -> Option<Finding> {
    let may = |dir: &&Dir| match dir {
        _ if worker.uid == 0 => true,
        dir if dir.uid == worker.uid => dir.mode & 0o100 != 0,
        dir if worker.groups.contains(&dir.gid) => dir.mode & 0o010 != 0,
        dir => dir.mode & 0o001 != 0,
    };
    let closed = way.iter().find(|dir| !may(dir))?;
    let known = User::of(worker.uid).ok().flatten();
    let who = known.map_or_else(|| format!("user {}", worker.uid), |user| user.name);
    let path = closed.path.display();
    let what = format!("nginx's workers are {who}, who may not search {path} (mode {:o})", closed.mode & 0o7777);
    Some(Finding::fatal(CLOSED, what, format!("sudo chmod o+x {path}")))
}

/// Words in the path of a container's cgroup.
const CONTAINERS: [&str; 6] = ["docker", "libpod", "kubepods", "containerd", "lxc", "crio"];

/// nginx in a container that sees another directory at that path. `same`: whether the two are one, when this user may know.
fn container(worker: &Worker, own: &str, same: Option<bool>, route: &Path) -> Option<Finding> {
    let in_one = |cgroups: &str| CONTAINERS.iter().any(|word| cgroups.contains(word));
    let path = route.display();
    let fix = format!("mount it at the same path: `-v {path}:{path}:ro`, then start nginx anew");
    match same {
        Some(false) => {
            let what = format!(
                "nginx (pid {}) sees another directory at {path}: it runs in a container or behind a private mount",
                worker.pid
            );
            Some(Finding::fatal("other-mount", what, fix))
        }
        None if in_one(&worker.cgroups) && !in_one(own) => {
            let what = format!("nginx (pid {}) runs in a container: does it see {path}?", worker.pid);
            Some(Finding::warning("container", what, fix))
        }
        _ => None,
    }
}

/// Whether the worker sees the same directory there as we do; only root and the worker's user may know.
fn same_file(pid: u32, path: &Path) -> Option<bool> {
    let ours = fs::metadata(path).ok()?;
    let root = PathBuf::from(format!("/proc/{pid}/root"));
    fs::read_link(&root).ok()?;
    match fs::metadata(root.join(path.strip_prefix("/").ok()?)) {
        Ok(theirs) => Some((theirs.dev(), theirs.ino()) == (ours.dev(), ours.ino())),
        Err(error) => (error.kind() == ErrorKind::NotFound).then_some(false),
    }
}

/// The service of systemd that it runs in.
fn unit(cgroups: &str) -> Option<String> {
    let path = cgroups.lines().find_map(|line| {
        line.strip_prefix("0::").or_else(|| line.split_once(":name=systemd:").map(|(_, path)| path))
    })?;
    path.split('/').find(|part| part.ends_with(".service")).map(str::to_owned)
}

/// What systemd has of it, a line for each, or why it did not say.
fn properties(unit: &str) -> Result<String, String> {
    let names = "--property=PrivateTmp,ProtectHome,TemporaryFileSystem,InaccessiblePaths,RootDirectory";
    said(unit, Program::new(["systemctl", "show", names, "--", unit]).run_blocking(WITHIN).map_err(|e| e.to_string()))
}

fn said(unit: &str, said: Result<Said, String>) -> Result<String, String> {
    let why = match said {
        Ok(said) if said.status.success() => return Ok(said.out),
        Ok(said) => report::sanitize(said.err.trim()),
        Err(why) => why,
    };
    Err(format!("systemd does not say what {unit} hides: {why}"))
}

/// What the unit hides from nginx.
fn hidden(route: &Path, unit: &str, properties: &str) -> Option<Finding> {
    let value =
        |key: &str| properties.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap_or_default();
    let below = |places: &[&str]| places.iter().any(|place| route.starts_with(place));
    let listed = |key: &str| {
        value(key)
            .split_whitespace()
            .any(|path| route.starts_with(path.trim_start_matches(['-', '+']).split(':').next().unwrap_or(path)))
    };
    let why = match () {
        () if value("PrivateTmp") == "yes" && below(&["/tmp", "/var/tmp"]) => "PrivateTmp=yes",
        () if !matches!(value("ProtectHome"), "" | "no" | "read-only") && below(&["/home", "/root", "/run/user"]) => {
            "ProtectHome="
        }
        () if listed("TemporaryFileSystem") => "TemporaryFileSystem=",
        () if listed("InaccessiblePaths") => "InaccessiblePaths=",
        () if !matches!(value("RootDirectory"), "" | "/") => "RootDirectory=",
        () => return None,
    };
    let what = format!("{unit} has {why}, which hides {} from nginx", route.display());
    Some(Finding::fatal(
        "hidden",
        what,
        "put route_dir elsewhere, as /var/lib/bluegreen/APP/route, then sudo bluegreen setup --apply",
    ))
}

/// What SELinux says; the default where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Labels {
    enforcing: bool,
    /// Of the worker, as `system_u:system_r:httpd_t:s0`.
    worker: String,
    /// Of the route directory.
    route: String,
    /// Whether the web server may connect to any port.
    connects: Option<bool>,
}

impl Labels {
    /// A machine without SELinux enforces nothing.
    fn read(pid: u32, route: &Path) -> Result<Self, String> {
        let read = |path: PathBuf| match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("SELinux: {} cannot be read: {error}", path.display())),
            Ok(text) => Ok(Some(text.trim_end_matches(['\0', '\n']).to_owned())),
        };
        let selinux = Path::new("/sys/fs/selinux");
        if read(selinux.join("enforce"))?.as_deref() != Some("1") {
            return Ok(Self::default());
        }
        let mut label = [0; 256];
        let length = rustix::fs::getxattr(route, c"security.selinux", &mut label[..])
            .map_err(|error| format!("SELinux: the label of {} cannot be read: {error}", route.display()))?;
        let connects = read(selinux.join("booleans/httpd_can_network_connect"))?;
        Ok(Self {
            enforcing: true,
            worker: read(format!("/proc/{pid}/attr/current").into())?.unwrap_or_default(),
            route: String::from_utf8_lossy(&label[..length]).trim_end_matches('\0').to_owned(),
            connects: connects.map(|text| text.starts_with('1')),
        })
    }
}

/// A web server that is confined reads only what has its label, and connects only where it is let.
fn selinux(labels: &Labels) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !labels.enforcing || !labels.worker.contains(":httpd_t:") {
        return findings;
    }
    if !labels.route.contains(":httpd_") && !labels.route.contains(":public_content") {
        let what = format!("SELinux: nginx is httpd_t, and the route has the label {}", labels.route);
        let fix = "sudo semanage fcontext -a -t httpd_sys_content_t '/var/lib/bluegreen/[^/]+/route(/.*)?' && sudo restorecon -R \
                   /var/lib/bluegreen";
        findings.push(Finding::warning("selinux-label", what, fix));
    }
    if labels.connects == Some(false) {
        let what = "SELinux: nginx may not connect to the app (httpd_can_network_connect is off)";
        findings.push(Finding::warning("selinux-connect", what, "sudo setsebool -P httpd_can_network_connect 1"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Severity, ids, kind};

    fn dir(path: &str, uid: u32, gid: u32, mode: u32) -> Dir {
        Dir { path: path.into(), uid, gid, mode }
    }

    #[test]
    fn the_first_closed_directory_is_named_with_who_cannot_enter_it() {
        let worker = Worker { uid: 4242, groups: vec![50], ..Worker::default() };
        let way =
            |mode: u32, gid: u32| [dir("/", 0, 0, 0o755), dir("/srv", 7, gid, mode), dir("/srv/route", 7, 7, 0o700)];
        let found = searchable(&worker, &way(0o750, 7)).unwrap();
        assert_eq!((found.fix(), found.what.contains("user 4242")), ("sudo chmod o+x /srv", true), "{}", found.what);
        // their group may search the first one
        assert_eq!(searchable(&worker, &way(0o750, 50)).unwrap().fix(), "sudo chmod o+x /srv/route");
        // and where the group may not, others do not count
        assert_eq!(searchable(&worker, &way(0o705, 50)).unwrap().fix(), "sudo chmod o+x /srv");
        assert_eq!(searchable(&Worker { uid: 0, ..worker.clone() }, &way(0, 0)), None);
        assert_eq!(searchable(&worker, &way(0o755, 7)[..2]), None);
    }

    #[test]
    fn another_root_is_another_route() {
        let worker = Worker { pid: 9, cgroups: "0::/system.slice/docker-abc.scope".into(), ..Worker::default() };
        let at = |own: &str, same| container(&worker, own, same, Path::new("/r")).map(|f| kind(&f));
        assert_eq!(at("0::/", Some(true)), None);
        assert_eq!(at("0::/", Some(false)), Some((Severity::Fatal, "other-mount")));
        assert_eq!(at("0::/user.slice", None), Some((Severity::Warning, "container")));
        assert_eq!(at("0::/docker/abc", None), None, "both are in one");
        let plain = Worker { cgroups: "0::/system.slice/nginx.service".into(), ..worker };
        assert_eq!(container(&plain, "0::/", None, Path::new("/r")), None);
    }

    #[test]
    fn sees_through_the_root_of_a_process() {
        assert_eq!(same_file(std::process::id(), Path::new("/etc")), Some(true));
        assert_eq!(same_file(u32::MAX, Path::new("/etc")), None);
    }

    #[test]
    fn what_cannot_be_looked_at_is_not_taken_for_open() {
        let dir = tempfile::tempdir().unwrap();
        let around = dir.path().join("around");
        std::os::unix::fs::symlink(&around, &around).unwrap();
        assert_eq!(way(&dir.path().join("not/there/yet")).unwrap().last().unwrap().path, dir.path());
        let why = way(&around.join("route")).unwrap_err();
        assert!(why.contains("around/route cannot be looked at"), "{why}");
        let (found, unseen) = told([Ok(Vec::new()), Err(why), Ok(Vec::new()), Ok(Vec::new())], Path::new("/r"));
        assert_eq!((found, ids(&unseen)), (Vec::new(), vec![(Severity::Warning, "sight-unknown")]));
    }

    #[test]
    fn a_systemd_that_does_not_answer_hides_nothing_and_shows_nothing() {
        let ended = |code: i32, out: &str, err: &str| {
            let status = std::os::unix::process::ExitStatusExt::from_raw(code << 8);
            said("nginx.service", Ok(Said { status, out: out.to_owned(), err: err.to_owned() }))
        };
        assert_eq!(ended(0, "PrivateTmp=no\n", ""), Ok("PrivateTmp=no\n".to_owned()));
        let silent = ended(1, "", "Failed to connect to bus: Host is down\n").unwrap_err();
        assert_eq!(silent, "systemd does not say what nginx.service hides: Failed to connect to bus: Host is down");
        assert!(said("nginx.service", Err("there is no systemctl".to_owned())).is_err());
    }

    #[test]
    fn what_a_unit_hides() {
        assert_eq!(unit("1:name=systemd:/system.slice/nginx.service\n").as_deref(), Some("nginx.service"));
        assert_eq!(unit("0::/user.slice\n"), None);
        let why = |route: &str, properties: &str| hidden(Path::new(route), "nginx.service", properties).map(|f| f.what);
        assert!(
            why("/tmp/route", "PrivateTmp=yes\n")
                .unwrap()
                .contains("nginx.service has PrivateTmp=yes, which hides /tmp/route")
        );
        assert_eq!(why("/var/lib/x", "PrivateTmp=yes\nProtectHome=yes\n"), None);
        assert!(why("/home/x/route", "ProtectHome=tmpfs").is_some());
        assert!(why("/srv/a/route", "InaccessiblePaths=-/srv/a /x").is_some());
        assert_eq!(why("/tmp/route", "PrivateTmp=no"), None);
    }

    #[test]
    fn labels_matter_only_where_they_are_enforced() {
        let labels = Labels {
            enforcing: true,
            worker: "system_u:system_r:httpd_t:s0".into(),
            route: "unconfined_u:object_r:var_lib_t:s0".into(),
            connects: Some(false),
        };
        assert_eq!(
            ids(&selinux(&labels)),
            [(Severity::Warning, "selinux-label"), (Severity::Warning, "selinux-connect")]
        );
        assert_eq!(selinux(&Labels { enforcing: false, ..labels.clone() }), []);
        assert_eq!(selinux(&Labels { worker: "unconfined".into(), ..labels.clone() }), []);
        let right = Labels { route: "system_u:object_r:httpd_sys_content_t:s0".into(), connects: Some(true), ..labels };
        assert_eq!(selinux(&right), []);
    }
}
