//! Separators between the texts of adjacent elements without white space between them.
//!
//! Style sheets separate labels from values visually, and minified pages have no white space between them.
//! Parts of a word can be adjacent elements too, so the decision depends on the elements and the characters.

/// Kind of element boundary between two texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Edge {
    /// Nothing.
    #[default]
    None,
    /// Emphasis and similar elements within words.
    Emphasis,
    /// An element without a meaning, such as `span`.
    Span,
    /// An element that holds at least a word: a button, a label, a time.
    Unit,
}

/// The boundary between the previous text and the next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seam {
    /// The strongest boundary of an element that ended.
    pub(super) closed: Edge,
    /// The strongest boundary of an element that began.
    pub(super) opened: Edge,
    /// Whether a style separates the two texts visually.
    pub(super) apart: bool,
}

/// Currency signs and codes.
pub(super) const CURRENCIES: &[&str] = &[
    "€", "$", "£", "¥", "₹", "₽", "₺", "₩", "₪", "₫", "₴", "฿", "zł", "kč", "kr", "fr.", "eur", "usd", "gbp",
    "chf", "sek", "nok", "dkk", "pln", "czk", "huf", "ft", "cad", "aud", "lei", "лв", "руб", "円", "元",
    "원",
];

/// Clothing sizes. They are words in spite of their length.
const SIZES: &[&str] = &["XXS", "XS", "S", "M", "L", "XL", "XXL", "XXXL", "2XL", "3XL", "4XL", "5XL"];

/// Endings of ordinal numbers.
const ORDINALS: &[&str] = &["st", "nd", "rd", "th", "er", "re", "e", "ème", "º", "ª"];

/// Whether `left`, the end of the text so far, and `right`, the next text, need a space between them.
pub(super) fn separates(left: &str, right: &str, seam: Seam) -> bool {
    let (Some(last), Some(first)) = (left.chars().next_back(), right.chars().next()) else { return false };
    let between = seam.closed != Edge::None && seam.opened != Edge::None;
    if (seam.closed == Edge::None && seam.opened == Edge::None && !seam.apart)
        || last.is_whitespace()
        || first.is_whitespace()
        || matches!(
            first,
            ',' | '.'
                | ';'
                | ':'
                | '!'
                | '?'
                | ')'
                | ']'
                | '}'
                | '%'
                | '…'
                | '»'
                | '”'
                | '°'
                | '"'
                | '\''
                | '’'
        )
        || matches!(last, '(' | '[' | '{' | '«' | '“' | '„' | '/' | '-' | '#' | '@' | '_' | '\'' | '"' | '’')
    {
        return false;
    }
    let word = word_end(left);
    let next = word_start(right);
    let letters =
        next.chars().count() == 1 && !SIZES.contains(&next) && first.is_alphabetic() && last.is_alphabetic();
    if seam.apart {
        return !(letters && first.is_lowercase());
    }
    let strongest = seam.closed.max(seam.opened);
    let is_wordy = |character: char| character.is_alphanumeric() || is_currency(character);
    if strongest == Edge::Unit && (between || !is_word_part(last, first)) {
        return is_wordy(first)
            && (is_wordy(last) || matches!(last, ')' | ']' | '.' | '!' | '?' | ':' | '%' | '”' | '»'));
    }
    if last.is_ascii_digit() && first.is_ascii_digit() {
        // Two numbers must not merge into one. Emphasis within a number is rare but harmless.
        return between || strongest >= Edge::Span;
    }
    let count = |word: &str| word.chars().count();
    if !between {
        return match strongest {
            // A label that ends with a colon, or a word beside a number.
            _ if last == ':' && seam.closed != Edge::None => first.is_alphanumeric() || is_currency(first),
            Edge::Emphasis | Edge::Span if last.is_lowercase() && count(word) > 2 => {
                first.is_ascii_digit() || is_currency(first)
            }
            Edge::Span if last.is_ascii_digit() && first.is_alphabetic() => {
                count(next) > 1 && !ORDINALS.contains(&next) && word.bytes().all(|byte| byte.is_ascii_digit())
            }
            _ => false,
        };
    }
    if matches!(last, ':' | ';' | ',' | '!' | '?' | ')' | '.' | '%') {
        let number = left.chars().rev().nth(1).is_some_and(|before| before.is_ascii_digit());
        return match last {
            ':' | ',' | '.' => {
                first.is_alphabetic() && (last != '.' || first.is_uppercase()) || (!number && is_wordy(first))
            }
            _ => is_wordy(first),
        };
    }
    if last.is_alphabetic() && is_currency(first) {
        return true;
    }
    if last.is_alphabetic() && first.is_numeric() {
        return word.chars().count() > 1;
    }
    if last.is_numeric() && first.is_alphabetic() {
        return !ORDINALS.contains(&next);
    }
    let cased = |character: char| character.is_lowercase() || character.is_uppercase();
    if seam.closed == Edge::Span && seam.opened == Edge::Span && cased(last) && cased(first) {
        // Parts of words are short, whole words seldom.
        return count(word) > 2 && count(next) > 2
            || (last.is_lowercase() && first.is_uppercase() && count(word) > 1);
    }
    last.is_lowercase() && first.is_uppercase() && count(word) > 1
}

