//! `package.json`.

use std::path::Path;

use serde_json::Value;

use super::{found::App, texts::Texts};

/// The app in this directory.
pub(super) fn app(dir: &Path, texts: &Texts) -> Option<App> {
    let file = dir.join("package.json");
    let package = serde_json::from_str(&texts.of(&file)?);
    let package: Value = package.map_err(|error| texts.cannot_read(&file, &error)).unwrap_or_default();
    let said = |key: &str| package.pointer(key).and_then(Value::as_str);
    let start = said("/scripts/start");
    let mut details: Vec<String> = start.map(|start| format!("start: {start}")).into_iter().collect();
    details.extend(said("/engines/node").map(|engine| format!("node {engine}")));
    Some(App {
        kind: "package.json",
        name: said("/name").map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()),
        artifact: Some(".".into()),
        command: command(start, said("/main")),
        env: vec![("PORT".into(), "{port}".into()), ("NODE_ENV".into(), "production".into())],
        details,
        ..App::default()
    })
}

/// node itself where that can be told: npm passes no signal on that could be relied on.
fn command(start: Option<&str>, main: Option<&str>) -> Vec<String> {
    let in_release = |file: &str| format!("{{artifact}}/{}", file.trim_start_matches("./"));
    let words: Vec<&str> = start.unwrap_or_default().split_whitespace().collect();
    let simple = !start.unwrap_or_default().contains(['&', '|', ';', '$', '"', '\'', '{']);
    match words[..] {
        ["node", .., file] if simple && is_file(file) => {
            let options = words[1..words.len() - 1].iter().map(ToString::to_string);
            ["node".to_owned()].into_iter().chain(options).chain([in_release(file)]).collect()
        }
        [] => vec!["node".into(), in_release(main.unwrap_or("index.js"))],
        _ => ["npm", "--prefix", "{artifact}", "start"].map(str::to_owned).into(),
    }
}

fn is_file(word: &str) -> bool {
    !word.starts_with('-') && !word.starts_with('/')
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn starts_node_itself_where_it_can() {
        let of = |start: Option<&str>, main| command(start, main).join(" ");
        assert_eq!(of(Some("node server.js"), None), "node {artifact}/server.js");
        assert_eq!(
            of(Some("node --enable-source-maps ./dist/main.js"), None),
            "node --enable-source-maps {artifact}/dist/main.js"
        );
        assert_eq!(of(Some("next start -p $PORT"), None), "npm --prefix {artifact} start");
        assert_eq!(of(Some("node a.js && node b.js"), None), "npm --prefix {artifact} start");
        assert_eq!(of(None, Some("lib/app.js")), "node {artifact}/lib/app.js");
        assert_eq!(of(None, None), "node {artifact}/index.js");
    }

    #[test]
    fn a_scope_is_no_part_of_the_name() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(app(dir.path(), &Texts::default()), None);
        let text = r#"{ "name": "@acme/shop", "scripts": { "start": "node s.js" }, "engines": { "node": ">=20" } }"#;
        fs::write(dir.path().join("package.json"), text).unwrap();
        let app = app(dir.path(), &Texts::default()).unwrap();
        assert_eq!(
            (app.name.as_deref(), app.details),
            (Some("shop"), vec!["start: node s.js".into(), "node >=20".into()])
        );
    }
}
