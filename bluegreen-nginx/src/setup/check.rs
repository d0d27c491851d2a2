//! What differs between nginx and what it should be.

use std::path::PathBuf;

use bluegreen_core::{Blind, Finding, ProfileResolver, Traffic};

use super::{
    Edit, Place, Setup, SetupError,
    config::Directive,
    plan::place,
    tree::{Pass, Tree},
};
use crate::{PlaceError, text::chain};

/// The id of every finding of the set-up.
pub const SETUP: &str = "setup";

/// One thing that is not as it should be.
pub type Difference = Finding<Repair>;

/// What helps against a [`Difference`]. How it is typed, the program says that has a command line.
#[derive(Debug)]
#[non_exhaustive]
pub enum Repair {
    /// [`Setup::apply`], by itself.
    Apply,
    /// The same, which writes over a file of ours that has another text.
    Rewrite {
        /// The file.
        path: PathBuf,
        /// As it is.
        before: String,
        /// As it should be.
        after: String,
    },
    /// The same, which makes the directory of the route anew.
    Remake,
    /// This clause, `then` [`Setup::apply`].
    First(String),
    /// This alone.
    Do(String),
    /// This, and then to look again.
    Again(String),
    /// What helps against this.
    Against(SetupError),
}

impl Repair {
    /// Whether [`Setup::apply`] puts it right by itself.
    pub fn is_applied(&self) -> bool {
        matches!(self, Self::Apply | Self::Remake | Self::Rewrite { .. })
    }
}

fn difference(what: impl Into<String>, repair: Repair) -> Difference {
    Finding::fatal(SETUP, what, repair)
}

fn against(error: SetupError) -> Difference {
    difference(chain(&error), Repair::Against(error))
}

impl Setup {
    /// Everything that differs; nothing when the app is set up. Changes nothing.
    pub async fn check(&self) -> Vec<Difference> {
        let mut found = self.differences().await;
        if let Err(said) = self.commands.accepts().await
            && !is_for_root(&said)
            && !self.repairs(&said).await
        {
            found.insert(
                0,
                difference(said, Repair::Do(format!("mend that file, then {}", self.commands.typed_test()))),
            );
        }
        match self.resolver().resolve().await {
            Ok(Traffic::Ours(_)) => {}
            Ok(traffic) => found.push(difference(traffic.to_string(), Repair::Apply)),
            Err(blind @ Blind::Differs(_)) => found.push(difference(blind.to_string(), Repair::Apply)),
            // said above: who cannot enter it says another route
            Err(Blind::Route(_)) if matches!(self.check_place(), Err(PlaceError::NotSearchable(_))) => {}
            Err(error) => found.push(difference(error.to_string(), Repair::Again("put that right".into()))),
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
            Err(error) => found.push(against(error)),
            Ok(tree) => found.extend(self.check_files(&tree)),
        }
        found
    }

    fn check_route(&self) -> Vec<Difference> {
        let mut found = Vec::new();
        if let Err(error) = self.route.check().and_then(|()| self.route.read()) {
            found.push(difference(chain(&error), Repair::Remake));
        }
        if let Err(error) = self.route.fits(&self.owner()) {
            found.push(difference(chain(&error), Repair::First("do that,".into())));
        }
        found.extend(self.check_place().err().map(|error| against(error.into())));
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
                if !found.iter().any(|difference| difference.place.as_ref() == Some(&at.to_string())) {
                    found.push(difference(reason, Repair::First("do that,".into())).at(at));
                }
            }
            // said above: without the include where it belongs no location is known to be the app's
            Err(SetupError::NoLocation { .. }) if tree.includes(&self.server_file()) => {}
            Err(error) => found.push(against(error)),
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
            Some(Err(SetupError::Location { reason, .. })) => Repair::First(reason + ";"),
            _ => Repair::Apply,
        };
        difference(what, fix).at(place(tree, pass.file, pass.directive))
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
                found.push(difference(what, Repair::Do(fix)).at(place(tree, server.file, jump)));
            }
        }
        if !included && tree.includes(&self.server_file()) {
            let what = format!("`{include}` stands outside of a server block, or inside a location");
            found.push(difference(
                what,
                Repair::Do(format!("move it to the first line of the app's server block, then {reload}")),
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
            found.push(difference(what, Repair::Do(fix)).at(place(tree, pass.file, pass.directive)));
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
    let (Some(before), Some(after), false) = (&edit.before, &edit.after, edit.foreign) else {
        return difference(what, Repair::Apply);
    };
    let same = before.lines().zip(after.lines()).take_while(|(a, b)| a == b);
    let at = Place { path: edit.path.clone(), line: same.count() + 1 };
    let (path, before, after) = (edit.path.clone(), before.clone(), after.clone());
    difference(what, Repair::Rewrite { path, before, after }).at(at)
}
