//! Postfix in front of a Dovecot.

use postkey::{Security, Server};
use postkey_peers::{Postfix, Program, Sink, available};

use super::House;

pub(crate) struct Office {
    pub(crate) house: House,
    pub(crate) postfix: Postfix,
    _sink: Sink,
}

impl Office {
    pub(crate) fn open(test: &str) -> Option<Self> {
        if !available(test, &[Program::Dovecot, Program::DovecotServices, Program::Postfix]) {
            return None;
        }
        let sink = Sink::start().unwrap();
        let house = House::new(sink.port());
        let postfix = Postfix::start(&house.dovecot, &house.tls, "contoso.example").unwrap();
        Some(Self { house, postfix, _sink: sink })
    }

    pub(crate) fn server(&self, security: Security) -> Server {
        let port = if security == Security::Tls { self.postfix.tls_port() } else { self.postfix.port() };
        Server::submission("localhost", self.house.roots()).port(port).security(security)
    }
}
