//! JSON request bodies of the knowledge routes. `form_requests` adds the forms with files.

use parlance_core::Result;
use parlance_core::field::Name;
use parlance_core::ids::{BotId, SourceId};
use parlance_core::knowledge::search::{Mode, Query, SearchRequest, TopK};
use parlance_core::knowledge::{MaxPages, Original, Site, SiteUrl, SourceRequest};
use poem_openapi::Object;

use crate::extract::enums::WrittenType;
use crate::extract::fields::{Field, Fields, Required};
use crate::extract::values::DocumentText;

/// A knowledge source from a text or a web site. (From a file: send a form.)
#[derive(Debug, Default, Object)]
pub(crate) struct CreateSource {
    /// ID of the bot to add knowledge to.
    pub(crate) bot_id: Required<BotId>,
    /// Name of the knowledge source.
    pub(crate) name: Required<Name>,
    /// Type of source.
    pub(crate) source_type: Required<WrittenType>,
    /// The knowledge content: text or Markdown, at most 10 MB. Required for the type text.
    pub(crate) content: Field<DocumentText>,
    /// Website URL to scrape. Required for the type url.
    pub(crate) url: Field<SiteUrl>,
    /// Whether pages below the address are read too (type url).
    pub(crate) include_subpages: Field<Option<bool>>,
    /// How many pages are read at most, with include_subpages (type url; 5 when not given).
    pub(crate) max_pages: Field<Option<MaxPages>>,
}

/// A web site to scrape.
#[derive(Debug, Default, Object)]
pub(crate) struct ScrapeSite {
    /// ID of the bot to add knowledge to.
    pub(crate) bot_id: Required<BotId>,
    /// Website URL to scrape.
    pub(crate) url: Required<SiteUrl>,
    /// Whether pages below the address are read too.
    pub(crate) include_subpages: Field<Option<bool>>,
    /// How many pages are read at most, with include_subpages (5 when not given).
    pub(crate) max_pages: Field<Option<MaxPages>>,
}

impl ScrapeSite {
    pub(crate) fn parse(self) -> Result<SourceRequest> {
        let mut fields = Fields::of_body();
        let bot = fields.required("bot_id", self.bot_id);
        let url = fields.required("url", self.url);
        let include_subpages = fields.optional("include_subpages", self.include_subpages);
        let max_pages = fields.optional("max_pages", self.max_pages);
        fields.finish(|| {
            let site = Site::new(url?, include_subpages?.unwrap_or(false), max_pages?);
            Some(SourceRequest { bot: bot?, original: Original::of_site(site) })
        })
    }
}

/// A search of a bot's knowledge.
#[derive(Debug, Default, Object)]
pub(crate) struct SearchKnowledge {
    /// ID of the bot whose knowledge is searched.
    pub(crate) bot_id: Required<BotId>,
    /// The question, or the words.
    pub(crate) query: Required<Query>,
    /// How many passages are given at most (10 when not given).
    pub(crate) top_k: Field<Option<TopK>>,
    /// What passages are ranked by: `vector` by meaning, `text` by the words they share with the query,
    /// `hybrid` (when not given) by both, fused.
    pub(crate) mode: Field<Option<Mode>>,
    /// IDs of the knowledge sources that are searched (all of the bot's when not given).
    pub(crate) source_ids: Field<Option<Vec<SourceId>>>,
}

impl SearchKnowledge {
    pub(crate) fn parse(self) -> Result<SearchRequest> {
        let mut fields = Fields::of_body();
        let bot = fields.required("bot_id", self.bot_id);
        let query = fields.required("query", self.query);
        let top_k = fields.optional("top_k", self.top_k);
        let mode = fields.optional("mode", self.mode);
        let sources = fields.optional("source_ids", self.source_ids);
        fields.finish(|| {
            Some(SearchRequest {
                bot: bot?,
                query: query?,
                top_k: top_k?.unwrap_or_default(),
                mode: mode?.unwrap_or_default(),
                sources: sources?,
            })
        })
    }
}

/// Whether the header `Prefer` (RFC 7240) has `respond-async`.
pub(super) fn prefers_async(prefer: Field<String>) -> bool {
    let Field::Given(prefer) = prefer else { return false };
    prefer.split(',').any(|preference| {
        let name = preference.split([';', '=']).next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("respond-async")
    })
}

/// Changes to a knowledge source. (A new file: send a form.)
#[derive(Debug, Default, Object)]
pub(crate) struct UpdateSource {
    /// New name.
    pub(crate) name: Field<Name>,
    /// New content, of a source that is made from a text: text or Markdown, at most 10 MB.
    pub(crate) content: Field<DocumentText>,
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::ParseFromJSON;
    use serde_json::json;

    use super::*;
    use crate::extract::fields::wrong_fields;

    #[test]
    fn every_problem_of_a_search_is_listed() {
        let json = json!({"bot_id": "x", "query": " ", "top_k": 51, "mode": "magic", "source_ids": ["x"]});
        let search = SearchKnowledge::parse_from_json(Some(json)).ok().unwrap().parse();
        assert_eq!(wrong_fields(search), ["bot_id", "query", "top_k", "mode", "source_ids"]);
    }
}
