//! Side-by-side measurements: the five scripts against `bluegreen`, with the same app, nginx and load.
#![forbid(unsafe_code)]

mod bed;
mod contender;
mod figures;
mod machine;
mod measure;
mod scripts;
mod table;
mod tool;

pub use bed::Bed;
pub use contender::{Contender, Kind};
pub use figures::{Figures, Switch};
pub use machine::Machine;
pub use measure::{Plan, measure};
pub use table::markdown;
pub use tool::find as find_bluegreen;
