//! A real browser, Chromium without a screen, driven by W3C WebDriver through its own `chromedriver`.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Program, free_port};

/// How long a page may take, and the browser itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// The key by which WebDriver's answers name an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with a profile of its own, which takes every certificate. Dropping it ends it.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one; [`Program::Chromium`] has to be here.
    ///
    /// # Errors
    /// When a program does not start, or not in time.
    pub fn start() -> io::Result<Self> {
        let driver = Program::Chromium.find().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let profile = tempfile::tempdir()?;
        let port = free_port()?;
        let child = Command::new(driver)
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        // From here on it ends with this value.
        let mut browser = Self { driver: child, port, session: String::new(), _profile: profile };
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
        ];
        let mut arguments: Vec<String> = arguments.map(String::from).to_vec();
        arguments.push(format!("--user-data-dir={}", browser._profile.path().display()));
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "acceptInsecureCerts": true, "goog:chromeOptions": {"args": arguments},
            "timeouts": {"implicit": 10_000, "pageLoad": 30_000},
        }}});
        let begin = Instant::now();
        let session = loop {
            match browser.call("POST", "/session", &wanted) {
                Ok(session) => break session,
                Err(e) if e.kind() == io::ErrorKind::ConnectionRefused && begin.elapsed() < PATIENCE => {
                    thread::sleep(Duration::from_millis(20));
                }
                Err(e) => return Err(e),
            }
        };
        let id = session["sessionId"].as_str().ok_or_else(|| io::Error::other(session.to_string()))?;
        browser.session = format!("/session/{id}");
        Ok(browser)
    }

    /// Types an address, and waits for the page.
    ///
    /// # Errors
    /// When the browser cannot get there.
    pub fn go(&self, url: &str) -> io::Result<()> {
        self.post("/url", &json!({"url": url})).map(drop)
    }

    /// The address it shows now.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn url(&self) -> io::Result<String> {
        let url = self.call("GET", &format!("{}/url", self.session), &Value::Null)?;
        Ok(url.as_str().unwrap_or_default().to_owned())
    }

    /// The text that the page shows.
    ///
    /// # Errors
    /// When there is no page.
    pub fn text(&self) -> io::Result<String> {
        let path = format!("{}{}/text", self.session, self.element("body")?);
        Ok(self.call("GET", &path, &Value::Null)?.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the address begins so, and returns it. A click does not wait for the page that follows it.
    ///
    /// # Errors
    /// When it does not get there in half a minute; the error says where it is.
    pub fn reach(&self, prefix: &str) -> io::Result<String> {
        self.wait(|| self.url(), |url| url.starts_with(prefix))
    }

    /// Waits until the page says so.
    ///
    /// # Errors
    /// When it does not in half a minute; the error says what it does say.
    pub fn read(&self, words: &str) -> io::Result<String> {
        self.wait(|| self.text(), |text| text.contains(words))
    }

    fn wait(&self, look: impl Fn() -> io::Result<String>, good: impl Fn(&str) -> bool) -> io::Result<String> {
        let begin = Instant::now();
        loop {
            // Between two pages there is nothing to look at.
            match look() {
                Ok(seen) if good(&seen) => return Ok(seen),
                seen if begin.elapsed() > PATIENCE => {
                    return Err(io::Error::other(format!("in the end: {seen:?}")));
                }
                _ => thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Types into the field that a CSS selector names.
    ///
    /// # Errors
    /// When it is not there.
    pub fn fill(&self, selector: &str, text: &str) -> io::Result<()> {
        let element = self.element(selector)?;
        self.post(&format!("{element}/clear"), &json!({}))?;
        self.post(&format!("{element}/value"), &json!({"text": text})).map(drop)
    }

    /// Clicks what a CSS selector names.
    ///
    /// # Errors
    /// When it is not there.
    pub fn click(&self, selector: &str) -> io::Result<()> {
        let element = self.element(selector)?;
        self.post(&format!("{element}/click"), &json!({})).map(drop)
    }

    fn element(&self, selector: &str) -> io::Result<String> {
        let found = self.post("/element", &json!({"using": "css selector", "value": selector}))?;
        let id = found[ELEMENT].as_str().ok_or_else(|| io::Error::other(found.to_string()))?;
        Ok(format!("/element/{id}"))
    }

    fn post(&self, path: &str, body: &Value) -> io::Result<Value> {
        self.call("POST", &format!("{}{path}", self.session), body)
    }

    /// One command of the protocol, which is HTTP with JSON; the member `value` of the answer.
    fn call(&self, method: &str, path: &str, body: &Value) -> io::Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = http(self.port, method, path, "application/json", &body)?;
        let mut answer: Value = serde_json::from_str(&answer.body).map_err(io::Error::other)?;
        let value = answer["value"].take();
        if answer.get("value").is_some() && value["error"].is_string() {
            return Err(io::Error::other(format!("{path}: {}: {}", value["error"], value["message"])));
        }
        Ok(value)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends the browser, then we the driver.
        if !self.session.is_empty() {
            let _ = self.call("DELETE", &self.session, &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The answer to [`http`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body, which has to be text.
    pub body: String,
}

/// One HTTP request to a port of this machine, without TLS.
///
/// # Errors
/// When nobody listens, or what answers is not HTTP.
pub fn http(port: u16, method: &str, path: &str, kind: &str, body: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE * 2))?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\nContent-Type: {kind}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut octets = Vec::new();
    let mut buffer = [0; 16 * 1024];
    // The driver does not always close: the length says where the end is.
    loop {
        let text = String::from_utf8_lossy(&octets);
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            let field = |line: &str| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            };
            let length = head.lines().find_map(field);
            if length.is_some_and(|length| rest.len() >= length) {
                break;
            }
        }
        let n = stream.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        octets.extend_from_slice(buffer.get(..n).unwrap_or_default());
    }
    let text = String::from_utf8(octets).map_err(io::Error::other)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| io::Error::other("no HTTP"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok(Answer { status: status.ok_or_else(|| io::Error::other("no status"))?, body: body.to_owned() })
}
