//! Prints a deploy as JSON, one event per line, as `bluegreen --format json` does.
//!
//! The machine is the library's own fake one, so it runs anywhere.

use std::{error::Error, time::Duration};

use bluegreen_core::{Event, Events, Policy, testing::FakeHost};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let host = FakeHost::new();
    let events = Events::to(|event: &Event| println!("{}", serde_json::to_string(event).expect("an event is JSON")));
    let policy = Policy { bake: Duration::from_millis(200), ..Policy::default() };
    let deployer = host.deployer(&host.store()).with_policy(policy).with_events(events);
    deployer.deploy("v1".parse()?).await?;
    Ok(())
}
