//! Files that others may have touched, opened without following them.
