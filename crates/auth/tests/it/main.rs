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
mod password;
mod processes;
mod refresh;
mod secrets;
mod service_account;
mod support;
mod transport;
mod web;
