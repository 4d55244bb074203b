//! What a token or a password opens: the rules that IMAP, POP3 and SMTP share.

use wire::Secret;

use crate::directory::{Directory, User, UserKind};
use crate::token::Mint;

/// A protocol that mailboxes are opened by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Imap,
    Pop3,
    Smtp,
}

impl Protocol {
    /// The permission that a user's token needs.
    fn delegated(self) -> &'static str {
        match self {
            Self::Imap => "IMAP.AccessAsUser.All",
            Self::Pop3 => "POP.AccessAsUser.All",
            Self::Smtp => "SMTP.Send",
        }
    }

    /// The permission that an app's own token needs.
    fn application(self) -> &'static str {
        match self {
            Self::Imap => "IMAP.AccessAsApp",
            Self::Pop3 => "POP.AccessAsApp",
            Self::Smtp => "SMTP.SendAsApp",
        }
    }

    /// Whether the protocol is switched on for an account. SMTP says why it is not, so its switch is looked at elsewhere.
    fn is_on(self, user: &User) -> bool {
        match self {
            Self::Imap => user.imap,
            Self::Pop3 => user.pop3,
            Self::Smtp => true,
        }
    }
}

/// A successful sign-in, and whether there is a mailbox behind it.
#[derive(Clone, Debug)]
pub(crate) struct Door<'d> {
    /// The mailbox that was asked for.
    pub(crate) mailbox: &'d User,
    /// Who signed in: a UPN, or a client id for an app on its own.
    pub(crate) identity: String,
    /// Whether the mailbox opens.
    pub(crate) open: bool,
    /// Unix seconds at which the session ends.
    pub(crate) until: u64,
}

/// How long a session by password lasts: there is no token whose end would end it.
const FOREVER: u64 = u64::MAX;

/// What a token opens beside this user name; `None` if the sign-in itself is refused.
pub(crate) fn by_token<'d>(
    directory: &'d Directory,
    mint: &Mint,
    protocol: Protocol,
    user: Option<&str>,
    token: &Secret,
) -> Option<Door<'d>> {
    let access = mint.examine(directory, token.expose()).ok()?;
    let wanted = if access.upn.is_some() { protocol.delegated() } else { protocol.application() };
    if !access.permissions.iter().any(|p| p == wanted) {
        return None;
    }
    let address = user.or(access.upn.as_deref())?;
    let mailbox = directory.user(address)?;
    let own = access.upn.as_deref().is_some_and(|upn| upn.eq_ignore_ascii_case(&mailbox.upn));
    // For sending, a user signs in as nobody else, whatever other mailboxes are open to that user.
    if protocol == Protocol::Smtp && access.upn.is_some() && !own {
        return None;
    }
    let identity = access.upn.clone().unwrap_or(access.client_id);
    let granted = mailbox.full_access.iter().any(|who| who.eq_ignore_ascii_case(&identity));
    // The protocol switch is that of whoever signs in; an app has none, so the mailbox's own counts.
    let switch = match &access.upn {
        Some(upn) => protocol.is_on(directory.user(upn)?),
        None => protocol.is_on(mailbox),
    };
    let open = (own || granted) && switch && is_licensed(mailbox);
    Some(Door { mailbox, identity, open, until: access.expires })
}

/// What a password opens: the user's own mailbox.
pub(crate) fn by_password<'d>(
    directory: &'d Directory,
    protocol: Protocol,
    user: &str,
    password: &Secret,
) -> Option<Door<'d>> {
    let mailbox = directory.user(user)?;
    let good = mailbox.kind != UserKind::SharedMailbox && mailbox.password == *password;
    let open = protocol.is_on(mailbox) && is_licensed(mailbox);
    good.then(|| Door { mailbox, identity: mailbox.upn.clone(), open, until: FOREVER })
}

fn is_licensed(mailbox: &User) -> bool {
    mailbox.licensed || mailbox.kind == UserKind::SharedMailbox
}
