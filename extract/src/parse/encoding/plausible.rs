//! Plausibility of a decoded text: 1 for an ordinary text, 0 or less for a text in a wrong encoding.
//!
//! Only characters outside ASCII and their neighbours count, because most legacy encodings share ASCII.

use std::collections::BTreeMap;

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GBK};

use super::alphabets::{ALPHABETS, RANK_SCORES};

/// Score of a letter that the language does not have.
const FOREIGN_LETTER: f64 = -1.5;

/// Score of an undecodable or control character.
const GARBAGE: f64 = -6.0;

/// Score of a letter in the wrong case: `pRice`.
const CASE: f64 = -4.0;

/// Score of a symbol, another script or a third letter in a row, where no language has one.
const MISPLACED: f64 = -3.0;

/// Score of a single letter that is not in `WORDS`.
const LONE_LETTER: f64 = -1.0;

/// Words of one letter, Latin and Cyrillic.
const WORDS: &str = "àèéêìíòóôúæåöøáыяиоувксаіїєэбжй";

/// Score added per capital in a text without small letters, in a script without ASCII letters. A wrong
/// encoding often turns letters into such capitals.
const CAPITALS: f64 = -0.25;

/// Plausibility of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plausibility {
    /// Mean score of the characters outside ASCII, at most 1.
    pub(super) score: f64,
    /// Sum of the negative scores: 0 for a text without any anomaly.
    pub(super) anomalies: f64,
    /// Number of characters outside ASCII.
    pub(super) count: usize,
}

/// Rates a decoded text.
pub(super) fn rate(text: &str) -> Plausibility {
    let mut letters = BTreeMap::new();
    let mut ideographs = Vec::new();
    let (mut total, mut anomalies, mut count, mut run) = (0.0, 0.0, 0_usize, 0_usize);
    let (mut capitals, mut cased) = (0_usize, 0_usize);
    let mut before = [' ', ' '];
    let mut rest = text.chars().peekable();
    while let Some(current) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        let accent = !current.is_ascii() && current.is_alphabetic();
        run = if accent { run + 1 } else { 0 };
        if !current.is_ascii() || (current.is_control() && !is_layout(current)) {
            count += 1;
            let score = if is_east_asian(current) {
                ideographs.push(current);
                beside_letters(before[1], next)
            } else if accent && !matches!(current, 'ª' | 'º' | 'ƒ' | 'µ') {
                *letters.entry(current).or_insert(0_u32) += 1;
                if matches!(Script::of(current), Script::Cyrillic | Script::Greek) {
                    capitals += usize::from(current.is_uppercase());
                    cased += 1;
                }
                letter(before, current, next, run)
            } else {
                symbol(before[1], current, next)
            };
            total += score;
            anomalies += score.min(0.0);
        }
        before = [before[1], current];
    }
    // A text in capitals only is rare. Hebrew text of DOS, for example, decodes to Cyrillic capitals.
    if capitals == cased {
        total += CAPITALS * capitals as f64;
    }
    let (language, foreign) = in_language(&letters);
    total += language + in_standard(&ideographs);
    Plausibility {
        score: if count == 0 { 1.0 } else { total / count as f64 },
        anomalies: anomalies + foreign,
        count,
    }
}

fn is_layout(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\t' | '\x0b' | '\x0c' | '\x1a' | '\x1b')
}

/// Score of the letters in the best fitting language, and the part of the score from letters outside it.
fn in_language(letters: &BTreeMap<char, u32>) -> (f64, f64) {
    let rank = |alphabet: &[&str; 3], letter: char| {
        let lower = letter.to_lowercase().next().unwrap_or(letter);
        let at = alphabet.iter().position(|rank| rank.contains(lower));
        let score = at.and_then(|at| RANK_SCORES.get(at)).copied();
        // Scripts without a table have one encoding each.
        score.unwrap_or(if Script::of(letter) == Script::Other { 0.7 } else { FOREIGN_LETTER })
    };
    let scores = ALPHABETS.iter().map(|alphabet| {
        letters.iter().fold((0.0, 0.0), |(total, foreign), (letter, count)| {
            let score = rank(alphabet, *letter) * f64::from(*count);
            (total + score, foreign + score.min(0.0))
        })
    });
    scores.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default()
}

