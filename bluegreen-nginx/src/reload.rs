//! Reload mode: the scripts' way, for a machine set up by the article.
//!
//! `include service-url.inc` holds `set $service_url http://127.0.0.1:PORT;`, and a switch is a new include and a reload.
//! nginx's own exit codes prove nothing (`-t` and `-s reload` both return 0 for changes that it then refuses), so the
//! evidence is a new generation of workers: see [`ReloadSwitcher`] and [`IncludeResolver`]. There is no standby, and nginx
//! itself loses requests at each reload: see [`reload_warnings`].

pub(crate) mod address;
mod include;
mod leads;
mod resolver;
mod scope;
mod site;
mod switcher;
mod version;

pub use address::{Address, Says};
pub use include::{IncludeError, IncludeFile};
pub use resolver::IncludeResolver;
pub use scope::{follows, names};
pub use switcher::ReloadSwitcher;
pub use version::{InvalidVersion, Version, reload_warnings};
