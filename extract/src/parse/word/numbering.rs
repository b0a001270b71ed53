//! The numbers of headings and list items, which Word computes and does not store.
//!
//! ECMA-376 Part 1, 17.9, and \[MS-DOC\] 2.4.6.3: a list has nine levels with a counter each. A paragraph
//! raises the counter of its level and restarts the deeper ones.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::model::Marker;
use super::number_formats::{Format, number};

/// Number of levels of a list.
pub(super) const LEVELS: usize = 9;

/// Maximum length of a number, in bytes. Longer ones are cut.
const MAX_LABEL: usize = 120;

/// A level of a list.
#[derive(Clone, Debug)]
pub(super) struct Level {
    pub(super) start: i64,
    pub(super) format: Format,
    /// The text around the numbers; `%1` to `%9` stand for the numbers of the levels.
    pub(super) text: String,
    /// Whether the numbers of the levels above are written in digits.
    pub(super) legal: bool,
    /// Number of levels above (1-based) that restart this one. Zero: it never restarts. None: all above.
    pub(super) restart: Option<usize>,
    /// Style whose paragraphs belong to this level.
    pub(super) style: Option<Rc<str>>,
}

impl Default for Level {
    fn default() -> Self {
        Self {
            start: 1,
            format: Format::Decimal,
            text: String::new(),
            legal: false,
            restart: None,
            style: None,
        }
    }
}

/// A list that paragraphs refer to.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    /// Lists with the same value share their counters.
    pub(super) counters: u32,
    pub(super) levels: Vec<Level>,
    /// Start value by level, for levels whose counter restarts at the first use of this list.
    pub(super) overrides: HashMap<usize, i64>,
}

/// The counters of all lists.
#[derive(Default)]
pub(super) struct Counters {
    values: HashMap<u32, [Option<i64>; LEVELS]>,
    started: HashSet<(u32, usize)>,
}

impl Counters {
    /// Counts a paragraph of list `id` at a level and returns its number or bullet. None if it has neither.
    pub(super) fn next(&mut self, id: u32, list: &List, level: usize) -> Option<Marker> {
        let level = level.min(LEVELS - 1);
        let definition = list.levels.get(level)?;
        if definition.format == Format::Bullet {
            // Some authors use a word as the bullet: "Note:".
            let text = definition.text.trim();
            let word = text.chars().filter(|character| character.is_alphabetic()).count() > 1;
            let word = word && text.chars().count() <= MAX_LABEL;
            return Some(if word { Marker::Number(text.to_owned()) } else { Marker::Bullet });
        }
        let values = self.values.entry(list.counters).or_default();
        let first_use = list.overrides.contains_key(&level) && self.started.insert((id, level));
        let start = list.overrides.get(&level).copied().unwrap_or(definition.start);
        // A skipped level counts as used.
        for (above, value) in values.iter_mut().enumerate().take(level) {
            let start =
                || list.overrides.get(&above).copied().or(list.levels.get(above).map(|level| level.start));
            *value = value.or_else(start);
        }
        let current = values.get_mut(level)?;
        *current = Some(match *current {
            Some(value) if !first_use => value.saturating_add(1),
            _ => start,
        });
        for (deeper, value) in values.iter_mut().enumerate().skip(level + 1) {
            let restart = list.levels.get(deeper).and_then(|level| level.restart).unwrap_or(deeper);
            if level < restart {
                *value = None;
            }
        }
        let label = label(list, level, values);
        let label = label.trim();
        (!label.is_empty()).then(|| Marker::Number(label.to_owned()))
    }
}

fn label(list: &List, level: usize, values: &[Option<i64>; LEVELS]) -> String {
    let Some(definition) = list.levels.get(level) else { return String::new() };
    let mut label = String::new();
    let mut characters = definition.text.chars().take(MAX_LABEL).peekable();
    while let Some(character) = characters.next() {
        if label.len() > MAX_LABEL {
            break;
        }
        let digit =
            if character == '%' { characters.peek().and_then(|next| next.to_digit(10)) } else { None };
        match digit {
            Some(digit @ 1..=9) => {
                characters.next();
                let at = digit as usize - 1;
                let Some(named) = list.levels.get(at) else { continue };
                let start = list.overrides.get(&at).copied().unwrap_or(named.start);
                let value = values.get(at).copied().flatten().unwrap_or(start);
                let plain = definition.legal && named.format != Format::None;
                label.push_str(&number(value, if plain { Format::Decimal } else { named.format }));
            }
            _ => label.push(character),
        }
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(format: Format, text: &str) -> Level {
        Level { format, text: text.to_owned(), ..Level::default() }
    }

    fn run(list: &List, levels: &[usize]) -> Vec<String> {
        let mut counters = Counters::default();
        let label = |marker| match marker {
            Some(Marker::Number(label)) => label,
            Some(Marker::Bullet) => "•".to_owned(),
            None => String::new(),
        };
        levels.iter().map(|level| label(counters.next(1, list, *level))).collect()
    }

    #[test]
    fn deeper_levels_restart_below_a_new_number() {
        let levels = vec![
            level(Format::Decimal, "§ %1"),
            level(Format::LowerLetter, "(%2)"),
            level(Format::Decimal, "%1.%2.%3"),
        ];
        let list = List { counters: 1, levels, overrides: HashMap::new() };
        assert_eq!(run(&list, &[0, 1, 1, 2, 0, 1, 2]), ["§ 1", "(a)", "(b)", "1.b.1", "§ 2", "(a)", "2.a.1"]);
    }

    #[test]
    fn legal_numbering_writes_the_levels_above_in_digits() {
        let mut second = level(Format::Decimal, "%1.%2");
        second.legal = true;
        let list = List {
            counters: 1,
            levels: vec![level(Format::UpperRoman, "Article %1."), second],
            overrides: HashMap::new(),
        };
        assert_eq!(run(&list, &[0, 0, 1]), ["Article I.", "Article II.", "2.1"]);
    }

    #[test]
    fn a_level_that_never_restarts_counts_on() {
        let mut second = level(Format::Decimal, "%2)");
        second.restart = Some(0);
        let list = List {
            counters: 1,
            levels: vec![level(Format::Decimal, "%1."), second],
            overrides: HashMap::new(),
        };
        assert_eq!(run(&list, &[0, 1, 0, 1]), ["1.", "1)", "2.", "2)"]);
    }

    #[test]
    fn a_continued_list_counts_on_and_an_override_starts_anew() {
        let list =
            List { counters: 1, levels: vec![level(Format::Decimal, "%1.")], overrides: HashMap::new() };
        let anew = List { overrides: HashMap::from([(0, 5)]), ..list.clone() };
        let mut counters = Counters::default();
        let mut next = |id, list: &List| counters.next(id, list, 0);
        let number = |label: &str| Some(Marker::Number(label.to_owned()));
        assert_eq!(next(1, &list), number("1."));
        assert_eq!(next(2, &list), number("2."));
        assert_eq!(next(3, &anew), number("5."));
        assert_eq!(next(3, &anew), number("6."));
    }
}
