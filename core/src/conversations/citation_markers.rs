//! Pure: removes citation markers and the refusal token from a model's output while it streams.
//!
//! A marker is `[1]`, `[1, 3]`, `[^1]`, `[[1]]`, `[1](#ref)`, `【1】`, `(source 1)`, `¹` or `<sup>1</sup>`.
//! Trailing lists of footnotes and sources are removed too. Code is left unchanged. The result does not
//! depend on how the text is cut into pieces.

mod patterns;
mod source_list;
mod token;

use patterns::{MAX_DIGITS, bracketed, lenticular, superscript, superscript_tag};
use source_list::{is_reference, source_list, strip_markup};
use token::token;

/// Refusal token: the model's whole output when the passages hold no answer. It never reaches a client.
pub const NO_ANSWER: &str = "[[NOT_IN_PASSAGES]]";

/// Piece of filtered text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// Text without markers.
    Text(String),
    /// Place of a marker, with the numbers in it that name passages.
    Marker(Vec<usize>),
}

/// Streaming filter of a model's output.
#[derive(Debug)]
pub struct MarkerFilter {
    passages: usize,
    /// Text not decided yet.
    undecided: String,
    /// Emitted part of the current line.
    line: String,
    /// Whether the previous line is blank.
    after_blank: bool,
    has_text: bool,
    /// Numbers of the markers after text.
    cited: Vec<usize>,
    refused: bool,
    in_fence: bool,
    in_code: bool,
    /// Heading of a list of sources, while only entries follow it.
    heading: Option<String>,
}

/// Classification of the start of the text; sizes are in bytes.
enum Decision {
    /// More text is needed.
    Wait,
    /// Text to emit.
    Text(usize),
    /// Text to drop.
    Drop(usize),
    /// Marker, with its numbers.
    Marker(usize, Vec<usize>),
    /// Refusal token.
    Token(usize),
    /// Heading that may start a list of sources.
    Heading(usize),
    /// The stored heading starts no list of sources.
    NoList,
}

/// Result of matching a pattern at the start of the text; the size is in bytes.
enum Match<T> {
    No,
    Wait,
    Yes(usize, T),
}

impl MarkerFilter {
    /// Creates a filter for an answer from `passages` passages.
    #[must_use]
    pub fn new(passages: usize) -> Self {
        Self {
            passages,
            undecided: String::new(),
            line: String::new(),
            after_blank: false,
            has_text: false,
            cited: Vec::new(),
            refused: false,
            in_fence: false,
            in_code: false,
            heading: None,
        }
    }

    /// Adds a piece and returns the decided fragments.
    pub fn read(&mut self, piece: &str) -> Vec<Fragment> {
        self.undecided.push_str(piece);
        self.advance(false)
    }

    /// Ends the text and returns the rest.
    pub fn finish(&mut self) -> Vec<Fragment> {
        self.advance(true)
    }

    /// Whether the refusal token was found.
    #[must_use]
    pub fn refused(&self) -> bool {
        self.refused
    }

