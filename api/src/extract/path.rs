//! Ids and sessions in paths. Reading one never fails: a malformed id is not found.

use std::borrow::Cow;
use std::str::FromStr;

use parlance_core::error::Thing;
use parlance_core::ids::{BotId, JobId, KeyId, MessageId, SourceId};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type};
use serde_json::Value;

use crate::error::ApiError;
use crate::response::types::{inline, value};

/// An id in a path.
pub(crate) trait Named: FromStr + Send + Sync + 'static {
    /// The identified resource.
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

/// An id in a path; `None` when malformed.
#[derive(Clone, Debug)]
pub(crate) struct PathId<T>(Option<T>);

impl<T: Named> PathId<T> {
    /// The id.
    ///
    /// # Errors
    /// Not found, when it is malformed.
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

/// The pattern of a [`SessionId`](parlance_core::conversations::SessionId).
pub(crate) const SESSION_PATTERN: &str = "^[A-Za-z0-9._:@-]{1,255}$";

/// A session id in a path, unchecked: how a malformed one is refused depends on the operation.
#[derive(Clone, Debug)]
pub(crate) struct PathSession(pub(crate) String);

value!([] PathSession, "string_session", inline(MetaSchema {
    pattern: Some(SESSION_PATTERN.to_owned()),
    ..MetaSchema::new("string")
}), |self| {
    self.0.clone().into()
});

impl ParseFromParameter for PathSession {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        Ok(Self(value.to_owned()))
    }
}
