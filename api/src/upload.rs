//! A file in a form, read to a limit. Its parts may come in any order.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::StreamExt;
use parlance_core::error::Problem;
use parlance_core::ids::BotId;
use parlance_core::knowledge::MAX_FILE_BYTES;
use parlance_core::{Error, Result};
use poem::web::{Field as Part, Multipart};
use poem::{Body, FromRequest, Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use tokio::io::AsyncReadExt;

use crate::body::refuse_longer;
use crate::error::ApiError;
use crate::fields::{Field, Fields};

const FORM: &str = "multipart/form-data";

/// The name of the form in the specification.
const SCHEMA: &str = "UploadForm";

/// A form is a file and little more: boundaries, headers, the bot's id.
const MOST_BYTES: u64 = MAX_FILE_BYTES + 64 * 1024;

/// A form with a bot's id and a file.
#[derive(Debug, Default)]
pub(crate) struct FileForm {
    bot_id: Field<String>,
    files: Vec<(String, Bytes)>,
}

/// A file for a bot.
#[derive(Debug)]
pub(crate) struct FileFor {
    /// The bot.
    pub(crate) bot: BotId,
    /// The file's name, as the client gave it.
    pub(crate) name: String,
    /// The file.
    pub(crate) bytes: Bytes,
}

impl FileForm {
    /// The file and its bot.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong.
    pub(crate) fn parse(mut self) -> Result<FileFor> {
        let mut fields = Fields::of_body();
        let mut problems = Vec::new();
        let bot = fields.take("bot_id", self.bot_id).filter(|raw| !raw.trim().is_empty());
        let bot: Option<BotId> = match bot.map(|raw| raw.trim().parse()) {
            Some(Ok(bot)) => Some(bot),
            Some(Err(_)) => {
                problems.push(Problem::wrong("bot_id", "The 'bot_id' field must be a bot's id"));
                None
            }
            None => {
                problems.push(Problem::missing("bot_id"));
                None
            }
        };
        let file = self.files.pop();
        if file.is_none() {
            problems.push(Problem::missing("file"));
        } else if !self.files.is_empty() {
            problems.push(Problem::wrong("file", "The 'file' field must hold one file"));
        }
        match (bot, file) {
            (Some(bot), Some((name, bytes))) if problems.is_empty() => {
                fields.check(Ok(FileFor { bot, name, bytes }))
            }
            _ => fields.check(Err(Error::Invalid(problems))),
        }
    }

    async fn read(&mut self, mut form: Multipart) -> Result<(), ApiError> {
        while let Some(part) = form.next_field().await.map_err(|_| ApiError::unreadable_form())? {
            match (part.name(), part.file_name().map(str::to_owned)) {
                (Some("file"), Some(name)) => self.files.push((name, whole(part).await?)),
                (Some("bot_id"), _) => {
                    let text = String::from_utf8(whole(part).await?.into());
                    self.bot_id = text.map_or(Field::Wrong, Field::Given);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The part's bytes, unless they are more than a file may have.
async fn whole(part: Part) -> Result<Bytes, ApiError> {
    let mut bytes = Vec::new();
    let mut reader = part.into_async_read().take(MAX_FILE_BYTES + 1);
    reader.read_to_end(&mut bytes).await.map_err(|_| ApiError::unreadable_form())?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ApiError::too_large(MAX_FILE_BYTES));
    }
    Ok(bytes.into())
}

/// The body, until it is longer than `limit`; `over` tells that it was.
fn capped(body: Body, limit: u64, over: Arc<AtomicBool>) -> Body {
    let mut left = limit;
    Body::from_bytes_stream(body.into_bytes_stream().map(move |chunk| {
        let chunk = chunk?;
        match left.checked_sub(chunk.len() as u64) {
            Some(rest) => left = rest,
            None => {
                over.store(true, Ordering::Relaxed);
                return Err(io::Error::other("the form is too long"));
            }
        }
        Ok(chunk)
    }))
}

impl<'a> ApiExtractor<'a> for FileForm {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(SCHEMA.to_owned(), |_| schema());
    }

    fn request_meta() -> Option<MetaRequest> {
        let schema = MetaSchemaRef::Reference(SCHEMA.to_owned());
        let content = vec![MetaMediaType { content_type: FORM, schema }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let sent = request.content_type().unwrap_or_default();
        if !sent.trim_start().to_ascii_lowercase().starts_with(FORM) {
            return Err(ApiError::unsupported_media_type(FORM).into());
        }
        refuse_longer(request, MOST_BYTES).map_err(|_| ApiError::too_large(MAX_FILE_BYTES))?;
        let over = Arc::new(AtomicBool::new(false));
        let mut body = RequestBody::new(capped(body.take()?, MOST_BYTES, over.clone()));
        let form = <Multipart as FromRequest>::from_request(request, &mut body).await?;
        let mut read = Self::default();
        match read.read(form).await {
            Err(_) if over.load(Ordering::Relaxed) => Err(ApiError::too_large(MAX_FILE_BYTES).into()),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(read),
        }
    }
}

fn schema() -> MetaSchema {
    let inline = |schema| MetaSchemaRef::Inline(Box::new(schema));
    let bot_id = MetaSchema {
        description: Some("ID of the bot to add knowledge to."),
        ..MetaSchema::new_with_format("string", "uuid")
    };
    let file = MetaSchema {
        description: Some(
            "The file to upload, at most 10 MB: TXT or MD (PDF, DOC, DOCX and CSV are to come).",
        ),
        ..MetaSchema::new_with_format("string", "binary")
    };
    MetaSchema {
        description: Some("A file for a bot."),
        required: vec!["bot_id", "file"],
        properties: vec![("bot_id", inline(bot_id)), ("file", inline(file))],
        ..MetaSchema::new("object")
    }
}

#[cfg(test)]
mod tests {
    use parlance_core::error::Fault;

    use super::*;

    async fn form(parts: &str, limit: u64) -> Result<FileForm, ApiError> {
        let over = Arc::new(AtomicBool::new(false));
        let body = capped(Body::from(parts.replace('\n', "\r\n")), limit, over.clone());
        let request = Request::builder().content_type("multipart/form-data; boundary=x").finish();
        let mut body = RequestBody::new(body);
        let multipart = <Multipart as FromRequest>::from_request(&request, &mut body).await.unwrap();
        let mut form = FileForm::default();
        form.read(multipart).await.map(|()| form)
    }

    const FILE: &str = "--x\nContent-Disposition: form-data; name=\"file\"; filename=\"a.md\"\n\nhello\n";
    const BOT: &str =
        "--x\nContent-Disposition: form-data; name=\"bot_id\"\n\n019bb5a1-0c00-7000-8000-000000000002\n";
    const OTHER: &str = "--x\nContent-Disposition: form-data; name=\"other\"\n\nwhatever\n";

    fn problems(form: FileForm) -> Vec<String> {
        let Err(Error::Invalid(problems)) = form.parse() else { panic!() };
        problems
            .into_iter()
            .map(|problem| match problem.fault {
                Fault::Missing => format!("{} is missing", problem.field),
                Fault::Wrong(message) => message,
            })
            .collect()
    }

    #[tokio::test]
    async fn the_parts_come_in_any_order_and_others_are_no_matter() {
        for parts in [format!("{BOT}{FILE}--x--\n"), format!("{OTHER}{FILE}{OTHER}{BOT}--x--\n")] {
            let file = form(&parts, 10_000).await.unwrap().parse().unwrap();
            assert_eq!((file.name.as_str(), &*file.bytes), ("a.md", &b"hello"[..]));
            assert_eq!(file.bot.to_string(), "019bb5a1-0c00-7000-8000-000000000002");
        }
    }

    #[tokio::test]
    async fn everything_wrong_with_a_form_is_told_at_once() {
        let read = form(&format!("{OTHER}--x--\n"), 10_000).await.unwrap();
        assert_eq!(problems(read), ["bot_id is missing", "file is missing"]);
        let wrong = BOT.replace("019bb5a1", "nonsense");
        let read = form(&format!("{wrong}{FILE}{FILE}--x--\n"), 10_000).await.unwrap();
        assert_eq!(
            problems(read),
            ["The 'bot_id' field must be a bot's id", "The 'file' field must hold one file"]
        );
        let unnamed = FILE.replace("; filename=\"a.md\"", "");
        assert_eq!(
            problems(form(&format!("{BOT}{unnamed}--x--\n"), 10_000).await.unwrap()),
            ["file is missing"]
        );
    }

    #[tokio::test]
    async fn a_form_that_breaks_off_or_goes_on_too_long_is_refused() {
        assert!(form(&format!("{BOT}{FILE}"), 10_000).await.is_err());
        assert!(form("nonsense", 10_000).await.is_err());
        assert!(form(&format!("{BOT}{FILE}--x--\n"), 100).await.is_err());
    }
}
