//! How nginx is called.

use std::path::{Path, PathBuf};

use crate::{
    argv::{self, Failed},
    setup::same,
};

/// How nginx is called: no shell, arguments as they are. Each command is ended after 30 s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commands {
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
        Self { dump: with(&["-T"]), test: with(&["-t"]), reload: with(&["-s", "reload"]) }
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
