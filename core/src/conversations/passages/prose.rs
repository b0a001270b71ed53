//! Pure: paragraphs: their sentences, questions with what follows them, and lines that are more than wrapped text.

use std::ops::Range;

use super::blocks::{Block, Marker};
use super::lists::Item;
use super::questions::answer_start;
use super::text::Text;
use super::{Announcement, Kind, Part, Walk, sentences, shapes};

/// An antecedent has so many characters at most.
const ANTECEDENT: usize = 160;

/// A label above a paragraph in plain text has so many characters at most.
const LABEL: usize = 40;

impl Walk {
    pub(super) fn paragraph(&mut self, text: &Text, next: Option<&Block>) {
        let whole = Part::of(text, text.whole());
        let lines = parts(&whole);
        if let Some(at) =
            lines.iter().position(is_item).filter(|_| lines.iter().filter(|line| is_item(line)).count() > 1)
        {
            return self.bullets(text, &lines, at);
        }
        if lines.len() > 1 && lines.iter().all(|line| line.plain().starts_with('|')) {
            return self.rows(&lines);
        }
        if lines.len() == 1 && self.is_name(&whole, next) {
            return;
        }
        let announces = matches!(next, Some(Block::List(_) | Block::Table { .. } | Block::Code(_)));
        let rest = if announces { self.announce(&whole, next) } else { whole };
        if !rest.is_empty() {
            self.paragraph_part(rest);
        }
    }

    /// Lines of plain text that begin with a bullet or "Step 1:" are a list; what stands above them announces it.
    fn bullets(&mut self, text: &Text, lines: &[Part<'_>], first: usize) {
        let mut announcement = None;
        if let Some(above) =
            lines.get(..first).and_then(|above| Some(above.first()?.start..above.last()?.end))
        {
            let above = Part::of(text, above);
            if shapes::is_label(above.plain()) && !shapes::ends_with_colon(above.plain()) {
                self.name(above.plain());
            } else {
                let rest = self.announce(&above, None);
                announcement = self.announcement.take();
                if !rest.is_empty() {
                    self.paragraph_part(rest);
                }
            }
        }
        let mut items: Vec<Item<'_>> = Vec::new();
        for line in lines.iter().skip(first) {
            let (marker, start) = match (shapes::bullet(line.plain()), shapes::step_mark(line.plain())) {
                (Some(at), _) => (Marker::Bullet, at),
                (None, Some((number, at))) => (Marker::Number(number), at),
                (None, None) => (Marker::None, 0),
            };
            let part = Part::of(text, line.start + start..line.end);
            match (items.last_mut(), marker) {
                // A wrapped item.
                (Some(item), Marker::None) => item.parts.push(part),
                _ => items.push(Item { depth: 1, marker, parts: vec![part] }),
            }
        }
        items.iter_mut().for_each(|item| item.parts.retain(|part| !part.is_empty()));
        self.list(&items, announcement);
        self.question = None;
    }

    /// Whether a line names what follows: a label or a question. Then it is kept as that.
    fn is_name(&mut self, line: &Part<'_>, next: Option<&Block>) -> bool {
        let plain = line.plain();
        if shapes::is_navigation(plain) {
            return true;
        }
        let is_bold = line.text.is_bold(&line.range());
        let is_last = next.is_none_or(|next| matches!(next, Block::Heading(_) | Block::Rule));
        let count = sentences::sentences(&line.text.plain, line.range()).len();
        if count == 1 && shapes::is_question(plain) && shapes::answer_mark(plain).is_none() {
            self.name(plain);
            return true;
        }
        let announces = matches!(next, Some(Block::List(_) | Block::Table { .. } | Block::Code(_)));
        if shapes::ends_with_colon(plain) && announces {
            return false;
        }
        let is_label = if is_bold {
            count == 1 && !(shapes::ends_sentence(plain) && shapes::words(plain) > 4)
        } else {
            shapes::is_label(plain) && (!is_last || shapes::ends_with_colon(plain)) && self.question.is_none()
        };
        if is_label {
            self.name(plain);
        }
        is_label
    }

    /// Keeps the last sentence as the announcement of the block that follows; the rest is left to be told.
    fn announce<'a>(&mut self, part: &Part<'a>, next: Option<&Block>) -> Part<'a> {
        let found = sentences::sentences(&part.text.plain, part.range());
        let Some(last) = found.last() else { return *part };
        // A label on a line of its own is no part of the sentence after it.
        let last = part
            .text
            .lines(last)
            .pop()
            .filter(|line| part.text.get(line).len() == part.text.get(last).len())
            .unwrap_or(last.clone());
        let said = part.text.get(&last);
        let is_announcement = match next {
            Some(Block::List(_)) | None => shapes::announces(said),
            Some(_) => shapes::ends_with_colon(said),
        };
        let Some(source) = part.text.source(&last).filter(|_| is_announcement) else { return *part };
        let last_start = last.start;
        let start = answer_start(said);
        let text = said.get(start..).unwrap_or(said).trim_start().to_owned();
        self.announcement = Some(Announcement { text, source });
        Part::of(part.text, part.start..last_start)
    }

    /// A paragraph, an item of a list, or what stands above a list.
    pub(super) fn paragraph_part(&mut self, part: Part<'_>) {
        let lines = parts(&part);
        let asks =
            |line: &Part<'_>| shapes::question_mark(line.plain()).is_some() && line.plain().contains('?');
        if lines.iter().any(asks)
            || lines.iter().any(|line| shapes::answer_mark(line.plain()).is_some()) && self.question.is_some()
        {
            return self.questions_and_answers(&part, &lines);
        }
        if lines.len() > 1 && lines.iter().skip(1).all(|line| shapes::value(line.plain()).is_some()) {
            return self.values(&lines);
        }
        let part = match lines.as_slice() {
            [first, second, ..] if is_label_line(first, second) => {
                self.name(first.plain());
                Part::of(part.text, second.start..part.end)
            }
            [first, second, ..] if shapes::is_navigation(first.plain()) => {
                Part::of(part.text, second.start..part.end)
            }
            _ => part,
        };
        let question = self.question.take();
        self.answer(part, question);
    }

    /// The sentences of a text.
    pub(super) fn prose(&mut self, part: Part<'_>, lead: Option<&str>) {
        let found = sentences::sentences(&part.text.plain, part.range());
        let mut label: Option<String> = None;
        let mut before: Option<Range<usize>> = None;
        for (at, sentence) in found.iter().enumerate() {
            let said = part.text.get(sentence);
            let is_label =
                at == 0 && found.len() > 1 && part.text.is_bold(sentence) && shapes::words(said) <= 8;
            if shapes::is_question(said) || is_label {
                label = Some(said.trim_end_matches('.').to_owned());
                before = None;
                continue;
            }
            if is_told(part.text, sentence, found.len() == 1)
                && let Some(source) = part.text.source(sentence)
            {
                let antecedent = before.filter(|before| {
                    shapes::begins_with_pronoun(said) && part.text.get(before).chars().count() <= ANTECEDENT
                });
                let near = antecedent.as_ref().map(|before| part.text.get(before).to_owned());
                let lead = lead.map(str::to_owned).or_else(|| label.clone()).or(near);
                let count = self.units.len();
                self.push(Kind::Sentence, said.to_owned(), lead, source);
                let together = antecedent.map(|before| before.start..sentence.end);
                if let (Some(range), true) = (together, self.units.len() > count) {
                    let span = part.text.source(&range).map(|source| self.span(&source));
                    if let (Some(unit), Some(span)) = (self.units.last_mut(), span) {
                        unit.with_antecedent = Some((part.text.get(&range).to_owned(), span));
                    }
                }
            }
            // A question within a paragraph belongs to the sentence after it.
            label = label.filter(|label| !shapes::is_question(label));
            before = Some(sentence.clone());
        }
    }
}

