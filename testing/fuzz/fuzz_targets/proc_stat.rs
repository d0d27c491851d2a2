#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| bluegreen_linux::properties::proc_stat(input));
