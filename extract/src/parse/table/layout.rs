//! Layout of a table: title lines, rows of the header, records.

/// Number of rows searched for the header.
const MAX_TITLES: usize = 25;

/// Maximum number of lines of two cells above a header.
const MAX_LABELS: usize = 8;

/// Maximum length of a unit of measurement below a header, in characters.
const MAX_UNIT_CHARS: usize = 12;

/// Where the records of a table begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::parse) struct Layout {
    /// Number of rows above the header.
    pub(super) titles: usize,
    /// Number of header rows; 0 without a header.
    pub(super) header_rows: usize,
}

impl Layout {
    /// Whether the first rows are certainly a header: values stand below its words.
    pub(in crate::parse) fn is_certain(rows: &[Vec<&str>]) -> bool {
        let from = Rows { rows, width: width(rows) };
        from.has_groups() || from.has_units() || (from.has_header() && from.has_values_below(0, 1))
    }

    /// Number of rows before the records.
    pub(in crate::parse) fn before_records(self) -> usize {
        self.titles + self.header_rows
    }

    /// Detects the layout from the first rows.
    pub(in crate::parse) fn detect(rows: &[Vec<&str>]) -> Self {
        let width = width(rows);
        for (index, row) in rows.iter().enumerate().take(MAX_TITLES) {
            let from = Rows { rows: rows.get(index..).unwrap_or_default(), width };
            let titles = index;
            if from.has_groups_and_units() {
                return Self { titles, header_rows: 3 };
            }
            if from.has_groups() || from.has_units() {
                return Self { titles, header_rows: 2 };
            }
            if from.is_label(rows.get(index + 1..).unwrap_or_default()) {
                continue;
            }
            if from.has_header() {
                return Self { titles, header_rows: 1 };
            }
            let title =
                width > 1 && (filled(row) < 2 || filled(row) * 2 <= width || is_comment_row(row, width));
            if !title {
                // A record: the table has no header.
                return Self { titles, header_rows: 0 };
            }
        }
        Self::default()
    }
}

/// The rows from a candidate header on.
struct Rows<'a, 'b> {
    rows: &'a [Vec<&'b str>],
    /// Usual number of filled cells of a row.
    width: usize,
}

impl Rows<'_, '_> {
    fn cell(&self, row: usize, column: usize) -> &str {
        self.rows.get(row).and_then(|row| row.get(column)).map_or("", |cell| cell.trim())
    }

    /// A line of two cells above the table, `Date:, 1 May`. The header below must be wider and certain.
    fn is_label(&self, below: &[Vec<&str>]) -> bool {
        let cells = self.rows.first().map_or(0, |row| filled(row));
        if cells != 2 || self.width < 3 || self.cell(0, 0).is_empty() {
            return false;
        }
        for (index, row) in below.iter().enumerate().take(MAX_LABELS) {
            let later = Rows { rows: below.get(index..).unwrap_or_default(), width: self.width };
            if filled(row) > cells {
                return later.has_header() && later.has_values_below(0, 1);
            }
        }
        false
    }

