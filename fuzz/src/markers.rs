//! Citation markers of an answer.
//!
//! Parsing does not depend on how the answer is split into pieces, and outside of code no marker of the model
//! remains.

use parlance_core::conversations::citation_markers::{MarkerFilter, NO_ANSWER};
use parlance_core::conversations::splitter::{SentenceSplitter, Step};

use crate::text_of;

/// Maximum digits of a marker.
const MAX_DIGITS: usize = 4;

/// The first two bytes are the number of passages and the seed of the cuts; the rest is the answer.
pub fn check(input: &[u8]) {
    let Some((&[passages, cuts], answer)) = input.split_first_chunk() else { return };
    // A few passages, or enough for markers with all digits.
    let passages = usize::from(passages) * if passages % 2 == 0 { 1 } else { 40 };
    let answer = text_of(answer);
    let read_whole = read(passages, [answer.as_str()]);
    let one_by_one = answer.char_indices().map(|(at, c)| &answer[at..at + c.len_utf8()]);
    assert_eq!(read(passages, one_by_one), read_whole, "in single characters");
    assert_eq!(read(passages, pieces(&answer, cuts)), read_whole, "in pieces");

    let Read { text, sentences, cited, .. } = read_whole;
    assert!(cited.iter().all(|number| (1..=passages).contains(number)), "{cited:?} of {passages}");
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '|').collect::<String>();
    assert_eq!(letters(&text), letters(&sentences.concat()), "sentences cover the text");
    if !answer.contains('`') {
        assert!(!text.contains(NO_ANSWER), "the refusal token remains in {text:?}");
        assert_eq!(
            text.split('[').skip(1).find(|after| is_marker(after)),
            None,
            "a marker remains in {text:?}"
        );
    }
}

/// The parsed answer.
#[derive(Debug, PartialEq)]
struct Read {
    text: String,
    sentences: Vec<String>,
    cited: Vec<usize>,
    refused: bool,
}

/// Parses an answer that arrives in these pieces.
fn read<'a>(passages: usize, pieces: impl IntoIterator<Item = &'a str>) -> Read {
    let (mut markers, mut draft) = (MarkerFilter::new(passages), SentenceSplitter::default());
    let mut read = Read { text: String::new(), sentences: Vec::new(), cited: Vec::new(), refused: false };
    let mut drain = |draft: &mut SentenceSplitter, at_end: bool| {
        while let Some(step) = draft.next(at_end) {
            match step {
                Step::Text(text) => read.text.push_str(&text),
                Step::End(sentence) => {
                    read.text.push_str(sentence.tail);
                    read.sentences.push(sentence.text);
                    read.cited.extend(sentence.markers);
                }
            }
        }
    };
    for piece in pieces {
        markers.read(piece).into_iter().for_each(|part| draft.push(part));
        drain(&mut draft, false);
    }
    markers.finish().into_iter().for_each(|part| draft.push(part));
    drain(&mut draft, true);
    read.refused = markers.refused();
    read
}

/// Splits a text into pieces of varying length, some of them empty.
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

/// Whether the text after a bracket completes a marker.
fn is_marker(after: &str) -> bool {
    let Some((digits, _)) = after.split_once(']') else { return false };
    (1..=MAX_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}
