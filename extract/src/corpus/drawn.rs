//! PDFs of one page with given operators, resources and annotations.

use super::pdf::Pdf;

/// A page with its resources and annotations, in PDF syntax. Fonts `F1` and `F2` are Helvetica regular and
/// bold.
#[derive(Clone, Copy, Default)]
pub struct Drawn<'a> {
    /// Operators of the content stream.
    pub content: &'a str,
    /// Entries of the font resources, beside `F1` and `F2`.
    pub fonts: &'a str,
    /// Entries of the resources, beside the fonts.
    pub resources: &'a str,
    /// Entries of the page dictionary, beside its size (A4 upright).
    pub page: &'a str,
    /// Entries of the catalog.
    pub catalog: &'a str,
    /// Further objects, numbered from 7.
    pub objects: &'a [String],
}

impl Drawn<'_> {
    /// The file.
    #[must_use]
    pub fn file(self) -> Vec<u8> {
        let mut pdf = Pdf::new();
        let content = pdf.stream("", self.content.as_bytes());
        let page = pdf.add(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {content} 0 R{}\
             /Resources<</Font<</F1 3 0 R/F2 4 0 R{}>>{}>>>>",
            self.page, self.fonts, self.resources
        ));
        for object in self.objects {
            pdf.add(object);
        }
        pdf.set(1, format!("<</Type/Catalog/Pages 2 0 R{}>>", self.catalog));
        pdf.pages(&[page]);
        pdf.finish()
    }
}

/// A stream object with these dictionary entries.
#[must_use]
pub fn stream(entries: &str, content: &str) -> String {
    format!("<</Length {}{entries}>>stream\n{content}\nendstream", content.len())
}
