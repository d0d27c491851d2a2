use std::time::Duration;

use crate::{ProfileResolver, ProxySwitcher, Route};

/// Long after the time that a drain is given here, also on a slow machine.
const BOUND: Duration = Duration::from_secs(60);
/// Longer than anybody takes who does not wait.
const MOMENT: Duration = Duration::from_millis(300);

/// Checks a switcher: idempotent, effective when it returns, and patient and bounded in its drain. `routes` lead to both profiles,
/// the first and the last one to different ones; `request` sends a request through the proxy and returns when the profile in
/// effect has it. It is over when what is returned is dropped, and not before.
pub async fn switcher<T>(
    switcher: &dyn ProxySwitcher,
    resolver: &dyn ProfileResolver,
    routes: &[Route],
    request: impl AsyncFnOnce() -> T,
) {
    for route in routes {
        for _ in 0..2 {
            switcher.switch_to(route).await.expect("switching to the route in effect does nothing and succeeds");
            assert_eq!(
                resolver.resolve().await,
                Ok(route.clone().into()),
                "the change has settled when switch_to returns"
            );
        }
    }
    let [from, .., to] = routes else { panic!("two routes or more") };
    switcher.switch_to(from).await.expect("switching works");
    let open = request().await;
    switcher.switch_to(to).await.expect("switching works");
    tokio::select! {
        drained = switcher.drain(&from.active, BOUND) => panic!("drain waits while a request is open, not {drained:?}"),
        () = tokio::time::sleep(MOMENT) => {}
    }
    let drain = async |within| {
        let drained = tokio::time::timeout(BOUND, switcher.drain(&from.active, within)).await;
        drained.expect("drain is bounded").expect("running out of time is not an error")
    };
    assert_ne!(drain(MOMENT).await, 0, "drain says what is left");
    drop(open);
    assert_eq!(drain(2 * BOUND).await, 0, "drain ends when nothing is open");
}
