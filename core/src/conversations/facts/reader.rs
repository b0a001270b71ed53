//! Pure: scans text for facts.

use super::vocabulary::{DOMAINS, TIME_UNITS, currency, month, number_word};
use super::{Fact, Number, NumberKind, approx_eq, letters_and_digits};
use crate::bots::Language;
use crate::conversations::phrases::fold;

/// Folded characters of a text, without its addresses.
pub(super) struct FactReader {
    pub(super) chars: Vec<char>,
    addresses: Vec<Fact>,
}

impl FactReader {
    pub(super) fn new(text: &str) -> Self {
        let mut addresses = Vec::new();
        let mut plain = String::with_capacity(text.len());
        for part in text
            .split_inclusive(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '<' | '>' | '[' | ']'))
        {
            let word = part.trim_matches(|c: char| !(c.is_alphanumeric() || c == '/'));
            match address(word) {
                Some(address) => {
                    addresses.push(Fact::Address(address));
                    plain.push(' ');
                }
                None => plain.push_str(part),
            }
        }
        Self { chars: fold(&plain).chars().collect(), addresses }
    }

    pub(super) fn at(&self, at: usize) -> Option<char> {
        self.chars.get(at).copied()
    }

    pub(super) fn is_digit(&self, at: usize) -> bool {
        self.at(at).is_some_and(|c| c.is_ascii_digit())
    }

    pub(super) fn read(mut self, languages: &[Language], strict: bool) -> Vec<Fact> {
        let mut facts = std::mem::take(&mut self.addresses);
        let mut at = 0;
        while let Some(c) = self.at(at) {
            if c.is_ascii_digit() {
                let (fact, end) = self.number(at);
                facts.extend(fact);
                at = end.max(at + 1);
            } else if c.is_alphabetic() {
                let end = self.word_end(at);
                let word: String = self.chars.get(at..end).unwrap_or_default().iter().collect();
                if word.chars().any(|c| c.is_ascii_digit()) {
                    facts.push(Fact::Code(letters_and_digits(&word)));
                    at = end;
                    continue;
                }
                let end = self.letters_end(at);
                let word: String = self.chars.get(at..end).unwrap_or_default().iter().collect();
                at = end;
                if let Some((month, after)) = month(&word).and_then(|month| self.day_after(month, end)) {
                    facts.push(month);
                    at = after;
                } else if let Some(value) = number_word(&word, languages) {
                    let (kind, after) = self.number_kind(None, end);
                    if !strict || (kind != NumberKind::Bare && !approx_eq(value, 1.0)) {
                        facts.push(Fact::Number(Number { value, kind }));
                        at = after;
                    }
                }
            } else {
                at += 1;
            }
        }
        facts
    }

    /// End of a run of letters, digits and hyphens that starts with a letter.
    fn word_end(&self, from: usize) -> usize {
        let mut end = from;
        while let Some(c) = self.at(end) {
            let joins = matches!(c, '-' | '_' | '.') && self.at(end + 1).is_some_and(|c| c.is_ascii_digit());
            if !c.is_alphanumeric() && !joins {
                break;
            }
            end += 1;
        }
        end
    }

    fn letters_end(&self, from: usize) -> usize {
        let mut end = from;
        while self.at(end).is_some_and(char::is_alphabetic) {
            end += 1;
        }
        end
    }

    pub(super) fn skip_spaces(&self, mut at: usize) -> usize {
        while self.at(at).is_some_and(|c| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '*' | '-' | '\u{2011}')) {
            at += 1;
        }
        at
    }

    pub(super) fn word_at(&self, at: usize) -> (String, usize) {
        let end = self.letters_end(at);
        (self.chars.get(at..end).unwrap_or_default().iter().collect(), end)
    }

    pub(super) fn integer(&self, at: usize) -> Option<(u32, usize)> {
        let mut end = at;
        while self.is_digit(end) {
            end += 1;
        }
        let digits: String = self.chars.get(at..end)?.iter().collect();
        Some((digits.parse().ok()?, end))
    }

    /// Reads a date, time or number that starts at a digit.
    fn number(&self, at: usize) -> (Option<Fact>, usize) {
        if let Some((date, end)) = self.date(at) {
            return (Some(date), end);
        }
        if let Some((time, end)) = self.time(at) {
            return (Some(time), end);
        }
        let mut text = String::new();
        let mut end = at;
        while let Some(c) = self.at(end) {
            let thousands = (1..=3).all(|place| self.is_digit(end + place)) && !self.is_digit(end + 4);
            let is_part = match c {
                '.' | ',' | '\'' | '’' => self.is_digit(end + 1),
                ' ' | '\u{a0}' | '\u{202f}' => thousands && end - at <= 3 + 4 * text.matches(' ').count(),
                c => c.is_ascii_digit(),
            };
            if !is_part {
                break;
            }
            text.push(if matches!(c, '\u{a0}' | '\u{202f}') { ' ' } else { c });
            end += 1;
        }
        let Some(value) = value(&text) else { return (None, end.max(at + 1)) };
        let (kind, end) = self.number_kind(Some(at), end);
        (Some(Fact::Number(Number { value, kind })), end)
    }

    /// Unit of a number, from the text around it.
    fn number_kind(&self, from: Option<usize>, end: usize) -> (NumberKind, usize) {
        let next = self.skip_spaces(end);
        if self.at(next) == Some('%') {
            return (NumberKind::Percent, next + 1);
        }
        let symbol = self.at(next).filter(|c| matches!(c, '€' | '$' | '£'));
        if let Some(code) = symbol.and_then(|symbol| currency(&symbol.to_string())) {
            return (NumberKind::Currency(code), next + 1);
        }
        let (word, after) = self.word_at(next);
        let (second, after_second) = self.word_at(self.skip_spaces(after));
        if let Some(code) = currency(&word) {
            return (NumberKind::Currency(code), after);
        }
        if matches!(word.as_str(), "percent" | "prozent") {
            return (NumberKind::Percent, after);
        }
        if matches!((word.as_str(), second.as_str()), ("per" | "por" | "pour", "cent" | "cento" | "ciento")) {
            return (NumberKind::Percent, after_second);
        }
        if let Some(symbol) = from.and_then(|from| self.currency_before(from)) {
            return (NumberKind::Currency(symbol), end);
        }
        for (word, after) in [(&word, after), (&second, after_second)] {
            let span =
                TIME_UNITS.iter().find(|(start, _)| word.starts_with(start) && word.len() <= start.len() + 3);
            if let Some((_, span)) = span {
                return (NumberKind::Duration(*span), after);
            }
        }
        (NumberKind::Bare, end)
    }

    /// Currency before a number.
    fn currency_before(&self, from: usize) -> Option<&'static str> {
        let text: String = self.chars.get(..from)?.iter().rev().take(8).collect();
        let text: String = text.chars().rev().collect();
        let text = text.trim_end();
        let word = text.rsplit(|c: char| c.is_whitespace() || c == '(').next()?;
        let symbol = word.chars().next_back().filter(|c| matches!(c, '€' | '$' | '£'));
        match symbol {
            Some('$') if word.ends_with("r$") => currency("r$"),
            Some(symbol) => currency(&symbol.to_string()),
            None if word.len() == 3 => currency(word),
            None => None,
        }
    }
}

