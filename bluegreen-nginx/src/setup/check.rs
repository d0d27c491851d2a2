//! What differs between nginx and what it should be.

use bluegreen_core::{Blind, ProfileResolver, Traffic};

use super::{
    Edit, Place, Setup, SetupError,
    config::Directive,
    plan::place,
    tree::{Pass, Tree},
};
use crate::{PlaceError, text::chain};

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What is seen.
    pub what: String,
    /// Where.
    pub at: Option<Place>,
    /// The text of a file of ours, as it is and as it should be.
    pub texts: Option<(String, String)>,
    /// What to do.
    pub fix: String,
}

impl Difference {
    /// One without a place.
    pub fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what: what.into(), at: None, texts: None, fix: fix.into() }
    }

    /// The same, at a place.
    #[must_use = "returns the difference"]
    pub fn at(self, place: Place) -> Self {
        Self { at: Some(place), ..self }
    }

    /// Whether [`Setup::apply`] puts it right by itself.
    pub fn is_applied(&self) -> bool {
        self.fix == APPLY
    }
}

const APPLY: &str = "sudo bluegreen setup --apply";

impl Setup {
    /// Everything that differs; nothing when the app is set up. Changes nothing.
    pub async fn check(&self) -> Vec<Difference> {
        let mut found = self.differences().await;
        if let Err(said) = self.commands.accepts().await
            && !is_for_root(&said)
            && !self.repairs(&said).await
        {
            found.insert(0, Difference::new(said, format!("mend that file, then {}", self.commands.typed_test())));
        }
        match self.resolver().resolve().await {
            Ok(Traffic::Ours(_)) => {}
            Ok(traffic) => found.push(Difference::new(traffic.to_string(), APPLY)),
            Err(blind @ Blind::Differs(_)) => found.push(Difference::new(blind.to_string(), APPLY)),
            // said above: who cannot enter it says another route
            Err(Blind::Route(_)) if matches!(self.check_place(), Err(PlaceError::NotSearchable(_))) => {}
            Err(error) => found.push(Difference::new(error.to_string(), "put that right, then run this again")),
        }
        found
    }

