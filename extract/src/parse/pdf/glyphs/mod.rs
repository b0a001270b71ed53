//! The characters of a PDF and their positions: file bytes in, [`Page`]s out.
//!
//! `hayro-syntax` reads the file and `hayro-font` its fonts; the interpreter of content streams is ours
//! (docs/decisions/0044-pdf-engine.md).

mod annotations;
mod cleanup;
mod content;
mod fields;
mod fonts;
mod geometry;
mod layers;
mod marked;
mod names;
mod operands;
mod paths;
mod state;
mod strings;
mod structure;
mod text;
mod xfa;

use hayro_syntax::object::{Dict, Object, Stream};
use hayro_syntax::page::Page as Source;
use hayro_syntax::page::Rotation;
use hayro_syntax::{LoadPdfError, Pdf};

use super::page::Page;
use annotations::Annotations;
use content::{Interpreter, Shared};
use geometry::Matrix;
use layers::Layers;
use marked::Marks;
use structure::Structure;

/// Maximum size of the content of a page, in bytes.
const MAX_CONTENT: usize = 256 << 20;

/// Why a file cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OpenError {
    /// The file is locked with a password.
    Encrypted,
    Damaged,
}

/// An open file.
pub(super) struct Reader {
    pdf: Pdf,
}

impl Reader {
    /// Opens a file.
    ///
    /// # Errors
    /// For a file that is locked with a password and for one without pages that can be found.
    pub(super) fn open(bytes: &[u8]) -> Result<Self, OpenError> {
        match Pdf::new(bytes.to_vec()) {
            Ok(pdf) => Ok(Self { pdf }),
            // Other protection, such as a certificate, needs a key as well.
            Err(LoadPdfError::Decryption(_)) => Err(OpenError::Encrypted),
            Err(LoadPdfError::Invalid) => Err(OpenError::Damaged),
        }
    }

    /// The title in the document information. Empty without one.
    pub(super) fn title(&self) -> String {
        self.pdf.metadata().title.as_deref().map(strings::decode).unwrap_or_default()
    }

    /// Calls `each` with the pages in order until it returns false.
    pub(super) fn for_each(&self, mut each: impl FnMut(Page) -> bool) {
        let catalog = self.pdf.xref().get::<Dict<'_>>(self.pdf.xref().root_id()).unwrap_or_default();
        let shared = Shared::new(Layers::new(&catalog));
        let annotations = Annotations::new(&catalog);
        let structure = Structure::new(&catalog);
        for (index, source) in self.pdf.pages().iter().enumerate() {
            let page = read_page(index, source, &shared, &annotations, &structure);
            if !each(page) {
                break;
            }
        }
    }
}

fn read_page<'a>(
    index: usize,
    source: &Source<'a>,
    shared: &Shared<'a>,
    annotations: &Annotations<'a>,
    structure: &Structure<'a>,
) -> Page {
    let (width, height) = source.render_dimensions();
    let mut page =
        Page { number: u32::try_from(index + 1).unwrap_or(u32::MAX), width, height, ..Page::default() };
    let matrix = upright(source);
    let content = content_of(source.raw(), &mut page);
    let marks = Marks::new(structure.replacements(source.raw()));
    let mut interpreter = Interpreter::new(shared, page, matrix, marks);
    let resources = source.raw().get::<Dict<'a>>(b"Resources");
    let inherited = resources.or_else(|| inherited_resources(source.raw())).unwrap_or_default();
    interpreter.run(&content, &inherited);
    drop(content);
    annotations.read(source.raw(), index == 0, &mut interpreter, matrix);
    let mut page = interpreter.page;
    cleanup::clean(&mut page);
    page.image_coverage = coverage(&page);
    page
}

/// The transform from user space to the upright page whose `y` grows downwards.
fn upright(source: &Source<'_>) -> Matrix {
    let area = source.intersected_crop_box();
    let (width, height) = source.base_dimensions();
    let (width, height) = (f64::from(width), f64::from(height));
    let flipped =
        Matrix::translation(-area.x0, -area.y0).then(Matrix::new([1.0, 0.0, 0.0, -1.0, 0.0, height]));
    flipped.then(match source.rotation() {
        Rotation::None => Matrix::IDENTITY,
        Rotation::Horizontal => Matrix::new([0.0, 1.0, -1.0, 0.0, height, 0.0]),
        Rotation::Flipped => Matrix::new([-1.0, 0.0, 0.0, -1.0, width, height]),
        Rotation::FlippedHorizontal => Matrix::new([0.0, -1.0, 1.0, 0.0, 0.0, width]),
    })
}

/// The content streams of a page, one after the other.
fn content_of(page: &Dict<'_>, out: &mut Page) -> Vec<u8> {
    let mut content = Vec::new();
    let mut append = |stream: Stream<'_>| match stream.decoded_data() {
        Ok(data) if content.len() + data.len() <= MAX_CONTENT => {
            content.extend_from_slice(&data);
            // No token spans two streams: the line end separates them.
            content.push(b'\n');
        }
        _ => out.damaged = true,
    };
    match page.get::<Object<'_>>(b"Contents") {
        Some(Object::Stream(stream)) => append(stream),
        Some(Object::Array(parts)) => parts.iter::<Stream<'_>>().for_each(append),
        _ => {}
    }
    content
}

/// Resources of an ancestor in the page tree.
fn inherited_resources<'a>(page: &Dict<'a>) -> Option<Dict<'a>> {
    let mut node = page.get::<Dict<'a>>(b"Parent")?;
    // Page trees have few levels; the bound ends loops.
    for _ in 0..64 {
        if let Some(resources) = node.get::<Dict<'a>>(b"Resources") {
            return Some(resources);
        }
        node = node.get::<Dict<'a>>(b"Parent")?;
    }
    None
}

/// Share of the page that its images cover. Images of a scan in strips add up.
fn coverage(page: &Page) -> f32 {
    let whole = page.width * page.height;
    let images: f32 = page.images.iter().map(|image| (image.x1 - image.x0) * (image.y1 - image.y0)).sum();
    if whole > 0.0 { (images / whole).min(1.0) } else { 0.0 }
}
