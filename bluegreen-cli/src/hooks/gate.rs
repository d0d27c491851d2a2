//! The hooks that can stop a deploy.

use async_trait::async_trait;
use bluegreen_core::{Events, Gate, Refused, Seen, Step, Transaction};
use bluegreen_process::Releases;

use super::{facts::facts, work::work};
use crate::config::{Config, HookCommand};

/// `before_start` and `before_switch`, which the engine asks.
#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) config: Config,
    pub(crate) events: Events,
    pub(crate) releases: Releases,
}

#[async_trait]
impl Gate for Owner {
    async fn ask(&self, before: Step, tx: &Transaction, seen: &Seen) -> Result<(), Refused> {
        let Self { config, events, releases } = self;
        let Some((name, hook)) = gate(config, before) else { return Ok(()) };
        let told = facts(config, releases, seen, Some((&tx.to, &tx.release)));
        let ended = work(config, events, name, hook, told).await;
        ended.map_err(|why| Refused { message: format!("the hook {name} {}", why.text), log: why.said })
    }

    fn name(&self, before: Step) -> String {
        gate(&self.config, before).map_or_else(String::new, |(name, _)| format!("the hook {name}"))
    }
}

fn gate(config: &Config, before: Step) -> Option<(&'static str, &HookCommand)> {
    let name = name_of(before);
    let hooks = &config.hooks;
    let hook = if before == Step::Stop { &hooks.before_start } else { &hooks.before_switch };
    hook.as_ref().map(|hook| (name, hook))
}

/// The hook that is asked before `before`; or that stopped a deploy in that step.
pub(crate) fn name_of(step: Step) -> &'static str {
    if step == Step::Stop { "before_start" } else { "before_switch" }
}
