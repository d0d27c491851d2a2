//! What the tool is doing when something happens to it.

use clap::ValueEnum as _;

use super::{
    ground::Ground,
    trace::{Act, Side, Stop, trace},
};

/// A command and what was before it
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Story {
    /// The first deploy of all
    First,
    /// A deploy over another one; old releases are pruned
    Deploy,
    /// A deploy of a release that dies at once
    Dying,
    /// A deploy of a release that never becomes healthy
    Sick,
    /// A deploy that drains and stops the previous release
    Stopping,
    /// The first half of a deploy
    Prepare,
    /// The second half
    Promote,
    /// A prepared release is taken back
    Abort,
    /// Back to the release that still runs
    Warm,
    /// Back to a release that has to be started
    Cold,
    /// The recovery of a deploy that was killed after its start
    RecoverEarly,
    /// The recovery of a deploy that was killed after its switch
    RecoverLate,
    /// After a reboot
    Up,
    /// A deploy in reload mode
    Reload,
    /// The recovery of a deploy that was killed between the include file and the reload
    RecoverReload,
}

/// A command about to run.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) words: Vec<String>,
    /// How it ends when nothing happens to it.
    pub(crate) code: i32,
    /// The versions that may answer afterwards; empty before the first deploy.
    pub(crate) versions: Vec<String>,
    /// The version that is new.
    pub(crate) new: String,
    /// It may move the traffic: before it, the first of the versions has it.
    pub(crate) moves: bool,
    /// There may be nobody who answers, until somebody has.
    pub(crate) dark: bool,
}

impl Story {
    /// A stage for it; `None` without nginx.
    pub(crate) fn ground(self) -> Option<Ground> {
        let mut ground = Ground::new(matches!(self, Self::Reload | Self::RecoverReload))?;
        if matches!(self, Self::Cold | Self::Stopping) {
            ground.stage.set("after_switch.previous", "stop");
        }
        if self != Self::First {
            ground.deploy(&[]);
            ground.deploy(&[]);
        }
        Some(ground)
    }

    /// Makes what was before, from whatever a recovery and a plain deploy left.
    pub(crate) fn begin(self, ground: &mut Ground) -> Scene {
        ground.forget_artifacts();
        let fault = match self {
            Self::Dying => "exits",
            Self::Sick => "errors",
            _ => "",
        };
        let moves = !matches!(self, Self::RecoverLate | Self::RecoverReload);
        let mut scene =
            Scene { words: Vec::new(), code: 0, versions: Vec::new(), new: String::new(), moves, dark: false };

        if self == Self::First {
            ground.raze();
            scene.dark = true;
        } else {
            let front = ground.stage.front();
            scene.versions.push(front.split(' ').next().unwrap_or_default().to_owned());
        }
        let (version, artifact) = ground.artifact(fault);
        scene.new.clone_from(&version);
        let new = |verb: &str| vec![verb.to_owned(), artifact.clone(), "--version".to_owned(), version.clone()];
        let word = |verb: &str| vec![verb.to_owned()];
        match self {
            Self::First | Self::Deploy | Self::Stopping | Self::Reload => scene.words = new("deploy"),
            Self::Dying => (scene.words, scene.code) = (new("deploy"), 10),
            Self::Sick => {
                scene.words = [new("deploy"), vec!["--deadline".to_owned(), "1500ms".to_owned()]].concat();
                scene.code = 10;
            }
            Self::Prepare => scene.words = new("prepare"),
            Self::Promote | Self::Abort => {
                ground.stage.run(&["prepare", &artifact, "--version", &version], 0);
                scene.words = word(if self == Self::Promote { "promote" } else { "abort" });
            }
            Self::Warm | Self::Cold => {
                let confirmed = ground.stage.run(&["releases", "--format", "json"], 0).out;
                let releases: serde_json::Value = serde_json::from_str(&confirmed).expect("releases are JSON");
                let versions = releases["releases"].as_array().into_iter().flatten();
                scene.versions.extend(versions.filter_map(|r| r["version"].as_str()).map(ToOwned::to_owned));
                scene.words = word("rollback");
            }
            Self::RecoverEarly => scene.words = interrupted(ground, &new("deploy"), "processes/real", 2),
            Self::RecoverLate => scene.words = interrupted(ground, &new("deploy"), "live", 1),
            Self::RecoverReload => scene.words = interrupted(ground, &new("deploy"), "service-url.inc", 1),
            Self::Up => {
                ground.reboot();
                scene.words = word("up");
                scene.dark = true;
            }
        }
        if self.may_switch() {
            scene.versions.push(version);
        }
        scene
    }

    /// As it is typed.
    pub(crate) fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The new version may have the traffic afterwards.
    fn may_switch(self) -> bool {
        use Story::{Deploy, First, Promote, RecoverLate, RecoverReload, Reload, Stopping};
        matches!(self, First | Deploy | Stopping | Reload | Promote | RecoverLate | RecoverReload)
    }
}

/// The words of the recovery of a command that was killed after its `times`-th rename to a place with `name` in it.
fn interrupted(ground: &Ground, words: &[String], name: &str, times: usize) -> Vec<String> {
    let mut seen = 0;
    let is_it = |stop: &Stop| {
        let renames = stop.call.is_some_and(|call| call.name().starts_with("rename"));
        renames && stop.side == Side::Exit && stop.place().is_some_and(|place| place.contains(name))
    };
    let killed = trace(&ground.command(words), &mut |stop| {
        seen += usize::from(is_it(stop));
        if seen == times { Act::Kill } else { Act::Go }
    });
    assert_eq!(killed.code, None, "it was to be killed at {name}: {}{}", killed.out, killed.err);
    vec!["recover".to_owned()]
}
