//! The contracts of the traits as checks. A backend's tests call them first, on the real thing; the fakes pass them too.
//!
//! Each check panics with the sentence of the contract that is broken.

mod ports;
mod probe;
mod processes;
mod resolver;
mod store;
mod switcher;

pub use ports::{hold, ports};
pub use probe::probe;
pub use processes::{Releases, cut_off, processes, supervisor};
pub use resolver::resolver;
pub use store::store;
pub use switcher::switcher;
