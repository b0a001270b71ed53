//! CSV to records: one line `Header: value` per cell, records separated by a blank line.
//!
//! No row is split or lost. A cell beyond the header gets its column number as the header, and a line end
//! inside a cell becomes a space.

mod dialect;

use csv::StringRecord;

use super::{text, too_large};
use crate::protocol::{Document, Format, MAX_TEXT_BYTES, Markup, Rejection, Verdict};
use dialect::Dialect;

/// Maximum header length. Headers repeat in every record, so long ones would multiply the text.
const MAX_HEADER_CHARS: usize = 120;

/// Maximum number of columns.
const MAX_COLUMNS: usize = 2_000;

/// Extracts the records of a CSV file.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, Rejection> {
    let text = text::clean(&text::read(bytes)?);
    let dialect = Dialect::detect(&text);
    let table = dialect.body(&text);
    let mut notes = Vec::new();
    let text = match records(table, dialect, true)? {
        Some(text) => text,
        None => {
            notes.push(
                "A quotation mark in the file is never closed; quotation marks were read as text.".to_owned(),
            );
            records(table, dialect, false)?.unwrap_or_default()
        }
    };
    Ok(Document {
        format: Format::Csv,
        markup: Markup::Records,
        text,
        pages: Vec::new(),
        title: None,
        notes,
        scanned_pages: Vec::new(),
        web: None,
    })
}

/// The records as text, or `None` if an unclosed quotation mark swallowed rows.
fn records(table: &str, dialect: Dialect, quoting: bool) -> Result<Option<String>, Rejection> {
    let mut reader = dialect.reader(table, quoting);
    let mut record = StringRecord::new();
    let mut headers = Vec::new();
    let mut written = String::new();
    let mut first = true;
    let mut swallowed = false;
    while reader.read_record(&mut record).map_err(|error| damaged(&error))? {
        if record.len() > MAX_COLUMNS {
            return Err(Rejection::new(
                Verdict::TooLarge,
                format!(
                    "A row of the file has {} cells; at most {MAX_COLUMNS} are read. Split the table.",
                    record.len()
                ),
            ));
        }
        swallowed = record.iter().any(|cell| cell.contains('\n'));
        if std::mem::take(&mut first) && dialect.header {
            headers = record.iter().map(header).collect();
            continue;
        }
        write(&mut written, &headers, &record);
        if written.len() > MAX_TEXT_BYTES {
            return Err(too_large());
        }
    }
    // The text of a file with only a header is the header.
    if written.is_empty() {
        written = headers.join("\n");
    }
    let unclosed = swallowed && quoting && table.matches(char::from(dialect.quote)).count() % 2 == 1;
    Ok((!unclosed).then_some(written))
}

fn write(written: &mut String, headers: &[String], record: &StringRecord) {
    let start = written.len();
    for (column, cell) in record.iter().enumerate() {
        if cell.trim().is_empty() {
            continue;
        }
        if written.len() > start {
            written.push('\n');
        } else if start > 0 {
            written.push_str("\n\n");
        }
        match headers.get(column).filter(|header| !header.is_empty()) {
            Some(header) => written.push_str(header),
            None => {
                written.push_str("Column ");
                written.push_str(&(column + 1).to_string());
            }
        }
        written.push_str(": ");
        text::push_line(written, cell);
    }
}

fn header(cell: &str) -> String {
    text::shorten(text::line(cell), MAX_HEADER_CHARS)
}

fn damaged(error: &csv::Error) -> Rejection {
    Rejection::new(Verdict::Corrupt, format!("The file cannot be read as comma-separated values: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(csv: &str) -> String {
        read(csv.as_bytes()).unwrap().text
    }

    #[test]
    fn every_cell_carries_its_header() {
        assert_eq!(
            text("name,price\r\nAlpha,10\r\nBeta,\"1,5\"\r\n"),
            "name: Alpha\nprice: 10\n\nname: Beta\nprice: 1,5"
        );
    }

    #[test]
    fn dialects_are_detected() {
        let expected = "name: Alpha, Ltd\nprice: 10\n\nname: Beta\nprice: 20";
        for csv in [
            "name;price\nAlpha, Ltd;10\nBeta;20",
            "name\tprice\nAlpha, Ltd\t10\nBeta\t20",
            "name|price\nAlpha, Ltd|10\nBeta|20",
            "\"name\",\"price\"\n\"Alpha, Ltd\",\"10\"\n\"Beta\",\"20\"",
            "'name','price'\n'Alpha, Ltd','10'\n'Beta','20'",
            "sep=;\nname;price\nAlpha, Ltd;10\nBeta;20",
        ] {
            assert_eq!(text(csv), expected, "{csv}");
        }
    }

    #[test]
    fn columns_without_a_header_are_numbered() {
        assert_eq!(text("1,Alpha\n2,Beta\n"), "Column 1: 1\nColumn 2: Alpha\n\nColumn 1: 2\nColumn 2: Beta");
    }

    #[test]
    fn no_row_is_split_or_lost() {
        assert_eq!(
            text("name,note\nAlpha,\"two\nlines\n\nof it\",extra\nBeta\n,,\nGamma,\n"),
            "name: Alpha\nnote: two lines of it\nColumn 3: extra\n\nname: Beta\n\nname: Gamma"
        );
    }

    #[test]
    fn an_unclosed_quotation_mark_swallows_no_row() {
        let document = read(b"name,size\nPipe,\"5\nTube,6\nHose,7\n").unwrap();
        assert_eq!(document.text, "name: Pipe\nsize: \"5\n\nname: Tube\nsize: 6\n\nname: Hose\nsize: 7");
        assert_eq!(document.notes.len(), 1);
    }

    #[test]
    fn long_headers_are_cut_and_too_many_columns_refused() {
        let long = format!("{},b\nx,1\ny,2\n", "h".repeat(5000));
        assert!(text(&long).len() < 400);
        let wide = "a,".repeat(MAX_COLUMNS + 1);
        assert_eq!(read(wide.as_bytes()).unwrap_err().verdict, Verdict::TooLarge);
    }
}
