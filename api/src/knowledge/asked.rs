//! What is asked of knowledge, as clients write it: JSON for texts, forms for files.

use parlance_core::Result;
use parlance_core::knowledge::{File, RawSource, RawSourceChanges, SourceChanges, SourceRequest};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::ParseFromJSON;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, Object};

use crate::body;
use crate::envelope::JSON;
use crate::error::ApiError;
use crate::fields::{Field, Fields, Needed};
use crate::form::{FORM, Form, is_form};
use crate::values::{Id, inline};
use crate::words::{TextType, Word};

/// The largest JSON body of a source, in bytes: a text of the largest size, with its line ends escaped.
const JSON_BYTES: u64 = 2 * parlance_core::knowledge::MAX_FILE_BYTES;

/// A knowledge source to make from a text. (From a file: send a form.)
#[derive(Debug, Default, Object)]
#[oai(example)]
pub(crate) struct CreateSource {
    /// ID of the bot to add knowledge to.
    pub(crate) bot_id: Needed<Id>,
    /// Name of the knowledge source.
    #[oai(validator(min_length = 1, max_length = 255))]
    pub(crate) name: Needed<String>,
    /// Type of source.
    pub(crate) source_type: Needed<Word<TextType>>,
    /// The knowledge content: text or Markdown, at most 10 MB.
    #[oai(validator(min_length = 1))]
    pub(crate) content: Needed<String>,
}

/// What to change of a knowledge source. (A file: send a form.)
#[derive(Debug, Default, Object)]
#[oai(example)]
pub(crate) struct UpdateSource {
    /// New name.
    #[oai(validator(min_length = 1, max_length = 255))]
    pub(crate) name: Field<String>,
    /// New content, of a source that is made from a text: text or Markdown, at most 10 MB.
    #[oai(validator(min_length = 1))]
    pub(crate) content: Field<String>,
}

/// A body that may be sent as JSON or as a form.
pub(crate) trait JsonOrForm: ParseFromJSON {
    /// The form's name in the specification.
    const FORM_NAME: &'static str;

    /// The form in the specification.
    fn form_schema() -> MetaSchema;

    /// The same fields, from a form.
    fn of_form(form: &mut Form) -> Self;
}

impl JsonOrForm for CreateSource {
    const FORM_NAME: &'static str = "CreateSourceForm";

    fn form_schema() -> MetaSchema {
        let source_type = MetaSchema {
            description: Some("Type of source."),
            enum_items: vec!["file".into()],
            ..MetaSchema::new("string")
        };
        form_schema(
            "A knowledge source to make from a file.",
            vec!["bot_id", "name", "source_type", "file"],
            vec![bot_id(), name(), ("source_type", inline(source_type)), file()],
        )
    }

    fn of_form(form: &mut Form) -> Self {
        Self {
            bot_id: form.take("bot_id"),
            name: form.take("name"),
            source_type: form.take("source_type"),
            content: form.take("content"),
        }
    }
}

impl JsonOrForm for UpdateSource {
    const FORM_NAME: &'static str = "UpdateSourceForm";

    fn form_schema() -> MetaSchema {
        form_schema("What to change of a knowledge source.", Vec::new(), vec![name(), file()])
    }

    fn of_form(form: &mut Form) -> Self {
        Self { name: form.take("name"), content: form.take("content") }
    }
}

/// A body of either kind, with the files that came with it.
#[derive(Debug)]
pub(crate) struct Body<T> {
    fields: T,
    files: Vec<File>,
}

impl Body<CreateSource> {
    pub(super) fn parse(self) -> Result<SourceRequest> {
        let mut fields = Fields::of_body();
        let raw = RawSource {
            bot_id: fields.take("bot_id", self.fields.bot_id).map(String::from),
            name: fields.take("name", self.fields.name),
            source_type: fields.take("source_type", self.fields.source_type).map(String::from),
            content: fields.take("content", self.fields.content),
            files: self.files,
        };
        fields.check(SourceRequest::parse(raw))
    }
}

impl Body<UpdateSource> {
    pub(super) fn parse(self) -> Result<SourceChanges> {
        let mut fields = Fields::of_body();
        let raw = RawSourceChanges {
            name: fields.change("name", self.fields.name),
            content: fields.change("content", self.fields.content),
            files: self.files,
        };
        fields.check(SourceChanges::parse(raw))
    }
}

impl<'a, T: JsonOrForm> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
        registry.create_schema::<Self, _>(T::FORM_NAME.to_owned(), |_| T::form_schema());
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![
            MetaMediaType { content_type: JSON, schema: T::schema_ref() },
            MetaMediaType { content_type: FORM, schema: MetaSchemaRef::Reference(T::FORM_NAME.to_owned()) },
        ];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        if is_form(request) {
            let mut form = Form::of(request, body).await?;
            return Ok(Self { fields: T::of_form(&mut form), files: form.files });
        }
        if !body::is_json_request(request) {
            return Err(ApiError::unsupported_media_type("application/json or multipart/form-data").into());
        }
        Ok(Self { fields: body::read(request, body, JSON_BYTES).await?, files: Vec::new() })
    }
}

/// A file for a bot: a form alone.
#[derive(Debug)]
pub(crate) struct UploadForm {
    bot_id: Field<String>,
    files: Vec<File>,
}

impl UploadForm {
    pub(super) fn parse(self) -> Result<SourceRequest> {
        let mut fields = Fields::of_body();
        let bot = fields.take("bot_id", self.bot_id);
        // In the order of the reference.
        fields.take("file", Field::<String>::Absent);
        fields.check(SourceRequest::of_upload(bot.as_deref(), self.files))
    }
}

impl<'a> ApiExtractor<'a> for UploadForm {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>("UploadForm".to_owned(), |_| {
            form_schema("A file for a bot.", vec!["bot_id", "file"], vec![bot_id(), file()])
        });
    }

    fn request_meta() -> Option<MetaRequest> {
        let schema = MetaSchemaRef::Reference("UploadForm".to_owned());
        let content = vec![MetaMediaType { content_type: FORM, schema }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let mut form = Form::of(request, body).await?;
        Ok(Self { bot_id: form.take("bot_id"), files: form.files })
    }
}

type Property = (&'static str, MetaSchemaRef);

fn bot_id() -> Property {
    let schema = MetaSchema {
        description: Some("ID of the bot to add knowledge to."),
        ..MetaSchema::new_with_format("string", "uuid")
    };
    ("bot_id", inline(schema))
}

fn name() -> Property {
    let schema = MetaSchema {
        description: Some("Name of the knowledge source."),
        min_length: Some(1),
        max_length: Some(255),
        ..MetaSchema::new("string")
    };
    ("name", inline(schema))
}

fn file() -> Property {
    let schema = MetaSchema {
        description: Some("The file, at most 10 MB: TXT or MD (PDF, DOC, DOCX and CSV are to come)."),
        ..MetaSchema::new_with_format("string", "binary")
    };
    ("file", inline(schema))
}

fn form_schema(
    description: &'static str,
    required: Vec<&'static str>,
    properties: Vec<Property>,
) -> MetaSchema {
    MetaSchema { description: Some(description), required, properties, ..MetaSchema::new("object") }
}
