//! Several processes, hostile cases AU-36 to AU-38. The test program starts itself again, with a role in its
//! environment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use postkey_auth::http::{Http, HttpError, HttpRequest, HttpResponse, ReqwestHttp, ReqwestOptions};
use postkey_auth::store::{
    EntryKey, FileStore, KeySource, Listing, Lock, Record, Renewal, StoreError, TokenStore, Wanted,
    access_token, save,
};
use postkey_auth::{Client, Clock, Error, Registration, SignIn, SystemClock};
use wire::Secret;

use crate::support::*;

const ROLE: &str = "POSTKEY_TEST_ROLE";
const ADDRESS: &str = "POSTKEY_TEST_ADDRESS";
const FOLDER: &str = "POSTKEY_TEST_FOLDER";

pub(crate) fn store_in(folder: &Path) -> FileStore {
    FileStore::open(folder.join("store"), &KeySource::File(folder.join("key"))).unwrap()
}

pub(crate) fn client_at<H: Http>(address: SocketAddr, http: H) -> Client<H> {
    Client::new(endpoints(address), Registration::public("CLIENT", ""), http)
}

pub(crate) fn transport() -> ReqwestHttp {
    ReqwestHttp::new(&ReqwestOptions::default()).unwrap()
}

pub(crate) fn wanted<H: Http, C: Clock>(client: &Client<H, C>) -> Wanted {
    Wanted::new("ana", client, vec!["mail".to_owned()], Renewal::Refresh)
}

pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Puts an expired token with the refresh token RT-0 into the store.
pub(crate) fn sign_in(server: &StrictServer, folder: &Path) {
    run(async {
        let clock = FakeClock::new();
        let http = FakeHttp::answering([granted("AT-0", "RT-0", 1)]);
        let old = Client::with_clock(server.endpoints(), Registration::public("CLIENT", ""), http, clock);
        let mut tokens = old.refresh(&Secret::from("RT-x"), &["mail".to_owned()]).await.unwrap();
        (tokens.obtained_at, tokens.expires_at) = (1, 2);
        let client = client_at(server.address, transport());
        save(&store_in(folder), &wanted(&client).key, tokens, &SystemClock).await.unwrap();
    });
}

fn child(role: &str, server: &StrictServer, folder: &Path) -> Child {
    spawn("processes::a_process_of_its_own", role, server.address, folder)
}

