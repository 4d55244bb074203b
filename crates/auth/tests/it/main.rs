//! The crate as its users see it: scripted servers, real files, real processes.

mod aadsts;
mod against_sandbox;
mod app;
mod assertion;
mod browser;
mod certificate;
mod code;
mod device;
mod discovery;
mod files;
mod flight;
#[cfg(target_os = "linux")]
mod keyring;
#[cfg(unix)]
mod keys;
mod lent;
mod nonce;
mod password;
mod processes;
mod refresh;
#[cfg(unix)]
mod rounds;
mod secrets;
mod service_account;
mod steps;
mod support;
#[cfg(unix)]
mod transfer;
mod transport;
mod unusable;
mod web;
