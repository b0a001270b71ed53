//! Excel workbooks (XLSX and XLS) to records. Cells are written as displayed, dates in ISO 8601.
//!
//! Hidden sheets are left out. The value of a formula is its stored result.

use std::collections::HashSet;

use office_oxide::xls::XlsDocument;
use office_oxide::xlsx::{
    Cell, CellRef, CellValue, DateTimeValue, SheetState, Worksheet, XlsxDocument, numfmt,
};
use office_oxide::{Document as Office, DocumentFormat};

use super::table::{Row, Sheet, write_sheets};
use super::{office, text, too_large};
use crate::protocol::{Document, Format, MAX_TEXT_BYTES, Markup, Rejection};

/// Extracts the text of a workbook.
pub(crate) fn read(format: Format, bytes: &[u8]) -> Result<Document, Rejection> {
    let office_format = if format == Format::Xlsx { DocumentFormat::Xlsx } else { DocumentFormat::Xls };
    let office = office::open(office_format, bytes)?;
    let mut notes = office::losses(&office);
    let mut workbook = Workbook::default();
    match (office.as_xlsx(), office.as_xls()) {
        (Some(xlsx), _) => workbook.read_xlsx(xlsx)?,
        (_, Some(xls)) => workbook.read_xls(xls)?,
        _ => {}
    }
    if workbook.hidden > 0 {
        notes.push(format!("Hidden sheets were not read: {}.", workbook.hidden));
    }
    if workbook.unevaluated > 0 {
        notes.push(format!(
            "Cells with a formula but no stored result: {}. Open the file in a spreadsheet program and save it.",
            workbook.unevaluated
        ));
    }
    let written = write_sheets(workbook.sheets)?;
    if written.is_empty() && !notes.is_empty() && workbook.hidden == 0 {
        return Err(office::damaged());
    }
    let title = title(&office).map(|title| text::line(&title));
    Ok(Document { title, notes, ..Document::new(format, Markup::Records, written) })
}

fn title(office: &Office) -> Option<String> {
    match (office.as_xlsx(), office.as_xls()) {
        (Some(xlsx), _) => xlsx.core_properties.as_ref()?.title.clone(),
        (_, Some(xls)) => xls.summary_properties()?.title.clone(),
        _ => None,
    }
}

#[derive(Default)]
struct Workbook {
    sheets: Vec<Sheet>,
    /// Number of hidden sheets with cells.
    hidden: usize,
    /// Number of formulas without a stored result.
    unevaluated: usize,
    /// Bytes of all cells.
    bytes: usize,
}

impl Workbook {
    fn read_xlsx(&mut self, document: &XlsxDocument) -> Result<(), Rejection> {
        let dates = document.date_style_indices();
        for worksheet in &document.worksheets {
            if worksheet.state != SheetState::Visible {
                self.hidden += usize::from(!worksheet.rows.is_empty());
                continue;
            }
            let mut sheet =
                Sheet { name: worksheet.name.clone(), rows: Vec::new(), merged: merged(worksheet) };
            for row in &worksheet.rows {
                let mut cells = Vec::new();
                for cell in &row.cells {
                    let value = self.display(document, cell, &dates);
                    if !value.trim().is_empty() {
                        self.count(&value)?;
                        cells.push((cell.reference.col as usize, value));
                    }
                }
                cells.sort_by_key(|(column, _)| *column);
                sheet.rows.push(Row { number: row.index as usize, cells });
            }
            self.push(sheet);
        }
        Ok(())
    }

    fn read_xls(&mut self, document: &XlsDocument) -> Result<(), Rejection> {
        for source in &document.sheets {
            if source.hidden {
                self.hidden += usize::from(!source.rows.is_empty());
                continue;
            }
            let spans = source.merged_cells.iter();
            let merged = spans.map(|(first, last, column, _)| {
                (usize::from(*first), usize::from(*last), usize::from(*column))
            });
            let mut sheet = Sheet { name: source.name.clone(), rows: Vec::new(), merged: merged.collect() };
            for (number, row) in source.rows.iter().enumerate() {
                let mut cells = Vec::new();
                for column in 0..row.len() {
                    let value = source.display_text(number, column).unwrap_or_default();
                    if !value.trim().is_empty() {
                        self.count(&value)?;
                        cells.push((column, shorten_date(&value)));
                    }
                }
                sheet.rows.push(Row { number, cells });
            }
            self.push(sheet);
        }
        Ok(())
    }

    fn push(&mut self, mut sheet: Sheet) {
        sheet.rows.sort_by_key(|row| row.number);
        self.sheets.push(sheet);
    }

    fn count(&mut self, value: &str) -> Result<(), Rejection> {
        self.bytes += value.len();
        if self.bytes > MAX_TEXT_BYTES { Err(too_large()) } else { Ok(()) }
    }

