//! The shape of every answer that is no error: `{"success": true, "data": …}`, with `pagination` on
//! lists.

use parlance_core::Page;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::named_request;
use crate::extract::page::Pagination;

/// The type of every body, in and out. JSON is UTF-8 by definition (RFC 8259 §8.1): no parameter.
pub(crate) const JSON: &str = "application/json";

/// 200: here it is.
#[derive(Debug)]
pub(crate) struct Found<T>(pub(crate) T);

/// 201: it is made, and here it is.
#[derive(Debug)]
pub(crate) struct Created<T>(pub(crate) T);

/// 201 when it is made; 200 when it was there already, and here it is.
#[derive(Debug)]
pub(crate) enum CreatedOrFound<T> {
    /// It was there already.
    Found(T),
    /// It is made.
    Created(T),
}

/// 202: it is begun, and here is what is known of it.
#[derive(Debug)]
pub(crate) struct Accepted<T>(pub(crate) T);

/// 200 when it is done; 202 when it goes on.
#[derive(Debug)]
pub(crate) enum DoneOrAccepted<T, U> {
    /// It is done.
    Done(T),
    /// It goes on.
    Accepted(U),
}

/// 200: it is gone; the text says what.
#[derive(Debug)]
pub(crate) struct Deleted(pub(crate) String);

/// 200: a page of a list.
#[derive(Debug)]
pub(crate) struct Listed<T> {
    items: Vec<T>,
    pagination: Pagination,
}

impl<T> Listed<T> {
    /// A page of the domain's things, as the API shows them.
    pub(crate) fn of<U: Into<T>>(page: Page<U>) -> Self {
        let pagination = Pagination::of(&page);
        Self { items: page.items.into_iter().map(Into::into).collect(), pagination }
    }
}

/// Writes `body` as an answer.
pub(crate) fn json_response(status: poem::http::StatusCode, body: &Value) -> Response {
    Response::builder().status(status).content_type(JSON).body(body.to_string())
}

/// Why an answer could not be written.
#[derive(Clone)]
pub(crate) struct Unwritten(pub(crate) String);

/// The envelope, written as it goes: a tree of values in between would cost as much as the statement.
#[derive(Serialize)]
struct Success<'a, T> {
    success: bool,
    data: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<Pagination>,
}

fn succeeded(status: u16, data: &impl Serialize, pagination: Option<Pagination>) -> Response {
    let status = poem::http::StatusCode::from_u16(status).unwrap_or_default();
    match serde_json::to_vec(&Success { success: true, data, pagination }) {
        Ok(body) => Response::builder().status(status).content_type(JSON).body(body),
        // The outermost layer makes the envelope of it: here nobody knows the request's id.
        Err(error) => {
            let mut response = Response::default();
            response.set_data(Unwritten(error.to_string()));
            response
        }
    }
}

impl<T: Serialize + Send> IntoResponse for Found<T> {
    fn into_response(self) -> Response {
        succeeded(200, &self.0, None)
    }
}

impl<T: Serialize + Send> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        succeeded(201, &self.0, None)
    }
}

impl<T: Serialize + Send> IntoResponse for CreatedOrFound<T> {
    fn into_response(self) -> Response {
        match self {
            CreatedOrFound::Found(data) => succeeded(200, &data, None),
            CreatedOrFound::Created(data) => succeeded(201, &data, None),
        }
    }
}

impl<T: Serialize + Send> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        succeeded(202, &self.0, None)
    }
}

impl<T: Serialize + Send, U: Serialize + Send> IntoResponse for DoneOrAccepted<T, U> {
    fn into_response(self) -> Response {
        match self {
            DoneOrAccepted::Done(data) => succeeded(200, &data, None),
            DoneOrAccepted::Accepted(data) => succeeded(202, &data, None),
        }
    }
}

impl IntoResponse for Deleted {
    fn into_response(self) -> Response {
        let body = json!({"success": true, "message": self.0});
        json_response(poem::http::StatusCode::OK, &body)
    }
}

