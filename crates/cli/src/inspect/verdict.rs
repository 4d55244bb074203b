//! What a token is good for in mail.

use auth::Protocol;
use serde::Serialize;

use super::audience::Audience;
use super::jwt::{Form, Jwt};
use crate::output::moment::{relative, span};
use crate::output::text::safe;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Good to know.
    Note,
    /// Mail servers will refuse it.
    Problem,
}

/// Something about the token that matters for mail.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    /// The stable name.
    pub(crate) kind: &'static str,
    /// How much it matters.
    pub(crate) severity: Severity,
    /// What it is and what to do.
    pub(crate) text: String,
}

/// Whether a protocol can be used with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// As far as the token says; the mailbox has its own switches.
    Yes,
    /// The server will refuse it.
    No,
    /// The token does not say.
    Unknown,
}

/// The verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Mail {
    /// Reading by IMAP.
    pub(crate) imap: Verdict,
    /// Reading by POP3.
    pub(crate) pop3: Verdict,
    /// Sending by SMTP.
    pub(crate) smtp: Verdict,
}

impl Mail {
    const UNKNOWN: Self = Self::all(Verdict::Unknown);

    const fn all(verdict: Verdict) -> Self {
        Self { imap: verdict, pop3: verdict, smtp: verdict }
    }

    /// The verdict on a protocol.
    pub(crate) fn of(self, protocol: Protocol) -> Verdict {
        match protocol {
            Protocol::Imap => self.imap,
            Protocol::Pop3 => self.pop3,
            Protocol::Smtp => self.smtp,
            _ => Verdict::Unknown,
        }
    }
}

/// Longest XOAUTH2 line that Exchange's POP3 takes, in octets.
const POP3_LINE: usize = 4096;

/// Delegated permission, and the application's own.
const PERMISSIONS: [(&str, &str); 3] = [
    ("IMAP.AccessAsUser.All", "IMAP.AccessAsApp"),
    ("POP.AccessAsUser.All", "POP.AccessAsApp"),
    ("SMTP.Send", "SMTP.SendAsApp"),
];

/// Judges a token of `octets` octets; `user` is who is configured to sign in, if that is known.
pub(crate) fn judge(form: &Form, octets: usize, user: Option<&str>, now: u64) -> (Mail, Vec<Finding>) {
    match form {
        Form::Jwt(jwt) => {
            let mut judge = Judge { jwt, findings: Vec::new() };
            let mail = judge.mail(octets, user, now);
            (mail, judge.findings)
        }
        Form::Opaque(Some(what)) if what.contains("not an access token") => {
            let findings = vec![Finding {
                kind: "refresh-token",
                severity: Severity::Problem,
                text: format!("this looks like {what}"),
            }];
            (Mail::all(Verdict::No), findings)
        }
        Form::Opaque(_) | Form::Encrypted => (Mail::UNKNOWN, Vec::new()),
    }
}

