//! The schemas that are published are those of the program. `UPDATE=1 cargo test` writes them anew.

use std::{fs, path::PathBuf};

use bluegreen_cli::config;
use bluegreen_rig::schema::complaint;
use serde_json::Value;

/// The schema in `docs/schema`, which is the one given.
fn published(name: &str, schema: &Value) -> Value {
    let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schema")).join(name);
    let text = serde_json::to_string_pretty(schema).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &text).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    // not assert_eq: the two are long
    assert!(kept == text, "docs/schema/{name} is old: run UPDATE=1 cargo test -p bluegreen-examples");
    serde_json::from_str(&kept).unwrap()
}

#[test]
fn what_is_printed_has_a_schema() {
    for (name, schema) in bluegreen_cli::schemas() {
        let schema = published(&format!("{name}.json"), &schema);
        assert!(complaint(&schema, &Value::Object(serde_json::Map::new())).is_some(), "{name} takes anything");
    }
}

#[test]
fn an_editor_takes_the_configurations_that_the_program_takes() {
    let schema = published("bluegreen.toml.json", &config::schema());
    let says = |text: &str| complaint(&schema, &toml::from_str(text).unwrap());
    let full = include_str!("../spring-boot/bluegreen.toml");
    for good in [config::SMALLEST, full] {
        assert_eq!(says(good), None);
    }
    let more = |text: &str| says(&format!("{}{text}", config::SMALLEST));
    for good in [
        "[stop]\nsignal = \"INT\"\n[health]\nstatus = 204\nbody = { json = { status = \"UP\" } }",
        "[health]\nbody = \"{profile}\"\nstatus = \"200-299\"\nhealthy_threshold = 3",
        "[metrics]\ntextfile = \"/x.prom\"",
        "[hooks]\nbefore_switch = [\"./smoke-test\"]\nafter_switch = { command = [\"./tell\"], timeout = \"30s\" }",
    ] {
        assert_eq!(more(good), None, "{good}");
    }
    for bad in [
        "[hooks]\nbefore_start = { timeout = \"30s\" }",
        "[stop]\nsignal = \"TERMINATE\"",
        "[stop]\ngrace = 30",
        "[health]\nhealthy_treshold = 3",
        "[health]\nbody = { regexp = \"x\" }",
        "[releases]\nkeep = 0",
        "[halth]",
    ] {
        assert!(more(bad).is_some(), "{bad}");
        assert!(config::Config::parse(&format!("{}{bad}", config::SMALLEST), "x".as_ref()).is_err(), "{bad}");
    }
    for (from, to) in [("real2 = 8082", ""), ("8082", "65536"), ("real2", "Real2"), ("app = \"shop\"", "")] {
        assert!(says(&config::SMALLEST.replace(from, to)).is_some(), "{from} => {to}");
    }
}
