//! An account with its mailbox.

use wire::Secret;

use crate::guid;

/// What an account is, which decides how it may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserKind {
    /// A member of the tenant.
    Work,
    /// A personal (Outlook.com) account: signs in at `common` and `consumers` only, gets opaque tokens.
    Personal,
    /// A shared mailbox: nobody signs in as it (AADSTS50057); others may open it.
    SharedMailbox,
}

/// Why an account may not send by SMTP, token or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SmtpRefusal {
    /// Authenticated SMTP is switched off for the organisation, as it is by default in new ones.
    Tenant,
    /// Authenticated SMTP is switched off for the mailbox.
    Mailbox,
    /// The security defaults of the organisation lock the user.
    SecurityDefaults,
    /// A Conditional Access or authentication policy.
    Criteria,
}

/// Why an account may not sign in. The pages say so, the password grant and refreshes are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignInRefusal {
    /// The account is disabled: AADSTS50057.
    Disabled,
    /// Too many failures, or a suspicious address: AADSTS50053.
    Locked,
    /// The password has expired: AADSTS50055.
    PasswordExpired,
    /// The user has to register for multi-factor sign-in first: AADSTS50079.
    MfaRegistration,
    /// The application wants users to be assigned to it: AADSTS50105.
    NotAssigned,
    /// A Conditional Access policy: AADSTS53003.
    ConditionalAccess,
}

/// An account with its mailbox.
#[derive(Clone, Debug)]
pub struct User {
    pub(crate) upn: String,
    pub(crate) name: String,
    pub(crate) password: Secret,
    pub(crate) kind: UserKind,
    pub(crate) mfa: bool,
    pub(crate) federated: bool,
    pub(crate) passwordless: bool,
    pub(crate) blocked: Option<SignInRefusal>,
    pub(crate) imap: bool,
    pub(crate) pop3: bool,
    pub(crate) smtp: Option<SmtpRefusal>,
    pub(crate) licensed: bool,
    pub(crate) full_access: Vec<String>,
    pub(crate) send_as: Vec<String>,
    pub(crate) messages: Option<usize>,
}

impl User {
    fn of_kind(kind: UserKind, upn: &str, password: &str) -> Self {
        Self {
            upn: upn.to_owned(),
            name: upn.split('@').next().unwrap_or(upn).to_owned(),
            password: Secret::from(password),
            kind,
            mfa: false,
            federated: false,
            passwordless: false,
            blocked: None,
            imap: true,
            pop3: true,
            smtp: None,
            licensed: true,
            full_access: Vec::new(),
            send_as: Vec::new(),
            messages: None,
        }
    }

    /// A member of the tenant, signing in as `upn` (an address in the tenant's domain).
    pub fn work(upn: &str, password: &str) -> Self {
        Self::of_kind(UserKind::Work, upn, password)
    }

    /// A personal account.
    pub fn personal(address: &str, password: &str) -> Self {
        Self::of_kind(UserKind::Personal, address, password)
    }

    /// A shared mailbox.
    pub fn shared(address: &str) -> Self {
        Self::of_kind(UserKind::SharedMailbox, address, "")
    }

    /// Sets the display name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Multi-factor sign-in is demanded: the password grant fails with AADSTS50076; the pages let the user through.
    #[must_use]
    pub fn with_mfa(mut self) -> Self {
        self.mfa = true;
        self
    }

    /// The account belongs to a domain that signs in elsewhere: realm discovery says so, and the password grant fails with AADSTS50056.
    ///
    /// The pages let the user through: there is no elsewhere.
    #[must_use]
    pub fn federated(mut self) -> Self {
        self.federated = true;
        self
    }

    /// The account has no password at the identity provider: the password grant fails with AADSTS50056; the pages let the user through.
    #[must_use]
    pub fn passwordless(mut self) -> Self {
        self.passwordless = true;
        self
    }

    /// Every sign-in is refused, and every refresh.
    #[must_use]
    pub fn blocked(mut self, why: SignInRefusal) -> Self {
        self.blocked = Some(why);
        self
    }

    /// IMAP is switched off for the mailbox: signing in works, the mailbox does not open.
    #[must_use]
    pub fn without_imap(mut self) -> Self {
        self.imap = false;
        self
    }

    /// POP3 is switched off for the mailbox: signing in works, the mailbox does not open.
    #[must_use]
    pub fn without_pop3(mut self) -> Self {
        self.pop3 = false;
        self
    }

    /// SMTP is refused at sign-in, with 535 5.7.139 and this reason.
    #[must_use]
    pub fn without_smtp(mut self, why: SmtpRefusal) -> Self {
        self.smtp = Some(why);
        self
    }

    /// The account has no mailbox licence: signing in works, the mailbox does not open.
    #[must_use]
    pub fn without_licence(mut self) -> Self {
        self.licensed = false;
        self
    }

    /// Grants full access to this mailbox to another user (by UPN) or an application (by client id).
    #[must_use]
    pub fn full_access(mut self, who: &str) -> Self {
        self.full_access.push(who.to_owned());
        self
    }

    /// Lets another user (by UPN) or an application (by client id) send as this mailbox.
    #[must_use]
    pub fn send_as(mut self, who: &str) -> Self {
        self.send_as.push(who.to_owned());
        self
    }

    /// How many seeded messages the mailbox holds, instead of the sandbox's general number.
    #[must_use]
    pub fn messages(mut self, n: usize) -> Self {
        self.messages = Some(n);
        self
    }

    /// The name the user signs in with.
    pub fn upn(&self) -> &str {
        &self.upn
    }

    /// The name people know the user by.
    pub fn display_name(&self) -> &str {
        &self.name
    }

    /// The password for the sign-in page; invented, so it may be shown.
    pub fn password(&self) -> &Secret {
        &self.password
    }

    /// What kind of account it is.
    pub fn kind(&self) -> UserKind {
        self.kind
    }

    /// The object id (claim `oid`), always the same for the same name.
    pub fn object_id(&self) -> String {
        guid::named("user", &self.upn)
    }

    /// The 16-digit passport id (claim `puid`).
    pub(crate) fn puid(&self) -> String {
        let digits: String = self.object_id().chars().filter(|c| *c != '-').take(10).collect();
        format!("100320{}", digits.to_uppercase())
    }
}
