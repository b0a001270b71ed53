//! Sheets of a workbook: blocks of rows become tables, and lone cells become lines.

use super::{Layout, Records, SAMPLE_ROWS, title_line};
use crate::protocol::Rejection;

/// Default names of sheets, without their number, in several languages.
const DEFAULT_NAMES: [&str; 12] = [
    "sheet", "tabelle", "feuil", "feuille", "hoja", "foglio", "planilha", "blad", "ark", "arkusz", "лист",
    "list",
];

/// Maximum length of a sheet's name. It repeats in every record.
const MAX_NAME_CHARS: usize = 60;

/// Maximum number of merged cells from above that a row has.
const MAX_OPEN: usize = 256;

/// A sheet of cells.
#[derive(Debug, Default)]
pub(in crate::parse) struct Sheet {
    pub(in crate::parse) name: String,
    /// Rows with cells, in order.
    pub(in crate::parse) rows: Vec<Row>,
    /// Merged cells: first and last row, first column.
    pub(in crate::parse) merged: Vec<(usize, usize, usize)>,
}

/// A row: its number from 0, and its filled cells by column, in order.
#[derive(Debug, Default)]
pub(in crate::parse) struct Row {
    pub(in crate::parse) number: usize,
    pub(in crate::parse) cells: Vec<(usize, String)>,
}

impl Row {
    /// The cells from the first column on. `left` columns are skipped.
    fn expand(&self, left: usize) -> Vec<&str> {
        let mut cells = Vec::new();
        for (column, cell) in &self.cells {
            let Some(column) = column.checked_sub(left).filter(|column| *column <= super::MAX_COLUMNS) else {
                continue;
            };
            if column >= cells.len() {
                cells.resize(column + 1, "");
            }
            if let Some(place) = cells.get_mut(column) {
                *place = cell.as_str();
            }
        }
        cells
    }

    fn cell(&self, column: usize) -> &str {
        let at = self.cells.binary_search_by_key(&column, |(column, _)| *column);
        at.ok().and_then(|at| self.cells.get(at)).map_or("", |(_, cell)| cell.as_str())
    }
}

/// Writes sheets as records. Records name their sheet if there are several.
///
/// # Errors
/// `too_large` when a row or the text exceeds its limit.
pub(in crate::parse) fn write_sheets(mut sheets: Vec<Sheet>) -> Result<String, Rejection> {
    for sheet in &mut sheets {
        sheet.rows.retain(|row| row.cells.iter().any(|(_, cell)| !cell.trim().is_empty()));
    }
    sheets.retain(|sheet| !sheet.rows.is_empty());
    let several = sheets.len() > 1;
    let mut records = Records::default();
    for sheet in &sheets {
        let name = super::text::shorten(super::text::line(&sheet.name), MAX_NAME_CHARS);
        let label = format!("Sheet: {name}");
        if several {
            write_sheet(sheet, &mut records, Some(&label))?;
        } else {
            if !is_default(&name) {
                records.push_lines(&label);
            }
            write_sheet(sheet, &mut records, None)?;
        }
    }
    Ok(records.finish())
}

fn is_default(name: &str) -> bool {
    let lower = name.to_lowercase();
    let start = lower.trim_end_matches(|character: char| character.is_ascii_digit() || character == ' ');
    start.is_empty() || DEFAULT_NAMES.contains(&start)
}

fn write_sheet(sheet: &Sheet, records: &mut Records, label: Option<&str>) -> Result<(), Rejection> {
    records.begin(Layout::default(), label.map(str::to_owned));
    let mut in_table = false;
    let mut merged = Merged::new(sheet);
    let mut lines: Vec<String> = Vec::new();
    let blocks = sheet.rows.chunk_by(|row, next| next.number <= row.number + 1);
    let blocks: Vec<&[Row]> = blocks.collect();
    for (index, block) in blocks.iter().enumerate() {
        let left = block
            .iter()
            .filter_map(|row| row.cells.first())
            .map(|(column, _)| *column)
            .min()
            .unwrap_or_default();
        let sample: Vec<Vec<&str>> = block.iter().take(SAMPLE_ROWS).map(|row| row.expand(left)).collect();
        let wide = sample.iter().any(|row| row.iter().filter(|cell| !cell.trim().is_empty()).count() > 1);
        let lone = !wide && (blocks.len() > 1 || block.len() == 1);
        if lone {
            // Titles above and notes below tables. They do not end a table: the next block may continue it.
            lines.extend(sample.iter().map(|row| title_line(row)).filter(|line| !line.is_empty()));
            lines.extend(block.iter().skip(SAMPLE_ROWS).map(|row| title_line(&row.expand(left))));
            if index + 1 < blocks.len() {
                continue;
            }
        }
        let layout = Layout::detect(&sample);
        // After a blank row within a table, a row is a header only if values stand below its words.
        let goes_on = in_table
            && !(layout.header_rows > 0
                && Layout::is_certain(sample.get(layout.titles..).unwrap_or_default()));
        if !lines.is_empty() {
            records.push_lines(&std::mem::take(&mut lines).join("\n"));
        }
        if lone {
            continue;
        }
        if !goes_on {
            records.begin(layout, label.map(str::to_owned));
            in_table = layout.header_rows > 0;
        }
        let skipped = if goes_on { 0 } else { layout.before_records() };
        for (index, row) in block.iter().enumerate() {
            let cells = row.expand(left);
            if index < skipped {
                // Blank cells separate the header rows, so merged cells are not filled there.
                records.push(&cells)?;
            } else {
                records.push(&merged.fill(row, cells, left))?;
            }
        }
    }
    Ok(())
}

