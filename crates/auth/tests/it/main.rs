//! The crate as its users see it: scripted servers, real files, real processes.

mod app;
mod code;
mod device;
mod files;
mod flight;
#[cfg(target_os = "linux")]
mod keyring;
#[cfg(unix)]
mod keys;
mod processes;
mod refresh;
#[cfg(unix)]
mod rounds;
mod secrets;
mod support;
#[cfg(unix)]
mod transfer;
mod transport;
