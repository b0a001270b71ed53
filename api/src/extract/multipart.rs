//! Forms (`multipart/form-data`) of a limited size, with parts in any order.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use parlance_core::Error;
use parlance_core::knowledge::{File, MAX_FILE_BYTES};
use poem::web::{Field as Part, Multipart};
use poem::{Body, FromRequest, Request, RequestBody};
use tokio::io::AsyncReadExt;

use crate::body_limits::FORM_BYTES;
use crate::error::ApiError;
use crate::extract::fields::{Field, Fields};
use crate::extract::json::Reading;
use crate::extract::values::Value;

/// Media type of forms.
pub(crate) const FORM: &str = "multipart/form-data";

/// Maximum length of a chunk for the form parser, which copies each chunk.
const PIECE_BYTES: usize = 64 * 1024;

/// A form.
#[derive(Debug, Default)]
pub(crate) struct Form {
    /// Known parts without a file name; `None` for one that is not UTF-8.
    texts: HashMap<&'static str, Option<String>>,
    /// Parts `file` with a file name.
    pub(crate) files: Vec<File>,
}

/// Whether the request has the content type of a form.
pub(crate) fn is_form(request: &Request) -> bool {
    let sent = request.content_type().unwrap_or_default();
    sent.trim_start().to_ascii_lowercase().starts_with(FORM)
}

