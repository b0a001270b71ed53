//! Pure: the extractive answer, composed of the passage units that best answer the question.

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

/// Candidate with its scores.
#[derive(Clone, Debug)]
pub struct Scored {
    /// Candidate.
    pub candidate: Candidate,
    /// Cosine of the question and `match_text`.
    pub cosine: f32,
    /// Ranking score: relative cosine (0 for an unrelated sentence, 1 for an answer, on average) plus
    /// weighted coverage.
    pub relevance: f32,
}

/// Support of each unit of a composed answer, by its citation. A lead before the first unit needs none.
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

/// Citation of a part of a passage.
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
