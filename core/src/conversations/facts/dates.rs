//! Pure: reads dates and times of day in six languages.

use super::Fact;
use super::reader::FactReader;
use super::vocabulary::month;

impl FactReader {
    pub(super) fn date(&self, at: usize) -> Option<(Fact, usize)> {
        let (first, end) = self.integer(at)?;
        let digits = end - at;
        let separator = self.at(end)?;
        if matches!(separator, '-' | '/' | '.') && self.is_digit(end + 1) {
            let (second, middle) = self.integer(end + 1)?;
            let third = match self.at(middle) == Some(separator) && self.is_digit(middle + 1) {
                true => self.integer(middle + 1),
                false => None,
            };
            if let Some((third, last)) = third {
                let year = |year: u32| if year < 100 { year + 2000 } else { year };
                let readings = match (digits, separator) {
                    (4, _) => vec![(Some(first), second, third)],
                    (1 | 2, '/') => {
                        vec![(Some(year(third)), second, first), (Some(year(third)), first, second)]
                    }
                    (1 | 2, _) => vec![(Some(year(third)), second, first)],
                    _ => return None,
                };
                let valid: Vec<_> = readings
                    .into_iter()
                    .filter(|(_, m, d)| (1..=12).contains(m) && (1..=31).contains(d))
                    .collect();
                return (!valid.is_empty()).then_some((Fact::Date(valid), last));
            }
            // `01.03.`
            let is_day = separator == '.' && self.at(middle) == Some('.') && digits <= 2 && middle - end <= 3;
            let is_valid = (1..=31).contains(&first) && (1..=12).contains(&second);
            return (is_day && is_valid).then_some((Fact::Date(vec![(None, second, first)]), middle));
        }
        if digits > 2 || !(1..=31).contains(&first) {
            return None;
        }
        // `1 March 2026`, `1. März`, `1st of March`, `1 de marzo de 2026`
        let mut next = end;
        for suffix in ["st", "nd", "rd", "th", "er", "º", "o", "."] {
            let length = suffix.chars().count();
            let text: String = self.chars.get(next..next + length).unwrap_or_default().iter().collect();
            if text == suffix && !self.at(next + length).is_some_and(char::is_alphanumeric) {
                next += length;
                break;
            }
        }
        next = self.skip_spaces(next);
        let (mut word, mut after) = self.word_at(next);
        if matches!(word.as_str(), "of" | "de" | "di") {
            (word, after) = self.word_at(self.skip_spaces(after));
        }
        let month = month(&word)?;
        let (year, after) = self.year(after);
        Some((Fact::Date(vec![(year, month, first)]), after))
    }

    /// Optional year after a month.
    fn year(&self, at: usize) -> (Option<u32>, usize) {
        let mut next = self.skip_spaces(if matches!(self.at(at), Some(',' | '.')) { at + 1 } else { at });
        let (word, after) = self.word_at(next);
        if matches!(word.as_str(), "de" | "of") {
            next = self.skip_spaces(after);
        }
        match self.integer(next) {
            Some((year, end)) if end - next == 4 => (Some(year), end),
            _ => (None, at),
        }
    }

    /// Day after a month, as in `March 1st, 2026`; `March 2026` is no date.
    pub(super) fn day_after(&self, month: u32, end: usize) -> Option<(Fact, usize)> {
        let at = self.skip_spaces(end);
        let (day, mut after) = self.integer(at)?;
        if after - at > 2 || !(1..=31).contains(&day) {
            return None;
        }
        let (suffix, past) = self.word_at(after);
        match suffix.as_str() {
            "" => {}
            "st" | "nd" | "rd" | "th" => after = past,
            _ => return None,
        }
        let (year, after) = self.year(after);
        Some((Fact::Date(vec![(year, month, day)]), after))
    }

    pub(super) fn time(&self, at: usize) -> Option<(Fact, usize)> {
        let (hour, end) = self.integer(at)?;
        if end - at > 2 || hour > 24 {
            return None;
        }
        let (mut minute, mut after) = (0, end);
        let separated =
            matches!(self.at(end), Some(':' | 'h' | '.')) && self.is_digit(end + 1) && self.is_digit(end + 2);
        if separated && !self.is_digit(end + 3) {
            (minute, after) = self.integer(end + 1)?;
        }
        if minute > 59 {
            return None;
        }
        let next = self.skip_spaces(after);
        let suffix: String = self.chars.get(next..).unwrap_or_default().iter().take(4).collect();
        let half =
            ["a.m.", "p.m."].into_iter().find(|half| suffix.starts_with(half)).map(|half| (half, 4)).or_else(
                || {
                    let half = ["am", "pm"].into_iter().find(|half| suffix.starts_with(half))?;
                    let is_word = suffix.chars().nth(2).is_none_or(|c| !c.is_alphanumeric());
                    // `am` is also a German word.
                    (is_word && (half == "pm" || !self.is_german_am(next + 2))).then_some((half, 2))
                },
            );
        if let Some((half, length)) = half {
            let hour = match (half.starts_with('p'), hour) {
                (true, 12) => 12,
                (true, hour) if hour < 12 => hour + 12,
                (false, 12) => 0,
                (_, hour) => hour,
            };
            return Some((Fact::Time(hour, minute), next + length));
        }
        let is_clock = suffix.starts_with("uhr");
        let is_time = is_clock || after > end && self.at(end) != Some('.');
        is_time.then_some((Fact::Time(hour, minute), after))
    }

    /// Whether `am` is the German word, as in "3 am Tag".
    fn is_german_am(&self, at: usize) -> bool {
        let (word, _) = self.word_at(self.skip_spaces(at));
        matches!(
            word.as_str(),
            "tag" | "montag" | "dienstag" | "mittwoch" | "donnerstag" | "freitag" | "samstag" | "sonntag"
        )
    }
}