impl Form {
    /// Reads a form from a request's body. Keeps only those parts without a file name that have one of these names.
    ///
    /// # Errors
    /// When the body is not a form, incomplete or too long.
    pub(crate) async fn read(
        request: &Request,
        body: &mut RequestBody,
        names: &[&'static str],
    ) -> poem::Result<Self> {
        if !is_form(request) {
            return Err(ApiError::unsupported_media_type(FORM).into());
        }
        let reading = Reading::begin(request, FORM_BYTES)?;
        let refusal = Refusal::default();
        let count = move |read: u64| reading.arrived(read);
        let mut body = RequestBody::new(counted(body.take()?, count, refusal.clone()));
        let form = <Multipart as FromRequest>::from_request(request, &mut body).await?;
        let mut read = Self::default();
        let result = read.read_parts(form, names).await;
        result.map_err(|error| refusal.take().unwrap_or(error))?;
        Ok(read)
    }

    /// Takes a field.
    pub(crate) fn take<T: Value, const REQUIRED: bool>(&mut self, name: &str) -> Field<T, REQUIRED> {
        match self.texts.remove(name) {
            Some(Some(text)) => Field::from_text(Some(&text)),
            Some(None) => Field::of_wrong_type(),
            None => Field::Absent,
        }
    }

    async fn read_parts(&mut self, mut form: Multipart, names: &[&'static str]) -> Result<(), ApiError> {
        while let Some(part) = form.next_field().await.map_err(|error| ApiError::broken_form(&error))? {
            match (part.name().map(str::to_owned), part.file_name().map(str::to_owned)) {
                (Some(name), Some(file_name)) if name == "file" => {
                    self.files.push(File { name: file_name, bytes: read_part(part).await? });
                }
                (Some(name), None) => {
                    let Some(name) = names.iter().find(|known| **known == name) else { continue };
                    let text = String::from_utf8(read_part(part).await?.into());
                    self.texts.insert(name, text.ok());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Takes the one file of a form.
pub(crate) fn one_file(fields: &mut Fields, mut files: Vec<File>) -> Option<File> {
    match files.pop() {
        None => fields.missing("file"),
        Some(file) if files.is_empty() => Some(file),
        Some(_) => fields.check(Err(Error::invalid("file", "The 'file' field must hold one file"))),
    }
}

/// Reads a part of at most the size of a file.
async fn read_part(part: Part) -> Result<Bytes, ApiError> {
    let mut bytes = Vec::new();
    let mut reader = part.into_async_read().take(MAX_FILE_BYTES + 1);
    reader.read_to_end(&mut bytes).await.map_err(|error| ApiError::broken_form(&error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ApiError::too_large(MAX_FILE_BYTES));
    }
    bytes.shrink_to_fit();
    Ok(bytes.into())
}

/// The error with which the reader stopped a form. Stored beside the parser, which replaces errors of its input by its
/// own.
#[derive(Clone, Default)]
struct Refusal(Arc<Mutex<Option<ApiError>>>);

impl Refusal {
    fn set(&self, error: ApiError) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    fn take(&self) -> Option<ApiError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The body in short chunks. `count` is called with the number of bytes so far; its error stops the body.
fn counted(
    body: Body,
    count: impl Fn(u64) -> Result<(), ApiError> + Send + 'static,
    refusal: Refusal,
) -> Body {
    let mut read = 0;
    let pieces = body.into_bytes_stream().map_ok(|mut rest| {
        stream::iter(std::iter::from_fn(move || {
            (!rest.is_empty()).then(|| Ok(rest.split_to(rest.len().min(PIECE_BYTES))))
        }))
    });
    Body::from_bytes_stream(pieces.try_flatten().map(move |piece: io::Result<Bytes>| {
        let piece = piece?;
        read += piece.len() as u64;
        count(read).map_err(|error| {
            refusal.set(error);
            io::Error::other("the form is refused")
        })?;
        Ok::<_, io::Error>(piece)
    }))
}

#[cfg(test)]
mod tests {
    use parlance_core::field::Int;

    use super::*;

    async fn form(parts: &str, limit: u64) -> Result<Form, ApiError> {
        let count = move |read| if read > limit { Err(ApiError::too_large(limit)) } else { Ok(()) };
        let body = counted(Body::from(parts.replace('\n', "\r\n")), count, Refusal::default());
        let request = Request::builder().content_type("multipart/form-data; boundary=x").finish();
        let mut body = RequestBody::new(body);
        let multipart = <Multipart as FromRequest>::from_request(&request, &mut body).await.unwrap();
        let mut form = Form::default();
        form.read_parts(multipart, &["bot_id", "max_pages"]).await.map(|()| form)
    }

    const FILE: &str = "--x\nContent-Disposition: form-data; name=\"file\"; filename=\"a.md\"\n\nhello\n";
    const BOT: &str = "--x\nContent-Disposition: form-data; name=\"bot_id\"\n\nabc\n";
    const OTHER: &str = "--x\nContent-Disposition: form-data; name=\"other\"\n\nwhatever\n";

    #[tokio::test]
    async fn parts_come_in_any_order_and_unknown_ones_are_ignored() {
        for parts in [format!("{BOT}{FILE}--x--\n"), format!("{OTHER}{FILE}{OTHER}{BOT}--x--\n")] {
            let mut form = form(&parts, 10_000).await.unwrap();
            assert_eq!((form.files[0].name.as_str(), &*form.files[0].bytes), ("a.md", &b"hello"[..]));
            assert_eq!(form.take::<String, false>("bot_id"), Field::Given("abc".to_owned()));
            assert_eq!(form.take::<Int<1, 20>, false>("other_field"), Field::Absent);
        }
    }

    #[tokio::test]
    async fn a_file_needs_a_name_and_numbers_are_parsed() {
        let unnamed = FILE.replace("; filename=\"a.md\"", "");
        let pages = BOT.replace("bot_id", "max_pages").replace("abc", "12");
        let mut form = form(&format!("{unnamed}{pages}--x--\n"), 10_000).await.unwrap();
        assert!(form.files.is_empty());
        assert_eq!(form.take::<Int<1, 20>, true>("max_pages"), Field::Given(Int::nearest(12)));
    }

    #[tokio::test]
    async fn an_incomplete_or_too_long_form_is_refused() {
        assert!(form(&format!("{BOT}{FILE}"), 10_000).await.is_err());
        assert!(form("nonsense", 10_000).await.is_err());
        assert!(form(&format!("{BOT}{FILE}--x--\n"), 100).await.is_err());
    }
}
