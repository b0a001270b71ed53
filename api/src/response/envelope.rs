//! Success envelope: `{"success": true, "data": …}`, with `pagination` on lists.

use std::marker::PhantomData;

use parlance_core::ids::TenantId;
use parlance_core::platform::fair_queue::Caller;
use parlance_core::{Context, Page};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;
use serde::Serialize;
use serde_json::{Value, json};

use crate::response::headers;
use crate::response::pagination::Pagination;

/// Media type of JSON bodies. JSON is UTF-8 by definition (RFC 8259 §8.1), so there is no charset parameter.
pub(crate) const JSON: &str = "application/json";

/// 200 with a resource.
#[derive(Debug)]
pub(crate) struct Found<T>(pub(crate) T);

/// 200 with a resource of up to several megabytes, serialised off the request threads.
#[derive(Debug)]
pub(crate) struct FoundLarge<T> {
    body: serde_json::Result<Vec<u8>>,
    resource: PhantomData<fn() -> T>,
}

impl<T: Serialize + 'static> FoundLarge<T> {
    /// Builds and serialises the resource; `bytes` is its approximate length.
    ///
    /// # Errors
    /// When building it panics.
    pub(crate) async fn of(
        ctx: &Context,
        tenant: TenantId,
        bytes: usize,
        make: impl FnOnce() -> T + Send + 'static,
    ) -> parlance_core::Result<Self> {
        let write = move || written(&make(), None);
        let body = ctx.cpu().scan(Caller::interactive(tenant), bytes, write).await?;
        Ok(Self { body, resource: PhantomData })
    }
}

/// 201 with the created resource.
#[derive(Debug)]
pub(crate) struct Created<T>(pub(crate) T);

/// 201 with the created resource, or 200 with the existing one.
#[derive(Debug)]
pub(crate) enum CreatedOrFound<T> {
    Found(T),
    Created(T),
}

/// 202 with the state of work that has begun.
#[derive(Debug)]
pub(crate) struct Accepted<T>(pub(crate) T);

/// 200 with the result of finished work, or 202 with the state of work that continues.
#[derive(Debug)]
pub(crate) enum DoneOrAccepted<T, U> {
    Done(T),
    Accepted(U),
}

/// 200 after a deletion, with a message that names the deleted resource.
#[derive(Debug)]
pub(crate) struct Deleted(pub(crate) String);

/// 200 with a page of a list.
#[derive(Debug)]
pub(crate) struct Listed<T> {
    items: Vec<T>,
    pagination: Pagination,
}

impl<T> Listed<T> {
    /// Converts a page of domain values to a page of response values.
    pub(crate) fn of<U: Into<T>>(page: Page<U>) -> Self {
        let pagination = Pagination::of(&page);
        Self { items: page.items.into_iter().map(Into::into).collect(), pagination }
    }
}

/// A JSON response outside the success envelope.
pub(crate) fn json_response(status: poem::http::StatusCode, body: &Value) -> Response {
    Response::builder().status(status).content_type(JSON).body(body.to_string())
}

/// Why the body could not be serialized; attached to the response.
#[derive(Clone)]
pub(crate) struct SerializeFailure(pub(crate) String);

/// The envelope, serialized directly: an intermediate `Value` would cost as much time as the SQL statement.
#[derive(Serialize)]
struct Success<'a, T> {
    success: bool,
    data: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<Pagination>,
}

fn success(status: u16, data: &impl Serialize, pagination: Option<Pagination>) -> Response {
    respond(status, written(data, pagination))
}

fn written(data: &impl Serialize, pagination: Option<Pagination>) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Success { success: true, data, pagination })
}

fn respond(status: u16, body: serde_json::Result<Vec<u8>>) -> Response {
    let status = poem::http::StatusCode::from_u16(status).unwrap_or_default();
    match body {
        Ok(body) => Response::builder().status(status).content_type(JSON).body(body),
        // The middleware builds the error envelope, since the request's id is unknown here.
        Err(error) => {
            let mut response = Response::default();
            response.set_data(SerializeFailure(error.to_string()));
            response
        }
    }
}

impl<T: Serialize + Send> IntoResponse for Found<T> {
    fn into_response(self) -> Response {
        success(200, &self.0, None)
    }
}

impl<T> IntoResponse for FoundLarge<T> {
    fn into_response(self) -> Response {
        respond(200, self.body)
    }
}

impl<T: Serialize + Send> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        success(201, &self.0, None)
    }
}

impl<T: Serialize + Send> IntoResponse for CreatedOrFound<T> {
    fn into_response(self) -> Response {
        match self {
            CreatedOrFound::Found(data) => success(200, &data, None),
            CreatedOrFound::Created(data) => success(201, &data, None),
        }
    }
}

impl<T: Serialize + Send> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        success(202, &self.0, None)
    }
}

impl<T: Serialize + Send, U: Serialize + Send> IntoResponse for DoneOrAccepted<T, U> {
    fn into_response(self) -> Response {
        match self {
            DoneOrAccepted::Done(data) => success(200, &data, None),
            DoneOrAccepted::Accepted(data) => success(202, &data, None),
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
        success(200, &self.items, Some(self.pagination))
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

impl<T: Type> ApiResponse for FoundLarge<T> {
    fn meta() -> MetaResponses {
        Found::<T>::meta()
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
                documented::<T>(200, "OK: the resource already existed"),
                documented::<T>(201, "Created: resource created"),
            ],
        }
    }

    fn register(registry: &mut Registry) {
        register::<T>(registry);
    }
}

/// Description of the 202 responses.
const ACCEPTED: &str = "Accepted: the work has started and continues";

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

/// Schema name of the deletion response.
const DELETED: &str = "Deleted";

fn register<T: Type>(registry: &mut Registry) {
    T::register(registry);
    registry
        .create_schema::<Found<T>, _>(envelope_name::<T>(), |_| envelope(vec![("data", T::schema_ref())]));
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
    described(status, description, envelope_name::<T>())
}

fn described(status: u16, description: &'static str, schema: String) -> MetaResponse {
    MetaResponse {
        description,
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType { content_type: JSON, schema: MetaSchemaRef::Reference(schema) }],
        headers: vec![headers::request_id()],
    }
}

fn envelope_name<T: Type>() -> String {
    format!("{}Envelope", T::name())
}

fn page_name<T: Type>() -> String {
    format!("{}Page", T::name())
}
