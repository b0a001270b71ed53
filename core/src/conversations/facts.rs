//! Pure: extracts facts (numbers, amounts, times, dates, codes, addresses) from text.
//!
//! Facts have one form for six languages.

use super::phrases::fold;
use crate::bots::Language;

mod dates;
mod reader;
mod vocabulary;

use reader::FactReader;
use vocabulary::NUMBER_WORDS;

/// Part of a text that must match exactly.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// Number, amount or percentage.
    Number(Number),
    /// Time of day: hour, minute.
    Time(u32, u32),
    /// Date in its possible readings: year, month, day.
    Date(Vec<(Option<u32>, u32, u32)>),
    /// Product or reference code, without hyphens.
    Code(String),
    /// E-mail or web address.
    Address(String),
}

/// Number with its unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    value: f64,
    kind: NumberKind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum NumberKind {
    Bare,
    Percent,
    Currency(&'static str),
    Duration(TimeUnit),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum TimeUnit {
    Seconds,
    Minutes,
    Hours,
    Days,
    Weeks,
    Months,
    Years,
    /// Repetitions, as in "three times".
    Times,
}

/// Extracts the facts of a passage; number words of every language count.
#[must_use]
pub fn of_passage(text: &str) -> Vec<Fact> {
    let all: Vec<Language> = NUMBER_WORDS.iter().map(|(language, _)| *language).collect();
    FactReader::new(text).read(&all, false)
}

/// Extracts the facts of a sentence. Only its language's number words count, and only with a unit.
#[must_use]
pub fn of_sentence(text: &str, language: Language) -> Vec<Fact> {
    FactReader::new(text).read(&[language], true)
}

/// Whether a passage, given by its facts and text, contains a fact of a sentence.
#[must_use]
pub fn contains_fact(passage: &[Fact], text: &str, fact: &Fact) -> bool {
    match fact {
        Fact::Code(code) => passage.contains(fact) || letters_and_digits(text).contains(code.as_str()),
        Fact::Address(address) => passage.contains(fact) || fold(text).contains(address.as_str()),
        Fact::Date(readings) => passage.iter().any(|candidate| match candidate {
            Fact::Date(others) => readings.iter().any(|a| {
                others
                    .iter()
                    .any(|b| (a.1, a.2) == (b.1, b.2) && (a.0 == b.0 || a.0.is_none() || b.0.is_none()))
            }),
            _ => false,
        }),
        Fact::Time(hour, minute) => passage.iter().any(|candidate| match candidate {
            Fact::Time(h, m) => (h % 12, m) == (hour % 12, minute),
            Fact::Number(number) => *minute == 0 && is_hour(number, *hour),
            _ => false,
        }),
        Fact::Number(number) => passage.iter().any(|candidate| match candidate {
            Fact::Number(other) => number.matches(other),
            Fact::Time(hour, minute) => *minute == 0 && is_hour(number, *hour),
            Fact::Date(readings) => readings.iter().any(|(year, _, day)| {
                number.equals(f64::from(*day)) || year.is_some_and(|year| number.equals(f64::from(year)))
            }),
            Fact::Code(_) | Fact::Address(_) => false,
        }),
    }
}

fn is_hour(number: &Number, hour: u32) -> bool {
    let is_time = matches!(number.kind, NumberKind::Bare | NumberKind::Duration(TimeUnit::Hours));
    is_time && (approx_eq(number.value, f64::from(hour)) || approx_eq(number.value, f64::from(hour % 12)))
}

fn approx_eq(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6
}

impl Number {
    fn equals(&self, value: f64) -> bool {
        self.kind == NumberKind::Bare && approx_eq(self.value, value)
    }

    fn matches(&self, other: &Number) -> bool {
        match (self.kind, other.kind) {
            (NumberKind::Bare, _) | (_, NumberKind::Bare) => approx_eq(self.value, other.value),
            (NumberKind::Duration(a), NumberKind::Duration(b)) => {
                approx_eq(self.value, other.value) && a == b
                    || in_base_unit(self.value, a).is_some_and(|a| in_base_unit(other.value, b) == Some(a))
            }
            (a, b) => a == b && approx_eq(self.value, other.value),
        }
    }
}

/// Duration in a base unit, so that two weeks equal 14 days: hours, or calendar months (`true`).
fn in_base_unit(value: f64, span: TimeUnit) -> Option<(bool, i64)> {
    let whole = |value: f64| (value.fract() == 0.0 && value < 1e6).then_some(value as i64);
    match span {
        TimeUnit::Hours => whole(value).map(|hours| (false, hours)),
        TimeUnit::Days => whole(value * 24.0).map(|hours| (false, hours)),
        TimeUnit::Weeks => whole(value * 168.0).map(|hours| (false, hours)),
        TimeUnit::Months => whole(value).map(|months| (true, months)),
        TimeUnit::Years => whole(value * 12.0).map(|months| (true, months)),
        TimeUnit::Seconds | TimeUnit::Minutes | TimeUnit::Times => None,
    }
}

/// Folds a text and keeps its letters and digits.
#[must_use]
pub(super) fn letters_and_digits(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests;
