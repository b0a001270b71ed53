//! Annotations: links, text written on the page, and form fields.

use std::cell::RefCell;

use hayro_syntax::object::{Array, Dict, Name, Object, Stream, String as PdfString};

use super::super::page::{Field, FreeText, Link, Rect};
use super::content::Interpreter;
use super::fields::{self, Widget};
use super::geometry::Matrix;
use super::{strings, xfa};

/// Maximum number of annotations that are read per page.
const MAX_ANNOTATIONS: usize = 10_000;

/// Maximum height of a text annotation of one line, in points.
const MAX_TYPED: f32 = 24.0;

/// Bits of `/F` (ISO 32000-2, table 167) that keep an annotation off the screen.
const HIDDEN: u32 = 1 << 1;
const NO_VIEW: u32 = 1 << 5;

/// The annotations of a document.
pub(super) struct Annotations<'a> {
    /// Whether the viewer must redraw the values of fields (`NeedAppearances`).
    outdated: bool,
    /// The values of a form that are only in its XML.
    xfa: RefCell<Vec<(String, String)>>,
    /// Whether the form has filled fields. Its XML then repeats their values.
    has_fields: bool,
    form: Dict<'a>,
}

impl<'a> Annotations<'a> {
    pub(super) fn new(catalog: &Dict<'a>) -> Self {
        let form = catalog.get::<Dict<'a>>(b"AcroForm").unwrap_or_default();
        let has_fields = form
            .get::<Array<'a>>(b"Fields")
            .is_some_and(|list| list.iter::<Dict<'a>>().any(|field| fields::is_filled(&field)));
        Self {
            outdated: form.get::<bool>(b"NeedAppearances").unwrap_or_default(),
            xfa: RefCell::new(if has_fields { Vec::new() } else { xfa::values(&form) }),
            has_fields,
            form,
        }
    }

    /// Reads the annotations of a page into it.
    pub(super) fn read(&self, page: &Dict<'a>, first: bool, out: &mut Interpreter<'_, 'a>, matrix: Matrix) {
        if let Some(list) = page.get::<Array<'a>>(b"Annots") {
            for annotation in list.iter::<Dict<'a>>().take(MAX_ANNOTATIONS) {
                self.annotation(&annotation, out, matrix);
            }
        }
        if first && !self.has_fields {
            self.place_xfa(out);
        }
    }

    fn annotation(&self, annotation: &Dict<'a>, out: &mut Interpreter<'_, 'a>, matrix: Matrix) {
        let flags = annotation.get::<u32>(b"F").unwrap_or_default();
        let hidden = flags & (HIDDEN | NO_VIEW) != 0 || out.shared.layers.hide(annotation, b"OC");
        let Some([x0, y0, x1, y1]) = annotation.get::<[f64; 4]>(b"Rect") else { return };
        let rect = matrix.bounds(x0, y0, x1, y1);
        if hidden {
            return;
        }
        match annotation.get::<Name<'a>>(b"Subtype").as_deref() {
            Some(b"Link") => out.page.links.extend(link(annotation).map(|url| Link { rect, url })),
            Some(b"Widget") => self.widget(annotation, rect, out, matrix),
            Some(b"FreeText") => {
                if !appearance(annotation, out, matrix, false) {
                    let entry = |key: &[u8]| {
                        let text = annotation.get::<PdfString<'a>>(key);
                        text.map(|text| strings::decode(text.as_bytes())).unwrap_or_default()
                    };
                    let plain = lines(&entry(b"Contents"));
                    let text = if plain.is_empty() { lines(&untagged(&entry(b"RC"))) } else { plain };
                    // A short text, such as one typed into a printed form, belongs to the line at its place.
                    let typed = rect.y1 - rect.y0 <= MAX_TYPED && !text.contains('\n');
                    if typed && !text.is_empty() {
                        let size = ((rect.y1 - rect.y0) * 0.6).clamp(6.0, 12.0);
                        out.page.fields.push(Field { rect, value: text, size, ..Field::default() });
                    } else if !text.is_empty() {
                        out.page.notes.push(FreeText { rect, text });
                    }
                }
            }
            Some(b"Watermark" | b"PrinterMark" | b"TrapNet") => {
                appearance(annotation, out, matrix, true);
            }
            // Text markup, comments and attachments are not part of the document.
            Some(
                b"Text" | b"Popup" | b"Highlight" | b"Underline" | b"StrikeOut" | b"Squiggly" | b"Ink"
                | b"Caret" | b"FileAttachment" | b"Sound" | b"Movie" | b"Screen" | b"Redact",
            )
            | None => {}
            Some(_) => {
                appearance(annotation, out, matrix, false);
            }
        }
    }

    fn widget(&self, annotation: &Dict<'a>, rect: Rect, out: &mut Interpreter<'_, 'a>, matrix: Matrix) {
        let Some(widget) = Widget::new(annotation, &self.form) else { return };
        if widget.is_drawn_as_text() && !self.outdated && appearance(annotation, out, matrix, false) {
            return;
        }
        if let Some((kind, value)) = widget.value(annotation) {
            let size = widget.size().unwrap_or((rect.y1 - rect.y0).min(12.0) * 0.8);
            let value = lines(&value);
            if !value.is_empty() {
                out.page.fields.push(Field { rect, label: widget.label(), value, kind, size });
            }
        }
    }

    fn place_xfa(&self, out: &mut Interpreter<'_, 'a>) {
        // A line of text is 14 points high.
        let (left, mut top, line) = (36.0, out.page.height, 14.0);
        for (label, value) in self.xfa.borrow_mut().drain(..) {
            let rect = Rect { x0: left, y0: top, x1: out.page.width - left, y1: top + line };
            out.page.fields.push(Field { rect, label, value, size: 10.0, ..Field::default() });
            top += line;
        }
    }
}

