//! Why a sandbox could not start, or a library call could not be done.

/// The sandbox did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A listener could not be opened.
    #[error("cannot listen on loopback port {port}: {source}; choose another port, or 0 for a free one")]
    Listen {
        /// The port asked for; 0 means any free one.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The certificate authority or the server certificate could not be made.
    #[error("cannot make the sandbox's own certificates: {0}")]
    Certificate(String),
    /// The signing key given to the builder is not an RSA key of at least 2048 bits in PKCS#8.
    #[error("the signing key is not usable: {0}; give an RSA key of 2048 bits or more as PKCS#8")]
    SigningKey(String),
    /// What was registered for an application is not a certificate.
    #[error("the client certificate is not usable: {0}; give one X.509 certificate as PEM")]
    ClientCertificate(String),
    /// Two users or two apps have the same name, or one refers to something that is not there.
    #[error("the tenant's data do not fit together: {0}")]
    Directory(String),
}

/// A call on a running sandbox could not be done.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// No such user in the tenant.
    #[error("the sandbox has no user {0:?}; see Sandbox::users")]
    UnknownUser(String),
    /// No such application in the tenant.
    #[error("the sandbox has no application {0:?}; see Sandbox::apps")]
    UnknownApp(String),
    /// No such service account.
    #[error("the sandbox has no service account {0:?}; see Builder::service_account")]
    UnknownServiceAccount(String),
    /// The device code is unknown, was used already or has expired.
    #[error("the code {0:?} is not waiting for a sign-in; ask for a new one")]
    UnknownUserCode(String),
    /// No such folder in the mailbox.
    #[error("the mailbox has no folder {0:?}; see Mailbox::folders")]
    UnknownFolder(String),
    /// The sandbox refused, as its pages or its mail server would.
    #[error("the sandbox refused: {0}")]
    Refused(String),
}
