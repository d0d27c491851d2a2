//! bluegreen-cli
#![forbid(unsafe_code)]

pub mod demo;