    fn display(&mut self, document: &XlsxDocument, cell: &Cell, dates: &HashSet<u32>) -> String {
        let mut value = String::new();
        match (&cell.value, cell.style_index) {
            (CellValue::Empty, _) => self.unevaluated += usize::from(cell.formula().is_some()),
            (CellValue::Number(serial), Some(style)) if dates.contains(&style) => {
                let code = format_code(document, style);
                value = date(*serial, &code, document.workbook.date1904)
                    .unwrap_or_else(|| numfmt::format_general(*serial));
            }
            (CellValue::Number(number), Some(style)) if padded(document, style, *number).is_some() => {
                value = padded(document, style, *number).unwrap_or_default();
            }
            (CellValue::Date(date), _) => value = shorten_date(&date.to_iso_string()),
            _ => document.write_cell_value_fast(cell, &mut value, dates),
        }
        unescape(value)
    }
}

/// A whole number in a format of zeros, with leading zeros: a postal code.
fn padded(document: &XlsxDocument, style: u32, number: f64) -> Option<String> {
    let code = format_code(document, style);
    let zeros = (2..=20).contains(&code.len()) && code.bytes().all(|byte| byte == b'0');
    let whole = number.fract() == 0.0 && (0.0..1e15).contains(&number);
    (zeros && whole).then(|| format!("{number:0>width$.0}", width = code.len()))
}

/// Replaces the escapes of characters that XML lacks: `_x000D_`.
fn unescape(value: String) -> String {
    let Some((head, mut rest)) = value.split_once("_x") else { return value };
    let mut text = head.to_owned();
    loop {
        let code = rest.get(..4).filter(|_| rest.as_bytes().get(4) == Some(&b'_'));
        let code = code.filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
            Some(character) => {
                text.push(character);
                rest = rest.get(5..).unwrap_or_default();
            }
            None => text.push_str("_x"),
        }
        let Some((before, after)) = rest.split_once("_x") else { break };
        text.push_str(before);
        rest = after;
    }
    text + rest
}

/// The code of a style's number format.
fn format_code(document: &XlsxDocument, style: u32) -> String {
    let styles = document.styles.as_ref();
    let own = styles.and_then(|styles| styles.number_format_override_for(style));
    let built_in = || {
        let id = styles.and_then(|styles| styles.number_format_id_for(style))?;
        numfmt::builtin_format_code(id)
    };
    own.or_else(built_in).unwrap_or_default().to_ascii_lowercase()
}

/// A date, a time of day, both or a duration, as the format code shows it.
fn date(serial: f64, code: &str, date1904: bool) -> Option<String> {
    // The letters of literal text and locales are no tokens.
    let mut tokens = String::new();
    let mut quoted = false;
    for part in code.split('"') {
        if !quoted {
            tokens.push_str(part);
        }
        quoted = !quoted;
    }
    if tokens.contains("[h") || tokens.contains("[m") || tokens.contains("[s") {
        let seconds = (serial * 86_400.0).round();
        let seconds = if (0.0..1e12).contains(&seconds) { seconds as u64 } else { return None };
        return Some(format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    }
    let (has_date, has_time) = (tokens.contains(['y', 'd']), tokens.contains(['h', 's']));
    // The time of day is the fraction. Day 1 replaces a missing day, because day 0 is no date.
    let time_only = has_time && !has_date && serial >= 0.0;
    let moment = DateTimeValue::from_serial(if time_only { serial.fract() + 1.0 } else { serial }, date1904)?;
    let day = format!("{:04}-{:02}-{:02}", moment.year, moment.month, moment.day);
    let time = if moment.second == 0 && !tokens.contains('s') {
        format!("{:02}:{:02}", moment.hour, moment.minute)
    } else {
        format!("{:02}:{:02}:{:02}", moment.hour, moment.minute, moment.second)
    };
    Some(match (has_date, has_time) {
        (false, true) => time,
        (true, true) => format!("{day} {time}"),
        _ => day,
    })
}

/// Removes midnight from a date and the day from a time.
fn shorten_date(value: &str) -> String {
    for zero in ["1899-12-30 ", "1899-12-31 ", "1900-01-00 ", "1904-01-01 "] {
        if let Some(time) = value.strip_prefix(zero) {
            return time.strip_suffix(":00").unwrap_or(time).to_owned();
        }
    }
    value.strip_suffix(" 00:00:00").unwrap_or(value).to_owned()
}

fn merged(worksheet: &Worksheet) -> Vec<(usize, usize, usize)> {
    let range = |range: &String| {
        let (start, end) = range.split_once(':')?;
        let (start, end) = (CellRef::parse(start)?, CellRef::parse(end)?);
        Some((start.row as usize + 1, end.row as usize + 1, start.col as usize))
    };
    worksheet.merged_cells.iter().filter_map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_characters_are_replaced() {
        for (escaped, text) in [
            ("a_x000D_\nb", "a\r\nb"),
            ("_x0041_da", "Ada"),
            ("x_x", "x_x"),
            ("_xyz1_ _x00e9_", "_xyz1_ é"),
            ("plain", "plain"),
        ] {
            assert_eq!(unescape(escaped.to_owned()), text);
        }
    }
}
