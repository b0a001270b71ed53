//! Sheets of an OpenDocument spreadsheet to records. Dates are in ISO 8601, other cells as displayed.

use super::body::Body;
use super::styles::Styles;
use crate::parse::table::{Row, Sheet, write_sheets};
use crate::parse::too_large;
use crate::parse::xml::Node;
use crate::protocol::{Document, Format, MAX_TEXT_BYTES, Markup, Rejection};

/// Maximum number of times a filled row or cell is repeated. Blank rows and cells only advance the position.
const MAX_REPEATED: usize = 1_000;

pub(super) fn read(spreadsheet: Option<&Node>, styles: &Styles) -> Result<Document, Rejection> {
    let (mut sheets, mut hidden, mut bytes) = (Vec::new(), 0, 0);
    let tables = spreadsheet.into_iter().flat_map(Node::elements);
    for table in tables.filter(|node| node.name == "table:table") {
        if styles.hides(table.attribute("table:style-name")) {
            hidden += 1;
            continue;
        }
        sheets.push(sheet(table, styles, &mut bytes)?);
    }
    let mut document = Document::new(Format::Ods, Markup::Records, write_sheets(sheets)?);
    if hidden > 0 {
        document.notes.push(format!("Hidden sheets were not read: {hidden}."));
    }
    Ok(document)
}

fn sheet(table: &Node, styles: &Styles, bytes: &mut usize) -> Result<Sheet, Rejection> {
    let mut sheet =
        Sheet { name: table.attribute("table:name").unwrap_or_default().to_owned(), ..Sheet::default() };
    let mut number: usize = 0;
    for source in table.descendants().filter(|node| node.name == "table:table-row") {
        let repeated = source.number("table:number-rows-repeated");
        let row = cells(source, styles);
        for (index, (column, span, _)) in row.iter().enumerate() {
            if *span > 1 && index < MAX_REPEATED {
                sheet.merged.push((number, number.saturating_add(span - 1), *column));
            }
        }
        if !row.is_empty() {
            for index in 0..repeated.min(MAX_REPEATED) {
                *bytes += row.iter().map(|(.., cell)| cell.len() + 1).sum::<usize>();
                if *bytes > MAX_TEXT_BYTES {
                    return Err(too_large());
                }
                let cells = row.iter().map(|(column, _, cell)| (*column, cell.clone())).collect();
                sheet.rows.push(Row { number: number.saturating_add(index), cells });
            }
        }
        number = number.saturating_add(repeated);
    }
    Ok(sheet)
}

/// The filled cells of a row: column, rows spanned, text.
fn cells(row: &Node, styles: &Styles) -> Vec<(usize, usize, String)> {
    let mut cells = Vec::new();
    let mut column: usize = 0;
    for cell in row.elements() {
        if !matches!(cell.name.as_str(), "table:table-cell" | "table:covered-table-cell") {
            continue;
        }
        let repeated = cell.number("table:number-columns-repeated");
        let text = display(cell, styles);
        if !text.trim().is_empty() {
            let span = cell.number("table:number-rows-spanned");
            cells.extend(
                (0..repeated.min(MAX_REPEATED))
                    .map(|index| (column.saturating_add(index), span, text.clone())),
            );
        }
        column = column.saturating_add(repeated);
    }
    cells
}

fn display(cell: &Node, styles: &Styles) -> String {
    if let Some(date) = cell.attribute("office:date-value") {
        let (day, time) = date.split_once('T').unwrap_or((date, ""));
        let time = time.strip_suffix(":00").unwrap_or(time);
        return if matches!(time, "" | "00:00") { day.to_owned() } else { format!("{day} {time}") };
    }
    let mut body = Body::new(styles);
    let lines: Vec<String> =
        cell.elements().filter(|node| node.name == "text:p").map(|line| body.inline(line)).collect();
    lines.join(" ")
}
