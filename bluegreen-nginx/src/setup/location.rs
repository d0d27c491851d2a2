//! What becomes of the owner's location.

use std::collections::HashSet;

use super::{
    Setup, SetupError,
    config::Directive,
    plan::at,
    tree::{Pass, Setting, Tree},
};

impl Setup {
    /// The lines in place of `pass`; `None` for our include. Its owner's own settings stay, and are not said twice: nginx
    /// would send two `Host` headers. Ours have a mark behind them, by which a removal knows them.
    pub(super) fn location_lines(
        &self,
        tree: &Tree,
        http: &Directive,
        pass: &Pass<'_>,
    ) -> Result<Option<Vec<String>>, SetupError> {
        let refuse = |reason: String| Err(at(tree, pass.file, pass.directive, reason));
        let Some((location, outer)) = pass.blocks.split_last() else { return Ok(None) };
        let target = tree.target(pass.directive.arg());
        if location.name != "location" {
            return refuse(format!("proxy_pass inside `{}`: move it into a location of its own", location.name));
        }
        // a path behind a variable would replace the whole path of every request
        let path = target.map(|(_, path)| path).unwrap_or_default();
        let harmless = path.is_empty() || (path == "/" && location.arg() == "/");
        if !harmless {
            let from = location.args.last().map_or("", String::as_str);
            return refuse(format!(
                "proxy_pass with a path: write `rewrite ^{from}(.*)$ {path}$1 break;` before it, and proxy_pass without one"
            ));
        }
        let is_header = |setting: &Setting| setting.0 == "proxy_set_header";
        let own = tree.settings(location.inner());
        let around = std::iter::once(&http).chain(outer);
        let inherited: HashSet<Setting> = around.flat_map(|block| tree.settings(block.inner())).collect();
        let has_headers = own.iter().any(is_header);
        let inherits = !has_headers && inherited.iter().any(is_header);
        let has_version = own.contains(&("proxy_http_version".to_owned(), None));
        if !has_headers && !has_version && !inherits {
            return Ok(None);
        }
        if inherits && !inherited.contains(&("proxy_set_header".to_owned(), Some("host".to_owned()))) {
            return refuse(
                "write `proxy_set_header Host $http_host;` beside the other proxy_set_header first".to_owned(),
            );
        }
        let snippet = self.snippet();
        let missing = |(name, header): &(&str, Option<&str>)| {
            let setting = ((*name).to_owned(), header.map(str::to_ascii_lowercase));
            // one header here would cut off all inherited ones
            let cuts_off = inherits && is_header(&setting);
            !cuts_off && !own.contains(&setting)
        };
        let mark = self.mark();
        let ours = |(_, line)| format!("{line}{mark}");
        let lines = snippet.location_lines().into_iter().filter(|(setting, _)| missing(setting)).map(ours);
        Ok(Some(lines.chain([format!("proxy_pass {};", snippet.pass())]).collect()))
    }

    /// Behind each line that a set-up writes into the owner's location, except those that name a file or a variable of ours.
    pub(super) fn mark(&self) -> String {
        format!(" # bluegreen {}", self.app)
    }
}
