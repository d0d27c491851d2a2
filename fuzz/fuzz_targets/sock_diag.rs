#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| bluegreen_process::properties::sock_diag(input));
