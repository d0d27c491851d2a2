//! Directories, walked by descriptors.
