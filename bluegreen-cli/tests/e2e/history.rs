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
