//! DOCX documents: content that Word computes, displays or hides.

use parlance_extract::corpus::docx_of;
use parlance_extract::protocol::Request;

use crate::child::extract;

fn text_of(body: &str, parts: &[(&str, &str)], links: &[(&str, &str)]) -> String {
    extract(&Request::default(), &docx_of(body, parts, links)).reply.unwrap().text
}

fn read(body: &str) -> String {
    text_of(body, &[], &[])
}

/// A paragraph with properties.
fn p(properties: &str, text: &str) -> String {
    format!("<w:p><w:pPr>{properties}</w:pPr>{}</w:p>", r("", text))
}

/// A run with properties.
fn r(properties: &str, text: &str) -> String {
    format!("<w:r><w:rPr>{properties}</w:rPr><w:t xml:space=\"preserve\">{text}</w:t></w:r>")
}

fn item(list: u32, level: u32, text: &str) -> String {
    p(&format!("<w:numPr><w:ilvl w:val=\"{level}\"/><w:numId w:val=\"{list}\"/></w:numPr>"), text)
}

fn level(index: u32, format: &str, text: &str, more: &str) -> String {
    format!(
        "<w:lvl w:ilvl=\"{index}\"><w:start w:val=\"1\"/><w:numFmt w:val=\"{format}\"/>{more}\
         <w:lvlText w:val=\"{text}\"/></w:lvl>"
    )
}

fn lists(levels: &str) -> String {
    format!(
        "<w:abstractNum w:abstractNumId=\"1\">{levels}</w:abstractNum>\
         <w:num w:numId=\"1\"><w:abstractNumId w:val=\"1\"/></w:num>\
         <w:num w:numId=\"2\"><w:abstractNumId w:val=\"1\"/></w:num>\
         <w:num w:numId=\"3\"><w:abstractNumId w:val=\"1\"/><w:lvlOverride w:ilvl=\"0\">\
         <w:startOverride w:val=\"7\"/></w:lvlOverride></w:num>"
    )
}

#[test]
fn items_carry_the_numbers_that_word_computes() {
    let levels = level(0, "decimal", "§ %1", "")
        + &level(1, "lowerLetter", "(%2)", "")
        + &level(2, "decimal", "%1.%2.%3.", "<w:isLgl/>")
        + &level(3, "bullet", "\u{f0b7}", "");
    let body = [
        item(1, 0, "Deposit"),
        item(1, 1, "In advance"),
        item(1, 1, "Without interest"),
        item(1, 2, "By law"),
        item(1, 3, "A point"),
        p("", "A paragraph between"),
        item(2, 0, "Repairs"),
        item(2, 1, "Small ones"),
        item(3, 0, "Anew"),
    ];
    let text = text_of(&body.concat(), &[("numbering", &lists(&levels))], &[]);
    assert_eq!(
        text,
        "§ 1 Deposit\n  (a) In advance\n  (b) Without interest\n    1.2.1. By law\n      - A point\n\n\
         A paragraph between\n\n§ 2 Repairs\n  (a) Small ones\n§ 7 Anew"
    );
}

#[test]
fn headings_carry_numbers_from_their_styles() {
    let styles = "<w:style w:type=\"paragraph\" w:styleId=\"berschrift1\"><w:name w:val=\"Überschrift 1\"/>\
        <w:pPr><w:numPr><w:numId w:val=\"1\"/></w:numPr></w:pPr></w:style>\
        <w:style w:type=\"paragraph\" w:styleId=\"Kapitel\"><w:name w:val=\"Kapitel\"/>\
        <w:basedOn w:val=\"berschrift1\"/></w:style>\
        <w:style w:type=\"paragraph\" w:styleId=\"b2\"><w:name w:val=\"heading 2\"/>\
        <w:pPr><w:numPr><w:ilvl w:val=\"1\"/><w:numId w:val=\"1\"/></w:numPr><w:outlineLvl w:val=\"1\"/></w:pPr></w:style>";
    let levels = level(0, "upperRoman", "%1.", "") + &level(1, "decimal", "%1.%2", "<w:isLgl/>");
    let styled = |style: &str, text: &str| p(&format!("<w:pStyle w:val=\"{style}\"/>"), text);
    let body = [
        styled("berschrift1", "Geltung"),
        styled("Kapitel", "Ansprüche"),
        styled("b2", "Schäden"),
        p("<w:pStyle w:val=\"b2\"/><w:numPr><w:numId w:val=\"0\"/></w:numPr>", "Anhang"),
        p("<w:outlineLvl w:val=\"2\"/>", "Details"),
        p(
            "<w:pStyle w:val=\"berschrift1\"/><w:outlineLvl w:val=\"9\"/><w:numPr><w:numId w:val=\"0\"/></w:numPr>",
            "Kein Titel",
        ),
    ];
    let text = text_of(&body.concat(), &[("styles", styles), ("numbering", &lists(&levels))], &[]);
    assert_eq!(
        text,
        "# I. Geltung\n\n# II. Ansprüche\n\n## 2.1 Schäden\n\n## Anhang\n\n### Details\n\nKein Titel"
    );
}

