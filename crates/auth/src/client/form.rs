//! A form to be posted, and the secrets in it.

use url::form_urlencoded::byte_serialize;
use wire::{Secret, SecretBytes};
use zeroize::Zeroizing;

/// `application/x-www-form-urlencoded` under construction. It remembers its secrets, so that they can be
/// taken out of whatever the server answers.
pub(super) struct Form {
    body: Zeroizing<String>,
    secrets: Vec<Secret>,
}

impl Form {
    pub(super) fn new() -> Self {
        // Room for the longest tokens met, so that growing leaves no copy behind.
        Self { body: Zeroizing::new(String::with_capacity(16 * 1024)), secrets: Vec::new() }
    }

    pub(super) fn field(mut self, name: &str, value: &str) -> Self {
        if !self.body.is_empty() {
            self.body.push('&');
        }
        self.body.push_str(name);
        self.body.push('=');
        self.body.extend(byte_serialize(value.as_bytes()));
        self
    }

    pub(super) fn secret(mut self, name: &str, value: &Secret) -> Self {
        self.secrets.push(value.clone());
        self.field(name, value.expose())
    }

    /// A secret that travels beside the form.
    pub(super) fn remember(&mut self, value: &Secret) {
        self.secrets.push(value.clone());
    }

    pub(super) fn into_parts(mut self) -> (SecretBytes, Vec<Secret>) {
        (SecretBytes::new(std::mem::take(&mut *self.body).into_bytes()), self.secrets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_form_encoded() {
        let (body, secrets) = Form::new().field("a", "x y").secret("s", &Secret::from("~+/=&é")).into_parts();
        assert_eq!(body.expose(), b"a=x+y&s=%7E%2B%2F%3D%26%C3%A9");
        assert_eq!(secrets.len(), 1);
    }
}
