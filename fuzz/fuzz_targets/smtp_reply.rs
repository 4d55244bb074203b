#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postkey_smtp_proto::testkit::fuzz_reply(data));
