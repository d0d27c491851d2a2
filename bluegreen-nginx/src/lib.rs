//! bluegreen-nginx
