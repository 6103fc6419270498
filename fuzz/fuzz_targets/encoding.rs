#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| flinkbridge::api::any_packed_body(bytes));
