//! What a deploy leaves to be read later.

use std::fs;

use bluegreen_rig::Stage;

#[test]
fn a_deploy_is_told_again_with_its_timeline() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.run(&["history", "show"], 3).says(&["nothing was deployed yet"]);
    stage.set("hooks.before_switch", vec!["true"]);
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    stage.deploy("v3 exits", 10);
    // two halves with a hook between them are one deploy
    assert_eq!(stage.run(&["history", "--format", "json"], 0).events().len(), 3);
    let steps = ["✓ copy", "✓ stop", "✓ start", "✓ health", "✓ switch", "✓ bake", "✓ retire", "⇄ route"];
    let told = stage.run(&["history", "show", "2"], 0);
    told.says(&["deploy 2: v2", "switched", "real1 had it, real2 has it", "0 lost"]);
    told.says(&steps);
    // by its version; and the last one, why it failed
    assert_eq!(stage.run(&["history", "show", "v2"], 0).out, told.out);
    stage.run(&["history", "show"], 0).says(&["✗ ", "cannot reach the database", "bluegreen logs real1"]);
    stage.run(&["history", "show", "99"], 3).says(&["no deploy \"99\"", "bluegreen history"]);

    stage.run(&["history", "show", "2", "--html"], 0).says(&["wrote shop-deploy-2.html"]);
    let page = fs::read_to_string(stage.path("shop-deploy-2.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("answered by the release"), "{page}");
    assert_eq!(stage.run(&["history", "show", "2", "--html", "-"], 0).out, page);
}

#[test]
fn the_two_halves_are_shown_one_after_the_other() {
    let Some(stage) = Stage::marker() else { return };
    stage.run(&["prepare", &stage.artifact("v1")], 0);
    stage.run(&["promote"], 0);
    let told = stage.run(&["history", "show", "1"], 0);
    told.says(&["prepared", "switched", "an earlier command had begun it"]);
    assert!(told.out.find("prepared") < told.out.find("switched"), "{told}");
}

/// A deploy does not fail because nobody could write down what it did; but it is told, and not taken for nothing.
#[test]
fn what_is_not_in_the_history_is_told() {
    let Some(stage) = Stage::marker() else { return };
    let file = stage.state_dir().join("history.jsonl");
    stage.run(&["history"], 0).says(&["nothing was deployed yet"]);
    fs::create_dir(&file).unwrap();
    stage.deploy("v1", 0).says(&["warning: 1 entry of this command is not in the history: ", "history.jsonl"]);
    let ended = stage.run(&["--format", "json", "deploy", &stage.artifact("v2")], 0);
    assert_eq!(ended.events().last().unwrap()["event"], "finished", "{ended}");
    assert!(ended.err.contains("is not in the history"), "{ended}");

    fs::remove_dir(&file).unwrap();
    for words in [&["history"][..], &["history", "show"]] {
        let ended = stage.run(words, if words.len() == 1 { 0 } else { 3 });
        ended.says(&["the history has no entry, though there were deploys"]);
        assert!(!ended.has("nothing was deployed"), "{ended}");
    }
    fs::write(stage.state_dir().join("state.json"), "{").unwrap();
    fs::remove_file(stage.state_dir().join("state.json.prev")).unwrap();
    stage.run(&["history"], 0).says(&["whether there were deploys is not known"]);
    stage.run(&["recover"], 0);

    stage.deploy("v3", 0);
    let kept = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{{\"number\": 2, \"ki\n{kept}\u{0}\n")).unwrap();
    let told = stage.run(&["history"], 0);
    told.says(&["v3", "warning: 2 lines of the history make no sense, and are left out"]);
    assert_eq!(stage.run(&["history", "--format", "json"], 0).events().len(), 1);
}
