use std::future::pending;

use tokio::time::{Instant, sleep};

use super::run::Run;
use crate::{Cause, Failure, Process, Step, took};

impl Run<'_> {
    /// Asks the owner. Who is asked is dropped, and ends, when that is not worth waiting for any more.
    pub(super) async fn gate(&mut self, before: Step, process: Option<&Process>) -> Result<(), Failure> {
        if before == Step::Switch {
            self.done(Step::Health);
        }
        let (step, interrupts) = (self.current(), self.interrupts());
        let within = self.deployer.policy.gates.before(before).unwrap_or_default();
        let (Some(gate), Some(tx)) = (&self.deployer.gate, &self.walked) else {
            return Err(self.failure(Cause::Hook, "the policy has a gate, and none is wired"));
        };
        let seen = self.sight().await;
        self.deployer.store.note(self.lease, Some(gate.name(before)));
        let said = tokio::select! {
            said = gate.ask(before, tx, &seen) => said.map_err(|no| {
                Failure { log: no.log, ..self.failure(Cause::Hook, no.message) }
            }),
            failure = async {
                match process {
                    Some(process) => self.until_gone(&tx.to, process).await,
                    None => pending().await,
                }
            } => Err(failure),
            failure = interrupts.heard(step) => Err(failure),
            () = sleep(within) => {
                let message = format!("{} took longer than {}, and was ended", gate.name(before), took(within));
                Err(self.failure(Cause::Hook, message))
            }
        };
        self.deployer.store.note(self.lease, None);
        self.step_began = Instant::now();
        said
    }
}
