//! Pure: the sentences of an answer that comes in pieces.
//!
//! Text is given out as soon as it is known not to end a sentence; after each sentence its end is told, so that a
//! marker can be put there. White space at the end of the answer is left out.

use std::collections::VecDeque;

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use super::markers::Part;

/// Characters after the end of a sentence by which it is decided.
const LOOKAHEAD: usize = 24;

/// Words whose dot ends no sentence, without it.
const ABBREVIATIONS: &[&str] = &[
    "approx", "art", "bzw", "ca", "dr", "dra", "e.g", "g", "h", "i.e", "inkl", "jr", "max", "min", "mr",
    "mrs", "ms", "mme", "nr", "núm", "p.ej", "p.ex", "ej", "ex", "pág", "prof", "sig", "sr", "sra", "st",
    "str", "tel", "vs", "z.b", "d.h", "u.a", "zzgl", "ggf",
];

/// Names of months, without accents, as far as they tell them apart.
const MONTHS: &[&str] = &[
    "jan", "feb", "fév", "mar", "mär", "apr", "abr", "avr", "mai", "may", "jun", "juin", "juil", "jul",
    "aug", "ago", "aoû", "sep", "set", "oct", "okt", "ott", "out", "nov", "dec", "dez", "dic", "déc", "gen",
    "ene", "mag", "giu", "lug", "fev",
];

/// What a draft gives out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Text that goes on.
    Text(String),
    /// The end of a sentence, whose text was given out.
    End(Sentence),
}

/// A sentence of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// What it says, with its Markdown, without white space around it.
    pub text: String,
    /// The numbers of its markers.
    pub markers: Vec<usize>,
    /// What follows its marker: the end of a table's row.
    pub tail: &'static str,
}

enum Item {
    Char(char),
    Marker(Vec<usize>),
}

/// Text that is split into sentences as it comes.
#[derive(Default)]
pub struct Draft {
    queue: VecDeque<Item>,
    /// The current sentence, with the white space before it.
    sentence: String,
    markers: Vec<usize>,
    /// Text of the current sentence that was not given out yet.
    unsaid: String,
    steps: VecDeque<Step>,
    in_fence: bool,
    has_text: bool,
    /// Whether the last item was a marker.
    after_marker: bool,
}

/// What a run of white space and markers is.
enum Gap {
    Wait,
    Within,
    End,
}

impl Draft {
    /// Adds a part.
    pub fn push(&mut self, part: Part) {
        match part {
            Part::Text(text) => self.queue.extend(text.chars().map(Item::Char)),
            Part::Marker(numbers) => self.queue.push_back(Item::Marker(numbers)),
        }
    }

    /// The next step; `None`: more text is needed, or, at the end, nothing is left.
    pub fn next(&mut self, at_end: bool) -> Option<Step> {
        if let Some(step) = self.steps.pop_front() {
            return Some(step);
        }
        loop {
            match self.queue.front() {
                None => break,
                Some(Item::Marker(_)) => {
                    if let Some(Item::Marker(numbers)) = self.queue.pop_front() {
                        self.mark(&numbers);
                    }
                }
                Some(Item::Char(c)) if c.is_whitespace() || (*c == '|' && self.is_row()) => {
                    match self.gap(at_end) {
                        Gap::Wait => break,
                        Gap::Within => {}
                        Gap::End => return self.steps.pop_front(),
                    }
                }
                Some(Item::Char(c)) => {
                    let c = *c;
                    self.queue.pop_front();
                    self.add(c);
                }
            }
        }
        if !self.unsaid.is_empty() {
            return Some(Step::Text(std::mem::take(&mut self.unsaid)));
        }
        if at_end && self.queue.is_empty() && !self.sentence.trim().is_empty() {
            self.finish("");
            return self.steps.pop_front();
        }
        None
    }

    fn mark(&mut self, numbers: &[usize]) {
        for number in numbers {
            if !self.markers.contains(number) {
                self.markers.push(*number);
            }
        }
        self.after_marker = true;
    }

