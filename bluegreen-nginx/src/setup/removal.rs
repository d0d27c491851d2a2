//! The way back to a plain `proxy_pass`.

use super::{
    Edit, Goal, Plan, Setup, SetupError,
    config::{self, Directive},
    edit::{self, Change, is_marked},
    tree::{Tree, same},
    write,
};

impl Setup {
    /// What [`Setup::apply`] would do to go back to a plain `proxy_pass` to the active port. The route directory stays.
    ///
    /// # Errors
    /// [`SetupError`] says what has to be done by hand, with file and line. Nothing was changed.
    pub async fn plan_removal(&self) -> Result<Plan, SetupError> {
        let tree = self.tree().await?;
        if let Some(path) = self.put_in_by_hand(&tree) {
            return Err(SetupError::ByHand { path: path.to_owned() });
        }
        // nginx may have ports of before; what it does not tell, it reads there too
        let port = match self.resolver().leads().await {
            Ok(Some(lead)) => lead.port,
            _ => self.route.read()?.unwrap_or_else(|| self.route.fallback()).active.port(),
        };
        let pass = format!("proxy_pass http://127.0.0.1:{port};");
        let mut changes = Vec::new();
        for (file, config) in tree.files.iter().enumerate() {
            let ours = [self.http_file(), self.server_file(), self.location_file()];
            if !ours.iter().any(|path| same(path, &config.path)) {
                self.take_out(&tree, file, &config.directives, &pass, &mut changes);
            }
        }
        // first what uses our files (the main file last: it includes the http level), then the files
        let mut edits = edit::edits(&tree, changes)?;
        for edit in &mut edits {
            self.restore(&tree, edit, port);
        }
        edits.reverse();
        for path in [self.http_file(), self.location_file(), self.server_file()] {
            if let Some(before) = write::read(&path)? {
                edits.push(Edit { path, before: Some(before), after: None, foreign: false });
            }
        }
        Ok(Plan { edits, start: None, unused: Vec::new(), goal: Goal::Removed })
    }

    /// The copy from before the set-up instead, byte for byte, when it differs from what this removal writes in nothing but the
    /// words behind `proxy_pass`, and those lead to the active port too.
    fn restore(&self, tree: &Tree, edit: &mut Edit, port: u16) {
        let Some(copy) = write::newest_copy(&edit.path, &self.nginx_dir.join("bluegreen")) else { return };
        let (Some(wanted), Some((plain, targets))) = (edit.after.as_deref().and_then(plain), plain(&copy)) else {
            return;
        };
        let leads_here = |target: &String| tree.target(target).is_some_and(|(to, _)| to == port);
        if plain == wanted.0 && targets.iter().all(|target| leads_here(target) || wanted.1.contains(target)) {
            edit.after = Some(copy);
        }
    }

    pub(super) fn take_out(
        &self,
        tree: &Tree,
        file: usize,
        directives: &[Directive],
        pass: &str,
        changes: &mut Vec<Change>,
    ) {
        let (snippet, mark) = (self.snippet(), self.mark());
        for directive in directives {
            let included = (directive.name == "include").then(|| tree.absolute(directive.arg()));
            let passes = directive.name == "proxy_pass" && directive.arg() == snippet.pass();
            if passes || included.as_ref() == Some(&self.location_file()) {
                changes.push(Change::lines(tree, file, directive, &[pass.to_owned()]));
            } else if included.is_some_and(|path| path == self.server_file() || path == self.http_file())
                || is_marked(&tree.files[file].text, directive, &mark)
                || directive.args.contains(&snippet.connection_variable())
            {
                changes.push(Change::gone(tree, file, directive, &mark));
            }
            self.take_out(tree, file, directive.inner(), pass, changes);
        }
    }
}

/// A text with every `proxy_pass` of it, and the white space before it, made equal, and what stood there.
fn plain(text: &str) -> Option<(String, Vec<String>)> {
    let directives = config::parse(text).ok()?;
    let (mut passes, mut waiting): (Vec<&Directive>, Vec<&Directive>) = (Vec::new(), directives.iter().collect());
    while let Some(directive) = waiting.pop() {
        waiting.extend(directive.inner());
        passes.extend(Some(directive).filter(|d| d.name == "proxy_pass"));
    }
    passes.sort_by_key(|pass| std::cmp::Reverse(pass.span.start));
    let mut same = text.to_owned();
    for pass in &passes {
        let before = same[..pass.span.start].trim_end().len();
        same.replace_range(before..pass.span.end, " proxy_pass;");
    }
    Some((same, passes.iter().map(|pass| pass.arg().to_owned()).collect()))
}
