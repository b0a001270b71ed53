//! Maps every error and panic of the handlers, extractors and the router to the error envelope.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use poem::error::MethodNotAllowedError;
use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, Request, Response, Result};

use crate::error::ApiError;
use crate::middleware::matched_route::MatchedRoute;
use crate::middleware::request_id::RequestId;
use crate::response::envelope::SerializeFailure;

/// Never returns an error: the outer middleware handles responses only.
pub(crate) async fn apply<E: Endpoint<Output = Response>>(
    next: Arc<E>,
    request: Request,
) -> Result<Response> {
    let id = RequestId::of(&request);
    let method = request.method().clone();
    let outcome = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let route = match &outcome {
        Ok(Ok(response)) => response.data::<MatchedRoute>().cloned(),
        Ok(Err(error)) => error.data::<MatchedRoute>().cloned(),
        Err(_panic) => None,
    };
    let mut response = match outcome {
        Ok(Ok(response)) => match response.data::<SerializeFailure>() {
            None => response,
            Some(SerializeFailure(cause)) => ApiError::unserializable(cause.as_str()).respond(id.as_str()),
        },
        Ok(Err(error)) if error.is::<MethodNotAllowedError>() => {
            let allow = route.as_ref().map_or("", |route| route.allow());
            if method == Method::OPTIONS {
                options(allow)
            } else {
                ApiError::method_not_allowed(&method, allow).respond(id.as_str())
            }
        }
        Ok(Err(error)) => ApiError::of_poem(error).respond(id.as_str()),
        Err(panic) => ApiError::panicked(&*panic).respond(id.as_str()),
    };
    if let Some(route) = route {
        response.set_data(route);
    }
    Ok(response)
}

fn options(allow: &str) -> Response {
    Response::builder().status(StatusCode::NO_CONTENT).header(header::ALLOW, allow).finish()
}
