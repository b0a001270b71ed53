//! Pure: units of lists and steps, as a whole with their announcement and item by item.

use std::ops::Range;

use super::blocks::{self, ItemMarker};
use super::{Announcement, TextSlice, UnitCollector, UnitKind, classify};

/// A list with more items also yields its items.
const LONG_ITEMS: usize = 12;

/// A list with more characters also yields its items.
const LONG: usize = 900;

/// A list with more characters yields only its items.
const MAX_WHOLE_LIST: usize = 2_000;

/// Maximum characters of steps; they are never split.
const MAX_STEPS: usize = 4_000;

/// List item.
#[derive(Clone, Debug)]
pub(super) struct ListItem<'a> {
    pub(super) depth: usize,
    pub(super) marker: ItemMarker,
    pub(super) parts: Vec<TextSlice<'a>>,
}

impl<'a> From<&'a blocks::RawItem> for ListItem<'a> {
    fn from(item: &'a blocks::RawItem) -> Self {
        let parts = item.texts.iter().map(|text| TextSlice::new(text, text.whole())).collect();
        Self { depth: item.depth, marker: item.marker, parts }
    }
}

impl ListItem<'_> {
    fn plain(&self) -> String {
        self.parts.iter().map(TextSlice::plain).collect::<Vec<&str>>().join(" ")
    }

    fn source(&self) -> Option<Range<usize>> {
        let sources = self.parts.iter().filter_map(|part| part.text.source(&part.range()));
        sources.reduce(|all, part| all.start..part.end)
    }

    fn is_navigation(&self) -> bool {
        let is_link =
            |part: &TextSlice<'_>| part.text.is_link(&part.range()) && !reads_as_sentence(part.plain());
        self.parts.iter().all(|part| is_link(part) || classify::is_navigation(part.plain()))
    }

    fn asks(&self) -> bool {
        self.parts.first().is_some_and(|part| {
            let first = super::sentences::sentences(&part.text.plain, part.range()).into_iter().next();
            first.is_some_and(|first| classify::is_question(part.text.get(&first)))
                || classify::question_prefix(part.plain()).is_some() && part.plain().contains('?')
        })
    }
}

/// Whether a text could be a sentence of a paragraph.
fn reads_as_sentence(text: &str) -> bool {
    classify::ends_sentence(text) && classify::words(text) > 4
}

impl UnitCollector {
    pub(super) fn list(&mut self, items: &[ListItem<'_>], announcement: Option<Announcement>) {
        let items: Vec<&ListItem<'_>> = items.iter().filter(|item| !item.parts.is_empty()).collect();
        let links = items.iter().filter(|item| item.is_navigation()).count();
        if items.is_empty() || links * 5 >= items.len() * 4 {
            return;
        }
        if items.iter().filter(|item| item.asks()).count() * 2
            >= items.iter().filter(|item| item.depth == 1).count()
        {
            return self.questions(&items);
        }
        let question = self.question.take();
        let is_ordered = items.first().is_some_and(|item| matches!(item.marker, ItemMarker::Number(_)));
        let sentences = items.iter().filter(|item| reads_as_sentence(&item.plain())).count();
        let are_sentences = sentences * 2 > items.len();
        // The number of a single paragraph is a section number.
        let is_list = items.len() > 1 || announcement.is_some() || question.is_some();
        let belongs_together = announcement.is_some() || question.is_some() || is_ordered || !are_sentences;
        let text = render(&items, announcement.as_ref());
        let length = text.chars().count();
        let longest = if is_ordered { MAX_STEPS } else { MAX_WHOLE_LIST };
        let is_whole = is_list && belongs_together && length <= longest;
        if is_whole && let Some(source) = source(&items, announcement.as_ref()) {
            let lead =
                question.clone().or_else(|| announcement.is_none().then(|| self.heading.clone()).flatten());
            self.push(if is_ordered { UnitKind::Steps } else { UnitKind::List }, text, lead, source);
        }
        let is_long = items.len() > LONG_ITEMS || length > LONG;
        let lead = announcement.map(|announcement| announcement.text).or(question);
        for item in items {
            let is_value =
                !is_ordered && item.parts.first().is_some_and(|part| classify::value(part.plain()).is_some());
            if !is_whole || is_long || is_value || (!is_ordered && are_sentences) {
                self.item(item, lead.as_deref(), is_value);
            }
        }
    }

    /// Units of one item: its sentences, or a name with its value.
    fn item(&mut self, item: &ListItem<'_>, lead: Option<&str>, is_value: bool) {
        if item.is_navigation() {
            return;
        }
        let plain = item.plain();
        if !classify::ends_sentence(&plain)
            && !classify::ends_with_colon(&plain)
            && !classify::is_file_name(&plain)
        {
            let kind = if is_value { UnitKind::Row } else { UnitKind::Sentence };
            let lead = lead.map(str::to_owned).or_else(|| self.heading.clone());
            if let Some(source) = item.source() {
                self.push(kind, plain, lead, source);
            }
            return;
        }
        for part in &item.parts {
            self.prose(*part, lead);
        }
    }

    /// Items that are questions; the text after or below each question answers it.
    fn questions(&mut self, items: &[&ListItem<'_>]) {
        for item in items {
            for part in &item.parts {
                self.paragraph_part(*part);
            }
        }
        self.question = None;
    }
}

/// Renders a list: its announcement, then a line per item.
fn render(items: &[&ListItem<'_>], announcement: Option<&Announcement>) -> String {
    let mut lines: Vec<String> =
        announcement.into_iter().map(|announcement| announcement.text.clone()).collect();
    for item in items {
        let indent = "  ".repeat(item.depth.saturating_sub(1).min(4));
        lines.push(match item.marker {
            ItemMarker::Bullet => format!("{indent}- {}", item.plain()),
            ItemMarker::Number(number) => format!("{indent}{number}. {}", item.plain()),
            ItemMarker::None => format!("{indent}{}", item.plain()),
        });
    }
    lines.join("\n")
}

fn source(items: &[&ListItem<'_>], announcement: Option<&Announcement>) -> Option<Range<usize>> {
    let sources = items.iter().filter_map(|item| item.source());
    let all = sources.reduce(|all, item| all.start..item.end)?;
    Some(announcement.map_or(all.start, |announcement| announcement.source.start)..all.end)
}