    /// What differs in the files and the route directory, without asking nginx for a proof, or what it has against its
    /// configuration: that is for [`Commands::accepts`](crate::Commands::accepts). Where nginx does not tell its configuration,
    /// the files are read instead.
    pub async fn differences(&self) -> Vec<Difference> {
        let mut found = self.check_route();
        let tree = match self.tree().await {
            Err(SetupError::Nginx(said)) => match self.walked().await {
                // nginx says the same against it
                Err(SetupError::Syntax { .. }) if !is_for_root(&said) => return found,
                tree => tree,
            },
            tree => tree,
        };
        match tree {
            Err(error) => found.push(Difference::new(chain(&error), error.fix(&self.commands))),
            Ok(tree) => found.extend(self.check_files(&tree)),
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
        if let Err(error) = self.route.fits(&self.owner()) {
            found.push(Difference::new(chain(&error), format!("do that, then {APPLY}")));
        }
        if let Err(error) = self.check_place() {
            found.push(Difference::new(chain(&error), format!("do that, then {APPLY}")));
        }
        found
    }

    fn check_files(&self, tree: &Tree) -> Vec<Difference> {
        let mut found = self.misplaced(tree);
        if self.put_in_by_hand(tree).is_some() {
            return found;
        }
        let rest = self.passes(tree).and_then(|(passes, _)| {
            found.extend(passes.iter().map(|pass| self.not_converted(tree, pass)));
            Ok((self.edits(tree, &passes)?, passes))
        });
        match rest {
            Err(SetupError::Location { path, line, reason }) => {
                let at = Place { path, line };
                if !found.iter().any(|difference| difference.at.as_ref() == Some(&at)) {
                    found.push(Difference::new(reason, format!("do that, then {APPLY}")).at(at));
                }
            }
            // said above: without the include where it belongs no location is known to be the app's
            Err(SetupError::NoLocation { .. }) if tree.includes(&self.server_file()) => {}
            Err(error) => found.push(Difference::new(chain(&error), error.fix(&self.commands))),
            Ok((edits, passes)) => {
                let told = |edit: &&Edit| passes.iter().any(|pass| edit.foreign && is_at(tree, pass, edit));
                found.extend(edits.iter().filter(|edit| !told(edit)).map(differs));
            }
        }
        found
    }

    /// A `proxy_pass` that [`Setup::apply`] would change, or the owner must.
    fn not_converted(&self, tree: &Tree, pass: &Pass<'_>) -> Difference {
        let what = format!("`proxy_pass {}` does not follow the route", pass.directive.arg());
        let fix = match tree.http().map(|http| self.location_lines(tree, http, pass)) {
            Some(Err(SetupError::Location { reason, .. })) => format!("{reason}; then {APPLY}"),
            _ => APPLY.to_owned(),
        };
        Difference::new(what, fix).at(place(tree, pass.file, pass.directive))
    }

    /// What is ours and stands where it does not work, or where something stands before it.
    fn misplaced(&self, tree: &Tree) -> Vec<Difference> {
        let (mut found, reload) = (Vec::new(), self.commands.typed_reload());
        let include = format!("include {};", self.server_file().display());
        let mut included = false;
        for server in tree.servers() {
            let inner = server.directive.inner();
            let Some(ours) = tree.include_of(inner, &self.server_file()) else { continue };
            included = true;
            let jumps = |d: &&Directive| matches!(d.name.as_str(), "return" | "rewrite" | "if");
            for jump in inner.iter().take_while(|d| *d != ours).filter(jumps) {
                let what = format!("`{}` stands before bluegreen's include, and answers in its place", jump.name);
                let fix = format!("make `{include}` the first line of the server block, then {reload}");
                found.push(Difference::new(what, fix).at(place(tree, server.file, jump)));
            }
        }
        if !included && tree.includes(&self.server_file()) {
            let what = format!("`{include}` stands outside of a server block, or inside a location");
            found.push(Difference::new(
                what,
                format!("move it to the first line of the app's server block, then {reload}"),
            ));
        }
        let ours = self.snippet().pass();
        for pass in
            tree.passes().iter().filter(|pass| pass.directive.arg() != ours && pass.directive.arg().starts_with(&ours))
        {
            let what = format!(
                "`proxy_pass {}` has a path behind the variable: every request is sent as that path",
                pass.directive.arg()
            );
            let fix = format!("write `proxy_pass {ours};`, then {reload}");
            found.push(Difference::new(what, fix).at(place(tree, pass.file, pass.directive)));
        }
        found
    }
}

/// Whether nginx only lacks the rights of root: that says nothing about its configuration.
fn is_for_root(said: &str) -> bool {
    said.contains("ermission denied")
}

fn is_at(tree: &Tree, pass: &Pass<'_>, edit: &Edit) -> bool {
    super::same(&tree.files[pass.file].path, &edit.path)
}

/// A file that would be written.
fn differs(edit: &Edit) -> Difference {
    let path = edit.path.display();
    let what = match (edit.foreign, &edit.before) {
        (true, _) => format!("{path} does not include bluegreen's file"),
        (false, None) => format!("{path} is missing"),
        (false, Some(_)) => format!("{path} has another text"),
    };
    let texts = edit.before.clone().zip(edit.after.clone()).filter(|_| !edit.foreign);
    let at = edit.before.as_ref().zip(edit.after.as_ref()).filter(|_| !edit.foreign).map(|(before, after)| {
        let same = before.lines().zip(after.lines()).take_while(|(a, b)| a == b);
        Place { path: edit.path.clone(), line: same.count() + 1 }
    });
    Difference { at, texts, ..Difference::new(what, APPLY) }
}
