//! Service accounts of the Google-like token endpoint (RFC 7523 section 2.1).

use serde_json::json;
use wire::Secret;

use crate::jwt::SERVICE_ACCOUNTS;

/// The scope that opens mail at Google.
pub const GOOGLE_MAIL_SCOPE: &str = "https://mail.google.com/";

/// An account for a program, with the right to speak for the users of the domain ("domain-wide delegation").
#[derive(Clone, Debug)]
pub struct ServiceAccount {
    pub(crate) email: String,
    pub(crate) scopes: Vec<String>,
}

impl ServiceAccount {
    /// An account of this name that may speak for nobody yet.
    pub fn new(email: &str) -> Self {
        Self { email: email.to_owned(), scopes: Vec::new() }
    }

    /// Lets it speak for every user of the domain with this scope.
    #[must_use]
    pub fn delegated(mut self, scope: &str) -> Self {
        self.scopes.push(scope.to_owned());
        self
    }

    /// Its name, which assertions have as `iss`.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The key file that Google's console would give out, JSON. All service accounts of a process have one key.
    pub(crate) fn key_file(&self, base: &str) -> Secret {
        let key = SERVICE_ACCOUNTS.get();
        let project =
            self.email.split('@').nth(1).and_then(|host| host.split('.').next()).unwrap_or("sandbox");
        let file = json!({
            "type": "service_account", "project_id": project, "private_key_id": key.kid(),
            "private_key": key.private_pem().expose(), "client_email": self.email,
            "client_id": "100000000000000000001", "auth_uri": format!("{base}/google/o/oauth2/v2/auth"),
            "token_uri": format!("{base}/google/token"), "universe_domain": "googleapis.com",
        });
        Secret::from(format!("{file:#}\n"))
    }
}
