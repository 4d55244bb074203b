//! Azure Arc: the key file, and what a listener at the agent's address could do with it.

use std::collections::VecDeque;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Mutex;

use tempfile::TempDir;
use wire::SecretBytes;

use super::*;
use crate::http::HttpError;

const AGENT: &str = "http://localhost:40342/metadata/identity/oauth2/token";
const KEY: &str = "key-canary-0123456789";

/// Answers from a script; keeps address and headers of what it was asked.
#[derive(Default)]
struct Agent {
    script: Mutex<VecDeque<HttpResponse>>,
    seen: Mutex<Vec<(String, String)>>,
}

impl Http for Agent {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let headers: Vec<String> =
            request.headers.iter().map(|(name, value)| format!("{name}: {}", value.expose())).collect();
        self.seen.lock().unwrap().push((request.url.to_string(), headers.join("\n")));
        Ok(self.script.lock().unwrap().pop_front().expect("the script is at its end"))
    }
}

fn challenge(text: &str) -> HttpResponse {
    HttpResponse { status: 401, www_authenticate: Some(text.to_owned()), ..HttpResponse::default() }
}

fn answer(body: &str) -> HttpResponse {
    HttpResponse { status: 200, body: SecretBytes::new(body.as_bytes().to_vec()), ..HttpResponse::default() }
}

struct Scene {
    folder: TempDir,
    agent: Agent,
}

impl Scene {
    fn new(script: impl IntoIterator<Item = HttpResponse>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tokens")).unwrap();
        std::fs::write(folder.path().join("tokens/a-1_B.key"), format!("{KEY}\n")).unwrap();
        std::fs::write(folder.path().join("shadow.key"), "another-canary").unwrap();
        Self { folder, agent: Agent { script: Mutex::new(script.into_iter().collect()), ..Agent::default() } }
    }

    fn keys(&self) -> PathBuf {
        self.folder.path().join("tokens")
    }

    fn path(&self, name: &str) -> String {
        self.keys().join(name).display().to_string()
    }