/// E-mail or web address without scheme, `www.` and trailing slash.
fn address(word: &str) -> Option<String> {
    let lower = word.to_lowercase();
    let bare =
        lower.trim_start_matches("mailto:").trim_start_matches("https://").trim_start_matches("http://");
    let has_scheme = bare.len() < lower.len();
    let bare = bare.trim_start_matches("www.").trim_end_matches('/');
    let host = bare.split(['/', '?', '#']).next().unwrap_or_default();
    let (name, ending) = host.rsplit_once('.')?;
    let is_host =
        !name.is_empty() && name.chars().any(char::is_alphabetic) && ending.chars().all(char::is_alphabetic);
    let is_address = is_host && (has_scheme || host.contains('@') || DOMAINS.contains(&ending));
    is_address.then(|| bare.to_owned())
}

/// Value of digits with the separators of any language: `1,234.50`, `1.234,50`, `1 234,50`.
fn value(text: &str) -> Option<f64> {
    let text: String = text.chars().filter(|c| !matches!(c, ' ' | '\'' | '’')).collect();
    let last = text.rfind(['.', ',']);
    let decimal = last.filter(|at| {
        let separator = text.get(*at..=*at).unwrap_or_default();
        let has_other = text.contains(if separator == "." { ',' } else { '.' });
        let is_single = text.matches(separator).count() == 1;
        let groups_of_three = text.len() - at == 4 && *at <= 3 && !text.starts_with('0');
        is_single && (has_other || !groups_of_three)
    });
    let mut normal = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            '.' | ',' if Some(at) == decimal => normal.push('.'),
            '.' | ',' => {}
            c => normal.push(c),
        }
    }
    normal.parse().ok()
}
