//! Corrections of the glyphs of a page: text drawn twice, and marks drawn apart from their letters.

use rustc_hash::FxHashMap;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{compose, is_combining_mark};

use super::super::page::{Glyph, Page, Rect};

/// Two equal glyphs closer than this are one, in shares of the size.
const SAME_PLACE: f32 = 0.12;

/// The same for invisible text over visible one, which is placed less exactly.
const SAME_PLACE_HIDDEN: f32 = 0.5;

/// Share of artifacts among the glyphs of a page above which the artifact marks are wrong.
const MAX_ARTIFACTS: f32 = 0.9;

/// Corrects the glyphs of a page.
pub(super) fn clean(page: &mut Page) {
    remove_doubles(&mut page.glyphs);
    remove_hidden_copies(&mut page.glyphs);
    compose_marks(&mut page.glyphs);
    let artifacts = page.glyphs.iter().filter(|glyph| glyph.artifact).count();
    if artifacts as f32 > page.glyphs.len() as f32 * MAX_ARTIFACTS {
        page.glyphs.iter_mut().for_each(|glyph| glyph.artifact = false);
    }
    for (order, glyph) in page.glyphs.iter_mut().enumerate() {
        glyph.order = u32::try_from(order).unwrap_or(u32::MAX);
    }
}

/// Removes glyphs that were drawn before at nearly the same place. Programs draw bold text and shadows so.
fn remove_doubles(glyphs: &mut Vec<Glyph>) {
    // The last glyph of each text in each cell, and for each glyph the previous one in its cell.
    let mut places: FxHashMap<(u64, i32, i32), usize> = FxHashMap::default();
    places.reserve(glyphs.len());
    let mut before = vec![usize::MAX; glyphs.len()];
    let mut double = vec![false; glyphs.len()];
    let mut bold = Vec::new();
    for (index, glyph) in glyphs.iter().enumerate() {
        let text = hash(&glyph.text);
        let found = cells(glyph).find_map(|(x, y)| {
            // Different glyphs of one text in one cell are few, except in hostile files.
            let last = places.get(&(text, x, y)).copied();
            let near = std::iter::successors(last, |at| before.get(*at).copied());
            near.take(MAX_NEAR)
                .take_while(|at| *at != usize::MAX)
                .find(|other| glyphs.get(*other).is_some_and(|other| is_double(other, glyph)))
        });
        if let Some(first) = found {
            if let Some(double) = double.get_mut(index) {
                *double = true;
            }
            if !glyph.hidden {
                bold.push(first);
            }
        } else {
            let last = places.insert((text, cell(glyph.x0), cell(glyph.y0)), index);
            if let (Some(last), Some(before)) = (last, before.get_mut(index)) {
                *before = last;
            }
        }
    }
    for index in bold {
        if let Some(glyph) = glyphs.get_mut(index) {
            glyph.bold |= !glyph.hidden;
            // If one of the two is visible, the remaining glyph is visible.
            glyph.hidden = false;
        }
    }
    let mut double = double.into_iter();
    glyphs.retain(|_| !double.next().unwrap_or_default());
}

/// Minimum share of the invisible glyphs of a run that lie on visible ones. Such a run repeats visible text.
const COVERED: f32 = 0.6;

/// Removes invisible text that lies over visible text: a recognition program also read the parts of the page
/// that are text already.
fn remove_hidden_copies(glyphs: &mut Vec<Glyph>) {
    let shown = |glyph: &Glyph| !glyph.text.trim().is_empty();
    if !glyphs.iter().any(|glyph| glyph.hidden && shown(glyph)) {
        return;
    }
    let mut visible: FxHashMap<(i32, i32), Vec<Rect>> = FxHashMap::default();
    for glyph in glyphs.iter().filter(|glyph| !glyph.hidden && shown(glyph)) {
        let (x, y) = centre(glyph);
        let places = visible.entry((cell(x), cell(y))).or_default();
        if places.len() < MAX_NEAR {
            places.push(Rect { x0: glyph.x0, y0: glyph.y0, x1: glyph.x1, y1: glyph.y1 });
        }
    }
    let covered = |glyph: &Glyph| {
        let (x, y) = centre(glyph);
        let cells = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (cell(x) + dx, cell(y) + dy)));
        cells
            .filter_map(|at| visible.get(&at))
            .flatten()
            .any(|rect| (rect.x0 - 1.0..=rect.x1 + 1.0).contains(&x) && (rect.y0..=rect.y1).contains(&y))
    };
    let mut runs: FxHashMap<u32, (usize, usize)> = FxHashMap::default();
    for glyph in glyphs.iter().filter(|glyph| glyph.hidden && shown(glyph)) {
        let run = runs.entry(glyph.run).or_default();
        run.0 += usize::from(covered(glyph));
        run.1 += 1;
    }
    glyphs.retain(|glyph| {
        let copied = |(covered, all): &(usize, usize)| *covered as f32 >= COVERED * *all as f32;
        !(glyph.hidden && runs.get(&glyph.run).is_some_and(copied))
    });
}

