//! EBCDIC, the encodings of mainframes: no byte below 0x40 is a letter, and the blank is 0x40.

use super::plausible;

/// The blank. A text in EBCDIC has at least one.
const BLANK: u8 = 0x40;

/// Minimum share of letters, digits, blanks, stops, commas and line ends in a text.
const MIN_USUAL: f64 = 0.85;

/// Shortest text that is recognised, in bytes.
const MIN_BYTES: usize = 12;

/// Bytes sampled.
const SAMPLE_BYTES: usize = 1 << 14;

/// Characters of the bytes from 0x40 on: code pages 37 (and 1140), 273 and 500.
const PAGES: [&str; 3] = [
    "\
         \u{20}\u{a0}âäàáãåçñ¢.<(+|&éêëèíîïìß!$*);¬-/ÂÄÀÁÃÅÇÑ¦,%_>?øÉÊËÈÍÎÏÌ`:#@'=\"Øabcdefghi«»ðýþ±°jklm\
         nopqrªºæ¸Æ¤µ~stuvwxyz¡¿ÐÝÞ®^£¥·©§¶¼½¾[]¯¨´×{ABCDEFGHI\u{ad}ôöòóõ}JKLMNOPQR¹ûüùúÿ\\÷STUVWXYZ²ÔÖÒÓ\
         Õ0123456789³ÛÜÙÚ\u{9f}",
    "\
         \u{20}\u{a0}â{àáãåçñÄ.<(+!&éêëèíîïì~Ü$*);^-/Â[ÀÁÃÅÇÑö,%_>?øÉÊËÈÍÎÏÌ`:#§'=\"Øabcdefghi«»ðýþ±°jklm\
         nopqrªºæ¸Æ¤µßstuvwxyz¡¿ÐÝÞ®¢£¥·©@¶¼½¾¬|‾¨´×äABCDEFGHI\u{ad}ô¦òóõüJKLMNOPQR¹û}ùúÿÖ÷STUVWXYZ²Ô\\ÒÓ\
         Õ0123456789³Û]ÙÚ\u{9f}",
    "\
         \u{20}\u{a0}âäàáãåçñ[.<(+!&éêëèíîïìß]$*);^-/ÂÄÀÁÃÅÇÑ¦,%_>?øÉÊËÈÍÎÏÌ`:#@'=\"Øabcdefghi«»ðýþ±°jklm\
         nopqrªºæ¸Æ¤µ~stuvwxyz¡¿ÐÝÞ®¢£¥·©§¶¼½¾¬|¯¨´×{ABCDEFGHI\u{ad}ôöòóõ}JKLMNOPQR¹ûüùúÿ\\÷STUVWXYZ²ÔÖÒÓ\
         Õ0123456789³ÛÜÙÚ\u{9f}",
];

/// Decodes a text in EBCDIC. `None`: the bytes are in another encoding.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let sample = bytes.get(..SAMPLE_BYTES).unwrap_or(bytes);
    if !is_ebcdic(sample) {
        return None;
    }
    let texts = PAGES.iter().map(|page| (plausible::rate(&read(page, sample)).score, page));
    let (_, page) = texts.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    Some(read(page, bytes))
}

fn is_ebcdic(sample: &[u8]) -> bool {
    let (mut usual, mut letters, mut vowels, mut blanks) = (0_usize, 0_usize, 0_usize, 0_usize);
    for byte in sample {
        let letter =
            matches!(byte, 0x81..=0x89 | 0x91..=0x99 | 0xa2..=0xa9 | 0xc1..=0xc9 | 0xd1..=0xd9 | 0xe2..=0xe9);
        letters += usize::from(letter);
        vowels += usize::from(letter && matches!(byte & 0x3f, 0x01 | 0x05 | 0x09 | 0x16 | 0x24));
        blanks += usize::from(*byte == BLANK);
        let line_end = matches!(byte, 0x05 | 0x0d | 0x15 | 0x25);
        usual +=
            usize::from(letter || line_end || matches!(byte, 0xf0..=0xf9 | 0x40 | 0x4b | 0x60 | 0x6b | 0x7a));
        // An ASCII blank or line feed excludes EBCDIC.
        if matches!(byte, b' ' | b'\n') {
            return false;
        }
    }
    // A blank every 2 to 20 letters, a vowel every 2 to 5.
    sample.len() >= MIN_BYTES
        && usual as f64 >= MIN_USUAL * sample.len() as f64
        && blanks * 20 >= letters
        && blanks * 2 <= letters
        && vowels * 5 >= letters
        && vowels * 5 <= letters * 3
}

fn read(page: &str, bytes: &[u8]) -> String {
    let upper: Vec<char> = page.chars().collect();
    let character = |byte: u8| match byte {
        0x05 => '\t',
        0x0d => '\r',
        0x15 | 0x25 => '\n',
        _ => match byte.checked_sub(BLANK) {
            None => ' ',
            Some(index) => upper.get(usize::from(index)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
        },
    };
    bytes.iter().map(|byte| character(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_mainframes_are_read_in_their_code_page() {
        let english = "Opening hours: nine to five, on Sundays from 10.";
        let german = "Öffnungszeiten: täglich von neun bis fünf. Größere Gruppen melden sich an.";
        let french = "Le château est ouvert de février à août; fermé à Noël, où le musée ferme.";
        for (page, text) in [(0, english), (1, german), (2, french)] {
            let byte =
                |character| PAGES[page].chars().position(|own| own == character).unwrap() as u8 + BLANK;
            let mut bytes: Vec<u8> = text.chars().map(byte).collect();
            bytes.push(0x25);
            assert_eq!(decode(&bytes).unwrap(), format!("{text}\n"));
        }
        assert_eq!(decode("Prices@home@and@away, not EBCDIC".as_bytes()), None);
        assert_eq!(decode("商品签收后七天内可以申请退货。".as_bytes()), None);
    }
}
