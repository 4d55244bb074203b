//! `async-imap-download HOST:PORT CA-FILE USER PASSWORD DIRECTORY`: one FETCH of everything by the crate async-imap,
//! written to a Maildir as `rawdl` writes it.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::TryStreamExt;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, ca, user, password, directory] = arguments.as_slice() else {
        return Err("usage: async-imap-download HOST:PORT CA-FILE USER PASSWORD DIRECTORY".into());
    };
    let directory = PathBuf::from(directory);
    for sub in ["tmp", "new", "cur"] {
        fs::create_dir_all(directory.join(sub))?;
    }
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca)?)?;
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host).to_owned();
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    let tls = TlsConnector::from(Arc::new(config)).connect(host.try_into()?, tcp).await?;
    let mut client = async_imap::Client::new(tls);
    client.read_response().await?;
    let mut session = client.login(user, password).await.map_err(|(error, _)| error)?;
    session.examine("INBOX").await?;
    let (mut messages, mut octets) = (0_u64, 0_u64);
    {
        let mut fetches = session.uid_fetch("1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])").await?;
        while let Some(fetch) = fetches.try_next().await? {
            let Some(body) = fetch.body() else { continue };
            messages += 1;
            octets += body.len() as u64;
            let tmp = directory.join(format!("tmp/{messages}"));
            fs::write(&tmp, body)?;
            fs::rename(&tmp, directory.join(format!("cur/{messages}:2,S")))?;
        }
    }
    session.logout().await?;
    println!("{messages} messages, {octets} octets");
    Ok(())
}
