//! Pure: questions within a passage, with the text that answers them.

use std::ops::Range;

use super::prose::is_told;
use super::{Kind, Part, Walk, sentences, shapes};

/// The first sentences of an answer, up to so many characters and sentences.
const ANSWER: usize = 300;
const ANSWER_SENTENCES: usize = 2;

impl Walk {
    /// Lines of "Q:" and "A:", wrapped ones included.
    pub(super) fn questions_and_answers(&mut self, part: &Part<'_>, lines: &[Part<'_>]) {
        let mut open: Option<(bool, Range<usize>)> = None;
        for line in lines {
            let begun = match (shapes::question_mark(line.plain()), shapes::answer_mark(line.plain())) {
                (Some(at), _) if line.plain().contains('?') => Some((true, line.start + at..line.end)),
                (_, Some(at)) => Some((false, line.start + at..line.end)),
                _ => None,
            };
            match (begun, open.as_mut()) {
                (Some(begun), _) => self.asked_or_answered(part, open.replace(begun)),
                (None, Some((_, range))) => range.end = line.end,
                (None, None) => open = Some((false, line.range())),
            }
        }
        self.asked_or_answered(part, open);
    }

    fn asked_or_answered(&mut self, part: &Part<'_>, said: Option<(bool, Range<usize>)>) {
        let Some((is_question, range)) = said else { return };
        let said = Part::of(part.text, range);
        if is_question {
            let first = sentences::sentences(&said.text.plain, said.range())
                .into_iter()
                .find(|sentence| shapes::is_question(said.text.get(sentence)));
            let Some(asked) = first else { return };
            // "Q: How long? A: Two days." on one line.
            let rest = Part::of(said.text, asked.end..said.end);
            self.name(said.text.get(&(said.start..asked.end)).trim());
            if !rest.is_empty() {
                let start = answer_start(rest.plain());
                let question = self.question.take();
                self.answer(Part::of(rest.text, rest.start + start..rest.end), question);
            }
        } else {
            let question = self.question.take();
            self.answer(said, question);
        }
    }

    /// Sentences, the first of which answer a question when there is one, or the paragraph begins with one.
    pub(super) fn answer(&mut self, part: Part<'_>, question: Option<String>) {
        let start = if question.is_some() { answer_start(part.plain()) } else { 0 };
        let part = Part::of(part.text, part.start + start..part.end);
        let found = sentences::sentences(&part.text.plain, part.range());
        let (question, answers) = match (question, found.split_first()) {
            (Some(question), _) => (Some(question), found.as_slice()),
            (None, Some((first, rest))) if shapes::is_question(part.text.get(first)) && !rest.is_empty() => {
                (Some(part.text.get(first).to_owned()), rest)
            }
            _ => (None, found.as_slice()),
        };
        let Some(asked) = question else { return self.prose(part, None) };
        let (mut end, mut told) = (None, 0);
        let start = answers.first().map_or(part.end, |first| first.start);
        for sentence in answers {
            let length = part.text.get(&(start..sentence.end)).chars().count();
            let is_question = shapes::is_question(part.text.get(sentence));
            if is_question || told >= ANSWER_SENTENCES || (end.is_some() && length > ANSWER) {
                break;
            }
            end = Some(sentence.end);
            // "Yes." answers, and says little.
            told += usize::from(shapes::words(part.text.get(sentence)) > 2);
        }
        let range = start..end.unwrap_or(start);
        if let Some(source) = part.text.source(&range).filter(|_| is_told(part.text, &range, true)) {
            self.push(Kind::FaqAnswer, part.text.get(&range).to_owned(), Some(asked.clone()), source);
        }
        self.prose(Part::of(part.text, start..part.end), Some(&asked));
    }
}

/// Where an answer begins behind its mark, "A:".
pub(super) fn answer_start(text: &str) -> usize {
    shapes::answer_mark(text).unwrap_or(0)
}
