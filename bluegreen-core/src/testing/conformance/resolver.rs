use crate::{ProfileResolver, ProxySwitcher, Route};

/// Checks a resolver together with the switcher of the same proxy: the witness sees what the actor did, each time, and what
/// somebody else did too. `elsewise` moves the route in another way than by `switcher`.
pub async fn resolver(
    resolver: &dyn ProfileResolver,
    switcher: &dyn ProxySwitcher,
    routes: &[Route],
    elsewise: impl AsyncFn(&Route),
) {
    for route in routes.iter().chain(routes.iter().rev()) {
        switcher.switch_to(route).await.expect("switching works");
        for _ in 0..5 {
            assert_eq!(resolver.resolve().await, Ok(route.clone().into()), "every fresh answer is the route in effect");
        }
    }
    for route in routes {
        elsewise(route).await;
        let seen = resolver.resolve().await;
        assert_eq!(seen, Ok(route.clone().into()), "a route that somebody else moved is the route in effect too");
    }
}