    /// A header in two rows with units of measurement below.
    fn has_groups_and_units(&self) -> bool {
        let [groups, names, units, records @ ..] = self.rows else { return false };
        let cells = || units.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty());
        let unit = |cell: &str| !is_value(cell) && cell.chars().count() <= MAX_UNIT_CHARS;
        let blank = units.first().is_some_and(|cell| cell.trim().is_empty());
        let labelled =
            records.first().and_then(|row| row.first()).is_some_and(|cell| !cell.trim().is_empty());
        if !blank || !labelled || cells().count() == 0 || !cells().all(unit) {
            return false;
        }
        let mut rows = vec![groups.clone(), names.clone()];
        rows.extend(records.iter().take(MAX_TITLES).cloned());
        Rows { rows: &rows, width: self.width }.has_groups()
    }

    /// One row of distinct, non-empty words.
    fn has_header(&self) -> bool {
        let Some((first, rest)) = self.rows.split_first() else { return false };
        // A comment is no header, except the last one if it names all columns: `#id,name`.
        if first.first().is_some_and(|cell| is_comment(cell)) && self.width > 1 {
            let names_all = filled(first) >= self.width;
            let next = Rows { rows: rest, width: self.width };
            if !names_all || next.has_header() {
                return false;
            }
        }
        let records = rest.iter().filter(|row| filled(row) > 0).count();
        if records == 0 {
            return false;
        }
        let named = filled(first);
        let blank = span(first) - named;
        let mut distinct: Vec<&str> =
            first.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
        let values = distinct.iter().any(|cell| is_value(cell));
        distinct.sort_unstable();
        distinct.dedup();
        // A sentence names no column.
        if named == 1 && first.iter().any(|cell| cell.trim_end().ends_with(['.', '!'])) {
            return false;
        }
        let words = named > 0 && !values && (named + 1 >= self.width || named * 10 >= self.width * 7);
        // Tables with a label column often leave the corner blank.
        let all_named = blank <= 1 && distinct.len() == named;
        words && (all_named || (blank * 3 <= named && self.has_values_below(0, 1)))
    }

    /// Two rows, the first of which names groups of columns.
    fn has_groups(&self) -> bool {
        if self.rows.len() < 3 || self.width < 2 {
            return false;
        }
        let columns =
            (0..2).filter_map(|row| self.rows.get(row)).map(|row| span(row)).max().unwrap_or_default();
        let names = || (0..columns).map(|column| (self.cell(0, column), self.cell(1, column)));
        let (groups, members) = (
            names().filter(|(group, _)| !group.is_empty()).count(),
            names().filter(|(_, name)| !name.is_empty()).count(),
        );
        if names().any(|(group, name)| {
            is_value(group) || is_value(name) || is_comment(group) || group.ends_with(':')
        }) {
            return false;
        }
        // A lone first cell is a title.
        if members < 2 || !names().skip(1).any(|(group, _)| !group.is_empty()) {
            return false;
        }
        let unnamed = names().filter(|(group, name)| group.is_empty() && name.is_empty()).count();
        let spanned = names().skip(1).any(|(group, name)| group.is_empty() && !name.is_empty());
        let mut distinct: Vec<&str> =
            names().map(|(group, _)| group).filter(|group| !group.is_empty()).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let repeated = distinct.len() < groups;
        if unnamed > 1 || !(spanned || repeated) {
            return false;
        }
        // A column outside the groups has a name in the first row only, and values below.
        let complement = (0..columns).any(|column| {
            !self.cell(0, column).is_empty()
                && self.cell(1, column).is_empty()
                && !self.cell(2, column).is_empty()
        });
        let corner = self.cell(0, 0).is_empty() && self.cell(1, 0).is_empty();
        if complement || corner {
            return members * 2 >= columns || self.has_values_below(1, 2);
        }
        groups > 1 && (repeated || self.cell(0, 0).is_empty()) && self.has_values_below(1, 2)
    }

    /// A header and a row of units of measurement below it.
    fn has_units(&self) -> bool {
        if self.rows.len() < 3 || self.width < 2 || !self.has_header() {
            return false;
        }
        let Some(units) = self.rows.get(1) else { return false };
        let short = |cell: &str| !is_value(cell) && cell.chars().count() <= MAX_UNIT_CHARS;
        let first = self.cell(1, 0);
        let bracketed = |cell: &str| cell.starts_with(['(', '[']) && cell.ends_with([')', ']']);
        let all = units.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty());
        let (mut count, mut brackets) = (0, 0);
        for cell in all {
            if !short(cell) {
                return false;
            }
            count += 1;
            brackets += usize::from(bracketed(cell));
        }
        let blank = first.is_empty() && !self.cell(2, 0).is_empty();
        count > 0 && (blank || brackets == count) && self.has_values_below(1, 2)
    }

    /// Whether columns with a word in row `names` mostly hold values from row `from` on.
    fn has_values_below(&self, names: usize, from: usize) -> bool {
        let columns = self.rows.get(names).map_or(0, |row| row.len());
        (0..columns).filter(|column| !self.cell(names, *column).is_empty()).any(|column| {
            let below = self.rows.get(from..).unwrap_or_default().iter().filter_map(|row| row.get(column));
            let (mut all, mut values) = (0, 0);
            for cell in below.map(|cell| cell.trim()).filter(|cell| !cell.is_empty()) {
                all += 1;
                values += usize::from(is_value(cell) || is_year(cell));
            }
            all > 0 && values * 10 >= all * 6
        })
    }
}

