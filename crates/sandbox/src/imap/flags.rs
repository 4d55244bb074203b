//! Flags between the protocol and the store. Keywords other than `$MDNSent` do not persist, as with Exchange.

use imap_proto::types::{Flag, FlagSet, Keyword};

use crate::seed::Flags;

const MDN_SENT: &str = "$MDNSent";

/// The flags a store keeps, out of those a client names.
pub(crate) fn from_client(set: &FlagSet<'_>) -> Flags {
    Flags {
        seen: set.contains(&Flag::Seen),
        answered: set.contains(&Flag::Answered),
        flagged: set.contains(&Flag::Flagged),
        deleted: set.contains(&Flag::Deleted),
        draft: set.contains(&Flag::Draft),
        mdn_sent: set.has_keyword(MDN_SENT),
    }
}

/// Flags for the client.
pub(crate) fn to_client(flags: Flags, recent: bool) -> FlagSet<'static> {
    let mut set = FlagSet::new();
    let known = [
        (flags.seen, Flag::Seen),
        (flags.answered, Flag::Answered),
        (flags.flagged, Flag::Flagged),
        (flags.deleted, Flag::Deleted),
        (flags.draft, Flag::Draft),
        (recent, Flag::Recent),
    ];
    for (_, flag) in known.into_iter().filter(|(on, _)| *on) {
        set.insert(flag);
    }
    if flags.mdn_sent
        && let Ok(keyword) = Keyword::new(MDN_SENT)
    {
        set.insert(Flag::Keyword(keyword));
    }
    set
}

/// All flags there are.
pub(crate) fn all() -> FlagSet<'static> {
    let flags =
        Flags { seen: true, answered: true, flagged: true, deleted: true, draft: true, mdn_sent: true };
    to_client(flags, false)
}
