//! How nginx is called.

use std::path::{Path, PathBuf};

use bluegreen_linux::program::find;

use crate::{
    argv::{self, Failed},
    master::configuration,
    setup::same,
};

/// How nginx is called: no shell, arguments as they are. Each command is ended after 30 s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commands {
    call: Vec<String>,
    dump: Vec<String>,
    test: Vec<String>,
    reload: Vec<String>,
}

impl Commands {
    /// nginx as `command`, which is the binary, what runs it and what chooses its configuration: `["nginx"]`,
    /// `["sudo", "-n", "nginx"]`, or `["/opt/nginx", "-p", PREFIX, "-c", FILE]`.
    pub fn new(command: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let command: Vec<String> = command.into_iter().map(Into::into).collect();
        let with = |more: &[&str]| command.iter().cloned().chain(more.iter().map(|s| (*s).to_owned())).collect();
        let [dump, test, reload] = [with(&["-T"]), with(&["-t"]), with(&["-s", "reload"])];
        Self { call: command, dump, test, reload }
    }

    /// Tests with this command instead of `-t`.
    #[must_use = "returns the commands"]
    pub fn with_test(self, test: Vec<String>) -> Self {
        Self { test, ..self }
    }

    /// Reloads with this command instead of `-s reload`.
    #[must_use = "returns the commands"]
    pub fn with_reload(self, reload: Vec<String>) -> Self {
        Self { reload, ..self }
    }

    /// What a person types to test the configuration of this very nginx, as `sudo nginx -t`.
    pub fn typed_test(&self) -> String {
        typed(&self.test)
    }

    /// What a person types to reload it, as `sudo nginx -s reload`.
    pub fn typed_reload(&self) -> String {
        typed(&self.reload)
    }

    /// What a person types to see what it logged; only the system's own nginx has its log at a known place.
    pub fn typed_log(&self) -> String {
        match typed(&self.dump) {
            dump if dump == "sudo nginx -T" => "sudo tail /var/log/nginx/error.log".to_owned(),
            dump => format!("{dump} | grep error_log, then sudo tail that file"),
        }
    }

    /// Whether nginx takes its configuration.
    pub(crate) async fn test(&self) -> Result<(), Failed> {
        argv::run(&self.test).await.map(drop)
    }

    /// Whether nginx takes its configuration; the text is what it says against it.
    ///
    /// # Errors
    /// What nginx says against it, or why it could not be called. It ends with `syntax is ok` when all of the configuration could
    /// be read, and a file could not be opened then.
    pub async fn accepts(&self) -> Result<(), String> {
        self.test().await.map_err(|failed| failed.to_string())
    }

    /// Whether the configuration on the disk includes the file `path`; the error is what nginx says instead. On most machines
    /// only root gets an answer.
    ///
    /// # Errors
    /// What nginx says instead of an answer.
    pub async fn reads(&self, path: &Path) -> Result<bool, String> {
        let files = self.files().await.map_err(|failed| failed.to_string())?;
        Ok(files.iter().any(|file| same(file, path)))
    }

    /// The main file of its configuration; milliseconds.
    pub async fn configuration(&self) -> PathBuf {
        let asked: Vec<String> = self.call.iter().cloned().chain(["-V".to_owned()]).collect();
        let built = argv::run(&asked).await.unwrap_or_default();
        configuration(&self.call, &built)
    }

    /// Asks for a reload. That it returns 0 is no proof that it happened.
    pub(crate) async fn reload(&self) -> Result<(), Failed> {
        argv::run(&self.reload).await.map(drop)
    }

    /// The files that its configuration is made of, the main one first.
    pub(crate) async fn files(&self) -> Result<Vec<PathBuf>, Failed> {
        let text = argv::run(&self.dump).await?;
        let file = |line: &str| {
            line.strip_prefix("# configuration file ").and_then(|l| l.strip_suffix(':')).map(PathBuf::from)
        };
        let mut files = Vec::new();
        for path in text.lines().filter_map(file) {
            // a comment of that form inside a file names nothing that exists
            if path.is_file() && !files.contains(&path) {
                files.push(path);
            }
        }
        Ok(files)
    }
}

/// `argv` for a person: sudo may ask them, a program that is found by its name needs no path, and a shell reads it.
fn typed(argv: &[String]) -> String {
    let rest = argv.strip_prefix(&["sudo".to_owned()]).unwrap_or(argv);
    let rest = rest.strip_prefix(&["-n".to_owned()]).unwrap_or(rest);
    let name = |program: &String| program.rsplit('/').next().unwrap_or_default().to_owned();
    let by_name = |program: &&String| find(name(program)).is_some_and(|file| file == Path::new(program));
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=@%+,".contains(c);
    let quoted = |word: &String| {
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    let program = rest.first().map(|program| if by_name(&program) { name(program) } else { quoted(program) });
    ["sudo".to_owned()].into_iter().chain(program).chain(rest.iter().skip(1).map(quoted)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_types_the_nginx_that_is_meant() {
        let other = Commands::new(["/opt/my nginx", "-c", "/opt/nginx.conf"]);
        assert_eq!(other.typed_test(), "sudo '/opt/my nginx' -c /opt/nginx.conf -t");
        assert_eq!(other.typed_reload(), "sudo '/opt/my nginx' -c /opt/nginx.conf -s reload");
        assert!(other.typed_log().starts_with("sudo '/opt/my nginx' -c /opt/nginx.conf -T | grep error_log"));
        let system = Commands::new(["nginx"]);
        assert_eq!(
            [system.typed_test(), system.typed_reload(), system.typed_log()],
            ["sudo nginx -t", "sudo nginx -s reload", "sudo tail /var/log/nginx/error.log"]
        );
        let quiet = system.with_test(["sudo", "-n", "docker", "exec", "web", "nginx", "-t"].map(str::to_owned).into());
        assert_eq!(quiet.typed_test(), "sudo docker exec web nginx -t", "a person may be asked for a password");
        let Some(sh) = find("sh") else { return };
        assert_eq!(Commands::new([sh.display().to_string()]).typed_test(), "sudo sh -t", "as it is found by its name");
    }
}
