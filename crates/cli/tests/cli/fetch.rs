//! `postkey folders` and `postkey fetch` from the sandbox, whole and in pieces.

use std::path::Path;

use sandbox::{ANA, Fault, ImapFault, PUBLIC_APP, RequestKind, SHARED};

use crate::support::*;

/// Every message of a folder on disk, as its octets, in order.
fn on_disk(maildir: &Path) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = ["cur", "new"]
        .iter()
        .flat_map(|sub| files(&maildir.join(sub)))
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    found.sort();
    found
}

/// The same on the server.
fn on_server(world: &World, user: &str, folder: &str) -> Vec<Vec<u8>> {
    let mailbox = world.sandbox.mailbox(user).unwrap();
    let (_, uids) = mailbox.uids(folder).unwrap();
    let mut found: Vec<Vec<u8>> =
        uids.into_iter().map(|uid| mailbox.message(folder, uid).unwrap().unwrap().octets).collect();
    found.sort();
    found
}

/// Fails the test unless the Maildir has what the server has, once each, and nothing half done.
#[track_caller]
fn whole(world: &World, user: &str, root: &Path) {
    for folder in world.sandbox.mailbox(user).unwrap().folders() {
        let dir = if folder == "INBOX" {
            root.to_owned()
        } else {
            root.join(format!(".{}", folder.replace('/', ".")))
        };
        assert!(on_disk(&dir) == on_server(world, user, &folder), "{folder} differs");
        assert_eq!(files(&dir.join("tmp")), Vec::<std::path::PathBuf>::new(), "{folder}");
    }
}

const TO: [&str; 3] = ["fetch", "--to", "maildir:Mail"];