/// Penalty of a letter for its place in the word.
fn letter(before: [char; 2], current: char, next: char, run: usize) -> f64 {
    let previous = before[1];
    let script = Script::of(current);
    let neighbours = [previous, next].into_iter().filter(|other| other.is_alphabetic());
    let mut score = 0.0;
    if neighbours.filter(|other| Script::of(*other) != script).count() > 0 {
        score += MISPLACED;
    }
    if previous.is_lowercase() && current.is_uppercase() {
        score += CASE;
    }
    if current.is_lowercase() && before.iter().all(|other| other.is_uppercase()) {
        score += CASE / 2.0;
    }
    if current.is_uppercase() && previous.is_uppercase() && next.is_lowercase() {
        score += CASE / 2.0;
    }
    // `PrávO`: an accented capital is followed by a small letter.
    if current.is_lowercase() && next.is_uppercase() {
        score += CASE / 2.0;
    }
    // A final sigma or Hebrew final letter within a word, a sign that begins a word, a Thai mark without its
    // consonant.
    let displaced = match current {
        'ς' | 'ך' | 'ם' | 'ן' | 'ף' | 'ץ' => next.is_alphabetic(),
        'ъ' | 'ь' | 'Ъ' | 'Ь' => !previous.is_alphabetic() && next.is_alphabetic(),
        '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' => {
            !matches!(previous, '\u{e01}'..='\u{e4e}')
        }
        _ => false,
    };
    if displaced {
        score += MISPLACED;
    }
    if script == Script::Latin && run > 2 {
        score += MISPLACED;
    }
    if previous.is_ascii_digit() || next.is_ascii_digit() {
        score -= 1.0;
    }
    let cased = matches!(script, Script::Latin | Script::Greek | Script::Cyrillic);
    let alone = previous.is_whitespace() && next.is_whitespace();
    if cased && alone && !current.to_lowercase().any(|letter| WORDS.contains(letter)) {
        score += LONE_LETTER;
    }
    score
}

/// Score of a character that is no letter.
fn symbol(previous: char, current: char, next: char) -> f64 {
    let (after_letter, before_letter) = (previous.is_alphabetic(), next.is_alphabetic());
    let within = after_letter && before_letter;
    let digit = previous.is_ascii_digit() || next.is_ascii_digit();
    match current {
        // Texts repeat only lines of boxes, dots and dashes.
        _ if previous == current
            && !matches!(
                current,
                '\u{2500}'..='\u{25a0}' | '\u{ff10}'..='\u{ff19}' | '…' | '—' | '–' | '·' | '\u{a0}' | '\u{3000}'
            ) =>
        {
            -1.0
        }
        char::REPLACEMENT_CHARACTER | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{ffff}' => GARBAGE,
        _ if current.is_control() => GARBAGE,
        '\u{a0}' if previous == current => 0.0,
        '\u{a0}' => {
            if within {
                0.5
            } else {
                1.0
            }
        }
        '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{ad}' | '·' => 1.0,
        '’' if after_letter || digit => 1.0,
        '’' if before_letter => 0.3,
        '’' => 0.0,
        // Dashes have space on both sides or on none.
        // A dash between vowels is likely a wrongly decoded letter: `ni–os` is `niños` in Macintosh.
        '–' | '—' if is_vowel(previous) && is_vowel(next) => -0.2,
        '–' | '—' | '‐' => {
            if after_letter == before_letter {
                0.7
            } else {
                -0.5
            }
        }
        '…' => {
            if within {
                -1.0
            } else {
                0.5
            }
        }
        '“' | '„' | '«' | '‘' | '¿' | '¡' | '‹' if !after_letter && before_letter => 1.0,
        '”' | '»' | '“' | '‘' | '›'
            if !before_letter && (after_letter || previous.is_ascii_punctuation()) =>
        {
            1.0
        }
        '«' | '»' | '“' | '”' | '„' if !within => 0.5,
        '€' | '£' | '¥' | '¢' | '°' | '±' | '²' | '³' | '×' | '½' | '¼' | '¾' | '‰' | '÷' | '№' if digit => {
            1.0
        }
        '±' | '×' | '÷' | '½' | '¼' | '¾' if previous.is_whitespace() && next.is_whitespace() => 0.8,
        '™' | '®' if before_letter => -1.5,
        '§' | '•' | '†' | '£' | '€' | '№' if !after_letter => 0.8,
        '©' | '®' | '™' | '°' | '€' | '²' | '³' if !within => 0.8,
        'ª' | 'º' if digit || (after_letter && !before_letter) => 0.5,
        'ƒ' | 'µ' if !after_letter => 0.0,
        '¿' | '¡' | '‹' | '›' | '‚' | '§' => -1.5,
        // Box drawing: lines, corners and shades.
        '\u{2500}'..='\u{259f}' | '\u{25a0}' => {
            if within {
                MISPLACED
            } else if after_letter || before_letter {
                -1.0
            } else {
                0.5
            }
        }
        // Marks of a letter: Thai, Arabic, Hebrew, Vietnamese.
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{65f}' | '\u{e00}'..='\u{e7f}' => 0.7,
        '\u{5f3}' | '\u{5f4}' | '\u{660}'..='\u{66d}' | '،' => 0.7,
        '\u{ff00}'..='\u{ff60}' | '\u{3000}'..='\u{303f}' => 1.0,
        _ if within => MISPLACED,
        _ if after_letter || before_letter => -2.0,
        _ if current.is_alphanumeric() => 0.3,
        _ => 0.0,
    }
}