/// Draws the appearance of an annotation. False when it draws no text.
fn appearance<'a>(
    annotation: &Dict<'a>,
    out: &mut Interpreter<'_, 'a>,
    matrix: Matrix,
    artifact: bool,
) -> bool {
    let Some(form) = normal_appearance(annotation) else { return false };
    let Some([x0, y0, x1, y1]) = annotation.get::<[f64; 4]>(b"Rect") else { return false };
    let [bx0, by0, bx1, by1] =
        form.dict().get::<[f64; 4]>(b"BBox").unwrap_or([0.0, 0.0, (x1 - x0).abs(), (y1 - y0).abs()]);
    // The box of the form, transformed, is fitted into the rectangle (ISO 32000-2, 12.5.5).
    let own = form.dict().get::<[f64; 6]>(b"Matrix").map_or(Matrix::IDENTITY, Matrix::new);
    let area = own.bounds(bx0, by0, bx1, by1);
    let (width, height) = (f64::from(area.x1 - area.x0), f64::from(area.y1 - area.y0));
    if !(width > 0.0 && height > 0.0) {
        return false;
    }
    let (sx, sy) = ((x1 - x0).abs() / width, (y1 - y0).abs() / height);
    let fit = Matrix::new([
        sx,
        0.0,
        0.0,
        sy,
        x0.min(x1) - f64::from(area.x0) * sx,
        y0.min(y1) - f64::from(area.y0) * sy,
    ]);
    let before = out.page.glyphs.len();
    out.start(fit.then(matrix));
    out.artifact = artifact;
    out.paint_form(&form, &Dict::empty());
    out.artifact = false;
    out.page.glyphs.get(before..).is_some_and(|drawn| drawn.iter().any(|glyph| !glyph.text.trim().is_empty()))
}

fn normal_appearance<'a>(annotation: &Dict<'a>) -> Option<Stream<'a>> {
    match annotation.get::<Dict<'a>>(b"AP")?.get::<Object<'a>>(b"N")? {
        Object::Stream(stream) => Some(stream),
        Object::Dict(states) => states.get::<Stream<'a>>(annotation.get::<Name<'a>>(b"AS")?),
        _ => None,
    }
}

/// The web address of a link.
fn link(annotation: &Dict<'_>) -> Option<String> {
    let action = annotation.get::<Dict<'_>>(b"A")?;
    let address = action.get::<PdfString<'_>>(b"URI")?;
    let address = strings::decode(address.as_bytes());
    let address = address.trim();
    let lower = address.to_ascii_lowercase();
    let known = ["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| lower.starts_with(scheme));
    if lower.starts_with("www.") {
        return Some(format!("https://{address}"));
    }
    known.then(|| address.to_owned())
}

/// The text of XHTML, with `\n` after each paragraph.
fn untagged(markup: &str) -> String {
    let mut text = String::new();
    for (at, part) in markup.split('<').enumerate() {
        let (tag, after) = if at == 0 { ("", part) } else { part.split_once('>').unwrap_or((part, "")) };
        if tag.starts_with("/p") || tag.starts_with("br") {
            text.push('\n');
        }
        text.push_str(after);
    }
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#13;", ""), ("&amp;", "&")];
    entities.iter().fold(text, |text, (entity, character)| text.replace(entity, character))
}

/// The text with `\n` between its lines and without other control characters.
fn lines(text: &str) -> String {
    let lines: Vec<String> =
        text.replace("\r\n", "\n").split(['\n', '\r', '\u{2028}', '\u{2029}']).map(strings::plain).collect();
    lines.join("\n").trim().to_owned()
}
