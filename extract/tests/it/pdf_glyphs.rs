//! Characters of a PDF: their text, and characters that are no text.

use parlance_extract::corpus::drawn::{Drawn, stream};
use parlance_extract::protocol::{Document, Rejection, Request, Verdict};

use crate::child::extract;

fn read(page: Drawn<'_>) -> Result<Document, Rejection> {
    let request = Request { name: Some("a.pdf".to_owned()), ..Request::default() };
    extract(&request, &page.file()).reply
}

fn text(page: Drawn<'_>) -> String {
    read(page).unwrap().text
}

/// A ToUnicode map of one-byte codes.
fn map(entries: &[(u8, &str)]) -> String {
    let entries: String = entries.iter().map(|(code, to)| format!("<{code:02X}> <{to}>\n")).collect();
    stream(
        "",
        &format!(
            "begincmap 1 begincodespacerange <00> <FF> endcodespacerange\n99 beginbfchar\n{entries}endbfchar endcmap"
        ),
    )
}

const SENTENCE: &str = "BT /F1 12 Tf 60 700 Td (The harbour office opens at nine.) Tj ET ";

#[test]
fn accents_of_tex_fonts_join_their_letters() {
    let content = "BT /F3 12 Tf 60 700 Td [(Caf)-56(\x02)388(e)] TJ 0 -20 Td [(c)444(\x03)0(a)] TJ ET";
    let font = "<</Type/Font/Subtype/Type1/BaseFont/Times-Roman/Encoding<</BaseEncoding/WinAnsiEncoding\
                /Differences[2/acute 3/cedilla]>>>>";
    let page = Drawn { content, fonts: "/F3 7 0 R", objects: &[font.to_owned()], ..Drawn::default() };
    assert_eq!(text(page).replace("\n\n", " "), "Café ça");
}

#[test]
fn replacement_text_takes_the_place_of_glyphs() {
    let content = "BT /F1 12 Tf 60 700 Td (The o) Tj /Span <</ActualText<FEFF006600660069>>> BDC (#) Tj EMC \
                   (ce) Tj /Span /P1 BDC ( $$) Tj EMC ET";
    let page = Drawn { content, resources: "/Properties<</P1<</ActualText( opens)>>>>", ..Drawn::default() };
    assert_eq!(text(page), "The office opens");
}

#[test]
fn the_structure_tree_replaces_glyphs() {
    let content =
        "BT /F1 12 Tf 60 700 Td /Span <</MCID 0>> BDC (#) Tj EMC /P <</MCID 1>> BDC ( of letters) Tj EMC ET";
    let objects = [
        "<</Type/StructTreeRoot/ParentTree<</Nums[0[8 0 R 9 0 R]]>>>>".to_owned(),
        "<</S/Span/P 7 0 R/ActualText(Logo)>>".to_owned(),
        "<</S/P/P 7 0 R>>".to_owned(),
    ];
    let page = Drawn {
        content,
        page: "/StructParents 0",
        catalog: "/StructTreeRoot 7 0 R",
        objects: &objects,
        ..Drawn::default()
    };
    assert_eq!(text(page), "Logo of letters");
}

#[test]
fn a_hyphen_replaced_by_nothing_joins_the_word() {
    let content = "BT /F1 12 Tf 60 700 Td (The office of the harbour master has been mov) Tj \
                   /Span <</ActualText()>> BDC (-) Tj EMC 0 -14 Td (ed to the northern quay since the storm.) Tj ET";
    assert!(text(Drawn { content, ..Drawn::default() }).contains("has been moved to the northern quay"));
}

#[test]
fn text_drawn_several_times_is_read_once() {
    let twice = "BT /F1 12 Tf 60 700 Td (Parking is free) Tj 0.4 0 Td (Parking is free) Tj ET ";
    let shadow =
        "0.6 g BT /F2 20 Tf 61 600.8 Td (Winter menu) Tj ET 0 g BT /F2 20 Tf 60 602 Td (Winter menu) Tj ET ";
    let read = text(Drawn {
        content: &format!("{SENTENCE}{}{shadow}", twice.replace("700", "660")),
        ..Drawn::default()
    });
    assert_eq!(read.matches("Parking is free").count(), 1, "{read}");
    assert_eq!(read.matches("Winter menu").count(), 1, "{read}");
}

