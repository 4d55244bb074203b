//! What the fuzz targets start from is understood.

use postkey_imap_proto::grammar::{ParseLimits, command, fetch_prefix, greeting, response};
use postkey_imap_proto::testkit::{fuzz_command, fuzz_response};
use wire::testkit::seeds;

#[test]
fn every_response_is_read() {
    for (name, octets) in seeds("imap_response") {
        let read = response(&octets, ParseLimits::DEFAULT).map(drop);
        let good = read.is_ok() || greeting(&octets).is_ok() || fetch_prefix(&octets).is_ok();
        assert!(good, "{name}: {read:?}");
        fuzz_response(&octets);
    }
}

#[test]
fn every_command_is_read() {
    for (name, octets) in seeds("imap_command") {
        let read = command(&octets, ParseLimits::DEFAULT);
        assert!(read.is_ok(), "{name}: {read:?}");
        fuzz_command(&octets);
    }
}
