//! bluegreen-http
