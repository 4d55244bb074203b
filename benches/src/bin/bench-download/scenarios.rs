//! What is compared.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use peers::Relay;
use postkey_benches::measured::Row;

use crate::clients::{Client, Job};
use crate::lab::{HUGE, Lab, MANY};
use crate::run::{Before, Entry, in_turns, once};

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) measure: fn(&Lab) -> io::Result<Vec<Row>>,
}

/// Every scenario, in the order in which they run.
pub(crate) const ALL: &[Scenario] = &[
    Scenario { name: "tmpfs", title: "Everything, to memory (tmpfs)", measure: tmpfs },
    Scenario { name: "disk", title: "Everything, to disk", measure: disk },
    Scenario { name: "delay", title: "Everything, to memory, with an added round trip", measure: delay },
    Scenario { name: "resync", title: "Again, with nothing new", measure: resync },
    Scenario { name: "pop3", title: "Everything by POP3, to disk", measure: pop3 },
    Scenario { name: "pop3-tmpfs", title: "Everything by POP3, to memory", measure: pop3_tmpfs },
    Scenario { name: "huge", title: "One large message, to memory", measure: huge },
];

/// Each program in a directory of its own.
struct Entries<'a> {
    base: &'a Path,
    user: &'static str,
    messages: usize,
    entries: Vec<Entry>,
}

impl<'a> Entries<'a> {
    fn new(base: &'a Path, user: &'static str, messages: usize) -> Self {
        Self { base, user, messages, entries: Vec::new() }
    }

    fn with(mut self, client: Client, variant: &'static str, server: SocketAddr) -> Self {
        let dir = self.base.join(format!("run-{}", self.entries.len()));
        let job = Job { server, user: self.user, messages: self.messages, dir };
        self.entries.push(Entry { client, variant, job });
        self
    }

    fn with_all(self, clients: &[Client], server: SocketAddr) -> Self {
        clients.iter().fold(self, |entries, &client| entries.with(client, "", server))
    }
}

/// One download that is not measured, so that the server's index and the page cache are as they stay.
pub(crate) fn warm_up(lab: &Lab) -> io::Result<()> {
    for server in [lab.server.tls_addr(), lab.server_without_condstore.tls_addr()] {
        let entries =
            Entries::new(&lab.options.tmpfs, MANY, lab.options.count).with(Client::RawNull, "", server);
        entries.entries.iter().try_for_each(|entry| once(lab, entry))?;
    }
    Ok(())
}

fn tmpfs(lab: &Lab) -> io::Result<Vec<Row>> {
    use Client::{AsyncImap, Curl, Mbsync, Postkey, Raw, RawNull};
    let clients = [RawNull, Raw, AsyncImap, Postkey, Mbsync, Curl];
    let entries = Entries::new(&lab.options.tmpfs, MANY, lab.options.count);
    in_turns(lab, entries.with_all(&clients, lab.server.tls_addr()).entries, Before::Empty)
}

fn disk(lab: &Lab) -> io::Result<Vec<Row>> {
    use Client::{Mbsync, MbsyncFsync, Postkey, PostkeyNoFsync, Raw};
    let clients = [Raw, Postkey, PostkeyNoFsync, Mbsync, MbsyncFsync];
    let entries = Entries::new(&lab.options.work, MANY, lab.options.count);
    in_turns(lab, entries.with_all(&clients, lab.server.tls_addr()).entries, Before::Empty)
}

fn delay(lab: &Lab) -> io::Result<Vec<Row>> {
    let relay = Relay::with_round_trip(lab.server.tls_addr(), Duration::from_millis(lab.options.delay))?;
    let entries = Entries::new(&lab.options.tmpfs, MANY, lab.options.count);
    let entries = entries.with_all(&[Client::Raw, Client::Postkey, Client::Mbsync], relay.addr());
    in_turns(lab, entries.entries, Before::Empty)
}

fn resync(lab: &Lab) -> io::Result<Vec<Row>> {
    let (server, plain) = (lab.server.tls_addr(), lab.server_without_condstore.tls_addr());
    let entries = Entries::new(&lab.options.work, MANY, lab.options.count)
        .with(Client::RawFlags, "", server)
        .with(Client::Mbsync, "", server)
        .with(Client::Postkey, WITH_CONDSTORE, server)
        .with(Client::Postkey, WITHOUT_CONDSTORE, plain);
    in_turns(lab, entries.entries, Before::Complete)
}

pub(crate) const WITH_CONDSTORE: &str = "CONDSTORE";
pub(crate) const WITHOUT_CONDSTORE: &str = "no CONDSTORE";

fn pop3(lab: &Lab) -> io::Result<Vec<Row>> {
    by_pop3(lab, &lab.options.work)
}

fn pop3_tmpfs(lab: &Lab) -> io::Result<Vec<Row>> {
    by_pop3(lab, &lab.options.tmpfs)
}

fn by_pop3(lab: &Lab, base: &Path) -> io::Result<Vec<Row>> {
    use Client::{CurlPop3, FacadePop3, Poplib, PostkeyPop3, PostkeyPop3NoFsync};
    // The first listing by POP3 has the server count the sizes of all messages.
    let first = Entries::new(&lab.options.tmpfs, MANY, lab.options.count).with(FacadePop3, "", lab.pop3s());
    first.entries.iter().try_for_each(|entry| once(lab, entry))?;
    let clients = [FacadePop3, PostkeyPop3, PostkeyPop3NoFsync, Poplib, CurlPop3];
    let entries = Entries::new(base, MANY, lab.options.count);
    in_turns(lab, entries.with_all(&clients, lab.pop3s()).entries, Before::Empty)
}

fn huge(lab: &Lab) -> io::Result<Vec<Row>> {
    let entries = Entries::new(&lab.options.tmpfs, HUGE, 1);
    let clients = [Client::Raw, Client::AsyncImap, Client::Postkey];
    in_turns(lab, entries.with_all(&clients, lab.server.tls_addr()).entries, Before::Empty)
}
