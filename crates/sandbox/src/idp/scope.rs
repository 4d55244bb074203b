//! Scopes: which resource, which permissions, and what may not stand together.

use std::collections::BTreeSet;

use crate::directory::App;
use crate::idp::refusal::Refusal;

/// A resource that issues permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Resource {
    /// Office 365 Exchange Online.
    Exchange,
    /// Microsoft Graph, also meant by a scope without a URL.
    Graph,
}

impl Resource {
    fn parse(prefix: &str) -> Option<Self> {
        match prefix.trim_end_matches('/').to_ascii_lowercase().as_str() {
            "https://outlook.office.com"
            | "https://outlook.office365.com"
            | "https://ps.outlook.com"
            | "00000002-0000-0ff1-ce00-000000000000" => Some(Self::Exchange),
            "https://graph.microsoft.com" | "00000003-0000-0000-c000-000000000000" => Some(Self::Graph),
            _ => None,
        }
    }

    /// The resource's application id, which error texts name.
    fn app_id(self) -> &'static str {
        match self {
            Self::Exchange => "00000002-0000-0ff1-ce00-000000000000",
            Self::Graph => "00000003-0000-0000-c000-000000000000",
        }
    }

    /// Delegated permissions.
    fn delegated(self) -> &'static [&'static str] {
        match self {
            Self::Exchange => &[
                "IMAP.AccessAsUser.All",
                "POP.AccessAsUser.All",
                "SMTP.Send",
                "EAS.AccessAsUser.All",
                "EWS.AccessAsUser.All",
            ],
            Self::Graph => &[
                "IMAP.AccessAsUser.All",
                "POP.AccessAsUser.All",
                "SMTP.Send",
                "Mail.Read",
                "Mail.ReadWrite",
                "Mail.Send",
                "User.Read",
            ],
        }
    }

    /// What `.default` means for a delegated request: the registration's mail permissions.
    fn registered(self) -> &'static [&'static str] {
        match self {
            Self::Exchange => &["IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send"],
            Self::Graph => &["User.Read"],
        }
    }
}

/// A permission of a resource, by its proper spelling.
pub(crate) type Permission = (Resource, &'static str);

/// The OpenID scopes, which count for no resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Oidc {
    pub(crate) openid: bool,
    pub(crate) profile: bool,
    pub(crate) email: bool,
    pub(crate) offline_access: bool,
}

impl Oidc {
    /// Both together.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            openid: self.openid || other.openid,
            profile: self.profile || other.profile,
            email: self.email || other.email,
            offline_access: self.offline_access || other.offline_access,
        }
    }
}

/// A `scope` parameter taken apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scopes {
    pub(crate) oidc: Oidc,
    /// The resource prefixes as they were written, in order, without duplicates.
    pub(crate) audiences: Vec<(Resource, String)>,
    pub(crate) permissions: BTreeSet<Permission>,
    /// Whether some scope was `.default`.
    pub(crate) default: bool,
    text: String,
}

impl Scopes {
    /// Takes a delegated `scope` parameter apart.
    pub(crate) fn parse(text: &str, app: &App) -> Result<Self, Refusal> {
        let mut scopes = Self { text: text.to_owned(), ..Self::default() };
        let mut named = false;
        for scope in text.split(' ').filter(|s| !s.is_empty()) {
            match scope.to_ascii_lowercase().as_str() {
                "openid" => scopes.oidc.openid = true,
                "profile" => scopes.oidc.profile = true,
                "email" => scopes.oidc.email = true,
                "offline_access" => scopes.oidc.offline_access = true,
                _ => {
                    let (prefix, name) = split(scope);
                    if name.is_empty() {
                        return Err(Refusal::invalid_scope(scope));
                    }
                    let resource =
                        Resource::parse(prefix).ok_or_else(|| Refusal::unknown_resource(prefix))?;
                    scopes.add_audience(resource, prefix);
                    if name.eq_ignore_ascii_case(".default") {
                        scopes.default = true;
                        scopes.permissions.extend(resource.registered().iter().map(|p| (resource, *p)));
                        continue;
                    }
                    named = true;
                    let permission = resource
                        .delegated()
                        .iter()
                        .find(|p| p.eq_ignore_ascii_case(name))
                        .ok_or_else(|| Refusal::unknown_permission(app, name, resource.app_id()))?;
                    scopes.permissions.insert((resource, permission));
                }
            }
        }
        if scopes.default && named {
            return Err(Refusal::invalid_scope(text));
        }
        if scopes.audiences.is_empty() && scopes.oidc == Oidc::default() {
            return Err(Refusal::invalid_scope(text));
        }
        Ok(scopes)
    }

