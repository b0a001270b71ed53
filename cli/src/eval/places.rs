//! Where expected passages are in the sources of a bot, as they were stored.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context as _, bail};
use parlance_core::bots::Bot;
use parlance_core::ids::{SourceId, TenantId};
use parlance_core::knowledge::{self, Filter, Source};
use parlance_core::{Context, PageRequest};

use super::exam::{Expected, Question};

/// Where a passage is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    source: SourceId,
    /// The parts of the source that state the fact, in characters; empty: any part does.
    spans: Vec<Range<i32>>,
    /// Whether any part of the source is the passage, for search.
    whole_source: bool,
}

impl Place {
    /// Whether a chunk holds most of one of the parts.
    pub(crate) fn is_in(&self, source: SourceId, chunk: &Range<i32>) -> bool {
        let holds = |span: &Range<i32>| {
            let shared = chunk.end.min(span.end) - chunk.start.max(span.start);
            shared * 2 >= span.end - span.start
        };
        source == self.source && (self.whole_source || self.spans.is_empty() || self.spans.iter().any(holds))
    }

    /// Whether a cited part of a source overlaps one of the parts.
    pub(crate) fn touches(&self, source: SourceId, cited: &Range<i32>) -> bool {
        let overlaps = |span: &Range<i32>| cited.start < span.end && span.start < cited.end;
        source == self.source && (self.spans.is_empty() || self.spans.iter().any(overlaps))
    }
}

/// The texts of a bot's sources, by their names.
pub(crate) struct Texts(BTreeMap<String, (SourceId, String)>);

impl Texts {
    pub(crate) async fn of(ctx: &Context, tenant: TenantId, bot: &Bot) -> anyhow::Result<Self> {
        let mut texts = BTreeMap::new();
        let filter = Filter { bot: Some(bot.id), ..Filter::default() };
        for source in sources(ctx, tenant, filter).await? {
            let content = knowledge::get(ctx, tenant, source.id).await?.content.unwrap_or_default();
            texts.insert(source.name, (source.id, content));
        }
        Ok(Self(texts))
    }

    pub(crate) fn locate(&self, question: &Question) -> anyhow::Result<Vec<Place>> {
        let places = question.expected.iter();
        places.map(|expected| self.place(expected).with_context(|| question.id.clone())).collect()
    }

    fn place(&self, expected: &Expected) -> anyhow::Result<Place> {
        let Some((source, content)) = self.0.get(&expected.source) else {
            bail!("the bot has no source {:?}", expected.source);
        };
        let spans = match &expected.quote {
            None => Vec::new(),
            Some(quote) => spans(content, quote, &expected.facts)
                .with_context(|| format!("{} does not say {quote:?}", expected.source))?,
        };
        Ok(Place { source: *source, spans, whole_source: expected.whole_source })
    }
}

/// The occurrences of the facts within the quote, in characters; without any, the quote itself. `None`: there is no
/// such quote.
fn spans(content: &str, quote: &str, facts: &[String]) -> Option<Vec<Range<i32>>> {
    let begin = content.find(quote)?;
    let before = characters(content.get(..begin)?)?;
    let within = |part: &str, at: usize| {
        let start = before + characters(quote.get(..at)?)?;
        Some(start..start + characters(part)?)
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

fn characters(text: &str) -> Option<i32> {
    i32::try_from(text.chars().count()).ok()
}

/// Every source of a list.
pub(crate) async fn sources(ctx: &Context, tenant: TenantId, filter: Filter) -> anyhow::Result<Vec<Source>> {
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

/// The pages of a list, as large as they may be.
fn pages() -> impl Iterator<Item = PageRequest> {
    (1..).map(PageRequest::largest)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::single_range_in_vec_init, reason = "a list of one span")]

    use super::*;

    #[test]
    fn facts_are_found_within_their_quote_in_characters() {
        let content = "Été: 5 €. Après 30 jours, 5 € de plus.";
        let of = |facts: &[&str]| {
            let facts: Vec<String> = facts.iter().map(|fact| (*fact).to_owned()).collect();
            spans(content, "Après 30 jours, 5 € de plus.", &facts)
        };
        assert_eq!(of(&["5 €"]), Some(vec![26..29]));
        assert_eq!(of(&["never said"]), Some(vec![10..38]));
        assert_eq!(spans(content, "Nothing", &[]), None);
    }

    #[test]
    fn a_chunk_is_found_by_half_a_passage_and_cited_by_a_part() {
        let place = Place { source: SourceId::fresh(), spans: vec![10..20], whole_source: false };
        assert!(place.is_in(place.source, &(0..15)) && !place.is_in(place.source, &(0..14)));
        assert!(place.touches(place.source, &(0..11)) && !place.touches(place.source, &(0..10)));
        assert!(!place.touches(SourceId::fresh(), &(0..11)));
        let anywhere = Place { whole_source: true, ..place.clone() };
        assert!(anywhere.is_in(place.source, &(50..60)) && !anywhere.touches(place.source, &(50..60)));
    }
}
