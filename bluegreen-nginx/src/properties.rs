//! What holds for each parser of this crate, whatever it is given. Held by `cargo test` against samples and mutations of
//! them, and by `testing/fuzz/run`.

use bluegreen_core::{Profile, Profiles};

pub use crate::setup::properties::{nginx_config, nginx_edit};
use crate::{
    marker::Proof,
    reload::{Says, Version, address},
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

/// An address is read only from a statement that has it, and survives being written anew; so does every byte around it.
pub fn include_file(text: &str) {
    let other = "http://127.0.0.1:8082";
    match address::parse(text) {
        Says::To(found) => {
            let found = found.to_string();
            assert_eq!(address::parse(&address::render(&found)), address::parse(text), "{text:?}");
            assert!(text.contains("$service_url") && text.contains(';'), "{text:?}");
            let there = text.to_ascii_lowercase().contains(&found.to_ascii_lowercase());
            let changed = address::rewrite(text, other).expect("there is a value");
            assert!(there && changed.len() + found.len() == text.len() + other.len(), "{text:?}: {changed:?}");
            assert_eq!(address::parse(&changed), address::parse(&address::render(other)), "{changed:?}");
        }
        Says::Unclear(why) => assert!(!why.is_empty(), "{text:?}"),
        Says::Nothing => {}
    }
    // nginx takes the last one, and so do we
    if config::parse(text).is_ok() {
        let more = format!("{text}\n{}", address::render(other));
        let says = address::parse(&more);
        assert!(matches!(says, Says::Unclear(_)) || says == address::parse(&address::render(other)), "{more:?}");
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
            let whole = address::render(&format!("http://127.0.0.1:{port}"));
            let torn = &whole[..at.min(whole.len())];
            prop_assert!([Says::Nothing, address::parse(&whole)].contains(&address::parse(torn)), "{}", torn);
        }
    }
}
