//! How the SMTP server misbehaves on demand.

/// One way for the SMTP server to misbehave. Each is used up by what it touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SmtpFault {
    /// The next AUTH is answered with 454 4.7.0, whatever the token.
    SignInTemporary,
    /// The next MAIL is answered with 451 4.7.500 Server busy.
    ServerBusy,
    /// The next MAIL is answered with 451 4.7.0 Temporary server error … PRX4.
    Proxy,
    /// The next MAIL is answered with 421 4.3.2, and the connection is closed.
    Closing,
    /// The next complete message is answered with 432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded.
    ThreadLimit,
    /// The next complete message is answered with 554 5.2.0 SubmissionQuotaExceededException.
    Quota,
    /// The connection ends behind the next complete message, without an answer.
    CutAfterMessage {
        /// Whether the message is delivered all the same, which the client cannot know.
        delivered: bool,
    },
}