#[test]
fn notes_are_marked_at_both_ends() {
    let note = |kind: &str, id: &str, text: &str| {
        format!("<w:{kind} w:id=\"{id}\"><w:p><w:r><w:{kind}Ref/></w:r>{}</w:p></w:{kind}>", r("", text))
    };
    let separator = "<w:footnote w:type=\"separator\" w:id=\"-1\"><w:p/></w:footnote>";
    let footnotes = separator.to_owned()
        + &note("footnote", "2", "Above ninety.")
        + &note("footnote", "3", "* Not on Sundays.");
    let mark =
        |kind: &str, id: &str, more: &str| format!("<w:r><w:{kind}Reference w:id=\"{id}\"{more}/></w:r>");
    let body = format!(
        "<w:p>{}{}{}{}{}{}</w:p>{}",
        r("", "Free"),
        mark("footnote", "2", ""),
        r("", " on weekdays"),
        mark("footnote", "3", " w:customMarkFollows=\"1\""),
        r("", "*"),
        mark("endnote", "1", ""),
        p("", "After.")
    );
    let parts = [("footnotes", footnotes.as_str()), ("endnotes", &note("endnote", "1", "The end."))];
    assert_eq!(
        text_of(&body, &parts, &[]),
        "Free[^1] on weekdays[^*][^3]\n\n[^1]: Above ninety.\n\n[^*]: Not on Sundays.\n\n[^3]: The end.\n\nAfter."
    );
}

/// A table of rows of cells.
fn table(rows: &[&[(&str, &str)]]) -> String {
    let cell = |(properties, text): &(&str, &str)| {
        format!("<w:tc><w:tcPr>{properties}</w:tcPr>{}</w:tc>", p("", text))
    };
    let row = |row: &&[(&str, &str)]| format!("<w:tr>{}</w:tr>", row.iter().map(cell).collect::<String>());
    format!("<w:tbl>{}</w:tbl>", rows.iter().map(row).collect::<String>())
}

const RESTART: &str = "<w:vMerge w:val=\"restart\"/>";
const CONTINUE: &str = "<w:vMerge/>";
const TWO: &str = "<w:gridSpan w:val=\"2\"/>";
const THREE: &str = "<w:gridSpan w:val=\"3\"/>";

#[test]
fn merged_cells_are_repeated() {
    let text = read(&table(&[
        &[("", "Region"), ("", "Shop"), ("", "Opens")],
        &[(RESTART, "North"), ("", "Alder"), ("", "8")],
        &[(CONTINUE, ""), (TWO, "closed")],
    ]));
    assert_eq!(
        text,
        "| Region | Shop | Opens |\n| --- | --- | --- |\n| North | Alder | 8 |\n| North | closed | closed |"
    );
}

#[test]
fn grouped_header_rows_become_one() {
    let text = read(&table(&[
        &[(THREE, "Fares of 2026")],
        &[(RESTART, "Zone"), (TWO, "Single")],
        &[(CONTINUE, ""), ("", "Adult"), ("", "Child")],
        &[("", "A"), ("", "3"), ("", "2")],
    ]));
    assert_eq!(
        text,
        "Fares of 2026\n\n| Zone | Single Adult | Single Child |\n| --- | --- | --- |\n| A | 3 | 2 |"
    );
}

#[test]
fn lines_of_a_cell_stay_apart() {
    let cell = |content: &str| format!("<w:tc>{content}</w:tc>");
    let row = |cells: &[String]| format!("<w:tr>{}</w:tr>", cells.concat());
    let body = format!(
        "<w:tbl>{}{}</w:tbl>",
        row(&[cell(&p("", "Item")), cell(&p("", "Sum"))]),
        row(&[
            cell(&(p("", "Gross") + &p("", "Tax"))),
            cell("<w:p><w:r><w:t>17</w:t><w:br/><w:t>a|b</w:t></w:r></w:p>"),
        ])
    );
    assert_eq!(read(&body), "| Item | Sum |\n| --- | --- |\n| Gross<br>Tax | 17<br>a\\|b |");
}

