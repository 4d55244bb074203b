//! Whole lives of a folder, at random: the server changes, the run fails, a mail program interferes.

use super::faults::failing;
use super::*;
use proptest::prelude::*;
use rustix::io::Errno;

#[derive(Clone, Debug)]
enum Step {
    Add(u8),
    Flag(u8, u8),
    Expunge(u8),
    Renumber,
    Sync,
    Fail(u8, bool),
    /// A mail program opens the folder: what is new is no longer.
    Read,
    LoseJournal,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1u8..10).prop_map(Step::Add),
        2 => (any::<u8>(), 0u8..64).prop_map(|(n, flags)| Step::Flag(n, flags)),
        1 => any::<u8>().prop_map(Step::Expunge),
        1 => Just(Step::Renumber),
        2 => Just(Step::Sync),
        3 => (any::<u8>(), any::<bool>()).prop_map(|(n, for_good)| Step::Fail(n, for_good)),
        1 => Just(Step::Read),
        1 => Just(Step::LoseJournal),
    ]
}

fn pick(server: &Server, n: u8) -> Option<u32> {
    let len = server.messages.len().max(1);
    server.messages.keys().copied().nth(n as usize % len)
}

fn live(steps: Vec<Step>, durability: Durability) {
    let dir = scratch();
    let root = dir.path();
    let inbox = FolderName::inbox();
    let mut server = Server::new(1, []);
    let mut ever = server.clone();
    let mut next = 1;
    let mut next_uid = 1;
    for step in steps {
        match step {
            Step::Add(count) => {
                for _ in 0..count {
                    server.messages.insert(next_uid, message(next));
                    next_uid += 1;
                    ever.messages.insert(next, message(next));
                    next += 1;
                }
            }
            Step::Flag(n, flags) => {
                if let Some(uid) = pick(&server, n) {
                    server.messages.get_mut(&uid).unwrap().flags = Flags::from_bits(flags);
                }
            }
            Step::Expunge(n) => {
                if let Some(uid) = pick(&server, n) {
                    server.messages.remove(&uid);
                }
            }
            // always to a new value: a server that gives an old one to other UIDs while nobody looks cannot be found out
            Step::Renumber => {
                server = server.renumbered(server.uid_validity + 1);
                next_uid = 2 * next_uid + 2;
            }
            Step::Sync => {
                let maildir = Maildir::open(root, options(durability)).unwrap();
                sync(&maildir, &inbox, &server).unwrap();
            }
            Step::Fail(n, for_good) => {
                let (options, _) = failing(options(durability), n.into(), Errno::NOSPC, for_good);
                let maildir = Maildir::open(root, options).unwrap();
                let _ = sync(&maildir, &inbox, &server);
            }
            Step::Read => {
                for file in on_disk(root).into_iter().filter(|file| file.in_new) {
                    let name = format!("{}:2,", file.path.file_name().unwrap().to_str().unwrap());
                    fs::rename(&file.path, root.join("cur").join(name)).unwrap();
                }
            }
            Step::LoseJournal => {
                let _ = fs::remove_file(root.join("postkey.journal"));
            }
        }
        check(root, &[&ever], None);
    }
    let maildir = Maildir::open(root, options(durability)).unwrap();
    sync(&maildir, &inbox, &server).unwrap();
    check(root, &[&ever, &server], Some(&server));
    assert_eq!(sync(&maildir, &inbox, &server).unwrap(), Committed::default());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_message_once_durable(steps in prop::collection::vec(step(), 0..15)) {
        live(steps, Durability::Full);
    }

    #[test]
    fn every_message_once_without_durability(steps in prop::collection::vec(step(), 0..15)) {
        live(steps, Durability::None);
    }
}
