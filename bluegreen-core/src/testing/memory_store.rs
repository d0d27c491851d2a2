use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Faults, Op};
use crate::{Holder, Lease, Stamp, State, StateStore, StoreError};

/// A state store in memory, with a lock of its own. Clones share the state.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    cell: Arc<Mutex<Cell>>,
    faults: Faults,
}

#[derive(Debug, Default)]
struct Cell {
    state: State,
    holder: Option<Holder>,
    saves: u64,
    since_boot: std::time::Duration,
}

#[derive(Debug)]
struct Guard(Arc<Mutex<Cell>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).holder = None;
    }
}

impl MemoryStore {
    /// One whose saves can be made to fail.
    pub fn with_faults(faults: Faults) -> Self {
        Self { faults, ..Self::default() }
    }

    /// How often it was saved.
    pub fn saves(&self) -> u64 {
        self.cell().saves
    }

    /// Lets time pass.
    pub fn advance(&self, time: std::time::Duration) {
        self.cell().since_boot += time;
    }

    /// Replaces the state without a lock, as a test's starting point.
    pub fn set(&self, state: State) {
        self.cell().state = state;
    }

    fn cell(&self) -> MutexGuard<'_, Cell> {
        self.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for MemoryStore {
    fn lock(&self, who: &Holder) -> Result<Lease, StoreError> {
        let mut cell = self.cell();
        if let Some(holder) = &cell.holder {
            return Err(StoreError::Locked(Some(holder.clone())));
        }
        cell.holder = Some(who.clone());
        Ok(Lease::new(Guard(self.cell.clone())))
    }

    fn load(&self) -> Result<State, StoreError> {
        Ok(self.cell().state.clone())
    }

    fn save(&self, lease: &Lease, state: &State) -> Result<(), StoreError> {
        if !lease.guard::<Guard>().is_some_and(|guard| Arc::ptr_eq(&guard.0, &self.cell)) {
            return Err(StoreError::Foreign { path: "memory".to_owned() });
        }
        let (kind, reason) = (std::io::ErrorKind::Other, "injected".to_owned());
        let io = || StoreError::Io { action: "cannot write", path: "memory".into(), kind, reason: reason.clone() };
        if self.faults.dead() {
            return Err(io());
        }
        let mut cell = self.cell();
        cell.state = state.clone();
        cell.saves += 1;
        if self.faults.strikes(Op::Save) { Err(io()) } else { Ok(()) }
    }

    fn now(&self) -> Stamp {
        Stamp { boot: "memory".into(), since_boot: self.cell().since_boot }
    }
}