/// Whether text beside a unit may continue its word: `<a>dog</a>s`.
fn is_word_part(last: char, first: char) -> bool {
    last.is_lowercase() && first.is_lowercase()
}

pub(super) fn is_currency(character: char) -> bool {
    matches!(character, '€' | '$' | '£' | '¥' | '₹' | '₽' | '₺' | '₩' | '₪' | '₫' | '₴' | '฿')
}

/// The word at the end of a text.
fn word_end(text: &str) -> &str {
    let start = text.char_indices().rev().find(|(_, character)| !character.is_alphanumeric());
    start.map_or(text, |(at, character)| text.get(at + character.len_utf8()..).unwrap_or_default())
}

/// The word at the start of a text.
fn word_start(text: &str) -> &str {
    let end = text.find(|character: char| !character.is_alphanumeric()).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// The number at the end of a text, with its separators, and the text before it.
pub(super) fn number_end(text: &str) -> (&str, &str) {
    let start = text.char_indices().rev().find(|(_, character)| {
        !(character.is_ascii_digit() || matches!(character, '.' | ',' | '\'' | '\u{a0}' | '\u{202f}'))
    });
    let at = start.map_or(0, |(at, character)| at + character.len_utf8());
    let (before, number) = text.split_at(at);
    (before, number)
}

/// Whether a text starts with a currency.
pub(super) fn starts_with_currency(text: &str) -> bool {
    let text = text.trim_start().to_lowercase();
    CURRENCIES.iter().any(|currency| {
        text.strip_prefix(currency).is_some_and(|rest| {
            !currency.ends_with(char::is_alphabetic) || !rest.starts_with(char::is_alphabetic)
        })
    })
}

/// Whether a text ends with a currency.
pub(super) fn ends_with_currency(text: &str) -> bool {
    let text = text.trim_end().to_lowercase();
    CURRENCIES.iter().any(|currency| {
        text.strip_suffix(currency).is_some_and(|rest| {
            !currency.starts_with(char::is_alphabetic) || !rest.ends_with(char::is_alphabetic)
        })
    })
}

/// The decimal separator of a number with decimals in a separate element. It differs from the thousands
/// separator of the number.
pub(super) fn decimal_separator(number: &str, comma: bool) -> &'static str {
    let thousands = number.rfind(['.', ',']).and_then(|at| number.as_bytes().get(at).copied());
    match thousands {
        Some(b'.') => ",",
        Some(_) => ".",
        None if comma => ",",
        None => ".",
    }
}
