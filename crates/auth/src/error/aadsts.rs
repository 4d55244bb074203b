//! Entra's error numbers ("AADSTS…"), as data.

use super::Class;

/// One line per code; parsed only when an error is met, so a good run never pays for it.
const TABLE: &str = include_str!("aadsts.psv");

/// What is known about one AADSTS code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The number behind "AADSTS".
    pub number: u32,
    /// The reaction it calls for.
    pub class: Class,
    /// What the server means by it.
    pub meaning: &'static str,
    /// What the reader can do about it.
    pub advice: &'static str,
}

impl Code {
    /// Looks `number` up; `None` for a code that is not in the table.
    pub fn find(number: u32) -> Option<Self> {
        Self::all().find(|code| code.number == number)
    }

    /// Every known code, in rising order.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.lines().filter_map(parse)
    }
}

fn parse(line: &'static str) -> Option<Code> {
    let mut fields = line.split('|');
    Some(Code {
        number: fields.next()?.parse().ok()?,
        class: Class::named(fields.next()?)?,
        meaning: fields.next()?,
        advice: fields.next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_code_and_they_rise() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        let codes: Vec<Code> = Code::all().collect();
        assert_eq!(codes.len(), lines);
        assert!(codes.windows(2).all(|pair| pair[0].number < pair[1].number));
        assert!(codes.iter().all(|code| !code.meaning.is_empty() && code.advice.ends_with('.')));
    }

    #[test]
    fn every_kind_of_code_has_its_class() {
        let expected: [(Class, &[u32]); 7] = [
            (Class::RetryLater, &[90033, 90055, 50196]),
            (Class::Pending, &[70016]),
            (
                Class::SignInAgain,
                &[
                    50058, 50078, 50089, 50132, 50133, 50140, 50173, 54005, 65001, 70000, 70008, 70043,
                    700020, 700082, 700084, 50076, 50079, 50072, 50074,
                ],
            ),
            (
                Class::AdminAction,
                &[
                    50105, 53000, 53001, 53002, 53003, 53004, 530032, 530035, 50097, 50129, 50131, 65005,
                    650052, 650056, 90094, 90095, 7000112, 7000229, 500014, 1000031,
                ],
            ),
            (
                Class::ConfigError,
                &[
                    50011, 50194, 500011, 50001, 650053, 650057, 70001, 700016, 700011, 70002, 7000215,
                    7000218, 700025, 700027, 70011, 1002012, 28000, 700022, 90002, 90014, 900144, 9001023,
                    9002331, 9002332, 9002325, 9002326, 9002327, 90038, 900382, 900432, 901002,
                ],
            ),
            (Class::SecretExpired, &[7000222]),
            (Class::UserAccount, &[50034, 50053, 50055, 50056, 50057, 50126, 50144, 50020, 90072]),
        ];
        for (class, numbers) in expected {
            for number in numbers {
                assert_eq!(Code::find(*number).map(|code| code.class), Some(class), "AADSTS{number}");
            }
        }
    }

    #[test]
    fn unknown_codes_are_unknown() {
        assert_eq!(Code::find(1), None);
    }
}
