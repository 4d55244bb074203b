//! "Did you mean …?"

/// The candidate that is closest to `name`, if one is close enough to be meant.
pub(crate) fn closest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).clamp(1, 3);
    candidates
        .iter()
        .map(|candidate| (distance(&name.to_lowercase(), &candidate.to_lowercase()), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits (insert, delete, replace, swap neighbours) between two words; short words only, so the plain table will do.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: Option<&Vec<usize>>, column: usize| {
                row.and_then(|row| row.get(column)).copied().unwrap_or(usize::MAX)
            };
            let above = rows.last();
            let mut best = (at(above, j).saturating_add(usize::from(x != y)))
                .min(at(above, j + 1).saturating_add(1))
                .min(row.get(j).copied().unwrap_or(usize::MAX).saturating_add(1));
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(rows.get(i - 1), j - 1).saturating_add(1));
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_hand_are_recognised_and_other_words_are_not() {
        let known = ["user", "mailbox", "tenant", "client_id", "client_secret", "flow", "host"];
        for (typed, meant) in [
            ("usr", "user"),
            ("clientid", "client_id"),
            ("hots", "host"),
            ("Tennant", "tenant"),
            ("client-secret", "client_secret"),
        ] {
            assert_eq!(closest(typed, &known), Some(meant), "{typed}");
        }
        assert_eq!(closest("password", &known), None);
        assert_eq!(closest("", &known), None);
    }
}
