//! Takes a deploy back when somebody presses Ctrl-C, also while it bakes.
//!
//! The machine is the library's own fake one, so it runs anywhere.

use std::{error::Error, time::Duration};

use bluegreen_core::{Cancel, Command, Event, EventKind, Events, Options, Policy, Step, testing::FakeHost};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let host = FakeHost::new();
    let store = host.store();
    let quick = Policy { bake: Duration::ZERO, ..Policy::default() };
    host.deployer(&store).with_policy(quick).deploy("v1".parse()?).await?;

    let cancel = Cancel::new();
    tokio::spawn({
        let cancel = cancel.clone();
        async move {
            // without a handler nobody can cancel, and the deploy just goes on
            if tokio::signal::ctrl_c().await.is_ok() {
                cancel.cancel();
            }
        }
    });

    // v2 had traffic, so it is stopped only `settle` after it lost it
    let slow = Policy { bake: Duration::from_secs(30), settle: Duration::from_millis(500), ..Policy::default() };
    let deployer = host.deployer(&store).with_policy(slow).with_events(Events::to(|event: &Event| {
        if matches!(event.kind, EventKind::StepStarted { step: Step::Bake, .. }) {
            println!("v2 has the traffic and bakes for 30 s; press Ctrl-C");
        }
    }));
    let options = Options { cancel, ..Options::default() };
    let report = deployer.run(&Command::deploy("v2".parse()?), &options).await?;
    println!("{:?}; the traffic goes to {}", report.outcome, report.traffic?);
    Ok(())
}
