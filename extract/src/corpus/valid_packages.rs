//! Valid workbooks, presentations, OpenDocument files, e-books, RTF and JSON files.

use super::Sample;
use super::packages::{epub, open_document, pptx, sheet_rows, xls, xlsx};

pub(super) fn samples() -> Vec<Sample> {
    let mut samples = workbooks();
    samples.extend(presentations());
    samples.extend(open_documents());
    samples.extend(others());
    samples
}

fn workbooks() -> Vec<Sample> {
    // A date, a time of day, a percentage, an amount, a formula with its result and one without.
    let typed = "<sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>Fares of the ferry</t></is></c></row>\
        <row r=\"3\"><c r=\"A3\" t=\"inlineStr\"><is><t>Route</t></is></c><c r=\"B3\" t=\"inlineStr\"><is><t>From</t></is></c>\
        <c r=\"C3\" t=\"inlineStr\"><is><t>First</t></is></c><c r=\"D3\" t=\"inlineStr\"><is><t>Full</t></is></c>\
        <c r=\"E3\" t=\"inlineStr\"><is><t>Price</t></is></c><c r=\"F3\" t=\"inlineStr\"><is><t>Sum</t></is></c>\
        <c r=\"G3\" t=\"inlineStr\"><is><t>Late</t></is></c></row>\
        <row r=\"4\"><c r=\"A4\" t=\"inlineStr\"><is><t>Lindow to Esk</t></is></c><c r=\"B4\" s=\"1\"><v>46508</v></c>\
        <c r=\"C4\" s=\"2\"><v>0.25</v></c><c r=\"D4\" s=\"3\"><v>0.125</v></c><c r=\"E4\" s=\"4\"><v>1234.5</v></c>\
        <c r=\"F4\"><f>1+2</f><v>3</v></c><c r=\"G4\"><f>NOW()</f></c></row>\
        <row r=\"5\"><c r=\"B5\" s=\"1\"><v>46509</v></c></row></sheetData>\
        <mergeCells><mergeCell ref=\"A4:A5\"/></mergeCells>";
    let list = sheet_rows(&[&["name", "city"], &["Ann", "Rome"], &["Bob", "Oslo"]]);
    vec![
        Sample::text(
            "typed.xlsx",
            xlsx(&[("Fares", "", typed), ("Lists", "state=\"hidden\"", &list), ("People", "", &list)]),
            &[
                "Sheet: Fares\nFares of the ferry\n\n",
                "Sheet: Fares\nRoute: Lindow to Esk\nFrom: 2027-05-01\nFirst: 06:00\nFull: 12.50%\nPrice: 1,234.50 €\nSum: 3\n\n",
                "Route: Lindow to Esk\nFrom: 2027-05-02",
                "Sheet: People\nname: Ann\ncity: Rome\n\nSheet: People\nname: Bob",
            ],
        ),
        Sample::text(
            "table.xls",
            xls("Fares", &[&["Route", "Größe"], &["Esk", "8"], &["Moor", "11.5"]]),
            &["Sheet: Fares\n\nRoute: Esk\nGröße: 8\n\nRoute: Moor\nGröße: 11.5"],
        ),
        Sample::text(
            "page.xls",
            "<html><body><table><tr><th>Plan</th></tr><tr><td>Small</td></tr></table>",
            &["Plan", "Small"],
        ),
        Sample::text(
            "sheet.ods",
            open_document(
                "spreadsheet",
                "<style:style style:name=\"h\"><style:table-properties table:display=\"false\"/></style:style>",
                "<table:table table:name=\"Fares\"><table:table-row><table:table-cell><text:p>Route</text:p></table:table-cell>\
                 <table:table-cell><text:p>From</text:p></table:table-cell></table:table-row>\
                 <table:table-row><table:table-cell><text:p>Esk</text:p></table:table-cell>\
                 <table:table-cell office:date-value=\"2027-05-01\"><text:p>01.05.27</text:p></table:table-cell></table:table-row>\
                 <table:table-row table:number-rows-repeated=\"1048000\"><table:table-cell table:number-columns-repeated=\"1024\"/></table:table-row>\
                 </table:table><table:table table:name=\"Old\" table:style-name=\"h\"><table:table-row><table:table-cell><text:p>secret</text:p></table:table-cell></table:table-row></table:table>",
            ),
            &["Sheet: Fares\n\nRoute: Esk\nFrom: 2027-05-01"],
        ),
    ]
}

