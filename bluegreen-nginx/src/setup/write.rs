//! Writing configuration files so that each is old or new at any moment.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use bluegreen_linux::{
    dirs,
    files::{self, Replace},
    users::User,
};

use super::{Edit, SetupError};

/// A file of nginx that is larger is not read.
const LIMIT: u64 = 16 << 20;

/// The text of a file, or `None` when there is none.
pub(super) fn read(path: &Path) -> Result<Option<String>, SetupError> {
    match files::find(path).and_then(|found| found.text(LIMIT)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(SetupError::Io { action: "read", path: path.to_owned(), source: error.into() }),
    }
}

/// Gives `path` this text with one rename, on the disk when this returns; `modified` is its time, else now. Mode and owner
/// stay; a new file is everybody's to read.
pub(crate) fn replace(path: &Path, text: &str, modified: Option<SystemTime>) -> io::Result<()> {
    // a leading dot: `include sites-enabled/*` does not see it; always the same name: what a killed one left goes
    let mut name = OsString::from(".bluegreen-");
    name.push(path.file_name().unwrap_or_default());
    let how = Replace::public().as_before().modified(modified).beside(name);
    Ok(files::replace(path, text.as_bytes(), &how)?)
}

/// Whether [`replace`] could write a new file beside `path`, with its mode and owner. Somebody may be at it meanwhile: this one has
/// another name.
pub(crate) fn try_beside(path: &Path) -> io::Result<()> {
    let how = Replace::public().as_before().beginning(".bluegreen-try-");
    Ok(files::New::write(path, b"", &how).map(drop)?)
}

/// Gives `path` this text, or removes it; mode and owner stay.
pub(super) fn put(path: &Path, text: Option<&str>) -> Result<(), SetupError> {
    let dir = path.parent().unwrap_or(path);
    let write = || match text {
        Some(text) => {
            dirs::reach(dir)?.make(0o755, &User::current()).map_err(io::Error::other)?;
            replace(path, text, None)
        }
        None => match fs::remove_file(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| File::open(dir)?.sync_all()),
        },
    };
    write().map_err(|source| SetupError::Io { action: "write", path: path.to_owned(), source })
}

/// Copies an owner's file before it is changed, into `dir`: beside itself, `include sites-enabled/*` would read it too.
pub(super) fn back_up(edit: &Edit, dir: &Path) -> Result<Option<PathBuf>, SetupError> {
    let Some(before) = edit.before.as_deref().filter(|_| edit.foreign) else { return Ok(None) };
    let copy = dir.join(format!("{}{}", copies_of(&edit.path), date(SystemTime::now())));
    put(&copy, Some(before)).map(|()| Some(copy))
}

/// What the names of the copies of a file begin with; the time follows.
fn copies_of(path: &Path) -> String {
    format!("{}.bluegreen-", path.to_string_lossy().trim_start_matches('/').replace('/', "-"))
}

/// The text of the copies of `path` in `dir` that was made last.
pub(super) fn newest_copy(path: &Path, dir: &Path) -> Option<String> {
    let begin = copies_of(path);
    let names = dir.read_dir().ok()?.flatten().map(|entry| entry.path());
    let copies = names.filter(|copy| copy.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&begin)));
    read(&copies.max()?).ok()?
}

/// A moment as `20261122T145440Z`.
fn date(now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // days to a date: Howard Hinnant, "chrono-compatible low-level date algorithms"; years begin in March
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::Permissions,
        os::unix::fs::{MetadataExt as _, PermissionsExt as _},
        time::Duration,
    };

    use super::*;

    #[test]
    fn keeps_the_mode_and_leaves_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("new/site");
        put(&path, Some("one")).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o644);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        // of one that was killed
        fs::write(path.with_file_name(".bluegreen-site"), "tw").unwrap();
        put(&path, Some("two")).unwrap();
        assert_eq!((read(&path).unwrap().as_deref(), path.metadata().unwrap().mode() & 0o777), (Some("two"), 0o640));
        assert_eq!(path.parent().unwrap().read_dir().unwrap().count(), 1);
        put(&path, None).unwrap();
        put(&path, None).unwrap();
        assert_eq!(read(&path).unwrap(), None);
    }

    #[test]
    fn root_makes_no_directory_where_somebody_else_leads() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED: only root is led astray");
            return;
        }
        let home = tempfile::tempdir().unwrap();
        let (theirs, elsewhere) = (home.path().join("theirs"), home.path().join("elsewhere"));
        for dir in [&theirs, &elsewhere] {
            fs::create_dir(dir).unwrap();
        }
        std::os::unix::fs::symlink(&elsewhere, theirs.join("nginx")).unwrap();
        std::os::unix::fs::chown(&theirs, Some(4242), None).unwrap();
        assert!(put(&theirs.join("nginx/bluegreen/shop.inc"), Some("x")).is_err());
        assert_eq!(elsewhere.read_dir().unwrap().count(), 0);
    }

    #[test]
    fn dates() {
        let at = |seconds| date(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "19700101T000000Z");
        assert_eq!(at(951_782_399), "20000228T235959Z");
        assert_eq!(at(951_782_400), "20000229T000000Z");
        assert_eq!(at(1_795_359_280), "20261122T145440Z");
    }
}
