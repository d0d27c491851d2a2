//! bluegreen-nginx

mod drain;
pub mod reload;
