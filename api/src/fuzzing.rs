//! Entry points for the targets of `fuzz/`: request bodies, parsed without authentication and without effects.
//!
//! Compiled with the feature `fuzzing` only; never part of the binary.

use std::fmt::Debug;

use bytes::Bytes;
use futures_util::stream;
use parlance_core::Result;
use poem::{Body, Request, RequestBody};
use poem_openapi::{ApiExtractor, ExtractParamOptions};

use crate::error::ApiError;
use crate::extract::json::JsonBody;
use crate::response::envelope::JSON;
use crate::routes::api_keys::requests::{CreateApiKey, RotateApiKey};
use crate::routes::bots::requests::{CreateBot, UpdateBot};
use crate::routes::conversations::requests::{
    GiveFeedback, OpenConversation, SendMessage, UpdateConversation,
};
use crate::routes::knowledge::form_requests::{self, UploadForm};
use crate::routes::knowledge::requests::{CreateSource, ScrapeSite, SearchKnowledge, UpdateSource};
use crate::routes::openai::requests::Completion;

/// The parsed body, or the status and body of the error response.
pub type Outcome = Result<String, (u16, String)>;

/// Parses a JSON body as each operation with one does.
pub async fn json(bytes: &[u8]) -> Vec<Outcome> {
    let pieces = || vec![Bytes::copy_from_slice(bytes)];
    vec![
        read(JSON, pieces(), |body: JsonBody<CreateBot>| body.0.parse()).await,
        read(JSON, pieces(), |body: JsonBody<UpdateBot>| body.0.parse()).await,
        read(JSON, pieces(), |body: JsonBody<OpenConversation>| body.0.parse()).await,
        read(JSON, pieces(), |body: JsonBody<UpdateConversation>| body.0.parse()).await,
        read(JSON, pieces(), |body: JsonBody<SendMessage>| body.0.parse()).await,
        read(JSON, pieces(), |body: JsonBody<GiveFeedback>| body.0.parse()).await,
        read(JSON, pieces(), |body: JsonBody<CreateApiKey>| body.0.parse()).await,
        read(JSON, pieces(), |body: JsonBody<RotateApiKey>| body.0.parse()).await,
        read(JSON, pieces(), |body: JsonBody<ScrapeSite>| body.0.parse()).await,
        read(JSON, pieces(), |body: JsonBody<SearchKnowledge>| body.0.parse()).await,
        read(JSON, pieces(), form_requests::Body::<CreateSource>::parse).await,
        read(JSON, pieces(), form_requests::Body::<UpdateSource>::parse).await,
        outcome(Completion::parse(bytes).map(|completion| completion.bot)).await,
    ]
}

/// Parses a form of this media type, received in pieces, as each operation with one does.
pub async fn form(media_type: &str, pieces: Vec<Bytes>) -> Vec<Outcome> {
    vec![
        read(media_type, pieces.clone(), UploadForm::parse).await,
        read(media_type, pieces.clone(), form_requests::Body::<CreateSource>::parse).await,
        read(media_type, pieces, form_requests::Body::<UpdateSource>::parse).await,
    ]
}

async fn read<T, R: Debug>(
    media_type: &str,
    pieces: Vec<Bytes>,
    parse: impl FnOnce(T) -> Result<R>,
) -> Outcome
where
    T: for<'a> ApiExtractor<'a, ParamType = ()>,
{
    let request = Request::builder().content_type(media_type).finish();
    let pieces = stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>));
    let mut body = RequestBody::new(Body::from_bytes_stream(pieces));
    let extracted = T::from_request(&request, &mut body, ExtractParamOptions::default()).await;
    outcome(extracted.map_err(ApiError::of_poem).and_then(|body| Ok(parse(body)?))).await
}

async fn outcome(result: Result<impl Debug, ApiError>) -> Outcome {
    match result {
        Ok(parsed) => Ok(format!("{parsed:?}")),
        Err(error) => {
            let response = error.respond("018f3c5e-7b1a-7c44-9d0e-2f6a1b8c9d10");
            let status = response.status().as_u16();
            Err((status, response.into_body().into_string().await.unwrap_or_default()))
        }
    }
}
