//! A health probe of your own: a command that ends with 0 when the app is ready, as `pg_isready` or `redis-cli ping` do.
//!
//! Here it is `test -e`: real1 becomes ready, real2 never does, so the second deploy is taken back. Apart from the probe the
//! machine is the library's own fake one, so it runs anywhere.

use std::{error::Error, path::PathBuf, process::Stdio, time::Duration};

use async_trait::async_trait;
use bluegreen_core::{Deployer, HealthProbe, Policy, Profile, Unhealthy, testing::FakeHost};
use tokio::{process::Command, time::timeout};

/// One attempt may not take longer.
const LIMIT: Duration = Duration::from_secs(2);

/// Healthy is who has left a file with its name.
#[derive(Debug)]
struct CommandProbe {
    dir: PathBuf,
}

#[async_trait]
impl HealthProbe for CommandProbe {
    async fn check(&self, profile: &Profile) -> Result<(), Unhealthy> {
        let mut command = Command::new("test");
        // an attempt may be dropped at any time, and must leave nothing behind
        command.arg("-e").arg(self.dir.join(profile.name().as_str())).stdin(Stdio::null()).kill_on_drop(true);
        match timeout(LIMIT, command.status()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(Unhealthy::Sick(format!("the command ended with {status}"))),
            Ok(Err(error)) => Err(Unhealthy::NoAnswer(error.to_string())),
            Err(_) => Err(Unhealthy::NoAnswer(format!("the command took longer than {LIMIT:?}"))),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let probe = CommandProbe { dir: dir.path().to_owned() };
    let host = FakeHost::new();
    let (profiles, store) = (host.world().profiles.clone(), host.store());
    let quick = Policy { bake: Duration::ZERO, health_deadline: Duration::from_secs(1), ..Policy::default() };
    let deployer =
        Deployer::new(profiles.clone(), host.clone(), host.clone(), probe, host.clone(), store).with_policy(quick);

    std::fs::write(dir.path().join("real1"), "")?;
    for release in ["v1", "v2"] {
        let report = deployer.deploy(release.parse()?).await?;
        println!("{release}: {:?}; the traffic goes to {}", report.outcome, report.traffic?);
    }
    Ok(())
}