impl<T: Serialize + Send> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        succeeded(200, &self.items, Some(self.pagination))
    }
}

impl<T: Type> ApiResponse for Found<T> {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![documented::<T>(200, "OK: request successful")] }
    }

    fn register(registry: &mut Registry) {
        register::<T>(registry);
    }
}

impl<T: Type> ApiResponse for Created<T> {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![documented::<T>(201, "Created: resource created")] }
    }

    fn register(registry: &mut Registry) {
        register::<T>(registry);
    }
}

impl<T: Type> ApiResponse for CreatedOrFound<T> {
    fn meta() -> MetaResponses {
        MetaResponses {
            responses: vec![
                documented::<T>(200, "OK: the resource was there already"),
                documented::<T>(201, "Created: resource created"),
            ],
        }
    }

    fn register(registry: &mut Registry) {
        register::<T>(registry);
    }
}

/// What a 202 says of itself.
const ACCEPTED: &str = "Accepted: the work is begun and goes on";

impl<T: Type> ApiResponse for Accepted<T> {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![documented::<T>(202, ACCEPTED)] }
    }

    fn register(registry: &mut Registry) {
        register::<T>(registry);
    }
}

impl<T: Type, U: Type> ApiResponse for DoneOrAccepted<T, U> {
    fn meta() -> MetaResponses {
        MetaResponses {
            responses: vec![documented::<T>(200, "OK: request successful"), documented::<U>(202, ACCEPTED)],
        }
    }

    fn register(registry: &mut Registry) {
        register::<T>(registry);
        register::<U>(registry);
    }
}

impl ApiResponse for Deleted {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![described(200, "OK: resource deleted", DELETED.to_owned())] }
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(DELETED.to_owned(), |_| {
            let message = MetaSchema {
                description: Some("What was deleted."),
                example: Some(Value::String("Bot 'Customer Support Bot' deleted successfully".to_owned())),
                ..MetaSchema::new("string")
            };
            envelope(vec![("message", MetaSchemaRef::Inline(Box::new(message)))])
        });
    }
}

impl<T: Type> ApiResponse for Listed<T> {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![described(200, "OK: request successful", page_name::<T>())] }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
        Pagination::register(registry);
        registry.create_schema::<Self, _>(page_name::<T>(), |_| {
            let items = MetaSchema { items: Some(Box::new(T::schema_ref())), ..MetaSchema::new("array") };
            envelope(vec![
                ("data", MetaSchemaRef::Inline(Box::new(items))),
                ("pagination", Pagination::schema_ref()),
            ])
        });
    }
}

/// The name of what a delete answers.
const DELETED: &str = "Deleted";

fn register<T: Type>(registry: &mut Registry) {
    T::register(registry);
    registry.create_schema::<Found<T>, _>(name::<T>(), |_| envelope(vec![("data", T::schema_ref())]));
}

fn envelope(fields: Vec<(&'static str, MetaSchemaRef)>) -> MetaSchema {
    let success = MetaSchema {
        description: Some("Always true."),
        example: Some(Value::Bool(true)),
        ..MetaSchema::new("boolean")
    };
    let mut properties = vec![("success", MetaSchemaRef::Inline(Box::new(success)))];
    properties.extend(fields);
    MetaSchema {
        required: properties.iter().map(|(name, _)| *name).collect(),
        properties,
        ..MetaSchema::new("object")
    }
}

fn documented<T: Type>(status: u16, description: &'static str) -> MetaResponse {
    described(status, description, name::<T>())
}

fn described(status: u16, description: &'static str, schema: String) -> MetaResponse {
    MetaResponse {
        description,
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType { content_type: JSON, schema: MetaSchemaRef::Reference(schema) }],
        headers: vec![named_request()],
    }
}

fn name<T: Type>() -> String {
    format!("{}Envelope", T::name())
}

fn page_name<T: Type>() -> String {
    format!("{}Page", T::name())
}
