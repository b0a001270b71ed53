//! Tenant extractor: authenticates the API key, checks its scope and rate limits.
//!
//! It must be the first argument of a handler, so that no part of an unauthenticated request is read.

use std::marker::PhantomData;

use parlance_core::Context;
use parlance_core::error::Unauthorized;
use parlance_core::ids::TenantId;
use parlance_core::tenants::keys::{self, Caller, RawKey, Scope};
use poem::error::GetDataError;
use poem::http::Method;
use poem::web::headers::authorization::Bearer;
use poem::web::headers::{Authorization, HeaderMapExt};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::error::ApiError;
use crate::extract::body_account::BodyAccount;
use crate::extract::{client_address, idempotency_key};
use crate::middleware::admission;

/// The header of the API key.
const HEADER: &str = "X-API-Key";

/// Name of the security scheme in the specification.
const SCHEME: &str = "ApiKey";

/// A part of the API, and the scope that permits it. `full` permits every part, and `read` every GET.
pub(crate) trait Area: Send + Sync + 'static {
    /// `None`: no scope of its own.
    const SCOPE: Option<Scope>;
}

/// Operations without a scope of their own: only `full` permits writes.
#[derive(Debug)]
pub(crate) enum Everything {}

impl Area for Everything {
    const SCOPE: Option<Scope> = None;
}

/// Conversations.
#[derive(Debug)]
pub(crate) enum Chat {}

impl Area for Chat {
    const SCOPE: Option<Scope> = Some(Scope::Chat);
}

/// Knowledge.
#[derive(Debug)]
pub(crate) enum Knowledge {}

impl Area for Knowledge {
    const SCOPE: Option<Scope> = Some(Scope::Knowledge);
}

/// The authenticated tenant of a request, whose key permits the area `A`.
#[derive(Debug)]
pub(crate) struct Tenant<A = Everything> {
    id: TenantId,
    area: PhantomData<A>,
}

impl<A: Area> Tenant<A> {
    #[must_use]
    pub(crate) fn id(&self) -> TenantId {
        self.id
    }

    async fn admit(request: &Request, body: &mut RequestBody) -> poem::Result<Self> {
        let key = key(request);
        let Some(ctx) = request.data::<Context>() else {
            key?;
            return Err(GetDataError("the context, which `build` adds").into());
        };
        let (caller, key) = authenticated::<A>(ctx, request, key).await?;
        idempotency_key::claim(ctx, caller.tenant, &key, request, body).await?;
        Ok(Self { id: caller.tenant, area: PhantomData })
    }
}

/// The tenant of a request to the OpenAI-compatible endpoints, which send the key as a bearer token.
pub(crate) async fn bearer<A: Area>(ctx: &Context, request: &Request) -> Result<TenantId, ApiError> {
    let given = request.headers().typed_get::<Authorization<Bearer>>();
    let key = match given {
        Some(Authorization(bearer)) => parsed(bearer.token()),
        None => key(request),
    };
    let (caller, _) = authenticated::<A>(ctx, request, key).await?;
    Ok(caller.tenant)
}

/// The admitted caller of a request. Requests without a valid key count against the limit of their address.
async fn authenticated<A: Area>(
    ctx: &Context,
    request: &Request,
    key: Result<RawKey, ApiError>,
) -> Result<(Caller, RawKey), ApiError> {
    let client = client_address::of(request, &ctx.config().http);
    let key = match key {
        Ok(key) => key,
        Err(unauthorized) => {
            ctx.limits().strangers.count(client)?;
            return Err(unauthorized);
        }
    };
    let caller = keys::authenticate_client(ctx, client, &key).await?;
    tracing::Span::current().record("tenant.id", tracing::field::display(caller.tenant));
    admission::admit(ctx, &caller, request)?;
    permit(&caller, A::SCOPE, request.method())?;
    BodyAccount::of(request).open(ctx, caller.tenant);
    Ok((caller, key))
}

fn key(request: &Request) -> Result<RawKey, ApiError> {
    let raw = request.headers().get(HEADER).ok_or_else(|| ApiError::unauthorized(Unauthorized::Missing))?;
    parsed(raw.to_str().unwrap_or_default())
}

fn parsed(raw: &str) -> Result<RawKey, ApiError> {
    raw.parse().map_err(|_| ApiError::unauthorized(Unauthorized::Rejected))
}

fn permit(caller: &Caller, area: Option<Scope>, method: &Method) -> Result<(), ApiError> {
    let reading = *method == Method::GET;
    let sufficient =
        |scope: &Scope| *scope == Scope::Full || (*scope == Scope::Read && reading) || Some(*scope) == area;
    if caller.scopes.iter().any(sufficient) {
        return Ok(());
    }
    let mut needed = vec![Scope::Full.as_str()];
    needed.extend(reading.then(|| Scope::Read.as_str()));
    needed.extend(area.map(Scope::as_str));
    Err(ApiError::missing_scope(&format!("one of the scopes: {}", needed.join(", "))))
}

impl<'a, A: Area> ApiExtractor<'a> for Tenant<A> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        registry.create_security_scheme(
            SCHEME,
            MetaSecurityScheme {
                ty: "apiKey",
                description: Some("Your API key: `tk_` and 49 letters and digits. Keep it secret."),
                name: Some(HEADER),
                key_in: Some("header"),
                scheme: None,
                bearer_format: None,
                flows: None,
                openid_connect_url: None,
            },
        );
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Self::admit(request, body).await
    }
}

#[cfg(test)]
mod tests {
    use parlance_core::ids::KeyId;

    use super::*;

    fn caller(scopes: Vec<Scope>) -> Caller {
        Caller { tenant: TenantId::fresh(), key: KeyId::fresh(), scopes, expires_at: None }
    }

    #[test]
    fn a_scope_opens_its_area_and_read_opens_every_get() {
        use Scope::{Chat, Full, Knowledge, Read};
        for (scope, area, method, open) in [
            (Full, None, Method::DELETE, true),
            (Read, None, Method::GET, true),
            (Read, None, Method::POST, false),
            (Read, Some(Chat), Method::GET, true),
            (Read, Some(Chat), Method::POST, false),
            (Chat, Some(Chat), Method::POST, true),
            (Chat, Some(Chat), Method::GET, true),
            (Chat, Some(Knowledge), Method::GET, false),
            (Knowledge, Some(Knowledge), Method::POST, true),
            (Knowledge, None, Method::GET, false),
        ] {
            let caller = caller(vec![scope]);
            assert_eq!(permit(&caller, area, &method).is_ok(), open, "{scope:?} {area:?} {method}");
        }
        assert!(permit(&caller(Vec::new()), None, &Method::GET).is_err());
    }
}
