//! What holds for reading and changing an nginx configuration, whatever is in it.

use std::{path::PathBuf, sync::LazyLock};

use bluegreen_core::Name;
use bluegreen_http::Options;

use super::{
    Setup,
    config::{self, Directive},
    edit,
    tree::{ConfigFile, Tree},
};
use crate::{Commands, Master, ProofLocation, RouteDir, properties::profiles};

/// Each directive is where it says, reads the same alone, and holds its inner ones.
pub fn nginx_config(text: &str) {
    match config::parse(text) {
        Ok(directives) => are_in_place(text, &directives, 0, text.len()),
        Err(error) => {
            let line = config::line_of(text, error.at);
            assert!(error.at <= text.len() && line <= text.lines().count().max(1), "{error:?}");
        }
    }
}

fn are_in_place(text: &str, directives: &[Directive], mut from: usize, to: usize) {
    for directive in directives {
        let span = directive.span.clone();
        assert!(from <= span.start && span.start < span.end && span.end <= to, "{span:?} in {from}..{to}");
        from = span.end;
        let alone = config::parse(&text[span.clone()]).expect("a directive alone");
        assert_eq!((alone.len(), &alone[0].name, &alone[0].args), (1, &directive.name, &directive.args));
        let end = if directive.block.is_some() { '}' } else { ';' };
        assert!(text[span.clone()].ends_with(end));
        if let Some(block) = &directive.block {
            assert!(span.start < block.start && text[..block.start].ends_with('{'));
            are_in_place(text, &block.directives, block.start, span.end - 1);
        }
    }
}

/// What a set-up writes into the owner's file, a removal takes out again: then there is what was there before, byte for byte,
/// with each `proxy_pass` to a profile in its plain form; one that shared its line may have got its own. And a file that is
/// set up needs nothing more.
pub fn nginx_edit(text: &str) {
    static SETUP: LazyLock<Setup> = LazyLock::new(setup);
    let setup = &*SETUP;
    // what is ours already, or looks so, is none of the owner's
    let ours = ["bluegreen", "shop_"].iter().any(|word| text.contains(word));
    let Some(tree) = tree(text).filter(|_| !ours) else { return };
    let Ok((passes, Some(port))) = setup.passes(&tree) else { return };
    let Ok(mut changes) = setup.changes(&tree, &passes) else { return };
    let set_up = edit::changed(text, &mut changes);
    let plain = format!("proxy_pass http://127.0.0.1:{port};");
    let mut before = text.to_owned();
    for pass in passes.iter().rev() {
        before.replace_range(pass.directive.span.clone(), &plain);
    }
    let tree = self::tree(&set_up).expect("nginx reads what was written");
    assert_eq!(setup.passes(&tree).expect("the server block is ours").1, None, "{set_up}");
    let mut changes = Vec::new();
    setup.take_out(&tree, 0, &tree.files[0].directives, &plain, &mut changes);
    let after = edit::changed(&set_up, &mut changes);
    if passes.iter().all(|pass| begins_its_line(text, pass.directive)) {
        assert_eq!(after, before, "by way of {set_up}");
    }
    // a directive may have followed a brace or semicolon without a space
    let apart = |text: &str| {
        ["{", "}", ";"].iter().fold(text.to_owned(), |text, mark| text.replace(mark, &format!(" {mark} ")))
    };
    let words = |text: &str| apart(text).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&after), words(&before), "by way of {set_up}");
}

fn begins_its_line(text: &str, directive: &Directive) -> bool {
    text[..directive.span.start].rsplit('\n').next().is_some_and(|before| before.trim().is_empty())
}

fn tree(text: &str) -> Option<Tree> {
    let directives = config::parse(text).ok()?;
    Some(Tree {
        files: vec![ConfigFile { path: PathBuf::from("/etc/nginx/nginx.conf"), text: text.to_owned(), directives }],
    })
}

fn setup() -> Setup {
    let app: Name = "shop".parse().unwrap();
    Setup {
        route: RouteDir::new("/var/lib/bluegreen/shop/route", profiles()).unwrap(),
        proof: ProofLocation::new("http://127.0.0.1/", &app, &Options::default()).unwrap(),
        app,
        master: Master::new(),
        commands: Commands::new(["nginx"]),
        nginx_dir: PathBuf::from("/etc/nginx"),
        site: None,
        owner: None,
        last: Ok(None),
        allow_temporary: false,
    }
}
