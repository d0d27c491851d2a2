//! bluegreen-cli
