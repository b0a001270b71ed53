//! Knowledge.

use parlance_core::knowledge;
use poem_openapi::types::Example;

use super::{BOT, CHUNK, JOB, PASSAGE, SOURCE, given, moment};
use crate::extract::fields::Field;
use crate::extract::types::{Id, OrNull};
use crate::routes::knowledge::{
    Chunk, CreateSource, CreatedSource, FailedUrl, Passage, Progress, ScrapeSite, Scraped, Scraping,
    SearchKnowledge, SearchResults, SearchTimings, SitePage, Source, SourceChunk, SourceDetails,
    SourceWithContent, UpdateSource, UpdatedSource, Upload,
};

impl Example for Upload {
    fn example() -> Self {
        Self {
            id: Id::from(SOURCE),
            name: "product-faq.md".into(),
            source_type: knowledge::SourceType::File.into(),
            status: knowledge::Status::Processing.into(),
            file_size: 10_240,
            message: "File uploaded and processing started".into(),
            job_id: OrNull(Some(Id::from(JOB))),
            duplicate: false,
        }
    }
}

impl Example for Source {
    fn example() -> Self {
        Self {
            id: Id::from(SOURCE),
            bot_id: Id::from(BOT),
            bot_name: "Customer Support Bot".into(),
            name: "product-faq.md".into(),
            source_type: knowledge::SourceType::File.into(),
            content_preview: OrNull(Some(PASSAGE.into())),
            file_path: OrNull(Some(format!("/uploads/{SOURCE}/product-faq.md"))),
            url: OrNull(None),
            status: knowledge::Status::Ready.into(),
            progress: Progress { done: 1, total: OrNull(Some(1)), unit: "chunks".into(), percent: 100 },
            error: OrNull(None),
            job_id: OrNull(Some(Id::from(JOB))),
            size_bytes: OrNull(Some(10_240)),
            chunk_count: OrNull(Some(1)),
            reused_chunks: OrNull(Some(0)),
            notes: Vec::new(),
            include_subpages: OrNull(None),
            max_pages: OrNull(None),
            version: 1,
            created_at: moment(0),
            updated_at: moment(1),
        }
    }
}

impl Example for SourceDetails {
    fn example() -> Self {
        Self {
            source: SourceWithContent { source: Source::example(), content: OrNull(Some(PASSAGE.into())) },
            chunks: vec![Chunk {
                id: Id::from(CHUNK),
                content: PASSAGE.into(),
                chunk_index: 0,
                created_at: moment(1),
            }],
        }
    }
}

impl Example for CreateSource {
    fn example() -> Self {
        Self {
            bot_id: given(BOT),
            name: given("Company Policies"),
            source_type: given(knowledge::SourceType::Text),
            content: given(
                "Our company policies include: 1. Remote work is allowed up to 3 days per week. 2. All employees \
                 get 25 vacation days per year. 3. Health insurance is provided for all full-time employees.",
            ),
            ..Self::default()
        }
    }
}

impl Example for CreatedSource {
    fn example() -> Self {
        let source = Source {
            name: "Company Policies".into(),
            source_type: knowledge::SourceType::Text.into(),
            content_preview: OrNull(None),
            file_path: OrNull(None),
            status: knowledge::Status::Queued.into(),
            progress: Progress { done: 0, total: OrNull(None), unit: "chunks".into(), percent: 0 },
            size_bytes: OrNull(Some(190)),
            chunk_count: OrNull(None),
            reused_chunks: OrNull(None),
            ..Source::example()
        };
        Self { source, message: "Knowledge source created successfully".into(), duplicate: false }
    }
}

impl Example for UpdateSource {
    fn example() -> Self {
        Self { name: given("Company Policies 2026"), ..Self::default() }
    }
}

impl Example for UpdatedSource {
    fn example() -> Self {
        let source = Source { name: "Company Policies 2026".into(), ..Source::example() };
        Self { source, message: "Knowledge source updated successfully".into() }
    }
}

impl Example for SourceChunk {
    fn example() -> Self {
        Self {
            chunk: Chunk {
                id: Id::from(CHUNK),
                content: PASSAGE.into(),
                chunk_index: 0,
                created_at: moment(1),
            },
            heading: OrNull(Some("Returns".into())),
            page: OrNull(None),
            start: 0,
            end: 83,
            token_count: 22,
        }
    }
}

impl Example for ScrapeSite {
    fn example() -> Self {
        Self { bot_id: given(BOT), url: given(SITE), include_subpages: given(true), max_pages: given(10) }
    }
}

/// The web site of the reference.
const SITE: &str = "https://example.com/help";

impl Example for Scraped {
    fn example() -> Self {
        Self {
            pages_scraped: 8,
            knowledge_chunks_created: 45,
            failed_urls: vec![FailedUrl {
                url: format!("{SITE}/old"),
                reason: "http_404".into(),
                status: OrNull(Some(404)),
            }],
            message: "Website scraped; some pages could not be read".into(),
            source_id: Id::from(SOURCE),
            job_id: OrNull(Some(Id::from(JOB))),
            status: knowledge::Status::Ready.into(),
            error: OrNull(None),
            duplicate: false,
        }
    }
}

impl Example for Scraping {
    fn example() -> Self {
        Self {
            source_id: Id::from(SOURCE),
            job_id: OrNull(Some(Id::from(JOB))),
            status: knowledge::Status::Queued.into(),
            message: "Website scraping started".into(),
            duplicate: false,
        }
    }
}

impl Example for SitePage {
    fn example() -> Self {
        Self {
            number: 1,
            url: SITE.into(),
            title: OrNull(Some("Help".into())),
            status: knowledge::crawl::PageState::Fetched.into(),
            http_status: OrNull(Some(200)),
            bytes: OrNull(Some(18_204)),
            chunks: 6,
            reason: OrNull(None),
            message: OrNull(None),
            fetched_at: OrNull(Some(moment(1))),
        }
    }
}

impl Example for SearchKnowledge {
    fn example() -> Self {
        Self {
            bot_id: given(BOT),
            query: given("How many days of vacation do I have?"),
            top_k: given(5_i64),
            mode: given(knowledge::search::Mode::Hybrid),
            source_ids: Field::Absent,
        }
    }
}

impl Example for SearchResults {
    fn example() -> Self {
        Self {
            bot_id: Id::from(BOT),
            query: "How many days of vacation do I have?".into(),
            mode: knowledge::search::Mode::Hybrid.into(),
            results: vec![Passage::example()],
            timings_ms: SearchTimings::example(),
        }
    }
}

impl Example for Passage {
    fn example() -> Self {
        Self {
            chunk_id: Id::from(CHUNK),
            source_id: Id::from(SOURCE),
            source_name: "product-faq.md".into(),
            chunk_index: 0,
            page: OrNull(None),
            heading: OrNull(None),
            content: PASSAGE.into(),
            start: 0,
            end: i32::try_from(PASSAGE.chars().count()).unwrap_or(i32::MAX),
            url: OrNull(None),
            score: 0.5,
            vector_score: OrNull(Some(0.625)),
            vector_rank: OrNull(Some(1)),
            text_score: OrNull(Some(0.0625)),
            text_rank: OrNull(Some(1)),
            rerank_score: OrNull(None),
        }
    }
}

impl Example for SearchTimings {
    fn example() -> Self {
        Self { embed: 4.5, search: 2.25, rerank: 0.0 }
    }
}