#[test]
fn deleted_hidden_and_placeholder_text_is_left_out() {
    let control = |text: &str| {
        format!(
            "<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>{}</w:sdtContent></w:sdt>",
            r("", text)
        )
    };
    let body = format!(
        "<w:p>{}<w:del><w:r><w:delText>nine</w:delText></w:r></w:del><w:ins>{}</w:ins>{}{}</w:p>\
         <w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr>{}</w:p>{}{}",
        r("", "Open at "),
        r("", "ten"),
        r("<w:vanish/>", " secretly"),
        control("Choose an item."),
        r("", "One paragraph "),
        p("", "that goes on."),
        "<w:p><w:moveFrom><w:r><w:t>gone</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>here</w:t></w:r></w:moveTo></w:p>"
    );
    assert_eq!(read(&body), "Open at ten\n\nOne paragraph that goes on.\n\nhere");
}

#[test]
fn comments_of_reviewers_are_left_out() {
    let comments = format!("<w:comment w:id=\"0\" w:author=\"Gus\">{}</w:comment>", p("", "Negotiable."));
    let body = format!(
        "<w:p><w:commentRangeStart w:id=\"0\"/>{}<w:commentRangeEnd w:id=\"0\"/>\
         <w:r><w:commentReference w:id=\"0\"/></w:r></w:p>",
        r("", "Ninety crowns.")
    );
    assert_eq!(text_of(&body, &[("comments", &comments)], &[]), "Ninety crowns.");
}

#[test]
fn alternative_content_is_read_once() {
    let text_box = format!("<w:txbxContent>{}</w:txbxContent>", p("", "In a box"));
    let body = format!(
        "<w:p>{}<w:r><mc:AlternateContent><mc:Choice Requires=\"wps\"><w:drawing><wps:txbx>{text_box}</wps:txbx>\
         </w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape><v:textbox>{text_box}</v:textbox></v:shape></w:pict>\
         </mc:Fallback></mc:AlternateContent></w:r></w:p>",
        r("", "Beside it")
    );
    assert_eq!(read(&body), "Beside it\n\nIn a box");
}

#[test]
fn pictures_are_named_by_their_descriptions_only() {
    let picture = |description: &str| {
        format!(
            "<w:p><w:r><w:drawing><wp:docPr id=\"1\" name=\"Picture 1\" descr=\"{description}\"/></w:drawing></w:r></w:p>"
        )
    };
    let body = picture("Plan of the quay") + &picture("C:\\Users\\gus\\quay.png") + &p("", "End.");
    assert_eq!(read(&body), "*Plan of the quay*\n\nEnd.");
}

/// A field with an instruction and a result.
fn field(instruction: &str, result: &str) -> String {
    let mark = |kind: &str| format!("<w:r><w:fldChar w:fldCharType=\"{kind}\"/></w:r>");
    format!(
        "{}<w:r><w:instrText>{instruction}</w:instrText></w:r>{}{result}{}",
        mark("begin"),
        mark("separate"),
        mark("end")
    )
}

#[test]
fn links_lead_out_of_the_document_and_fields_show_results() {
    let body = format!(
        "<w:p>{} on page {}; {}; <w:hyperlink r:id=\"a\">{}</w:hyperlink>, <w:hyperlink w:anchor=\"_Toc1\">{}</w:hyperlink></w:p>",
        field(" HYPERLINK \"https://a.example/x\" \\l \"part\" ", &r("", "a form")),
        field("PAGEREF _Toc1 \\h", &r("", "14")),
        field("HYPERLINK \\l \"_Ref2\"", &r("", "see below")),
        r("", "a guide"),
        r("", "inside")
    );
    let body = body
        .replace(" on page ", &r("", " on page "))
        .replace("; ", &r("", "; "))
        .replace(", ", &r("", ", "));
    assert_eq!(
        text_of(&body, &[], &[("a", "https://a.example/guide")]),
        "[a form](https://a.example/x#part) on page 14; see below; [a guide](https://a.example/guide), inside"
    );
}

