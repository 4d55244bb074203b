//! Reading the counts out of what the test runners print.

use crate::report::Counts;

/// libtest's lines, summed over all test binaries: `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
/// `None` when there is no such line: nothing ran.
pub(crate) fn libtest(lines: &[String]) -> Option<Counts> {
    let mut total = None;
    for line in lines {
        let Some(rest) = line.trim_start().strip_prefix("test result: ") else { continue };
        let counts = total.get_or_insert_with(Counts::default);
        let numbers = rest.split_once(". ").map_or(rest, |(_, numbers)| numbers);
        for (number, word) in pairs(numbers, ';') {
            match word {
                "passed" => counts.passed += number,
                "failed" => counts.failed += number,
                "ignored" => counts.skipped += number,
                _ => {}
            }
        }
    }
    total
}

/// nextest's last line: `Summary [ 0.1s] 12 tests run: 11 passed (1 slow), 1 failed, 2 skipped`.
///
/// Its "skipped" are the tests that the filter left to another step, so they are not counted.
pub(crate) fn nextest(lines: &[String]) -> Option<Counts> {
    let summary = lines.iter().rev().find(|line| line.trim_start().starts_with("Summary ["))?;
    let (_, numbers) = summary.split_once("run: ")?;
    let mut counts = Counts::default();
    for (number, word) in pairs(&without_parentheses(numbers), ',') {
        match word {
            "passed" => counts.passed += number,
            "skipped" => {}
            _ => counts.failed += number, // failed, timed out, exec failed: whatever else is not a pass
        }
    }
    Some(counts)
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

fn pairs(text: &str, separator: char) -> impl Iterator<Item = (usize, &str)> {
    text.split(separator).filter_map(|part| {
        let (number, word) = part.trim().split_once(' ')?;
        Some((number.parse().ok()?, word.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn libtest_sums_over_binaries() {
        let text = "running 2 tests\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 3 passed; 4 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.10s";
        assert_eq!(libtest(&lines(text)), Some(Counts { passed: 5, failed: 4, skipped: 1 }));
        assert_eq!(libtest(&lines("error: could not compile")), None);
    }

    #[test]
    fn nextest_counts_every_kind_of_failure() {
        let text = "     Summary [   1.234s] 12 tests run: 9 passed (1 slow, 1 leaky), 2 failed, 1 timed out, 40 skipped";
        assert_eq!(nextest(&lines(text)), Some(Counts { passed: 9, failed: 3, skipped: 0 }));
        let text = "     Summary [   0.005s] 1 test run: 1 passed, 0 skipped";
        assert_eq!(nextest(&lines(text)), Some(Counts::PASSED));
        let text =
            "     Summary [   0.005s] 5/9 tests run: 4 passed, 1 failed (1 due to being leaky), 0 skipped";
        assert_eq!(nextest(&lines(text)), Some(Counts { passed: 4, failed: 1, skipped: 0 }));
        assert_eq!(nextest(&lines("error: test list failed")), None);
    }
}