/// Median of the filled cells of rows with more than one, or 1.
fn width(rows: &[Vec<&str>]) -> usize {
    let mut widths: Vec<usize> = rows.iter().map(|row| filled(row)).filter(|filled| *filled > 1).collect();
    let single = rows.iter().filter(|row| filled(row) == 1).count();
    if widths.len() * 2 < single {
        return 1;
    }
    widths.sort_unstable();
    widths.get(widths.len() / 2).copied().unwrap_or(1)
}

fn filled(row: &[&str]) -> usize {
    row.iter().filter(|cell| !cell.trim().is_empty()).count()
}

/// Number of cells up to the last filled one.
fn span(row: &[&str]) -> usize {
    row.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1)
}

fn is_comment_row(row: &[&str], width: usize) -> bool {
    row.first().is_some_and(|cell| is_comment(cell)) && width > 1
}

/// Whether a cell starts a comment. The number sign alone is a column of numbers.
pub(super) fn is_comment(cell: &str) -> bool {
    let rest = cell.trim_start().strip_prefix('#').map(|rest| rest.trim_start_matches(['#', '!', ' ']));
    rest.is_some_and(|rest| rest.starts_with(char::is_alphabetic))
}

/// Whether a cell is a number, an amount, a date, an e-mail address or a URL, and so not a column name.
fn is_value(cell: &str) -> bool {
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let letters = cell.chars().filter(|character| character.is_alphabetic()).count();
    // Years such as 2019 are common column names, though they look like values.
    (digits > 0 && letters == 0 && !is_year(cell))
        || (cell.contains('@') && cell.contains('.'))
        || cell.starts_with("http://")
        || cell.starts_with("https://")
}

fn is_year(cell: &str) -> bool {
    cell.len() == 4
        && cell.bytes().all(|byte| byte.is_ascii_digit())
        && (cell.starts_with("19") || cell.starts_with("20"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(table: &str) -> (usize, usize) {
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
        let layout = Layout::detect(&rows);
        (layout.titles, layout.header_rows)
    }

    #[test]
    fn a_header_row_consists_of_distinct_words() {
        for (table, expected) in [
            ("name,price\nA,1\n", (0, 1)),
            (",2019,2020\nsales,1,2\n", (0, 1)),
            ("#,name\n1,A\n2,B", (0, 1)),
            ("name,price,price\nA,1,2\nB,1,2", (0, 1)),
            ("1,2\n3,4\n", (0, 0)),
            ("ann@example.org,Ann\nbob@example.org,Bob\n", (0, 0)),
            ("a,a\nb,c\n", (0, 0)),
            ("only one row,of words\n", (0, 0)),
        ] {
            assert_eq!(layout(table), expected, "{table}");
        }
    }

    #[test]
    fn titles_and_comments_precede_the_header() {
        for (table, expected) in [
            ("Prices,,\nfrom May,,\n,,\nname,small,large\nA,1,2\nB,3,4", (3, 1)),
            ("Prices\n\nname,small,large\nA,1,2\nB,3,4", (2, 1)),
            ("Date:,1 May,,,\nroom,mon,tue,wed,thu\nA,1,2,3,4\nB,3,4,5,6", (1, 1)),
            ("# from the office\nname,small,large\nA,1,2", (1, 1)),
            ("# from the office\n#name,small,large\nA,1,2\nB,1,2", (1, 1)),
            ("Prices,,\n1,2,3\n4,5,6", (1, 0)),
        ] {
            assert_eq!(layout(table), expected, "{table}");
        }
    }

    #[test]
    fn a_header_of_two_rows_has_groups_or_units() {
        for (table, expected) in [
            ("Stop,Weekday,,Sunday,\n,First,Last,First,Last\nA,5:10,6,7,8\nB,5,6,7,8", (0, 2)),
            ("Room,Morning,,Evening,\n,open,staffed,open,staffed\nA,yes,no,yes,yes\nB,no,no,yes,no", (0, 2)),
            (",Adult,Adult,Child,Child\n,single,return,single,return\nA,5,6,7,8\nB,5,6,7,8", (0, 2)),
            ("Title,,\nItem,Price,\n,net,gross\nA,5,6\nB,5,6", (1, 2)),
            ("Item,Weight,Length\n,kg,cm\nA,5,6\nB,5,6", (0, 2)),
            ("Item,Weight,Length\nA,light,short\nB,heavy,long", (0, 1)),
            ("Name,,City\nBob,x,Rome\nAnn,y,Oslo", (0, 1)),
        ] {
            assert_eq!(layout(table), expected, "{table}");
        }
    }
}
