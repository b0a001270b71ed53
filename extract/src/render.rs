//! A page of a PDF as an image, for text recognition.

use hayro::hayro_interpret::InterpreterSettings;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use hayro_syntax::{LoadPdfError, Pdf};

use crate::protocol::{PageImage, Rejection, Verdict};

/// Resolution in dots per inch. The manual of Tesseract asks for at least 300.
const DPI: f32 = 300.0;

/// Maximum number of pixels: A3 at [`DPI`]. Larger pages are rendered at a lower resolution.
const MAX_PIXELS: f32 = 17_500_000.0;

/// Maximum length of a side, in pixels. The renderer counts them in 16 bits.
const MAX_SIDE: f32 = 32_000.0;

/// Points per inch, the unit of page sizes.
const POINTS: f32 = 72.0;

/// Renders a page. Returns its size and its pixels in grayscale. The limits of the process bound the work.
///
/// # Errors
/// When the file is damaged or has no such page.
pub(crate) fn page(bytes: &[u8], number: u32) -> Result<(PageImage, Vec<u8>), Rejection> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(_) => {
            Rejection::new(Verdict::Encrypted, "The file is locked with a password.")
        }
        LoadPdfError::Invalid => Rejection::new(Verdict::Corrupt, "The file is damaged."),
    })?;
    let index = usize::try_from(number).unwrap_or(usize::MAX).checked_sub(1);
    let page = index
        .and_then(|index| pdf.pages().get(index))
        .ok_or_else(|| Rejection::new(Verdict::Corrupt, format!("The file has no page {number}.")))?;
    let dpi = resolution(page.render_dimensions());
    let scale = dpi / POINTS;
    let size = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
    let (interpreter, renderer) = (InterpreterSettings::default(), RenderSettings::default());
    let pixmap = hayro::render(page, &RenderCache::new(), &interpreter, &renderer, &size);
    let pixels = pixmap.data_as_u8_slice().as_chunks::<4>().0.iter().map(luma).collect();
    Ok((PageImage { width: pixmap.width().into(), height: pixmap.height().into(), dpi: dpi as u32 }, pixels))
}

/// The highest resolution that is not above [`DPI`] and keeps a page of this size in points within
/// [`MAX_PIXELS`] and [`MAX_SIDE`].
fn resolution((width, height): (f32, f32)) -> f32 {
    let (width, height) = (width.max(1.0) / POINTS, height.max(1.0) / POINTS);
    let by_area = (MAX_PIXELS / (width * height)).sqrt();
    by_area.min(MAX_SIDE / width.max(height)).min(DPI).floor().max(1.0)
}

/// Brightness of an opaque RGBA pixel (ITU-R BT.601).
fn luma(pixel: &[u8; 4]) -> u8 {
    let [red, green, blue, _] = pixel.map(u32::from);
    u8::try_from((299 * red + 587 * green + 114 * blue) / 1000).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pages_have_a_lower_resolution() {
        assert_eq!(resolution((595.0, 842.0)), 300.0);
        let a0 = resolution((2384.0, 3370.0));
        assert!(a0 < 160.0 && a0 > 100.0, "{a0}");
        assert!(resolution((14_400.0, 10.0)) * 14_400.0 / 72.0 <= MAX_SIDE);
        assert_eq!(resolution((0.0, 0.0)), 300.0);
    }

    #[test]
    fn white_is_255_and_black_is_0() {
        assert_eq!([luma(&[255, 255, 255, 255]), luma(&[0, 0, 0, 255])], [255, 0]);
    }
}
