use crate::{HealthProbe, Profile, Unhealthy};

/// Checks a health probe: `up` is a profile on which something healthy listens, on `down` nobody does.
pub async fn probe(probe: &dyn HealthProbe, up: &Profile, down: &Profile) {
    for _ in 0..3 {
        assert_eq!(probe.check(up).await, Ok(()), "a healthy profile passes each attempt");
        let refused = probe.check(down).await.expect_err("a profile where nobody listens does not pass");
        assert!(matches!(refused, Unhealthy::Refused(_)), "nobody listens is Refused, not {refused:?}");
    }
}
