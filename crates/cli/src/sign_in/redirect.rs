//! Where the browser is sent at the end of a sign-in.

use url::Url;

/// A redirect address as it is registered at the provider, or as the provider's data have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redirect {
    url: Url,
    /// As it was written: it is compared by the provider, character by character.
    text: String,
}

impl Redirect {
    /// Reads an address: `http://localhost`, `http://127.0.0.1:3017/done`, `https://localhost:8443/`, or the address of a page that the
    /// provider offers for programs without a listener.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("{text:?} is no address ({error})"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(format!("{text:?} is no http or https address"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err("a redirect address has no user name, password or fragment".into());
        }
        let redirect = Self { url, text: text.to_owned() };
        if redirect.url.scheme() == "http" && !redirect.is_loopback() {
            return Err(format!("{text:?} would carry the code over the network in clear text"));
        }
        Ok(redirect)
    }

    /// The one that is used when none is configured: `http://HOST`, any port.
    pub(crate) fn on(host: &str) -> Result<Self, String> {
        Self::parse(&format!("http://{host}"))
    }

    /// Whether a listener on this machine can be behind it.
    pub(crate) fn is_loopback(&self) -> bool {
        auth::is_loopback(&self.url)
    }

    /// Whether the browser speaks TLS to it.
    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The port it names. Without one, any will do (RFC 8252 section 7.3).
    pub(crate) fn port(&self) -> Option<u16> {
        // `Url` drops the port that is the scheme's own; here 80 and "any" are different things.
        let after = self.text.split_once("://").map_or("", |(_, rest)| rest);
        let host = after.split(['/', '?']).next().unwrap_or_default();
        let behind = host.rsplit_once(']').map_or(host, |(_, behind)| behind);
        behind.rsplit_once(':').and_then(|(_, port)| port.parse().ok())
    }

    /// The host, as a browser names it to the listener.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The path that the answer must come to.
    pub(crate) fn path(&self) -> &str {
        self.url.path()
    }

    /// What is told to the provider when the listener is at `port`.
    pub(crate) fn at(&self, port: u16) -> String {
        if self.port().is_some() || !self.is_loopback() {
            return self.text.clone();
        }
        let mut url = self.url.clone();
        // Fails for addresses without a host only.
        let _ = url.set_port(Some(port));
        url.into()
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_kept_if_it_is_named_and_chosen_if_not() {
        for (text, port, at) in [
            ("http://localhost", None, "http://localhost:4711/"),
            ("http://localhost/done", None, "http://localhost:4711/done"),
            ("http://localhost:3017/", Some(3017), "http://localhost:3017/"),
            ("http://localhost:3017", Some(3017), "http://localhost:3017"),
            ("http://127.0.0.1:80/a", Some(80), "http://127.0.0.1:80/a"),
            ("http://[::1]:99/", Some(99), "http://[::1]:99/"),
            ("http://[::1]/", None, "http://[::1]:4711/"),
            ("https://localhost:443/x", Some(443), "https://localhost:443/x"),
            ("http://mail.localhost/", None, "http://mail.localhost:4711/"),
        ] {
            let redirect = Redirect::parse(text).unwrap();
            assert_eq!((redirect.port(), redirect.at(4711).as_str()), (port, at), "{text}");
            assert!(redirect.is_loopback(), "{text}");
        }
    }

    #[test]
    fn what_would_show_the_code_to_others_is_refused() {
        for text in [
            "http://example.com/",
            "http://localhost.example/",
            "ftp://localhost/",
            "localhost:1",
            "http://u@localhost/",
            "http://localhost/#x",
            "http://10.0.0.1/",
        ] {
            assert!(Redirect::parse(text).is_err(), "{text}");
        }
        let page = Redirect::parse("https://login.example/common/oauth2/nativeclient").unwrap();
        assert!(!page.is_loopback());
        assert_eq!(page.at(1), "https://login.example/common/oauth2/nativeclient");
    }
}
