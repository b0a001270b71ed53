//! CSV dialect detection from the first rows: delimiter, quote character and escape character.

use super::super::table::{Layout, SAMPLE_ROWS as ROWS};
use super::quotes;
use csv::{Reader, ReaderBuilder, StringRecord};

/// Delimiter of a file with one column. Cleaned texts have no NUL.
const NONE: u8 = 0;

/// Minimum share of rows with a common width. A smaller share can be chance.
const MIN_AGREEMENT: f64 = 0.75;

/// Maximum size of the sample, in bytes.
const SAMPLE: usize = 1 << 18;

/// Candidate delimiters. On a tie the first one wins.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Dialect of a CSV file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// Separator of two cells.
    pub(super) delimiter: u8,
    /// Quote character of cells that contain a delimiter.
    pub(super) quote: u8,
    /// Whether a backslash makes a quote character ordinary.
    escape: bool,
    /// Whether the first line is Excel's `sep=;` declaration rather than a row.
    declared: bool,
}

impl Dialect {
    /// Detects the dialect of a CSV text.
    pub(super) fn detect(text: &str) -> Self {
        let declared = declared_delimiter(text);
        let mut dialect = Self { delimiter: b',', quote: b'"', escape: false, declared: declared.is_some() };
        let sample = sample(dialect.body(text));
        dialect.quote = quote(sample);
        dialect.escape = escapes(sample, dialect.quote);
        dialect.delimiter = declared.unwrap_or_else(|| best_delimiter(dialect, sample));
        dialect
    }

    /// The text without its `sep=` line.
    pub(super) fn body(self, text: &str) -> &str {
        if self.declared { text.split_once('\n').map_or("", |(_, body)| body) } else { text }
    }

    /// A reader for this dialect. Without `quoting`, quote characters are ordinary characters.
    pub(super) fn reader(self, table: &str, quoting: bool) -> Reader<&[u8]> {
        ReaderBuilder::new()
            .delimiter(self.delimiter)
            .quote(self.quote)
            .escape(self.escape.then_some(b'\\'))
            .quoting(quoting)
            .flexible(true)
            .has_headers(false)
            .from_reader(table.as_bytes())
    }

    /// The first rows of a table.
    pub(super) fn rows(self, table: &str) -> Vec<StringRecord> {
        self.reader(&quotes::remove_blanks(sample(table), self.delimiter, self.quote), true)
            .into_records()
            .take(ROWS)
            .filter_map(Result::ok)
            .collect()
    }
}

fn declared_delimiter(text: &str) -> Option<u8> {
    let line = text.lines().next()?.trim_matches('"');
    let delimiter = line.strip_prefix("sep=").or_else(|| line.strip_prefix("SEP="))?;
    match delimiter.as_bytes() {
        [delimiter] => Some(*delimiter),
        [] if text.starts_with("sep=\t") => Some(b'\t'),
        _ => None,
    }
}

/// The start of a text, cut at the end of a line.
fn sample(table: &str) -> &str {
    if table.len() <= SAMPLE {
        return table;
    }
    let head = table.get(..table.floor_char_boundary(SAMPLE)).unwrap_or(table);
    head.rfind('\n').and_then(|end| head.get(..end)).unwrap_or(head)
}

/// The apostrophe is the quote character if lines start and end with it and the text has no quotation mark.
fn quote(sample: &str) -> u8 {
    let around = |mark: char| {
        sample
            .lines()
            .take(ROWS)
            .filter(|line| line.starts_with(mark) && line.trim_end().ends_with(mark))
            .count()
    };
    if sample.contains('"') {
        return b'"';
    }
    if around('\'') > 0 || apostrophes_enclose_cells(sample) { b'\'' } else { b'"' }
}

/// Whether apostrophes stand around cells, and each opened one is closed.
fn apostrophes_enclose_cells(sample: &str) -> bool {
    let is_border = |border: Option<char>| {
        border.is_none_or(|border| {
            border == '\n' || DELIMITERS.iter().any(|delimiter| border == char::from(*delimiter))
        })
    };
    let (mut opened, mut cells) = (false, 0_usize);
    for line in sample.lines().take(ROWS) {
        for (at, _) in line.match_indices('\'') {
            let before = line.get(..at).and_then(|text| text.chars().next_back());
            let after = line.get(at + 1..).and_then(|text| text.chars().next());
            if opened && is_border(after) {
                (opened, cells) = (false, cells + 1);
            } else if !opened && is_border(before) {
                opened = true;
            }
        }
        if opened {
            return false;
        }
    }
    cells > 1
}

/// Whether a backslash stands before a quote character within cells. Before a delimiter or a line end it may
/// be the end of a path.
fn escapes(sample: &str, quote: u8) -> bool {
    let mark = ['\\', char::from(quote)].iter().collect::<String>();
    sample.match_indices(&mark).any(|(at, _)| {
        let after = sample.get(at + mark.len()..).and_then(|rest| rest.chars().next());
        after.is_some_and(|after| after.is_alphanumeric() || after == ' ')
    })
}

