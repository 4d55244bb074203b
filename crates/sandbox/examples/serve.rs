//! Runs a sandbox until interrupted and prints what a client needs: `cargo run -p postkey-sandbox --example serve`.
//!
//! The first argument chooses which mail servers are imitated: `exo-2026` (default), `exo-classic` or `plain`.

use postkey_sandbox::{ANA, DAEMON_APP, Profile, Sandbox, TokenSpec};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let profile = match std::env::args().nth(1).as_deref() {
        None | Some("exo-2026") => Profile::Exo2026,
        Some("exo-classic") => Profile::ExoClassic,
        Some("plain") => Profile::Plain,
        Some(other) => {
            return Err(format!("no profile {other:?}; there are exo-2026, exo-classic and plain").into());
        }
    };
    let sandbox = Sandbox::builder().imap(profile).pop3(profile).smtp(profile).http_port(0).start().await?;
    let ca = std::env::temp_dir().join(format!("postkey-sandbox-{}.pem", std::process::id()));
    std::fs::write(&ca, sandbox.ca_pem())?;
    println!("authority={}", sandbox.authority());
    println!("plain={}", sandbox.plain_base_url().unwrap_or_default());
    println!("ca={}", ca.display());
    println!("imaps=localhost:{}", sandbox.ports().imaps);
    println!("imap=localhost:{}", sandbox.ports().imap);
    println!("pop3s=localhost:{}", sandbox.ports().pop3s);
    println!("pop3=localhost:{}", sandbox.ports().pop3);
    println!("submission=localhost:{}", sandbox.ports().submission);
    println!("client_id={}", sandbox.public_client_id());
    if let Some(daemon) = sandbox.app(DAEMON_APP) {
        println!("daemon_id={}", daemon.id());
        println!("daemon_secret={}", daemon.secret().map_or("", |s| s.expose()));
    }
    println!("user={ANA}");
    println!("token={}", sandbox.issue_token(&TokenSpec::user(ANA))?.expose());
    tokio::signal::ctrl_c().await?;
    std::fs::remove_file(ca)?;
    Ok(())
}
