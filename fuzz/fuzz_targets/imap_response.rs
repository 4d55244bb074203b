#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postkey_imap_proto::testkit::fuzz_response(data));