#[test]
fn a_mailbox_is_downloaded_once_and_new_mail_is_added() {
    let world = World::new();
    world.sign_in("ana");
    let folders = world.run(&["folders"]).code(0).stdout;
    assert!(folders.lines().any(|line| line == "Übung") && folders.starts_with("INBOX\n"), "{folders}");
    let ran = world.run(&TO).code(0);
    assert!(ran.stdout.contains("stored in Mail"), "{}", ran.stdout);
    whole(&world, ANA, &world.home.path("Mail"));

    let bodies = world.sandbox.requests(RequestKind::ImapBody);
    let again = world.run(&[&TO[..], &["--json"]].concat()).code(0).json();
    assert_eq!((again["stored"].as_u64(), again["complete"].as_bool()), (Some(0), Some(true)));
    assert_eq!(world.sandbox.requests(RequestKind::ImapBody), bodies, "nothing is downloaded twice");

    let mailbox = world.sandbox.mailbox(ANA).unwrap();
    mailbox.deliver("INBOX", 1_790_000_000, b"Subject: new\r\n\r\nhere\r\n").unwrap();
    let ran = world.run(&TO).code(0);
    assert!(ran.stdout.contains("1 new  INBOX") && ran.stdout.contains("1 message ("), "{}", ran.stdout);
    whole(&world, ANA, &world.home.path("Mail"));
    let quiet = world.run(&[&TO[..], &["--quiet"]].concat()).code(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

#[test]
fn only_the_folders_and_days_asked_for() {
    let world = World::new();
    world.sign_in("ana");
    let inbox = world.sandbox.mailbox(ANA).unwrap();
    inbox.deliver("INBOX", 4_000_000_000, b"Subject: late\r\n\r\n\r\n").unwrap();
    world
        .run(&["fetch", "--to", "maildir:Late", "--folder", "inbox", "--since", "2096-10-01", "--no-fsync"])
        .code(0);
    assert_eq!(on_disk(&world.home.path("Late")), [b"Subject: late\r\n\r\n\r\n".to_vec()]);
    let args = ["fetch", "--to", "maildir:Two", "--folder", "Sent Items", "--folder", "Übung", "--json"];
    let report = world.run(&args).code(0).json();
    let names: Vec<&str> =
        report["folders"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Sent Items", "Übung"]);
    assert!(on_disk(&world.home.path("Two/.Sent Items")) == on_server(&world, ANA, "Sent Items"));
    let ran = world.run(&["fetch", "--to", "maildir:None", "--folder", "Sent Itms"]).code(12);
    ran.says(&["did you mean \"Sent Items\"?"]);
}

#[test]
fn without_a_sign_in_it_is_a_24_and_nobody_is_asked() {
    let world = World::new();
    world.run(&TO).code(24).says(&["postkey login ana"]);
    world.run(&["folders"]).code(24);
    assert_eq!(world.sandbox.requests(RequestKind::ImapConnection), 0);
}

#[test]
fn an_application_and_a_shared_mailbox() {
    let world = World::new();
    let shared = world
        .account("shared", "device", PUBLIC_APP)
        .replace("tenant =", &format!("mailbox = \"{SHARED}\"\ntenant ="));
    let foreign = world
        .account("foreign", "device", PUBLIC_APP)
        .replace("tenant =", "mailbox = \"bjorn@contoso.example\"\ntenant =");
    world.configure(&format!("{shared}{foreign}"));
    world.run(&["fetch", "daemon", "--to", "maildir:App"]).code(0);
    whole(&world, ANA, &world.home.path("App"));
    world.sign_in("shared");
    // The other mailbox's UIDs would be taken for these.
    let ran = world.run(&["fetch", "shared", "--to", "maildir:App"]).code(44);
    assert!(ran.stdout.contains("Nothing was stored"), "{}", ran.stdout);
    ran.says(&["holds the mailbox", "choose another target"]);
    whole(&world, ANA, &world.home.path("App"));
    world.run(&["fetch", "shared", "--to", "maildir:Shared"]).code(0);
    whole(&world, SHARED, &world.home.path("Shared"));
    world.sign_in("foreign");
    let ran = world.run(&["folders", "foreign"]).code(34);
    ran.says(&["mailbox cannot be opened", "give ana@contoso.example full access to bjorn@contoso.example"]);
}

#[test]
fn passwords_and_starttls_where_a_server_still_wants_them() {
    let world = World::with(|builder| builder.imap(sandbox::Profile::Plain));
    let user = world.sandbox.users().iter().find(|user| user.upn() == ANA).unwrap();
    private(&world.home.path("password"), user.password().expose());
    let (ports, ca) = (world.sandbox.ports(), world.home.path("ca.pem"));
    let account = |name: &str, port: u16, tls: &str, secret: &str| {
        format!(
            "[accounts.{name}]\nuser = \"{ANA}\"\npassword = {{ file = \"~/{secret}\" }}\n[accounts.{name}.imap]\n\
             host = \"localhost\"\nport = {port}\ntls = \"{tls}\"\nca_file = \"{}\"\n",
            ca.display()
        )
    };
    private(&world.home.path("wrong"), "Wrong-canary-password");
    world.home.configure(
        &[
            account("tls", ports.imaps, "implicit", "password"),
            account("start", ports.imap, "starttls", "password"),
            account("wrong", ports.imaps, "implicit", "wrong"),
        ]
        .concat(),
    );
    world.run(&["fetch", "tls", "--to", "maildir:A"]).code(0);
    world.run(&["fetch", "start", "--to", "maildir:B"]).code(0);
    whole(&world, ANA, &world.home.path("A"));
    whole(&world, ANA, &world.home.path("B"));
    let ran = world.run(&["-vvvv", "folders", "wrong"]).code(33);
    assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
    assert!(!world.home.state().exists(), "no store is made for passwords");
}

#[test]
fn what_breaks_off_goes_on_where_it_was() {
    // DU-25: the token ends in the middle of a message; DU-08: the connection does.
    for fault in [ImapFault::ExpireInBody(100), ImapFault::ResetInBody(100)] {
        let world = World::new();
        world.sign_in("ana");
        world.sandbox.inject_imap(fault);
        world.run(&TO).code(0);
        whole(&world, ANA, &world.home.path("Mail"));
        assert!(world.sandbox.requests(RequestKind::ImapConnection) >= 2);
    }
}

#[test]
fn a_token_that_ends_on_the_way_is_renewed() {
    let world = World::new();
    world.sandbox.inject(sandbox::Rule::new(Fault::ExpiresIn(1)).times(1));
    world.sign_in("ana");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    world.run(&TO).code(0);
    assert_eq!(world.sandbox.requests(RequestKind::Refresh), 1);
    whole(&world, ANA, &world.home.path("Mail"));
}

#[test]
fn a_mailbox_that_does_not_open_is_a_34() {
    let world = World::new();
    world.sign_in("ana");
    world.sandbox.inject_imap(ImapFault::NotConnected);
    world.run(&TO).code(34).says(&["not connected"]);
}

#[cfg(unix)]
#[test]
fn stopped_while_it_waits_it_ends_with_130_and_loses_nothing() {
    let world = World::new();
    world.sign_in("ana");
    // The server wants to be left alone for longer than any test lasts.
    world.sandbox.inject_imap(ImapFault::Throttled(300_000));
    let mut child = world.home.command(&TO).spawn().unwrap();
    let ((), seen, rest) = until(&mut child, |line| line.contains("going on in").then_some(()));
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    world.end(child, seen, rest).code(130).says(&["run the same command again"]);
    world.sandbox.clear_faults();
    world.run(&TO).code(0);
    whole(&world, ANA, &world.home.path("Mail"));
}

/// DU-04 as the user meets it. Needs the right to mount; where there is none, says so and checks nothing.
#[cfg(target_os = "linux")]
#[test]
fn no_space_is_a_40_and_with_space_the_rest_comes() {
    let world = World::new();
    world.sign_in("ana");
    let small = world.home.path("Small");
    std::fs::create_dir(&small).unwrap();
    let mount = |args: &[&str]| std::process::Command::new("mount").args(args).arg(&small).status();
    let options = ["-t", "tmpfs", "-o", "size=300k,mode=0700", "none"];
    if !rustix::process::geteuid().is_root() || !mount(&options).is_ok_and(|status| status.success()) {
        eprintln!("skipped: no right to mount a small tmpfs");
        return;
    }
    struct Unmount<'a>(&'a Path);
    impl Drop for Unmount<'_> {
        fn drop(&mut self) {
            let _ = std::process::Command::new("umount").arg("-l").arg(self.0).status();
        }
    }
    let _unmount = Unmount(&small);
    let ran = world.run(&["fetch", "--to", "maildir:Small/Mail"]).code(40);
    ran.says(&["No space left", "make room"]);
    assert!(mount(&["-o", "remount,size=200m"]).unwrap().success());
    world.run(&["fetch", "--to", "maildir:Small/Mail"]).code(0);
    whole(&world, ANA, &small.join("Mail"));
}
