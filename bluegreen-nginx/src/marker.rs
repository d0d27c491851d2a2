//! Marker mode: the route is a directory of files that nginx tests on every request.

mod connections;
mod place;
mod proof;
mod resolver;
mod route_dir;
mod snippet;
mod switcher;

pub(crate) use connections::listens;
pub use place::{PlaceError, check_place};
pub use resolver::MarkerResolver;
pub use route_dir::{RouteDir, RouteDirError};
pub use snippet::Snippet;
pub use switcher::MarkerSwitcher;
pub(crate) use switcher::chain;
