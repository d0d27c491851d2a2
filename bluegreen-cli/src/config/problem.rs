//! What is wrong with a configuration, and where.

use std::{fmt, io, ops::Range, path::PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::SMALLEST;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// What, as `unknown key`.
    pub(super) title: String,
    /// Where, in bytes of the file; `None` for something that is missing.
    pub(super) span: Option<Range<usize>>,
    /// Said at the place.
    pub(super) label: String,
    /// What to do.
    pub(super) help: Option<String>,
}

impl Problem {
    pub(super) fn new(title: impl Into<String>, span: Range<usize>) -> Self {
        Self { title: title.into(), span: Some(span), label: String::new(), help: None }
    }

    /// One without a place in the file.
    pub(super) fn nowhere(title: impl Into<String>) -> Self {
        Self { title: title.into(), span: None, label: String::new(), help: None }
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds `did you mean` when one of `known` is near `word`, else what they are.
    pub(super) fn suggest<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        match nearest(word, &known) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self.help(format!("use {}", list(&known))),
        }
    }

    fn render(&self, path: &str, text: &str, renderer: &Renderer) -> String {
        let mut group = match &self.span {
            Some(span) => {
                let place = AnnotationKind::Primary.span(span.clone());
                let place = if self.label.is_empty() { place } else { place.label(&self.label) };
                Level::ERROR.primary_title(&self.title).element(Snippet::source(text).path(path).annotation(place))
            }
            None => Group::with_title(Level::ERROR.primary_title(format!("{path}: {}", self.title))),
        };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group])
    }
}

/// The most similar of `known`, if one is similar at all.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let likeness = |k: &&str| strsim::jaro_winkler(word, k);
    let best = known.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(&best) > 0.8).then_some(best)
}

fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Why there is no configuration to work with. [`ConfigError::render`] is what a person should see.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no file.
    #[error("no configuration found")]
    NotFound {
        /// The places that were looked at, first to last.
        looked: Vec<PathBuf>,
    },
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could write commands into it.
    #[error("{path} is not safe to use: {reason}")]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// Who may write to it.
        reason: String,
        /// What to type.
        fix: String,
    },
    /// The file is of another app than `--app` says.
    #[error("{path} is for app `{found}`, and --app says `{wanted}`")]
    OtherApp {
        /// The file.
        path: PathBuf,
        /// The app in it.
        found: String,
        /// The app that was asked for.
        wanted: String,
    },
    /// Something in it is wrong.
    #[error("{0}")]
    Invalid(Invalid),
}

/// Everything that is wrong in one file.
#[derive(Debug, Clone)]
pub struct Invalid {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) problems: Vec<Problem>,
}

impl Invalid {
    /// What is wrong, where, and what to do, of each problem.
    pub(crate) fn each(&self) -> impl Iterator<Item = [String; 3]> {
        self.problems.iter().map(|problem| {
            let line = problem.span.as_ref().map(|span| format!(":{}", line_of(&self.text, span.start)));
            let what = format!("{}: {}", problem.title, problem.label);
            let place = format!("{}{}", self.path.display(), line.unwrap_or_default());
            [what, place, problem.help.clone().unwrap_or_default()]
        })
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        let Some(first) = self.problems.first() else { return Ok(()) };
        if let Some(span) = &first.span {
            write!(f, ":{}", line_of(&self.text, span.start))?;
        }
        write!(f, ": {}", first.title)
    }
}

/// The line, from 1, of byte `at` of `text`.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}

impl ConfigError {
    /// The error as a person should see it: the line, the place, the fix. Ends without a line break.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let plain = |help: Option<String>| {
            let group = Group::with_title(Level::ERROR.primary_title(chain(self)));
            let group = match help {
                Some(help) => group.element(Level::HELP.message(help)),
                None => group,
            };
            renderer.render(&[group])
        };
        match self {
            Self::Invalid(Invalid { path, text, problems }) => {
                let path = path.display().to_string();
                let all: Vec<String> = problems.iter().map(|p| p.render(&path, text, &renderer)).collect();
                all.join("\n\n")
            }
            Self::NotFound { looked } => {
                let looked: Vec<String> = looked.iter().map(|p| p.display().to_string()).collect();
                let smallest: Vec<String> = SMALLEST.lines().map(|l| format!("    {l}").trim_end().into()).collect();
                format!(
                    "{}\n\nThe smallest one that works:\n\n{}",
                    plain(Some(format!(
                        "looked at {}; `bluegreen init` writes one, `--config FILE` names another",
                        looked.join(", ")
                    ))),
                    smallest.join("\n")
                )
            }
            Self::Unsafe { fix, .. } => plain(Some(fix.clone())),
            Self::Unreadable { .. } => plain(None),
            Self::OtherApp { .. } => plain(Some("name the right file with --config, or leave --app out".to_owned())),
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source()).map(ToString::to_string);
    causes.collect::<Vec<_>>().join(": ")
}
