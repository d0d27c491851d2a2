//! `appspec.yml` of AWS CodeDeploy, as far as it matters here: which scripts run when, and for how long.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::init::Texts;

/// The file, read by its lines: it is YAML, of which only the plain form that people write is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppSpec {
    pub(crate) path: PathBuf,
    /// Where the files of a revision go.
    pub(crate) destinations: Vec<PathBuf>,
    pub(crate) hooks: Vec<Hook>,
}

/// A script of one event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hook {
    /// As `ApplicationStart`.
    pub(crate) event: String,
    /// As `scripts/start.sh`, relative to the file.
    pub(crate) script: PathBuf,
    pub(crate) timeout: Option<Duration>,
    pub(crate) user: Option<String>,
    /// In the file, from 1.
    pub(crate) line: usize,
}

impl AppSpec {
    /// The one in `dir`, if there is one.
    pub(crate) fn find(dir: &Path, texts: &Texts) -> Option<Self> {
        let path =
            ["appspec.yml", "appspec.yaml"].map(|name| dir.join(name)).into_iter().find(|path| path.is_file())?;
        let text = texts.of(&path)?;
        Some(Self::read(path, &text))
    }

    fn read(path: PathBuf, text: &str) -> Self {
        let mut spec = Self { path, destinations: Vec::new(), hooks: Vec::new() };
        let (mut section, mut event) = (String::new(), String::new());
        for (n, line) in text.lines().enumerate() {
            let Some((key, value, is_item)) = entry(line) else { continue };
            // the article's own file indents neither its sections nor its events: names tell them apart
            match (key, section.as_str()) {
                ("version" | "os" | "files" | "permissions" | "hooks", _) if value.is_empty() || key == "version" => {
                    key.clone_into(&mut section);
                }
                ("destination", "files") => spec.destinations.push(value.into()),
                ("location", "hooks") if is_item => {
                    let (event, script) = (event.clone(), value.into());
                    spec.hooks.push(Hook { event, script, line: n + 1, ..Hook::default() });
                }
                ("timeout", "hooks") => {
                    let seconds = value.parse().ok().map(Duration::from_secs);
                    spec.hooks.iter_mut().next_back().into_iter().for_each(|hook| hook.timeout = seconds);
                }
                ("runas", "hooks") => {
                    spec.hooks.iter_mut().next_back().into_iter().for_each(|hook| hook.user = Some(value.into()));
                }
                (name, "hooks") if value.is_empty() => name.clone_into(&mut event),
                _ => {}
            }
        }
        spec
    }

    /// A script of this name, wherever it runs.
    pub(crate) fn script(&self, name: &str) -> Option<PathBuf> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        let hook = self.hooks.iter().find(|hook| hook.script.file_name().is_some_and(|file| file == name))?;
        Some(dir.join(&hook.script))
    }
}

/// Key, value, and whether it begins an item of a list.
fn entry(line: &str) -> Option<(&str, &str, bool)> {
    let line = line.split(" #").next().unwrap_or_default().trim();
    let (line, is_item) = line.strip_prefix("- ").map_or((line, false), |rest| (rest.trim_start(), true));
    let (key, value) = line.split_once(':').filter(|_| !line.starts_with('#'))?;
    Some((key.trim(), value.trim().trim_matches(['"', '\'']), is_item))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in the article, whose lists are not indented.
    pub(crate) const ARTICLE: &str = "version: 0.0
os: linux
files:
- source:  /
    destination: /home/ec2-user/app/step3/zip/
    overwrite: yes

permissions:
- object: /
    owner: ec2-user

hooks:
AfterInstall:
    - location: stop.sh # frees the idle one
    timeout: 60
    runas: ec2-user
ApplicationStart:
    - location: scripts/start.sh
    timeout: \"300\"
ValidateService:
    - location: 'health.sh'
";

    #[test]
    fn reads_the_articles_and_what_it_means() {
        let tidy = "version: 0.0\nos: linux\nfiles:\n  - source: /\n    destination: /home/ec2-user/app/step3/zip/\nhooks:\n  \
                    # a comment: here\n  AfterInstall:\n    - location: stop.sh\n      timeout: 60\n      runas: ec2-user\n  \
                    ApplicationStart:\n    - location: scripts/start.sh\n      timeout: 300\n  ValidateService:\n    \
                    - location: health.sh\n";
        for text in [ARTICLE, tidy] {
            let spec = AppSpec::read("/srv/appspec.yml".into(), text);
            assert_eq!(spec.destinations, [PathBuf::from("/home/ec2-user/app/step3/zip/")]);
            let hooks: Vec<_> = spec
                .hooks
                .iter()
                .map(|h| {
                    (h.event.as_str(), h.script.to_str().unwrap(), h.timeout.map(|t| t.as_secs()), h.user.as_deref())
                })
                .collect();
            let wanted = [
                ("AfterInstall", "stop.sh", Some(60), Some("ec2-user")),
                ("ApplicationStart", "scripts/start.sh", Some(300), None),
                ("ValidateService", "health.sh", None, None),
            ];
            assert_eq!(hooks, wanted, "{text}");
            assert_eq!(spec.script("start.sh"), Some("/srv/scripts/start.sh".into()));
            assert_eq!(spec.script("switch.sh"), None);
        }
    }
}
