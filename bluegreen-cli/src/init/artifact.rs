//! What is deployed from a directory.

use std::{
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{found::App, jar, node, python, texts::Texts};

/// Where builds leave their jars.
const JARS: [&str; 4] = ["build/libs", "target", "zip", ""];
/// Jars that nobody runs.
const NOT_RUN: [&str; 4] = ["-plain.jar", "-sources.jar", "-javadoc.jar", "-tests.jar"];

/// The app in `dir`.
pub(super) fn app_in(dir: &Path, texts: &Texts) -> Option<App> {
    let jar = || {
        let (place, jar) = JARS.iter().find_map(|place| Some((place, newest(jars(&dir.join(place), texts))?)))?;
        let pattern = Path::new(place).join("*.jar").display().to_string();
        Some(App { artifact: Some(relative(dir, &jar)), pattern: Some(pattern), ..jar::app(&jar) })
    };
    let binary = || binaries(dir, texts).map(|path| binary(dir, &path));
    jar().or_else(|| node::app(dir, texts)).or_else(|| python::app(dir, texts)).or_else(binary)
}

/// The app that this artifact is.
pub(super) fn app_of(dir: &Path, artifact: &Path, texts: &Texts) -> App {
    let path = dir.join(artifact);
    let app = match path.extension().and_then(|ending| ending.to_str()) {
        Some("jar" | "war") => jar::app(&path),
        Some("js" | "mjs" | "cjs") => App {
            kind: "script",
            command: ["node", "{artifact}"].map(str::to_owned).into(),
            env: vec![("PORT".into(), "{port}".into())],
            ..App::default()
        },
        _ if path.is_dir() => app_in(&path, texts).unwrap_or_else(|| binary(dir, &path)),
        _ => binary(dir, &path),
    };
    let inner = path.is_dir().then_some(app.artifact.clone()).flatten().filter(|inner| inner != Path::new("."));
    let artifact = inner.map_or_else(|| artifact.to_owned(), |inner| artifact.join(inner));
    let pattern = (app.kind == "jar").then(|| artifact.with_file_name("*.jar").display().to_string());
    App { artifact: Some(artifact), pattern, ..app }
}

/// A program that takes its port from its environment, as most do.
fn binary(dir: &Path, path: &Path) -> App {
    App {
        kind: "program",
        name: path.file_stem().and_then(|name| name.to_str()).map(str::to_owned),
        artifact: Some(relative(dir, path)),
        command: vec!["{artifact}".to_owned()],
        env: vec![("PORT".into(), "{port}".into())],
        ..App::default()
    }
}

fn relative(dir: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(dir).unwrap_or(path).to_owned()
}

fn jars(dir: &Path, texts: &Texts) -> Vec<PathBuf> {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let runs = |path: &PathBuf| {
        let name = name(path);
        path.extension().is_some_and(|ending| ending == "jar")
            && !NOT_RUN.iter().any(|end| name.ends_with(end))
            && !name.starts_with("original-")
    };
    texts.entries(dir).into_iter().filter(runs).collect()
}

fn newest(files: Vec<PathBuf>) -> Option<PathBuf> {
    let modified = |path: &PathBuf| path.metadata().and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    files.into_iter().max_by_key(modified)
}

/// The only program in `dir`, besides this one.
fn binaries(dir: &Path, texts: &Texts) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        let executable = path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
        let mut magic = [0; 4];
        let mut elf = || {
            let read =
                bluegreen_linux::files::find(path).is_ok_and(|mut found| found.file.read_exact(&mut magic).is_ok());
            read && magic == *b"\x7fELF"
        };
        executable && path.file_name().is_none_or(|name| name != "bluegreen") && elf()
    };
    let found: Vec<PathBuf> = texts.entries(dir).into_iter().filter(is_program).collect();
    if let [only] = &found[..] { Some(only.clone()) } else { None }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn takes_the_newest_jar_that_runs() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("build/libs")).unwrap();
        fs::write(dir.path().join("old.jar"), "").unwrap();
        for name in ["shop-1.jar", "shop-2.jar", "shop-2-plain.jar", "shop-2-sources.jar"] {
            fs::write(dir.path().join("build/libs").join(name), "").unwrap();
        }
        let old = fs::File::open(dir.path().join("build/libs/shop-1.jar")).unwrap();
        old.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let app = app_in(dir.path(), &Texts::default()).unwrap();
        assert_eq!(
            (app.artifact, app.pattern),
            (Some("build/libs/shop-2.jar".into()), Some("build/libs/*.jar".into()))
        );
    }

    #[test]
    fn a_program_is_taken_when_it_is_the_only_one() {
        let dir = tempfile::tempdir().unwrap();
        let program = |name: &str| {
            let path = dir.path().join(name);
            fs::write(&path, b"\x7fELF").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        assert_eq!(app_in(dir.path(), &Texts::default()), None);
        program("bluegreen");
        program("shop");
        let app = app_in(dir.path(), &Texts::default()).unwrap();
        assert_eq!((app.kind, app.artifact, app.command), ("program", Some("shop".into()), vec!["{artifact}".into()]));
        program("other");
        assert_eq!(app_in(dir.path(), &Texts::default()), None);
        let named = app_of(dir.path(), Path::new("other"), &Texts::default());
        assert_eq!((named.artifact, named.name.as_deref()), (Some("other".into()), Some("other")));
    }
}
