#![no_main]
libfuzzer_sys::fuzz_target!(|input: &str| bluegreen_linux::properties::tcp_table(input));
