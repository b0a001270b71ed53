//! What is asked of knowledge, as clients write it: JSON for texts, forms for files.

use parlance_core::Result;
use parlance_core::knowledge::search::{self, RawSearch, SearchRequest};
use parlance_core::knowledge::{File, RawSource, RawSourceChanges, SourceChanges, SourceRequest};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::ParseFromJSON;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, Object};

use crate::error::ApiError;
use crate::extract::enums::{Word, WrittenType};
use crate::extract::fields::{Field, Fields, Needed};
use crate::extract::json::{self, SOURCE_BYTES};
use crate::extract::multipart::{FORM, Form, is_form};
use crate::extract::types::{Address, Id, inline};
use crate::response::envelope::JSON;

/// A knowledge source to make from a text or a web site. (From a file: send a form.)
#[derive(Debug, Default, Object)]
pub(crate) struct CreateSource {
    /// ID of the bot to add knowledge to.
    pub(crate) bot_id: Needed<Id>,
    /// Name of the knowledge source.
    #[oai(validator(min_length = 1, max_length = 255))]
    pub(crate) name: Needed<String>,
    /// Type of source.
    pub(crate) source_type: Needed<Word<WrittenType>>,
    /// The knowledge content: text or Markdown, at most 10 MB. Required for the type text.
    #[oai(validator(min_length = 1))]
    pub(crate) content: Field<String>,
    /// Website URL to scrape. Required for the type url.
    pub(crate) url: Field<Address>,
    /// Whether pages below the address are read too (type url).
    #[oai(nullable)]
    pub(crate) include_subpages: Field<bool>,
    /// How many pages are read at most, with include_subpages (type url; 5 when not given).
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "20")))]
    pub(crate) max_pages: Field<i64>,
}

/// A web site to scrape.
#[derive(Debug, Default, Object)]
pub(crate) struct ScrapeSite {
    /// ID of the bot to add knowledge to.
    pub(crate) bot_id: Needed<Id>,
    /// Website URL to scrape.
    pub(crate) url: Needed<Address>,
    /// Whether pages below the address are read too.
    #[oai(nullable)]
    pub(crate) include_subpages: Field<bool>,
    /// How many pages are read at most, with include_subpages (5 when not given).
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "20")))]
    pub(crate) max_pages: Field<i64>,
}

impl ScrapeSite {
    pub(crate) fn parse(self) -> Result<SourceRequest> {
        let mut fields = Fields::of_body();
        let bot = fields.take("bot_id", self.bot_id).map(String::from);
        let url = fields.take("url", self.url).map(String::from);
        let include_subpages = fields.take("include_subpages", self.include_subpages);
        let max_pages = fields.take("max_pages", self.max_pages);
        fields.check(SourceRequest::of_site(bot.as_deref(), url, include_subpages, max_pages))
    }
}

/// What to search for.
#[derive(Debug, Default, Object)]
pub(crate) struct SearchKnowledge {
    /// ID of the bot whose knowledge is searched.
    pub(crate) bot_id: Needed<Id>,
    /// The question, or the words.
    #[oai(validator(min_length = 1, max_length = 8000))]
    pub(crate) query: Needed<String>,
    /// How many passages are given at most (10 when not given).
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "50")))]
    pub(crate) top_k: Field<i64>,
    /// What passages are ranked by: `vector` by meaning, `text` by the words they share with the query,
    /// `hybrid` (when not given) by both, fused.
    #[oai(nullable)]
    pub(crate) mode: Field<Word<search::Mode>>,
    /// IDs of the knowledge sources that are searched (all of the bot's when not given).
    #[oai(nullable, validator(min_items = 1))]
    pub(crate) source_ids: Field<Vec<Id>>,
}

impl SearchKnowledge {
    pub(crate) fn parse(self) -> Result<SearchRequest> {
        let mut fields = Fields::of_body();
        let raw = RawSearch {
            bot_id: fields.take("bot_id", self.bot_id).map(String::from),
            query: fields.take("query", self.query),
            top_k: fields.take("top_k", self.top_k),
            mode: fields.take("mode", self.mode).map(String::from),
            source_ids: fields
                .take("source_ids", self.source_ids)
                .map(|ids| ids.into_iter().map(String::from).collect()),
        };
        fields.check(SearchRequest::parse(raw))
    }
}

/// Whether the header `Prefer` (RFC 7240) asks not to be kept waiting.
pub(super) fn prefers_async(prefer: Field<String>) -> bool {
    let Field::Given(prefer) = prefer else { return false };
    prefer.split(',').any(|preference| {
        let name = preference.split([';', '=']).next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("respond-async")
    })
}

/// What to change of a knowledge source. (A file: send a form.)
#[derive(Debug, Default, Object)]
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
            url: form.take("url"),
            include_subpages: form.take("include_subpages"),
            max_pages: form.take("max_pages"),
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
    pub(crate) fn parse(self) -> Result<SourceRequest> {
        let mut fields = Fields::of_body();
        let raw = RawSource {
            bot_id: fields.take("bot_id", self.fields.bot_id).map(String::from),
            name: fields.take("name", self.fields.name),
            source_type: fields.take("source_type", self.fields.source_type).map(String::from),
            content: fields.take_not_null("content", self.fields.content),
            url: fields.take_not_null("url", self.fields.url).map(String::from),
            include_subpages: fields.take("include_subpages", self.fields.include_subpages),
            max_pages: fields.take("max_pages", self.fields.max_pages),
            files: self.files,
        };
        fields.check(SourceRequest::parse(raw))
    }
}

impl Body<UpdateSource> {
    pub(crate) fn parse(self) -> Result<SourceChanges> {
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
        if !json::is_json_request(request) {
            return Err(ApiError::unsupported_media_type("application/json or multipart/form-data").into());
        }
        Ok(Self { fields: json::read(request, body, SOURCE_BYTES).await?, files: Vec::new() })
    }
}

/// A file for a bot: a form alone.
#[derive(Debug)]
pub(crate) struct UploadForm {
    bot_id: Field<String>,
    files: Vec<File>,
}

impl UploadForm {
    pub(crate) fn parse(self) -> Result<SourceRequest> {
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
        description: Some("The file, at most 10 MB: TXT, MD, CSV, PDF, DOC or DOCX."),
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