/// The delimiter with the most rows of one common width above one.
fn best_delimiter(dialect: Dialect, sample: &str) -> u8 {
    let mut best = (0.0, b',');
    for delimiter in DELIMITERS {
        let dialect = Dialect { delimiter, ..dialect };
        let rows = dialect.rows(sample);
        if is_one_column(dialect, &rows) {
            continue;
        }
        let score = score(&rows);
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    if best.0 > 0.0 { best.1 } else { NONE }
}

/// Number of rows of the most common width above one, and that width.
fn common_width(rows: &[StringRecord]) -> (usize, usize) {
    let mut widths: Vec<usize> = rows.iter().map(StringRecord::len).collect();
    widths.sort_unstable();
    let runs =
        widths.chunk_by(|a, b| a == b).map(|run| (run.len(), run.first().copied().unwrap_or_default()));
    runs.filter(|(_, width)| *width > 1).max_by_key(|(count, _)| *count).unwrap_or_default()
}

fn score(rows: &[StringRecord]) -> f64 {
    if rows.is_empty() {
        return 0.0;
    }
    let (count, common) = common_width(rows);
    // Agreement dominates; width has little weight, so that commas in prose do not beat semicolons.
    let agreement = count as f64 / rows.len() as f64;
    agreement * agreement * (1.0 + (common as f64).ln() / 8.0)
}

/// Whether the commas are part of prose or decimal numbers. The first row must have one cell, the others must
/// form no table with values, and every comma must stand before a blank or between digits. If all rows are
/// sentences, the first row may have several cells.
fn is_one_column(dialect: Dialect, rows: &[StringRecord]) -> bool {
    if !matches!(dialect.delimiter, b',' | b';') || rows.is_empty() {
        return false;
    }
    let ends =
        |row: &StringRecord| row.iter().next_back().is_some_and(|cell| cell.ends_with(['.', '?', '!', '…']));
    let titled = rows.first().is_some_and(|first| first.len() == 1);
    if !titled && !rows.iter().all(ends) {
        return false;
    }
    let digit = |cell: &str, last: bool| {
        let mut bytes = cell.bytes();
        (if last { bytes.next_back() } else { bytes.next() }).is_some_and(|byte| byte.is_ascii_digit())
    };
    let (mut prose, mut numbers) = (true, true);
    let (mut parts, mut small) = (0_usize, 0_usize);
    for row in rows {
        for (left, right) in row.iter().zip(row.iter().skip(1)) {
            let number = digit(left, true) && digit(right, false);
            prose &= right.starts_with(' ') || number;
            numbers &= number;
            parts += 1;
            small += usize::from(right.trim_start().starts_with(char::is_lowercase));
        }
    }
    let agreement = common_width(rows).0 as f64 / rows.len() as f64;
    if !titled {
        return prose && parts > 0 && small * 10 >= parts * 6;
    }
    // Below a title, a table has a header of its own with values under it.
    let is_table = || {
        let below: Vec<Vec<&str>> =
            rows.iter().skip(1).map(|row| row.iter().map(str::trim).collect()).collect();
        Layout::is_certain(&below)
    };
    numbers || (prose && (agreement < MIN_AGREEMENT || small * 10 >= parts * 6 || !is_table()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_prose_do_not_hide_semicolon_delimiters() {
        let text = "question;answer\nMay I, please, return it?;Yes, within 30 days, always\n\
                    And, later?;No, sorry\nWhere, then?;Here";
        assert_eq!(Dialect::detect(text).delimiter, b';');
    }

    #[test]
    fn decimal_commas_do_not_hide_semicolon_delimiters() {
        assert_eq!(Dialect::detect("a;b\n1,5;2,5\n3,5;4,5\n").delimiter, b';');
    }

    #[test]
    fn commas_of_one_column_are_no_delimiters() {
        for text in [
            "question\nIs it late, sometimes?\nA dog, a bicycle, or both?\nWhere, please, is it?\n",
            "question\nIs it late, sometimes?\nA dog, or both?\n",
            "price\n1,5\n2,75\n12,00\n",
            "name\nLee, Ann\nRoe, Bo\nDoe, Cy\n",
            "address\n1 Quay Street, Lindow\n2 Hill Road, Esk\n",
            "remark\nGood, friendly staff\nClean, quiet\nSlow, cold food\n",
            "Bring a rope, a torch and water.\nLeave at nine, not later.\nPay in cash, please.\n",
            "name\nAda\nBo\n",
        ] {
            assert_eq!(Dialect::detect(text).delimiter, NONE, "{text}");
        }
        assert_eq!(Dialect::detect("Title\na,b\n1,2\n3,4\n5,6\n").delimiter, b',');
        assert_eq!(Dialect::detect("People\nname, age\nAda, 36\nBo, 41\n").delimiter, b',');
    }

    #[test]
    fn a_backslash_before_a_quotation_mark_escapes_it() {
        assert!(Dialect::detect("a,b\n1,\"5 \\\" wide\"\n").escape);
        assert!(!Dialect::detect("a,b\n1,\"C:\\\"\n").escape);
    }
}
