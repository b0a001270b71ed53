//! Pure: units of questions and answers within a passage.

use std::ops::Range;

use super::prose::is_informative;
use super::{TextSlice, UnitCollector, UnitKind, classify, sentences};

/// Maximum characters and sentences of an FAQ answer.
const MAX_ANSWER: usize = 300;
const MAX_ANSWER_SENTENCES: usize = 2;

impl UnitCollector {
    /// Reads lines with "Q:" and "A:" and their continuation lines.
    pub(super) fn questions_and_answers(&mut self, part: &TextSlice<'_>, lines: &[TextSlice<'_>]) {
        let mut open: Option<(bool, Range<usize>)> = None;
        for line in lines {
            let begun = match (classify::question_prefix(line.plain()), classify::answer_prefix(line.plain()))
            {
                (Some(at), _) if line.plain().contains('?') => Some((true, line.start + at..line.end)),
                (_, Some(at)) => Some((false, line.start + at..line.end)),
                _ => None,
            };
            match (begun, open.as_mut()) {
                (Some(begun), _) => self.end_question_or_answer(part, open.replace(begun)),
                (None, Some((_, range))) => range.end = line.end,
                (None, None) => open = Some((false, line.range())),
            }
        }
        self.end_question_or_answer(part, open);
    }

    fn end_question_or_answer(&mut self, part: &TextSlice<'_>, slice: Option<(bool, Range<usize>)>) {
        let Some((is_question, range)) = slice else { return };
        let slice = TextSlice::new(part.text, range);
        if is_question {
            let first = sentences::sentences(&slice.text.plain, slice.range())
                .into_iter()
                .find(|sentence| classify::is_question(slice.text.get(sentence)));
            let Some(question) = first else { return };
            // Question and answer may share a line: "Q: How long? A: Two days."
            let rest = TextSlice::new(slice.text, question.end..slice.end);
            self.set_heading(slice.text.get(&(slice.start..question.end)).trim());
            if !rest.is_empty() {
                let start = answer_start(rest.plain());
                let question = self.question.take();
                self.answer(TextSlice::new(rest.text, rest.start + start..rest.end), question);
            }
        } else {
            let question = self.question.take();
            self.answer(slice, question);
        }
    }

    /// Units of an answer, to a pending question or to one that starts the paragraph.
    pub(super) fn answer(&mut self, part: TextSlice<'_>, question: Option<String>) {
        let start = if question.is_some() { answer_start(part.plain()) } else { 0 };
        let part = TextSlice::new(part.text, part.start + start..part.end);
        let found = sentences::sentences(&part.text.plain, part.range());
        let (question, answers) = match (question, found.split_first()) {
            (Some(question), _) => (Some(question), found.as_slice()),
            (None, Some((first, rest)))
                if classify::is_question(part.text.get(first)) && !rest.is_empty() =>
            {
                (Some(part.text.get(first).to_owned()), rest)
            }
            _ => (None, found.as_slice()),
        };
        let Some(question) = question else { return self.prose(part, None) };
        let (mut end, mut counted) = (None, 0);
        let start = answers.first().map_or(part.end, |first| first.start);
        for sentence in answers {
            let length = part.text.get(&(start..sentence.end)).chars().count();
            let is_question = classify::is_question(part.text.get(sentence));
            if is_question || counted >= MAX_ANSWER_SENTENCES || (end.is_some() && length > MAX_ANSWER) {
                break;
            }
            end = Some(sentence.end);
            // "Yes." does not count as a sentence of the answer.
            counted += usize::from(classify::words(part.text.get(sentence)) > 2);
        }
        let range = start..end.unwrap_or(start);
        if let Some(source) = part.text.source(&range).filter(|_| is_informative(part.text, &range, true)) {
            self.push(UnitKind::FaqAnswer, part.text.get(&range).to_owned(), Some(question.clone()), source);
        }
        self.prose(TextSlice::new(part.text, start..part.end), Some(&question));
    }
}

/// Offset of an answer after its prefix "A:".
pub(super) fn answer_start(text: &str) -> usize {
    classify::answer_prefix(text).unwrap_or(0)
}
