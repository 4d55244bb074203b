//! Tests that are the same whatever protocol the exchange travels in: bodies of fuzz targets, and the [`matrix`] of sign-ins.

#![allow(clippy::panic)]

mod fuzz;
pub mod matrix;

use alloc::boxed::Box;

pub use fuzz::{fuzz_client, fuzz_server};

use crate::{ClientMechanism, Error, login, oauthbearer, plain, xoauth2};

const ANA: &str = "ana@contoso.example";

/// The client of a mechanism, for `ana@contoso.example`.
///
/// # Panics
/// When the mechanism is added to [`MECHANISMS`](crate::MECHANISMS) and not here, which fails every test.
pub fn client(mechanism: &str, secret: &str) -> Box<dyn ClientMechanism> {
    fn boxed(made: Result<impl ClientMechanism + 'static, Error>) -> Box<dyn ClientMechanism> {
        Box::new(made.unwrap_or_else(|e| panic!("the credentials: {e}")))
    }
    match mechanism {
        xoauth2::NAME => boxed(xoauth2::Client::new(ANA, secret.into())),
        oauthbearer::NAME => boxed(oauthbearer::Client::new(Some(ANA), secret.into(), None)),
        plain::NAME => boxed(plain::Client::new(ANA, secret.into())),
        login::NAME => boxed(login::Client::new(ANA, secret.into())),
        other => panic!("{other} is not in the matrix"),
    }
}
