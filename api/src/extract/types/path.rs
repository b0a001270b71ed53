//! What paths name. Reading one never fails: what cannot be named is not found.

use std::borrow::Cow;
use std::str::FromStr;

use parlance_core::error::Thing;
use parlance_core::ids::{BotId, JobId, KeyId, MessageId, SourceId};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type};
use serde_json::Value;

use super::{inline, value};
use crate::error::ApiError;

/// What can be named in a path.
pub(crate) trait Named: FromStr + Send + Sync + 'static {
    /// What it is.
    const THING: Thing;
}

impl Named for BotId {
    const THING: Thing = Thing::Bot;
}

impl Named for SourceId {
    const THING: Thing = Thing::Source;
}

impl Named for KeyId {
    const THING: Thing = Thing::Key;
}

impl Named for MessageId {
    const THING: Thing = Thing::Message;
}

impl Named for JobId {
    const THING: Thing = Thing::Job;
}

/// An id in a path. One that cannot be an id names nothing: it is not found, like any other that
/// names nothing.
#[derive(Clone, Debug)]
pub(crate) struct PathId<T>(Option<T>);

impl<T: Named> PathId<T> {
    /// The id.
    ///
    /// # Errors
    /// Not found, when it cannot be one.
    pub(crate) fn known(self) -> Result<T, ApiError> {
        self.0.ok_or_else(|| ApiError::not_found(T::THING))
    }
}

value!([T: Named] PathId<T>, "string_uuid", inline(MetaSchema::new_with_format("string", "uuid")), |self| {
    Value::Null
});

impl<T: Named> ParseFromParameter for PathId<T> {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        Ok(Self(value.parse().ok()))
    }
}

/// The name of a session in a path; whether it can be one is for its handler to say.
#[derive(Clone, Debug)]
pub(crate) struct PathSession(pub(crate) String);

value!([] PathSession, "string_session", inline(MetaSchema {
    pattern: Some("^[A-Za-z0-9._:@-]{1,255}$".to_owned()),
    ..MetaSchema::new("string")
}), |self| {
    self.0.clone().into()
});

impl ParseFromParameter for PathSession {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        Ok(Self(value.to_owned()))
    }
}