struct Judge<'a> {
    jwt: &'a Jwt,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn find(&mut self, kind: &'static str, severity: Severity, text: impl Into<String>) {
        self.findings.push(Finding { kind, severity, text: text.into() });
    }

    fn mail(&mut self, octets: usize, user: Option<&str>, now: u64) -> Mail {
        let in_time = self.in_time(now);
        let mut mail = if self.is_microsoft() { self.microsoft(octets, user) } else { Mail::UNKNOWN };
        if !in_time {
            mail = Mail::all(Verdict::No);
        }
        mail
    }

    fn in_time(&mut self, now: u64) -> bool {
        let (from, end) = (self.jwt.seconds("nbf"), self.jwt.seconds("exp"));
        if let Some(end) = end.filter(|end| *end <= now) {
            self.find(
                "expired",
                Severity::Problem,
                format!("it ended {}; get a new one", relative(end, now)),
            );
            return false;
        }
        // Servers allow clocks to differ by some minutes.
        if let Some(from) = from.filter(|from| *from > now.saturating_add(300)) {
            let text = format!(
                "it is good only {}: is this machine's clock behind by {}?",
                relative(from, now),
                span(from - now)
            );
            self.find("not-yet-valid", Severity::Problem, text);
            return false;
        }
        if end.is_none() {
            self.find("no-end", Severity::Note, "it does not say when it ends");
        }
        true
    }

    fn is_microsoft(&self) -> bool {
        let iss = self.jwt.text("iss").unwrap_or_default();
        self.jwt.text("tid").is_some()
            || [
                "://sts.windows.net/",
                "://login.microsoftonline.",
                "://sts.chinacloudapi.cn/",
                "://login.partner.microsoftonline.cn/",
            ]
            .iter()
            .any(|issuer| iss.contains(issuer))
    }

    fn microsoft(&mut self, octets: usize, user: Option<&str>) -> Mail {
        let jwt = self.jwt;
        let aud = jwt.words("aud").first().copied().unwrap_or_default();
        let (scopes, roles) = (jwt.words("scp"), jwt.words("roles"));
        let client = jwt.text("appid").or(jwt.text("azp"));
        if client.is_none() && scopes.is_empty() && roles.is_empty() {
            let text = "this looks like an ID token: it tells an application who signed in and opens nothing; use the access_token \
                        of the same answer";
            self.find("id-token", Severity::Problem, text);
            return Mail::all(Verdict::No);
        }
        match Audience::of(aud) {
            Audience::Exchange => {}
            Audience::Graph => {
                let text = "it is for Microsoft Graph, and the mail servers refuse it: ask for scopes that begin with \
                            https://outlook.office.com/ (a bare IMAP.AccessAsUser.All means Graph)";
                self.find("wrong-audience", Severity::Problem, text);
                return Mail::all(Verdict::No);
            }
            Audience::Other => {
                let text = format!(
                    "it is for {:?}, and the mail servers take tokens for https://outlook.office.com or https://outlook.office365.com",
                    safe(aud)
                );
                self.find("wrong-audience", Severity::Problem, text);
                return Mail::all(Verdict::No);
            }
        }
        let app = scopes.is_empty();
        let has = |(user, own): (&str, &str)| {
            let list = if app { &roles } else { &scopes };
            list.iter().any(|word| word.eq_ignore_ascii_case(if app { own } else { user }))
        };
        let [imap, pop3, smtp] =
            PERMISSIONS.map(|permission| if has(permission) { Verdict::Yes } else { Verdict::No });
        // With RBAC for Applications the permission is Exchange's own and must not stand in the token.
        let smtp = if app && smtp == Verdict::No { Verdict::Unknown } else { smtp };
        let mut mail = Mail { imap, pop3, smtp };
        if app {
            self.app_only(mail);
        } else if mail == Mail::all(Verdict::No) {
            let text = "it has no mail permission: none of IMAP.AccessAsUser.All, POP.AccessAsUser.All and SMTP.Send is in scp";
            self.find("no-mail-scope", Severity::Problem, text);
        } else {
            self.sender(mail, user);
        }
        let line = (octets + user.map_or(40, str::len) + 25).div_ceil(3) * 4;
        if mail.pop3 == Verdict::Yes && line > POP3_LINE {
            mail.pop3 = Verdict::Unknown;
            let text = format!(
                "sent by XOAUTH2 it makes a line of {line} octets, and Exchange's POP3 has been seen to refuse more than {POP3_LINE}; \
                 fewer groups or roles in the token make it shorter"
            );
            self.find("long", Severity::Note, text);
        }
        mail
    }

    fn app_only(&mut self, mail: Mail) {
        if mail.imap == Verdict::No && mail.pop3 == Verdict::No && mail.smtp == Verdict::Unknown {
            let text = "it has no application permission for mail (IMAP.AccessAsApp, POP.AccessAsApp, SMTP.SendAsApp, each with an \
                        administrator's consent): only SMTP can work, where RBAC for Applications gives the right instead";
            self.find("no-mail-role", Severity::Problem, text);
        }
        let oid = self.jwt.text("oid").map_or_else(String::new, |oid| format!(" {}", safe(oid)));
        let text = format!(
            "the application's own: Exchange must know its service principal{oid}, and the mailbox must be open to that"
        );
        self.find("app-only", Severity::Note, text);
    }

    fn sender(&mut self, mail: Mail, user: Option<&str>) {
        let (Some(user), Some(upn)) = (user, self.jwt.text("upn").or(self.jwt.text("unique_name"))) else {
            return;
        };
        if mail.smtp == Verdict::Yes && !upn.eq_ignore_ascii_case(user) {
            let text = format!(
                "SMTP compares the SASL user with upn: {} signed in, and {user} is configured",
                safe(upn)
            );
            self.find("other-user", Severity::Note, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, Value, json};

    const NOW: u64 = 1_790_000_100;

    fn of(change: Value) -> (Mail, Vec<&'static str>) {
        sized(change, 1500)
    }

    /// The delegated token of Exchange with some claims changed; null takes one away.
    fn sized(change: Value, octets: usize) -> (Mail, Vec<&'static str>) {
        let mut claims = json!({
            "aud": "https://outlook.office.com", "iss": "https://sts.windows.net/TID/", "iat": 1790000000, "nbf": 1790000000,
            "exp": 1790004500, "appid": "CLIENT", "oid": "USER", "sub": "PAIRWISE", "tid": "TID", "upn": "ana@contoso.example",
            "scp": "IMAP.AccessAsUser.All SMTP.Send", "ver": "1.0"
        });
        let (Value::Object(all), Value::Object(change)) = (&mut claims, change) else { panic!("objects") };
        all.extend(change);
        all.retain(|_, value| !value.is_null());
        let form = Form::Jwt(Jwt { header: Map::new(), claims: all.clone() });
        let (mail, findings) = judge(&form, octets, Some("ana@contoso.example"), NOW);
        (mail, findings.iter().map(|finding| finding.kind).collect())
    }

    const fn mail(imap: Verdict, pop3: Verdict, smtp: Verdict) -> Mail {
        Mail { imap, pop3, smtp }
    }

    use Verdict::{No, Unknown, Yes};

    #[test]
    fn a_good_token_has_nothing_to_complain_of() {
        assert_eq!(of(json!({})), (mail(Yes, No, Yes), vec![]));
        assert_eq!(of(json!({"scp": "pop.accessasuser.all"})), (mail(No, Yes, No), vec![]));
    }

    #[test]
    fn tokens_that_mail_servers_refuse() {
        for (change, kind) in [
            (json!({"aud": "https://graph.microsoft.com"}), "wrong-audience"),
            (json!({"aud": "api://mine"}), "wrong-audience"),
            (json!({"aud": null}), "wrong-audience"),
            (json!({"scp": "Mail.Read"}), "no-mail-scope"),
            (json!({"exp": NOW}), "expired"),
            (json!({"nbf": NOW + 3600}), "not-yet-valid"),
            (json!({"scp": null, "appid": null, "aud": "CLIENT"}), "id-token"),
        ] {
            assert_eq!(of(change), (Mail::all(No), vec![kind]), "{kind}");
        }
    }

    #[test]
    fn an_applications_own_tokens() {
        let app = |roles| json!({"scp": null, "upn": null, "sub": "USER", "roles": roles});
        assert_eq!(of(app(json!(["IMAP.AccessAsApp"]))), (mail(Yes, No, Unknown), vec!["app-only"]));
        assert_eq!(of(app(json!(null))), (mail(No, No, Unknown), vec!["no-mail-role", "app-only"]));
    }

    #[test]
    fn what_is_only_a_remark() {
        assert_eq!(of(json!({"upn": "bo@contoso.example"})).1, ["other-user"]);
        assert_eq!(of(json!({"exp": null})).1, ["no-end"]);
        let pop3 = json!({"scp": "POP.AccessAsUser.All"});
        assert_eq!(sized(pop3.clone(), 3000).1, Vec::<&str>::new());
        assert_eq!(sized(pop3, 3100), (mail(No, Unknown, No), vec!["long"]));
    }

    #[test]
    fn others_tokens_are_not_judged() {
        let other = json!({"iss": "https://idp.example", "tid": null, "aud": "mail"});
        assert_eq!(of(other), (Mail::UNKNOWN, vec![]));
        let opaque = judge(&Form::of("EwBAAl3BAAUF"), 40, None, NOW);
        assert!(opaque.0 == Mail::UNKNOWN && opaque.1.is_empty());
        assert_eq!(judge(&Form::of("1.AAAA"), 40, None, NOW).1[0].kind, "refresh-token");
    }
}
