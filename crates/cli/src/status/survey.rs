//! Looking at one account.

use auth::credential::{Credential, ServiceAccount};
use auth::store::{Cause, Record};
use auth::{Certificate, Class, Tokens};

use super::{Account, End, Item, Problem, State, What};
use crate::config::proof::Proof;
use crate::config::{self, Config};
use crate::exit::{Exit, Failure, Result};
use crate::output::text::safe;
use crate::tokens;

/// Looks at the account `name`; what is wrong with it is part of the answer. Asks nobody and changes nothing.
pub(crate) fn survey(config: &Config, name: &str, now: u64, within: u64) -> Account {
    let mut found = Account { name: name.to_owned(), items: Vec::new(), problem: None };
    let looked =
        config.account(Some(name)).and_then(|account| look(&account, config, now, within, &mut found));
    if let Err(failure) = looked {
        // What cannot be read may be good for all we know; a mistake in the configuration is none of that.
        let state = if failure.exit == Exit::TokenStore { State::Unknown } else { State::Ended };
        found.problem = Some(problem(state, failure));
    }
    found
}

fn problem(state: State, failure: Failure) -> Problem {
    Problem { state, exit: failure.exit, message: failure.message, advice: failure.advice }
}

fn look(
    account: &config::Account,
    config: &Config,
    now: u64,
    within: u64,
    found: &mut Account,
) -> Result<()> {
    let name = &account.name;
    if let Some(reference) = &account.token {
        let then = format!(
            "it comes from {reference} whenever it is needed; what stands behind that is not known here"
        );
        found.items.push(Item { what: What::AccessToken, end: End::Unknown, state: State::Fine, then });
        return Ok(());
    }
    if account.password.is_some() {
        let then = "passwords do not say when they end".to_owned();
        found.items.push(Item { what: What::Password, end: End::Unknown, state: State::Fine, then });
        return Ok(());
    }
    // What is stored may still be looked at, as all that follows.
    if let Err(failure) = account.can_sign_in() {
        found.problem = Some(problem(State::Ended, failure));
    }
    match &account.proof {
        Proof::Secret(_) => found.items.push(secret(account, now, within)),
        Proof::Certificate(reference) => match account.load(reference) {
            Ok(certificate) => found.items.push(self::certificate(&certificate, now, within)),
            Err(failure) => found.problem = Some(problem(State::Ended, failure)),
        },
        Proof::ServiceAccount(_) => match account.credential() {
            Ok(Credential::ServiceAccount(key)) => found.items.push(service_account(&key)),
            Ok(_) => {}
            Err(failure) => found.problem = Some(problem(State::Ended, failure)),
        },
        _ => {}
    }
    let record = match tokens::exists(config)? {
        true => account.record(&tokens::open(config, name)?)?.unwrap_or_default(),
        false => Record::default(),
    };
    match &record.tokens {
        Some(tokens) => stored(account, tokens, now, within, found),
        None if account.is_app() || found.problem.is_some() => {}
        None => {
            let failure = Failure::new(
                Exit::SignInNeeded,
                "nobody has signed in on this machine",
                format!("run: postkey login {name}"),
            );
            found.problem = Some(problem(State::Ended, failure));
        }
    }
    refused(account, &record, found);
    Ok(())
}

fn secret(account: &config::Account, now: u64, within: u64) -> Item {
    let name = &account.name;
    let Some(day) = account.client_secret_expires else {
        let then = format!(
            "no server tells when it ends (Microsoft's last 24 months at most): write client_secret_expires = 2027-01-31, the day \
             you were shown, under [accounts.{name}]"
        );
        return Item { what: What::ClientSecret, end: End::Unknown, state: State::Fine, then };
    };
    // Of a day without an hour the beginning, anywhere on earth but the far east: rather too early than too late.
    let end = day.to_zoned(jiff::tz::TimeZone::UTC).map_or(0, |start| start.timestamp().as_second());
    let end = End::At(u64::try_from(end).unwrap_or_default());
    let then = "every sign-in and renewal is refused then (AADSTS7000222 at Microsoft): make a new secret, put it in the old one's \
                place, and change client_secret_expires"
        .to_owned();
    Item { what: What::ClientSecret, end, state: State::of(end, now, within), then }
}

fn certificate(certificate: &Certificate, now: u64, within: u64) -> Item {
    let end = End::At(certificate.not_after());
    let then = "every sign-in and renewal is refused then (AADSTS700027 at Microsoft): make a new certificate, upload it beside the old \
                one, and put it in its place"
        .to_owned();
    Item { what: What::Certificate, end, state: State::of(end, now, within), then }
}

fn service_account(key: &ServiceAccount) -> Item {
    let then = format!(
        "Google's keys do not end by themselves; when somebody deletes or disables this one of {}, or a policy of the organisation \
         does, every sign-in is refused",
        safe(key.email())
    );
    Item { what: What::ServiceAccountKey, end: End::Never, state: State::Fine, then }
}

fn stored(account: &config::Account, tokens: &Tokens, now: u64, within: u64, found: &mut Account) {
    let name = &account.name;
    let renewed = account.is_app() || tokens.refresh_token.is_some();
    let end = End::At(tokens.expires_at);
    let (state, then) = if renewed {
        (State::Fine, "renewed by whoever needs it next".to_owned())
    } else {
        let then =
            format!("there is no refresh token: somebody must sign in again then (postkey login {name})");
        (State::of(end, now, within), then)
    };
    found.items.push(Item { what: What::AccessToken, end, state, then });
    if account.is_app() || tokens.refresh_token.is_none() {
        return;
    }
    let life = &account.provider.refresh_token;
    let end = life.unused_until(tokens.obtained_at).map_or(End::Unknown, End::AtTheLatest);
    let then = format!("ends {life}; somebody must sign in again then (postkey login {name})");
    found.items.push(Item { what: What::RefreshToken, end, state: State::of(end, now, within), then });
}

/// What the provider said to the last renewal: it knows better than any calendar.
fn refused(account: &config::Account, record: &Record, found: &mut Account) {
    let Some(noted) = &record.failure else { return };
    let Cause::Refused(refusal) = &noted.cause else { return };
    let what = match refusal.class() {
        // It may pass, and says nothing about what is stored.
        Class::RetryLater | Class::Pending => return,
        Class::SecretExpired => What::ClientSecret,
        _ => What::RefreshToken,
    };
    for item in &mut found.items {
        if item.what == what {
            item.end = End::At(noted.at);
            item.state = State::Ended;
            item.then = "the last renewal was refused, as is said above".to_owned();
        } else if item.what == What::AccessToken {
            item.then = "nothing renews it until that is mended".to_owned();
        }
    }
    let error = auth::Error::Refused(Box::new(refusal.clone()));
    let failure = Failure::from_auth(&error, &account.name);
    found.problem = Some(problem(State::Ended, failure));
}
