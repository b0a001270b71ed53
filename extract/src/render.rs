//! A page of a PDF as an image, for text recognition.

use std::ops::ControlFlow;

use unpdf::parser::raster::{PageRegion, RasterOptions, RasteredPage};
use unpdf::{Error, ParseOptions, PdfParser};

use crate::protocol::{PageImage, Rejection, Verdict};

/// Resolution in dots per inch. The manual of Tesseract asks for at least 300.
const DPI: f32 = 300.0;

/// Maximum number of pixels: A3 at [`DPI`]. Larger pages are rendered at a lower resolution.
const MAX_PIXELS: f32 = 17_500_000.0;

/// Points per inch, the unit of page sizes.
const POINTS: f32 = 72.0;

/// Maximum work per page, in painted pixels. A scan paints its page a few times.
const MAX_WORK: u64 = 2_000_000_000;

/// Renders a page. Returns its size and its pixels in grayscale.
///
/// # Errors
/// When the file is damaged, has no such page, or the page takes too much work.
pub(crate) fn page(bytes: &[u8], page: u32) -> Result<(PageImage, Vec<u8>), Rejection> {
    let parser = PdfParser::from_bytes_with_options(bytes, ParseOptions::new().sequential())
        .map_err(|error| rejection(page, &error))?;
    let dpi = resolution(area(&parser, page));
    let mut work = MAX_WORK;
    let rendered = render(&parser, page, dpi, &mut |pixels| {
        work = work.saturating_sub(pixels);
        if work == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let rendered = rendered.map_err(|error| rejection(page, &error))?;
    let pixels = rendered.rgba.as_chunks::<4>().0.iter().map(luma).collect();
    Ok((PageImage { width: rendered.width, height: rendered.height, dpi: dpi as u32 }, pixels))
}

/// The area of a page in square points. The first charge of a rendering is the area of its page.
fn area(parser: &PdfParser, page: u32) -> u64 {
    let mut area = 0;
    // Stopped before anything is painted.
    let _stopped = render(parser, page, POINTS, &mut |pixels| {
        area = pixels;
        ControlFlow::Break(())
    });
    area
}

/// The highest resolution that is neither above [`DPI`] nor needs more than [`MAX_PIXELS`].
fn resolution(area: u64) -> f32 {
    let inches = area as f32 / (POINTS * POINTS);
    (MAX_PIXELS / inches).sqrt().min(DPI).floor().max(1.0)
}

fn render(
    parser: &PdfParser,
    page: u32,
    dpi: f32,
    budget: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<RasteredPage, Error> {
    parser.render_page_with(page, &RasterOptions { dpi, region: PageRegion::Crop }, budget)
}

/// Brightness of an RGBA pixel (ITU-R BT.601).
fn luma(pixel: &[u8; 4]) -> u8 {
    let [red, green, blue, _] = pixel.map(u32::from);
    u8::try_from((299 * red + 587 * green + 114 * blue) / 1000).unwrap_or(u8::MAX)
}

fn rejection(page: u32, error: &Error) -> Rejection {
    match error {
        Error::RasterStopped => {
            Rejection::new(Verdict::TooComplex, format!("Page {page} takes too much work to render."))
        }
        error => Rejection::new(Verdict::Corrupt, format!("Page {page} cannot be rendered: {error}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pages_have_a_lower_resolution() {
        let a4 = 595 * 842;
        assert_eq!(resolution(a4), 300.0);
        let a0 = a4 * 16;
        assert!(resolution(a0) < 160.0 && resolution(a0) > 100.0, "{}", resolution(a0));
        assert_eq!(resolution(0), 300.0);
    }

    #[test]
    fn white_is_255_and_black_is_0() {
        assert_eq!([luma(&[255, 255, 255, 255]), luma(&[0, 0, 0, 255])], [255, 0]);
    }
}
