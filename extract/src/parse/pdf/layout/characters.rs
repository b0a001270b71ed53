//! Classes of characters that matter to layout.

/// Letters of scripts written from right to left.
pub(super) fn is_rtl(character: char) -> bool {
    matches!(character,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}')
        && !matches!(character, '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}')
}

/// Digits in any of the scripts that occur in right-to-left text.
pub(super) fn is_digit(character: char) -> bool {
    character.is_ascii_digit() || matches!(character, '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}')
}

/// Characters of scripts without blanks between words: Chinese, Japanese, Thai, Lao, Khmer and Burmese.
pub(super) fn is_wide(character: char) -> bool {
    matches!(character,
        '\u{2e80}'..='\u{303f}' | '\u{3040}'..='\u{30ff}' | '\u{3100}'..='\u{312f}' | '\u{31a0}'..='\u{31ff}'
        | '\u{3200}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff9f}' | '\u{ffe0}'..='\u{ffe6}'
        | '\u{20000}'..='\u{3ffff}' | '\u{e00}'..='\u{eff}' | '\u{1780}'..='\u{17ff}'
        | '\u{1000}'..='\u{109f}')
}

/// Nonspacing marks of the scripts that draw them as glyphs of their own.
pub(super) fn is_combining(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}'
        | '\u{5c5}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}'
        | '\u{6df}'..='\u{6e4}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{20d0}'..='\u{20ff}')
}

/// Marks that begin the items of a list.
pub(super) fn is_bullet(character: char) -> bool {
    matches!(
        character,
        '•' | '◦'
            | '▪'
            | '▫'
            | '○'
            | '●'
            | '■'
            | '□'
            | '‣'
            | '⁃'
            | '∙'
            | '·'
            | '►'
            | '▶'
            | '▸'
            | '➢'
            | '➤'
            | '✓'
            | '✔'
            | '❖'
            | '◆'
            | '◇'
            | '»'
            | '\u{e000}'..='\u{f8ff}'
    )
}

/// Hyphens and dashes at which a line may break.
pub(super) fn is_dash(character: char) -> bool {
    matches!(character, '-' | '\u{2010}' | '\u{2011}' | '\u{2012}' | '\u{2013}' | '\u{2014}' | '\u{ad}')
}

/// The bracket that a mirrored glyph shows.
pub(super) fn mirrored(character: char) -> char {
    match character {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '<' => '>',
        '>' => '<',
        '«' => '»',
        '»' => '«',
        other => other,
    }
}

/// Splits ligatures and turns the presentation forms of Arabic and Hebrew into letters.
pub(super) fn plain(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut letters = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            // Within a line, a soft hyphen that is drawn is a hyphen.
            '\u{ad}' if rest.peek().is_some() => letters.push('-'),
            '\u{fb00}'..='\u{fb06}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' => {
                letters.extend(std::iter::once(character).nfkc());
            }
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => letters.push(' '),
            '\u{200b}' | '\u{feff}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' => {}
            '\u{2010}' | '\u{2011}' => letters.push('-'),
            other => letters.push(other),
        }
    }
    letters.nfc().collect()
}