fn is_vowel(letter: char) -> bool {
    matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u')
}

/// Penalty of Latin letters beside ideographs. They are rare except in a wrong encoding.
fn beside_letters(previous: char, next: char) -> f64 {
    let beside = [previous, next].into_iter().filter(char::is_ascii_alphabetic).count();
    -0.5 * beside as f64
}

fn is_east_asian(character: char) -> bool {
    matches!(character,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{ff61}'..='\u{ff9f}' | '\u{1100}'..='\u{11ff}' | '\u{3100}'..='\u{318f}' | '\u{20000}'..='\u{3ffff}')
}

/// Score of ideographs, kana and hangul in the best fitting national standard. The first level of each
/// standard has the 3 000 to 5 400 characters in daily use, which make up nearly all of a text.
fn in_standard(characters: &[char]) -> f64 {
    let level = |encoding: &'static Encoding, first: std::ops::RangeInclusive<u8>| -> f64 {
        let mut total = 0.0;
        let mut previous = ' ';
        for &character in characters {
            total += match character {
                // A repeated ideograph is a line of dashes in another encoding.
                _ if character == previous && !matches!(character, '\u{3040}'..='\u{30ff}') => -1.0,
                '\u{3040}'..='\u{30ff}' if encoding == EUC_JP => 1.0,
                '\u{3040}'..='\u{30ff}' | '\u{ff61}'..='\u{ff9f}' => -0.5,
                _ => {
                    let mut buffer = [0; 4];
                    let (bytes, _, unmappable) = encoding.encode(character.encode_utf8(&mut buffer));
                    match *bytes {
                        _ if unmappable => -1.5,
                        [lead, trail] if first.contains(&lead) && (encoding == BIG5 || trail > 0xa0) => 1.0,
                        _ => -1.0,
                    }
                }
            };
            previous = character;
        }
        total
    };
    // First levels: GB 2312 rows 16 to 55, Big5, JIS X 0208 rows 16 to 47, hangul of KS X 1001.
    [
        level(GBK, 0xb0..=0xd7),
        level(BIG5, 0xa4..=0xc6),
        level(EUC_JP, 0xb0..=0xcf),
        level(EUC_KR, 0xb0..=0xc8),
    ]
    .into_iter()
    .reduce(f64::max)
    .unwrap_or_default()
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Hebrew,
    Arabic,
    Other,
}

impl Script {
    fn of(letter: char) -> Self {
        match letter {
            '\u{0}'..='\u{24f}' | '\u{300}'..='\u{36f}' | '\u{1e00}'..='\u{1eff}' => Script::Latin,
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Script::Greek,
            '\u{400}'..='\u{52f}' => Script::Cyrillic,
            '\u{590}'..='\u{5ff}' => Script::Hebrew,
            '\u{600}'..='\u{77f}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' => Script::Arabic,
            _ => Script::Other,
        }
    }
}
