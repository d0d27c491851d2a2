//! The two places where a release runs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Name;

/// One of the two places a release runs: a name and a TCP port on loopback.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Unchecked")]
pub struct Profile {
    name: Name,
    port: u16,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Unchecked {
    name: Name,
    port: u16,
}

impl TryFrom<Unchecked> for Profile {
    type Error = InvalidProfiles;

    fn try_from(Unchecked { name, port }: Unchecked) -> Result<Self, InvalidProfiles> {
        Self::new(name, port)
    }
}

impl Profile {
    /// A profile `name` on `port`; 0 is not a port.
    ///
    /// # Errors
    /// The port is 0.
    pub fn new(name: Name, port: u16) -> Result<Self, InvalidProfiles> {
        if port == 0 { Err(InvalidProfiles::PortZero(name)) } else { Ok(Self { name, port }) }
    }

    /// The name, as `real1`.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The TCP port that the app listens on.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

/// The two profiles of an app, in their order. It counts where the proxy leads to neither: then the first deploy goes to the
/// first one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Profiles {
    first: Profile,
    second: Profile,
}

/// Two profiles that cannot live side by side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProfiles {
    /// A port of 0.
    #[error("profile {0} has port 0")]
    PortZero(Name),
    /// Both have the same name.
    #[error("both profiles are called {0}")]
    SameName(Name),
    /// Both have the same port.
    #[error("both profiles use port {0}")]
    SamePort(u16),
}

impl Profiles {
    /// Pairs two profiles; their names and ports must differ.
    ///
    /// # Errors
    /// They have the same name or the same port.
    pub fn new(first: Profile, second: Profile) -> Result<Self, InvalidProfiles> {
        if first.name == second.name {
            return Err(InvalidProfiles::SameName(first.name));
        }
        if first.port == second.port {
            return Err(InvalidProfiles::SamePort(first.port));
        }
        Ok(Self { first, second })
    }

    /// The one that is called "first" in the route.
    pub fn first(&self) -> &Profile {
        &self.first
    }

    /// The one that is called "second" in the route.
    pub fn second(&self) -> &Profile {
        &self.second
    }

    /// Both, first to second.
    pub fn both(&self) -> [&Profile; 2] {
        [&self.first, &self.second]
    }

    /// The other one; none of a profile that is neither.
    pub fn other(&self, profile: &Profile) -> Option<&Profile> {
        let [first, second] = self.both();
        if profile == first { Some(second) } else { (profile == second).then_some(first) }
    }

    /// The profile of this name.
    pub fn named(&self, name: &str) -> Option<&Profile> {
        self.both().into_iter().find(|p| p.name.as_str() == name)
    }

    /// The profile on this port.
    pub fn on_port(&self, port: u16) -> Option<&Profile> {
        self.both().into_iter().find(|p| p.port == port)
    }

    /// Whether `profile` is one of the two, port and all.
    pub fn contains(&self, profile: &Profile) -> bool {
        self.both().contains(&profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str, port: u16) -> Profile {
        Profile::new(name.parse().unwrap(), port).unwrap()
    }

    #[test]
    fn refuses_twins() {
        let error = |a, b| Profiles::new(a, b).unwrap_err();
        assert_eq!(error(profile("a", 1), profile("a", 2)), InvalidProfiles::SameName("a".parse().unwrap()));
        assert_eq!(error(profile("a", 1), profile("b", 1)), InvalidProfiles::SamePort(1));
        assert!(Profile::new("a".parse().unwrap(), 0).is_err());
    }

    #[test]
    fn finds_the_other_by_any_handle() {
        let pair = Profiles::new(profile("real1", 8081), profile("real2", 8082)).unwrap();
        assert_eq!(pair.other(pair.first()), Some(pair.second()));
        assert_eq!(pair.other(pair.second()), Some(pair.first()));
        assert_eq!(pair.other(&profile("real1", 9)), None);
        assert_eq!(pair.named("real2"), Some(pair.second()));
        assert_eq!(pair.on_port(8081), Some(pair.first()));
        assert_eq!(pair.on_port(8080), None);
        assert!(!pair.contains(&profile("real1", 9)));
    }
}