    fn fetch(&self, client_id: Option<&str>) -> Result<Secret, Error> {
        let identity = ManagedIdentity::arc_with_keys(AGENT, self.keys()).unwrap();
        let identity = match client_id {
            Some(id) => identity.with_client_id(id),
            None => identity,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(identity.fetch(&self.agent, 0))
    }

    /// Everything that was sent.
    fn sent(&self) -> String {
        format!("{:?}", self.agent.seen.lock().unwrap())
    }
}

#[test]
fn the_key_is_read_and_shown_to_the_agent() {
    for quote in ["", "\""] {
        let scene = Scene::new([]);
        let realm = format!("Basic realm={quote}{}{quote}", scene.path("a-1_B.key"));
        *scene.agent.script.lock().unwrap() = [challenge(&realm), answer(r#"{"access_token":"AT"}"#)].into();
        assert_eq!(scene.fetch(None).unwrap().expose(), "AT");
        let seen = scene.agent.seen.lock().unwrap().clone();
        let asked = format!("{AGENT}?resource=api%3A%2F%2FAzureADTokenExchange&api-version=2020-06-01");
        assert_eq!(seen.len(), 2);
        assert!(
            seen.iter().all(|(url, headers)| *url == asked && headers.contains("metadata: true")),
            "{seen:?}"
        );
        assert!(!seen[0].1.contains("authorization"), "{seen:?}");
        assert!(seen[1].1.ends_with(&format!("authorization: Basic {KEY}")), "{seen:?}");
    }
}

/// Whoever listens there names a file: only the agent's own are read, and nothing is sent for any other.
#[test]
fn no_other_file_is_read() {
    let scene = Scene::new([]);
    let (keys, root) = (scene.keys(), scene.folder.path().to_owned());
    std::fs::write(root.join("tokens-of-others.key"), "another-canary").unwrap();
    std::fs::write(keys.join("a.pem"), "another-canary").unwrap();
    std::fs::write(keys.join(".key"), "another-canary").unwrap();
    std::fs::create_dir(keys.join("below")).unwrap();
    std::fs::write(keys.join("below/a.key"), "another-canary").unwrap();
    std::fs::create_dir(keys.join("folder.key")).unwrap();
    symlink(root.join("shadow.key"), keys.join("link.key")).unwrap();
    std::fs::hard_link(root.join("shadow.key"), keys.join("hard.key")).unwrap();
    std::fs::write(keys.join("long.key"), "l".repeat(4097)).unwrap();
    std::fs::write(keys.join("empty.key"), "\n").unwrap();
    std::fs::write(keys.join("lines.key"), "another-canary\r\nX-Injected: 1").unwrap();
    std::fs::write(keys.join("binary.key"), [0xff, 0xfe, 1]).unwrap();
    let fifo = keys.join("fifo.key");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let inside = [
        "a.pem",
        ".key",
        "below/a.key",
        "../shadow.key",
        "../tokens/../shadow.key",
        "./a-1_B.key",
        "/a-1_B.key",
        "folder.key",
        "link.key",
        "hard.key",
        "long.key",
        "empty.key",
        "lines.key",
        "binary.key",
        "fifo.key",
        "absent.key",
        "a-1_B.key\0.key",
        "a-1_B.KEY",
        "",
        "*.key",
    ];
    let mut realms: Vec<String> =
        inside.iter().map(|name| format!("Basic realm={}/{name}", keys.display())).collect();
    realms.extend([
        format!("Basic realm={}", root.join("shadow.key").display()),
        format!("Basic realm={}-of-others.key", keys.display()),
        format!("Basic realm={}", keys.display()),
        "Basic realm=/etc/shadow".into(),
        "Basic realm=/etc/hostname.key".into(),
        "Basic realm=a-1_B.key".into(),
        "Basic realm=tokens/a-1_B.key".into(),
        format!("Basic realm=http://evil.example/{}", scene.path("a-1_B.key")),
        format!("Bearer realm={}", scene.path("a-1_B.key")),
        format!("Basic nonce={}", scene.path("a-1_B.key")),
        scene.path("a-1_B.key"),
        "Basic".into(),
        "Basic realm=".into(),
        String::new(),
    ]);
    for realm in realms {
        scene.agent.script.lock().unwrap().push_back(challenge(&realm));
        let error = scene.fetch(None).unwrap_err();
        assert!(matches!(error, Error::Setting { .. } | Error::Response { .. }), "{realm}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{realm}: {error}");
    }
    assert!(!scene.sent().contains("authorization"), "{}", scene.sent());
}

#[test]
fn a_folder_that_is_a_link_is_not_entered() {
    let scene = Scene::new([]);
    let linked = scene.folder.path().join("linked");
    symlink(scene.keys(), &linked).unwrap();
    let realm = format!("Basic realm={}", linked.join("a-1_B.key").display());
    assert!(arc::key(&realm, &linked).is_err());
    assert_eq!(arc::key(&realm.replace("linked", "tokens"), &scene.keys()).unwrap().expose(), KEY);
}

/// The key goes back to the address that was configured, wherever the answers point.
#[test]
fn the_key_goes_nowhere_else() {
    let redirect = HttpResponse { status: 307, ..HttpResponse::default() };
    let echo = answer(&format!(r#"{{"error":"invalid_request","error_description":"no: {KEY}"}}"#));
    for (first, second, sent) in [
        (Some(redirect.clone()), None, false),
        (Some(answer(r#"{"access_token":"AT"}"#)), None, false),
        (None, Some(redirect), true),
        (None, Some(challenge("Basic realm=/etc/shadow")), true),
        (None, Some(echo), true),
    ] {
        let scene = Scene::new([]);
        let asks = challenge(&format!("Basic realm={}", scene.path("a-1_B.key")));
        scene.agent.script.lock().unwrap().extend([first.unwrap_or(asks)].into_iter().chain(second));
        let error = scene.fetch(None).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
        let seen = scene.agent.seen.lock().unwrap();
        assert!(seen.iter().all(|(url, _)| url.starts_with(AGENT)), "{seen:?}");
        assert_eq!(seen.iter().any(|(_, headers)| headers.contains(KEY)), sent, "{seen:?}");
    }
}

/// An agent that knows the machine's identity only would give that one's token for any other.
#[test]
fn another_identity_than_the_one_asked_for_is_refused() {
    for (given, good) in [
        (r#"{"access_token":"AT","client_id":"ID-1"}"#, true),
        (r#"{"access_token":"AT","client_id":"id-1"}"#, true),
        (r#"{"access_token":"AT","client_id":"ID-2"}"#, false),
        (r#"{"access_token":"AT"}"#, false),
    ] {
        let scene = Scene::new([]);
        let realm = format!("Basic realm={}", scene.path("a-1_B.key"));
        *scene.agent.script.lock().unwrap() = [challenge(&realm), answer(given)].into();
        assert_eq!(scene.fetch(Some("ID-1")).is_ok(), good, "{given}");
        assert!(scene.sent().contains("client_id=ID-1"));
    }
}

#[test]
fn the_environment_tells_the_place() {
    let with = |variables: &[(&str, &str)]| {
        let variables: Vec<(String, String)> =
            variables.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        ManagedIdentity::from_environment(move |name| {
            variables.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone())
        })
    };
    let (endpoint, header, imds) =
        (("IDENTITY_ENDPOINT", AGENT), ("IDENTITY_HEADER", "h"), ("IMDS_ENDPOINT", "http://localhost:40342"));
    assert!(matches!(with(&[]).unwrap().place, Place::Imds));
    assert!(matches!(with(&[imds]).unwrap().place, Place::Imds));
    assert!(matches!(with(&[endpoint, header]).unwrap().place, Place::Endpoint { .. }));
    assert!(matches!(with(&[endpoint, header, imds]).unwrap().place, Place::Endpoint { .. }));
    match with(&[endpoint, imds]).unwrap().place {
        Place::Arc { url, keys } => {
            assert_eq!((url.as_str(), keys.as_path()), (AGENT, Path::new("/var/opt/azcmagent/tokens")));
        }
        other => panic!("{other:?}"),
    }
    for wrong in [
        &[endpoint][..],
        &[endpoint, ("IDENTITY_HEADER", "")],
        &[endpoint, header, ("IDENTITY_SERVER_THUMBPRINT", "AB")],
        &[("IDENTITY_ENDPOINT", "https://agent.example/"), imds],
        &[("IDENTITY_ENDPOINT", "http://169.254.129.5:8081/"), imds],
        &[("IDENTITY_ENDPOINT", "http://10.0.0.1/"), header],
    ] {
        assert!(with(wrong).is_err(), "{wrong:?}");
    }
}

/// Over a real connection: the challenge is a header, which the transport has to hand on.
#[cfg(feature = "reqwest")]
#[tokio::test]
async fn over_http() {
    use std::io::{Read as _, Write as _};

    use crate::http::{ReqwestHttp, ReqwestOptions};

    let scene = Scene::new([]);
    let realm = scene.path("a-1_B.key");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let agent = std::thread::spawn(move || {
        let mut heads = Vec::new();
        for answer in [
            format!("401 Unauthorized\r\nWWW-Authenticate: Basic realm={realm}\r\nContent-Length: 0"),
            "200 OK\r\nContent-Length: 21\r\nConnection: close\r\n\r\n{\"access_token\":\"AT\"}".to_owned(),
        ] {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut head, mut octets) = (Vec::new(), [0; 1024]);
            while !head.ends_with(b"\r\n\r\n") {
                let read = stream.read(&mut octets).unwrap();
                head.extend_from_slice(&octets[..read]);
            }
            let end = if answer.contains("\r\n\r\n") { "" } else { "\r\nConnection: close\r\n\r\n" };
            stream.write_all(format!("HTTP/1.1 {answer}{end}").as_bytes()).unwrap();
            heads.push(String::from_utf8(head).unwrap().to_ascii_lowercase());
        }
        heads
    });
    let url = format!("http://{address}/metadata/identity/oauth2/token");
    let identity = ManagedIdentity::arc_with_keys(&url, scene.keys()).unwrap();
    let http = ReqwestHttp::new(&ReqwestOptions::default()).unwrap();
    assert_eq!(identity.fetch(&http, 0).await.unwrap().expose(), "AT");
    let heads = agent.join().unwrap();
    assert!(
        heads.iter().all(|head| head.starts_with("get /metadata/identity/oauth2/token?resource=")),
        "{heads:?}"
    );
    let shows = |head: &String| head.contains(&format!("authorization: basic {KEY}"));
    assert_eq!((shows(&heads[0]), shows(&heads[1])), (false, true), "{heads:?}");
}
