//! bluegreen-process
