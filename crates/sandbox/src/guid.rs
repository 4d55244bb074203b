//! GUIDs: derived from a name (so that a test can write them down) or random.

use aws_lc_rs::digest::{SHA256, digest};

/// The GUID of a thing of kind `kind` called `name`: always the same, version 8 (RFC 9562 section 5.8).
pub(crate) fn named(kind: &str, name: &str) -> String {
    let hash = digest(&SHA256, format!("postkey sandbox {kind} {}", name.to_lowercase()).as_bytes());
    let mut octets = [0u8; 16];
    for (to, from) in octets.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    format(octets, 0x80)
}

/// A random GUID, version 4.
pub(crate) fn random() -> String {
    format(crate::random::octets::<16>(), 0x40)
}

fn format(mut o: [u8; 16], version: u8) -> String {
    o[6] = (o[6] & 0x0f) | version;
    o[8] = (o[8] & 0x3f) | 0x80;
    let hex: String = o.iter().map(|b| format!("{b:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Whether `text` has the shape of a GUID: 8-4-4-4-12 hexadecimal digits.
pub(crate) fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.len() == 5
        && groups
            .iter()
            .zip([8, 4, 4, 4, 12])
            .all(|(g, n)| g.len() == n && g.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_and_determinism() {
        let a = named("user", "ana@contoso.example");
        assert!(is_guid(&a) && is_guid(&random()));
        assert_eq!(a, named("user", "ANA@contoso.example"));
        assert_ne!(a, named("app", "ana@contoso.example"));
        assert_eq!(&a[14..15], "8");
        assert!(!is_guid("contoso.example") && !is_guid("{00000000-0000-0000-0000-000000000000}"));
        assert_ne!(random(), random());
    }
}
