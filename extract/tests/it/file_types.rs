//! Tests of the file types beside Word and PDF through the child: pages, titles, notes, encodings.

use parlance_extract::corpus::{epub, open_document, pptx, valid, xlsx};
use parlance_extract::protocol::{Document, Format, Markup, Request, Verdict};

use crate::child::extract;

fn reply(name: &str, bytes: &[u8]) -> Result<Document, parlance_extract::protocol::Rejection> {
    extract(&Request { name: Some(name.to_owned()), ..Request::default() }, bytes).reply
}

fn sample(name: &str) -> Document {
    let sample = valid().into_iter().find(|sample| sample.name == name).unwrap();
    reply(name, &sample.bytes).unwrap()
}

#[test]
fn slides_are_pages() {
    let document = sample("slides.pptx");
    let text: Vec<char> = document.text.chars().collect();
    let at = |page: usize| text[document.pages[page]..].iter().collect::<String>();
    assert_eq!(document.pages.len(), 3);
    assert!(at(0).starts_with("## Terms of trade"));
    assert!(at(2).starts_with("## Slide 3"));
    assert_eq!(document.notes, ["Hidden slides were not read: 1."]);
    assert!(
        !document.text.contains("draft") && !document.text.contains("Running footer"),
        "{}",
        document.text
    );
}

#[test]
fn hidden_sheets_and_formulas_without_result_are_noted() {
    let document = sample("typed.xlsx");
    assert_eq!(document.notes.len(), 2, "{:?}", document.notes);
    assert_eq!((document.format, document.markup), (Format::Xlsx, Markup::Records));
    assert!(!document.text.contains("NOW"), "{}", document.text);
}

#[test]
fn titles_of_documents_are_read() {
    assert_eq!(sample("terms.odt").title.as_deref(), Some("The terms"));
    assert_eq!(sample("book.epub").title.as_deref(), Some("The handbook"));
}

#[test]
fn a_book_has_no_contents_and_no_repeated_title() {
    let text = sample("book.epub").text;
    assert!(!text.contains("Contents of the book") && !text.contains("The handbook"), "{text}");
    assert!(!text.contains("Not in the order"), "{text}");
}

#[test]
fn packages_are_recognised_by_their_content() {
    for (bytes, format) in [
        (xlsx("<sheetData><row><c><v>1</v></c></row></sheetData>"), Format::Xlsx),
        (pptx("Title", "words", ""), Format::Pptx),
        (open_document("text", "<text:p>words</text:p>"), Format::Odt),
        (epub("<p>words</p>"), Format::Epub),
    ] {
        let document = reply("named.txt", &bytes).unwrap();
        assert_eq!(document.format, format);
        assert!(
            document.notes[0].starts_with("The file is named named.txt but holds"),
            "{:?}",
            document.notes
        );
    }
}

#[test]
fn a_dos_text_is_read_and_a_senseless_one_refused() {
    let german = b"Gr\x81\xe1e aus K\x94ln: \x81ber s\x81\xe1e \x8epfel l\x84\xe1t sich sch\x94n plaudern.";
    assert_eq!(
        reply("a.txt", german).unwrap().text,
        "Grüße aus Köln: über süße Äpfel läßt sich schön plaudern."
    );
    let table = b"Gr\x94\xe1e;Preis\r\nklein;1\r\ngro\xe1;2\r\n";
    assert_eq!(reply("a.csv", table).unwrap().text, "Größe: klein\nPreis: 1\n\nGröße: groß\nPreis: 2");
    let senseless: Vec<u8> =
        (0..600_u32).map(|at| 0x80 | (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let refused = reply("a.txt", &senseless).unwrap_err();
    assert!(matches!(refused.verdict, Verdict::GarbledText | Verdict::UnsupportedType), "{refused}");
}

#[test]
fn notes_and_ends_of_chapters_are_read() {
    let book =
        epub("<p>By Ann Lee</p><p>Boats float.</p><aside><p>Most do.</p></aside><footer>The end.</footer>");
    let text = extract(&Request::default(), &book).reply.unwrap().text;
    for part in ["By Ann Lee", "Boats float.", "Most do.", "The end."] {
        assert!(text.contains(part), "{text}");
    }
}
