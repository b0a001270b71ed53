//! Locates expected passages in the stored sources of a bot.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context as _, bail};
use parlance_core::bots::Bot;
use parlance_core::ids::{SourceId, TenantId};
use parlance_core::knowledge::{self, Filter, Source};
use parlance_core::{Context, PageRequest};

use super::suite::{Expected, Question};

/// Location of an expected passage.
#[derive(Clone, Debug)]
pub(crate) struct PassageLocation {
    source: SourceId,
    /// Character ranges that state the fact. Empty: any part of the source does.
    spans: Vec<Range<i32>>,
    /// Whether search may return any part of the source.
    whole_source: bool,
}

impl PassageLocation {
    /// Whether a chunk contains at least half of one of the spans.
    pub(crate) fn is_found_in(&self, source: SourceId, chunk: &Range<i32>) -> bool {
        let holds = |span: &Range<i32>| {
            let shared = chunk.end.min(span.end) - chunk.start.max(span.start);
            shared * 2 >= span.end - span.start
        };
        source == self.source && (self.whole_source || self.spans.is_empty() || self.spans.iter().any(holds))
    }

    /// Whether a citation overlaps one of the spans.
    pub(crate) fn overlaps(&self, source: SourceId, cited: &Range<i32>) -> bool {
        let intersects = |span: &Range<i32>| cited.start < span.end && span.start < cited.end;
        source == self.source && (self.spans.is_empty() || self.spans.iter().any(intersects))
    }
}

/// Ids and texts of a bot's sources, by source name.
pub(crate) struct SourceTexts(BTreeMap<String, (SourceId, String)>);

impl SourceTexts {
    pub(crate) async fn load(ctx: &Context, tenant: TenantId, bot: &Bot) -> anyhow::Result<Self> {
        let mut texts = BTreeMap::new();
        let filter = Filter { bot: Some(bot.id), ..Filter::default() };
        for source in list_sources(ctx, tenant, filter).await? {
            let content = knowledge::get(ctx, tenant, source.id).await?.content.unwrap_or_default();
            texts.insert(source.name, (source.id, content));
        }
        Ok(Self(texts))
    }

    pub(crate) fn locate(&self, question: &Question) -> anyhow::Result<Vec<PassageLocation>> {
        let expected = question.expected.iter();
        expected.map(|expected| self.locate_one(expected).with_context(|| question.id.clone())).collect()
    }

    fn locate_one(&self, expected: &Expected) -> anyhow::Result<PassageLocation> {
        let Some((source, content)) = self.0.get(&expected.source) else {
            bail!("the bot has no source {:?}", expected.source);
        };
        let spans = match &expected.quote {
            None => Vec::new(),
            Some(quote) => spans(content, quote, &expected.facts)
                .with_context(|| format!("{} does not contain {quote:?}", expected.source))?,
        };
        Ok(PassageLocation { source: *source, spans, whole_source: expected.whole_source })
    }
}

/// Character ranges of the facts within the quote, or of the whole quote if none occurs. `None`: the content does not
/// contain the quote.
fn spans(content: &str, quote: &str, facts: &[String]) -> Option<Vec<Range<i32>>> {
    let quote_start = content.find(quote)?;
    let before = char_count(content.get(..quote_start)?)?;
    let within = |part: &str, at: usize| {
        let start = before + char_count(quote.get(..at)?)?;
        Some(start..start + char_count(part)?)
    };
    let facts = facts.iter().filter(|fact| !fact.is_empty());
    let mut spans: Vec<Range<i32>> = facts
        .flat_map(|fact| quote.match_indices(fact.as_str()))
        .filter_map(|(at, fact)| within(fact, at))
        .collect();
    if spans.is_empty() {
        spans.extend(within(quote, 0));
    }
    Some(spans)
}

fn char_count(text: &str) -> Option<i32> {
    i32::try_from(text.chars().count()).ok()
}

/// Lists all sources that match a filter.
pub(crate) async fn list_sources(
    ctx: &Context,
    tenant: TenantId,
    filter: Filter,
) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for page in pages() {
        let page = knowledge::list(ctx, tenant, filter, page).await?;
        let is_last = page.page * page.per_page >= page.total;
        sources.extend(page.items);
        if is_last {
            break;
        }
    }
    Ok(sources)
}

/// Requests for successive pages of the maximum size.
fn pages() -> impl Iterator<Item = PageRequest> {
    (1..).map(PageRequest::largest)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::single_range_in_vec_init, reason = "a list of one span")]

    use super::*;

    #[test]
    fn facts_are_located_within_their_quote_in_characters() {
        let content = "Été: 5 €. Après 30 jours, 5 € de plus.";
        let locate = |facts: &[&str]| {
            let facts: Vec<String> = facts.iter().map(|fact| (*fact).to_owned()).collect();
            spans(content, "Après 30 jours, 5 € de plus.", &facts)
        };
        assert_eq!(locate(&["5 €"]), Some(vec![26..29]));
        assert_eq!(locate(&["never said"]), Some(vec![10..38]));
        assert_eq!(spans(content, "Nothing", &[]), None);
    }

    #[test]
    fn half_a_passage_counts_as_found_and_any_overlap_as_cited() {
        let passage = PassageLocation { source: SourceId::fresh(), spans: vec![10..20], whole_source: false };
        assert!(
            passage.is_found_in(passage.source, &(0..15)) && !passage.is_found_in(passage.source, &(0..14))
        );
        assert!(passage.overlaps(passage.source, &(0..11)) && !passage.overlaps(passage.source, &(0..10)));
        assert!(!passage.overlaps(SourceId::fresh(), &(0..11)));
        let anywhere = PassageLocation { whole_source: true, ..passage.clone() };
        assert!(
            anywhere.is_found_in(passage.source, &(50..60)) && !anywhere.overlaps(passage.source, &(50..60))
        );
    }
}
