//! What a program that embeds postkey would do, as short as such a program is:
//!
//! - `facade send HOST:PORT COUNT CONNECTIONS FILE [CA-FILE]`: COUNT times the message in FILE.
//! - `facade huge HOST:PORT OCTETS data|bdat`: one message that is made as it goes out.
//! - `facade pop3 HOST:PORT CA-FILE USER PASSWORD DIRECTORY`: a whole maildrop, into a Maildir, without state or fsync.

mod lines;
mod maildir;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use postkey::smtp::{EhloName, Envelope, Mailbox, Options, Outcome};
use postkey::{Credential, Pop3, Roots, Security, Server, Smtp};
use tokio::task::JoinSet;

use lines::Lines;
use maildir::Maildir;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["send", address, count, connections, file] => {
            send(submission(address, None)?, count.parse()?, connections.parse()?, file).await
        }
        ["send", address, count, connections, file, ca] => {
            send(submission(address, Some(ca))?, count.parse()?, connections.parse()?, file).await
        }
        ["huge", address, octets, how @ ("data" | "bdat")] => {
            huge(submission(address, None)?, octets.parse()?, *how == "bdat").await
        }
        ["pop3", address, ca, user, password, directory] => {
            let (host, port) = host_and_port(address)?;
            let server = Server::pop3(host, Roots::none().with_ca_file(Path::new(ca))?).port(port);
            let credential = Credential::Password { user: (*user).into(), password: (*password).into() };
            pop3(&server, &credential, Path::new(directory)).await
        }
        _ => Err("usage: facade send|huge|pop3 …; see the source".into()),
    }
}

fn host_and_port(address: &str) -> Result<(&str, u16)> {
    let (host, port) = address.rsplit_once(':').ok_or("no port")?;
    Ok((host, port.parse()?))
}

fn submission(address: &str, ca: Option<&str>) -> Result<Server> {
    let (host, port) = host_and_port(address)?;
    let (roots, security) = match ca {
        None => (Roots::none(), Security::DangerousPlaintext),
        Some(ca) => (Roots::none().with_ca_file(Path::new(ca))?, Security::Tls),
    };
    Ok(Server::submission(host, roots).port(port).security(security))
}

fn envelope() -> Result<Envelope> {
    let (from, to): (Mailbox, Mailbox) = ("a@example.org".parse()?, "b@example.com".parse()?);
    Ok(Envelope::new(from, [to]))
}

fn accepted(outcome: &Outcome) -> Result<()> {
    if outcome.is_accepted() { Ok(()) } else { Err(format!("not accepted: {outcome:?}").into()) }
}

async fn send(server: Server, count: usize, connections: usize, file: &str) -> Result<()> {
    let (message, envelope): (Arc<[u8]>, _) = (std::fs::read(file)?.into(), envelope()?);
    let mut tasks = JoinSet::new();
    for n in 0..connections {
        let share = count / connections + usize::from(n < count % connections);
        let (server, envelope, message) = (server.clone(), envelope.clone(), message.clone());
        tasks.spawn(async move {
            let mut smtp = Smtp::connect(&server, &EhloName::new("localhost")?).await?;
            let (mut good, mut bad) = (0, Ok(()));
            let messages = (0..share).map(|_| (&envelope, &message[..]));
            smtp.send_all(messages, &Options::default(), |_, result| {
                match result.map_err(Into::into).and_then(|outcome| accepted(&outcome)) {
                    Ok(()) => good += 1,
                    Err(e) => bad = Err(e),
                }
            })
            .await?;
            bad?;
            smtp.quit().await;
            if good == share { Result::Ok(()) } else { Err(format!("{good} of {share} accepted").into()) }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(())
}

async fn huge(server: Server, octets: u64, chunking: bool) -> Result<()> {
    let mut smtp = Smtp::connect(&server, &EhloName::new("localhost")?).await?;
    let options = Options { size: Some(octets), chunking, ..Options::default() };
    accepted(&smtp.send(&envelope()?, &mut Lines::new(octets), &options).await?)?;
    smtp.quit().await;
    Ok(())
}

async fn pop3(server: &Server, credential: &Credential, directory: &Path) -> Result<()> {
    let mut pop3 = Pop3::open(server, credential).await?;
    let messages = pop3.list().await?;
    let mut maildir = Maildir::new(directory)?;
    let numbers = messages.into_iter().map(|message| message.number);
    let retrieved = pop3.retrieve(numbers, &mut maildir).await.map_err(|e| format!("{e:?}"))?;
    if !retrieved.refused.is_empty() {
        return Err(format!("{} messages refused", retrieved.refused.len()).into());
    }
    Ok(pop3.quit().await?)
}
