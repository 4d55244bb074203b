//! Admin consent.
//!
//! Nobody has to sign in as an administrator: the page itself is the administrator's.

use std::sync::Arc;

use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;

use crate::count::RequestKind;
use crate::directory::App;
use crate::fault::Who;
use crate::http::Base;
use crate::idp::Idp;
use crate::idp::authorize::{client, error_page, send};
use crate::idp::page;
use crate::idp::params::Params;
use crate::idp::refusal::Refusal;
use crate::idp::scope::Scopes;
use crate::idp::sign_in::descriptions;
use crate::idp::tables::{Answer, FLOW_LIFETIME, Flow, Purpose, ResponseMode};
use crate::idp::tenant::Tenant;

/// `/{tenant}/adminconsent`.
pub(crate) async fn classic(
    State(idp): State<Arc<Idp>>,
    Extension(Base(base)): Extension<Base>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    ask(&idp, &tenant, query.as_deref(), &headers, &base, false)
}

/// `/{tenant}/v2.0/adminconsent`, which takes a scope.
pub(crate) async fn v2(
    State(idp): State<Arc<Idp>>,
    Extension(Base(base)): Extension<Base>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    ask(&idp, &tenant, query.as_deref(), &headers, &base, true)
}

fn ask(idp: &Idp, tenant: &str, query: Option<&str>, headers: &HeaderMap, base: &str, v2: bool) -> Response {
    idp.count(RequestKind::AdminConsent);
    let params = Params::new(query, b"");
    let trace = idp.trace(headers, &Who::client(params.get("client_id").unwrap_or_default()));
    let (flow, app) = match begin(idp, tenant, &params, base, v2) {
        Ok(found) => found,
        Err(refusal) => return error_page(&refusal, &trace),
    };
    let mut permissions = descriptions(&flow);
    permissions.extend(app.roles.iter().map(|role| format!("{role} for every mailbox, without a user")));
    if permissions.is_empty() {
        permissions.push("Everything in its registration".to_owned());
    }
    let id = idp.keep_flow(flow);
    page::consent(&page::Consent {
        flow: &id,
        app: &app.name,
        who: "As an administrator, for everybody in the tenant:",
        permissions: &permissions,
        may_accept: true,
        admin_approval: true,
    })
}

fn begin(idp: &Idp, tenant: &str, params: &Params, base: &str, v2: bool) -> Result<(Flow, App), Refusal> {
    let (tenant, app, answer) = if params.get("redirect_uri").is_some() {
        let (tenant, app, redirect_uri) = client(idp, tenant, params, base)?;
        let state = params.get("state").map(str::to_owned);
        (tenant, app, Some(Answer { redirect_uri, mode: ResponseMode::Query, state }))
    } else {
        let tenant = Tenant::parse(&idp.directory, tenant)?;
        let id = params.get("client_id").ok_or_else(|| Refusal::missing("client_id"))?;
        let app = idp.directory.app(id).ok_or_else(|| Refusal::unknown_app(id, &idp.directory.domain))?;
        (tenant, app.clone(), None)
    };
    let scope = params.get("scope").filter(|_| v2).map(str::to_owned);
    let scopes = scope.as_deref().map_or_else(|| Ok(Scopes::default()), |s| Scopes::parse(s, &app))?;
    let flow = Flow {
        tenant,
        client_id: app.client_id.clone(),
        scopes,
        purpose: Purpose::AdminConsent { answer, scope },
        user: None,
        ask_consent: true,
        expires: idp.clock.now().saturating_add(FLOW_LIFETIME),
    };
    Ok((flow, app))
}

impl Idp {
    /// The administrator pressed Accept.
    pub(crate) fn admin_accepted(&self, flow: Flow) -> Response {
        self.admin_consent(&flow.client_id);
        match flow.purpose {
            Purpose::AdminConsent { answer: Some(answer), scope } => {
                let mut fields =
                    vec![("admin_consent", "True".to_owned()), ("tenant", self.directory.tenant_id.clone())];
                if let Some(scope) = scope {
                    fields.push(("scope", scope));
                }
                send(&answer, fields)
            }
            _ => page::message(200, "Consent given", "Everybody in the tenant can use the application now."),
        }
    }
}
