//! The article's five scripts: what they know about the app.

use std::path::{Path, PathBuf};

use regex::Regex;

use super::texts::Texts;
use crate::appspec::AppSpec;

/// What the scripts say; nothing where they do not say it plainly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scripts {
    /// Those that were read.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) profiles: Option<[(String, u16); 2]>,
    pub(crate) command: Option<Vec<String>>,
    /// The path of the health page.
    pub(crate) health: Option<String>,
    /// Where the jars are, as a pattern.
    pub(crate) artifacts: Option<String>,
}

const NAMES: [&str; 5] = ["profile.sh", "stop.sh", "start.sh", "health.sh", "switch.sh"];

/// The scripts in `dir`, in `dir/scripts`, or where `spec` names one.
pub(super) fn find(dir: &Path, spec: Option<&AppSpec>, texts: &Texts) -> Scripts {
    let named = spec.and_then(|spec| spec.script("start.sh")).and_then(|path| path.parent().map(Path::to_path_buf));
    let places = [Some(dir.to_path_buf()), Some(dir.join("scripts")), named];
    let is_home = |place: &PathBuf| place.join("profile.sh").is_file() || place.join("start.sh").is_file();
    let Some(home) = places.into_iter().flatten().find(is_home) else { return Scripts::default() };
    let read = |name: &str| texts.of(&home.join(name)).unwrap_or_default();
    let start = read("start.sh");
    let destination = spec.and_then(|spec| spec.destinations.first());
    Scripts {
        files: NAMES.iter().map(|name| home.join(name)).filter(|path| path.is_file()).collect(),
        profiles: profiles(&read("profile.sh")),
        command: command(&start),
        health: capture(&read("health.sh"), r"http://(?:localhost|127\.0\.0\.1):\$\{?\w+\}?(/[\w./-]*)"),
        artifacts: destination
            .map(|dir| dir.display().to_string())
            .or_else(|| variable(&start, "REPOSITORY").map(|repository| format!("{repository}/zip")))
            .map(|dir| format!("{}/*.jar", dir.trim_end_matches('/'))),
    }
}

fn capture(text: &str, pattern: &str) -> Option<String> {
    let pattern = Regex::new(pattern).ok()?;
    Some(pattern.captures(text)?.get(1)?.as_str().to_owned())
}

/// The value of a plain assignment.
fn variable(script: &str, name: &str) -> Option<String> {
    let value = script.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))?;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.contains('$') && !value.contains('`')).then(|| value.to_owned())
}

/// `if [ ... == real1 ] then echo "8081" else echo "8082"`.
fn profiles(script: &str) -> Option<[(String, u16); 2]> {
    let ports = Regex::new(r#"echo\s+"?(\d{2,5})"?"#).ok()?;
    let ports: Vec<(usize, u16)> = ports
        .captures_iter(script)
        .filter_map(|c| Some((c.get(0)?.start(), c.get(1)?.as_str().parse().ok()?)))
        .collect();
    let [(at, first), (_, second)] = ports[..] else { return None };
    let names = Regex::new(r#"(?:==\s*|PROFILE=)"?([a-z][a-z0-9-]*)\b"#).ok()?;
    let names: Vec<(usize, &str)> =
        names.captures_iter(script).filter_map(|c| Some((c.get(0)?.start(), c.get(1)?.as_str()))).collect();
    let (_, name) = names.iter().rev().find(|(place, _)| *place < at)?;
    let (_, other) = names.iter().find(|(_, other)| other != name)?;
    Some([((*name).to_owned(), first), ((*other).to_owned(), second)])
}

/// `nohup java ... $JAR > log 2>&1 &` as words with placeholders.
fn command(script: &str) -> Option<Vec<String>> {
    let joined = script.replace("\\\n", " ");
    let line = joined.lines().map(str::trim).find(|line| line.starts_with("nohup ") || line.starts_with("java "))?;
    let words = line.trim_start_matches("nohup ").split_whitespace();
    let words = words.take_while(|word| !matches!(*word, "&" | ">" | ">>" | "<" | "|") && !word.starts_with("2>"));
    let words: Vec<String> = words.map(|word| placeholders(script, word.trim_matches('"'))).collect();
    let plain = words.iter().all(|word| !word.contains(['$', '`', '\'', '"', '*']));
    (plain && words.len() > 1).then_some(words)
}

/// A shell variable as what it stands for.
fn placeholders(script: &str, word: &str) -> String {
    let Ok(pattern) = Regex::new(r"\$\{?(\w+)\}?") else { return word.to_owned() };
    let stands_for = |c: &regex::Captures<'_>| {
        let name = &c[1];
        match name {
            _ if name.contains("PROFILE") => "{profile}".to_owned(),
            _ if name.contains("PORT") => "{port}".to_owned(),
            _ if name.contains("JAR") => "{artifact}".to_owned(),
            _ => variable(script, name).unwrap_or_else(|| c[0].to_owned()),
        }
    };
    pattern.replace_all(word, stands_for).into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const START: &str = r"REPOSITORY=/home/ec2-user/app/step3
cp $REPOSITORY/zip/*.jar $REPOSITORY/
JAR_NAME=$(ls -tr $REPOSITORY/*.jar | tail -n 1)
nohup java -jar \
    -Dspring.config.location=classpath:/application-$IDLE_PROFILE.properties,/home/ec2-user/app/application-oauth.properties \
    -Dspring.profiles.active=$IDLE_PROFILE \
    $JAR_NAME > $REPOSITORY/nohup.out 2>&1 &
";
    const PROFILE: &str = r#"    if [ ${RESPONSE_CODE} -ge 400 ]
    then
        CURRENT_PROFILE=real2
    fi
    if [ ${IDLE_PROFILE} == real1 ]
    then
      echo "8081"
    else
      echo "8082"
    fi
"#;

    #[test]
    fn the_articles_scripts_say_all_that_is_needed() {
        let dir = tempfile::tempdir().unwrap();
        let health = "RESPONSE=$(curl -s http://localhost:${IDLE_PORT}/profile)\n";
        for (name, text) in [("start.sh", START), ("profile.sh", PROFILE), ("health.sh", health)] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let scripts = find(dir.path(), None, &Texts::default());
        assert_eq!(scripts.files.len(), 3);
        assert_eq!(scripts.profiles, Some([("real1".into(), 8081), ("real2".into(), 8082)]));
        assert_eq!(scripts.health.as_deref(), Some("/profile"));
        assert_eq!(scripts.artifacts.as_deref(), Some("/home/ec2-user/app/step3/zip/*.jar"));
        assert_eq!(
            scripts.command.unwrap(),
            [
                "java",
                "-jar",
                "-Dspring.config.location=classpath:/application-{profile}.properties,/home/ec2-user/app/application-oauth.properties",
                "-Dspring.profiles.active={profile}",
                "{artifact}",
            ]
        );
    }

    #[test]
    fn what_is_not_plain_is_left_alone() {
        assert_eq!(command("nohup java -jar `ls *.jar` &"), None);
        assert_eq!(command("nohup java $OPTS -jar x &"), None);
        assert_eq!(profiles("echo \"8081\""), None);
    }
}
