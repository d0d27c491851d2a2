//! The tool is killed after every save, before every effect and after every effect: one more run ends well.

mod support;

use std::time::Duration;

use bluegreen_core::{
    Command, Outcome, Policy, Previous, Profile, Step,
    testing::{Health, Op},
};
use support::{Scene, id};

/// What is killed half-way, over and over.
#[derive(Debug, Clone, Copy)]
enum Story {
    First,
    Second,
    Sick,
    Dies,
    Prepare,
    Promote,
    Abort,
    AbortSwitched,
    Rollback,
    ColdRollback,
    Flip,
    Up,
}

const STORIES: [Story; 12] = [
    Story::First,
    Story::Second,
    Story::Sick,
    Story::Dies,
    Story::Prepare,
    Story::Promote,
    Story::Abort,
    Story::AbortSwitched,
    Story::Rollback,
    Story::ColdRollback,
    Story::Flip,
    Story::Up,
];

impl Story {
    async fn scene(self) -> Scene {
        let short = Duration::from_millis(100);
        let policy = Policy { bake: short, settle: short, health_deadline: short, ..Policy::default() };
        let scene = match self {
            Self::ColdRollback => Scene::with(Policy { previous: Previous::Stop, ..policy }),
            _ => Scene::with(policy),
        };
        let before: &[&str] = match self {
            Self::First => &[],
            Self::Second
            | Self::Sick
            | Self::Dies
            | Self::Prepare
            | Self::Promote
            | Self::Abort
            | Self::AbortSwitched => &["v1"],
            _ => &["v1", "v2"],
        };
        for release in before {
            scene.deploy(release).await;
        }
        match self {
            Self::Sick => drop(scene.host.world().releases.insert(id("v3"), Health::Sick)),
            Self::Dies => drop(scene.host.world().releases.insert(id("v3"), Health::Dies)),
            Self::Promote | Self::Abort => drop(scene.until("v3", Step::Health).await),
            Self::AbortSwitched => drop(scene.until("v3", Step::Switch).await),
            Self::Flip => {
                let second = scene.second();
                scene.host.world().kill(&second);
            }
            Self::Up => scene.host.world().reboot(),
            _ => {}
        }
        scene.host.faults().clear();
        scene
    }

    fn command(self) -> Command {
        match self {
            Self::Promote => Command::Promote { release: None, until: Step::Retire, drain: false },
            Self::Abort | Self::AbortSwitched => Command::Abort { release: None },
            Self::Rollback | Self::ColdRollback => Command::Rollback { release: None, only: None },
            Self::Flip => Command::Recover,
            Self::Up => Command::Up,
            Self::Prepare => Command::Deploy {
                release: id("v3"),
                until: Step::Health,
                breaking: false,
                replace: false,
                if_changed: false,
            },
            _ => Command::deploy(id("v3")),
        }
    }
}

/// Somebody answers, nothing is open but what rests, and what runs is what should.
fn assert_calm(scene: &Scene, what: &str) {
    scene.assert_sound();
    let (state, world) = (scene.state(), scene.host.world().clone());
    if state.last_good().is_some() {
        let answering = world.answering().cloned();
        assert!(answering.is_some(), "{what}: nobody answers");
        assert!(world.healthy(&world.route().unwrap().active), "{what}: the active one is not healthy");
    }
    match &state.transaction {
        None => {
            let stray = |p: &Profile| {
                let release = world.running.get(p).map(|r| r.process.release.clone());
                release.filter(|r| !state.confirmed.contains(r) && !state.has_failed(r))
            };
            let strays: Vec<_> = world.profiles.both().into_iter().filter_map(stray).collect();
            assert!(strays.is_empty(), "{what}: left behind: {strays:?}");
        }
        Some(tx) => {
            assert_eq!((tx.step, tx.until, &tx.undo), (Step::Health, Step::Health, &None), "{what}: still open");
        }
    }
}

async fn killed_once(story: Story, op: Op, n: u64) -> bool {
    let what = format!("{story:?} killed at {op:?} {n}");
    let scene = story.scene().await;
    let served = scene.host.world().answering().cloned();
    scene.host.faults().fail(op, n);
    let result = scene.run(story.command()).await;
    let struck = scene.host.faults().fired();
    if struck {
        let now = scene.host.world().answering().cloned();
        assert!(served.is_none() || now.is_some(), "{what}: what served before does not serve: {result:?}");
    }
    scene.host.faults().clear();
    let recovered = scene.run(Command::Recover).await.unwrap_or_else(|e| panic!("{what}: {e}"));
    assert!(!matches!(recovered.recovered, Some(Outcome::Degraded { .. })), "{what}: {recovered:?}");
    assert_calm(&scene, &what);
    let again = scene.run(Command::Recover).await.unwrap();
    assert_eq!((again.recovered, again.outcome), (None, None), "{what}: a second recover does nothing");
    if scene.state().transaction.is_some() {
        scene.run(Command::Abort { release: None }).await.unwrap();
    }
    let plain = scene.deploy("v9").await;
    assert!(
        matches!(plain.outcome, Some(Outcome::Done { unfinished: None })),
        "{what}: a plain deploy works: {plain:?}"
    );
    assert_calm(&scene, &what);
    struck
}

#[tokio::test(start_paused = true)]
async fn killed_anywhere_one_recover_ends_well() {
    let mut points = 0;
    for story in STORIES {
        for op in [Op::Save, Op::BeforeEffect, Op::AfterEffect] {
            let mut n = 0;
            while killed_once(story, op, n).await {
                n += 1;
                points += 1;
            }
        }
    }
    assert!(points > 80, "the sweep has become too small: {points} points");
}

#[tokio::test(start_paused = true)]
async fn recover_may_be_killed_too() {
    for story in STORIES {
        for (first, second) in
            [(Op::Save, Op::Save), (Op::AfterEffect, Op::BeforeEffect), (Op::BeforeEffect, Op::AfterEffect)]
        {
            for n in 0..6 {
                for m in 0..4 {
                    let what = format!("{story:?} killed at {first:?} {n}, recover at {second:?} {m}");
                    let scene = story.scene().await;
                    scene.host.faults().fail(first, n);
                    let _ = scene.run(story.command()).await;
                    scene.host.faults().clear();
                    scene.host.faults().fail(second, m);
                    let _ = scene.run(Command::Recover).await;
                    scene.host.faults().clear();
                    let last = scene.run(Command::Recover).await.unwrap();
                    assert!(!matches!(last.recovered, Some(Outcome::Degraded { .. })), "{what}: {last:?}");
                    assert_calm(&scene, &what);
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reboot_anywhere_is_recovered_from() {
    for story in STORIES {
        for op in [Op::Save, Op::BeforeEffect, Op::AfterEffect] {
            for n in 0..12 {
                let what = format!("{story:?}, power lost at {op:?} {n}");
                let scene = story.scene().await;
                scene.host.faults().fail(op, n);
                let _ = scene.run(story.command()).await;
                scene.host.faults().clear();
                scene.host.world().reboot();
                let recovered = scene.run(Command::Recover).await.unwrap();
                let degraded = matches!(recovered.recovered, Some(Outcome::Degraded { .. }));
                // a first release that nobody confirmed is not started by itself after a power cut
                assert!(!degraded || scene.state().last_good().is_none(), "{what}: {recovered:?}");
                assert_calm(&scene, &what);
            }
        }
    }
}
