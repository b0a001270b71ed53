//! Valid files with known text.

use encoding_rs::{GBK, SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};

use super::pdf::{Pdf, show};
use super::{Block, Sample, csv, doc, docx, html, pdf, pdf_with_running_lines};

const GERMAN: &str = "Grüße aus Köln: über süße Äpfel läßt sich schön plaudern, auch mit Größe.";
const RUSSIAN: &str = "Возврат товара возможен в течение тридцати дней после покупки.";
const JAPANESE: &str = "返品は購入から三十日以内に可能です。お問い合わせはこちらまで。";
const CHINESE: &str = "购买后三十天内可以退货，请保留您的收据和包装。";

/// Valid files with known text.
#[must_use]
pub fn valid() -> Vec<Sample> {
    let mut samples = texts();
    samples.extend(tables());
    samples.extend(pdfs());
    samples.extend(words());
    samples.extend(pages());
    samples.extend(super::valid_packages::samples());
    samples
}

fn utf16(text: &str, mark: &[u8], to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    mark.iter().copied().chain(text.encode_utf16().flat_map(to_bytes)).collect()
}

fn texts() -> Vec<Sample> {
    let mark = [b"\xef\xbb\xbf".as_slice(), GERMAN.as_bytes()].concat();
    vec![
        Sample::text("utf-8.txt", GERMAN, &[GERMAN]),
        Sample::text("utf-8-mark.txt", mark, &[GERMAN]),
        Sample::text("utf-16-le.txt", utf16(GERMAN, &[], u16::to_le_bytes), &[GERMAN]),
        Sample::text("utf-16-be-mark.txt", utf16(RUSSIAN, &[0xfe, 0xff], u16::to_be_bytes), &[RUSSIAN]),
        Sample::text("windows-1252.txt", WINDOWS_1252.encode(GERMAN).0, &[GERMAN]),
        Sample::text("windows-1251.txt", WINDOWS_1251.encode(RUSSIAN).0, &[RUSSIAN]),
        Sample::text("shift-jis.txt", SHIFT_JIS.encode(JAPANESE).0, &[JAPANESE]),
        Sample::text("gbk.txt", GBK.encode(CHINESE).0, &[CHINESE]),
        Sample::text("dos.txt", "one\r\ntwo\rthree", &["one\ntwo\nthree"]),
        Sample::text(
            "notes.md",
            "# Title\n\n- item\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
            &["# Title", "| 1 | 2 |"],
        ),
    ]
}

fn tables() -> Vec<Sample> {
    let rows: &[&[&str]] =
        &[&["Plan", "Price", "Note"], &["Small, new", "10", "two\nlines"], &["Large", "20", ""]];
    let expected = "Plan: Small, new\nPrice: 10\nNote: two lines\n\nPlan: Large\nPrice: 20";
    let german = WINDOWS_1252.encode("Größe;Preis\r\nKlein;1,50\r\nGroß;2,50\r\n").0;
    vec![
        Sample::text("comma.csv", csv(rows), &[expected]),
        Sample::text("semicolon.csv", german, &["Größe: Klein\nPreis: 1,50\n\nGröße: Groß\nPreis: 2,50"]),
        Sample::text("tab.tsv", "a\tb\n1\t2\n", &["a: 1\nb: 2"]),
        Sample::text("pipe.csv", "name|size\nx|1\ny|2\n", &["name: x\nsize: 1\n\nname: y\nsize: 2"]),
        Sample::text("ragged.csv", "a,b\nx\ny,1,2\n", &["a: x\n\na: y\nb: 1\nColumn 3: 2"]),
    ]
}

fn pdfs() -> Vec<Sample> {
    let running = ["apples", "pears", "plums", "grapes"].map(|fruit| {
        format!(
            "# Chapter on {fruit}\n\nIt is said of {fruit} that everybody knows them who has ever seen one in a garden \
             or on a market, and this paragraph says so at length."
        )
    });
    let running = running.each_ref().map(String::as_str);
    vec![
        Sample::text(
            "plain.pdf",
            pdf(&["# Returns\n\nGoods may be returned within thirty days.", "Refunds take five days."]),
            &["# Returns", "within thirty days", "Refunds take five days"],
        ),
        Sample::text(
            "running.pdf",
            pdf_with_running_lines("ACME Handbook of fruit", &running),
            &["# Chapter on apples", "It is said of apples", "It is said of pears", "It is said of grapes"],
        ),
        Sample::text("columns.pdf", two_columns(), &["first left", "last left", "first right", "last right"]),
        Sample::text("hyphens.pdf", hyphens(), &["This is information about the international office"]),
    ]
}

