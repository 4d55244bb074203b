//! OAuth clients of the Google-like sign-in: what its console calls "OAuth client IDs".

use wire::Secret;

use crate::guid;

/// An OAuth client as Google's console makes them. Every one has a secret and must send it.
#[derive(Clone, Debug)]
pub struct GoogleClient {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) secret: Secret,
    /// Where browsers may be sent back to; `None` for a desktop application, which takes any address on loopback.
    pub(crate) redirects: Option<Vec<String>>,
    /// While the project is in testing: who may sign in.
    pub(crate) testers: Option<Vec<String>>,
}

impl GoogleClient {
    /// A client of the type "Desktop app": any port and path of `127.0.0.1`, `[::1]` and `localhost` is a redirect address.
    pub fn desktop(name: &str, secret: &str) -> Self {
        let digits: String =
            guid::named("google client", name).chars().filter(char::is_ascii_digit).collect();
        let number = format!("{digits:0<12}");
        Self {
            name: name.to_owned(),
            id: format!("{}-sandbox.apps.googleusercontent.example", number.get(..12).unwrap_or_default()),
            secret: Secret::from(secret),
            redirects: None,
            testers: None,
        }
    }

    /// A client of the type "Web application", which has to register its redirect addresses.
    pub fn web(name: &str, secret: &str) -> Self {
        Self { redirects: Some(Vec::new()), ..Self::desktop(name, secret) }
    }

    /// Registers a redirect address; it is compared to the letter.
    #[must_use]
    pub fn redirect(mut self, uri: &str) -> Self {
        self.redirects.get_or_insert_default().push(uri.to_owned());
        self
    }

    /// Leaves the project in testing: only these users may sign in, and refresh tokens end after seven days.
    #[must_use]
    pub fn in_testing(mut self, users: &[&str]) -> Self {
        self.testers = Some(users.iter().map(|user| (*user).to_owned()).collect());
        self
    }

    /// What people call it.
    pub fn display_name(&self) -> &str {
        &self.name
    }

    /// The client id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client secret; invented, so it may be shown.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Whether the project lets this user in.
    pub(crate) fn admits(&self, upn: &str) -> bool {
        self.testers.as_ref().is_none_or(|users| users.iter().any(|user| user.eq_ignore_ascii_case(upn)))
    }
}
