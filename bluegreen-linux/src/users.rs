//! Users of this machine.
