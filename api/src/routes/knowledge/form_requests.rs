//! Requests of the knowledge routes that take JSON or a form with a file, and the upload form.

use std::sync::LazyLock;

use parlance_core::field::Name;
use parlance_core::ids::BotId;
use parlance_core::knowledge::{File, Original, Site, SourceChanges, SourceRequest, SourceType, file_types};
use parlance_core::{Error, Result};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::ParseFromJSON;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::requests::{CreateSource, UpdateSource};
use crate::body_limits::SOURCE_BYTES;
use crate::error::ApiError;
use crate::extract::enums::WrittenType;
use crate::extract::fields::{Field, Fields};
use crate::extract::json;
use crate::extract::multipart::{FORM, Form, is_form, one_file};
use crate::extract::values::{DocumentText, Value};
use crate::response::envelope::JSON;
use crate::response::types::inline;

/// A body sent as JSON or as a form.
pub(crate) trait JsonOrForm: ParseFromJSON {
    /// Name of the form's schema.
    const FORM_NAME: &'static str;

    /// Names of the form's parts other than the file.
    const FORM_FIELDS: &'static [&'static str];

    /// Schema of the form.
    fn form_schema() -> MetaSchema;

    /// Takes the fields of a form.
    fn of_form(form: &mut Form) -> Self;
}

impl JsonOrForm for CreateSource {
    const FORM_NAME: &'static str = "CreateSourceForm";

    const FORM_FIELDS: &'static [&'static str] =
        &["bot_id", "name", "source_type", "content", "url", "include_subpages", "max_pages"];

    fn form_schema() -> MetaSchema {
        let source_type = MetaSchema {
            description: Some("Type of source."),
            enum_items: vec!["file".into()],
            ..MetaSchema::new("string")
        };
        form_schema(
            "A knowledge source from a file.",
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

    const FORM_FIELDS: &'static [&'static str] = &["name", "content"];

    fn form_schema() -> MetaSchema {
        form_schema("Changes to a knowledge source.", Vec::new(), vec![name(), file()])
    }

    fn of_form(form: &mut Form) -> Self {
        Self { name: form.take("name"), content: form.take("content") }
    }
}

/// A JSON body or a form, with its files.
#[derive(Debug)]
pub(crate) struct Body<T> {
    fields: T,
    files: Vec<File>,
}

impl Body<CreateSource> {
    pub(crate) fn parse(self) -> Result<SourceRequest> {
        let Self { fields: body, files } = self;
        let mut fields = Fields::of_body();
        let bot = fields.required("bot_id", body.bot_id);
        let name = fields.required("name", body.name);
        let source_type = fields.required("source_type", body.source_type);
        let content = fields.not_null("content", body.content);
        let url = fields.not_null_or_blank("url", body.url);
        let include_subpages = fields.optional("include_subpages", body.include_subpages);
        let max_pages = fields.optional("max_pages", body.max_pages);
        // Fields of the other types must be valid, and are ignored.
        let original = match (source_type.map(|WrittenType(source_type)| source_type), content, url) {
            (Some(SourceType::File), ..) => {
                one_file(&mut fields, files).and_then(|file| fields.check(Original::of_file(file)))
            }
            (Some(SourceType::Text), Some(Some(DocumentText(text))), _) => {
                fields.check(Original::of_text(text))
            }
            (Some(SourceType::Text), Some(None), _) => fields.missing("content"),
            (Some(SourceType::Url), _, Some(Some(url))) => {
                let include_subpages = include_subpages.flatten().unwrap_or(false);
                Some(Original::of_site(Site::new(url, include_subpages, max_pages.flatten())))
            }
            (Some(SourceType::Url), _, Some(None)) => fields.missing("url"),
            _ => None,
        };
        fields.finish(|| Some(SourceRequest { bot: bot?, original: original?.named(name?) }))
    }
}

impl Body<UpdateSource> {
    pub(crate) fn parse(self) -> Result<SourceChanges> {
        let Self { fields: body, files } = self;
        let mut fields = Fields::of_body();
        let name = fields.not_null("name", body.name);
        let original = match (fields.not_null("content", body.content).flatten(), files.is_empty()) {
            (Some(_), false) => {
                fields.check(Err(Error::invalid("file", "Send the 'content' field or the 'file' field")))
            }
            (Some(DocumentText(text)), true) => fields.check(Original::of_text(text)),
            (None, false) => {
                one_file(&mut fields, files).and_then(|file| fields.check(Original::of_file(file)))
            }
            (None, true) => None,
        };
        let changes = fields.finish(|| Some(SourceChanges { name: name?, original }));
        changes.and_then(SourceChanges::not_empty)
    }
}

impl<'a, T: JsonOrForm + 'static> ApiExtractor<'a> for Body<T> {
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
            let mut form = Form::read(request, body, T::FORM_FIELDS).await?;
            return Ok(Self { fields: T::of_form(&mut form), files: form.files });
        }
        if !json::is_json_request(request) {
            return Err(ApiError::unsupported_media_type("application/json or multipart/form-data").into());
        }
        Ok(Self { fields: json::read(request, body, SOURCE_BYTES).await?, files: Vec::new() })
    }
}

