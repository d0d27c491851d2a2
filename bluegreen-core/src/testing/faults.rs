use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Op {
    /// `ProfileResolver::resolve`.
    Resolve,
    /// `ProcessManager::inspect`.
    Inspect,
    /// `ProcessManager::start`.
    Start,
    /// `ProcessManager::stop`.
    Stop,
    /// `ProxySwitcher::switch_to`.
    Switch,
    /// `StateStore::save`: the state is written, and the tool is dead.
    Save,
    /// Any of start, stop and switch: the tool is dead before the effect.
    BeforeEffect,
    /// Any of start, stop and switch: the effect happened, and the tool is dead.
    AfterEffect,
}

/// Makes chosen calls fail. Shared by the fakes of one host; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    /// Fails the calls with these numbers, from 0, counted per kind.
    fail: BTreeMap<Op, Vec<u64>>,
    count: BTreeMap<Op, u64>,
    /// Says yes, and does nothing.
    lie: Vec<Op>,
    fired: bool,
    dead: bool,
}

impl Faults {
    /// Lets call number `n` (from 0) of `op` fail.
    pub fn fail(&self, op: Op, n: u64) {
        self.plan().fail.entry(op).or_default().push(n);
    }

    /// Lets every call of `op` say yes and do nothing.
    pub fn lie(&self, op: Op) {
        self.plan().lie.push(op);
    }

    /// Forgets all of it: the tool is started anew.
    pub fn clear(&self) {
        *self.plan() = Plan::default();
    }

    /// Whether any fault has struck.
    pub fn fired(&self) -> bool {
        self.plan().fired
    }

    /// Counts a call; `true`: it must fail. Once "the tool is dead" has struck, nothing works any more.
    pub(super) fn strikes(&self, op: Op) -> bool {
        let mut plan = self.plan();
        let n = *plan.count.entry(op).and_modify(|n| *n += 1).or_insert(0);
        let strikes = plan.fail.get(&op).is_some_and(|calls| calls.contains(&n));
        plan.fired |= strikes;
        plan.dead |= strikes && matches!(op, Op::Save | Op::BeforeEffect | Op::AfterEffect);
        strikes || plan.dead
    }

    pub(super) fn lies(&self, op: Op) -> bool {
        self.plan().lie.contains(&op)
    }

    pub(super) fn dead(&self) -> bool {
        self.plan().dead
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
