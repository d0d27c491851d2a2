//! What holds for each parser of this crate, whatever it is given. Held by `cargo test` against samples and mutations of
//! them, and by `fuzz/run`.

use bluegreen_core::{Profile, Profiles};

pub use crate::setup::properties::{nginx_config, nginx_edit};
use crate::{
    marker::Proof,
    reload::{Says, Version, include},
    setup::config,
    text::one_line,
};

/// Two profiles, as in all samples.
pub(crate) fn profiles() -> Profiles {
    let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
    Profiles::new(profile("real1", 8081), profile("real2", 8082)).unwrap()
}

/// Four answers are a route, and nothing else is.
pub fn proof(text: &str) {
    let Some(proof) = Proof::parse(text) else { return };
    let app = "my-shop".parse().unwrap();
    let Ok(route) = proof.route(&app, &profiles()) else { return };
    let solo = if route.standby.is_none() { ".solo" } else { "" };
    let wanted = format!("bluegreen 1 my-shop real1=8081 real2=8082 my-shop.{}{solo}", route.active);
    assert_eq!(text.strip_suffix('\n').unwrap_or(text), wanted);
}

/// A port is read only from a statement that has it, and survives being written anew.
pub fn include_file(text: &str) {
    match include::parse(text) {
        Says::Port(port) => {
            assert_eq!(include::parse(&include::render(port)), Says::Port(port));
            let said = port == 80 || text.contains(&port.to_string());
            assert!(said && text.contains("$service_url") && text.contains(';'), "{text:?}");
        }
        Says::Elsewhere(url) => assert!(text.contains(&url), "{url:?}"),
        Says::Nothing => {}
    }
    // nginx takes the last one, and so do we
    if config::parse(text).is_ok() {
        let more = format!("{text}\n{}", include::render(8082));
        assert_eq!(include::parse(&more), Says::Port(8082), "{more:?}");
    }
}

/// A version says the same once printed; what a command prints is one line that controls no terminal.
pub fn version(text: &str) {
    if let Ok(version) = text.parse::<Version>() {
        assert_eq!(version.to_string().parse(), Ok(version));
    }
    let line = one_line(text);
    assert!(!line.contains(char::is_control) && line.chars().count() <= 300, "{line:?}");
}

#[cfg(test)]
mod tests {
    use bluegreen_seeds::{proptest::prelude::*, texts};

    use super::*;

    #[test]
    fn of_what_nginx_says() {
        texts("proof", proof);
        texts("version", version);
    }

    #[test]
    fn of_files() {
        texts("include_file", include_file);
        texts("nginx_config", nginx_config);
    }

    #[test]
    fn of_a_site_that_is_set_up_and_taken_back() {
        texts("nginx_edit", nginx_edit);
    }

    proptest! {
        #![proptest_config(bluegreen_seeds::config())]

        #[test]
        fn a_torn_include_file_never_leads_to_another_port(port in 1..=u16::MAX, at in 0..45usize) {
            let whole = include::render(port);
            let torn = &whole[..at.min(whole.len())];
            prop_assert!([Says::Nothing, Says::Port(port)].contains(&include::parse(torn)), "{}", torn);
        }
    }
}
