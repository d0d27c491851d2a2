//! Real processes, real signals, real ports. The apps are this very binary, run again: see `app.rs`.

mod addresses;
mod adopt;
mod app;
mod damaged;
mod own_probe;
mod ports;
mod rig;
mod shared;
mod start;
mod stop;

/// Not a test of its own: what the tests start.
#[test]
fn app() {
    if let Ok(kind) = std::env::var("APP_KIND") {
        app::run(&kind);
    }
}
