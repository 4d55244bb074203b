//! Base64 of SASL messages: the standard alphabet with padding, no white space (RFC 4648 section 4).
//!
//! Decoding is strict: missing or surplus padding, characters outside the alphabet, white space and
//! non-zero trailing bits are refused, so that one message has one spelling.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use base64ct::{Base64, Encoding};
use wire::SecretBytes;

use crate::Error;

/// Octets that `len` octets take when encoded; saturates instead of overflowing.
pub fn encoded_len(len: usize) -> usize {
    len.div_ceil(3).saturating_mul(4)
}

/// Encodes a message that is not secret.
pub fn encode(octets: &[u8]) -> String {
    // The output of the encoder is ASCII; the lossless path is the only one taken.
    String::from_utf8(encode_octets(octets)).unwrap_or_default()
}

/// Encodes a secret message; the text is as secret as the message.
pub fn encode_secret(octets: &[u8]) -> SecretBytes {
    SecretBytes::new(encode_octets(octets))
}

/// Decodes a message that is not secret.
///
/// # Errors
///
/// [`Error::InvalidBase64`].
pub fn decode(text: &[u8]) -> Result<Vec<u8>, Error> {
    // A length that is not a multiple of four is refused before anything is written.
    let mut octets = vec![0; (text.len() / 4).saturating_mul(3)];
    match Base64::decode(text, &mut octets).map(<[u8]>::len) {
        Ok(len) => {
            octets.truncate(len);
            Ok(octets)
        }
        Err(_) => {
            // What was decoded before the fault may be most of a secret: wipe it.
            drop(SecretBytes::new(octets));
            Err(Error::InvalidBase64)
        }
    }
}

/// Decodes a secret message, leaving no copy behind.
///
/// # Errors
///
/// [`Error::InvalidBase64`].
pub fn decode_secret(text: &[u8]) -> Result<SecretBytes, Error> {
    decode(text).map(SecretBytes::new)
}

fn encode_octets(octets: &[u8]) -> Vec<u8> {
    let mut text = vec![0; encoded_len(octets.len())];
    // The buffer has the length asked for, so this fails for no input that fits in memory.
    let len = Base64::encode(octets, &mut text).map_or(0, str::len);
    text.truncate(len);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 4648 section 10.
    #[test]
    fn rfc_4648_vectors() {
        for (octets, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(octets.as_bytes()), text);
            assert_eq!(encode_secret(octets.as_bytes()).expose(), text.as_bytes());
            assert_eq!(decode(text.as_bytes()).unwrap(), octets.as_bytes());
        }
    }

    #[test]
    fn one_message_has_one_spelling() {
        for text in [
            "=",
            "Z",
            "Zg",
            "Zg=",
            "Zg===",
            "Zh==",
            "Zm9=",
            "Zm9v\r\n",
            " Zm9v",
            "Zm 9v",
            "Zm9v=",
            "Zm9v====",
            "Zm8-",
            "Zm8_",
            "%%%not base64",
            "Zg==Zg==",
            "*",
            "Zm9v\0",
            "Zm\u{e9}v",
        ] {
            assert_eq!(decode(text.as_bytes()), Err(Error::InvalidBase64), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn decode_reverses_encode(octets: Vec<u8>) {
            let text = encode(&octets);
            prop_assert_eq!(text.len(), encoded_len(octets.len()));
            prop_assert_eq!(decode_secret(text.as_bytes()).unwrap(), SecretBytes::new(octets));
        }

        #[test]
        fn what_decodes_is_canonical(text in "[A-Za-d+/=]{0,12}|\\PC{0,9}") {
            if let Ok(octets) = decode(text.as_bytes()) {
                prop_assert_eq!(encode(&octets), text);
            }
        }
    }
}
