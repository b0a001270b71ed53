//! Lines of a column with the signs of the start of a block: mark, level, distance and free room.

use super::blocks::Context;
use super::characters::{is_dash, is_rtl, is_wide};
use super::inline::Inline;
use super::line_text::{self, spans};
use super::lines::Line;
use super::markers::{Start, series, start};
use super::styles::Styles;

/// A line with its properties.
pub(super) struct Seen<'a> {
    pub line: &'a Line,
    pub text: Inline,
    pub start: Start,
    pub level: Option<usize>,
    /// Distance of the baseline from that of the line above.
    pub pitch: f32,
    /// Whether the line ends although the first word of the next line had room.
    pub short: bool,
}

/// Examines the lines of a column.
pub(super) fn see<'a>(lines: &'a [Line], context: Context<'_>) -> Vec<Seen<'a>> {
    let mut seen: Vec<Seen> = Vec::with_capacity(lines.len());
    let mut above: Option<&Line> = None;
    for (at, line) in lines.iter().enumerate() {
        let text = Inline::of(&spans(line));
        let mut start = start(line, text.as_str(), context.starred);
        if start == Start::Note && text.as_str().starts_with('[') && line.size >= 0.95 * context.styles.body {
            // Verses and questionnaires number their paragraphs in this form.
            start = Start::Text;
        }
        let pitch = above.map_or(0.0, |above| line.baseline - above.baseline);
        let short = is_short(lines, at) && !runs_on(lines, at, text.as_str());
        let level = context.styles.level(line);
        seen.push(Seen { line, text, start, level, pitch, short });
        above = Some(line);
    }
    mark_series(&mut seen);
    let listed: Vec<bool> = (0..seen.len()).map(|at| is_listed(&seen, at)).collect();
    for (line, listed) in seen.iter_mut().zip(listed) {
        line.short |= listed;
    }
    for at in 0..seen.len() {
        if !keeps_level(&seen, at, context.styles)
            && let Some(line) = seen.get_mut(at)
        {
            line.level = None;
        }
    }
    seen
}

/// Number of lines searched for the next number of a series.
const SERIES_REACH: usize = 12;

