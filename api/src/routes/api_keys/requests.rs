//! Request bodies of the API key routes.

use std::time::Duration;

use parlance_core::tenants::keys::{self, KeyRequest, RawKeyRequest, Scope};
use parlance_core::{Error, Result};
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::extract::fields::{Field, Fields, Needed};
use crate::extract::types::Moment;

/// An API key to make.
#[derive(Debug, Default, Object)]
pub(crate) struct CreateApiKey {
    /// What you call it.
    #[oai(validator(min_length = 1, max_length = 255))]
    pub(crate) name: Needed<String>,
    /// What it may do (default: `full`).
    #[oai(nullable, validator(min_items = 1))]
    pub(crate) scopes: Field<Vec<Word<Scope>>>,
    /// When it ends: a moment in the future (default: never).
    #[oai(nullable)]
    pub(crate) expires_at: Field<Moment>,
}

/// How to rotate an API key.
#[derive(Debug, Default, Object)]
pub(crate) struct RotateApiKey {
    /// How many seconds the old key goes on working (default: 0, max: 604800, a week).
    #[oai(nullable, validator(minimum(value = "0"), maximum(value = "604800")))]
    pub(crate) grace_period_seconds: Field<i64>,
}

impl CreateApiKey {
    pub(crate) fn parse(self) -> Result<KeyRequest> {
        let mut fields = Fields::of_body();
        let raw = RawKeyRequest {
            name: fields.take("name", self.name),
            scopes: fields
                .take("scopes", self.scopes)
                .map(|scopes| scopes.into_iter().map(String::from).collect()),
            expires_at: fields.take("expires_at", self.expires_at).map(String::from),
        };
        fields.check(KeyRequest::parse(raw))
    }
}

impl RotateApiKey {
    pub(crate) fn parse(self) -> Result<Duration> {
        let mut fields = Fields::of_body();
        let seconds = fields.take("grace_period_seconds", self.grace_period_seconds).unwrap_or(0);
        let most = keys::MAX_GRACE.as_secs();
        fields.check(u64::try_from(seconds).ok().filter(|seconds| *seconds <= most).map_or_else(
            || {
                let message = format!("The 'grace_period_seconds' field must be between 0 and {most}");
                Err(Error::invalid("grace_period_seconds", message))
            },
            |seconds| Ok(Duration::from_secs(seconds)),
        ))
    }
}
