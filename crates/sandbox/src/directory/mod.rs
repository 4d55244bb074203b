//! The tenant's data: users, mailboxes and application registrations.

mod app;
mod user;

pub use app::{App, AppKind, Audience};
pub use user::{SignInRefusal, SmtpRefusal, User, UserKind};

use crate::StartError;

/// The tenant for personal accounts, the same everywhere.
pub const CONSUMERS_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Everything the tenant knows.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    pub(crate) domain: String,
    pub(crate) tenant_id: String,
    pub(crate) users: Vec<User>,
    pub(crate) apps: Vec<App>,
}

impl Directory {
    /// The user with this UPN, letter case aside.
    pub(crate) fn user(&self, upn: &str) -> Option<&User> {
        self.users.iter().find(|u| u.upn.eq_ignore_ascii_case(upn))
    }

    /// The app with this client id, letter case aside.
    pub(crate) fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|a| a.client_id.eq_ignore_ascii_case(client_id))
    }

    /// The tenant an account belongs to.
    pub(crate) fn tenant_of(&self, user: &User) -> &str {
        if user.kind == UserKind::Personal { CONSUMERS_TENANT } else { &self.tenant_id }
    }

    /// Whether `name` is one of the tenant's domains.
    pub(crate) fn is_domain(&self, name: &str) -> bool {
        let first = self.domain.split('.').next().unwrap_or(&self.domain);
        name.eq_ignore_ascii_case(&self.domain)
            || name.eq_ignore_ascii_case(&format!("{first}.onmicrosoft.com"))
    }

    /// Refuses duplicates and permissions for nobody.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let twice =
            |what: &str, name: &str| StartError::Directory(format!("the {what} {name:?} is there twice"));
        for (i, user) in self.users.iter().enumerate() {
            if self.users.iter().skip(i + 1).any(|u| u.upn.eq_ignore_ascii_case(&user.upn)) {
                return Err(twice("user", &user.upn));
            }
            let rights = user.full_access.iter().map(|who| (who, "have full access to"));
            for (who, right) in rights.chain(user.send_as.iter().map(|who| (who, "send as"))) {
                if self.user(who).is_none() && self.app(who).is_none() {
                    return Err(StartError::Directory(format!(
                        "{who:?} may {right} {:?} but is neither a user nor an app",
                        user.upn
                    )));
                }
            }
        }
        for (i, app) in self.apps.iter().enumerate() {
            if self.apps.iter().skip(i + 1).any(|a| a.client_id.eq_ignore_ascii_case(&app.client_id)) {
                return Err(twice("app", &app.client_id));
            }
        }
        Ok(())
    }
}
