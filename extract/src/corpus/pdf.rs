//! PDF writer: objects, cross-reference table, and pages of plain lines.

use std::fmt::Write as _;
use std::io::Write as _;

use encoding_rs::WINDOWS_1252;
use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A4, in points.
const WIDTH: usize = 595;
const HEIGHT: usize = 842;
const MARGIN: usize = 72;

/// Characters of body text per line.
const LINE: usize = 86;

/// PDF builder. Object 1 is the catalog and object 2 the page tree.
pub(super) struct Pdf {
    objects: Vec<Vec<u8>>,
    trailer: String,
}

impl Pdf {
    /// A PDF with a catalog, an empty page tree, and Helvetica regular and bold as objects 3 and 4.
    pub(super) fn new() -> Self {
        let font = |name| format!("<</Type/Font/Subtype/Type1/BaseFont/{name}/Encoding/WinAnsiEncoding>>");
        let mut pdf = Self { objects: Vec::new(), trailer: String::new() };
        pdf.add("<</Type/Catalog/Pages 2 0 R>>");
        pdf.add("");
        pdf.add(font("Helvetica"));
        pdf.add(font("Helvetica-Bold"));
        pdf
    }

    /// Adds an object and returns its number.
    pub(super) fn add(&mut self, body: impl AsRef<[u8]>) -> usize {
        self.objects.push(body.as_ref().to_vec());
        self.objects.len()
    }

    /// Replaces an object.
    pub(super) fn set(&mut self, number: usize, body: impl AsRef<[u8]>) {
        if let Some(object) = self.objects.get_mut(number - 1) {
            *object = body.as_ref().to_vec();
        }
    }

    /// Adds a stream with these extra dictionary entries.
    pub(super) fn stream(&mut self, entries: &str, content: &[u8]) -> usize {
        let head = format!("<</Length {}{entries}>>stream\n", content.len());
        self.add([head.as_bytes(), content, b"\nendstream"].concat())
    }

    /// Adds a page with this content, resources and height.
    pub(super) fn page(&mut self, content: usize, resources: &str, height: usize) -> usize {
        self.add(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {WIDTH} {height}]/Contents {content} 0 R\
             /Resources<</Font<</F1 3 0 R/F2 4 0 R>>{resources}>>>>"
        ))
    }

    /// Sets the pages of the document.
    pub(super) fn pages(&mut self, pages: &[usize]) {
        let kids: String = pages.iter().map(|page| format!("{page} 0 R ")).collect();
        self.set(2, format!("<</Type/Pages/Count {}/Kids[{kids}]>>", pages.len()));
    }

    /// Adds entries to the trailer.
    pub(super) fn trailer(&mut self, entries: &str) {
        self.trailer.push_str(entries);
    }

    /// Serialises the file.
    pub(super) fn finish(&self) -> Vec<u8> {
        let mut file = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
        let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", self.objects.len() + 1);
        for (index, object) in self.objects.iter().enumerate() {
            let _ = writeln!(table, "{:010} 00000 n ", file.len());
            file.extend_from_slice(format!("{} 0 obj\n", index + 1).as_bytes());
            file.extend_from_slice(object);
            file.extend_from_slice(b"\nendobj\n");
        }
        let start = file.len();
        let size = self.objects.len() + 1;
        let tail =
            format!("trailer\n<</Size {size}/Root 1 0 R{}>>\nstartxref\n{start}\n%%EOF\n", self.trailer);
        file.extend_from_slice(table.as_bytes());
        file.extend_from_slice(tail.as_bytes());
        file
    }
}

/// A one-page document with this content stream.
pub(super) fn of_content(content: &[u8], resources: &str) -> Pdf {
    let mut pdf = Pdf::new();
    let stream = pdf.stream("", content);
    let page = pdf.page(stream, resources, HEIGHT);
    pdf.pages(&[page]);
    pdf
}

/// A document of these pages. With `running`, each page has it as the header and a page number as the footer.
pub(super) fn of_pages(pages: &[&str], running: Option<&str>) -> Vec<u8> {
    let mut pdf = Pdf::new();
    let mut numbers = Vec::new();
    for text in pages {
        let edges = running.map(|name| {
            (name.to_owned(), format!("Confidential - page {} of {}", numbers.len() + 1, pages.len()))
        });
        numbers.push(text_page(&mut pdf, text, edges));
    }
    pdf.pages(&numbers);
    pdf.finish()
}

fn text_page(pdf: &mut Pdf, text: &str, edges: Option<(String, String)>) -> usize {
    let lines: Vec<(usize, usize, String)> = text.lines().flat_map(set_line).collect();
    let needed: usize = lines.iter().map(|(_, leading, _)| leading).sum::<usize>() + 2 * MARGIN;
    // Text below the page edge is dropped, so a long page gets taller.
    let height = needed.max(HEIGHT);
    let mut content = Vec::new();
    let mut y = height - MARGIN;
    for (size, leading, line) in lines {
        y -= leading;
        content.extend(show(MARGIN, y, size, &line));
    }
    if let Some((header, footer)) = edges {
        content.extend(show(MARGIN, height - MARGIN / 2, 9, &header));
        content.extend(show(MARGIN, MARGIN / 2, 9, &footer));
    }
    let stream = pdf.stream("", &content);
    pdf.page(stream, "", height)
}

/// Wraps a line of text; each resulting line comes with its font size and leading.
fn set_line(line: &str) -> Vec<(usize, usize, String)> {
    if let Some(heading) = line.strip_prefix("## ") {
        return vec![(16, 30, heading.to_owned())];
    }
    if let Some(heading) = line.strip_prefix("# ") {
        return vec![(22, 36, heading.to_owned())];
    }
    if line.trim().is_empty() {
        return vec![(11, 10, String::new())];
    }
    let mut lines = vec![(11, 14, String::new())];
    for word in line.split_whitespace() {
        match lines.last_mut() {
            Some((.., last)) if last.is_empty() => last.push_str(word),
            Some((.., last)) if last.len() + word.len() < LINE => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push((11, 14, word.to_owned())),
        }
    }
    lines
}

/// Content-stream operators that draw a line at (x, y), in points. Sizes above 12 are bold.
pub(super) fn show(x: usize, y: usize, size: usize, line: &str) -> Vec<u8> {
    let font = if size > 12 { "F2" } else { "F1" };
    let mut shown = format!("BT /{font} {size} Tf {x} {y} Td (").into_bytes();
    for &byte in WINDOWS_1252.encode(line).0.iter() {
        if matches!(byte, b'(' | b')' | b'\\') {
            shown.push(b'\\');
        }
        shown.push(byte);
    }
    shown.extend_from_slice(b") Tj ET\n");
    shown
}

/// `content` repeated and deflated.
pub(super) fn deflated(content: &[u8], times: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    for _ in 0..times {
        // Writing to a vector does not fail.
        let _ = encoder.write_all(content);
    }
    encoder.finish().unwrap_or_default()
}
