//! Pure: splits a streamed answer into sentences.
//!
//! Text is emitted as soon as it cannot end a sentence. The end of each sentence is a step of its own, where
//! the caller may insert a marker. Trailing white space of the answer is dropped.

use std::collections::VecDeque;

use super::citation_markers::Fragment;

mod boundaries;

pub(super) use boundaries::ends_sentence;
use boundaries::{is_boundary, is_letter, is_list_mark};

/// Characters after a possible sentence end that decide it.
const LOOKAHEAD: usize = 24;

/// Output of the splitter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Text within a sentence.
    Text(String),
    /// End of a sentence whose text was emitted before.
    End(Sentence),
}

/// Sentence of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentence {
    /// Text with its Markdown, trimmed.
    pub text: String,
    /// Numbers of its markers.
    pub markers: Vec<usize>,
    /// Text after the marker: the end of a table row.
    pub tail: &'static str,
}

enum Item {
    Char(char),
    Marker(Vec<usize>),
}

/// Streaming sentence splitter.
#[derive(Default)]
pub struct SentenceSplitter {
    queue: VecDeque<Item>,
    /// Current sentence, with the white space before it.
    sentence: String,
    markers: Vec<usize>,
    /// Text of the current sentence that was not emitted yet.
    pending: String,
    steps: VecDeque<Step>,
    in_fence: bool,
    has_text: bool,
    /// Whether the last item was a marker.
    after_marker: bool,
}

/// Meaning of a run of white space and markers.
enum Boundary {
    Wait,
    Within,
    End,
}

impl SentenceSplitter {
    /// Adds a fragment.
    pub fn push(&mut self, part: Fragment) {
        match part {
            Fragment::Text(text) => self.queue.extend(text.chars().map(Item::Char)),
            Fragment::Marker(numbers) => self.queue.push_back(Item::Marker(numbers)),
        }
    }

    /// Next step; `None` when more text is needed, or at the end.
    pub fn next(&mut self, at_end: bool) -> Option<Step> {
        if let Some(step) = self.steps.pop_front() {
            return Some(step);
        }
        loop {
            match self.queue.front() {
                None => break,
                Some(Item::Marker(_)) => {
                    if let Some(Item::Marker(numbers)) = self.queue.pop_front() {
                        self.add_markers(&numbers);
                    }
                }
                Some(Item::Char(c)) if c.is_whitespace() || (*c == '|' && self.is_row()) => {
                    match self.boundary(at_end) {
                        Boundary::Wait => break,
                        Boundary::Within => {}
                        Boundary::End => return self.steps.pop_front(),
                    }
                }
                Some(Item::Char(c)) => {
                    let c = *c;
                    self.queue.pop_front();
                    self.add_char(c);
                }
            }
        }
        if !self.pending.is_empty() {
            return Some(Step::Text(std::mem::take(&mut self.pending)));
        }
        if at_end && self.queue.is_empty() && !self.sentence.trim().is_empty() {
            self.end_sentence("");
            return self.steps.pop_front();
        }
        None
    }

    fn add_markers(&mut self, numbers: &[usize]) {
        for number in numbers {
            if !self.markers.contains(number) {
                self.markers.push(*number);
            }
        }
        self.after_marker = true;
    }

    fn add_char(&mut self, c: char) {
        // The space before the marker in `10 EUR [1].` is dropped with it.
        self.sentence.push(c);
        self.pending.push(c);
        self.has_text = true;
        self.after_marker = false;
    }

    fn end_sentence(&mut self, tail: &'static str) {
        let text = std::mem::take(&mut self.sentence).trim().to_owned();
        let markers = std::mem::take(&mut self.markers);
        if !self.pending.is_empty() {
            self.steps.push_back(Step::Text(std::mem::take(&mut self.pending)));
        }
        self.steps.push_back(Step::End(Sentence { text, markers, tail }));
        self.after_marker = false;
    }

    /// Current line.
    fn line(&self) -> &str {
        self.sentence.rsplit('\n').next().unwrap_or_default().trim()
    }

    fn is_row(&self) -> bool {
        !self.in_fence && self.line().starts_with('|')
    }