#[test]
fn form_fields_show_their_state() {
    let form = |data: &str, name: &str| {
        format!(
            "<w:r><w:fldChar w:fldCharType=\"begin\"><w:ffData>{data}</w:ffData></w:fldChar></w:r>\
             <w:r><w:instrText>{name}</w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r>"
        )
    };
    let list = "<w:ddList><w:result w:val=\"1\"/><w:listEntry w:val=\"red\"/><w:listEntry w:val=\"blue\"/></w:ddList>";
    let body = format!(
        "<w:p>{}{}{}{}</w:p>",
        form("<w:checkBox><w:checked/></w:checkBox>", "FORMCHECKBOX"),
        r("", " yes "),
        form("<w:checkBox><w:default w:val=\"0\"/></w:checkBox>", "FORMCHECKBOX"),
        r("", " no: ") + &form(list, "FORMDROPDOWN")
    );
    assert_eq!(read(&body), "☑ yes ☐ no: blue");
}

#[test]
fn words_stay_whole_and_raised_digits_apart() {
    let raised = |text: &str| r("<w:vertAlign w:val=\"superscript\"/>", text);
    let lowered = |text: &str| r("<w:vertAlign w:val=\"subscript\"/>", text);
    let body = format!(
        "<w:p>{}{}{}{}{}{}{}{}</w:p>",
        r("<w:b/>", "Lin"),
        r("", "dow, H"),
        lowered("2"),
        r("", "O for €19"),
        raised("99"),
        r("", " a m"),
        raised("3"),
        r("<w:i/>", " and more ")
    );
    assert_eq!(read(&body), "Lindow, H2O for €19⁹⁹ a m³ *and more*");
}

#[test]
fn ruby_keeps_the_words_whole() {
    let body = format!(
        "<w:p><w:r><w:ruby><w:rt>{}</w:rt><w:rubyBase>{}</w:rubyBase></w:ruby></w:r>{}</w:p>",
        r("", "みなと"),
        r("", "港"),
        r("", "の規則")
    );
    assert_eq!(read(&body), "港の規則");
}

#[test]
fn symbols_and_equations_are_readable() {
    let body = format!(
        "<w:p><w:r><w:sym w:font=\"Wingdings\" w:char=\"F0FC\"/></w:r>{}<m:oMath><m:f><m:num><m:r><m:t>a+b</m:t></m:r>\
         </m:num><m:den><m:r><m:t>2c</m:t></m:r></m:den></m:f></m:oMath></w:p>",
        r("", " Load: ")
    );
    assert_eq!(read(&body), "✓ Load: (a+b)/(2c)");
}

#[test]
fn a_document_that_ends_early_says_so() {
    let cut = extract(
        &Request::default(),
        &docx_of("<w:p><w:r><w:t>Words</w:t></w:r></w:p><w:tbl><w:tr>", &[], &[]),
    );
    let document = cut.reply.unwrap();
    assert_eq!(document.text, "Words");
    assert_eq!(document.notes, ["The text of the file is incomplete: its end could not be read."]);
}

#[test]
fn a_numbered_cell_without_text_shows_its_number() {
    let number = "<w:p><w:pPr><w:numPr><w:ilvl w:val=\"0\"/><w:numId w:val=\"1\"/></w:numPr></w:pPr></w:p>";
    let row = |text: &str| format!("<w:tr><w:tc>{number}</w:tc><w:tc>{}</w:tc></w:tr>", p("", text));
    let body = format!("<w:tbl>{}{}</w:tbl>{number}{}", row("Pay first"), row("Board"), item(1, 0, "After"));
    let text = text_of(&body, &[("numbering", &lists(&level(0, "decimal", "%1.", "")))], &[]);
    assert_eq!(text, "| 1. | Pay first |\n| --- | --- |\n| 2. | Board |\n\n4. After");
}

#[test]
fn a_drop_cap_begins_the_first_word() {
    let cap = p("<w:framePr w:dropCap=\"drop\" w:lines=\"3\"/>", "O");
    assert_eq!(read(&(cap + &p("", "nce upon a time."))), "Once upon a time.");
    assert_eq!(read(&p("<w:framePr w:dropCap=\"none\"/>", "Alone")), "Alone");
}

#[test]
fn text_raised_by_a_distance_joins_no_number() {
    let raised = r("<w:position w:val=\"6\"/>", "2");
    assert_eq!(read(&format!("<w:p>{}{raised}</w:p>", r("", "100"))), "100²");
    let nudged = r("<w:position w:val=\"1\"/>", "2");
    assert_eq!(read(&format!("<w:p>{}{nudged}</w:p>", r("", "10"))), "102");
}