/// Two columns with aligned lines. The left one comes first in reading order.
fn two_columns() -> Vec<u8> {
    let mut pdf = Pdf::new();
    let mut content = Vec::new();
    for line in 0..30 {
        let place = match line {
            0 => "first",
            29 => "last",
            _ => "another",
        };
        let y = 740 - line * 16;
        content.extend(show(60, y, 10, &format!("The {place} left line of this column is {line}")));
        content.extend(show(320, y, 10, &format!("The {place} right line of this column is {line}")));
    }
    let stream = pdf.stream("", &content);
    let page = pdf.page(stream, "", 842);
    pdf.pages(&[page]);
    pdf.finish()
}

fn hyphens() -> Vec<u8> {
    let mut pdf = Pdf::new();
    let mut content = Vec::new();
    for (line, text) in
        ["This is infor-", "mation about the inter-", "national office of the", "company in town."]
            .iter()
            .enumerate()
    {
        content.extend(show(72, 700 - line * 14, 11, text));
    }
    let stream = pdf.stream("", &content);
    let page = pdf.page(stream, "", 842);
    pdf.pages(&[page]);
    pdf.finish()
}

fn words() -> Vec<Sample> {
    let blocks = [
        Block::Heading(1, "Terms"),
        Block::Paragraph("Goods may be returned & refunded."),
        Block::Heading(2, "Prices"),
        Block::Item("Small costs ten"),
        Block::Item("Large costs twenty"),
        Block::Table(&[&["Plan", "Price"], &["Small", "10"], &["Large", "20"]]),
        Block::Paragraph("The end."),
    ];
    vec![
        Sample::text(
            "terms.docx",
            docx(&blocks),
            &[
                "# Terms",
                "returned & refunded",
                "## Prices",
                "- Small costs ten",
                "- Large",
                "| Small",
                "The end.",
            ],
        ),
        Sample::text(
            "letter.doc",
            doc(&["Dear reader,", GERMAN, RUSSIAN, "Yours"]),
            &["Dear reader,", GERMAN, RUSSIAN, "Yours"],
        ),
        Sample::text("docx-named.doc", docx(&blocks), &["# Terms", "The end."]),
        Sample::text(
            "html-named.doc",
            html("Old", "<h1>Saved by Word</h1><p>As a page."),
            &["Saved by Word", "As a page."],
        ),
    ]
}

fn pages() -> Vec<Sample> {
    let body = "<nav>Menu of it</nav><h1>Opening hours</h1><p>We open at nine.</p>\
        <table><tr><th>Day</th><th>Hours</th></tr><tr><td>Monday</td><td>9 to 17</td></tr></table>";
    let paragraph = "<p>It is said, by those who were there, that the harbour froze over, and that people walked \
        across it, carrying lanterns, to the islands on the other side, where they stayed until spring.</p>";
    let article = format!(
        "<header>The Paper</header><article><h1>A cold winter</h1>{}<h2>Spring</h2>{paragraph}<p>It melted at last.</p>\
         </article><footer>Imprint</footer>",
        paragraph.repeat(5)
    );
    let french = WINDOWS_1252
        .encode("<html><head><meta charset=\"iso-8859-1\"><title>Où</title></head><body><p>Ça va à l'école été comme hiver.")
        .0
        .into_owned();
    vec![
        Sample::text(
            "hours.html",
            html("Hours", body),
            &["Opening hours", "We open at nine.", "Monday", "9 to 17"],
        ),
        Sample::text(
            "article.html",
            html("Winter", &article),
            &["harbour froze", "## Spring", "It melted at last."],
        ),
        Sample::text("latin-1.html", french, &["Ça va à l'école été"]),
    ]
}
