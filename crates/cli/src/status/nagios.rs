//! One line for Nagios and whoever speaks like it: `POSTKEY WARNING - text | performance data`.

use std::fmt::Write as _;

use super::{Account, Item, State};
use crate::output::moment::{local, relative};

/// What a plugin's exit code can say.
pub(crate) const UNKNOWN: u8 = 3;

/// The line and the exit code.
pub(crate) fn line(accounts: &[Account], now: u64, within: u64) -> (String, u8) {
    let worst = accounts.iter().map(Account::state).max();
    let (word, code) = match worst {
        Some(State::Fine) => ("OK", 0),
        Some(State::Ending) => ("WARNING", 1),
        Some(State::Ended) => ("CRITICAL", 2),
        Some(State::Unknown) | None => ("UNKNOWN", UNKNOWN),
    };
    let mut line = format!("POSTKEY {word} - {}", plain(&text(accounts, worst, now)));
    let mut data = String::new();
    for account in accounts {
        for item in &account.items {
            let Some(end) = item.end.moment() else { continue };
            // Negative once it has ended.
            let left = i128::from(end) - i128::from(now);
            let _ = write!(data, " '{}_{}'={left}s", account.name, item.what.name());
            if watched(item) {
                let _ = write!(data, ";{within}:;0:");
            }
        }
    }
    if !data.is_empty() {
        let _ = write!(line, " |{data}");
    }
    (line, code)
}

/// A report that could not be made at all.
pub(crate) fn unknown(message: &str) -> String {
    format!("POSTKEY UNKNOWN - {}", plain(message))
}

/// Whether the end of it is anybody's concern: what is renewed by itself ends all the time.
fn watched(item: &Item) -> bool {
    item.what != super::What::AccessToken
}

fn text(accounts: &[Account], worst: Option<State>, now: u64) -> String {
    let Some(worst) = worst else { return "there is no account".into() };
    if worst == State::Fine {
        let items = accounts.iter().flat_map(|account| account.items.iter().map(move |item| (account, item)));
        let watched = items.filter(|(_, item)| watched(item));
        let next = watched
            .filter_map(|(account, item)| Some((item.end.moment()?, account, item)))
            .min_by_key(|(end, ..)| *end);
        let all = match accounts.len() {
            1 => "1 account".to_owned(),
            n => format!("{n} accounts"),
        };
        return match next {
            Some((_, account, item)) => format!("{all}; next: {}", ending(account, item, now)),
            None => all,
        };
    }
    let mut parts = Vec::new();
    let mut worst_first: Vec<&Account> =
        accounts.iter().filter(|account| account.state() > State::Fine).collect();
    worst_first.sort_by_key(|account| std::cmp::Reverse(account.state()));
    for account in &worst_first {
        if let Some(problem) = &account.problem {
            parts.push(format!("{}: {}", account.name, problem.message));
        } else {
            let items = account.items.iter().filter(|item| item.state > State::Fine);
            parts.extend(items.map(|item| ending(account, item, now)));
        }
    }
    match accounts.len() - worst_first.len() {
        0 => {}
        n => parts.push(format!("{n} fine")),
    }
    parts.join("; ")
}

fn ending(account: &Account, item: &Item, now: u64) -> String {
    let (name, title) = (&account.name, item.what.title());
    match item.end.moment() {
        Some(end) if end <= now => format!("{name}: {title} ended {} ({})", relative(end, now), local(end)),
        Some(end) => {
            let bound = if matches!(item.end, super::End::AtTheLatest(_)) { " at the latest" } else { "" };
            format!("{name}: {title} ends{bound} {} ({})", relative(end, now), local(end))
        }
        None => format!("{name}: {title}: {}", item.then),
    }
}

/// One line, and without the character that ends the text.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '|' {
                '/'
            } else if c.is_control() {
                ' '
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use crate::status::{End, Problem, What};

    const DAY: u64 = 86_400;

    fn account(name: &str, what: What, end: End, state: State) -> Account {
        let item = Item { what, end, state, then: "x | y".into() };
        Account { name: name.into(), items: vec![item], problem: None }
    }

    #[test]
    fn the_worst_decides() {
        let now = 1_790_000_000;
        let good = || account("a", What::AccessToken, End::At(now + 60), State::Fine);
        let ending = || account("b", What::RefreshToken, End::AtTheLatest(now + DAY), State::Ending);
        let (line, code) = super::line(&[good()], now, 14 * DAY);
        assert_eq!((line.as_str(), code), ("POSTKEY OK - 1 account | 'a_access_token'=60s", 0));
        let (line, code) = super::line(&[good(), ending()], now, 14 * DAY);
        assert!(
            line.starts_with("POSTKEY WARNING - b: refresh token ends at the latest in 1 day ("),
            "{line}"
        );
        assert!(
            line.ends_with("; 1 fine | 'a_access_token'=60s 'b_refresh_token'=86400s;1209600:;0:"),
            "{line}"
        );
        assert_eq!(code, 1);
        let ended = account("c", What::ClientSecret, End::At(now - 10), State::Ended);
        let (line, code) = super::line(&[ending(), ended], now, DAY);
        assert!(line.starts_with("POSTKEY CRITICAL - c: client secret ended 10 s ago ("), "{line}");
        assert!(
            line.contains("; b: refresh token ends") && line.contains("'c_client_secret'=-10s;86400:;0:"),
            "{line}"
        );
        assert_eq!(code, 2);
    }

    #[test]
    fn a_line_is_one_line_with_one_bar() {
        let mut broken = account("a", What::RefreshToken, End::At(5), State::Fine);
        let message = "first | second\nthird".into();
        broken.problem =
            Some(Problem { state: State::Unknown, exit: Exit::TokenStore, message, advice: String::new() });
        let (line, code) = super::line(&[broken], 0, 0);
        assert_eq!(
            (line.as_str(), code),
            ("POSTKEY UNKNOWN - a: first / second third | 'a_refresh_token'=5s;0:;0:", 3)
        );
        assert_eq!(super::line(&[], 0, 0), ("POSTKEY UNKNOWN - there is no account".into(), 3));
    }
}
