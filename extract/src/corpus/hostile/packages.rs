//! Packages, e-books, RTF and JSON files with decompression bombs, deep nesting and damage.

use crate::corpus::packages::{epub, open_document, pptx, sheet_rows, xls, xlsx};
use crate::corpus::word::archive;
use crate::corpus::{Sample, half, noise, ole};
use crate::protocol::Verdict::{Corrupt, Empty, Encrypted, Timeout, TooComplex, TooLarge};

pub(super) fn samples() -> Vec<Sample> {
    let mut samples = workbooks();
    samples.extend(open_documents());
    samples.extend(books());
    samples.extend(texts());
    samples
}

fn workbooks() -> Vec<Sample> {
    let rows = sheet_rows(&[&["name", "price"], &["Esk", "8"]]);
    let far = "<sheetData><row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"XFD1\"><v>2</v></c></row>\
        <row r=\"1048576\"><c r=\"XFD1048576\"><v>3</v></c></row></sheetData>";
    let merged: String = (1..5_000).map(|row| format!("<mergeCell ref=\"A{row}:XFD1048576\"/>")).collect();
    let merged = format!("{rows}<mergeCells>{merged}</mergeCells>");
    let wide = "<c><v>1</v></c>".repeat(3_000);
    let wide = format!("<sheetData>{}</sheetData>", format!("<row>{wide}</row>").repeat(20));
    let long =
        format!("<sheetData>{}</sheetData>", "<row><c><v>12345</v></c><c><v>2</v></c></row>".repeat(400_000));
    let locked = ole::compound(&[("EncryptionInfo", &noise(500)), ("EncryptedPackage", &noise(8_000))]);
    let lines: Vec<&str> = vec!["words"; 20_000];
    vec![
        Sample::any("far.xlsx", xlsx(&[("Far", "", far)])),
        Sample::any("merged.xlsx", xlsx(&[("Merged", "", &merged)])),
        Sample::rejected("wide.xlsx", xlsx(&[("Wide", "", &wide)]), &[TooLarge]),
        Sample::any("long.xlsx", xlsx(&[("Long", "", &long)])),
        Sample::rejected("hidden.xlsx", xlsx(&[("Hidden", "state=\"hidden\"", &rows)]), &[Empty]),
        Sample::rejected("blank.xlsx", xlsx(&[("Blank", "", "<sheetData/>")]), &[Empty]),
        Sample::rejected("truncated.xlsx", half(xlsx(&[("Cut", "", &rows)])), &[Corrupt]),
        Sample::rejected("locked.xlsx", locked, &[Encrypted]),
        Sample::any("truncated.xls", half(xls("Cut", &[&["a", "b"], &["1", "2"]]))),
        Sample::any("noise.xls", ole::compound(&[("Workbook", &noise(20_000))])),
        Sample::any("noise.ppt", ole::compound(&[("PowerPoint Document", &noise(20_000))])),
        Sample::any("long.pptx", pptx(&[("Long", &lines, "", "")])),
        Sample::rejected("truncated.pptx", half(pptx(&[("Cut", &["words"], "", "")])), &[Corrupt]),
    ]
}

fn open_documents() -> Vec<Sample> {
    let deep = format!(
        "{}<text:p>words</text:p>{}",
        "<text:section>".repeat(5_000),
        "</text:section>".repeat(5_000)
    );
    let repeated = "<table:table><table:table-row table:number-rows-repeated=\"9999999\"><table:table-cell \
        table:number-columns-repeated=\"9999999\"><text:p>word</text:p></table:table-cell></table:table-row></table:table>";
    let spaces = "<text:p>a<text:s text:c=\"999999999\"/>b</text:p>";
    let bomb = format!("<text:p>{}</text:p>", "words ".repeat(12 << 20));
    let locked: &[(&str, &[u8])] = &[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("META-INF/manifest.xml", b"<manifest:manifest><manifest:encryption-data/></manifest:manifest>"),
        ("content.xml", b"\x8f\x02\x91"),
    ];
    let cut: &[(&str, &[u8])] = &[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("content.xml", b"<office:document-content><office:body><office:text><text:p>Words until"),
    ];
    vec![
        Sample::rejected("deep.odt", open_document("text", "", &deep), &[TooComplex]),
        Sample::any("repeated.ods", open_document("spreadsheet", "", repeated)),
        Sample::any("repeated.odt", open_document("text", "", repeated)),
        Sample::any("spaces.odt", open_document("text", "", spaces)),
        Sample::rejected("bomb.odt", open_document("text", "", &bomb), &[TooLarge, Timeout]),
        Sample::rejected("empty.odt", open_document("text", "", ""), &[Empty]),
        Sample::rejected("locked.odt", archive(locked), &[Encrypted]),
        Sample::text("cut.odt", archive(cut), &["Words until"]),
        Sample::rejected("no-content.odt", archive(locked.get(..1).unwrap_or_default()), &[Corrupt]),
    ]
}

fn books() -> Vec<Sample> {
    let outside: &[(&str, &[u8])] = &[
        ("mimetype", b"application/epub+zip"),
        ("META-INF/container.xml", b"<container><rootfile full-path=\"../../etc/passwd\"/></container>"),
    ];
    let locked: &[(&str, &[u8])] = &[
        ("mimetype", b"application/epub+zip"),
        ("META-INF/container.xml", b"<container><rootfile full-path=\"book.opf\"/></container>"),
        ("META-INF/encryption.xml", b"<encryption><CipherReference URI=\"one.xhtml\"/></encryption>"),
        (
            "book.opf",
            b"<package><manifest><item id=\"a\" href=\"one.xhtml\" media-type=\"text/html\"/></manifest><spine><itemref idref=\"a\"/></spine></package>",
        ),
        ("one.xhtml", b"\x8f\x02\x91"),
    ];
    // The same chapter many times.
    let again = epub(&[("one.xhtml", "x"); 3]);
    vec![
        Sample::rejected("outside.epub", archive(outside), &[Corrupt]),
        Sample::rejected("locked.epub", archive(locked), &[Encrypted]),
        Sample::rejected("truncated.epub", half(again), &[Corrupt]),
    ]
}

fn texts() -> Vec<Sample> {
    let deep_rtf = format!("{{\\rtf1 {}", "{".repeat(1 << 20));
    let cells = format!("{{\\rtf1 {}\\row}}", "\\intbl x\\cell ".repeat(300_000));
    let deep_json = "[".repeat(1 << 20);
    let long_path = format!("{}1{}", "{\"a long name of a member\":[".repeat(60), "]}".repeat(60));
    let paths = format!("[{}1]", format!("{long_path},").repeat(3_000));
    vec![
        Sample::rejected("deep.rtf", deep_rtf, &[TooComplex]),
        Sample::any("cells.rtf", cells),
        Sample::any("binary.rtf", b"{\\rtf1\\bin99999999 words}".to_vec()),
        Sample::any("controls.rtf", b"{\\rtf1 \\u-99999999999 \\uc-1\\'zz\\'".to_vec()),
        Sample::rejected("no-text.rtf", "{\\rtf1\\ansi{\\*\\generator x}}", &[Empty]),
        Sample::rejected("deep.json", deep_json, &[TooComplex]),
        Sample::any("paths.json", paths),
        Sample::any("numbers.json", format!("[{}1]", "1,".repeat(2 << 20))),
        Sample::text("invalid.json", "{\"a\": 1,}", &["{\"a\": 1,}"]),
        Sample::rejected("nulls.json", "[null, {}, []]", &[Empty]),
    ]
}
