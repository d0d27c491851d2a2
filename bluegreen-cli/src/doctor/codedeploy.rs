//! The time that CodeDeploy gives its hooks.

use std::{path::Path, time::Duration};

use super::Finding;
use crate::{appspec::AppSpec, config::Config, init::Texts};

/// The longest that CodeDeploy lets a hook run, and what it takes when nothing is said.
const LONGEST: Duration = Duration::from_secs(3600);

pub(super) fn look(config: &Config) -> Vec<Finding> {
    let dir = config.file().parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let texts = Texts::default();
    let mut findings = AppSpec::find(dir, &texts).map_or_else(Vec::new, |spec| judge(&spec, config));
    let unread = |why| Finding::warning("codedeploy", why, "let the deploy user read it, then bluegreen check");
    findings.extend(texts.unread().into_iter().map(unread));
    findings
}

/// What bluegreen may take with its own limits must be less than the hook has: bluegreen is the one to give up.
fn judge(spec: &AppSpec, config: &Config) -> Vec<Finding> {
    let after = &config.after_switch;
    let stop = after.settle + after.drain + config.stop.grace;
    let takes = |event: &str| match event {
        "ApplicationStart" => Some((stop + config.health.deadline, "settle + drain + stop.grace + health.deadline")),
        "ValidateService" => Some((after.bake + stop, "bake, and settle + drain + stop.grace to take it back")),
        _ => None,
    };
    let mut findings = Vec::new();
    for hook in &spec.hooks {
        let Some((takes, of)) = takes(&hook.event) else { continue };
        let has = hook.timeout.unwrap_or(LONGEST).min(LONGEST);
        if has <= takes {
            let what = format!(
                "{} has {} s, and bluegreen may take {} s there ({of}): CodeDeploy would end it in the middle",
                hook.event,
                has.as_secs(),
                takes.as_secs()
            );
            let fix = format!("timeout: {}", (takes.as_secs() + 60).min(LONGEST.as_secs()));
            let place = Some(format!("{}:{}", spec.path.display(), hook.line));
            findings.push(Finding { place, ..Finding::warning("hook-timeout", what, fix) });
        }
    }
    if findings.is_empty() {
        findings.push(Finding::good("hook-timeout", "CodeDeploy's hooks have enough time"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{appspec::Hook, config::SMALLEST};

    #[test]
    fn a_hook_that_is_shorter_than_the_deadline_is_named() {
        let config = Config::parse(SMALLEST, Path::new("bluegreen.toml")).unwrap();
        let judged = |event: &str, timeout: Option<u64>| {
            let timeout = timeout.map(Duration::from_secs);
            let hook = Hook { event: event.into(), timeout, line: 7, ..Hook::default() };
            let spec = AppSpec { path: "appspec.yml".into(), destinations: vec![], hooks: vec![hook] };
            judge(&spec, &config).remove(0)
        };
        let short = judged("ApplicationStart", Some(60));
        assert_eq!((short.place.as_deref(), short.fix()), (Some("appspec.yml:7"), "timeout: 250"));
        assert!(short.what.contains("has 60 s, and bluegreen may take 190 s"), "{}", short.what);
        for (event, timeout) in [
            ("ApplicationStart", Some(300)),
            ("ApplicationStart", None),
            ("AfterInstall", Some(1)),
            ("ValidateService", Some(180)),
        ] {
            assert_eq!(judged(event, timeout).fix(), "", "{event}");
        }
        assert_ne!(judged("ValidateService", Some(60)).fix(), "");
    }
}
