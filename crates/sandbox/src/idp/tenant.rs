//! The tenant part of a path and who may use it.

use crate::directory::{App, Audience, CONSUMERS_TENANT, Directory, User, UserKind};
use crate::guid::is_guid;
use crate::idp::refusal::Refusal;

/// The first segment of an endpoint's path, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tenant {
    /// Work, school and personal accounts.
    Common,
    /// Work and school accounts of any tenant.
    Organizations,
    /// Personal accounts.
    Consumers,
    /// The sandbox's tenant, by GUID or domain.
    Own,
}

impl Tenant {
    /// Resolves a path segment; AADSTS90002 for a tenant that does not exist, 900023 for what cannot be one.
    pub(crate) fn parse(directory: &Directory, segment: &str) -> Result<Self, Refusal> {
        let is = |name: &str| segment.eq_ignore_ascii_case(name);
        if is("common") {
            Ok(Self::Common)
        } else if is("organizations") {
            Ok(Self::Organizations)
        } else if is("consumers") || is(CONSUMERS_TENANT) {
            Ok(Self::Consumers)
        } else if is(&directory.tenant_id) || directory.is_domain(segment) {
            Ok(Self::Own)
        } else if is_guid(segment) || segment.contains('.') {
            Err(Refusal::tenant_not_found(segment))
        } else {
            Err(Refusal::tenant_malformed(segment))
        }
    }

    /// What stands in the issuer: a GUID, or `{tenantid}` where it depends on the user.
    pub(crate) fn issuer_part<'d>(&self, directory: &'d Directory) -> &'d str {
        match self {
            Self::Common | Self::Organizations => "{tenantid}",
            Self::Consumers => CONSUMERS_TENANT,
            Self::Own => &directory.tenant_id,
        }
    }

    /// The segment for links to the same form.
    pub(crate) fn segment<'d>(&self, directory: &'d Directory) -> &'d str {
        match self {
            Self::Common => "common",
            Self::Organizations => "organizations",
            Self::Consumers => "consumers",
            Self::Own => &directory.tenant_id,
        }
    }

    /// Whether the registration's account types allow this form.
    pub(crate) fn admits(self, app: &App) -> Result<(), Refusal> {
        match (app.audience, self) {
            (Audience::SingleTenant, Self::Common | Self::Organizations | Self::Consumers) => {
                Err(Refusal::single_tenant_app(app))
            }
            (Audience::MultiTenant, Self::Consumers) => Err(Refusal::work_only_app(app)),
            (Audience::PersonalOnly, Self::Common | Self::Organizations | Self::Own) => {
                Err(Refusal::personal_only_app(app))
            }
            _ => Ok(()),
        }
    }

    /// Whether an account may sign in at this form and to this app.
    pub(crate) fn admits_user(self, app: &App, user: &User) -> Result<(), Refusal> {
        let personal = user.kind == UserKind::Personal;
        let fits = match self {
            Self::Common => true,
            Self::Organizations | Self::Own => !personal,
            Self::Consumers => personal,
        };
        let wanted = match app.audience {
            Audience::SingleTenant | Audience::MultiTenant => !personal,
            Audience::PersonalOnly => personal,
            Audience::MultiTenantAndPersonal => true,
        };
        if fits && wanted { Ok(()) } else { Err(Refusal::wrong_tenant(user)) }
    }
}
