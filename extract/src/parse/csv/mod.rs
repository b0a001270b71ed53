//! CSV files: dialect, quotation marks and rows. The layout and the records are those of [`table`].

mod dialect;
mod quotes;

use csv::StringRecord;

use super::table::{Layout, Records};
use super::text;
use crate::protocol::{Document, Format, Markup, Rejection, Verdict};
use dialect::Dialect;

/// Characters for line ends inside a cell.
const IN_CELLS: [char; 5] = ['\x0b', '\x0c', '\u{85}', '\u{2028}', '\u{2029}'];

/// Extracts the records of a CSV file.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, Rejection> {
    let mut text = text::read(bytes)?;
    // FileMaker writes line ends and repetitions in a cell as VT and GS. Other programs write NEL, LS, PS or
    // FF. These characters divide rows only in a file without LF and CR.
    if text.contains(['\n', '\r']) {
        text = text.replace(IN_CELLS, " ");
    }
    text = text.replace(['\x1c', '\x1d', '\x1e', '\x1f', '\0'], " ");
    let text = text::clean(&text);
    let dialect = Dialect::detect(&text);
    let body = dialect.body(&text);
    let table = quotes::remove_blanks(body, dialect.delimiter, dialect.quote);
    let sample = dialect.rows(&table);
    let layout = Layout::detect(&sample.iter().map(|row| row.iter().collect()).collect::<Vec<_>>());
    let mut notes = Vec::new();
    let text = match records(&table, dialect, layout, true)? {
        Some(text) => text,
        None => {
            notes.push(
                "A quotation mark in the file is never closed; quotation marks were read as text.".to_owned(),
            );
            records(body, dialect, layout, false)?.unwrap_or_default()
        }
    };
    Ok(Document { notes, ..Document::new(Format::Csv, Markup::Records, text) })
}

/// The records as text, or `None` if an unclosed quotation mark swallowed rows.
fn records(
    table: &str,
    dialect: Dialect,
    layout: Layout,
    quoting: bool,
) -> Result<Option<String>, Rejection> {
    let mut reader = dialect.reader(table, quoting);
    let mut record = StringRecord::new();
    let mut records = Records::default();
    records.begin(layout, None);
    let mut swallowed = false;
    while reader.read_record(&mut record).map_err(|error| damaged(&error))? {
        swallowed = record.iter().any(|cell| cell.contains('\n'));
        records.push(&record.iter().map(literal).collect::<Vec<_>>())?;
    }
    let unclosed = swallowed && quoting && table.matches(char::from(dialect.quote)).count() % 2 == 1;
    Ok((!unclosed).then(|| records.finish()))
}

