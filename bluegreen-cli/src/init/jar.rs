//! A jar: what its manifest and its settings say.

use std::{
    io::{BufReader, Read as _},
    path::Path,
};

use zip::ZipArchive;

use super::found::App;

/// The most that is read of one entry, in bytes.
const LIMIT: u64 = 256 << 10;

/// What a jar says about itself.
#[derive(Debug, Default, PartialEq, Eq)]
struct Inside {
    spring_boot: Option<String>,
    title: Option<String>,
    /// Names and texts of `application*.properties`, `.yml`.
    settings: Vec<(String, String)>,
    actuator: bool,
    profile_page: bool,
}

/// The app in the jar `path`; a file that is none is started by its name all the same.
pub(super) fn app(path: &Path) -> App {
    describe(&read(path).unwrap_or_default())
}

fn read(path: &Path) -> Option<Inside> {
    let mut jar = ZipArchive::new(BufReader::new(bluegreen_linux::files::find(path).ok()?.file)).ok()?;
    let names: Vec<String> = jar.file_names().flatten().map(std::borrow::Cow::into_owned).collect();
    let mut text = |name: &str| {
        let mut text = String::new();
        jar.by_name(name).ok()?.take(LIMIT).read_to_string(&mut text).ok()?;
        Some(text)
    };
    let manifest = text("META-INF/MANIFEST.MF").unwrap_or_default();
    let line = |key: &str| manifest.lines().find_map(|line| Some(line.strip_prefix(key)?.trim().to_owned()));
    let mut inside = Inside {
        spring_boot: line("Spring-Boot-Version:"),
        title: line("Implementation-Title:"),
        actuator: names.iter().any(|name| name.starts_with("BOOT-INF/lib/spring-boot-actuator")),
        profile_page: names.iter().any(|name| name.ends_with("/ProfileController.class")),
        settings: Vec::new(),
    };
    for name in names {
        let file = name.strip_prefix("BOOT-INF/classes/").unwrap_or(&name);
        let stem = file
            .strip_prefix("application")
            .and_then(|rest| rest.strip_suffix(".properties").or(rest.strip_suffix(".yml")));
        if let Some(profile) = stem.filter(|stem| !stem.contains('/')) {
            let profile = profile.trim_start_matches('-').to_owned();
            inside.settings.extend(text(&name).map(|text| (profile, text)));
        }
    }
    inside.settings.sort();
    Some(inside)
}

fn describe(inside: &Inside) -> App {
    let ports = inside.settings.iter().map(|(name, text)| (name, port(text)));
    let profiles: Vec<(String, u16)> = ports
        .clone()
        .filter_map(|(name, port)| Some((name.clone(), port?)))
        .filter(|(name, _)| !name.is_empty())
        .collect();
    let mut command: Vec<String> = ["java", "-jar"].map(str::to_owned).into();
    let mut details = Vec::new();
    if let Some(version) = &inside.spring_boot {
        details.push(format!("Spring Boot {version}"));
        if profiles.len() == 2 {
            command.push("-Dspring.profiles.active={profile}".to_owned());
            details.push(format!("profiles {} and {}", profiles[0].0, profiles[1].0));
        }
        if let Some((_, Some(port))) = ports.clone().find(|(name, _)| name.is_empty()) {
            details.push(format!("server.port={port}, which {{port}} replaces"));
        }
    }
    command.extend(["{artifact}", "--server.port={port}"].map(str::to_owned));
    let health = match (inside.profile_page && profiles.len() == 2, inside.actuator) {
        (true, _) => Some("/profile"),
        (false, true) => Some("/actuator/health"),
        (false, false) => None,
    };
    App {
        kind: "jar",
        name: inside.title.clone(),
        command,
        health,
        says_profile: health == Some("/profile"),
        profiles: if profiles.len() == 2 { profiles } else { Vec::new() },
        details,
        ..App::default()
    }
}

/// `server.port=8081`, or `port:` below `server:`.
fn port(text: &str) -> Option<u16> {
    let mut section = "";
    for line in text.lines() {
        let (key, value) = line.split_once(['=', ':']).unwrap_or((line, ""));
        let (indented, key, value) = (key.starts_with(' '), key.trim(), value.trim());
        if key == "server.port" || (indented && section == "server" && key == "port") {
            return value.parse().ok();
        }
        if !indented && !key.is_empty() {
            section = key;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    pub(crate) fn jar(entries: &[(&str, &str)]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut zip = ZipWriter::new(file.reopen().unwrap());
        for (name, text) in entries {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        file
    }

    #[test]
    fn the_articles_jar_says_its_profiles_and_ports() {
        let jar = jar(&[
            (
                "META-INF/MANIFEST.MF",
                "Manifest-Version: 1.0\r\nImplementation-Title: webservice\r\nSpring-Boot-Version: 2.1.7\r\n",
            ),
            ("BOOT-INF/classes/application.properties", "server.port=8080\n"),
            (
                "BOOT-INF/classes/application-real1.properties",
                "server.port=8081\nspring.profiles.include=oauth,real-db\n",
            ),
            ("BOOT-INF/classes/application-real2.yml", "spring:\n  port: 1\nserver:\n  port: 8082\n"),
            ("BOOT-INF/classes/application-oauth.properties", "secret=x\n"),
            ("BOOT-INF/classes/web/ProfileController.class", ""),
        ]);
        let app = app(jar.path());
        assert_eq!(app.name.as_deref(), Some("webservice"));
        assert_eq!(app.profiles, [("real1".to_owned(), 8081), ("real2".to_owned(), 8082)]);
        assert_eq!((app.health, app.says_profile), (Some("/profile"), true));
        assert_eq!(app.command[2..], ["-Dspring.profiles.active={profile}", "{artifact}", "--server.port={port}"]);
        assert_eq!(
            app.details,
            ["Spring Boot 2.1.7", "profiles real1 and real2", "server.port=8080, which {port} replaces"]
        );
    }

    #[test]
    fn another_jar_is_asked_where_it_has_a_health_page() {
        let with = |entries: &[(&str, &str)]| app(jar(entries).path()).health;
        assert_eq!(with(&[("BOOT-INF/lib/spring-boot-actuator-3.2.0.jar", "")]), Some("/actuator/health"));
        assert_eq!(with(&[("META-INF/MANIFEST.MF", "Main-Class: a.B\n")]), None);
        let text = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(app(text.path()).command, ["java", "-jar", "{artifact}", "--server.port={port}"]);
    }
}
