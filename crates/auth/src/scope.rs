//! Scopes (RFC 6749 §3.3): what to ask for, and whether it was granted.

use url::Url;

use crate::Error;

/// OpenID Connect's and OAuth's own scopes: they open no mailbox, and servers do not echo them as a rule.
const NOT_MAIL: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// The words of a scope list.
pub(crate) fn split(list: &str) -> Vec<String> {
    list.split_ascii_whitespace().map(str::to_owned).collect()
}

/// Whether a scope is about who signed in and not about a resource.
pub(crate) fn is_identity(scope: &str) -> bool {
    NOT_MAIL.iter().any(|known| known.eq_ignore_ascii_case(scope))
}

/// What was asked for and not granted. Letter case and a slash at the end do not count; `X/.default` stands
/// for whatever was consented to, so nothing can be missing from it.
pub(crate) fn missing(requested: &[String], granted: &[String]) -> Vec<String> {
    let plain = |scope: &str| without_graph(scope).trim_end_matches('/').to_ascii_lowercase();
    let same = |a: &str, b: &str| plain(a) == plain(b);
    requested
        .iter()
        .filter(|scope| !is_identity(scope) && !is_default(scope))
        .filter(|scope| !granted.iter().any(|have| same(have, scope)))
        .cloned()
        .collect()
}

pub(crate) fn is_default(scope: &str) -> bool {
    scope.ends_with("/.default")
}

/// The hosts of Microsoft Graph in every cloud; its tokens open no mailbox by IMAP, POP or SMTP.
const GRAPH: [&str; 5] = [
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
    "graph.windows.net",
];

/// A permission of Graph as Graph's own answers name it: without an address before it.
fn without_graph(scope: &str) -> &str {
    let rest = scope.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    match rest {
        Some((host, name)) if GRAPH.contains(&host) => name,
        _ => scope,
    }
}

/// Checks the scopes of a request for mail where scopes name their resource: as [`any_resource`], and it is not Graph.
pub(crate) fn one_resource(scopes: &[String]) -> Result<(), Error> {
    check(scopes, false)
}

/// Checks the scopes of a request where scopes name their resource: each an address, all of one resource, and `.default` by
/// itself.
pub(crate) fn any_resource(scopes: &[String]) -> Result<(), Error> {
    check(scopes, true)
}

fn check(scopes: &[String], graph: bool) -> Result<(), Error> {
    let mut resource: Option<String> = None;
    let mut bare = None;
    let named = scopes.iter().filter(|scope| !is_identity(scope));
    if let Some(default) = named.clone().find(|scope| is_default(scope)).filter(|_| named.clone().count() > 1)
    {
        let reason = format!("{default:?} stands for everything that was consented to; ask for it alone");
        return Err(Error::setting("scope", reason));
    }
    for scope in named {
        let Ok(url) = Url::parse(scope) else {
            bare = Some(scope);
            continue;
        };
        let this = url.host_str().unwrap_or_default().to_owned();
        match &resource {
            Some(other) if *other != this => {
                let reason = format!(
                    "it names two resources ({other} and {this}): a token serves one; ask for each in its own sign-in \
                     or refresh"
                );
                return Err(Error::setting("scope", reason));
            }
            _ if !graph && GRAPH.contains(&this.as_str()) => {
                let reason = format!(
                    "{scope:?} is a permission of Microsoft Graph, whose tokens open no mailbox by IMAP, POP or SMTP; \
                     the mail permissions begin with https://outlook.office.com/"
                );
                return Err(Error::setting("scope", reason));
            }
            _ => resource = Some(this),
        }
    }
    match bare {
        Some(scope) if graph => Err(Error::setting(
            "scope",
            format!(
                "{scope:?} does not say whose permission it is; write the resource's address before it, such as \
                 https://graph.microsoft.com/{scope}"
            ),
        )),
        Some(scope) => Err(Error::setting(
            "scope",
            format!(
                "{scope:?} has no address before it and would mean Microsoft Graph, whose tokens open no mailbox by \
                 IMAP, POP or SMTP; write https://outlook.office.com/{scope}"
            ),
        )),
        None => well_formed(scopes),
    }
}

/// Checks that every scope is a word of RFC 6749 §3.3, so that none can smuggle a second one in.
pub(crate) fn well_formed(scopes: &[String]) -> Result<(), Error> {
    let word = |scope: &String| {
        !scope.is_empty() && scope.bytes().all(|b| (0x21..=0x7e).contains(&b) && b != b'"' && b != b'\\')
    };
    match scopes.iter().find(|scope| !word(scope)) {
        Some(scope) => Err(Error::setting(
            "scope",
            format!("{scope:?} is not one word (no blanks, line ends or quotes)"),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &str) -> Vec<String> {
        split(words)
    }

    #[test]
    fn au_31_what_is_missing_is_named() {
        let asked = list("openid offline_access https://outlook.office.com/IMAP.AccessAsUser.All");
        assert!(missing(&asked, &list("https://OUTLOOK.office.com/imap.AccessAsUser.All")).is_empty());
        for granted in ["", "https://graph.microsoft.com/Mail.Read", "https://outlook.office.com/SMTP.Send"] {
            assert_eq!(
                missing(&asked, &list(granted)),
                ["https://outlook.office.com/IMAP.AccessAsUser.All"],
                "{granted}"
            );
        }
        assert!(
            missing(&list("https://mail.google.com/"), &list("https://mail.google.com openid")).is_empty()
        );
        assert!(missing(&list("https://outlook.office365.com/.default"), &[]).is_empty());
        let graph = list("https://graph.microsoft.com/Mail.Read");
        assert!(missing(&graph, &list("openid Mail.Read User.Read")).is_empty());
        assert_eq!(missing(&graph, &list("Mail.Send https://outlook.office.com/Mail.Read")), graph);
    }

    #[test]
    fn bare_and_mixed_scopes_are_refused_with_the_reason() {
        let bare = one_resource(&list("offline_access IMAP.AccessAsUser.All")).unwrap_err().to_string();
        assert!(
            bare.contains("Graph") && bare.contains("https://outlook.office.com/IMAP.AccessAsUser.All"),
            "{bare}"
        );
        let mixed = "https://outlook.office.com/IMAP.AccessAsUser.All https://graph.microsoft.com/Mail.Read";
        assert!(one_resource(&list(mixed)).is_err());
        let good =
            "openid https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send";
        assert!(one_resource(&list(good)).is_ok());
        for graph in ["https://graph.microsoft.com/Mail.Read", "openid https://GRAPH.microsoft.us/.default"] {
            let shown = one_resource(&list(graph)).unwrap_err().to_string();
            assert!(shown.contains("Microsoft Graph"), "{shown}");
        }
        let default = "https://outlook.office.com/.default";
        assert!(one_resource(&list(&format!("openid {default}"))).is_ok());
        let shown =
            one_resource(&list(&format!("{default} https://outlook.office.com/SMTP.Send"))).unwrap_err();
        assert!(shown.to_string().contains("alone"), "AADSTS70011 otherwise: {shown}");
        assert!(any_resource(&list("https://graph.microsoft.com/Mail.Read offline_access")).is_ok());
        for wrong in
            [mixed, "Mail.Read", "https://graph.microsoft.com/.default https://graph.microsoft.com/User.Read"]
        {
            assert!(any_resource(&list(wrong)).is_err(), "{wrong}");
        }
        assert!(well_formed(&["a b".to_owned()]).is_err());
        assert!(well_formed(&["a\n".to_owned()]).is_err());
    }
}
