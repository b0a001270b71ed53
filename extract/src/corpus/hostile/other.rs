//! Mislabelled files, texts without content, and malformed tables.

use crate::corpus::{Sample, html, noise, pdf, word};
use crate::protocol::Verdict::{Empty, GarbledText, TooLarge, UnsupportedType};

pub(super) fn samples() -> Vec<Sample> {
    let mut samples = names();
    samples.extend(texts());
    samples.extend(tables());
    samples
}

fn names() -> Vec<Sample> {
    let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &noise(4096)].concat();
    let archive = |entries: &[&str]| {
        let entries: Vec<_> = entries.iter().map(|name| (*name, b"<x/>".as_slice())).collect();
        word::archive(&entries)
    };
    let mut samples = vec![
        Sample::rejected("png.pdf", png, &[UnsupportedType]),
        Sample::rejected(
            "program.doc",
            [b"\x7fELF\x02\x01\x01\0".as_slice(), &noise(4096)].concat(),
            &[UnsupportedType],
        ),
        Sample::rejected(
            "gzip.txt",
            [b"\x1f\x8b\x08\0".as_slice(), &noise(4096)].concat(),
            &[UnsupportedType],
        ),
        Sample::rejected("binary-sheet.docx", archive(&["xl/workbook.bin"]), &[UnsupportedType]),
        Sample::rejected("pages.docx", archive(&["Index/Document.iwa"]), &[UnsupportedType]),
        Sample::rejected("archive.docx", archive(&["a.txt"]), &[UnsupportedType]),
        Sample::text("pdf.txt", pdf(&["The words of a PDF."]), &["The words of a PDF."]),
        Sample::text("page.pdf", html("A page", "<p>The words of a page."), &["The words of a page."]),
    ];
    for extension in ["txt", "md", "csv", "pdf", "docx", "doc", "html", "xlsx", "odt", "rtf", "json"] {
        samples.push(Sample::rejected(
            &format!("noise.{extension}"),
            noise(100_000),
            &[UnsupportedType, GarbledText],
        ));
    }
    samples
}

fn texts() -> Vec<Sample> {
    vec![
        Sample::rejected("empty.txt", "", &[Empty]),
        Sample::rejected("empty.pdf", "", &[Empty]),
        Sample::rejected("blank.md", " \r\n\t\n ", &[Empty]),
        Sample::rejected("marks.txt", "\u{feff}\u{feff}", &[Empty]),
        Sample::any("ones.txt", vec![0xff; 1 << 20]),
        Sample::rejected("zeros.txt", vec![0; 1 << 20], &[UnsupportedType, GarbledText]),
        Sample::any("odd.txt", b"\xff\xfea\0b\0c\0d".to_vec()),
        Sample::any("surrogates.txt", b"\xff\xfe\x00\xd8".repeat(1000)),
        Sample::any("escapes.txt", b"\x1b$B$\"\x1b(B ".repeat(100_000)),
        Sample::any("one-line.txt", "word ".repeat(1 << 20)),
    ]
}

fn tables() -> Vec<Sample> {
    let header = format!("{},b\nx,1\ny,2\n", "h".repeat(8 << 20));
    let quote = format!("a,b\n1,\"2\n{}", "3,4\n".repeat(2 << 20));
    let wide = format!("{}\n{}\n", "a,".repeat(100_000), "1,".repeat(100_000));
    let names: Vec<String> = (0..100).map(|column| format!("{column:x<110}")).collect();
    let multiplied =
        format!("{}\n{}", names.join(","), format!("{}\n", vec!["1"; 100].join(",")).repeat(20_000));
    vec![
        Sample::any("long-header.csv", header),
        Sample::any("one-quote.csv", quote),
        Sample::any("quotes.csv", "\"".repeat(8 << 20)),
        Sample::any("delimiters.csv", "a;b,c|d\t".repeat(100_000)),
        Sample::any("rows.csv", "a,b\n".to_owned() + &"\n,\n1,2".repeat(300_000)),
        Sample::any("zeros.csv", "a,b\n1,\0\n".repeat(1000)),
        Sample::rejected("wide.csv", wide, &[TooLarge]),
        Sample::rejected("multiplied.csv", multiplied, &[TooLarge]),
    ]
}
