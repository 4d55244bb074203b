//! The browser sign-in of a web application that owns its redirect address.

use url::Url;
use wire::Secret;

use super::{Authorize, Callback, Client, Pending};
use crate::clock::Clock;
use crate::http::Http;
use crate::{Error, Tokens};

impl<H: Http, C: Clock> Client<H, C> {
    /// Begins a person's sign-in: the address to redirect the browser to, and what to keep in the person's
    /// session until the redirect comes back (see [`Pending::to_secret`]). The example `web` shows it.
    ///
    /// # Errors
    ///
    /// As [`code_begin`](Self::code_begin).
    pub fn begin(&self, request: &Authorize<'_>) -> Result<(Url, Secret), Error> {
        let (url, pending) = self.code_begin(request)?;
        Ok((url, pending.to_secret()))
    }

    /// Finishes a sign-in: `kept` is what [`begin`](Self::begin) gave, taken out of the session of the browser
    /// that came; `query` is the query, or the posted form, that it brought.
    ///
    /// # Errors
    ///
    /// As [`Callback::from_query`] and [`code_finish`](Self::code_finish).
    pub async fn finish(&self, kept: Secret, query: &str) -> Result<Tokens, Error> {
        let pending = Pending::from_secret(&kept)?;
        self.code_finish(pending, Callback::from_query(query)?).await
    }
}
