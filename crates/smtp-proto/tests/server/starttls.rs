//! STARTTLS (RFC 3207).

use crate::{codes, expect};
use postkey_smtp_proto::Security;
use postkey_smtp_proto::testkit::App;
use wire::Need;
use wire::testkit::check;

#[test]
fn nothing_is_read_behind_starttls() {
    // SV-03, CVE-2011-0411
    let app = App::new(Security::StartTls);
    for behind in ["MAIL FROM:<a@b>\r\n", "\n", " ", "EHLO x\r\n"] {
        let flight = format!("STARTTLS\r\n{behind}");
        let o = check(|| app.start(), &[b"EHLO x\r\n", flight.as_bytes()], &[]);
        assert_eq!(o.transcript.last().unwrap(), "error: StarttlsInjection");
        assert_eq!(codes(&o).len(), 2);
        assert_eq!(o.end, Need::Close);
    }
}

#[test]
fn what_was_said_before_tls_is_forgotten() {
    let app = App::new(Security::StartTls);
    let o = expect(
        &app,
        "EHLO x\r\nAUTH PLAIN\r\nMAIL FROM:<a@b>\r\nVRFY a\r\nSTARTTLS\r\nMAIL FROM:<a@b>\r\nEHLO x\r\nSTARTTLS\r\nMAIL FROM:<a@b>\r\n",
        &["250", "530 5.7.0", "530 5.7.0", "530 5.7.0", "220", "503 5.5.1", "250", "503 5.5.1", "250"],
    );
    let sent = String::from_utf8(o.sent).unwrap();
    assert_eq!(sent.matches("-STARTTLS").count(), 1, "offered once: {sent}");
    let refused = App { unwilling: true, ..app };
    expect(&refused, "EHLO x\r\nSTARTTLS\r\nNOOP\r\n", &["250", "454", "250"]);
}
