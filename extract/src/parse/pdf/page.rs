//! A page as positioned characters and drawings: the output of the glyph layer and input of the layout.
//!
//! The unit is the point (1/72 inch). The page is upright (its `/Rotate` is applied), the origin is its top
//! left corner and `y` grows downwards.

/// A rectangle. `x0 <= x1`, `y0 <= y1`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rect {
    pub x0: f32,
    pub y0: f32,
    pub x1: f32,
    pub y1: f32,
}

/// A page.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    /// Number of the page, from 1.
    pub number: u32,
    pub width: f32,
    pub height: f32,
    /// Visible text and the invisible text of OCR layers, in the order of the content stream.
    pub glyphs: Vec<Glyph>,
    /// Straight lines that are horizontal or vertical, thin filled rectangles and the edges of stroked ones.
    pub rules: Vec<Rule>,
    /// Filled and stroked rectangles that are not thin, such as boxes around a note or shaded rows.
    pub boxes: Vec<Area>,
    /// Links to web addresses.
    pub links: Vec<Link>,
    /// Form fields that hold a value, unless the value is drawn on the page as `glyphs`. The fields of forms
    /// that are not drawn at all (XFA) lie below the page, one under the other.
    pub fields: Vec<Field>,
    /// Text that an annotation writes on the page (FreeText), without an appearance stream of its own.
    pub notes: Vec<FreeText>,
    /// Rectangles of the images.
    pub images: Vec<Rect>,
    /// Share of the page that its largest images cover, 0 to 1.
    pub image_coverage: f32,
    /// Number of visible glyphs that have no Unicode value. `glyphs` lacks them.
    pub suppressed: usize,
    /// Number of words among the suppressed glyphs: several of them in a row.
    pub suppressed_words: usize,
    /// Number of filled or stroked paths that are neither rules nor boxes.
    pub drawings: usize,
    /// Whether a content stream of the page could not be decoded completely.
    pub damaged: bool,
}

impl Page {
    /// The whole page.
    pub(super) fn area(&self) -> Rect {
        Rect { x0: 0.0, y0: 0.0, x1: self.width, y1: self.height }
    }
}

/// A character, a ligature or a cluster of characters that were drawn as one glyph.
#[derive(Clone, Debug, Default)]
pub(super) struct Glyph {
    /// Never empty. Several characters for ligatures and for replacements (`ActualText`). May be a blank. A
    /// soft hyphen (U+00AD) is drawn as a hyphen where a word is divided at the end of a line.
    pub text: String,
    /// Upright box of the glyph on the page: advance along the line, ascent to descent across it.
    pub x0: f32,
    pub y0: f32,
    pub x1: f32,
    pub y1: f32,
    /// Position of the baseline across the direction of writing: `y` of text at angle 0 and 180, `x` of text
    /// at 90 and 270. In vertical writing (whose `angle` is 0), `x` of the centre of the column.
    pub baseline: f32,
    /// Font size on the page (of the em square), in points.
    pub size: f32,
    /// Direction of writing in degrees, counted clockwise on the page as seen: 0 to the right, 90 downwards,
    /// 180 to the left (upside down), 270 upwards. Other values for slanted text; rounded to whole degrees.
    pub angle: u16,
    /// Vertical writing (CJK): the glyphs are upright and the next one is below.
    pub vertical: bool,
    pub bold: bool,
    pub mono: bool,
    /// Position in the content stream. Glyphs of one text-showing operator have consecutive numbers, as do
    /// those of two operators.
    pub order: u32,
    /// Number of the text-showing operator (`Tj`, or a whole `TJ`) that drew the glyph.
    pub run: u32,
    /// Part of an artifact (running header, page number, watermark) according to the marked content.
    pub artifact: bool,
    /// Invisible text (render mode 3), such as the OCR layer of a scan.
    pub hidden: bool,
}

/// A horizontal or vertical line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rule {
    pub x0: f32,
    pub y0: f32,
    pub x1: f32,
    pub y1: f32,
    /// Thickness of the line.
    pub width: f32,
}

/// A rectangle that is drawn on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Area {
    pub rect: Rect,
    /// Fill colour as 0xRRGGBB. `None` for a stroked rectangle.
    pub fill: Option<u32>,
    pub stroked: bool,
}

/// A link to a web address.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Link {
    pub rect: Rect,
    pub url: String,
}

/// Kind of a form field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum FieldKind {
    #[default]
    Text,
    Choice,
    /// A check box. `value` is `[x]` or `[ ]`.
    CheckBox,
    /// A radio button. `value` is `(x)` or `( )`.
    Radio,
}

/// A form field on the page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Field {
    pub rect: Rect,
    /// Tooltip, or the name of the field if a person wrote it. Empty otherwise. Text printed beside the
    /// field is the better label.
    pub label: String,
    /// Value as text; lines are divided by `\n`.
    pub value: String,
    pub kind: FieldKind,
    /// Font size of the value, in points.
    pub size: f32,
}

/// A text annotation on the page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FreeText {
    pub rect: Rect,
    /// Lines are divided by `\n`.
    pub text: String,
}
