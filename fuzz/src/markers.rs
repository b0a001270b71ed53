//! The citations of an answer: however it is cut into pieces it reads the same, no marker is left that names no
//! passage, and the rest of the text is what it was.

use parlance_core::conversations::prompt::Markers;

use crate::text_of;

/// A marker's digits at most.
const DIGITS: usize = 4;

/// Two bytes say how many passages there are and how the answer, which is the rest, is cut.
pub fn check(input: &[u8]) {
    let Some((&[passages, cuts], answer)) = input.split_first_chunk() else { return };
    // A few passages, or so many that markers have all their digits.
    let passages = usize::from(passages) * if passages % 2 == 0 { 1 } else { 40 };
    let answer = text_of(answer);
    let (text, cited) = read(passages, [answer.as_str()]);
    let one_by_one = answer.char_indices().map(|(at, c)| &answer[at..at + c.len_utf8()]);
    assert_eq!(read(passages, one_by_one), (text.clone(), cited.clone()), "in single characters");
    assert_eq!(read(passages, pieces(&answer, cuts)), (text.clone(), cited.clone()), "in pieces");

    assert!(cited.iter().all(|number| (1..=passages).contains(number)), "{cited:?} of {passages}");
    assert_eq!(without_markers(&text), without_markers(&answer), "what is no marker stays, but for spaces");
    let mut named: Vec<usize> = Vec::new();
    for number in markers(&text) {
        assert!((1..=passages).contains(&number), "[{number}] is left, of {passages} passages, in {text:?}");
        if !named.contains(&number) {
            named.push(number);
        }
    }
    assert_eq!(cited, named, "what is cited is what the text shows: {text:?}");
}

/// What is shown of an answer that comes in these pieces, and what it cites.
fn read<'a>(passages: usize, pieces: impl IntoIterator<Item = &'a str>) -> (String, Vec<usize>) {
    let mut markers = Markers::of(passages);
    let mut text: String = pieces.into_iter().map(|piece| markers.read(piece)).collect();
    let (rest, cited) = markers.end();
    text.push_str(&rest);
    (text, cited)
}

/// A text in pieces of changing length, some of them empty.
fn pieces(text: &str, cuts: u8) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let mut state = u32::from(cuts);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let length = rest.floor_char_boundary((state >> 16) as usize % 8).min(rest.len());
        let (piece, after) = rest.split_at(length);
        rest = after;
        Some(piece)
    })
}

/// The numbers of the markers in a text.
fn markers(text: &str) -> impl Iterator<Item = usize> {
    text.split('[').skip(1).filter_map(|after| marker(after)?.0.parse().ok())
}

/// A text without its markers, whatever they name, and without spaces: one may stand where a marker was.
fn without_markers(text: &str) -> String {
    let mut parts = text.split('[');
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for after in parts {
        match marker(after) {
            Some((_, after)) => rest.push_str(after),
            None => rest.extend(["[", after]),
        }
    }
    rest.replace(' ', "")
}

/// The digits of a marker whose bracket is open, and what follows it.
fn marker(after: &str) -> Option<(&str, &str)> {
    let (digits, after) = after.split_once(']')?;
    let is_number = (1..=DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some((digits, after))
}