fn presentations() -> Vec<Sample> {
    vec![
        Sample::text(
            "slides.pptx",
            pptx(&[
                (
                    "Terms of trade",
                    &["Return within thirty days", "Refunds take five"],
                    "Mention the exceptions.",
                    "",
                ),
                ("Hidden", &["draft"], "", "show=\"0\""),
                ("", &["No title here"], "", ""),
            ]),
            &[
                "## Terms of trade\n\n",
                "Return within thirty days",
                "Refunds take five",
                "Notes: Mention the exceptions.",
                "## Slide 3",
                "No title here",
            ],
        ),
        Sample::text(
            "slides.odp",
            open_document(
                "presentation",
                "",
                "<draw:page><draw:frame presentation:class=\"title\"><draw:text-box><text:p>Terms</text:p></draw:text-box></draw:frame>\
                 <draw:frame presentation:class=\"outline\"><draw:text-box><text:list><text:list-item><text:p>Return in time</text:p></text:list-item></text:list></draw:text-box></draw:frame>\
                 <presentation:notes><draw:frame presentation:class=\"notes\"><draw:text-box><text:p>Say why.</text:p></draw:text-box></draw:frame></presentation:notes></draw:page>\
                 <draw:page><draw:custom-shape><text:p>A box</text:p></draw:custom-shape></draw:page>",
            ),
            &["## Terms\n\n- Return in time\n\nNotes: Say why.", "## Slide 2\n\nA box"],
        ),
    ]
}

fn open_documents() -> Vec<Sample> {
    let styles = "<style:style style:name=\"P1\" style:parent-style-name=\"Title\"/>\
        <text:list-style style:name=\"L1\"><text:list-level-style-number text:level=\"1\" style:num-format=\"1\"/></text:list-style>";
    let body = "<text:tracked-changes><text:changed-region><text:p>deleted</text:p></text:changed-region></text:tracked-changes>\
        <text:p text:style-name=\"P1\">Terms</text:p><text:h text:outline-level=\"2\">Prices</text:h>\
        <text:p>See <text:a xlink:href=\"https://example.org/\">the page</text:a><text:note><text:note-citation>1</text:note-citation>\
        <text:note-body><text:p>Since May.</text:p></text:note-body></text:note>,<text:s text:c=\"1\"/>please &amp; thanks<office:annotation><text:p>remark</text:p></office:annotation>.</text:p>\
        <text:list text:style-name=\"L1\"><text:list-item><text:p>Order</text:p><text:list><text:list-item><text:p>online</text:p></text:list-item></text:list></text:list-item>\
        <text:list-item><text:p>Pay</text:p></text:list-item></text:list>\
        <table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>Plan</text:p></table:table-cell><table:table-cell><text:p>Price</text:p></table:table-cell></table:table-row></table:table-header-rows>\
        <table:table-row><table:table-cell table:number-columns-spanned=\"2\"><text:p>all</text:p></table:table-cell><table:covered-table-cell/></table:table-row></table:table>\
        <text:p><draw:frame><draw:text-box><text:p>In a box</text:p></draw:text-box></draw:frame></text:p>";
    vec![Sample::text(
        "terms.odt",
        open_document("text", styles, body),
        &[
            "# Terms\n\n## Prices\n\nSee [the page](https://example.org/)[^1], please & thanks.\n\n",
            "1. Order\n  - online\n2. Pay\n\n",
            "| Plan | Price |\n|---|---|\n| all | all |\n\nIn a box\n\n[^1]: Since May.",
        ],
    )]
}

fn others() -> Vec<Sample> {
    vec![
        Sample::text(
            "book.epub",
            epub(&[
                ("extra.xhtml", "<p>Not in the order</p>"),
                ("one%20a.xhtml", "<h1>Returns</h1><p>Goods may be returned within thirty days.</p>"),
                ("two.xhtml", "<h1>Refunds</h1><p>They take five days.</p>"),
            ]),
            &["# Returns", "within thirty days", "# Refunds", "They take five days."],
        ),
        Sample::text(
            "letter.rtf",
            r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}Gr\'fc\'dfe\par{\trowd\cellx1\cellx2\intbl Plan\cell Price\cell\row}\pard End}",
            &["Grüße\n\n| Plan | Price |\n|---|---|\n\nEnd"],
        ),
        Sample::text("named.doc", r"{\rtf1\ansi Some words.}", &["Some words."]),
        Sample::text(
            "list.json",
            r#"[{"name":"Esk","fare":{"adult":8.50}},{"name":"Moor","tags":["sea","day"]}]"#,
            &["name: Esk\nfare.adult: 8.50\n\nname: Moor\ntags: sea, day"],
        ),
        Sample::text("lines.jsonl", "{\"a\":1}\n{\"a\":2}\n", &["a: 1\n\na: 2"]),
    ]
}
