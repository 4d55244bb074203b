//! The device authorisation grant (RFC 8628).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use serde_json::json;

use crate::CallError;
use crate::count::RequestKind;
use crate::directory::{User, UserKind};
use crate::fault::{Fault, Who};
use crate::http::Base;
use crate::idp::Idp;
use crate::idp::claims;
use crate::idp::page;
use crate::idp::params::{Params, basic};
use crate::idp::refusal::{Refusal, Trace, json_response};
use crate::idp::scope::Scopes;
use crate::idp::sign_in::not_blocked;
use crate::idp::tables::{
    DEVICE_INTERVAL, DEVICE_LIFETIME, Device, DeviceState, FLOW_LIFETIME, Flow, Purpose,
};
use crate::idp::tenant::Tenant;
use crate::net::Resetter;
use crate::random;

/// What the user did about a device.
pub(crate) enum Verdict {
    /// Signed in and consented; the UPN.
    Approve(String),
    /// Pressed cancel.
    Decline,
    /// Something else stopped it.
    Refuse(Refusal),
}

/// The device authorisation endpoint. GET is tolerated, as some clients use it.
pub(crate) async fn start(
    State(idp): State<Arc<Idp>>,
    Extension(Base(base)): Extension<Base>,
    Extension(resetter): Extension<Resetter>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    idp.count(RequestKind::DeviceCode);
    let params = Params::new(query.as_deref(), &body);
    let client = basic(&headers).map(|(id, ..)| id).or_else(|| params.get("client_id").map(str::to_owned));
    let who = Who::client(&client.unwrap_or_default());
    let trace = idp.trace(&headers, &who);
    if let Some(response) = idp.outage(&who, &resetter, &trace, &base).await {
        return response;
    }
    match idp.new_device(&tenant, &who, &params, &base) {
        Ok(body) => json_response(200, &body, &trace),
        Err(refusal) => idp.refuse(&refusal, &who, &trace, &base),
    }
}

/// The page where the user types the code, and what follows.
pub(crate) async fn page(
    State(idp): State<Arc<Idp>>,
    Extension(Base(base)): Extension<Base>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    idp.count(RequestKind::DevicePage);
    let params = Params::new(query.as_deref(), &body);
    let code = params.get("otc").unwrap_or_default();
    if method != Method::POST {
        return page::device_code(code, None);
    }
    let trace = idp.trace(&headers, &Who::default());
    let Some((device_code, device)) = idp.waiting_device(code) else {
        return page::device_code(code, Some("That code didn’t work. Check the code and try again."));
    };
    let flow = idp.device_flow(device_code, &device);
    idp.enter(flow, &Params::default(), &headers, &base, &trace)
}

/// The sentence for the person, in the language that `?mkt=` names if it is one of these.
fn sentence(language: &str, address: &str, code: &str) -> String {
    match language.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "de" => format!(
            "Öffnen Sie zum Anmelden in einem Webbrowser die Seite {address}, und geben Sie den Code {code} ein."
        ),
        "fr" => format!(
            "Pour vous connecter, ouvrez la page {address} dans un navigateur et entrez le code {code}."
        ),
        _ => format!(
            "To sign in, use a web browser to open the page {address} and enter the code {code} to authenticate."
        ),
    }
}

impl Idp {
    fn new_device(
        &self,
        tenant: &str,
        who: &Who,
        params: &Params,
        base: &str,
    ) -> Result<serde_json::Value, Refusal> {
        let client = who.client.as_str();
        let tenant = Tenant::parse(&self.directory, tenant)?;
        if client.is_empty() {
            return Err(Refusal::missing("client_id"));
        }
        let app =
            self.directory.app(client).ok_or_else(|| Refusal::unknown_app(client, &self.directory.domain))?;
        tenant.admits(app)?;
        if self.faults.hits(who, &Fault::DeviceEndpointRefuses) {
            return Err(Refusal::new(
                400,
                "invalid_request",
                90023,
                "The request is not valid for the service.",
            ));
        }
        let scope = params.get("scope").ok_or_else(|| Refusal::missing("scope"))?;
        let scopes = Scopes::parse(scope, app)?;
        scopes.one_resource()?;
        let lifetime = self
            .faults
            .take(who, |f| if let Fault::DeviceCodeLifetime(n) = f { Some(*n) } else { None })
            .unwrap_or(DEVICE_LIFETIME);
        let interval = self
            .faults
            .take(who, |f| if let Fault::DeviceInterval(n) = f { Some(*n) } else { None })
            .unwrap_or(DEVICE_INTERVAL);
        let spelling = if self.faults.hits(who, &Fault::VerificationUrl) {
            "verification_url"
        } else {
            "verification_uri"
        };
        let place = if tenant == Tenant::Consumers { "link" } else { "devicelogin" };
        let mut address = format!("{base}/{place}");
        if self.faults.hits(who, &Fault::PlainVerificationUri) {
            address = format!("http://devicelogin.example/{place}");
        }
        let now = self.clock.now();
        let (device_code, user_code) = (format!("1.A{}", random::base64url(120)), random::user_code(9));
        let device = Device {
            user_code: user_code.clone(),
            tenant,
            client_id: app.client_id.clone(),
            scopes,
            context: claims::context(params)?,
            expires: now.saturating_add(lifetime),
            state: DeviceState::Waiting,
        };
        {
            let mut tables = self.tables();
            tables.tidy(now);
            tables.devices.insert(device_code.clone(), device);
        }
        let message = sentence(params.get("mkt").unwrap_or_default(), &address, &user_code);
        Ok(json!({
            "user_code": user_code, "device_code": device_code, spelling: address, "expires_in": lifetime,
            "interval": interval, "message": message,
        }))
    }

