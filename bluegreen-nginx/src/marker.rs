//! Marker mode: the route is a directory of files that nginx tests on every request.

mod place;
mod proof;
mod proof_location;
mod resolver;
mod route_dir;
mod snippet;
mod switcher;

pub use place::{PlaceError, check_place};
pub(crate) use proof::Lead;
#[cfg(any(test, fuzzing))]
pub(crate) use proof::Proof;
pub use proof_location::ProofLocation;
pub use resolver::MarkerResolver;
pub use route_dir::{RouteDir, RouteDirError};
pub use snippet::Snippet;
pub use switcher::MarkerSwitcher;
