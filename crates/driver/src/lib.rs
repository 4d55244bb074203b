//! Moves the octets of any protocol machine over tokio and rustls; knows no protocol.
//!
//! ```text
//!   Machine (wire)          Connection                socket
//!   advance → Need::Input   read and write at once    TCP, TLS
//!           → Need::Upgrade handshake, `upgraded`
//!           → Need::Event   back to the caller
//! ```
//!
//! * [`Connection`]: one generic loop, [`drive`](Connection::drive), for clients and servers of every protocol. Reads, writes
//!   and the machine's deadline wait together, so two peers that write at each other do not deadlock. Dropping the future loses
//!   nothing: all state is in the machine and its two buffers.
//! * [`dial`]: TCP with happy eyeballs (RFC 8305).
//! * [`tls`]: which roots to trust, and errors that say what is wrong with a certificate.
//!
//! Whatever is sent can be seen at trace level under the target `postkey::wire`, credentials redacted by the machine's own
//! [`OutBuf`](wire::OutBuf); of what is received only sizes are logged.

mod connection;
mod dial;
mod error;
mod read_ahead;
pub mod tls;

pub use connection::{Connection, Turn};
pub use dial::dial;
pub use error::{Error, TlsHint};