/// Side of a cell in the search for doubles, in points. It exceeds the distance of two doubles of usual text.
const CELL: f32 = 8.0;

/// Maximum number of glyphs of a cell that are compared.
const MAX_NEAR: usize = 8;

fn cell(at: f32) -> i32 {
    (at / CELL).floor().clamp(-1e6, 1e6) as i32
}

/// The cells with possible doubles of a glyph: usually one, at most four.
fn cells(glyph: &Glyph) -> impl Iterator<Item = (i32, i32)> {
    let reach = (SAME_PLACE_HIDDEN * glyph.size).min(CELL);
    let around = |at: f32| (cell(at - reach)..=cell(at + reach)).take(3);
    let rows = around(glyph.y0);
    around(glyph.x0).flat_map(move |x| rows.clone().map(move |y| (x, y)))
}

fn hash(text: &str) -> u64 {
    // The text of most glyphs is one character: the hash is exact.
    text.bytes().fold(0, |hash: u64, byte| (hash << 8 | u64::from(byte)) ^ (hash >> 48))
}

fn is_double(one: &Glyph, other: &Glyph) -> bool {
    if one.text != other.text || one.angle != other.angle || (one.size - other.size).abs() > 0.15 * one.size {
        return false;
    }
    let share = if one.hidden != other.hidden { SAME_PLACE_HIDDEN } else { SAME_PLACE };
    // Two narrow letters in a row are half their width apart at least.
    let narrow = (one.x1 - one.x0).max(one.y1 - one.y0).min(one.size) * 0.5;
    let distance = (share * one.size).min(narrow.max(0.02 * one.size));
    (one.x0 - other.x0).abs() < distance && (one.y0 - other.y0).abs() < distance
}

/// Maximum number of glyphs of a page examined in the search for letters of separate marks.
const MAX_LOOKED_AT: usize = 5_000_000;

/// Joins accents and combining marks that are glyphs of their own with their letters.
fn compose_marks(glyphs: &mut Vec<Glyph>) {
    let mut gone = vec![false; glyphs.len()];
    let mut searches = MAX_LOOKED_AT / glyphs.len().max(1);
    for index in 0..glyphs.len() {
        let Some(mark) = glyphs.get(index) else { break };
        let Some(combining) = combining(&mark.text) else { continue };
        let place = (centre(mark), mark.baseline, mark.size, mark.angle);
        let spacing = !mark.text.chars().all(is_combining_mark);
        // The letter is drawn right before or right after the mark.
        let before = (index > 0).then(|| index - 1);
        let candidates = if spacing { [Some(index + 1), before] } else { [before, Some(index + 1)] };
        let fits = |at: &usize| {
            !gone.get(*at).copied().unwrap_or(true)
                && glyphs.get(*at).is_some_and(|base| carries(base, place, spacing))
        };
        let base = candidates.into_iter().flatten().find(fits).or_else(|| {
            // Some programs draw the marks of a line after its letters.
            searches = searches.checked_sub(1)?;
            (0..glyphs.len()).find(fits)
        });
        if let Some(at) = base
            && let Some(base) = glyphs.get_mut(at)
            && let Some(text) = with_mark(&base.text, &combining, spacing)
        {
            base.text = text;
            if let Some(gone) = gone.get_mut(index) {
                *gone = true;
            }
        }
    }
    let mut gone = gone.into_iter();
    glyphs.retain(|_| !gone.next().unwrap_or_default());
}

fn centre(glyph: &Glyph) -> (f32, f32) {
    ((glyph.x0 + glyph.x1) / 2.0, (glyph.y0 + glyph.y1) / 2.0)
}

