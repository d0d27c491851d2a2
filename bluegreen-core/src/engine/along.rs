use super::{Deployer, RunError, run::Run};
use crate::{Event, EventKind, EventSink, Events, Outcome, Seen};

/// What a command's own stop took along is repaired inside the same command. It stays one story, with one entry in the history and
/// one release that it is about, so of the repair only the warnings are told.
#[derive(Debug)]
struct Aside(Events);

impl EventSink for Aside {
    fn event(&self, event: &Event) {
        if let EventKind::Warning { message } = &event.kind {
            self.0.warn(message.clone());
        }
    }
}

impl Run<'_> {
    /// What was taken back may have taken the live side with it, as a stop of siblings does: that is not left for the next command.
    pub(super) async fn leaves_well(&mut self, outcome: Outcome, before: &Seen) -> Result<Outcome, RunError> {
        let served = before.route().map(|route| &route.active).filter(|active| before.listens(active));
        let (Outcome::Undone(failure), Some(active), None) = (&outcome, served, self.open()) else {
            return Ok(outcome);
        };
        if self.look(None).await.listens(active) {
            return Ok(outcome);
        }
        let events = &self.deployer.events;
        events.warn(format!("{active} had the traffic and ended as well: what should serve is brought back"));
        let aside: Deployer = self.deployer.clone().with_events(Events::to(Aside(events.clone())));
        let mut repair = Run::start(&aside, self.lease, self.interrupts.clone()).await?;
        match repair.recover().await?.0 {
            Some(Outcome::Degraded { reason, .. }) => Ok(Outcome::Degraded { failure: failure.clone(), reason }),
            _ => Ok(outcome),
        }
    }
}
