//! The listener of the browser sign-in, without its socket (RFC 8252 §7.3).
//!
//! Whoever owns the socket binds 127.0.0.1 and ::1 (never another address), without address reuse, reads a
//! connection into a buffer, and hands that buffer to [`Receiver::answer`] after every read. The receiver
//! decides when the request is complete, what to send back, and which request is the answer to the sign-in.
//! Everything else that can reach a local port (other pages, other programs, port scanners) gets a short
//! refusal, and the wait goes on.

mod page;
mod request;

use wire::Secret;

use self::page::Page;
use self::request::{Parsed, Request};
use crate::{Callback, Error};

/// Longest request by default, in octets, body included.
pub const REQUEST_LIMIT: usize = 8 * 1024;
/// How long to wait for the person by default, in seconds.
pub const PATIENCE: u64 = 120;
/// How many connections to serve at once by default; a further one is to be closed unread.
pub const CONNECTIONS: usize = 4;

/// What a buffer turned out to be.
#[derive(Debug)]
#[must_use]
pub enum Answer {
    /// Not a whole request yet: read more.
    Incomplete,
    /// Not the answer that is waited for: send this, close the connection, go on waiting.
    Refuse(Vec<u8>),
    /// The answer: send this, close the connection and the listener, and redeem the callback with
    /// [`Client::code_finish`](crate::Client::code_finish). It may hold a refusal.
    Callback(Box<Callback>, Vec<u8>),
}

/// Recognises the one request that answers a sign-in.
#[derive(Debug)]
pub struct Receiver {
    path: String,
    hosts: Vec<String>,
    port: u16,
    state: Secret,
    limit: usize,
    done: bool,
}

impl Receiver {
    /// Waits for the answer that repeats `state`, at `path` (of the redirect address), on a listener at
    /// `port`.
    pub fn new(path: impl Into<String>, port: u16, state: Secret) -> Self {
        let mut path = path.into();
        if path.is_empty() {
            path.push('/');
        }
        let new = Self { path, hosts: Vec::new(), port, state, limit: REQUEST_LIMIT, done: false };
        ["localhost", "127.0.0.1", "[::1]"].into_iter().fold(new, Self::with_host)
    }

    /// With another name for the listener, that of a redirect address whose host is a name below `localhost`: only for what
    /// [`is_loopback`](crate::is_loopback) finds to be on this machine.
    #[must_use]
    pub fn with_host(mut self, host: &str) -> Self {
        self.hosts.push(format!("{host}:{}", self.port));
        // A browser does not name the port that is the scheme's own.
        if matches!(self.port, 80 | 443) {
            self.hosts.push(host.to_owned());
        }
        self
    }

    /// With another limit on the length of a request.
    #[must_use]
    pub fn with_limit(self, octets: usize) -> Self {
        Self { limit: octets, ..self }
    }

    /// Judges what a connection has sent so far. The buffer is never longer than the limit and one read if
    /// the caller stops reading at anything but [`Answer::Incomplete`].
    pub fn answer(&mut self, buffer: &[u8]) -> Answer {
        match self.judge(buffer) {
            Judged::Incomplete => Answer::Incomplete,
            Judged::Refused(page) => Answer::Refuse(page.response()),
            Judged::Answer(callback) => {
                self.done = true;
                let page = match &callback.refusal {
                    Some(refusal) => Page::refused(refusal),
                    None => Page::signed_in(),
                };
                Answer::Callback(callback, page.response())
            }
        }
    }

    fn judge(&self, buffer: &[u8]) -> Judged {
        let request = match request::parse(buffer, self.limit) {
            Parsed::Incomplete => return Judged::Incomplete,
            Parsed::Refused(status) => return Judged::Refused(Page::error(status)),
            Parsed::Whole(request) => request,
        };
        self.accept(&request)
    }

    fn accept(&self, request: &Request<'_>) -> Judged {
        // A page on the internet can point a name of its own at 127.0.0.1 (DNS rebinding, AU-08).
        if !self.hosts.iter().any(|host| host.eq_ignore_ascii_case(request.host)) {
            return Judged::Refused(Page::error(400));
        }
        if request.path != self.path {
            return Judged::Refused(Page::error(404));
        }
        if self.done {
            return Judged::Refused(Page::error(410));
        }
        match Callback::from_query(request.parameters) {
            // The comparison takes the same time wherever the difference is.
            Ok(callback) if callback.state.as_ref() == Some(&self.state) => {
                Judged::Answer(Box::new(callback))
            }
            Ok(_) | Err(Error::Callback { .. }) => Judged::Refused(Page::error(400)),
            Err(_) => Judged::Refused(Page::error(400)),
        }
    }
}

