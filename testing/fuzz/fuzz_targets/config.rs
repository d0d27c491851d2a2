#![no_main]
libfuzzer_sys::fuzz_target!(|input: &str| bluegreen_cli::properties::config(input));
