//! Calling nginx.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::process::Command;

use super::SetupError;

/// How nginx is called: no shell, arguments as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nginx {
    command: Vec<String>,
    test: Vec<String>,
    reload: Vec<String>,
}

/// More than a reload of the largest configurations takes.
const WITHIN: Duration = Duration::from_secs(30);

impl Nginx {
    /// nginx as `command`, which is the binary and what chooses its configuration: `["nginx"]`, or
    /// `["/opt/nginx", "-p", PREFIX, "-c", FILE]`.
    pub fn new(command: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let command: Vec<String> = command.into_iter().map(Into::into).collect();
        let with = |more: &[&str]| command.iter().cloned().chain(more.iter().map(|s| (*s).to_owned())).collect();
        Self { test: with(&["-t"]), reload: with(&["-s", "reload"]), command }
    }

    /// Tests with this command instead of `-t`.
    #[must_use]
    pub fn with_test(self, test: Vec<String>) -> Self {
        Self { test, ..self }
    }

    /// Reloads with this command instead of `-s reload`.
    #[must_use]
    pub fn with_reload(self, reload: Vec<String>) -> Self {
        Self { reload, ..self }
    }

    /// Whether nginx takes its configuration.
    pub(super) async fn test(&self) -> Result<(), SetupError> {
        run(&self.test).await.map(drop)
    }

    /// Asks for a reload. That it returns 0 is no proof that it happened.
    pub(super) async fn reload(&self) -> Result<(), SetupError> {
        run(&self.reload).await.map(drop)
    }

    /// The files that its configuration is made of, the main one first.
    pub(super) async fn files(&self) -> Result<Vec<PathBuf>, SetupError> {
        let dump: Vec<String> = self.command.iter().cloned().chain(["-T".to_owned()]).collect();
        let text = run(&dump).await?;
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

async fn run(command: &[String]) -> Result<String, SetupError> {
    let failed = |output: String| SetupError::Nginx { command: command.join(" "), output };
    let Some((program, args)) = command.split_first() else { return Err(failed("the command is empty".into())) };
    let mut call = Command::new(program);
    call.args(args).env("LC_ALL", "C").stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(WITHIN, call.output())
        .await
        .map_err(|_| failed(format!("no end after {} s", WITHIN.as_secs())))?
        .map_err(|e| failed(e.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    // its warnings are not why it failed
    let lines: Vec<&str> = said.lines().filter(|l| !l.contains("[warn]") && !l.trim().is_empty()).collect();
    Err(failed(if lines.is_empty() { output.status.to_string() } else { lines.join("; ") }))
}