    fn add(&mut self, c: char) {
        // Of `10 EUR [1].`, the space goes with the marker.
        self.sentence.push(c);
        self.unsaid.push(c);
        self.has_text = true;
        self.after_marker = false;
    }

    fn finish(&mut self, tail: &'static str) {
        let text = std::mem::take(&mut self.sentence).trim().to_owned();
        let markers = std::mem::take(&mut self.markers);
        if !self.unsaid.is_empty() {
            self.steps.push_back(Step::Text(std::mem::take(&mut self.unsaid)));
        }
        self.steps.push_back(Step::End(Sentence { text, markers, tail }));
        self.after_marker = false;
    }

    /// The current line.
    fn line(&self) -> &str {
        self.sentence.rsplit('\n').next().unwrap_or_default().trim()
    }

    fn is_row(&self) -> bool {
        !self.in_fence && self.line().starts_with('|')
    }

    /// Decides what the white space and markers at the front of the queue are.
    fn gap(&mut self, at_end: bool) -> Gap {
        let is_gap = |item: &Item| match item {
            Item::Char(c) => c.is_whitespace(),
            Item::Marker(_) => true,
        };
        let length = self.queue.iter().take_while(|item| is_gap(item)).count();
        let space: String = self.queue.iter().take(length).filter_map(char_of).collect();
        let follows: Vec<char> = self.queue.iter().skip(length).filter_map(char_of).take(LOOKAHEAD).collect();
        let Some(next) = follows.first().copied() else {
            if !at_end {
                return Gap::Wait;
            }
            self.consume(length);
            return Gap::Within;
        };
        if self.sentence.trim().is_empty() {
            // Markers at the start of a line belong to what follows, and the space after them goes with them.
            let marked = self.consume(length) || self.after_marker;
            let kept = match space.rfind('\n') {
                Some(at) if marked => space.get(..=at).unwrap_or_default(),
                None if marked && self.sentence.ends_with('\n') => "",
                _ => space.as_str(),
            };
            if self.has_text {
                self.sentence.push_str(kept);
                self.unsaid.push_str(kept);
            }
            return Gap::Within;
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
                self.unsaid.push_str(&space);
                return Gap::Within;
            }
            let before =
                self.queue.iter().position(|item| matches!(item, Item::Char('\n'))).unwrap_or(length);
            self.consume(before);
            self.finish("");
            return Gap::End;
        }
        if !self.in_fence && ends_sentence(&self.sentence) {
            let word: Vec<char> = follows.iter().copied().skip_while(|c| !is_letter(*c)).collect();
            let is_known = word.iter().any(|c| !is_letter(*c))
                || follows.contains(&'\n')
                || follows.len() == LOOKAHEAD
                || at_end;
            if !is_known {
                return Gap::Wait;
            }
            let after: String = follows.iter().collect();
            if is_boundary(self.sentence.trim(), &after) {
                let has_marker = self.queue.iter().take(length).any(|item| matches!(item, Item::Marker(_)));
                self.consume(length);
                self.finish("");
                let space = if has_marker { " " } else { space.as_str() };
                for c in space.chars().rev() {
                    self.queue.push_front(Item::Char(c));
                }
                return Gap::End;
            }
        }
        let had_marker = self.after_marker;
        let marked = self.consume(length);
        let punctuates = matches!(next, '.' | ',' | ';' | ':' | '!' | '?' | ')' | '…');
        match (had_marker || marked, punctuates) {
            (true, true) => {}
            (true, false) => self.add(' '),
            (false, _) => {
                self.sentence.push_str(&space);
                self.unsaid.push_str(&space);
            }
        }
        Gap::Within
    }

    /// The last `|` of a table's row, before which its marker stands.
    fn row_end(&mut self, length: usize, next: char, follows: &[char], at_end: bool) -> Option<Gap> {
        if !self.is_row() || next != '|' {
            return None;
        }
        let end = follows.iter().skip(1).position(|c| *c == '\n' || !c.is_whitespace());
        match end.and_then(|at| follows.get(at + 1)) {
            None if !at_end => Some(Gap::Wait),
            Some(c) if *c != '\n' => {
                self.consume(length);
                self.queue.pop_front();
                if length > 0 {
                    self.add(' ');
                }
                self.add('|');
                Some(Gap::Within)
            }
            _ => {
                self.consume(length);
                self.queue.pop_front();
                self.finish(if length > 0 { " |" } else { "|" });
                Some(Gap::End)
            }
        }
    }

    /// Takes items from the queue and keeps the markers among them; whether there were any.
    fn consume(&mut self, length: usize) -> bool {
        let taken: Vec<Item> = self.queue.drain(..length.min(self.queue.len())).collect();
        let mut marked = false;
        for item in taken {
            if let Item::Marker(numbers) = item {
                self.mark(&numbers);
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

/// Whether a character decides where a sentence ends: combining marks are alphabetic too, and the rules of Unicode pass
/// over them (UAX #29, SB5), as over the two halfwidth voicing marks.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !is_combining_mark(c) && !matches!(c, '\u{ff9e}' | '\u{ff9f}')
}

/// Whether a text may be the end of a sentence.
pub(super) fn ends_sentence(text: &str) -> bool {
    let closers = ['"', '\'', '*', '_', '`', ')', ']', '”', '“', '»', '’'];
    text.trim_end().trim_end_matches(closers).ends_with(['.', '!', '?', '…'])
}

/// `-`, `1.` or `2)` alone.
fn is_list_mark(text: &str) -> bool {
    let digits = text.trim_end_matches(['.', ')']);
    matches!(text, "-" | "*" | "•" | "+")
        || (digits.len() < text.len() && digits.len() <= 3 && digits.chars().all(|c| c.is_ascii_digit()))
}

/// Whether a sentence ends between two texts: by the rules of Unicode, but after an abbreviation, the number of a
/// list's item, or the day of a date.
fn is_boundary(before: &str, after: &str) -> bool {
    let last = before.split_whitespace().next_back().unwrap_or_default();
    let word = last.trim_start_matches(['(', '"', '„', '*']).trim_end_matches('.').to_lowercase();
    let is_initial =
        last.ends_with('.') && word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    let is_day =
        last.ends_with('.') && (1..=2).contains(&word.len()) && word.chars().all(|c| c.is_ascii_digit());
    let month = after.to_lowercase();
    let is_month = MONTHS.iter().any(|name| month.starts_with(name));
    if last.ends_with('.') && (is_initial || ABBREVIATIONS.contains(&word.as_str())) || (is_day && is_month) {
        return false;
    }
    if is_list_mark(before.rsplit('\n').next().unwrap_or_default().trim()) {
        return false;
    }
    // A digit begins a sentence; by the rules of Unicode it goes on when a small letter follows.
    if after.starts_with(|c: char| c.is_ascii_digit()) {
        return true;
    }
    // Emphasis closes as quotes do.
    let plain = |text: &str| text.replace(['*', '_', '`'], "\"");
    let (before, after) = (plain(before), plain(after));
    let whole = format!("{before} {after}");
    whole.split_sentence_bound_indices().any(|(at, _)| at == before.len() || at == before.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversations::markers::Markers;

    /// An answer from three passages in pieces of so many characters: its text with markers, and whether it refuses.
    fn read(answer: &str, length: usize) -> (String, bool) {
        let (mut markers, mut draft) = (Markers::of(3), Draft::default());
        let mut text = String::new();
        let mut drain = |draft: &mut Draft, at_end: bool| {
            while let Some(step) = draft.next(at_end) {
                match step {
                    Step::Text(part) => text.push_str(&part),
                    Step::End(sentence) => {
                        if !sentence.markers.is_empty() {
                            text.push_str(&format!(" {:?}", sentence.markers));
                        }
                        text.push_str(sentence.tail);
                    }
                }
            }
        };
        let chars: Vec<char> = answer.chars().collect();
        for piece in chars.chunks(length) {
            markers.read(&piece.iter().collect::<String>()).into_iter().for_each(|part| draft.push(part));
            drain(&mut draft, false);
        }
        markers.end().into_iter().for_each(|part| draft.push(part));
        drain(&mut draft, true);
        (text, markers.refused())
    }

    #[test]
    fn markers_move_to_sentence_ends_however_text_is_cut() {
        for (answer, text) in [
            ("Within 30 days [1], says nobody [7].", "Within 30 days, says nobody. [1]"),
            ("Within 30 days. [1] Also cash [2].", "Within 30 days. [1] Also cash. [2]"),
            (
                "A day [1, 3]. B day【2】. C day【1†source】. D day [^3]. E day [[1]](#a). F day (source 2). G day ([1], [2]).",
                "A day. [1, 3] B day. [2] C day. [1] D day. [3] E day. [1] F day. [2] G day. [1, 2]",
            ),
            ("It is 5 m² and 10³ big.¹ More here² too.", "It is 5 m² and 10³ big. [1] More here too. [2]"),
            ("Costs 5 EUR<sup>1</sup>.", "Costs 5 EUR. [1]"),
            ("Within 30 days [^1].\n\n[^1]: Shop, section 1", "Within 30 days. [1]"),
            ("Within 30 days [1].\n\n[1] shop.md", "Within 30 days. [1]"),
            ("Within 30 days [1].\n\n**Sources:**\n- [1] shop.md\n2. faq.md\n", "Within 30 days. [1]"),
            ("Within 30 days [1]. Sources: [1] shop.md", "Within 30 days. [1]"),
            (
                "Our sources of power:\n\nSources:\n- wind\n- sun",
                "Our sources of power:\n\nSources:\n- wind\n- sun",
            ),
            ("- One thing [1]\n- Two things [2]\n", "- One thing [1]\n- Two things [2]"),
            ("1. Open it [1].\n2. Close it.", "1. Open it. [1]\n2. Close it."),
            ("| A | B [1] |\n|---|---|\n| c | 5 [2] |\n", "| A | B [1] |\n|---|---|\n| c | 5 [2] |"),
            (
                "Use `a[0]` now.\n```\nx[1] = 2\ny\n```\nDone [1].",
                "Use `a[0]` now.\n```\nx[1] = 2\ny\n```\nDone. [1]",
            ),
            (
                "See [the page](https://x.example/a) and [note] (1) [12345].",
                "See [the page](https://x.example/a) and [note] (1) [12345].",
            ),
            (
                "[1] Returns take 30 days.\n[2] Refunds take 5.",
                "Returns take 30 days. [1]\nRefunds take 5. [2]",
            ),
            ("Das ist z. B. am 3. März so. Gut.", "Das ist z. B. am 3. März so. Gut."),
            ("[[9]1] x", "x [1]"),
            ("[[NOT_IN_(source 1)PASSAGES]] x.", "[[NOT_IN_ PASSAGES]] x. [1]"),
            ("Yes [2]. \u{1}\u{364}, be here.", "Yes. \u{1}\u{364}, be here. [2]"),
            ("(see passages 1-3) Yes.", "Yes. [1, 2, 3]"),
            ("C'est oui [1] ! Voilà.", "C'est oui! [1] Voilà."),
        ] {
            for length in 1..=answer.chars().count() {
                assert_eq!(read(answer, length), (text.to_owned(), false), "{length}");
            }
        }
    }

    #[test]
    fn the_token_is_removed_however_it_is_cut_and_wrapped() {
        for (answer, text) in [
            ("[[NOT_IN_PASSAGES]]", ""),
            ("\"[[NOT_IN_PASSAGES]]\".", ""),
            ("`[[NOT_IN_PASSAGES]]`", ""),
            ("**[[not_in_passages]]** I am sorry.", "I am sorry."),
            ("\\[\\[NOT\\_IN\\_PASSAGES\\]\\]", ""),
            ("Sorry. NOT_IN_PASSAGES", "Sorry."),
            ("[[NOT_IN", ""),
        ] {
            for length in 1..=answer.chars().count() {
                assert_eq!(read(answer, length), (text.to_owned(), true), "{length}");
            }
        }
    }
}
