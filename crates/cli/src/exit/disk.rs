//! What the failures of the target mean for the one who runs the program.

use archive::{Error, Kind};

use super::{Exit, Failure};

impl From<archive::Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(exit(&error), error.to_string(), "")
    }
}

/// The code for a failure of the disk.
fn exit(error: &Error) -> Exit {
    match error.kind() {
        Kind::Busy => Exit::TargetBusy,
        Kind::OtherMailbox => Exit::OtherMailbox,
        Kind::NoSpace => Exit::NoSpace,
        Kind::Permission | Kind::Unsafe => Exit::NoPermission,
        Kind::Message => Exit::Incomplete,
        Kind::Misuse => Exit::Unexpected,
        _ => Exit::Disk,
    }
}
