use crate::{ProfileResolver, ProxySwitcher, Route};

/// Checks a resolver together with the switcher of the same proxy: the witness sees what the actor did, each time.
pub async fn resolver(resolver: &dyn ProfileResolver, switcher: &dyn ProxySwitcher, routes: &[Route]) {
    for route in routes.iter().chain(routes.iter().rev()) {
        switcher.switch_to(route).await.expect("switching works");
        for _ in 0..5 {
            assert_eq!(resolver.resolve().await, Ok(route.clone().into()), "every fresh answer is the route in effect");
        }
    }
}
