//! UTF-7 (RFC 2152): ASCII, with other characters as UTF-16 in Base64 between `+` and `-`.

use super::plausible;

/// Minimum plausibility of text decoded from Base64. Names and keys stay below it.
const MIN_PLAUSIBLE: f64 = 0.4;

/// Decodes UTF-7. `None`: the text has no Base64 part, or one of its `+` starts no valid part.
pub(super) fn decode(text: &str) -> Option<String> {
    if !text.is_ascii() || text.bytes().any(|byte| byte == b'\x1b') {
        return None;
    }
    let mut out = String::new();
    let mut foreign = false;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('+') {
        out.push_str(before);
        let end = after.find(|digit| digit_value(digit).is_none()).unwrap_or(after.len());
        let (coded, following) = after.split_at(end);
        let closed = following.strip_prefix('-');
        if coded.is_empty() {
            // `+-` is the plus sign itself.
            closed?;
            out.push('+');
        } else {
            let decoded = units(coded)?;
            if !is_text(&decoded) {
                return None;
            }
            foreign |= !decoded.is_ascii();
            out.push_str(&decoded);
        }
        rest = closed.unwrap_or(following);
    }
    out.push_str(rest);
    (foreign && plausible::rate(&out).score > MIN_PLAUSIBLE).then_some(out)
}

/// Whether decoded characters need Base64. A name after a plus sign would decode to a rare letter.
fn is_text(decoded: &str) -> bool {
    let single = decoded.chars().count() == 1;
    decoded.chars().all(|character| match character {
        '!'..='/' | ';'..='@' | '['..='`' | '{'..='~' => true,
        '\u{a0}'..='\u{6ff}' | '\u{2010}'..='\u{22ff}' => true,
        ' '..='\u{7f}' => !single,
        '\u{900}'..='\u{eff}' | '\u{1e00}'..='\u{1fff}' | '\u{3000}'..='\u{d7ff}' => !single,
        '\u{ff00}'..='\u{ffef}' | '\u{1f300}'..='\u{1faff}' => true,
        _ => false,
    })
}

fn digit_value(digit: char) -> Option<u32> {
    let value = match digit {
        'A'..='Z' => u32::from(digit) - u32::from('A'),
        'a'..='z' => u32::from(digit) - u32::from('a') + 26,
        '0'..='9' => u32::from(digit) - u32::from('0') + 52,
        '+' => 62,
        '/' => 63,
        _ => return None,
    };
    Some(value)
}

/// Decodes Base64 to UTF-16. `None` unless it has whole units of 16 bits and only zero bits after the last
/// one.
fn units(coded: &str) -> Option<String> {
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut units = Vec::with_capacity(coded.len() * 3 / 8);
    for digit in coded.chars() {
        bits = (bits << 6) | digit_value(digit)?;
        held += 6;
        if held >= 16 {
            held -= 16;
            units.push(u16::try_from(bits >> held).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    if held >= 6 || bits != 0 || units.is_empty() {
        return None;
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_base64_are_read() {
        for (coded, text) in [
            ("Le caf+AOk est ferm+AOk.", "Le café est fermé."),
            ("Gr+APYA3w-e: 1 +- 2", "Größe: 1 + 2"),
            ("+BBIERQQ+BDQ +BD8EOwQwBEIEPQRLBDk", "Вход платный"),
            ("+ANY-ffnungszeiten +ACE-", "Öffnungszeiten !"),
        ] {
            assert_eq!(decode(coded).as_deref(), Some(text), "{coded}");
        }
    }

    #[test]
    fn plus_signs_of_other_texts_stay() {
        for text in
            ["C++ and Google+Docs", "call +47 55 12 34 56", "q=a+the+boat", "1 + 1", "+4712345678", "a+"]
        {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
