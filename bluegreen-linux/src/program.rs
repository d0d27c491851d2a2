//! Other people's programs, and what they get of us.
