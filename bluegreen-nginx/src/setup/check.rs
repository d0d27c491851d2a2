//! What differs between nginx and what it should be.

use std::os::unix::fs::MetadataExt;

use bluegreen_core::{ProfileResolver, ResolveError};

use super::{Setup, SetupError, config::Directive, config::line_of, tree::Tree};
use crate::text::chain;

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What is seen.
    pub what: String,
    /// What to do.
    pub fix: String,
}

impl Difference {
    fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what: what.into(), fix: fix.into() }
    }
}

const APPLY: &str = "sudo bluegreen setup --apply";

impl Setup {
    /// Everything that differs; nothing when the app is set up. Changes nothing, and reads nginx's configuration, for which
    /// nginx wants to be root on most machines.
    pub async fn check(&self) -> Vec<Difference> {
        let mut found = self.check_route();
        match self.tree().await {
            Err(error) => {
                let fix = match &error {
                    SetupError::Nginx(_) => "run this as root, or repair nginx's configuration first".to_owned(),
                    error => error.fix(),
                };
                found.push(Difference::new(chain(&error), fix));
            }
            Ok(tree) => found.extend(self.check_files(&tree)),
        }
        match self.resolver().resolve().await {
            Ok(_) => {}
            Err(error @ (ResolveError::NotSetUp(_) | ResolveError::Differs(_))) => {
                found.push(Difference::new(error.to_string(), APPLY));
            }
            Err(error) => found.push(Difference::new(error.to_string(), "put that right, then run this again")),
        }
        found
    }

    fn check_route(&self) -> Vec<Difference> {
        let mut found = Vec::new();
        if let Err(error) = self.route.check() {
            found.push(Difference::new(chain(&error), APPLY));
        } else if let Err(error) = self.route.read() {
            found.push(Difference::new(chain(&error), APPLY));
        }
        let uid = self.route.path().metadata().map(|meta| meta.uid());
        if let (Ok(uid), Some((owner, _))) = (uid, self.owner)
            && uid != owner
        {
            let what = format!("{} belongs to user {uid}, not to {owner}, who deploys", self.route.path().display());
            found.push(Difference::new(what, APPLY));
        }
        if let Err(error) = self.check_place() {
            found.push(Difference::new(chain(&error), format!("do that, then {APPLY}")));
        }
        found
    }

    fn check_files(&self, tree: &Tree) -> Vec<Difference> {
        if self.put_in_by_hand(tree).is_some() {
            return Vec::new();
        }
        let mut found = Vec::new();
        match self.rest_to_do(tree) {
            Err(error) => found.push(Difference::new(chain(&error), error.fix())),
            Ok(edits) => found.extend(edits.iter().map(|edit| {
                let what = match (edit.foreign, &edit.before) {
                    (true, _) => "does not use the route",
                    (false, None) => "is missing",
                    (false, Some(_)) => "has another text",
                };
                Difference::new(format!("{} {what}", edit.path.display()), APPLY)
            })),
        }
        for server in tree.servers() {
            let inner = server.directive.inner();
            let Some(include) = tree.include_of(inner, &self.server_file()) else { continue };
            let before = inner.iter().take_while(|d| *d != include);
            let jumps = |d: &&Directive| matches!(d.name.as_str(), "return" | "rewrite" | "if");
            if let Some(jump) = before.into_iter().find(jumps) {
                let file = &tree.files[server.file];
                found.push(Difference::new(
                    format!(
                        "{}, line {}: `{}` stands before bluegreen's include",
                        file.path.display(),
                        line_of(&file.text, jump.span.start),
                        jump.name
                    ),
                    format!("make `include {};` the first line of the server block", self.server_file().display()),
                ));
            }
        }
        found
    }
}