#[test]
fn ligatures_are_known_by_their_glyph_names() {
    let content = "BT /F3 12 Tf 60 700 Td (An e!cient di\"erence and a #nal #) Tj ET";
    let font = |kind: &str| {
        format!(
            "<</Type/Font/Subtype/{kind}/BaseFont/ABCDEF+Face\
             /Encoding<</BaseEncoding/WinAnsiEncoding/Differences[33/ffi/ff/fi]>>/ToUnicode 8 0 R>>"
        )
    };
    for kind in ["Type1", "TrueType"] {
        let objects = [font(kind), map(&[(33, "0000"), (34, "21B5"), (35, "0066")])];
        let page = Drawn { content, fonts: "/F3 7 0 R", objects: &objects, ..Drawn::default() };
        assert_eq!(text(page), "An efficient difference and a final fi", "{kind}");
    }
}

#[test]
fn text_outside_the_page_and_the_clip_is_left_out() {
    let content = format!(
        "{SENTENCE} BT /F1 12 Tf 700 500 Td (Beside) Tj ET q 60 400 100 20 re W n BT /F1 12 Tf 60 300 Td (Clipped) Tj ET Q \
         q 60 396 40 14 re W n BT /F1 12 Tf 62 400 Td (Inside and hidden) Tj ET Q"
    );
    let read = text(Drawn { content: &content, ..Drawn::default() });
    assert!(!read.contains("Beside") && !read.contains("Clipped"), "{read}");
    assert!(read.contains("Inside") && !read.contains("hidden"), "{read}");
}

#[test]
fn pages_are_read_upright() {
    for (rotate, matrix) in [(90, "0 1 -1 0 300 60"), (180, "-1 0 0 -1 500 300"), (270, "0 -1 1 0 300 700")] {
        let content = format!(
            "q 0 0 595 842 re W n BT /F1 12 Tf {matrix} Tm (Turned words) Tj 0 -20 Td (Second line.) Tj ET Q"
        );
        let page = format!("/Rotate {rotate}");
        let read = text(Drawn { content: &content, page: &page, ..Drawn::default() });
        assert!(read.find("Turned words") < read.find("Second line."), "{rotate}: {read}");
        assert!(read.contains("Second line."), "{rotate}: {read}");
    }
}

#[test]
fn hidden_layers_are_left_out() {
    let content = format!(
        "{SENTENCE} /OC /Off BDC BT /F1 12 Tf 60 600 Td (Draft) Tj ET EMC \
         /OC /On BDC BT /F1 12 Tf 60 500 Td (Visible.) Tj ET EMC"
    );
    let page = Drawn {
        content: &content,
        resources: "/Properties<</Off 7 0 R/On 8 0 R>>",
        catalog: "/OCProperties<</OCGs[7 0 R 8 0 R]/D<</OFF[7 0 R]>>>>",
        objects: &["<</Type/OCG/Name(a)>>".to_owned(), "<</Type/OCG/Name(b)>>".to_owned()],
        ..Drawn::default()
    };
    let read = text(page);
    assert!(read.contains("Visible.") && !read.contains("Draft"), "{read}");
}

#[test]
fn invisible_text_of_a_scan_is_read() {
    let content =
        "BT 3 Tr /F1 12 Tf 60 700 Td (Recognised words of the scan, which lie under its image.) Tj ET";
    assert!(text(Drawn { content, ..Drawn::default() }).contains("Recognised words of the scan"));
}

#[test]
fn notes_written_on_the_page_are_text() {
    let annotation = |flags: u32, text: &str| {
        format!(
            "<</Type/Annot/Subtype/FreeText/F {flags}/Rect[60 500 300 540]/DA(/Helv 12 Tf)/Contents({text})>>"
        )
    };
    let objects = [
        annotation(4, "Gate closes at six"),
        annotation(2, "Hidden remark"),
        "<</Type/Annot/Subtype/Highlight/Rect[60 690 300 710]/Contents(Reviewer remark)>>".to_owned(),
    ];
    let page = Drawn {
        content: SENTENCE,
        page: "/Annots[7 0 R 8 0 R 9 0 R]",
        objects: &objects,
        ..Drawn::default()
    };
    let read = text(page);
    assert!(read.contains("Gate closes at six") && !read.contains("remark"), "{read}");
}

