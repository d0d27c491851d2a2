//! Whether a deploy can write where it has to. It is tried: no mode tells of a read-only disk, a quota or `chattr +i`.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use bluegreen_linux::users::User;
use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

use super::Finding;
use crate::{
    config::{Config, ProxyMode},
    history, wiring,
};

/// The finding that something else is in the place of what a deploy makes.
const IN_THE_WAY: &str = "in-the-way";
/// What begins so is swept away by the next command, should we be killed between the two.
const TEMPORARY: &str = ".state.";

pub(super) fn look(config: &Config) -> Vec<Finding> {
    let below = ["releases", "processes", "logs"].map(|name| config.state_dir.join(name));
    let mut dirs: Vec<PathBuf> = [config.state_dir.clone()].into_iter().chain(below).collect();
    if config.nginx.mode == ProxyMode::Marker {
        dirs.push(config.route_dir.clone());
    }
    let state = config.state_dir.join("state.json");
    let mut findings: Vec<Finding> = dirs.iter().filter_map(|dir| judge(dir, &make_one(dir))).collect();
    // what is in it is the app's own business, and so is who may write there
    let shared = config.state_dir.join("shared");
    findings.extend(judge(&shared, &is_dir(&shared)));
    findings.extend(textfile(config));
    findings.extend(judge(&state, &open_it(&state)));
    findings.extend(include(config));
    if findings.is_empty() {
        findings.push(Finding::good("writable", format!("{} can be written to", config.state_dir.display())));
    }
    findings
}

/// Whether a switch can write what it has to.
pub(super) fn switches(config: &Config) -> Vec<Finding> {
    match config.nginx.mode {
        ProxyMode::Marker => judge(&config.route_dir, &make_one(&config.route_dir)).into_iter().collect(),
        ProxyMode::Reload => include(config),
    }
}

/// In reload mode each switch puts a new file in the place of the include file, unless `install` does.
fn include(config: &Config) -> Vec<Finding> {
    let nginx = &config.nginx;
    if nginx.mode == ProxyMode::Marker || nginx.install.is_some() {
        return Vec::new();
    }
    // what a link leads to is replaced; one that is not there is told with the route
    let Ok(file) = fs::canonicalize(&nginx.service_url_file) else { return Vec::new() };
    let install = "install = [\"sudo\", \"-n\", \"cp\", \"--preserve=timestamps\"] in [proxy.nginx]";
    let dir = file.parent().and_then(|dir| judge_else(dir, &make_one(dir), install));
    // who may not write to it may replace it all the same
    let denied = |error: &io::Error| error.raw_os_error() == Some(Errno::ACCESS.raw_os_error());
    let tried = open_it(&file).or_else(|error| if denied(&error) { Ok(()) } else { Err(error) });
    if let Some(found) = dir.or_else(|| judge(&file, &tried)) {
        return vec![found];
    }
    judge_else(&file, &wiring::include(config).try_beside(), install).into_iter().collect()
}

/// Makes a file without a name, which leaves no trace; where the file system has none such, one that is removed again.
fn make_one(dir: &Path) -> io::Result<()> {
    let nameless = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    match rustix::io::retry_on_intr(|| rustix::fs::open(dir, nameless, Mode::RUSR | Mode::WUSR)) {
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {
            let file = dir.join(format!("{TEMPORARY}{}", std::process::id()));
            OpenOptions::new().write(true).create_new(true).open(&file)?;
            fs::remove_file(file)
        }
        made => Ok(made.map(drop)?),
    }
}

/// Metrics are no reason to end a deploy: of a place that is not there it only says so.
fn textfile(config: &Config) -> Option<Finding> {
    let dir = config.metrics.textfile.as_ref()?.parent()?;
    let error = fs::metadata(dir).err()?;
    let what = format!("[metrics] textfile cannot be written: {}: {error}", dir.display());
    Some(Finding::warning("textfile", what, format!("sudo install -d -o {} {}", User::current().name, dir.display())))
}

fn is_dir(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.is_dir() { Ok(()) } else { Err(Errno::NOTDIR.into()) }
}

/// Opens it to write, and writes nothing.
fn open_it(file: &Path) -> io::Result<()> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    OpenOptions::new().write(true).custom_flags(flags).open(file).map(drop)
}

fn judge(place: &Path, tried: &io::Result<()>) -> Option<Finding> {
    judge_else(place, tried, &format!("ls -ld {}", place.display()))
}

/// The same; `denied` is the way out where it is a matter of rights.
fn judge_else(place: &Path, tried: &io::Result<()>, denied: &str) -> Option<Finding> {
    let error = tried.as_ref().err()?;
    let shown = place.display();
    // one command takes it out of the way
    let in_the_way = |what: &str| {
        let what = format!("{shown} is in the way: {what}");
        Some(Finding::fatal(IN_THE_WAY, what, format!("mv {shown} {shown}.damaged")))
    };
    let fix = match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOTDIR) => return in_the_way("it is no directory"),
        Some(Errno::ISDIR) => return in_the_way("it is a directory"),
        Some(Errno::LOOP) => return in_the_way("it is a symbolic link"),
        _ if error.kind() == ErrorKind::NotFound && place.is_symlink() => {
            return in_the_way("it is a link that leads nowhere");
        }
        // what is not there is made when it is needed, or is told as what it is
        _ if error.kind() == ErrorKind::NotFound => return None,
        Some(Errno::ROFS) => format!("findmnt -T {shown}, and mount it for writing"),
        Some(Errno::PERM) => history::immutable(place),
        Some(Errno::NOSPC | Errno::DQUOT) => "bluegreen releases prune".to_owned(),
        _ => denied.to_owned(),
    };
    Some(Finding::fatal("not-writable", format!("{} cannot write to {shown}: {error}", User::current().name), fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_told_with_its_own_way_out() {
        let at = |errno: Errno| judge(Path::new("/x"), &Err(errno.into()));
        let fix = |errno| at(errno).unwrap().fix.unwrap();
        assert_eq!(fix(Errno::ROFS), "findmnt -T /x, and mount it for writing");
        assert_eq!(fix(Errno::PERM), "lsattr -d /x; sudo chattr -i -a /x");
        assert_eq!(fix(Errno::ACCESS), "ls -ld /x");
        assert_eq!(fix(Errno::NOSPC), "bluegreen releases prune");
        assert_eq!(at(Errno::NOENT), None);
        assert_eq!(fix(Errno::NOTDIR), "mv /x /x.damaged");
        assert_eq!(judge(Path::new("/x"), &Ok(())), None);
    }

    #[test]
    fn it_is_tried_and_nothing_is_left() {
        let dir = tempfile::tempdir().unwrap();
        make_one(dir.path()).unwrap();
        assert_eq!(dir.path().read_dir().unwrap().count(), 0);
        let state = dir.path().join("state.json");
        fs::write(&state, "kept").unwrap();
        open_it(&state).unwrap();
        assert_eq!(fs::read_to_string(&state).unwrap(), "kept");
        assert_eq!(open_it(&dir.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        for tried in [make_one(&link), is_dir(&link)] {
            assert_eq!(judge(&link, &tried).unwrap().fix(), format!("mv {0} {0}.damaged", link.display()));
        }
        assert_eq!(
            judge(&state, &is_dir(&state)).unwrap().what,
            format!("{} is in the way: it is no directory", state.display())
        );
        assert!(is_dir(dir.path()).is_ok());
    }
}
