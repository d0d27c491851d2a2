//! What `/proc` says of a process.