enum Judged {
    Incomplete,
    Refused(Page),
    Answer(Box<Callback>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Class;
    use proptest::prelude::*;

    const PORT: u16 = 43117;

    fn receiver() -> Receiver {
        Receiver::new("/", PORT, Secret::from("good-state"))
    }

    fn get(target: &str) -> String {
        format!("GET {target} HTTP/1.1\r\nHost: localhost:{PORT}\r\nUser-Agent: x\r\n\r\n")
    }

    fn post(body: &str) -> String {
        format!(
            "POST / HTTP/1.1\r\nHost: localhost:{PORT}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    fn status(answer: &Answer) -> u16 {
        let response = match answer {
            Answer::Incomplete => return 0,
            Answer::Refuse(response) | Answer::Callback(_, response) => response,
        };
        std::str::from_utf8(&response[9..12]).unwrap().parse().unwrap()
    }

    fn accepted(answer: Answer) -> (Callback, String) {
        match answer {
            Answer::Callback(callback, response) => (*callback, String::from_utf8(response).unwrap()),
            other => panic!("not a callback: {other:?}"),
        }
    }

    const GOOD: &str = "/?code=0.AXoA-code&state=good-state&session_state=s";

    #[test]
    fn a_query_is_the_answer() {
        let (callback, response) = accepted(receiver().answer(get(GOOD).as_bytes()));
        assert_eq!(callback.code.unwrap().expose(), "0.AXoA-code");
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(!response.contains("AXoA") && !response.contains("good-state"), "the page reflects nothing");
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
    }

    #[test]
    fn a_form_is_the_answer() {
        let request = post("code=C%2B1&state=good-state");
        for length in 0..request.len() {
            assert!(
                matches!(receiver().answer(&request.as_bytes()[..length]), Answer::Incomplete),
                "{length}"
            );
        }
        let (callback, _) = accepted(receiver().answer(request.as_bytes()));
        assert_eq!(callback.code.unwrap().expose(), "C+1");
    }

    #[test]
    fn au_01_au_02_a_wrong_or_missing_state_is_refused_and_the_wait_goes_on() {
        let mut receiver = receiver();
        for target in ["/?code=C&state=evil", "/?code=C", "/?code=C&state=", "/?error=access_denied", "/"] {
            assert_eq!(status(&receiver.answer(get(target).as_bytes())), 400, "{target}");
        }
        assert_eq!(status(&receiver.answer(post("code=C&state=evil").as_bytes())), 400);
        accepted(receiver.answer(get(GOOD).as_bytes()));
    }

    #[test]
    fn au_03_au_12_the_first_answer_wins() {
        let mut receiver = receiver();
        accepted(receiver.answer(get(GOOD).as_bytes()));
        assert_eq!(status(&receiver.answer(get(GOOD).as_bytes())), 410);
    }

    #[test]
    fn au_04_an_error_is_typed_and_its_page_is_escaped() {
        let target = "/?state=good-state&error=access_denied&error_description=AADSTS65004%3A+%3Cscript%3Ealert(1)%3C%2Fscript%3E%0D%0ASet-Cookie%3A+x%3D1";
        let (callback, response) = accepted(receiver().answer(get(target).as_bytes()));
        let refusal = callback.refusal.unwrap();
        assert!(refusal.is_declined());
        assert_eq!((refusal.class(), refusal.codes.as_slice()), (Class::SignInAgain, &[65004][..]));
        assert!(!response.contains("<script") && !response.contains("Set-Cookie"), "{response}");
        assert!(response.contains("&lt;script&gt;"));
    }

    #[test]
    fn au_06_doubled_and_oversized_parameters_are_refused() {
        let mut receiver = receiver().with_limit(128 * 1024);
        let long = format!("/?state=good-state&code={}", "x".repeat(64 * 1024));
        for target in
            ["/?code=a&code=b&state=good-state", "/?code=a&state=good-state&state=good-state", &long]
        {
            assert_eq!(status(&receiver.answer(get(target).as_bytes())), 400);
        }
    }

    #[test]
    fn au_07_what_is_not_such_a_request_is_refused() {
        let mut receiver = receiver();
        let headers = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(10_000));
        let chunked = format!(
            "POST / HTTP/1.1\r\nHost: localhost:{PORT}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        );
        let endless = format!(
            "POST / HTTP/1.1\r\nHost: localhost:{PORT}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99999999999999999999\r\n\r\n"
        );
        let json = post("x").replace("x-www-form-urlencoded", "json");
        let cases: [(&[u8], u16); 10] = [
            (&[b'A'; 1024 * 1024], 431),
            (headers.as_bytes(), 431),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
            (b"HEAD / HTTP/1.1\r\nHost: localhost:43117\r\n\r\n", 405),
            (b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost:43117\r\n\r\n", 400),
            (b"GET /?a=\xff HTTP/1.1\r\n\r\n", 400),
            (chunked.as_bytes(), 411),
            (endless.as_bytes(), 400),
            (json.as_bytes(), 415),
        ];
        for (bytes, expected) in cases {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
            assert_eq!(status(&receiver.answer(bytes)), expected, "{shown}");
        }
        accepted(receiver.answer(get(GOOD).as_bytes()));
    }

    #[test]
    fn au_07_a_whole_request_beyond_the_limit_is_refused_too() {
        let target = |length: usize| format!("/?state=good-state&code={}", "x".repeat(length));
        let fits = get(&target(3000));
        let mut receiver = receiver().with_limit(fits.len());
        assert_eq!(status(&receiver.answer(get(&target(3001)).as_bytes())), 431);
        let form = post(&format!("state=good-state&code={}", "x".repeat(5000)));
        assert_eq!(status(&receiver.answer(form.as_bytes())), 413);
        assert_eq!(status(&receiver.answer(&form.as_bytes()[..300])), 413, "by its announcement alone");
        accepted(receiver.answer(fits.as_bytes()));
    }

    #[test]
    fn au_07_a_slow_request_is_incomplete_until_its_end() {
        let mut receiver = receiver();
        let request = get(GOOD);
        for length in 0..request.len() {
            assert!(matches!(receiver.answer(&request.as_bytes()[..length]), Answer::Incomplete), "{length}");
        }
        accepted(receiver.answer(request.as_bytes()));
    }

    #[test]
    fn a_name_below_localhost_is_taken_where_the_redirect_address_has_it() {
        let request = format!("GET {GOOD} HTTP/1.1\r\nHost: mail.localhost:{PORT}\r\n\r\n");
        assert_eq!(status(&receiver().answer(request.as_bytes())), 400);
        assert_eq!(status(&receiver().with_host("mail.localhost").answer(request.as_bytes())), 200);
        let other = request.replace("mail.", "other.");
        assert_eq!(status(&receiver().with_host("mail.localhost").answer(other.as_bytes())), 400);
    }

    #[test]
    fn au_08_other_hosts_are_refused() {
        let mut receiver = receiver();
        for host in [
            "evil.com",
            "localhost",
            "localhost:1",
            "localhost.evil.com:43117",
            "",
            "127.0.0.1:43117.evil.com",
        ] {
            let request = format!("GET {GOOD} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            assert_eq!(status(&receiver.answer(request.as_bytes())), 400, "{host}");
        }
        let none = format!("GET {GOOD} HTTP/1.1\r\n\r\n");
        let two = format!("GET {GOOD} HTTP/1.1\r\nHost: localhost:{PORT}\r\nHost: evil.com\r\n\r\n");
        assert_eq!(status(&receiver.answer(none.as_bytes())), 400);
        assert_eq!(status(&receiver.answer(two.as_bytes())), 400);
        for host in ["LOCALHOST:43117", "127.0.0.1:43117", "[::1]:43117"] {
            let request = format!("GET {GOOD} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            accepted(self::receiver().answer(request.as_bytes()));
        }
    }

    /// A page elsewhere can make a browser post to this port; what it cannot know is the state.
    #[test]
    fn au_01_a_form_posted_from_another_origin_is_refused() {
        let mut receiver = receiver();
        for body in ["code=STOLEN&state=guess", "code=STOLEN", "error=access_denied", "state=good-stat"] {
            let request = post(body).replacen("\r\n", "\r\nOrigin: https://evil.example\r\n", 1);
            assert_eq!(status(&receiver.answer(request.as_bytes())), 400, "{body}");
        }
        accepted(receiver.answer(post("code=C&state=good-state").as_bytes()));
    }

    #[test]
    fn a_port_that_browsers_do_not_name_need_not_be_named() {
        for (port, expected) in [(80, true), (443, true), (PORT, false)] {
            let mut receiver = Receiver::new("/", port, Secret::from("good-state"));
            let request = format!("GET {GOOD} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let answer = receiver.answer(request.as_bytes());
            assert_eq!(matches!(answer, Answer::Callback(..)), expected, "{port}: {answer:?}");
        }
    }

    #[test]
    fn au_09_other_paths_do_not_exist() {
        let mut receiver = Receiver::new("/cb", PORT, Secret::from("good-state"));
        for target in ["/favicon.ico", "/", "/CB?code=C&state=good-state", "/cb/?code=C&state=good-state"] {
            assert_eq!(status(&receiver.answer(get(target).as_bytes())), 404, "{target}");
        }
        accepted(receiver.answer(get("/cb?code=C&state=good-state").as_bytes()));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let mut receiver = receiver();
        let shown = format!("{receiver:?} {:?}", accepted(receiver.answer(get(GOOD).as_bytes())).0);
        assert!(!shown.contains("good-state") && !shown.contains("AXoA"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_octets_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = receiver().answer(&bytes);
        }

        #[test]
        fn near_requests_get_an_answer(target in "[ -~]{0,60}", host in "[ -~]{0,30}", body in "[ -~]{0,60}", length in 0usize..80) {
            let request = format!("POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}");
            let _ = receiver().answer(request.as_bytes());
        }
    }
}
