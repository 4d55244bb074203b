//! Refusals with their AADSTS numbers, as JSON bodies.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::clock::Civil;
use crate::directory::{App, User};

/// One refusal: status, OAuth error code, AADSTS number and text.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) error: &'static str,
    pub(crate) code: u32,
    pub(crate) text: String,
    pub(crate) suberror: Option<&'static str>,
    /// The member `claims`: what the next sign-in has to be asked for.
    pub(crate) claims: Option<String>,
}

/// The ids that go with an answer.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) trace_id: String,
    pub(crate) correlation_id: String,
    pub(crate) now: u64,
    pub(crate) crlf: bool,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) = $status:literal $error:literal $code:literal
        $text:expr;)*) => {
        impl Refusal {
            $($(#[$doc])* pub(crate) fn $name($($arg: $ty),*) -> Self {
                Self::new($status, $error, $code, $text)
            })*
        }
    };
}

refusals! {
    /// An unknown tenant.
    tenant_not_found(name: &str) = 400 "invalid_request" 90002 format!(
        "Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct \
         cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for \
         the tenant.");
    /// Something that cannot be a tenant.
    tenant_malformed(name: &str) = 400 "invalid_request" 900023 format!(
        "Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external domain.");
    /// A single-tenant app at `/common`.
    single_tenant_app(app: &App) = 400 "unauthorized_client" 50194 format!(
        "Application '{}'({}) is not configured as a multi-tenant application. Usage of the /common endpoint is not \
         supported for such apps. Use a tenant-specific endpoint or configure the application to be multi-tenant.",
        app.client_id, app.name);
    /// An app for work accounts at `/consumers`.
    work_only_app(app: &App) = 400 "invalid_request" 9002332 format!(
        "Application '{}'({}) is configured for use by Microsoft Entra users only. Please do not use the /consumers \
         endpoint to serve this request.", app.client_id, app.name);
    /// An app for personal accounts anywhere else.
    personal_only_app(app: &App) = 400 "invalid_request" 9002331 format!(
        "Application '{}'({}) is configured for use by Microsoft Account users only. Please use the /consumers \
         endpoint to serve this request.", app.client_id, app.name);
    /// An account of the other kind.
    wrong_tenant(user: &User) = 400 "invalid_grant" 50020 format!(
        "User account '{}' from identity provider does not exist in tenant and cannot access the application in that \
         tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again \
         with a different account.", user.upn);
    /// An unknown client id.
    unknown_app(id: &str, directory: &str) = 400 "unauthorized_client" 700016 format!(
        "Application with identifier '{id}' was not found in the directory '{directory}'. This can happen if the \
         application has not been installed by the administrator of the tenant or consented to by any user in the \
         tenant. You may have sent your authentication request to the wrong tenant.");
    /// A redirect URI that is not registered.
    redirect_mismatch(uri: &str, app: &App) = 400 "invalid_request" 50011 format!(
        "The redirect URI '{uri}' specified in the request does not match the redirect URIs configured for the \
         application '{}'. Make sure the redirect URI sent in the request matches one added to your application.",
        app.client_id);
    /// No redirect URI given or registered.
    no_redirect() = 400 "invalid_request" 900971 "No reply address provided.";
    /// A parameter that is not there.
    missing(name: &str) = 400 "invalid_request" 900144 format!(
        "The request body must contain the following parameter: '{name}'.");
    /// A request that cannot be read.
    malformed() = 400 "invalid_request" 9002313 "Invalid request. Request is malformed or invalid.";
    /// An unknown grant.
    unsupported_grant(grant: &str) = 400 "unsupported_grant_type" 70003 format!(
        "The app requested an unsupported grant type '{grant}'.");
    /// The v1 parameter `resource`.
    resource_parameter() = 400 "invalid_request" 901002 "The 'resource' request parameter is not supported.";
    /// A response_type that is not switched on.
    response_type() = 400 "unsupported_response_type" 700054
        "response_type 'id_token' is not enabled for the application.";
    /// An unknown response_mode.
    response_mode() = 400 "invalid_request" 70007 "The 'response_mode' value is not supported for the request.";
    /// A secret that is not the right one.
    wrong_secret(app: &App) = 401 "invalid_client" 7000215 format!(
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not \
         the client secret ID, for a secret added to app '{}'.", app.client_id);
    /// No secret where one is needed.
    no_secret() = 401 "invalid_client" 7000218
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
    /// A secret from a public client.
    secret_from_public() = 401 "invalid_client" 700025
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.";
    /// A secret whose time is over.
    expired_secret(app: &App) = 401 "invalid_client" 7000222 format!(
        "The provided client secret keys for app '{}' are expired. Create new keys for your app, or consider using \
         certificate credentials for added security.", app.client_id);
    /// An assertion by a certificate that is not registered.
    unknown_certificate(thumbprint: &str, app: &App) = 401 "invalid_client" 700027 format!(
        "The certificate with identifier used to sign the client assertion is not registered on application. \
         [Reason - The key was not found., Thumbprint of key used by client: '{thumbprint}', Configure the \
         certificate for app '{}'].", app.client_id);
    /// An assertion that the certificate's key did not sign.
    bad_assertion_signature(thumbprint: &str) = 401 "invalid_client" 700027 format!(
        "Client assertion failed signature validation. [Reason - Key was found, but use of the key to verify the \
         signature failed., Thumbprint of key used by client: '{thumbprint}'].");
    /// An assertion by a certificate whose time is over.
    expired_certificate(thumbprint: &str) = 401 "invalid_client" 700027 format!(
        "Client assertion failed signature validation. [Reason - The key used is expired., Thumbprint of key used by \
         client: '{thumbprint}'].");
    /// An assertion that cannot be read, or lacks something.
    bad_assertion(why: &str) = 401 "invalid_client" 50013 format!("The assertion is not valid. [Reason - {why}].");
    /// An assertion for another application.
    assertion_of_other_client() = 401 "invalid_client" 700021
        "Client assertion application identifier doesn't match 'client_id' parameter.";
    /// An assertion for another endpoint.
    assertion_audience() = 401 "invalid_client" 700023
        "Client assertion audience claim does not match Realm issuer.";
    /// An assertion before or after its time.
    assertion_time(now: &str, from: &str, until: &str) = 401 "invalid_client" 700024 format!(
        "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {from}, expiry \
         time of assertion {until}.");
    /// An outside issuer's assertion for an app that trusts none.
    no_federation(issuer: &str, subject: &str, audience: &str) = 401 "invalid_client" 70021 format!(
        "No matching federated identity record found for presented assertion. Assertion Issuer: '{issuer}'. Assertion \
         Subject: '{subject}'. Assertion Audience: '{audience}'.");
    /// An issuer that the app does not trust.
    federated_issuer(issuer: &str) = 401 "invalid_client" 700211 format!(
        "No matching federated identity record found for presented assertion issuer '{issuer}'. Check your federated \
         identity credential Subject, Audience and Issuer against the presented assertion.");
    /// An audience that the app does not expect.
    federated_audience(audience: &str) = 401 "invalid_client" 700212 format!(
        "No matching federated identity record found for presented assertion audience '{audience}'. Check your \
         federated identity credential Subject, Audience and Issuer against the presented assertion.");
    /// A subject that the app does not trust.
    federated_subject(subject: &str) = 401 "invalid_client" 700213 format!(
        "No matching federated identity record found for presented assertion subject '{subject}'. Check your federated \
         identity credential Subject, Audience and Issuer against the presented assertion.");
    /// A `claims` parameter that is not one.
    bad_claims() = 400 "invalid_request" 90013 "Invalid input received from the user: 'claims' is not a JSON object.";
    /// Several resources in one token request.
    several_resources(scope: &str) = 400 "invalid_request" 28000 format!(
        "Provided value for the input parameter scope is not valid because it contains more than one resource. Scope \
         {scope} is not valid.");
    /// A scope that cannot be read or combined.
    invalid_scope(scope: &str) = 400 "invalid_scope" 70011 format!(
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter \
         'scope' is not valid. The scope {scope} is not valid.");
    /// A permission the resource does not have.
    unknown_permission(app: &App, scope: &str, resource: &str) = 400 "invalid_scope" 650053 format!(
        "The application '{}' asked for scope '{scope}' that doesn't exist on the resource '{resource}'. Contact the \
         app vendor.", app.name);
    /// A resource the tenant does not have.
    unknown_resource(resource: &str) = 400 "invalid_resource" 500011 format!(
        "The resource principal named {resource} was not found in the tenant. This can happen if the application has \
         not been installed by the administrator of the tenant or consented to by any user in the tenant. You might \
         have sent your authentication request to the wrong tenant.");
    /// Client credentials with a scope that is not `.default`.
    not_default_scope(scope: &str) = 400 "invalid_scope" 1002012 format!(
        "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with \
         /.default suffixed to the resource identifier (application ID URI).");
    /// A tenant form that names no tenant, where one is needed.
    no_tenant() = 400 "invalid_request" 50059
        "No tenant-identifying information found in either the request or implied by any provided credentials.";
    /// The password grant at `/common` or `/consumers`.
    password_not_here() = 400 "invalid_request" 9001023
        "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or \
         tenant-specific endpoint.";
    /// A wrong password.
    wrong_password() = 400 "invalid_grant" 50126
        "Error validating credentials due to invalid username or password.";
    /// An unknown user.
    unknown_user(name: &str) = 400 "invalid_grant" 50034 format!(
        "The user account {name} does not exist in the directory. To sign into this application, the account must be \
         added to the directory.");
    /// A shared mailbox signing in.
    disabled_user() = 400 "invalid_grant" 50057 "The user account is disabled.";
    /// An account without a password here.
    no_password() = 400 "invalid_grant" 50056
        "Invalid or null password: password does not exist in the directory for this user.";
    /// Too many failures.
    locked() = 400 "invalid_grant" 50053
        "You've tried to sign in too many times with an incorrect user ID or password, or the sign-in was blocked \
         because it came from an IP address with malicious activity.";
    /// A password past its time.
    password_expired() = 400 "invalid_grant" 50055 "The password is expired.";
    /// A second factor has to be registered first.
    mfa_registration() = 400 "invalid_grant" 50079
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must \
         enroll in multi-factor authentication to access '00000002-0000-0ff1-ce00-000000000000'.";
    /// The app wants assigned users.
    not_assigned(user: &User, app: &App) = 400 "invalid_grant" 50105 format!(
        "Your administrator has configured the application {} ('{}') to block users unless they are specifically \
         granted access to the application. The signed in user '{}' is blocked because they are not a direct member \
         of a group with access.", app.name, app.client_id, user.upn);
    /// A Conditional Access policy.
    conditional_access() = 400 "invalid_grant" 53003
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.";
    /// A second factor is needed.
    mfa_needed() = 400 "invalid_grant" 50076
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must \
         use multi-factor authentication to access '00000002-0000-0ff1-ce00-000000000000'.";
    /// No consent.
    no_consent(app: &App) = 400 "invalid_grant" 65001 format!(
        "The user or administrator has not consented to use the application with ID '{}' named '{}'. Send an \
         interactive authorization request for this user and resource.", app.client_id, app.name);
    /// The user pressed cancel on the consent page.
    declined() = 400 "access_denied" 65004 "User declined to consent to access the app.";
    /// The user pressed cancel on the sign-in page.
    cancelled() = 400 "access_denied" 65004 "User cancelled the sign-in.";
    /// Only an administrator may consent.
    admin_consent_needed(app: &App) = 400 "access_denied" 90094 format!(
        "The grant requires admin permission. An administrator of the tenant has to consent to the application '{}'.",
        app.name);
    /// No session with `prompt=none`.
    no_session() = 400 "login_required" 50058
        "A silent sign-in request was sent but no user is signed in.";
    /// A code used twice.
    code_used() = 400 "invalid_grant" 54005
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh \
         token.";
    /// A code or refresh token that is too old.
    code_expired() = 400 "invalid_grant" 70008
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive \
         authorization request for this user and resource.";
    /// A code or refresh token nobody knows.
    bad_grant() = 400 "invalid_grant" 70000
        "Provided grant is invalid or malformed.";
    /// A code of another tenant.
    code_of_other_tenant() = 400 "invalid_grant" 700005
        "Provided Authorization Code is intended to use against other tenant, thus rejected.";
    /// Another redirect URI than the code was made for.
    code_of_other_redirect(uri: &str) = 400 "invalid_client" 500112 format!(
        "The reply address '{uri}' does not match the reply address provided when requesting Authorization code.");
    /// A code challenge that is not one.
    bad_challenge() = 400 "invalid_request" 50147 "Invalid size of Code_Challenge parameter.";
    /// A verifier that is not the challenge's.
    bad_verifier() = 400 "invalid_grant" 501481
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.";
    /// Keep polling.
    pending() = 400 "authorization_pending" 70016
        "OAuth 2.0 device flow error. Authorization is pending. Continue polling.";
    /// A device code nobody knows.
    bad_device_code() = 400 "bad_verification_code" 70018
        "OAuth 2.0 device flow error. Invalid verification code due to user typing in wrong user code for device code \
         flow.";
    /// A device code whose time is over.
    device_expired() = 400 "expired_token" 70019
        "OAuth 2.0 device flow error. The verification code has expired. Have the user retry the sign-in.";
    /// A refresh token nobody used for 90 days.
    refresh_inactive() = 400 "invalid_grant" 700082
        "The refresh token has expired due to inactivity.";
    /// A refresh token whose sessions were revoked.
    revoked() = 400 "invalid_grant" 50173
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have \
         changed or reset their password.";
}

impl Refusal {
    /// Any refusal.
    pub(crate) fn new(status: u16, error: &'static str, code: u32, text: impl Into<String>) -> Self {
        Self { status, error, code, text: text.into(), suberror: None, claims: None }
    }

    /// The user said no at the device page; Entra sends no number with it.
    pub(crate) fn device_declined() -> Self {
        Self::new(
            400,
            "authorization_declined",
            0,
            "OAuth 2.0 device flow error. The user declined the request.",
        )
    }

    /// Polling too fast (RFC 8628 section 3.5); Entra sends no number with it.
    pub(crate) fn slow_down() -> Self {
        Self::new(400, "slow_down", 0, "OAuth 2.0 device flow error. Polling too often.")
    }

    /// Adds the member `suberror`.
    pub(crate) fn suberror(mut self, suberror: &'static str) -> Self {
        self.suberror = Some(suberror);
        self
    }

    /// The user said no at the device page, spelled as RFC 8628 section 3.5 does.
    pub(crate) fn device_access_denied() -> Self {
        Self { error: "access_denied", ..Self::device_declined() }
    }

    /// A sign-in with this authentication context is wanted first.
    pub(crate) fn claims_challenge(context: &str) -> Self {
        let mut refusal = Self::mfa_needed().suberror("basic_action");
        refusal.error = "interaction_required";
        let claims = json!({"access_token": {"acrs": {"essential": true, "value": context}}});
        refusal.claims = Some(claims.to_string());
        refusal
    }

    /// `AADSTSn: text`, without the ids.
    pub(crate) fn short(&self) -> String {
        if self.code == 0 { self.text.clone() } else { format!("AADSTS{}: {}", self.code, self.text) }
    }

    /// The whole `error_description`.
    pub(crate) fn description(&self, trace: &Trace) -> String {
        let gap = if trace.crlf { "\r\n" } else { " " };
        format!(
            "{}{gap}Trace ID: {}{gap}Correlation ID: {}{gap}Timestamp: {}",
            self.short(),
            trace.trace_id,
            trace.correlation_id,
            trace.timestamp()
        )
    }

    /// The JSON answer; `base` is where `error_uri` points.
    pub(crate) fn response(&self, trace: &Trace, base: &str, status: u16) -> Response {
        let codes: Vec<u32> = if self.code == 0 { Vec::new() } else { vec![self.code] };
        let mut body = json!({
            "error": self.error,
            "error_description": self.description(trace),
            "error_codes": codes,
            "timestamp": trace.timestamp(),
            "trace_id": trace.trace_id,
            "correlation_id": trace.correlation_id,
            "error_uri": format!("{base}/error?code={}", self.code),
        });
        if let (Some(suberror), Some(body)) = (self.suberror, body.as_object_mut()) {
            body.insert("suberror".to_owned(), suberror.into());
        }
        if let (Some(claims), Some(body)) = (&self.claims, body.as_object_mut()) {
            body.insert("claims".to_owned(), claims.as_str().into());
        }
        json_response(status, &body, trace)
    }
}

impl Trace {
    fn timestamp(&self) -> String {
        Civil::from_unix(i64::try_from(self.now).unwrap_or(i64::MAX)).entra()
    }
}

/// A JSON answer with the headers of Entra's token endpoint.
pub(crate) fn json_response(status: u16, body: &serde_json::Value, trace: &Trace) -> Response {
    let mut response = (
        StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
        [
            (header::CONTENT_TYPE, "application/json; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store, no-cache"),
            (header::PRAGMA, "no-cache"),
        ],
        body.to_string(),
    )
        .into_response();
    for (name, value) in [("x-ms-request-id", &trace.trace_id), ("client-request-id", &trace.correlation_id)]
    {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
