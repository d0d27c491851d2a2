use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _};

use bluegreen_core::{Blind, Process, Profile, Route, Stamp, Stranger, Traffic};

use super::*;
use crate::config::SMALLEST;

fn config() -> Config {
    Config::parse(SMALLEST, "bluegreen.toml".as_ref()).unwrap()
}

fn ended(outcome: &str, exit_code: u8) -> Last {
    Last { outcome: outcome.to_owned(), exit_code, seconds: 12.5, at: 1_795_359_280 }
}

fn seen(config: &Config, traffic: Result<Traffic, Blind>) -> Seen {
    let process = Process::new("v1".parse().unwrap(), "a");
    Seen {
        profiles: config.profiles.clone(),
        traffic,
        occupants: [Ok(Occupant::Ours { process, listening: true }), Ok(Occupant::Nobody)],
        now: Stamp { boot: "b".to_owned(), since_boot: Duration::ZERO },
        interrupt: None,
        last: None,
    }
}

/// v1 was confirmed, and then v2.
fn deployed() -> State {
    let mut state = State::default();
    for release in ["v1", "v2"] {
        state.confirm(&release.parse().unwrap());
    }
    state
}

/// The rules that `promtool check metrics` has, and that its reader has.
#[track_caller]
fn is_in_the_format(text: &str) {
    let mut families = BTreeSet::new();
    let mut current = "";
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').expect(line);
            assert!(families.insert(name) && help.ends_with('.'), "{line}");
            current = name;
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect(line);
            assert_eq!((name, kind == "counter"), (current, name.ends_with("_total")), "{line}");
            assert!(["counter", "gauge"].contains(&kind), "{line}");
        } else {
            let (series, value) = line.split_once("} ").expect(line);
            let (name, labels) = series.split_once('{').expect(line);
            assert_eq!(name, current, "{line}");
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
            for label in labels.split(',') {
                let (_, quoted) = label.split_once('=').expect(line);
                assert!(quoted.len() > 2 && quoted.starts_with('"') && quoted.ends_with('"'), "{line}");
            }
        }
    }
}

#[test]
fn say_what_is_so_in_the_format_of_prometheus() {
    let config = config();
    let [first, second] = config.profiles.both().map(Profile::clone);
    let mut kept = Kept::default();
    kept.add(&ended("switched", 0));
    let (never, state) = (State::default(), deployed());
    let now = seen(&config, Ok(Route::solo(first).into()));
    let text = page(&config, &kept, Some((&now, Some(&state))), Some(&[100, 20]));
    is_in_the_format(&text);
    for line in [
        r#"bluegreen_deploys_total{app="shop",outcome="switched"} 1"#,
        r#"bluegreen_last_deploy_timestamp_seconds{app="shop"} 1795359280"#,
        r#"bluegreen_last_deploy_duration_seconds{app="shop"} 12.5"#,
        r#"bluegreen_active{app="shop",profile="real1"} 1"#,
        r#"bluegreen_active{app="shop",profile="real2"} 0"#,
        r#"bluegreen_running_info{app="shop",profile="real1",release="v1"} 1"#,
        r#"bluegreen_warm_available{app="shop"} 0"#,
        r#"bluegreen_degraded{app="shop"} 0"#,
        r#"bluegreen_releases_bytes{app="shop"} 120"#,
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
    }
    let says =
        |seen: &Seen, state: &State, line: &str| page(&config, &kept, Some((seen, Some(state))), None).contains(line);
    let degraded = "bluegreen_degraded{app=\"shop\"} 1";
    assert!(says(&seen(&config, Ok(Route::solo(second.clone()).into())), &state, degraded));
    let dark = seen(&config, Err(Blind::Route("silence".into())));
    assert!(says(&dark, &state, degraded));
    let mut usurped = now.clone();
    usurped.occupants[0] = Ok(Occupant::stranger(Stranger::new()));
    assert!(says(&usurped, &state, degraded) && !says(&usurped, &never, degraded), "what the scripts left is fine");
    // nobody could look: nothing is said, and nothing is invented
    for name in ["bluegreen_active", "bluegreen_warm_available", "bluegreen_releases"] {
        assert!(!says(&dark, &state, name), "{name}");
    }
    let blind = page(&config, &Kept::default(), None, None);
    assert_eq!(blind, "");
}

#[test]
fn what_is_warm_is_where_a_rollback_goes() {
    let config = config();
    let process = |release: &str| Process::new(release.parse().unwrap(), release);
    let warm = |idle: &str, change: fn(&mut State)| {
        let mut seen = seen(&config, Ok(Route::solo(config.profiles.first().clone()).into()));
        seen.occupants = [process("v2"), process(idle)].map(|process| Ok(Occupant::Ours { process, listening: true }));
        let mut state = deployed();
        change(&mut state);
        page(&config, &Kept::default(), Some((&seen, Some(&state))), None).contains("warm_available{app=\"shop\"} 1")
    };
    assert!(warm("v1", |_| {}));
    assert!(!warm("v2", |_| {}), "the same again is nowhere to go back to");
    assert!(!warm("v1", |state| state.mark_crashed(&"v1".parse().unwrap())));
    assert!(!warm("v3", |_| {}), "what is only prepared");
}

#[test]
fn count_on_from_what_the_file_says() {
    let config = config();
    let mut kept = Kept::default();
    for outcome in ["switched", "failed", "switched"] {
        kept = Kept::read(&page(&config, &kept, None, None), "shop");
        kept.add(&ended(outcome, 0));
    }
    let text = page(&config, &kept, None, None);
    assert!(text.contains("outcome=\"switched\"} 2\n") && text.contains("outcome=\"failed\"} 1\n"), "{text}");
    assert_eq!(Kept::read(&text, "shop"), kept);
    assert_eq!(Kept::read(&text, "other"), Kept::default());
    assert_eq!(Kept::read("bluegreen_deploys_total{app=\"shop\",outcome=\"a\nb\"} x", "shop"), Kept::default());
}

#[test]
fn replace_the_file_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bluegreen_shop.prom");
    write(&file, "one\n").unwrap();
    write(&file, "two\n").unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "two\n");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    assert!(write(&dir.path().join("none/x.prom"), "").is_err());
}
