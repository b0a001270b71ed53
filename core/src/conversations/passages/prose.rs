//! Pure: units of paragraphs, including labels, questions and lists written as plain text.

use std::ops::Range;

use super::blocks::{Block, ItemMarker};
use super::lists::ListItem;
use super::questions::answer_start;
use super::text::Text;
use super::{Announcement, TextSlice, UnitCollector, UnitKind, classify, sentences};

/// Maximum characters of an antecedent.
const MAX_ANTECEDENT: usize = 160;

/// Maximum characters of a label above a paragraph in plain text.
const MAX_LABEL: usize = 40;

impl UnitCollector {
    pub(super) fn paragraph(&mut self, text: &Text, next: Option<&Block>) {
        let whole = TextSlice::new(text, text.whole());
        let lines = lines_of(&whole);
        if let Some(at) =
            lines.iter().position(is_item).filter(|_| lines.iter().filter(|line| is_item(line)).count() > 1)
        {
            return self.bullets(text, &lines, at);
        }
        if lines.len() > 1 && lines.iter().all(|line| line.plain().starts_with('|')) {
            return self.rows(&lines);
        }
        if lines.len() == 1 && self.take_label(&whole, next) {
            return;
        }
        let announces = matches!(next, Some(Block::List(_) | Block::Table { .. } | Block::Code(_)));
        let rest = if announces { self.announce(&whole, next) } else { whole };
        if !rest.is_empty() {
            self.paragraph_part(rest);
        }
    }

    /// Reads lines with bullets or "Step 1:" as a list; the text above announces it.
    fn bullets(&mut self, text: &Text, lines: &[TextSlice<'_>], first: usize) {
        let mut announcement = None;
        if let Some(above) =
            lines.get(..first).and_then(|above| Some(above.first()?.start..above.last()?.end))
        {
            let above = TextSlice::new(text, above);
            if classify::is_label(above.plain()) && !classify::ends_with_colon(above.plain()) {
                self.set_heading(above.plain());
            } else {
                let rest = self.announce(&above, None);
                announcement = self.announcement.take();
                if !rest.is_empty() {
                    self.paragraph_part(rest);
                }
            }
        }
        let mut items: Vec<ListItem<'_>> = Vec::new();
        for line in lines.iter().skip(first) {
            let (marker, start) = match (classify::bullet(line.plain()), classify::step_prefix(line.plain()))
            {
                (Some(at), _) => (ItemMarker::Bullet, at),
                (None, Some((number, at))) => (ItemMarker::Number(number), at),
                (None, None) => (ItemMarker::None, 0),
            };
            let part = TextSlice::new(text, line.start + start..line.end);
            match (items.last_mut(), marker) {
                // Continuation line of an item.
                (Some(item), ItemMarker::None) => item.parts.push(part),
                _ => items.push(ListItem { depth: 1, marker, parts: vec![part] }),
            }
        }
        items.iter_mut().for_each(|item| item.parts.retain(|part| !part.is_empty()));
        self.list(&items, announcement);
        self.question = None;
    }

    /// Sets the heading and returns true if a line is a label or question for what follows.
    fn take_label(&mut self, line: &TextSlice<'_>, next: Option<&Block>) -> bool {
        let plain = line.plain();
        if classify::is_navigation(plain) {
            return true;
        }
        let is_bold = line.text.is_bold(&line.range());
        let is_last = next.is_none_or(|next| matches!(next, Block::Heading(_) | Block::Rule));
        let count = sentences::sentences(&line.text.plain, line.range()).len();
        if count == 1 && classify::is_question(plain) && classify::answer_prefix(plain).is_none() {
            self.set_heading(plain);
            return true;
        }
        let announces = matches!(next, Some(Block::List(_) | Block::Table { .. } | Block::Code(_)));
        if classify::ends_with_colon(plain) && announces {
            return false;
        }
        let is_label = if is_bold {
            count == 1 && !(classify::ends_sentence(plain) && classify::words(plain) > 4)
        } else {
            classify::is_label(plain)
                && (!is_last || classify::ends_with_colon(plain))
                && self.question.is_none()
        };
        if is_label {
            self.set_heading(plain);
        }
        is_label
    }

    /// Stores the last sentence as announcement of the next block; returns the text before it.
    fn announce<'a>(&mut self, part: &TextSlice<'a>, next: Option<&Block>) -> TextSlice<'a> {
        let found = sentences::sentences(&part.text.plain, part.range());
        let Some(last) = found.last() else { return *part };
        // A label on its own line is not part of the sentence after it.
        let last = part
            .text
            .lines(last)
            .pop()
            .filter(|line| part.text.get(line).len() == part.text.get(last).len())
            .unwrap_or(last.clone());
        let plain = part.text.get(&last);
        let is_announcement = match next {
            Some(Block::List(_)) | None => classify::announces(plain),
            Some(_) => classify::ends_with_colon(plain),
        };
        let Some(source) = part.text.source(&last).filter(|_| is_announcement) else { return *part };
        let last_start = last.start;
        let start = answer_start(plain);
        let text = plain.get(start..).unwrap_or(plain).trim_start().to_owned();
        self.announcement = Some(Announcement { text, source });
        TextSlice::new(part.text, part.start..last_start)
    }

    /// Units of a paragraph, a list item, or the text above a list.
    pub(super) fn paragraph_part(&mut self, part: TextSlice<'_>) {
        let lines = lines_of(&part);
        let asks = |line: &TextSlice<'_>| {
            classify::question_prefix(line.plain()).is_some() && line.plain().contains('?')
        };
        if lines.iter().any(asks)
            || lines.iter().any(|line| classify::answer_prefix(line.plain()).is_some())
                && self.question.is_some()
        {
            return self.questions_and_answers(&part, &lines);
        }
        if lines.len() > 1 && lines.iter().skip(1).all(|line| classify::value(line.plain()).is_some()) {
            return self.values(&lines);
        }
        let part = match lines.as_slice() {
            [first, second, ..] if is_label_line(first, second) => {
                self.set_heading(first.plain());
                TextSlice::new(part.text, second.start..part.end)
            }
            [first, second, ..] if classify::is_navigation(first.plain()) => {
                TextSlice::new(part.text, second.start..part.end)
            }
            _ => part,
        };
        let question = self.question.take();
        self.answer(part, question);
    }

    /// Units of running text: its sentences.
    pub(super) fn prose(&mut self, part: TextSlice<'_>, lead: Option<&str>) {
        let found = sentences::sentences(&part.text.plain, part.range());
        let mut label: Option<String> = None;
        let mut previous: Option<Range<usize>> = None;
        for (at, sentence) in found.iter().enumerate() {
            let plain = part.text.get(sentence);
            let is_label =
                at == 0 && found.len() > 1 && part.text.is_bold(sentence) && classify::words(plain) <= 8;
            if classify::is_question(plain) || is_label {
                label = Some(plain.trim_end_matches('.').to_owned());
                previous = None;
                continue;
            }
            if is_informative(part.text, sentence, found.len() == 1)
                && let Some(source) = part.text.source(sentence)
            {
                let antecedent = previous.filter(|previous| {
                    classify::begins_with_pronoun(plain)
                        && part.text.get(previous).chars().count() <= MAX_ANTECEDENT
                });
                let near = antecedent.as_ref().map(|previous| part.text.get(previous).to_owned());
                let lead = lead.map(str::to_owned).or_else(|| label.clone()).or(near);
                let count = self.units.len();
                self.push(UnitKind::Sentence, plain.to_owned(), lead, source);
                let together = antecedent.map(|previous| previous.start..sentence.end);
                if let (Some(range), true) = (together, self.units.len() > count) {
                    let span = part.text.source(&range).map(|source| self.span(&source));
                    if let (Some(unit), Some(span)) = (self.units.last_mut(), span) {
                        unit.with_antecedent = Some((part.text.get(&range).to_owned(), span));
                    }
                }
            }
            // A question within a paragraph is the context of the next sentence only.
            label = label.filter(|label| !classify::is_question(label));
            previous = Some(sentence.clone());
        }
    }
}

