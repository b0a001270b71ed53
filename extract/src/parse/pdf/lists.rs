//! Lists that `unpdf` mistakes for tables.
//!
//! A numbered list beside text looks like a table of two columns: markers, mostly blank, and lines.

use unpdf::Table;

/// The lines of a list that was parsed as a table, or `None` for a real table.
pub(super) fn lines(table: &Table) -> Option<String> {
    let rows: Vec<(String, String)> = table
        .rows
        .iter()
        .map(|row| match row.cells.as_slice() {
            [marker, text] => {
                Some((marker.plain_text().trim().to_owned(), text.plain_text().trim().to_owned()))
            }
            _ => None,
        })
        .collect::<Option<_>>()?;
    let blank = rows.iter().filter(|(marker, _)| marker.is_empty()).count();
    let listed = rows.iter().all(|(marker, _)| marker.is_empty() || is_marker(marker));
    if blank * 2 < rows.len() || !listed {
        return None;
    }
    let line = |(marker, text): &(String, String)| format!("{marker} {text}").trim().to_owned();
    Some(rows.iter().map(line).collect::<Vec<_>>().join("\n") + "\n\n")
}

fn is_marker(cell: &str) -> bool {
    let number = cell.trim_start_matches('(').trim_end_matches(['.', ')']);
    let numbered =
        number.len() < cell.len() && number.len() <= 3 && number.chars().all(char::is_alphanumeric);
    numbered || matches!(cell, "•" | "-" | "–" | "*" | "◦" | "▪" | "○" | "●" | "■")
}

#[cfg(test)]
mod tests {
    use super::*;
    use unpdf::TableRow;

    fn table(rows: &[[&str; 2]]) -> Table {
        let mut table = Table::new();
        for row in rows {
            table.add_row(TableRow::from_strings(*row));
        }
        table
    }

    #[test]
    fn a_numbered_list_beside_text_is_no_table() {
        let listed = table(&[["", "Some text"], ["", "and more"], ["1.", "first"], ["2.", "second"]]);
        assert_eq!(lines(&listed).as_deref(), Some("Some text\nand more\n1. first\n2. second\n\n"));
        assert_eq!(lines(&table(&[["Skills", "C"], ["", "Rust"], ["", "Go"]])), None);
        assert_eq!(lines(&table(&[["1.", "a"], ["2.", "b"], ["", "c"]])), None);
    }
}
