//! The sandbox's own outside issuer, and the places of work that lend its tokens to the programs that run there: the token service
//! of a GitHub Actions job and the managed identity of an Azure resource.

use std::sync::Arc;

use axum::extract::{Extension, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;
use wire::Secret;

use crate::count::RequestKind;
use crate::defaults::WORKLOAD_SUBJECT;
use crate::fault::Who;
use crate::http::Base;
use crate::idp::Idp;
use crate::idp::params::Params;
use crate::idp::refusal::json_response;
use crate::jwt::WORKLOADS;
use crate::workload::{WORKLOAD_AUDIENCE, WORKLOAD_ISSUER, WORKLOAD_SECRET, WorkloadToken};

/// The discovery document of the sandbox's own outside issuer, whose tokens federated credentials trust.
pub(crate) async fn document(
    State(idp): State<Arc<Idp>>,
    Extension(Base(base)): Extension<Base>,
) -> Response {
    idp.count(RequestKind::Discovery);
    let trace = idp.trace(&HeaderMap::new(), &Who::default());
    let issuer = format!("{base}{WORKLOAD_ISSUER}");
    let document = json!({
        "issuer": issuer, "jwks_uri": format!("{issuer}/keys"), "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
    });
    json_response(200, &document, &trace)
}

/// The keys of the sandbox's own outside issuer.
pub(crate) async fn keys(State(idp): State<Arc<Idp>>, Extension(Base(base)): Extension<Base>) -> Response {
    idp.count(RequestKind::Keys);
    let trace = idp.trace(&HeaderMap::new(), &Who::default());
    let issuer = format!("{base}{WORKLOAD_ISSUER}");
    json_response(200, &WORKLOADS.get_async().await.jwks(&issuer), &trace)
}

/// `ACTIONS_ID_TOKEN_REQUEST_URL` of a GitHub Actions job: a bearer token, and an audience.
pub(crate) async fn github(
    State(idp): State<Arc<Idp>>,
    Extension(Base(base)): Extension<Base>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    idp.count(RequestKind::WorkloadToken);
    let trace = idp.trace(&headers, &Who::default());
    let given = header(&headers, "authorization");
    let (scheme, token) = given.split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") || !is_secret(token) {
        return json_response(401, &json!({"message": "Bad credentials"}), &trace);
    }
    let params = Params::new(query.as_deref(), b"");
    // Without one, GitHub's audience is the owner of the repository.
    let audience = params.get("audience").unwrap_or("https://github.com/contoso");
    let token = idp.lend(audience, &base).await;
    json_response(200, &json!({"count": token.len(), "value": token.expose()}), &trace)
}

/// `IDENTITY_ENDPOINT` of an Azure resource: a header with a secret, a resource and a version.
pub(crate) async fn identity(
    State(idp): State<Arc<Idp>>,
    Extension(Base(base)): Extension<Base>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    idp.count(RequestKind::WorkloadToken);
    let trace = idp.trace(&headers, &Who::default());
    let params = Params::new(query.as_deref(), b"");
    let refused = |status, message: &str| {
        json_response(status, &json!({"statusCode": status, "message": message}), &trace)
    };
    if !is_secret(header(&headers, "x-identity-header")) {
        return refused(401, "The header X-IDENTITY-HEADER is missing or wrong.");
    }
    if params.get("api-version") != Some("2019-08-01") {
        return refused(400, "The parameter api-version is missing or unknown.");
    }
    let Some(resource) = params.get("resource") else {
        return refused(400, "The parameter resource is missing.");
    };
    // Only this resource's tokens are outside ones; those of others would be tokens of the tenant.
    if resource != WORKLOAD_AUDIENCE {
        return refused(400, "The sandbox's managed identity has no rights to this resource.");
    }
    let token = idp.lend(resource, &base).await;
    let ends = idp.clock.now().saturating_add(600).to_string();
    let body = json!({
        "access_token": token.expose(), "expires_on": ends, "resource": resource, "token_type": "Bearer",
        "client_id": WORKLOAD_SUBJECT,
    });
    json_response(200, &body, &trace)
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn is_secret(given: &str) -> bool {
    Secret::from(given) == Secret::from(WORKLOAD_SECRET)
}

impl Idp {
    async fn lend(&self, audience: &str, base: &str) -> Secret {
        // So that signing need not wait for the key.
        WORKLOADS.get_async().await;
        WorkloadToken::new(WORKLOAD_SUBJECT).audience(audience).sign(&self.clock, base)
    }
}
