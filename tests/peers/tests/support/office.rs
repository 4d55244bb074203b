//! Postfix in front of a Dovecot.

use std::net::{Ipv4Addr, TcpListener};

use postkey::{Security, Server};
use postkey_peers::{Postfix, Program, available, free_port};

use super::House;

/// Dovecot's submission hands on to Postfix, and Postfix delivers to Dovecot.
pub(crate) struct Office {
    pub(crate) house: House,
    pub(crate) postfix: Postfix,
}

impl Office {
    pub(crate) fn open(test: &str) -> Option<Self> {
        if !available(test, &[Program::Dovecot, Program::DovecotServices, Program::Postfix]) {
            return None;
        }
        // Held, so that Dovecot does not take it for itself.
        let port = free_port().unwrap();
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let house = House::new(port);
        drop(held);
        let postfix = Postfix::start(&house.dovecot, &house.tls, "contoso.example").unwrap();
        Some(Self { house, postfix })
    }

    pub(crate) fn server(&self, security: Security) -> Server {
        let port = if security == Security::Tls { self.postfix.tls_port() } else { self.postfix.port() };
        Server::submission("localhost", self.house.roots()).port(port).security(security)
    }
}
