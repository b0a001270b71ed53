//! Request bodies of the API key routes.

use parlance_core::Result;
use parlance_core::field::Name;
use parlance_core::tenants::keys::{Expiry, Grace, KeyRequest, Scopes};
use poem_openapi::Object;

use crate::extract::fields::{Field, Fields, Required};

/// An API key to create.
#[derive(Debug, Default, Object)]
pub(crate) struct CreateApiKey {
    /// Your name for the key.
    pub(crate) name: Required<Name>,
    /// Permissions of the key (default: `full`).
    pub(crate) scopes: Field<Option<Scopes>>,
    /// Time of expiry, in the future (default: never).
    pub(crate) expires_at: Field<Option<Expiry>>,
}

/// How to rotate an API key.
#[derive(Debug, Default, Object)]
pub(crate) struct RotateApiKey {
    /// Seconds for which the old key keeps working (default: 0, max: 604800, a week).
    pub(crate) grace_period_seconds: Field<Option<Grace>>,
}

impl CreateApiKey {
    pub(crate) fn parse(self) -> Result<KeyRequest> {
        let mut fields = Fields::of_body();
        let name = fields.required("name", self.name);
        let scopes = fields.optional("scopes", self.scopes);
        let expires_at = fields.optional("expires_at", self.expires_at);
        fields.finish(|| {
            Some(KeyRequest { name: name?, scopes: scopes?.unwrap_or_default(), expires_at: expires_at? })
        })
    }
}

impl RotateApiKey {
    pub(crate) fn parse(self) -> Result<Grace> {
        let mut fields = Fields::of_body();
        let grace = fields.optional("grace_period_seconds", self.grace_period_seconds);
        fields.finish(|| Some(grace?.unwrap_or(Grace::nearest(0))))
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::ParseFromJSON;
    use serde_json::json;

    use super::*;
    use crate::extract::fields::wrong_fields;

    #[test]
    fn every_problem_of_a_key_is_listed() {
        let body = json!({"name": " ", "scopes": ["admin"], "expires_at": "2001-01-01T00:00:00Z"});
        let key = CreateApiKey::parse_from_json(Some(body)).ok().unwrap().parse();
        assert_eq!(wrong_fields(key), ["name", "scopes", "expires_at"]);
    }
}