/// Whether a sentence says something by itself.
pub(super) fn is_told(text: &Text, sentence: &Range<usize>, is_alone: bool) -> bool {
    let said = text.get(sentence);
    let words = shapes::words(said);
    let is_word = words == 1 && !is_alone && !said.contains(|c: char| c.is_ascii_digit());
    let is_link = text.is_link(sentence) && !(shapes::ends_sentence(said) && words > 3);
    let is_label = shapes::ends_with_colon(said) && shapes::is_label(said);
    words > 0
        && !is_word
        && !is_link
        && !is_label
        && !shapes::is_file_name(said)
        && !shapes::is_navigation(said)
        && !shapes::is_code(said)
}

pub(super) fn parts<'a>(part: &Part<'a>) -> Vec<Part<'a>> {
    part.text.lines(&part.range()).into_iter().map(|line| Part::of(part.text, line)).collect()
}

fn is_item(line: &Part<'_>) -> bool {
    shapes::bullet(line.plain()).is_some() || shapes::step_mark(line.plain()).is_some()
}

/// Whether the first line of a paragraph in plain text is a label: it ends long before the text is wrapped.
fn is_label_line(first: &Part<'_>, second: &Part<'_>) -> bool {
    let (label, next) = (first.plain(), second.plain());
    let length = label.chars().count();
    let is_short = length <= LABEL && (length * 2 <= next.chars().count() || shapes::ends_with_colon(label));
    let is_bold = first.text.is_bold(&first.range());
    (is_bold && !shapes::ends_sentence(label)
        || shapes::is_question(label)
        || is_short && shapes::is_label(label))
        && next.trim_start_matches(|c: char| !c.is_alphanumeric()).starts_with(|c: char| !c.is_lowercase())
}