/// Marks lines that start with consecutive numbers of one kind at the same horizontal position.
fn mark_series(seen: &mut [Seen<'_>]) {
    let known: Vec<_> = seen
        .iter()
        .map(|line| if line.start == Start::Text { series(line.text.as_str()) } else { None })
        .collect();
    for at in 0..seen.len() {
        let Some(Some((kind, value))) = known.get(at) else { continue };
        let place = seen.get(at).map_or(0.0, |line| line.line.rect.x0);
        for other in at + 1..(at + SERIES_REACH).min(seen.len()) {
            let Some(Some((other_kind, next))) = known.get(other) else { continue };
            let Some(line) = seen.get(other) else { continue };
            // Numbers may be aligned at their right end.
            let aligned = (line.line.rect.x0 - place).abs() < 1.2 * line.line.size;
            if kind == other_kind && *next == value + 1 && aligned {
                for one in [at, other] {
                    if let Some(line) = seen.get_mut(one) {
                        line.start = Start::Section;
                    }
                }
                break;
            }
        }
    }
}

/// Whether a sentence continues in the next line although the first word of that line had room here.
fn runs_on(lines: &[Line], at: usize, text: &str) -> bool {
    let (Some(line), Some(next)) = (lines.get(at), lines.get(at + 1)) else { return false };
    let lower = line_text::text(next).starts_with(char::is_lowercase);
    let widest = lines.get(at.saturating_sub(5)..(at + 6).min(lines.len())).unwrap_or_default();
    let width = |line: &Line| line.rect.x1 - line.rect.x0;
    let widest = widest.iter().map(width).fold(1.0, f32::max);
    let next = line_text::text(next);
    !is_address(&next) && lower && !text.ends_with(['.', ':', ';', '!', '?']) && width(line) > 0.6 * widest
}

/// Whether a text starts with a web or mail address.
fn is_address(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default();
    word.contains(['@', '/']) || word.starts_with("www.")
}

/// Whether a line belongs to a list of short lines, the longest of which reaches the edge, or is a row of
/// parts far apart.
fn is_listed(seen: &[Seen<'_>], at: usize) -> bool {
    let Some(line) = seen.get(at) else { return false };
    let parts = |line: &Line| {
        line.pieces.windows(2).any(|pair| matches!(pair, [a, b] if b.rect.x0 - a.rect.x1 > 2.5 * line.size))
    };
    let next = seen.get(at + 1);
    if parts(line.line) || next.is_some_and(|next| parts(next.line) && next.start == Start::Text) {
        return true;
    }
    let near = seen.get(at.saturating_sub(3)..(at + 4).min(seen.len().saturating_sub(1))).unwrap_or_default();
    let others = near.iter().filter(|other| !std::ptr::eq(*other, line));
    let (short, all) = others.fold((0, 0), |(short, all), other| (short + usize::from(other.short), all + 1));
    let continues = next.is_none_or(|next| {
        let text = next.text.as_str();
        text.starts_with(|c: char| c.is_lowercase() || is_wide(c)) && !is_address(text)
    });
    all >= 2 && short * 3 >= all * 2 && !continues && !line.text.as_str().ends_with(is_dash)
}

/// Bold lines in the size of the text are headings only where they stand alone.
fn keeps_level(seen: &[Seen<'_>], at: usize, styles: &Styles) -> bool {
    let Some(line) = seen.get(at) else { return false };
    if line.level.is_none() || line.line.size >= 1.12 * styles.body {
        return line.level.is_some();
    }
    let text = line.text.as_str();
    if text.ends_with(['.', ',', ';', ':'])
        || text.chars().count() > 140
        || !text.chars().any(char::is_alphabetic)
    {
        return false;
    }
    let previous = at.checked_sub(1).and_then(|above| seen.get(above));
    let alone = previous.is_none_or(|above| {
        above.level.is_some() || above.short || line.pitch > 1.6 * line.line.size || above.line.bold
    });
    // A bold phrase may continue in the next line, before the ordinary text.
    let next = seen.get(at + 1);
    let runs_in = next.is_some_and(|next| {
        !next.line.bold
            && next.pitch < 1.6 * line.line.size
            && next.line.pieces.first().is_some_and(|piece| piece.bold)
            && next.start == Start::Text
    });
    if runs_in {
        return false;
    }
    // Several bold lines in a row are a bold paragraph or a form.
    let bold = |step: usize| {
        seen.get(at + step).is_some_and(|next| next.line.bold && next.pitch < 1.6 * line.line.size)
    };
    alone && !(bold(1) && bold(2) && bold(3))
}

/// Whether the first word of the next line had room at the end of this one.
fn is_short(lines: &[Line], at: usize) -> bool {
    let (Some(line), Some(next)) = (lines.get(at), lines.get(at + 1)) else { return false };
    let near = lines.get(at.saturating_sub(5)..(at + 6).min(lines.len())).unwrap_or_default();
    let right = near
        .iter()
        .filter(|other| (other.size - line.size).abs() < 0.2 * line.size)
        .map(|other| other.rect.x1)
        .fold(line.rect.x1, f32::max);
    let left = near.iter().map(|other| other.rect.x0).fold(line.rect.x0, f32::min);
    let last = line.pieces.last().and_then(|piece| piece.text.chars().next_back()).unwrap_or(' ');
    if (is_dash(last) || last == '/')
        && line.pieces.last().is_some_and(|piece| piece.text.chars().count() > 1)
    {
        return false;
    }
    let rtl = line.pieces.iter().filter(|p| p.text.chars().any(is_rtl)).count() * 2 > line.pieces.len();
    if rtl {
        let word = next.pieces.last().map_or(0.0, |piece| piece.rect.x1 - piece.rect.x0);
        return line.rect.x0 - left > word + 0.9 * line.size;
    }
    let mut word = 0.0;
    let start = next.rect.x0;
    for (at, piece) in next.pieces.iter().enumerate() {
        if at > 0 && !piece.glued {
            break;
        }
        word = piece.rect.x1 - start;
    }
    let room = right - line.rect.x1;
    if is_wide(last) {
        room > 3.0 * line.size
    } else {
        room > (word + 0.7 * line.size).max(0.08 * (right - left))
    }
}

/// The distance of most lines from the one above.
pub(super) fn usual_pitch(seen: &[Seen<'_>]) -> f32 {
    let mut pitches: Vec<f32> = seen
        .iter()
        .skip(1)
        .filter(|line| line.pitch > 0.5 * line.line.size)
        .map(|line| line.pitch / line.line.size)
        .collect();
    pitches.sort_by(f32::total_cmp);
    // Where most gaps divide paragraphs, the lower quarter shows the leading.
    let at = if pitches.len() < 4 { 0 } else { pitches.len() * 2 / 5 };
    pitches.get(at).copied().unwrap_or(1.25).clamp(0.9, 2.6)
}
