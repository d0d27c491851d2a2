#![no_main]
libfuzzer_sys::fuzz_target!(|input: &str| bluegreen_process::properties::record(input));