    fn device_flow(&self, device_code: String, device: &Device) -> Flow {
        Flow {
            tenant: device.tenant,
            client_id: device.client_id.clone(),
            scopes: device.scopes.clone(),
            purpose: Purpose::Device { device_code },
            user: None,
            ask_consent: false,
            expires: self.clock.now().saturating_add(FLOW_LIFETIME),
        }
    }

    /// The device waiting under a user code; letter case, blanks and hyphens do not matter.
    fn waiting_device(&self, user_code: &str) -> Option<(String, Device)> {
        let typed: String = user_code.chars().filter(char::is_ascii_alphanumeric).collect();
        let now = self.clock.now();
        let tables = self.tables();
        tables
            .devices
            .iter()
            .find(|(_, d)| {
                d.user_code.eq_ignore_ascii_case(&typed)
                    && d.expires > now
                    && matches!(d.state, DeviceState::Waiting)
            })
            .map(|(code, device)| (code.clone(), device.clone()))
    }

    /// Records what the user did; refused if the code has ended meanwhile.
    pub(crate) fn settle_device(&self, device_code: &str, verdict: Verdict) -> Result<(), Refusal> {
        let now = self.clock.now();
        let mut tables = self.tables();
        match tables.devices.get_mut(device_code) {
            Some(device) if device.expires <= now => Err(Refusal::device_expired()),
            Some(device) if matches!(device.state, DeviceState::Waiting) => {
                device.state = match verdict {
                    Verdict::Approve(user) => DeviceState::Approved(user),
                    Verdict::Decline => DeviceState::Refused(Refusal::device_declined()),
                    Verdict::Refuse(refusal) => DeviceState::Refused(refusal),
                };
                Ok(())
            }
            _ => Err(Refusal::bad_device_code()),
        }
    }

    /// What the pages do when `user` types the code, signs in and accepts or declines.
    pub(crate) fn answer_device(&self, user_code: &str, user: Option<&User>) -> Result<(), CallError> {
        let unknown = || CallError::UnknownUserCode(user_code.to_owned());
        let (device_code, device) = self.waiting_device(user_code).ok_or_else(unknown)?;
        let refused = |refusal: Refusal| CallError::Refused(refusal.short());
        let verdict = match user {
            None => Verdict::Decline,
            Some(user) => {
                let app = self.directory.app(&device.client_id).ok_or_else(unknown)?;
                device.tenant.admits_user(app, user).map_err(refused)?;
                if user.kind == UserKind::SharedMailbox {
                    return Err(refused(Refusal::disabled_user()));
                }
                not_blocked(user, app).map_err(refused)?;
                let flow = self.device_flow(device_code.clone(), &device);
                if !self.may_consent(user, &flow) && !self.tables().admin_consents.contains(&app.client_id) {
                    return Err(refused(Refusal::admin_consent_needed(app)));
                }
                self.record_consent(user, &app.client_id, flow.scopes.permissions.iter().copied());
                Verdict::Approve(user.upn.clone())
            }
        };
        self.settle_device(&device_code, verdict).map_err(refused)
    }

    /// A poll: the approved device, once, or why not.
    pub(crate) fn poll_device(
        &self,
        device_code: &str,
        tenant: Tenant,
        who: &Who,
        client: &str,
    ) -> Result<Device, Refusal> {
        if self.faults.hits(who, &Fault::SlowDown) {
            return Err(Refusal::slow_down());
        }
        if self.faults.hits(who, &Fault::DeviceDeclined) {
            return Err(Refusal::device_declined());
        }
        if self.faults.hits(who, &Fault::DeviceAccessDenied) {
            return Err(Refusal::device_access_denied());
        }
        if self.faults.hits(who, &Fault::DeviceExpired) {
            return Err(Refusal::device_expired());
        }
        let now = self.clock.now();
        let mut tables = self.tables();
        let device = tables.devices.get(device_code).cloned().ok_or_else(Refusal::bad_device_code)?;
        if device.tenant != tenant || device.client_id != client {
            return Err(Refusal::bad_device_code());
        }
        if device.expires <= now {
            return Err(Refusal::device_expired());
        }
        match &device.state {
            DeviceState::Waiting => Err(Refusal::pending()),
            DeviceState::Approved(_) if self.faults.hits(who, &Fault::Pending) => Err(Refusal::pending()),
            DeviceState::Approved(_) => {
                tables.devices.remove(device_code);
                tables.redeemed.push(device_code.to_owned());
                Ok(device)
            }
            DeviceState::Refused(refusal) => Err(refusal.clone()),
        }
    }

    /// The answer to a refusal, bent by the faults in force.
    pub(crate) fn refuse(&self, refusal: &Refusal, who: &Who, trace: &Trace, base: &str) -> Response {
        let fine = self.faults.hits(who, &Fault::ErrorWithStatus200);
        refusal.response(trace, base, if fine { 200 } else { refusal.status })
    }
}