    /// Classifies the run of white space and markers at the front of the queue.
    fn boundary(&mut self, at_end: bool) -> Boundary {
        let is_gap = |item: &Item| match item {
            Item::Char(c) => c.is_whitespace(),
            Item::Marker(_) => true,
        };
        let length = self.queue.iter().take_while(|item| is_gap(item)).count();
        let space: String = self.queue.iter().take(length).filter_map(char_of).collect();
        let follows: Vec<char> = self.queue.iter().skip(length).filter_map(char_of).take(LOOKAHEAD).collect();
        let Some(next) = follows.first().copied() else {
            if !at_end {
                return Boundary::Wait;
            }
            self.consume(length);
            return Boundary::Within;
        };
        if self.sentence.trim().is_empty() {
            // Markers at the start of a line belong to the text after them; the space between is dropped.
            let marked = self.consume(length) || self.after_marker;
            let kept = match space.rfind('\n') {
                Some(at) if marked => space.get(..=at).unwrap_or_default(),
                None if marked && self.sentence.ends_with('\n') => "",
                _ => space.as_str(),
            };
            if self.has_text {
                self.sentence.push_str(kept);
                self.pending.push_str(kept);
            }
            return Boundary::Within;
        }
        if let Some(row_end) = self.row_end(length, next, &follows, at_end) {
            return row_end;
        }
        if space.contains('\n') {
            let toggles = self.line().starts_with("```");
            self.in_fence ^= toggles;
            if self.in_fence || is_list_mark(self.sentence.trim()) {
                self.consume(length);
                self.sentence.push_str(&space);
                self.pending.push_str(&space);
                return Boundary::Within;
            }
            let before =
                self.queue.iter().position(|item| matches!(item, Item::Char('\n'))).unwrap_or(length);
            self.consume(before);
            self.end_sentence("");
            return Boundary::End;
        }
        if !self.in_fence && ends_sentence(&self.sentence) {
            let word: Vec<char> = follows.iter().copied().skip_while(|c| !is_letter(*c)).collect();
            let is_known = word.iter().any(|c| !is_letter(*c))
                || follows.contains(&'\n')
                || follows.len() == LOOKAHEAD
                || at_end;
            if !is_known {
                return Boundary::Wait;
            }
            let after: String = follows.iter().collect();
            if is_boundary(self.sentence.trim(), &after) {
                let has_marker = self.queue.iter().take(length).any(|item| matches!(item, Item::Marker(_)));
                self.consume(length);
                self.end_sentence("");
                let space = if has_marker { " " } else { space.as_str() };
                for c in space.chars().rev() {
                    self.queue.push_front(Item::Char(c));
                }
                return Boundary::End;
            }
        }
        let had_marker = self.after_marker;
        let marked = self.consume(length);
        let punctuates = matches!(next, '.' | ',' | ';' | ':' | '!' | '?' | ')' | '…');
        match (had_marker || marked, punctuates) {
            (true, true) => {}
            (true, false) => self.add_char(' '),
            (false, _) => {
                self.sentence.push_str(&space);
                self.pending.push_str(&space);
            }
        }
        Boundary::Within
    }

    /// Handles the last `|` of a table row: the marker goes before it.
    fn row_end(&mut self, length: usize, next: char, follows: &[char], at_end: bool) -> Option<Boundary> {
        if !self.is_row() || next != '|' {
            return None;
        }
        let end = follows.iter().skip(1).position(|c| *c == '\n' || !c.is_whitespace());
        match end.and_then(|at| follows.get(at + 1)) {
            None if !at_end => Some(Boundary::Wait),
            Some(c) if *c != '\n' => {
                self.consume(length);
                self.queue.pop_front();
                if length > 0 {
                    self.add_char(' ');
                }
                self.add_char('|');
                Some(Boundary::Within)
            }
            _ => {
                self.consume(length);
                self.queue.pop_front();
                self.end_sentence(if length > 0 { " |" } else { "|" });
                Some(Boundary::End)
            }
        }
    }

    /// Removes items from the queue, collects their markers and returns whether there were any.
    fn consume(&mut self, length: usize) -> bool {
        let taken: Vec<Item> = self.queue.drain(..length.min(self.queue.len())).collect();
        let mut marked = false;
        for item in taken {
            if let Item::Marker(numbers) = item {
                self.add_markers(&numbers);
                marked = true;
            }
        }
        marked
    }
}

fn char_of(item: &Item) -> Option<char> {
    match item {
        Item::Char(c) => Some(*c),
        Item::Marker(_) => None,
    }
}

#[cfg(test)]
mod tests;