/// The text of a cell such as `="007"`. The formula prevents Excel from reading a number.
fn literal(cell: &str) -> &str {
    let text = cell.strip_prefix("=\"").and_then(|text| text.strip_suffix('"'));
    text.filter(|text| !text.contains('"')).unwrap_or(cell)
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
        let wide = "a,".repeat(2_001);
        assert_eq!(read(wide.as_bytes()).unwrap_err().verdict, Verdict::TooLarge);
    }

    #[test]
    fn titles_and_notes_are_no_records() {
        assert_eq!(
            text(
                "Prices of the ferry,,\n\"From May, in crowns\",,\n,,\nname,small,large\nA,1,2\nB,3,4\n\
                  Children under six travel for free,,\n"
            ),
            "Prices of the ferry\nFrom May, in crowns\n\nname: A\nsmall: 1\nlarge: 2\n\n\
             name: B\nsmall: 3\nlarge: 4\n\nChildren under six travel for free"
        );
        assert_eq!(
            text("# Made by the office, today\nname,small,large\nA,1,2\n# to be checked\nB,3,4\n"),
            "Made by the office, today\n\nname: A\nsmall: 1\nlarge: 2\n\nto be checked\n\n\
             name: B\nsmall: 3\nlarge: 4"
        );
    }

    #[test]
    fn the_names_of_two_header_rows_are_joined() {
        assert_eq!(
            text(
                "Stop,Weekday,,Sunday\n,First,Last,First\nOakham,05:10,23:40,07:00\nSelby,05:47,00:12,07:39\n"
            ),
            "Stop: Oakham\nWeekday First: 05:10\nWeekday Last: 23:40\nSunday First: 07:00\n\n\
             Stop: Selby\nWeekday First: 05:47\nWeekday Last: 00:12\nSunday First: 07:39"
        );
        assert_eq!(
            text("Item;Weight;Length\n;(kg);(cm)\nA;5;6\nB;7;8\n"),
            "Item: A\nWeight (kg): 5\nLength (cm): 6\n\nItem: B\nWeight (kg): 7\nLength (cm): 8"
        );
    }

    #[test]
    fn blanks_before_quotation_marks_are_ignored() {
        assert_eq!(
            text("name, remark, size\n\"Ada\", \"a, b\", 4\n\"Bo\", \"said \"\"no\"\"\", 5\n"),
            "name: Ada\nremark: a, b\nsize: 4\n\nname: Bo\nremark: said \"no\"\nsize: 5"
        );
        assert_eq!(text("a,b\n1,\"5 \\\" wide\"\n"), "a: 1\nb: 5 \" wide");
    }

    #[test]
    fn control_characters_stay_within_a_cell() {
        assert_eq!(
            text("name,address\r\"A\",\"Quay 1\x0bLindow\"\rB,x\x1dy\r"),
            "name: A\naddress: Quay 1 Lindow\n\nname: B\naddress: x y"
        );
        assert_eq!(text("a,b\n\0,2\n"), "b: 2");
    }

    #[test]
    fn one_column_of_prose_stays_one_column() {
        assert_eq!(
            text("question\nIs it late, sometimes?\nA dog, a bicycle, or both?\nWhere, please, is it?\n"),
            "question: Is it late, sometimes?\n\nquestion: A dog, a bicycle, or both?\n\nquestion: Where, please, is it?"
        );
    }

    #[test]
    fn a_repeated_header_is_no_record() {
        assert_eq!(text("name,price\nA,1\nname,price\nB,2\n"), "name: A\nprice: 1\n\nname: B\nprice: 2");
    }

    #[test]
    fn line_ends_of_other_systems_stay_within_a_cell() {
        for end in ["\u{85}", "\u{2028}", "\u{2029}", "\x0b", "\x0c"] {
            assert_eq!(text(&format!("id,text\n1,a{end}b\n2,c\n")), "id: 1\ntext: a b\n\nid: 2\ntext: c");
        }
        assert_eq!(text("id,text\u{2028}1,a\u{2028}2,b\u{2028}"), "id: 1\ntext: a\n\nid: 2\ntext: b");
    }

    #[test]
    fn a_section_between_records_is_no_record() {
        assert_eq!(
            text("route,adult,child\nA,1,2\nB,3,4\n\nZone B\nroute,adult,child\nC,5,6\n"),
            "route: A\nadult: 1\nchild: 2\n\nroute: B\nadult: 3\nchild: 4\n\nZone B\n\n\
             route: C\nadult: 5\nchild: 6"
        );
        assert_eq!(
            text("name,phone,mail\nAda,1,2\nBo,,\nCy,3,4\n"),
            "name: Ada\nphone: 1\nmail: 2\n\nname: Bo\n\nname: Cy\nphone: 3\nmail: 4"
        );
    }

    #[test]
    fn labels_above_a_table_are_no_header() {
        assert_eq!(
            text("Report:,Monthly tariffs\nDate:,1 May\n\nroute,adult,child\nA,1,2\nB,3,4\n"),
            "Report: Monthly tariffs\nDate: 1 May\n\nroute: A\nadult: 1\nchild: 2\n\nroute: B\nadult: 3\nchild: 4"
        );
    }

    #[test]
    fn a_row_of_units_follows_two_header_rows() {
        assert_eq!(
            text("Stop,Weekday,,Weekend,\n,Peak,Quiet,Peak,Quiet\n,kr,kr,kr,kr\nA,5,4,3,2\nB,6,5,4,3\n")
                .lines()
                .take(3)
                .collect::<Vec<_>>(),
            ["Stop: A", "Weekday Peak kr: 5", "Weekday Quiet kr: 4"]
        );
    }

    #[test]
    fn marks_around_cells_are_no_text() {
        assert_eq!(text("id,name\n=\"007\",Ada\n=\"008\",Bo\n"), "id: 007\nname: Ada\n\nid: 008\nname: Bo");
        assert_eq!(
            text("id,name\n1,'Ada, of Esk'\n2,'Bo, of Moor'\n"),
            "id: 1\nname: Ada, of Esk\n\nid: 2\nname: Bo, of Moor"
        );
        assert_eq!(
            text("id,name\n1,O'Hara\n2,rock 'n' roll\n"),
            "id: 1\nname: O'Hara\n\nid: 2\nname: rock 'n' roll"
        );
    }
}
