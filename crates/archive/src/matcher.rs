//! After a change of UIDVALIDITY: finding the messages that are already here under their old UIDs.
//!
//! A new message is compared with the files of earlier generations that no message of the current one has claimed:
//! first by size, which the names say, then by SHA-256 over the whole content. One file serves one message.

use std::collections::{BTreeSet, HashMap};
use std::os::fd::AsFd;

use aws_lc_rs::digest::{Context, SHA256};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::dirs::Dirs;
use crate::scan::Found;
use crate::state::State;

type Hash = [u8; 32];

pub(crate) struct Matcher {
    by_size: HashMap<u64, Vec<Candidate>>,
}

struct Candidate {
    file: Found,
    hash: Option<Hash>,
}

impl Matcher {
    /// The unclaimed files of earlier generations.
    pub(crate) fn new(found: Vec<Found>, state: &State) -> Self {
        let mut by_size = HashMap::<u64, Vec<Candidate>>::new();
        let current = state.generation.map_or(0, |generation| generation.number);
        let claimed: BTreeSet<_> =
            state.origins.values().map(|id| (id.generation, id.uid_validity, id.uid)).collect();
        for file in found {
            let key = (file.id.generation, file.id.uid_validity, file.id.uid);
            if file.id.generation < current && !claimed.contains(&key) {
                by_size.entry(file.id.size).or_default().push(Candidate { file, hash: None });
            }
        }
        Self { by_size }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_size.is_empty()
    }

    /// Claims a file with this content, if there is one.
    pub(crate) fn claim(&mut self, dirs: &Dirs, size: u64, hash: &[u8]) -> Option<Found> {
        let candidates = self.by_size.get_mut(&size)?;
        let mut at = 0;
        let mut claimed = None;
        while let Some(candidate) = candidates.get_mut(at) {
            if candidate.hash.is_none() {
                candidate.hash = hash_file(dirs, &candidate.file);
            }
            match candidate.hash {
                // a mail program has moved or deleted it: no longer a candidate
                None => {
                    candidates.swap_remove(at);
                }
                Some(known) if known == hash => {
                    claimed = Some(candidates.swap_remove(at).file);
                    break;
                }
                Some(_) => at = at.saturating_add(1),
            }
        }
        if candidates.is_empty() {
            self.by_size.remove(&size);
        }
        claimed
    }
}

fn hash_file(dirs: &Dirs, file: &Found) -> Option<Hash> {
    let canonical = file.id.name(file.place);
    let name = file.odd.as_deref().unwrap_or(canonical.as_bytes());
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::openat(dirs.of(file.place), name, flags, Mode::empty()).ok()?;
    let mut context = Context::new(&SHA256);
    let mut chunk = vec![0; 64 << 10];
    loop {
        match rustix::io::read(file.as_fd(), chunk.as_mut_slice()) {
            Ok(0) => return context.finish().as_ref().try_into().ok(),
            Ok(n) => context.update(chunk.get(..n)?),
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}