/// Whether a glyph is a letter that stands below or above a mark, and not beside it.
fn carries(
    base: &Glyph,
    ((x, y), baseline, size, angle): ((f32, f32), f32, f32, u16),
    spacing: bool,
) -> bool {
    if !base.text.chars().any(char::is_alphabetic) || base.angle != angle {
        return false;
    }
    if (base.size - size).abs() > 0.35 * size || (base.baseline - baseline).abs() > 0.6 * size {
        return false;
    }
    let (low, high, at) = if angle % 180 == 90 { (base.y0, base.y1, y) } else { (base.x0, base.x1, x) };
    // A mark of no width stands at the edge of its letter.
    let margin = if spacing { -0.12 * (high - low) } else { 0.25 * size };
    at >= low - margin && at <= high + margin
}

/// The combining marks that a glyph stands for, if it is an accent.
fn combining(text: &str) -> Option<String> {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ') {
        return None;
    }
    if text.chars().all(is_combining_mark) {
        return Some(text.to_owned());
    }
    let mut characters = text.chars();
    let mark = match (characters.next()?, characters.next()) {
        ('´' | 'ˊ', None) => '\u{301}',
        ('`' | 'ˋ', None) => '\u{300}',
        ('¨', None) => '\u{308}',
        ('^' | 'ˆ', None) => '\u{302}',
        ('~' | '˜', None) => '\u{303}',
        ('¯' | 'ˉ', None) => '\u{304}',
        ('˘', None) => '\u{306}',
        ('˙', None) => '\u{307}',
        ('˚' | '°', None) => '\u{30a}',
        ('˝', None) => '\u{30b}',
        ('ˇ', None) => '\u{30c}',
        ('¸', None) => '\u{327}',
        ('˛', None) => '\u{328}',
        _ => return None,
    };
    Some(mark.to_string())
}

/// The letter with a mark. `None` for an accent over a letter that does not carry it.
fn with_mark(letter: &str, marks: &str, spacing: bool) -> Option<String> {
    if !spacing {
        return Some(format!("{letter}{marks}").nfc().collect());
    }
    let (head, last) = letter.char_indices().last().map(|(at, last)| (&letter[..at], last))?;
    // The letters for accents have no dot.
    let last = match last {
        'ı' => 'i',
        'ȷ' => 'j',
        letter => letter,
    };
    let composed = marks.chars().try_fold(last, compose)?;
    Some(format!("{head}{composed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glyph(text: &str, x: f32, width: f32) -> Glyph {
        Glyph {
            text: text.to_owned(),
            x0: x,
            x1: x + width,
            y0: 10.0,
            y1: 20.0,
            baseline: 18.0,
            size: 10.0,
            ..Glyph::default()
        }
    }

    fn cleaned(glyphs: Vec<Glyph>) -> String {
        let mut page = Page { glyphs, ..Page::default() };
        clean(&mut page);
        page.glyphs.iter().map(|glyph| glyph.text.as_str()).collect()
    }

    #[test]
    fn a_glyph_drawn_twice_is_kept_once() {
        let glyphs =
            vec![glyph("l", 0.0, 2.2), glyph("l", 0.4, 2.2), glyph("l", 2.2, 2.2), glyph("l", 2.6, 2.2)];
        assert_eq!(cleaned(glyphs), "ll");
    }

    #[test]
    fn accents_join_the_letter_below_them() {
        assert_eq!(cleaned(vec![glyph("´", 0.6, 3.3), glyph("e", 0.0, 4.4)]), "é");
        assert_eq!(cleaned(vec![glyph("c", 0.0, 4.4), glyph("¸", 0.6, 3.3)]), "ç");
        assert_eq!(cleaned(vec![glyph("¨", 0.0, 3.3), glyph("ı", 0.2, 2.8)]), "ï");
        assert_eq!(cleaned(vec![glyph("e", 0.0, 4.4), glyph("\u{301}", 4.4, 0.0)]), "é");
    }

    #[test]
    fn accents_drawn_after_the_line_join_their_letters() {
        let late =
            vec![glyph("e", 0.0, 4.4), glyph("t", 4.4, 2.8), glyph("e", 7.2, 4.4), glyph("´", 0.6, 3.3)];
        assert_eq!(cleaned(late), "éte");
    }

    #[test]
    fn signs_beside_letters_stay_signs() {
        assert_eq!(cleaned(vec![glyph("a", 0.0, 5.0), glyph("^", 5.0, 4.7), glyph("o", 9.7, 5.0)]), "a^o");
        assert_eq!(cleaned(vec![glyph("n", 0.0, 5.0), glyph("°", 5.0, 4.0)]), "n°");
        assert_eq!(cleaned(vec![glyph("~", 0.0, 5.8), glyph("a", 5.8, 5.0)]), "~a");
    }
}