    /// The resource prefix of a client credentials request, which must be `{resource}/.default`.
    pub(crate) fn app_only(text: &str) -> Result<(Resource, String), Refusal> {
        let mut found: Vec<(Resource, String)> = Vec::new();
        for scope in text.split(' ').filter(|s| !s.is_empty()) {
            let (prefix, name) = split(scope);
            if !name.eq_ignore_ascii_case(".default") {
                return Err(Refusal::not_default_scope(text));
            }
            let resource = Resource::parse(prefix).ok_or_else(|| Refusal::unknown_resource(prefix))?;
            found.push((resource, prefix.trim_end_matches('/').to_owned()));
        }
        match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok(one),
            (Some(_), false) => Err(Refusal::several_resources(text)),
            (None, _) => Err(Refusal::not_default_scope(text)),
        }
    }

    /// The one resource of a token request; Graph if only OpenID scopes are there.
    pub(crate) fn one_resource(&self) -> Result<(Resource, &str), Refusal> {
        let mut resources = self.audiences.iter();
        match (resources.next(), resources.next()) {
            (None, _) => Ok((Resource::Graph, GRAPH)),
            (Some((resource, prefix)), None) => Ok((*resource, prefix)),
            (Some(_), Some(_)) => Err(Refusal::several_resources(&self.text)),
        }
    }

    fn add_audience(&mut self, resource: Resource, prefix: &str) {
        let prefix = if prefix.is_empty() { GRAPH } else { prefix.trim_end_matches('/') };
        if !self.audiences.iter().any(|(_, p)| p.eq_ignore_ascii_case(prefix)) {
            self.audiences.push((resource, prefix.to_owned()));
        }
    }
}

const GRAPH: &str = "https://graph.microsoft.com";

/// Resource prefix and permission name; a bare name belongs to Graph.
fn split(scope: &str) -> (&str, &str) {
    scope.rsplit_once('/').unwrap_or((GRAPH, scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Scopes, u32> {
        Scopes::parse(text, &App::public("x")).map_err(|r| r.code)
    }

    #[test]
    fn one_resource_and_openid() {
        let s = parse("openid offline_access https://outlook.office.com/imap.accessasuser.all").unwrap();
        assert!(s.oidc.openid && s.oidc.offline_access && !s.oidc.email);
        assert_eq!(s.one_resource().unwrap(), (Resource::Exchange, "https://outlook.office.com"));
        assert!(s.permissions.contains(&(Resource::Exchange, "IMAP.AccessAsUser.All")));
        assert_eq!(parse("openid").unwrap().one_resource().unwrap().0, Resource::Graph);
    }

    #[test]
    fn a_bare_scope_means_graph() {
        let s = parse("IMAP.AccessAsUser.All").unwrap();
        assert_eq!(s.one_resource().unwrap(), (Resource::Graph, "https://graph.microsoft.com"));
    }

    #[test]
    fn combinations_that_fail() {
        let two = parse("https://outlook.office.com/SMTP.Send User.Read").unwrap();
        assert_eq!(two.one_resource().unwrap_err().code, 28000);
        assert_eq!(
            parse("https://outlook.office.com/.default https://outlook.office.com/SMTP.Send").unwrap_err(),
            70011
        );
        assert_eq!(parse("https://outlook.office.com/IMAP.AccessAsApp").unwrap_err(), 650053);
        assert_eq!(parse("IMAP.AccesAsUser.All").unwrap_err(), 650053);
        assert_eq!(parse("https://outlook.example/SMTP.Send").unwrap_err(), 500011);
        assert_eq!(parse("").unwrap_err(), 70011);
        assert_eq!(parse("SMTP.Send\n").unwrap_err(), 650053);
        assert_eq!(parse("https://outlook.office.com/").unwrap_err(), 70011);
    }

    #[test]
    fn app_only_scopes() {
        let code = |text: &str| Scopes::app_only(text).map_err(|r| r.code);
        assert_eq!(
            code("https://outlook.office365.com/.default"),
            Ok((Resource::Exchange, "https://outlook.office365.com".to_owned()))
        );
        assert_eq!(code("https://outlook.office365.com/IMAP.AccessAsApp"), Err(1_002_012));
        assert_eq!(code("openid"), Err(1_002_012));
        assert_eq!(code(""), Err(1_002_012));
        assert_eq!(code("https://nowhere.example/.default"), Err(500_011));
        assert_eq!(
            code("https://outlook.office365.com/.default https://graph.microsoft.com/.default"),
            Err(28_000)
        );
    }
}
