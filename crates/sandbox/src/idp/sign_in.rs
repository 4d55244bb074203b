//! The sign-in and consent pages, for browsers and devices alike.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::json;

use crate::count::RequestKind;
use crate::directory::{App, SignInRefusal, User, UserKind};
use crate::fault::{Fault, Who};
use crate::http::Base;
use crate::idp::authorize::{error_page, refuse};
use crate::idp::google;
use crate::idp::page;
use crate::idp::params::Params;
use crate::idp::refusal::{Refusal, Trace};
use crate::idp::scope::{Permission, Resource};
use crate::idp::tables::{CODE_LIFETIME, Code, Flow, Purpose};
use crate::idp::tenant::Tenant;
use crate::idp::{ConsentPolicy, Idp, Verdict};
use crate::random;
use wire::Secret;

const COOKIE: &str = "SandboxSession";

/// How a sign-in ended.
pub(crate) enum Outcome {
    /// This user signed in and consented.
    Granted(User),
    /// Somebody or something said no.
    Refused(Refusal),
}

/// The user pressed a button on the sign-in page.
pub(crate) async fn login(
    State(idp): State<Arc<Idp>>,
    Extension(base): Extension<Base>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let params = Params::new(None, &body);
    if let Some(response) = google::login(&idp, &params, &base) {
        return response;
    }
    let trace = idp.trace(&headers, &Who::default());
    let Some((id, flow)) = idp.flow(&params) else { return lost() };
    if params.get("action") == Some("cancel") {
        idp.tables().flows.remove(&id);
        return idp.finish(flow, Outcome::Refused(Refusal::cancelled()), &trace);
    }
    idp.count(RequestKind::SignIn);
    let Some(app) = idp.directory.app(&flow.client_id).cloned() else { return lost() };
    let login = params.get("loginfmt").unwrap_or_default().trim();
    let password = Secret::from(params.get("passwd").unwrap_or_default());
    match idp.authenticate(login, &password, flow.tenant, &app) {
        Err(refusal) => {
            page::sign_in(&id, &app.name, login, &idp.hints(flow.tenant, &app), Some(&refusal.short()))
        }
        Ok(user) => {
            let session = random::base64url(24);
            let mut response = {
                idp.tables().sessions.insert(session.clone(), user.upn.clone());
                idp.signed_in(&id, flow, user, &app, &trace)
            };
            let secure = if base.0.starts_with("https:") { "; Secure" } else { "" };
            let cookie = format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax{secure}");
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
    }
}

/// The user pressed a button on the consent page.
pub(crate) async fn consent(State(idp): State<Arc<Idp>>, headers: HeaderMap, body: Bytes) -> Response {
    idp.count(RequestKind::Consent);
    let params = Params::new(None, &body);
    if let Some(response) = google::consent(&idp, &params) {
        return response;
    }
    let trace = idp.trace(&headers, &Who::default());
    let Some((id, flow)) = idp.flow(&params) else { return lost() };
    let Some(app) = idp.directory.app(&flow.client_id).cloned() else { return lost() };
    let user = flow.user.as_deref().and_then(|u| idp.directory.user(u)).cloned();
    let outcome = match (params.get("action"), user) {
        (Some("cancel"), _) => Outcome::Refused(Refusal::declined()),
        (Some("admin"), _) => Outcome::Refused(Refusal::admin_consent_needed(&app)),
        (Some("accept"), Some(user)) => {
            if !idp.may_consent(&user, &flow) {
                Outcome::Refused(Refusal::admin_consent_needed(&app))
            } else {
                idp.record_consent(&user, &app.client_id, flow.scopes.permissions.iter().copied());
                Outcome::Granted(user)
            }
        }
        (Some("accept"), None) if matches!(flow.purpose, Purpose::AdminConsent { .. }) => {
            idp.tables().flows.remove(&id);
            return idp.admin_accepted(flow);
        }
        _ => return lost(),
    };
    idp.tables().flows.remove(&id);
    idp.finish(flow, outcome, &trace)
}

/// Ends the browser session.
pub(crate) async fn logout(
    State(idp): State<Arc<Idp>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    idp.count(RequestKind::Logout);
    if let Some(session) = session_cookie(&headers) {
        idp.tables().sessions.remove(&session);
    }
    let params = Params::new(query.as_deref(), &body);
    let registered = |uri: &&str| idp.directory.apps.iter().any(|a| a.redirects.iter().any(|r| r == *uri));
    let mut response = match params.get("post_logout_redirect_uri").filter(registered) {
        Some(uri) => (StatusCode::FOUND, [(header::LOCATION, uri.to_owned())]).into_response(),
        None => page::message(200, "Signed out", "You have signed out of the sandbox."),
    };
    let gone = HeaderValue::from_static("SandboxSession=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    response.headers_mut().insert(header::SET_COOKIE, gone);
    response
}

fn lost() -> Response {
    page::message(
        400,
        "Start again",
        "This sign-in has ended or never began. Go back to the program and start again.",
    )
}

fn session_cookie(headers: &HeaderMap) -> Option<String> {
    cookie(headers, COOKIE)
}

/// The value of a cookie.
pub(crate) fn cookie(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    all.flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value.to_owned())
}

impl Idp {
    /// Shows a new flow's first page, or goes on at once if the browser is signed in already.
    pub(crate) fn enter(
        &self,
        flow: Flow,
        params: &Params,
        headers: &HeaderMap,
        _base: &str,
        trace: &Trace,
    ) -> Response {
        let Some(app) = self.directory.app(&flow.client_id).cloned() else { return lost() };
        let hint = params.get("login_hint").unwrap_or_default().to_owned();
        let prompt = params.get("prompt").unwrap_or_default();
        let session = session_cookie(headers).and_then(|s| self.tables().sessions.get(&s).cloned());
        let user = session
            .and_then(|upn| self.directory.user(&upn).cloned())
            .filter(|u| hint.is_empty() || u.upn.eq_ignore_ascii_case(&hint))
            .filter(|u| flow.tenant.admits_user(&app, u).is_ok());
        if prompt == "none" {
            return match user {
                None => self.finish(flow, Outcome::Refused(Refusal::no_session()), trace),
                Some(user) if self.needs_consent(&user, &flow) => {
                    let mut refusal = Refusal::no_consent(&app);
                    refusal.error = "interaction_required";
                    self.finish(flow, Outcome::Refused(refusal), trace)
                }
                Some(user) => self.finish(flow, Outcome::Granted(user), trace),
            };
        }
        let id = self.keep_flow(flow.clone());
        match user {
            Some(user) if !matches!(prompt, "login" | "select_account") => {
                self.signed_in(&id, flow, user, &app, trace)
            }
            _ => page::sign_in(&id, &app.name, &hint, &self.hints(flow.tenant, &app), None),
        }
    }

    /// Remembers a flow under a fresh id.
    pub(crate) fn keep_flow(&self, flow: Flow) -> String {
        let id = random::base64url(18);
        let mut tables = self.tables();
        tables.tidy(self.clock.now());
        tables.flows.insert(id.clone(), flow);
        id
    }

    /// Checks a name and password for a tenant form and an app.
    pub(crate) fn authenticate(
        &self,
        login: &str,
        password: &Secret,
        tenant: Tenant,
        app: &App,
    ) -> Result<User, Refusal> {
        let user = self.directory.user(login).ok_or_else(|| Refusal::unknown_user(login))?;
        tenant.admits_user(app, user)?;
        if user.kind == UserKind::SharedMailbox {
            return Err(Refusal::disabled_user());
        }
        if user.password != *password {
            return Err(Refusal::wrong_password());
        }
        not_blocked(user, app)?;
        Ok(user.clone())
    }

    /// What comes after the password: the consent page, or the end.
    fn signed_in(&self, id: &str, flow: Flow, user: User, app: &App, trace: &Trace) -> Response {
        if !flow.ask_consent && !self.needs_consent(&user, &flow) {
            self.tables().flows.remove(id);
            return self.finish(flow, Outcome::Granted(user), trace);
        }
        if let Some(kept) = self.tables().flows.get_mut(id) {
            kept.user = Some(user.upn.clone());
        }
        page::consent(&page::Consent {
            flow: id,
            app: &app.name,
            who: &format!("Signed in as {}", user.upn),
            permissions: &descriptions(&flow),
            may_accept: self.may_consent(&user, &flow),
            admin_approval: true,
        })
    }

    fn needs_consent(&self, user: &User, flow: &Flow) -> bool {
        let wanted: Vec<Permission> = flow.scopes.permissions.iter().copied().collect();
        self.consented(user, &flow.client_id, &wanted).is_none()
    }

    /// Whether the tenant's policy lets this user accept.
    pub(crate) fn may_consent(&self, user: &User, flow: &Flow) -> bool {
        let restricted = |(resource, name): &Permission| match resource {
            Resource::Exchange => *name != "SMTP.Send",
            Resource::Graph => {
                name.starts_with("Mail.Read") || name.starts_with("IMAP") || name.starts_with("POP")
            }
        };
        self.policy == ConsentPolicy::Users
            || user.kind == UserKind::Personal
            || !flow.scopes.permissions.iter().any(restricted)
    }

    /// Ends a flow.
    pub(crate) fn finish(&self, flow: Flow, outcome: Outcome, trace: &Trace) -> Response {
        match (flow.purpose, outcome) {
            (Purpose::Code { answer, .. }, Outcome::Refused(refusal)) => refuse(&answer, &refusal, trace),
            (Purpose::Code { answer, nonce, challenge, client_info, context }, Outcome::Granted(user)) => {
                let who = Who { client: flow.client_id.clone(), user: Some(user.upn.clone()) };
                let refused = self
                    .faults
                    .take(&who, |f| if let Fault::SignInRefused(code) = f { Some(*code) } else { None });
                if let Some(code) = refused {
                    let refusal = Refusal::new(400, "access_denied", code, "A fault was injected.");
                    return refuse(&answer, &refusal, trace);
                }
                // Entra's codes for work accounts begin like this and are this long.
                let fresh = || format!("1.A{}", random::base64url(480));
                let text = fresh();
                let now = self.clock.now();
                let code = Code {
                    tenant: flow.tenant,
                    client_id: flow.client_id,
                    user: user.upn.clone(),
                    redirect_uri: answer.redirect_uri.clone(),
                    scopes: flow.scopes,
                    nonce,
                    challenge,
                    context,
                    expires: now.saturating_add(CODE_LIFETIME),
                    used: false,
                };
                {
                    let mut tables = self.tables();
                    tables.tidy(now);
                    tables.codes.insert(text.clone(), code);
                }
                let mut fields = vec![("session_state", crate::guid::random())];
                if client_info {
                    fields.push(("client_info", self.client_info(&user)));
                }
                self.land(&who, answer, fields, text, fresh)
            }
            (Purpose::Device { device_code }, Outcome::Granted(user)) => {
                match self.settle_device(&device_code, Verdict::Approve(user.upn)) {
                    Ok(()) => page::message(
                        200,
                        "You have signed in",
                        "The app on your device is signed in now. You may close this window.",
                    ),
                    Err(refusal) => error_page(&refusal, trace),
                }
            }
            (Purpose::Device { device_code }, Outcome::Refused(refusal)) => {
                let verdict = match refusal.code {
                    65004 => Verdict::Decline,
                    _ => Verdict::Refuse(refusal),
                };
                match self.settle_device(&device_code, verdict) {
                    Ok(()) => {
                        page::message(200, "You have declined", "The app on your device is not signed in.")
                    }
                    Err(refusal) => error_page(&refusal, trace),
                }
            }
            (Purpose::AdminConsent { answer: Some(answer), .. }, Outcome::Refused(mut refusal)) => {
                refusal.error = "access_denied";
                refuse(&answer, &refusal, trace)
            }
            (Purpose::AdminConsent { .. }, _) => {
                page::message(200, "Nothing was granted", "The administrator cancelled.")
            }
        }
    }

    /// `client_info`: whose token it is, as base64url JSON.
    pub(crate) fn client_info(&self, user: &User) -> String {
        let info = json!({"uid": user.object_id(), "utid": self.directory.tenant_of(user)});
        Base64UrlUnpadded::encode_string(info.to_string().as_bytes())
    }

    fn flow(&self, params: &Params) -> Option<(String, Flow)> {
        let id = params.get("flow")?;
        let flow = self.tables().flows.get(id).cloned()?;
        (flow.expires > self.clock.now()).then(|| (id.to_owned(), flow))
    }

    /// Accounts that can sign in here, with their passwords: everything in the sandbox is invented.
    fn hints(&self, tenant: Tenant, app: &App) -> Vec<String> {
        let fits = |u: &&User| u.kind != UserKind::SharedMailbox && tenant.admits_user(app, u).is_ok();
        let users = self.directory.users.iter().filter(fits);
        users.map(|u| format!("{} with password {}", u.upn, u.password.expose())).collect()
    }
}

/// Whether the account may sign in to this app at all.
pub(crate) fn not_blocked(user: &User, app: &App) -> Result<(), Refusal> {
    Err(match user.blocked {
        None => return Ok(()),
        Some(SignInRefusal::Disabled) => Refusal::disabled_user(),
        Some(SignInRefusal::Locked) => Refusal::locked(),
        Some(SignInRefusal::PasswordExpired) => Refusal::password_expired().suberror("user_password_expired"),
        Some(SignInRefusal::MfaRegistration) => Refusal::mfa_registration().suberror("basic_action"),
        Some(SignInRefusal::NotAssigned) => Refusal::not_assigned(user, app),
        Some(SignInRefusal::ConditionalAccess) => Refusal::conditional_access().suberror("message_only"),
    })
}

/// What the consent page lists.
pub(crate) fn descriptions(flow: &Flow) -> Vec<String> {
    let mut list: Vec<String> = flow
        .scopes
        .permissions
        .iter()
        .map(|(_, name)| {
            let text = match *name {
                "IMAP.AccessAsUser.All" => "Read and write access to mailboxes via IMAP",
                "POP.AccessAsUser.All" => "Read and write access to mailboxes via POP",
                "SMTP.Send" => "Send emails from mailboxes using SMTP AUTH",
                other => other,
            };
            format!("{text} ({name})")
        })
        .collect();
    let oidc = flow.scopes.oidc;
    if oidc.openid || oidc.profile || oidc.email {
        list.push("Sign you in and read your profile".to_owned());
    }
    if oidc.offline_access {
        list.push("Maintain access to data you have given it access to (offline_access)".to_owned());
    }
    list
}
