//! Entra's error numbers: each known one has a cause and advice, each unknown one is passed on whole.

use postkey_auth::{Class, Code, Error, Refusal};
use wire::Secret;

use crate::support::*;

const LIST: &str = include_str!("../data/aadsts-codes.txt");

async fn refused(code: u32, error: &str) -> Error {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([refusal(error, code)]));
    client(&http, &clock).refresh(&Secret::from("RT1"), &imap_scopes()).await.unwrap_err()
}

fn numbers() -> Vec<u32> {
    LIST.lines().filter(|line| !line.starts_with('#')).map(|line| line.parse().unwrap()).collect()
}

#[tokio::test]
async fn every_code_of_the_list_has_a_cause_and_advice() {
    let numbers = numbers();
    assert!(numbers.len() >= 128, "the list was cut: {}", numbers.len());
    for number in numbers {
        let code = Code::find(number).unwrap_or_else(|| panic!("AADSTS{number} is not in the table"));
        // Whatever OAuth code comes with it: pairs of the two are not to be relied on.
        for word in ["invalid_grant", "invalid_client", "something_new"] {
            let error = refused(number, word).await;
            assert_eq!(error.class(), code.class, "AADSTS{number} as {word}");
            let shown = error.to_string();
            for part in [&format!("AADSTS{number}"), code.meaning, code.advice, "t-1", "c-1"] {
                assert!(shown.contains(part), "{part} is not in {shown}");
            }
        }
    }
}

#[test]
fn the_table_has_no_code_that_the_list_lacks() {
    let numbers = numbers();
    for code in Code::all() {
        assert!(
            numbers.contains(&code.number),
            "AADSTS{} is not in tests/data/aadsts-codes.txt",
            code.number
        );
    }
}

#[test]
fn the_advice_names_what_has_to_be_changed() {
    for (number, words) in [
        (7000215, "Value"),
        (7000218, "Allow public client flows"),
        (7000222, "new secret"),
        (650053, "https://outlook.office.com/"),
        (1002012, ".default"),
        (9002331, "consumers"),
        (9002332, "organizations"),
        (700027, "certificate"),
        (700024, "clock"),
        (50011, "redirect"),
        (90094, "consent link"),
        (65004, "accept"),
        (50105, "assign"),
        (70019, "new code"),
        (90038, "cloud"),
        (53003, "correlation id"),
        (50196, "minutes"),
    ] {
        let advice = Code::find(number).unwrap().advice;
        assert!(advice.contains(words), "AADSTS{number}: {words:?} is not in {advice:?}");
    }
}

#[tokio::test]
async fn unknown_codes_keep_code_text_trace_and_correlation_ids() {
    for number in [1, 999_999_999, 7_777_777] {
        assert_eq!(Code::find(number), None);
        let error = refused(number, "invalid_client").await;
        let Refusal { codes, description, trace_id, correlation_id, .. } = error.refusal().unwrap();
        assert_eq!(codes, &[number]);
        assert_eq!(description, &format!("AADSTS{number}: simulated."));
        assert_eq!((trace_id.as_deref(), correlation_id.as_deref()), (Some("t-1"), Some("c-1")));
        assert_eq!(error.class(), Class::ConfigError);
        let shown = error.to_string();
        assert!(shown.contains(&format!("AADSTS{number}: simulated.")) && shown.contains("c-1"), "{shown}");
    }
}