/// Whether a sentence is informative without its context.
pub(super) fn is_informative(text: &Text, sentence: &Range<usize>, is_alone: bool) -> bool {
    let plain = text.get(sentence);
    let words = classify::words(plain);
    let is_word = words == 1 && !is_alone && !plain.contains(|c: char| c.is_ascii_digit());
    let is_link = text.is_link(sentence) && !(classify::ends_sentence(plain) && words > 3);
    let is_label = classify::ends_with_colon(plain) && classify::is_label(plain);
    words > 0
        && !is_word
        && !is_link
        && !is_label
        && !classify::is_file_name(plain)
        && !classify::is_navigation(plain)
        && !classify::is_code(plain)
}

pub(super) fn lines_of<'a>(part: &TextSlice<'a>) -> Vec<TextSlice<'a>> {
    part.text.lines(&part.range()).into_iter().map(|line| TextSlice::new(part.text, line)).collect()
}

fn is_item(line: &TextSlice<'_>) -> bool {
    classify::bullet(line.plain()).is_some() || classify::step_prefix(line.plain()).is_some()
}

/// Whether the first line of a plain-text paragraph is a label: it ends long before the line width.
fn is_label_line(first: &TextSlice<'_>, second: &TextSlice<'_>) -> bool {
    let (label, next) = (first.plain(), second.plain());
    let length = label.chars().count();
    let is_short =
        length <= MAX_LABEL && (length * 2 <= next.chars().count() || classify::ends_with_colon(label));
    let is_bold = first.text.is_bold(&first.range());
    (is_bold && !classify::ends_sentence(label)
        || classify::is_question(label)
        || is_short && classify::is_label(label))
        && next.trim_start_matches(|c: char| !c.is_alphanumeric()).starts_with(|c: char| !c.is_lowercase())
}