#[test]
fn form_values_are_read_without_appearances() {
    let field = |kind: &str, y: u32, rest: &str| {
        format!("<</Type/Annot/Subtype/Widget/F 4/FT/{kind}/Rect[160 {y} 360 {}]{rest}>>", y + 18)
    };
    let content = "BT /F1 12 Tf 60 700 Td (Boat name:) Tj 0 -40 Td (Mooring:) Tj 0 -40 Td (Insured) Tj 0 -40 Td (Secret) Tj ET";
    let objects = [
        field("Tx", 696, "/T(a)/V<FEFF00530065006100A0004F0074007400650072>"),
        field("Ch", 656, "/T(b)/Ff 131072/V(2)/Opt[[(1)(Pontoon)][(2)(Swinging buoy)]]"),
        field("Btn", 616, "/T(c)/AS/Yes/V/Yes"),
        field("Tx", 576, "/T(d)/Ff 8192/V(hunter2)"),
        field("Tx", 536, "/T(e)/V(not shown)").replace("/F 4", "/F 2"),
    ];
    let page = Drawn {
        content,
        page: "/Annots[7 0 R 8 0 R 9 0 R 10 0 R 11 0 R]",
        catalog: "/AcroForm<</Fields[7 0 R 8 0 R 9 0 R 10 0 R 11 0 R]>>",
        objects: &objects,
        ..Drawn::default()
    };
    let read = text(page);
    for value in ["Sea Otter", "Swinging buoy", "[x]"] {
        assert!(read.replace('\\', "").contains(value), "{value}: {read}");
    }
    assert!(!read.contains("hunter2") && !read.contains("not shown") && !read.contains("Pontoon"), "{read}");
}

#[test]
fn the_data_of_an_xfa_form_is_read() {
    let data = "<xfa:datasets xmlns:xfa=\"x\"><xfa:data><form><Skipper>Ada Brannock</Skipper></form></xfa:data></xfa:datasets>";
    let page = Drawn {
        content: "BT /F1 12 Tf 60 700 Td (Please wait...) Tj ET",
        catalog: "/AcroForm<</Fields[]/XFA[(datasets)7 0 R]>>",
        objects: &[stream("", data)],
        ..Drawn::default()
    };
    assert!(text(page).contains("Ada Brannock"));
}

#[test]
fn unreadable_words_are_told_in_the_notes() {
    let unreadable = "BT /F3 12 Tf 60 600 Td (\x01\x02\x03\x04) Tj ET";
    let content = format!("{SENTENCE}{unreadable}");
    let font = "<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[.1 0 0 .1 0 0]/CharProcs<<>>/FirstChar 1/LastChar 4\
                /Widths[9 9 9 9]/Encoding<</Differences[1/g1/g2/g3/g4]>>>>";
    let objects = [font.to_owned()];
    let page = Drawn { content: &content, fonts: "/F3 7 0 R", objects: &objects, ..Drawn::default() };
    let document = read(page).unwrap();
    assert_eq!(document.text, "The harbour office opens at nine.");
    assert_eq!(
        document.notes,
        ["Page 1: some text is set in fonts that do not say which characters they show; it is missing."]
    );
    assert_eq!(read(Drawn { content: unreadable, ..page }).unwrap_err().verdict, Verdict::GarbledText);
}

#[test]
fn invisible_text_over_visible_text_is_left_out() {
    let content =
        format!("{SENTENCE}BT 3 Tr /F1 11 Tf 60.8 700.5 Td (The harbour 0ffice opens at nlne.) Tj ET");
    assert_eq!(text(Drawn { content: &content, ..Drawn::default() }), "The harbour office opens at nine.");
}

#[test]
fn a_fraction_of_small_digits_is_one_text() {
    let content = "BT /F1 12 Tf 60 700 Td (Add ) Tj /Span <</ActualText(1/2)>> BDC /F1 7 Tf 4 Ts (1) Tj \
                   /F1 12 Tf 0 Ts (/) Tj /F1 7 Tf (2) Tj EMC /F1 12 Tf ( cup of sugar.) Tj ET";
    assert_eq!(text(Drawn { content, ..Drawn::default() }), "Add 1/2 cup of sugar.");
}

#[test]
fn a_raised_star_marks_a_note() {
    let content = "BT /F1 12 Tf 60 700 Td (Rates of the year) Tj /F1 7 Tf 4 Ts (*) Tj 0 Ts /F1 6 Tf \
                   1 0 0 1 60 90 Tm 3 Ts (*) Tj 0 Ts /F1 9 Tf ( In crowns for each night.) Tj ET";
    let text = text(Drawn { content, ..Drawn::default() });
    assert!(text.contains("* In crowns for each night.") && !text.contains("- "), "{text}");
}

#[test]
fn rich_text_of_a_note_is_text() {
    let objects = ["<</Type/Annot/Subtype/FreeText/Rect[60 600 300 640]/DA(/F1 12 Tf)\
                    /RC(<body><p>Exit &amp; ladder</p></body>)>>"
        .to_owned()];
    let page = Drawn { content: SENTENCE, page: "/Annots[7 0 R]", objects: &objects, ..Drawn::default() };
    assert!(text(page).contains("Exit & ladder"));
}
