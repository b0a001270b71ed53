//! Knowledge: upload a file, look at a source.

use parlance_core::ids::SourceId;
use parlance_core::knowledge;
use parlance_core::{Context, Result};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use crate::auth::{Knowledge, Tenant};
use crate::docs::Tag;
use crate::envelope::{CreatedOrFound, Found};
use crate::error::{Adding, Fails, Finding, When};
use crate::upload::FileForm;
use crate::values::PathId;

mod shown;

pub(crate) use shown::{Chunk, Progress, Source, SourceDetails, SourceWithContent, Upload};

#[derive(Clone, Copy, Default)]
pub(crate) struct Api;

/// Completes "The 'file' field is required when …".
const UPLOADING: &str = "uploading a file";

#[OpenApi(tag = "Tag::Knowledge")]
impl Api {
    /// Get knowledge source
    ///
    /// Retrieve detailed information about a specific knowledge source including all chunks.
    #[oai(path = "/knowledge/sources/:source_id", method = "get", operation_id = "getKnowledgeSource")]
    async fn get_source(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Unique identifier of the knowledge source.
        source_id: Path<PathId<SourceId>>,
    ) -> Result<Found<SourceDetails>, Fails<Finding>> {
        Ok(Found(knowledge::get(&ctx, tenant.id(), source_id.0.known()?).await?.into()))
    }

    /// Upload knowledge file
    ///
    /// Upload a file directly for knowledge base processing. The file is stored at once and read by a
    /// job. A file that the bot has already is answered with 200 and its source.
    #[oai(path = "/knowledge/upload", method = "post", operation_id = "uploadKnowledgeFile")]
    async fn upload_file(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        form: FileForm,
    ) -> Result<CreatedOrFound<Upload>, Fails<Adding>> {
        let file = form.parse().when(UPLOADING)?;
        let uploaded = knowledge::upload(&ctx, tenant.id(), file.bot, &file.name, file.bytes).await;
        Ok(uploaded.when(UPLOADING)?.into())
    }
}
