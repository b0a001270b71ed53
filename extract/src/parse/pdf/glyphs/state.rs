//! The graphics state.

use std::rc::Rc;

use super::super::page::Rect;
use super::fonts::Font;
use super::geometry::Matrix;

/// Text rendering modes that matter here (ISO 32000-2, 9.3.6).
pub(super) const INVISIBLE: u8 = 3;

/// The mode that fills and strokes, which programs use for bold text.
pub(super) const FILL_AND_STROKE: u8 = 2;

/// The graphics state as far as text and lines depend on it.
#[derive(Clone)]
pub(super) struct State<'a> {
    /// User space to page.
    pub(super) matrix: Matrix,
    /// Bounding box of the clip, on the page. `None` without a clip.
    pub(super) clip: Option<Rect>,
    pub(super) font: Option<Rc<Font<'a>>>,
    pub(super) size: f64,
    pub(super) character_spacing: f64,
    pub(super) word_spacing: f64,
    /// Horizontal scaling, 1 for 100 %.
    pub(super) scaling: f64,
    pub(super) leading: f64,
    pub(super) rise: f64,
    pub(super) mode: u8,
    pub(super) fill: u32,
    pub(super) stroke: u32,
    pub(super) line_width: f64,
}

impl State<'_> {
    pub(super) fn new(matrix: Matrix, clip: Rect) -> Self {
        Self {
            matrix,
            clip: Some(clip),
            font: None,
            size: 1.0,
            character_spacing: 0.0,
            word_spacing: 0.0,
            scaling: 1.0,
            leading: 0.0,
            rise: 0.0,
            mode: 0,
            fill: 0,
            stroke: 0,
            line_width: 1.0,
        }
    }
}

/// Colour of the components of a device colour space: grey, RGB or CMYK by their number. Black otherwise.
pub(super) fn color(components: &[f64]) -> u32 {
    let byte = |value: f64| (value.clamp(0.0, 1.0) * 255.0).round() as u32;
    let rgb = |r, g, b| byte(r) << 16 | byte(g) << 8 | byte(b);
    match *components {
        [grey] => rgb(grey, grey, grey),
        [r, g, b] => rgb(r, g, b),
        [c, m, y, k] => rgb((1.0 - c) * (1.0 - k), (1.0 - m) * (1.0 - k), (1.0 - y) * (1.0 - k)),
        _ => 0,
    }
}