/// This test program with a role, as the test called `test`.
pub(crate) fn spawn(test: &str, role: &str, address: SocketAddr, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(ADDRESS, address.to_string())
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A process that never ends by itself: killed by SIGKILL at the latest when the test is over, however it ends.
struct Holder(Child);

impl Drop for Holder {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Sends the request, says so, and then never comes back.
struct Stuck;

impl Http for Stuck {
    async fn send(&self, _request: HttpRequest) -> Result<HttpResponse, HttpError> {
        println!("\nholding");
        std::future::pending().await
    }
}

/// Dies in the moment between the server's answer and the new entry.
struct Mortal(FileStore);

impl TokenStore for Mortal {
    fn load(&self, key: &EntryKey) -> Result<Option<Record>, StoreError> {
        self.0.load(key)
    }
    fn try_lock(&self, key: &EntryKey) -> Result<Option<Lock>, StoreError> {
        self.0.try_lock(key)
    }
    fn load_locked(&self, lock: &Lock, key: &EntryKey) -> Result<Option<Record>, StoreError> {
        self.0.load_locked(lock, key)
    }
    fn reserve(&self, lock: &Lock, key: &EntryKey) -> Result<(), StoreError> {
        self.0.reserve(lock, key)
    }
    fn save(&self, _lock: &Lock, _key: &EntryKey, _record: &Record) -> Result<(), StoreError> {
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap();
        unreachable!("SIGKILL cannot be outlived")
    }
    fn remove(&self, lock: &Lock, key: &EntryKey) -> Result<bool, StoreError> {
        self.0.remove(lock, key)
    }
    fn list(&self) -> Result<Listing, StoreError> {
        self.0.list()
    }
}

/// The role of this process, the server's address and the folder; `None` if it is the test's own process.
pub(crate) fn role() -> Option<(String, SocketAddr, PathBuf)> {
    let role = std::env::var(ROLE).ok()?;
    let address = std::env::var(ADDRESS).unwrap().parse().unwrap();
    Some((role, address, PathBuf::from(std::env::var(FOLDER).unwrap())))
}

/// What a child process does; as an ordinary test it has no role and does nothing.
#[test]
fn a_process_of_its_own() {
    let Some((role, address, folder)) = role() else { return };
    match role.as_str() {
        "fetch" => {
            let client = client_at(address, transport());
            let issued = run(access_token(&store_in(&folder), &client, &wanted(&client))).unwrap();
            println!("\ntoken {}", issued.token.expose());
        }
        "hold" => {
            let client = client_at(address, Stuck);
            let _ = run(access_token(&store_in(&folder), &client, &wanted(&client)));
        }
        "die" => {
            let client = client_at(address, transport());
            let _ = run(access_token(&Mortal(store_in(&folder)), &client, &wanted(&client)));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn au_36_eight_processes_make_one_refresh() {
    let folder = tempfile::tempdir().unwrap();
    let server = StrictServer::start(3600, false);
    sign_in(&server, folder.path());
    let children: Vec<Child> = (0..8).map(|_| child("fetch", &server, folder.path())).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{shown}");
        assert!(shown.lines().any(|line| line == "token AT-1"), "{shown}");
    }
    assert_eq!(server.refreshes(), 1);
    assert!(!server.revoked());
}

#[test]
fn au_36_short_lived_tokens_never_lead_to_a_reused_refresh_token() {
    let folder = tempfile::tempdir().unwrap();
    let server = StrictServer::start(1, false);
    sign_in(&server, folder.path());
    for _ in 0..3 {
        let children: Vec<Child> = (0..4).map(|_| child("fetch", &server, folder.path())).collect();
        for child in children {
            assert!(child.wait_with_output().unwrap().status.success());
        }
    }
    assert!(!server.revoked());
    assert!(server.refreshes() >= 1);
}

#[test]
fn au_37_a_killed_holder_lets_go() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let server = StrictServer::start(3600, false);
    sign_in(&server, folder.path());
    let mut holder = Holder(child("hold", &server, folder.path()));
    let lines = BufReader::new(holder.0.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "holding"));
    let store = store_in(folder.path());
    let client = client_at(server.address, transport());
    let wanted = wanted(&client);
    assert!(store.try_lock(&wanted.key).unwrap().is_none(), "the other process holds the lock");
    drop(holder);
    assert_eq!(run(access_token(&store, &client, &wanted)).unwrap().token.expose(), "AT-1");
    assert_eq!(server.refreshes(), 1);
}

#[test]
fn au_38_killed_between_answer_and_entry() {
    use std::os::unix::process::ExitStatusExt;
    for grace in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let server = StrictServer::start(3600, grace);
        sign_in(&server, folder.path());
        let status = child("die", &server, folder.path()).wait().unwrap();
        assert_eq!(status.signal(), Some(9));
        assert_eq!(server.refreshes(), 1);
        let store = store_in(folder.path());
        let client = client_at(server.address, transport());
        let wanted = wanted(&client);
        let next = run(access_token(&store, &client, &wanted));
        if grace {
            assert_eq!(next.unwrap().token.expose(), "AT-2", "the refresh token before the last still works");
        } else {
            match next {
                Err(Error::SignInAgain(reason)) => assert!(matches!(*reason, SignIn::Refused(_))),
                other => panic!("{other:?}"),
            }
            assert!(store.load(&wanted.key).unwrap().unwrap().tokens.is_some(), "the entry is kept");
        }
    }
}
