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

const APPLY: &str = "run `bluegreen setup --apply`";

impl Setup {
    /// Everything that differs; nothing when the app is set up. Changes nothing, and reads nginx's configuration, for which
    /// nginx wants to be root on most machines.
    pub async fn check(&self) -> Vec<Difference> {
        let mut found = self.check_route();
        match self.tree().await {
            Err(error) => {
                found.push(Difference::new(chain(&error), "run this as root, or repair nginx's configuration first"));
            }
            Ok(tree) => found.extend(self.check_files(&tree)),
        }
        match self.resolver().resolve().await {
            Ok(_) => {}
            Err(error @ (ResolveError::NotSetUp(_) | ResolveError::Differs(_))) => {
                found.push(Difference::new(error.to_string(), APPLY));
            }
            Err(error) => found.push(Difference::new(error.to_string(), "do what it says, then run this again")),
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
            found.push(Difference::new(chain(&error), "change it, then run this again"));
        }
        found
    }

    fn check_files(&self, tree: &Tree) -> Vec<Difference> {
        if self.put_in_by_hand(tree).is_some() {
            return Vec::new();
        }
        let mut found = Vec::new();
        match self.rest_to_do(tree) {
            Err(error) => found.push(Difference::new(chain(&error), APPLY)),
            Ok(files) => found.extend(files.into_iter().map(|what| Difference::new(what, APPLY))),
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

    /// What a set-up would still write.
    fn rest_to_do(&self, tree: &Tree) -> Result<Vec<String>, SetupError> {
        let edits = self.edits(tree)?.1;
        let what = |foreign, new| match (foreign, new) {
            (true, _) => "does not use the route",
            (false, true) => "is missing",
            (false, false) => "has another text",
        };
        Ok(edits.into_iter().map(|e| format!("{} {}", e.path.display(), what(e.foreign, e.before.is_none()))).collect())
    }
}
