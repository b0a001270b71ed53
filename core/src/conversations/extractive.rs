//! Pure: the built-in answer, made of the units of the passages that answer the question best.

use std::ops::Range;

use crate::conversations::{Citation, Support};
use crate::knowledge::search::Hit;

mod candidates;
mod compose;
mod phrases;

pub use candidates::{Candidate, candidates};
pub use compose::{Composed, compose};
pub use phrases::{tentative, unknown};

pub use super::passages::UnitKind;

/// A candidate, and how well it fits the question.
#[derive(Clone, Debug)]
pub struct Scored {
    /// The candidate.
    pub candidate: Candidate,
    /// Cosine of the question and its `match_text`.
    pub cosine: f32,
    /// What candidates are ranked by: 0 as a sentence about something else, 1 as an answer, on average, and its
    /// coverage beside.
    pub relevance: f32,
}

/// Support of the units of a composed answer: each by its citation. What stands before the first states nothing.
#[must_use]
pub fn support(text: &str, citations: &[Citation]) -> Vec<Support> {
    let mut from = 0;
    let mut support = Vec::new();
    for citation in citations {
        let quoted = format!("{} [{}]", citation.snippet, citation.index);
        let Some(start) = text.get(from..).and_then(|rest| rest.find(&quoted)).map(|at| from + at) else {
            continue;
        };
        let characters = |byte: usize| text.get(..byte).map_or(0, |before| before.chars().count());
        from = start + quoted.len();
        let (start, end) = (characters(start), characters(from));
        support.push(Support { start, end, citation: Some(citation.index), score: 1.0 });
    }
    support
}

/// A citation of a part of a passage.
#[must_use]
pub fn cite(hit: &Hit, index: usize, span: Range<usize>, score: f32, snippet: &str) -> Citation {
    let at = |offset: usize| hit.start.saturating_add(i32::try_from(offset).unwrap_or(i32::MAX)).min(hit.end);
    Citation {
        index,
        source_id: hit.source,
        source_name: hit.source_name.clone(),
        chunk_id: hit.chunk,
        chunk_index: hit.ordinal,
        page: hit.page,
        heading: hit.heading.clone(),
        start: at(span.start),
        end: at(span.end),
        score,
        snippet: snippet.to_owned(),
        url: hit.url.clone(),
    }
}

#[cfg(test)]
mod tests;
