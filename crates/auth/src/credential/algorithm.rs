//! The signature of a client assertion.

use serde::{Deserialize, Serialize};

/// How an assertion is signed, and by which digest it names the certificate (RFC 7518 §3, RFC 7515 §4.1.7 and
/// §4.1.8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSASSA-PSS with SHA-256; the certificate is named by `x5t#S256`. What Entra recommends.
    #[default]
    #[serde(rename = "PS256")]
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256; the certificate is named by `x5t` (SHA-1), as old set-ups want it.
    #[serde(rename = "RS256")]
    Rs256,
}

impl SignatureAlgorithm {
    /// The `alg` of a JWS header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }
}
