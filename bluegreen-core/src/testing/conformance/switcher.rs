use std::time::Duration;

use crate::{ProfileResolver, ProxySwitcher, Route};

/// Long after the time that a drain is given here, also on a slow machine.
const BOUND: Duration = Duration::from_secs(60);

/// Checks a switcher: idempotent, effective when it returns, and bounded in its drain.
pub async fn switcher(switcher: &dyn ProxySwitcher, resolver: &dyn ProfileResolver, routes: &[Route]) {
    for route in routes {
        for _ in 0..2 {
            switcher.switch_to(route).await.expect("switching to the route in effect does nothing and succeeds");
            assert_eq!(
                resolver.resolve().await,
                Ok(route.clone().into()),
                "the change has settled when switch_to returns"
            );
        }
        let drain = switcher.drain(&route.active, Duration::from_millis(300));
        let drained = tokio::time::timeout(BOUND, drain).await.expect("drain is bounded");
        drained.expect("running out of time is not an error");
    }
}
