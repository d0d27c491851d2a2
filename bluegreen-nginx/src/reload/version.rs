//! What a reload costs with this nginx.

use std::{fmt, str::FromStr};

/// A version of nginx, as `1.22.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u16, pub u16, pub u16);

/// The text is not a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a version of nginx, as 1.22.1")]
pub struct InvalidVersion;

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let mut numbers = text.split('.').map(|number| number.parse().map_err(|_| InvalidVersion));
        let mut next = || numbers.next().unwrap_or(Err(InvalidVersion));
        let version = Self(next()?, next()?, next()?);
        if numbers.next().is_none() { Ok(version) } else { Err(InvalidVersion) }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// What nginx itself loses at each reload, in plain words with measured numbers; empty when it is nothing known.
/// `keepalive_min_timeout` is whether the configuration sets it.
pub fn reload_warnings(version: Version, keepalive_min_timeout: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    let loss = "each reload loses requests on idle keep-alive connections: about 8 to 10 under 50 busy clients on loopback, \
                about 40 under 100 clients 40 ms away";
    if version < Version(1, 27, 4) {
        warnings.push(format!("nginx {version}: {loss}; use marker mode, or nginx 1.27.4 with keepalive_min_timeout"));
    } else if !keepalive_min_timeout {
        warnings.push(format!("nginx {version}: {loss}; set keepalive_min_timeout 5s, or use marker mode"));
    }
    if (Version(1, 17, 5)..=Version(1, 23, 0)).contains(&version) {
        warnings.push(format!(
            "nginx {version}: a reload may cut off an answer in flight, with status 200 (nginx 1.17.5 to 1.23.0, ticket 2367)"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warns_by_version() {
        let count = |text: &str, set| reload_warnings(text.parse().unwrap(), set).len();
        assert_eq!(
            (count("1.17.4", false), count("1.17.5", false), count("1.23.0", true), count("1.23.1", true)),
            (1, 2, 2, 1)
        );
        assert_eq!((count("1.27.3", true), count("1.27.4", false), count("1.27.4", true)), (1, 1, 0));
    }

    #[test]
    fn reads_versions_and_nothing_else() {
        assert_eq!("1.22.1".parse(), Ok(Version(1, 22, 1)));
        assert!(Version(1, 9, 15) < Version(1, 10, 0));
        for bad in ["", "1.22", "1.22.1.1", "1.22.x", "v1.22.1"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }
}
