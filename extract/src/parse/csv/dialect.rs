//! CSV dialect detection from the first rows: delimiter, quote character and header row.

use csv::{Reader, ReaderBuilder, StringRecord};

/// Maximum number of rows sampled.
const ROWS: usize = 200;

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
    /// Whether the first row is a header.
    pub(super) header: bool,
    /// Whether the first line is Excel's `sep=;` declaration rather than a row.
    declared: bool,
}

impl Dialect {
    /// Detects the dialect of a CSV text.
    pub(super) fn detect(text: &str) -> Self {
        let declared = declared_delimiter(text);
        let mut dialect = Self { delimiter: b',', quote: b'"', header: false, declared: declared.is_some() };
        let sample = sample(dialect.body(text));
        dialect.quote = quote(sample);
        dialect.delimiter = declared.unwrap_or_else(|| best_delimiter(dialect, sample));
        dialect.header = has_header(&dialect.rows(sample));
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
            .quoting(quoting)
            .flexible(true)
            .has_headers(false)
            .from_reader(table.as_bytes())
    }

    fn rows(self, sample: &str) -> Vec<StringRecord> {
        self.reader(sample, true).into_records().take(ROWS).filter_map(Result::ok).collect()
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
    if around('\'') > 0 && around('"') == 0 && !sample.contains('"') { b'\'' } else { b'"' }
}

/// The delimiter with the most rows of one common width above one.
fn best_delimiter(dialect: Dialect, sample: &str) -> u8 {
    let mut best = (0.0, b',');
    for delimiter in DELIMITERS {
        let rows = Dialect { delimiter, ..dialect }.rows(sample);
        let score = score(&rows);
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    best.1
}

fn score(rows: &[StringRecord]) -> f64 {
    let mut widths: Vec<usize> = rows.iter().map(StringRecord::len).collect();
    widths.sort_unstable();
    let (common, count) = widths
        .chunk_by(|a, b| a == b)
        .map(|run| (run.first().copied().unwrap_or_default(), run.len()))
        .filter(|(width, _)| *width > 1)
        .max_by_key(|(_, count)| *count)
        .unwrap_or_default();
    if rows.is_empty() {
        return 0.0;
    }
    // Agreement dominates; width has little weight, so that commas in prose do not beat semicolons.
    let agreement = count as f64 / rows.len() as f64;
    agreement * agreement * (1.0 + (common as f64).ln() / 8.0)
}

/// The first row is a header if its cells are distinct, non-empty words.
fn has_header(rows: &[StringRecord]) -> bool {
    let Some((first, rest)) = rows.split_first() else { return false };
    if rest.is_empty() {
        return false;
    }
    let cells: Vec<&str> = first.iter().map(str::trim).collect();
    let named = cells.iter().filter(|cell| !cell.is_empty()).count();
    let mut distinct: Vec<&str> = cells.iter().copied().filter(|cell| !cell.is_empty()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    // One blank cell is allowed: tables with a label column often leave the corner blank.
    let all_named = named > 0 && named + 1 >= cells.len() && distinct.len() == named;
    all_named && !cells.iter().any(|cell| is_value(cell))
}

/// Whether a cell is a number, an amount, a date, an e-mail address or a URL, and so not a column name.
fn is_value(cell: &str) -> bool {
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let letters = cell.chars().filter(|character| character.is_alphabetic()).count();
    // Years such as 2019 are common column names, though they look like values.
    let year = digits == 4 && cell.len() == 4 && (cell.starts_with("19") || cell.starts_with("20"));
    (digits > 0 && letters == 0 && !year)
        || (cell.contains('@') && cell.contains('.'))
        || cell.starts_with("http://")
        || cell.starts_with("https://")
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
    fn a_header_row_consists_of_distinct_words() {
        for (text, header) in [
            ("name,price\nA,1\n", true),
            (",2019,2020\nsales,1,2\n", true),
            ("1,2\n3,4\n", false),
            ("ann@example.org,Ann\nbob@example.org,Bob\n", false),
            ("a,a\nb,c\n", false),
            ("only one row,of words\n", false),
        ] {
            assert_eq!(Dialect::detect(text).header, header, "{text}");
        }
    }
}
