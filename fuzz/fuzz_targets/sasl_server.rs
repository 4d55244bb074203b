#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postkey_sasl::testkit::fuzz_server(data));
