//! Characters of the symbol fonts, which Word stores as codes without a meaning in Unicode.
//!
//! Sources: for Symbol, the encoding vector of the font (Adobe core 14). For Wingdings, the list of the
//! Unicode proposal (L2/12-368), limited to the signs in business texts.

/// Characters of Symbol from code 0x21. A space stands for a code without a sign.
const SYMBOL_LOW: &str =
    "!∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_ αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼";
/// Characters of Symbol from code 0xa0.
const SYMBOL_HIGH: &str = "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑";

/// The character that a symbol font draws for a code, which may be in the private area from U+F000.
pub(super) fn character(font: &str, code: u32) -> Option<char> {
    let code = if (0xf000..=0xf0ff).contains(&code) { code - 0xf000 } else { code };
    if !is_symbol_font(font) {
        return char::from_u32(code).filter(|character| !character.is_control());
    }
    if code == 0x20 {
        return Some(' ');
    }
    let font = font.to_ascii_lowercase();
    let found = if font == "symbol" || font.starts_with("standard symbols") {
        match code {
            0x21..=0x7e => SYMBOL_LOW.chars().nth(code as usize - 0x21),
            0xa0..=0xff => SYMBOL_HIGH.chars().nth(code as usize - 0xa0),
            _ => None,
        }
    } else if font == "wingdings 2" {
        match code {
            0x4f | 0x51 | 0x53 | 0x54 | 0x56 | 0xcf | 0xd0 => Some('☒'),
            0x50 | 0x52 => Some('☑'),
            0xa3 | 0x2a | 0x30 => Some('☐'),
            0x96..=0x98 => Some('•'),
            0x9a..=0xa2 => Some('■'),
            _ => None,
        }
    } else if font == "wingdings 3" {
        match code {
            0x7d | 0x84 | 0xe8 => Some('▶'),
            0x74 | 0x7c => Some('◀'),
            0x70 => Some('▲'),
            0x71 => Some('▼'),
            0x21 => Some('←'),
            0x22 => Some('→'),
            0x23 => Some('↑'),
            0x24 => Some('↓'),
            _ => None,
        }
    } else if font == "webdings" {
        match code {
            0x61 => Some('✔'),
            0x72 => Some('✖'),
            0x63 => Some('□'),
            0x67 => Some('■'),
            0x33 => Some('◀'),
            0x34 => Some('▶'),
            0xc5 | 0xc9 => Some('☎'),
            _ => None,
        }
    } else {
        wingdings(code)
    };
    found.filter(|character| *character != ' ')
}

fn wingdings(code: u32) -> Option<char> {
    Some(match code {
        0x22 => '✂',
        0x28 => '☎',
        0x2a => '✉',
        0x2b => '✉',
        0x36 => '⌛',
        0x41 => '✌',
        0x43 => '👍',
        0x44 => '👎',
        0x45 => '☜',
        0x46 => '☞',
        0x47 => '☝',
        0x48 => '☟',
        0x4a => '☺',
        0x4c => '☹',
        0x51 => '✈',
        0x52 => '☼',
        0x54 => '❄',
        0x6c => '●',
        0x6d => '❍',
        0x6e => '■',
        0x6f | 0x70 | 0xa8 => '☐',
        0x71 | 0x72 => '❑',
        0x73 => '⬧',
        0x74 => '⧫',
        0x75 => '◆',
        0x76 => '❖',
        0x77 => '⬥',
        0x78 | 0xfd => '☒',
        0x80 => '⓪',
        0x81..=0x8a => char::from_u32(0x2460 + code - 0x81)?,
        0x8c..=0x95 => char::from_u32(0x2776 + code - 0x8c)?,
        0x9e => '·',
        0x9f => '•',
        0xa1 => '○',
        0xa4 => '◉',
        0xa7 => '▪',
        0xab => '★',
        0xd8 => '➢',
        0xdf | 0xe7 => '←',
        0xe0 | 0xe8 => '→',
        0xe1 | 0xe9 => '↑',
        0xe2 | 0xea => '↓',
        0xf0 => '⇨',
        0xfb => '✗',
        0xfc => '✓',
        0xfe => '☑',
        _ => return None,
    })
}

/// Whether the characters of a font are signs instead of letters.
pub(super) fn is_symbol_font(font: &str) -> bool {
    let font = font.to_ascii_lowercase();
    font == "symbol"
        || font == "webdings"
        || font.starts_with("wingdings")
        || font.starts_with("standard symbols")
}

/// Replaces the codes of a symbol font in a text. Codes without a known sign are left out.
pub(super) fn text(font: &str, text: &str) -> String {
    let is_symbol = is_symbol_font(font);
    text.chars()
        .filter_map(|character_| match u32::from(character_) {
            code @ 0xf000..=0xf0ff if !is_symbol => character("Symbol", code).filter(|sign| *sign != ' '),
            code @ (0xf000..=0xf0ff | 0x21..=0x7e | 0xa0..=0xff) if is_symbol => character(font, code),
            _ => Some(character_),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_symbol_fonts_become_their_signs() {
        for (font, code, expected) in [
            ("Symbol", 0xf0b7, Some('•')),
            ("Symbol", 0x61, Some('α')),
            ("Symbol", 0x57, Some('Ω')),
            ("Symbol", 0xd0, Some('∠')),
            ("Symbol", 0xe5, Some('∑')),
            ("Symbol", 0xae, Some('→')),
            ("Wingdings", 0xf0fc, Some('✓')),
            ("Wingdings", 0x6f, Some('☐')),
            ("Wingdings", 0x83, Some('③')),
            ("Wingdings 2", 0x52, Some('☑')),
            ("Wingdings", 0xff, None),
            ("Arial", 0x41, Some('A')),
        ] {
            assert_eq!(character(font, code), expected, "{font} {code:x}");
        }
        assert_eq!(text("Wingdings", "\u{f0fc} ü"), "✓ ✓");
        assert_eq!(text("Arial", "\u{f0b7} ü"), "• ü");
    }
}