/// A file for a bot, in a form.
#[derive(Debug)]
pub(crate) struct UploadForm {
    bot_id: Field<BotId>,
    files: Vec<File>,
}

impl UploadForm {
    pub(crate) fn parse(self) -> Result<SourceRequest> {
        let mut fields = Fields::of_body();
        let bot = fields.required("bot_id", self.bot_id);
        let file = one_file(&mut fields, self.files);
        let original = file.and_then(|file| fields.check(Original::of_file(file)));
        fields.finish(|| Some(SourceRequest { bot: bot?, original: original? }))
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
        let mut form = Form::read(request, body, &["bot_id"]).await?;
        Ok(Self { bot_id: form.take("bot_id"), files: form.files })
    }
}

type Property = (&'static str, MetaSchemaRef);

static FILE_DESCRIPTION: LazyLock<String> = LazyLock::new(|| {
    let types = file_types::upload_extensions().map(str::to_uppercase);
    format!("The file, at most 10 MB: {}.", file_types::list(types, "or"))
});

fn bot_id() -> Property {
    ("bot_id", described(BotId::schema(), "ID of the bot to add knowledge to."))
}

fn name() -> Property {
    ("name", described(Name::schema(), "Name of the knowledge source."))
}

fn file() -> Property {
    ("file", described(inline(MetaSchema::new_with_format("string", "binary")), &FILE_DESCRIPTION))
}

fn described(schema: MetaSchemaRef, description: &'static str) -> MetaSchemaRef {
    schema.merge(MetaSchema { description: Some(description), ..MetaSchema::ANY })
}

fn form_schema(
    description: &'static str,
    required: Vec<&'static str>,
    properties: Vec<Property>,
) -> MetaSchema {
    MetaSchema { description: Some(description), required, properties, ..MetaSchema::new("object") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::extract::fields::wrong_fields;

    fn file(name: &str) -> File {
        File { name: name.into(), bytes: "a".into() }
    }

    fn body<T: JsonOrForm>(json: serde_json::Value, files: Vec<File>) -> Body<T> {
        Body { fields: T::parse_from_json(Some(json)).ok().unwrap(), files }
    }

    fn create(mut json: serde_json::Value) -> Result<SourceRequest> {
        json["bot_id"] = BotId::fresh().to_string().into();
        json["name"] = "A".into();
        body::<CreateSource>(json, Vec::new()).parse()
    }

    #[test]
    fn each_type_of_source_needs_its_own_field() {
        let nothing = body::<CreateSource>(json!({}), Vec::new()).parse();
        assert_eq!(wrong_fields(nothing), ["bot_id", "name", "source_type"]);
        for (json, wrong) in [
            (json!({"source_type": "text"}), "content"),
            (json!({"source_type": "text", "content": " "}), "content"),
            (json!({"source_type": "text", "content": null}), "content"),
            (json!({"source_type": "text", "content": "a", "max_pages": 0}), "max_pages"),
            (json!({"source_type": "file"}), "file"),
            (json!({"source_type": "url"}), "url"),
            (json!({"source_type": "url", "url": " "}), "url"),
            (json!({"source_type": "url", "url": "https://a.example", "max_pages": 21}), "max_pages"),
            (json!({"source_type": "film"}), "source_type"),
        ] {
            assert_eq!(wrong_fields(create(json.clone())), [wrong], "{json}");
        }
    }

    #[test]
    fn fields_of_other_types_are_ignored_when_valid() {
        assert!(create(json!({"source_type": "text", "content": "a", "url": ""})).is_ok());
        assert!(create(json!({"source_type": "url", "url": "https://a.example", "content": " "})).is_ok());
    }

    #[test]
    fn a_text_that_is_too_large_wins_over_other_problems() {
        let json = json!({"source_type": "text", "content": "x".repeat(10 * 1024 * 1024 + 1)});
        let refused = body::<CreateSource>(json, Vec::new()).parse();
        assert!(matches!(refused, Err(Error::TooLarge { .. })));
    }

    #[test]
    fn every_problem_of_an_upload_is_listed() {
        for (bot, files) in
            [(None, vec![]), (Some("x"), vec![file("a.exe")]), (Some(" "), vec![file("a.md"), file("b.md")])]
        {
            let upload = UploadForm { bot_id: Field::from_text(bot), files }.parse();
            assert_eq!(wrong_fields(upload), ["bot_id", "file"]);
        }
    }

    #[test]
    fn a_source_changes_in_one_way() {
        let update = |json, files| body::<UpdateSource>(json, files).parse();
        assert_eq!(wrong_fields(update(json!({}), vec![])), ["body"]);
        assert_eq!(update(json!({"name": " A "}), vec![]).unwrap().name.as_deref(), Some("A"));
        assert_eq!(wrong_fields(update(json!({"content": "a"}), vec![file("a.md")])), ["file"]);
        assert_eq!(wrong_fields(update(json!({"name": null}), vec![])), ["name"]);
    }
}
