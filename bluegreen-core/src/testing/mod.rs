//! For people who write a backend, or embed the engine: fakes over one pure [`World`], fault injection, and the
//! conformance suite that every backend passes first. Behind the feature `test-util`; no stable part of the API.

pub mod conformance;
mod fake_host;
mod faults;
mod memory_store;
mod world;

pub use fake_host::{FakeHost, Held, Request};
pub use faults::{Faults, Op};
pub use memory_store::MemoryStore;
pub use world::{FakeProcess, Health, World};