    fn advance(&mut self, at_end: bool) -> Vec<Fragment> {
        let mut parts = Vec::new();
        let undecided = std::mem::take(&mut self.undecided);
        let mut rest = undecided.as_str();
        while !rest.is_empty() {
            let taken = match self.next(rest, at_end) {
                Decision::Wait => break,
                Decision::Text(length) => {
                    let text = rest.get(..length).unwrap_or_default();
                    if text.starts_with('`') {
                        self.toggle_code(length);
                    }
                    self.emit(&mut parts, text);
                    length
                }
                Decision::Drop(length) => length,
                Decision::Marker(length, numbers) => {
                    self.separate(&mut parts);
                    if !self.line.trim().is_empty() {
                        self.cited.extend(&numbers);
                    }
                    parts.push(Fragment::Marker(numbers));
                    length
                }
                Decision::Token(length) => {
                    self.refused = true;
                    self.separate(&mut parts);
                    parts.push(Fragment::Marker(Vec::new()));
                    length
                }
                Decision::Heading(length) => {
                    self.heading = rest.get(..length).map(str::to_owned);
                    length
                }
                Decision::NoList => {
                    let heading = self.heading.take().unwrap_or_default();
                    self.emit(&mut parts, &heading);
                    0
                }
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        self.undecided = rest.to_owned();
        parts
    }

    /// Three back quotes or more at the start of a line delimit a code block; others delimit a code span.
    fn toggle_code(&mut self, quotes: usize) {
        if quotes >= 3 && self.line.trim().is_empty() {
            self.in_fence = !self.in_fence;
        } else if !self.in_fence {
            self.in_code = !self.in_code;
        }
    }

    fn emit(&mut self, parts: &mut Vec<Fragment>, text: &str) {
        for c in text.chars() {
            if c == '\n' {
                self.after_blank = self.line.trim().is_empty();
                self.line.clear();
                self.in_code = false;
            } else {
                self.line.push(c);
            }
        }
        self.has_text |= !text.trim().is_empty();
        match parts.last_mut() {
            Some(Fragment::Text(before)) => before.push_str(text),
            _ => parts.push(Fragment::Text(text.to_owned())),
        }
    }

    /// Separates the text around a removed marker, so that no marker or token forms: `[[9]1]` must not leave
    /// `[1]`.
    fn separate(&mut self, parts: &mut Vec<Fragment>) {
        let open = self.line.rfind('[').and_then(|at| self.line.get(at + 1..));
        let is_marker = open.is_some_and(|inner| inner.chars().all(|c| c.is_ascii_digit()));
        let ends_with = |begun: &str| {
            let from = self.line.len().checked_sub(begun.len());
            from.and_then(|at| self.line.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(begun))
        };
        let is_token = (1..NO_ANSWER.len()).filter_map(|length| NO_ANSWER.get(..length)).any(ends_with);
        if is_marker || is_token {
            self.emit(parts, " ");
        }
    }

    fn next(&self, rest: &str, at_end: bool) -> Decision {
        let Some(first) = rest.chars().next() else { return Decision::Wait };
        if self.line.is_empty() && !self.in_fence {
            match self.line_start(rest, at_end) {
                Decision::Text(_) => {}
                decided => return decided,
            }
        } else if self.heading.is_none() && !self.in_code && self.begins_sentence() {
            match source_list(rest, at_end) {
                Match::No => {}
                Match::Yes(_, false) => return Decision::Drop(rest.find('\n').unwrap_or(rest.len())),
                Match::Yes(_, true) => {}
                Match::Wait => return Decision::Wait,
            }
        }
        if !self.in_fence && (first != '`' || !self.in_code) {
            match token(rest, at_end, self.line.chars().last()) {
                Match::Yes(length, ()) => return Decision::Token(length),
                Match::Wait => return Decision::Wait,
                Match::No => {}
            }
        }
        if first == '`' {
            let run = rest.len() - rest.trim_start_matches('`').len();
            return if run == rest.len() && !at_end { Decision::Wait } else { Decision::Text(run) };
        }
        if self.in_fence || self.in_code {
            return Decision::Text(first.len_utf8());
        }
        match self.marker(rest, at_end) {
            Match::Yes(length, numbers) => Decision::Marker(length, numbers),
            Match::Wait => Decision::Wait,
            Match::No => Decision::Text(first.len_utf8()),
        }
    }

    /// Whether a sentence has ended on the line, followed by a space.
    fn begins_sentence(&self) -> bool {
        let text = self.line.trim_end();
        text.len() < self.line.len() && text.ends_with(['.', '!', '?', ')', ']', '*'])
    }

    /// Classifies the start of a line: list of sources, footnote, or [`Decision::Text`] for any other line.
    fn line_start(&self, rest: &str, at_end: bool) -> Decision {
        let (line, length, complete) = match rest.split_once('\n') {
            Some((line, _)) => (line, line.len() + 1, true),
            None => (rest, rest.len(), at_end),
        };
        let bare = strip_markup(line);
        if self.heading.is_some() {
            return match complete {
                false => Decision::Wait,
                true if bare.is_empty() || is_reference(bare) => Decision::Drop(length),
                true => Decision::NoList,
            };
        }
        if bare.is_empty() {
            return if complete { Decision::Text(0) } else { Decision::Wait };
        }
        match source_list(rest, at_end) {
            Match::No => {}
            Match::Wait => return Decision::Wait,
            Match::Yes(_, false) => return Decision::Drop(length),
            Match::Yes(_, true) => return Decision::Heading(length),
        }
        match self.marker(bare, complete) {
            Match::No => Decision::Text(0),
            Match::Wait => Decision::Wait,
            Match::Yes(taken, numbers) => {
                let after = bare.get(taken..).unwrap_or_default();
                let is_note = after.starts_with(':')
                    || (self.has_text
                        && self.after_blank
                        && !numbers.is_empty()
                        && numbers.iter().all(|number| self.cited.contains(number)));
                match (is_note, complete) {
                    (true, true) => Decision::Drop(length),
                    (true, false) => Decision::Wait,
                    (false, _) if after.is_empty() && !complete => Decision::Wait,
                    (false, _) => Decision::Text(0),
                }
            }
        }
    }

    fn marker(&self, rest: &str, at_end: bool) -> Match<Vec<usize>> {
        let known = |numbers: Vec<usize>| {
            let mut known: Vec<usize> = Vec::new();
            for number in numbers {
                if (1..=self.passages).contains(&number) && !known.contains(&number) {
                    known.push(number);
                }
            }
            known
        };
        match rest.chars().next() {
            Some('[' | '［' | '〔' | '(' | '（') => match bracketed(rest, at_end) {
                Match::Yes(length, numbers) => Match::Yes(length, known(numbers)),
                other => other,
            },
            Some('【') => match lenticular(rest, at_end) {
                Match::Yes(length, numbers) => Match::Yes(length, known(numbers)),
                other => other,
            },
            Some('<') => match superscript_tag(rest, at_end) {
                Match::Yes(length, numbers) => Match::Yes(length, known(numbers)),
                other => other,
            },
            Some(c) if superscript(c).is_some() => self.superscripts(rest, at_end),
            _ => Match::No,
        }
    }

    /// Matches `¹` after a word or sentence; `m²` and `10³` are text.
    fn superscripts(&self, rest: &str, at_end: bool) -> Match<Vec<usize>> {
        let run: String = rest.chars().take_while(|c| superscript(*c).is_some()).collect();
        if run.len() == rest.len() && !at_end {
            return Match::Wait;
        }
        let before: String = self.line.chars().rev().take_while(|c| c.is_alphanumeric()).collect();
        let is_word = before.chars().count() >= 3 && before.chars().all(char::is_alphabetic);
        let is_end = self.line.ends_with(['.', '!', '?', ',', ')', '"', '”', '»', ' ']);
        let digits: Vec<usize> = run.chars().filter_map(superscript).collect();
        let whole = digits.iter().take(MAX_DIGITS).fold(0, |number, digit| number * 10 + digit);
        let is_known = |number: usize| (1..=self.passages).contains(&number);
        let numbers = match is_known(whole) {
            true => vec![whole],
            false => digits,
        };
        match (is_word || is_end) && numbers.iter().all(|number| is_known(*number)) {
            true => Match::Yes(run.len(), numbers),
            false => Match::No,
        }
    }
}
