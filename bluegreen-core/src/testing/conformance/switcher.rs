use std::time::{Duration, Instant};

use crate::{ProfileResolver, ProxySwitcher, Route};

/// Checks a switcher: idempotent, effective when it returns, and bounded in its drain.
pub async fn switcher(switcher: &dyn ProxySwitcher, resolver: &dyn ProfileResolver, routes: &[Route]) {
    for route in routes {
        for _ in 0..2 {
            switcher.switch_to(route).await.expect("switching to the route in effect does nothing and succeeds");
            assert_eq!(resolver.resolve().await.as_ref(), Ok(route), "the change has settled when switch_to returns");
        }
        let (began, within) = (Instant::now(), Duration::from_millis(300));
        switcher.drain(&route.active, within).await.expect("running out of time is not an error");
        assert!(began.elapsed() < within + Duration::from_secs(5), "drain is bounded");
    }
}
