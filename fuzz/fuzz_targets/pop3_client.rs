#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postkey_pop3_proto::testkit::fuzz_client(data));
