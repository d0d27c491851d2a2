//! What holds for `bluegreen.toml`, whatever is in it.

use std::path::Path;

use super::{Config, ConfigError, Setting};

/// A configuration gives settings, which say the same once printed, or problems, each with a place in the file where there
/// is one.
pub fn config(text: &str) {
    let parse = |text: &str| Config::parse(text, Path::new("bluegreen.toml"));
    match parse(text) {
        Ok(config) => {
            let printed = config.to_toml();
            let again = parse(&printed).unwrap_or_else(|error| panic!("{}\n{printed}", error.render(false)));
            let values = |config: &Config| -> Vec<_> {
                config.settings().iter().map(|Setting { key, value, .. }| (key.clone(), value.clone())).collect()
            };
            // text, as a NaN is not itself
            assert_eq!(format!("{:?}", values(&again)), format!("{:?}", values(&config)));
            assert_eq!(again.policy(), config.policy());
        }
        Err(error @ ConfigError::Invalid(_)) => {
            let ConfigError::Invalid(invalid) = &error else { return };
            assert!(!invalid.problems.is_empty());
            for span in invalid.problems.iter().filter_map(|problem| problem.span.clone()) {
                assert!(text.get(span.clone()).is_some(), "{span:?}");
            }
            is_clean(&error.render(false));
        }
        Err(error) => panic!("{error}"),
    }
}

/// Has nothing in it that controls a terminal.
pub(crate) fn is_clean(text: &str) {
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
}
