//! The whole thing, end to end: the real binary, a real nginx, real processes, real signals.
//!
//! Each test has its own nginx, ports and directories. One that needs what is not here says `SKIPPED` and why.
#![forbid(unsafe_code)]

mod adopt;
mod apps;
mod autopsy;
mod broken;
mod cancel;
mod check;
mod clock;
mod codedeploy;
mod confined;
mod damaged;
mod disk;
mod docs;
mod fixtures;
mod ground;
mod groups;
mod halves;
mod history;
mod hook;
mod hooks;
mod identity;
mod init;
mod json;
mod kills;
mod lock;
mod looking;
mod metrics;
mod mistakes;
mod options;
mod outage;
mod owner;
mod plan;
mod proxy;
mod readers;
mod reboot;
mod rights;
mod rollback;
mod secrets;
mod security;
mod signals;
mod store;
mod streams;
mod terminal;
mod threads;
mod workflows;
mod zoo;