/// Cells merged over several rows. Their value is repeated in each row.
struct Merged<'a> {
    /// Merged cells that begin below the rows filled so far, last one first.
    below: Vec<(usize, usize, usize)>,
    /// Last row, column and value of the merged cells that include the row.
    open: Vec<(usize, usize, &'a str)>,
    sheet: &'a Sheet,
}

impl<'a> Merged<'a> {
    fn new(sheet: &'a Sheet) -> Self {
        let mut below: Vec<_> =
            sheet.merged.iter().copied().filter(|(first, last, _)| last > first).collect();
        below.sort_unstable_by(|a, b| b.cmp(a));
        Self { below, open: Vec::new(), sheet }
    }

    /// Fills a row. Rows must come in order.
    fn fill(&mut self, row: &Row, mut cells: Vec<&'a str>, left: usize) -> Vec<&'a str> {
        self.open.retain(|(last, ..)| *last >= row.number);
        while let Some((first, last, column)) = self.below.pop_if(|(first, ..)| *first < row.number) {
            let rows = &self.sheet.rows;
            let at = rows.binary_search_by_key(&first, |row| row.number);
            let value = at.ok().and_then(|at| rows.get(at)).map_or("", |row| row.cell(column));
            if last >= row.number && !value.is_empty() && self.open.len() < MAX_OPEN {
                self.open.push((last, column, value));
            }
        }
        for (_, column, value) in &self.open {
            let Some(column) = column.checked_sub(left).filter(|column| *column <= super::MAX_COLUMNS) else {
                continue;
            };
            if column >= cells.len() {
                cells.resize(column + 1, "");
            }
            if let Some(cell) = cells.get_mut(column).filter(|cell| cell.is_empty()) {
                *cell = value;
            }
        }
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(name: &str, table: &str) -> Sheet {
        let rows = table.lines().enumerate().map(|(number, line)| {
            let cells = line.split(',').enumerate().filter(|(_, cell)| !cell.is_empty());
            Row { number, cells: cells.map(|(column, cell)| (column, cell.to_owned())).collect() }
        });
        Sheet { name: name.to_owned(), rows: rows.collect(), merged: Vec::new() }
    }

    #[test]
    fn records_name_their_sheet_if_there_are_several() {
        let sheets = || vec![sheet("2025", "name,price\nA,1"), sheet("2026", "name,price\nA,2")];
        assert_eq!(
            write_sheets(sheets()).unwrap(),
            "Sheet: 2025\nname: A\nprice: 1\n\nSheet: 2026\nname: A\nprice: 2"
        );
        assert_eq!(write_sheets(vec![sheet("Fees", "a,b\nx,1")]).unwrap(), "Sheet: Fees\n\na: x\nb: 1");
        assert_eq!(
            write_sheets(vec![sheet("Sheet1", "a,b\nx,1"), sheet("Sheet2", "")]).unwrap(),
            "a: x\nb: 1"
        );
    }

    #[test]
    fn blocks_of_a_sheet_are_tables_of_their_own() {
        let text = write_sheets(vec![sheet(
            "Tabelle1",
            "Fees of the ferry\n\n,,name,price\n,,A,1\n,,B,2\n\ncity,people\nEsk,30\nMoor,40\n\nValid from May",
        )]);
        assert_eq!(
            text.unwrap(),
            "Fees of the ferry\n\nname: A\nprice: 1\n\nname: B\nprice: 2\n\n\
             city: Esk\npeople: 30\n\ncity: Moor\npeople: 40\n\nValid from May"
        );
    }

    #[test]
    fn a_blank_row_does_not_end_a_table() {
        let text = write_sheets(vec![sheet("Sheet1", "name,city\nAnn,Rome\n\nBob,Oslo\nCy,Bonn")]);
        assert_eq!(text.unwrap(), "name: Ann\ncity: Rome\n\nname: Bob\ncity: Oslo\n\nname: Cy\ncity: Bonn");
    }

    #[test]
    fn lines_around_tables_name_their_sheet_once() {
        let sheets = vec![
            sheet("2025", "Fees\n\nStop,Adult,\n,single,return\nA,1,2\n\nValid from May"),
            sheet("2026", "Closed"),
        ];
        assert_eq!(
            write_sheets(sheets).unwrap(),
            "Sheet: 2025\nFees\n\nSheet: 2025\nStop: A\nAdult single: 1\nAdult return: 2\n\n\
             Sheet: 2025\nValid from May\n\nSheet: 2026\nClosed"
        );
    }

    #[test]
    fn a_cell_merged_over_rows_applies_to_each() {
        let mut merged = sheet("Sheet1", "line,stop,time\nRed,Esk,1\n,Moor,2\nBlue,Esk,3");
        merged.merged.push((1, 2, 0));
        assert_eq!(
            write_sheets(vec![merged]).unwrap(),
            "line: Red\nstop: Esk\ntime: 1\n\nline: Red\nstop: Moor\ntime: 2\n\nline: Blue\nstop: Esk\ntime: 3"
        );
    }
}
