//! LIST patterns (RFC 3501 section 6.3.8): `*` is anything, `%` is anything within a level.

/// Whether `name` fits `pattern`, in time proportional to the product of their lengths (SV-10).
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    // reach[i]: the pattern so far fits the first i characters of the name.
    let mut reach = vec![false; name.len() + 1];
    reach[0] = true;
    for p in pattern.chars() {
        let mut next = vec![false; name.len() + 1];
        match p {
            '*' | '%' => {
                let mut open = false;
                for i in 0..=name.len() {
                    if p == '%' && i > 0 && name[i - 1] == '/' {
                        open = false;
                    }
                    open |= reach[i];
                    next[i] = open;
                }
            }
            _ => {
                for i in 0..name.len() {
                    next[i + 1] = reach[i] && name[i] == p;
                }
            }
        }
        reach = next;
    }
    reach[name.len()]
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn wildcards() {
        assert!(fits("*", "Archive/2024") && fits("", "") && fits("*", ""));
        assert!(fits("%", "Archive") && !fits("%", "Archive/2024"));
        assert!(fits("%/%", "Archive/2024") && !fits("%/%", "Archive"));
        assert!(fits("Archive*", "Archive/2024") && fits("Archive/%", "Archive/2024"));
        assert!(fits("*20%", "Archive/2024") && !fits("A%24", "Archive/2024"));
        assert!(!fits("archive", "Archive") && fits("Über%", "Übersicht") == fits("Über*", "Übersicht"));
    }

    /// SV-10: a pattern made to be slow is not.
    #[test]
    fn a_thousand_wildcards() {
        let pattern = "%*".repeat(500) + "x";
        assert!(!fits(&pattern, &"a/".repeat(500)));
    }

    proptest::proptest! {
        /// Against the obvious recursive definition.
        #[test]
        fn agrees_with_the_definition(pattern in "[ab/*%]{0,6}", name in "[ab/]{0,6}") {
            fn slow(p: &[u8], n: &[u8]) -> bool {
                match p.split_first() {
                    None => n.is_empty(),
                    Some((b'*', rest)) => (0..=n.len()).any(|i| slow(rest, &n[i..])),
                    Some((b'%', rest)) => (0..=n.len())
                        .take_while(|i| *i == 0 || n[i - 1] != b'/')
                        .any(|i| slow(rest, &n[i..])),
                    Some((c, rest)) => n.first() == Some(c) && slow(rest, &n[1..]),
                }
            }
            proptest::prop_assert_eq!(fits(&pattern, &name), slow(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
