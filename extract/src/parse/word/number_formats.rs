//! Numbers of lists in the formats and languages of Word.

/// Format of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Decimal,
    /// With leading zeros, up to this many digits.
    Padded(usize),
    UpperRoman,
    LowerRoman,
    UpperLetter,
    LowerLetter,
    Ordinal,
    Cardinal,
    OrdinalWord,
    Hex,
    Chicago,
    Bullet,
    None,
    /// `- 1 -`.
    Dashed,
    /// Characters, repeated once more in each further round: a, b … z, aa, bb.
    Alphabet(&'static str),
    /// One character for each number. Larger numbers are in digits.
    Symbols(&'static str),
    /// Decimal digits of a script.
    Digits(&'static str),
    /// East Asian counting with the ten digits, then ten, hundred, thousand and ten thousand.
    Counting {
        characters: &'static str,
        leading_one: bool,
    },
    Hebrew,
}

/// Writes a number.
pub(super) fn number(value: i64, format: Format) -> String {
    let decimal = || value.to_string();
    let Ok(count) = usize::try_from(value) else { return decimal() };
    match format {
        Format::Bullet | Format::None => String::new(),
        Format::Decimal => decimal(),
        Format::Padded(digits) => format!("{value:0digits$}"),
        Format::Dashed => format!("- {value} -"),
        Format::Hex => format!("{value:X}"),
        Format::UpperRoman => roman(count).unwrap_or_else(decimal),
        Format::LowerRoman => roman(count).map_or_else(decimal, |roman| roman.to_lowercase()),
        Format::UpperLetter => repeated("ABCDEFGHIJKLMNOPQRSTUVWXYZ", count).unwrap_or_else(decimal),
        Format::LowerLetter => repeated("abcdefghijklmnopqrstuvwxyz", count).unwrap_or_else(decimal),
        Format::Chicago => repeated("*†‡§", count).unwrap_or_else(decimal),
        Format::Alphabet(letters) => repeated(letters, count).unwrap_or_else(decimal),
        Format::Symbols(symbols) => {
            let symbol = count.checked_sub(1).and_then(|index| symbols.chars().nth(index));
            symbol.map_or_else(decimal, String::from)
        }
        Format::Digits(digits) => {
            decimal().chars().filter_map(|digit| digits.chars().nth(digit.to_digit(10)? as usize)).collect()
        }
        Format::Ordinal => format!("{value}{}", ordinal_suffix(count)),
        Format::Cardinal => english(count, false).unwrap_or_else(decimal),
        Format::OrdinalWord => english(count, true).unwrap_or_else(decimal),
        Format::Counting { characters, leading_one } => {
            counting(count, characters, leading_one).unwrap_or_else(decimal)
        }
        Format::Hebrew => hebrew(count).unwrap_or_else(decimal),
    }
}

/// The letter of a number, repeated once more for each round of the alphabet, as Word does: 27 is `aa`.
fn repeated(letters: &str, count: usize) -> Option<String> {
    let index = count.checked_sub(1)?;
    let length = letters.chars().count().max(1);
    let letter = letters.chars().nth(index % length)?;
    let rounds = index / length + 1;
    (rounds <= 30).then(|| letter.to_string().repeat(rounds))
}

fn roman(mut count: usize) -> Option<String> {
    const SIGNS: [(usize, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if !(1..32_768).contains(&count) {
        return None;
    }
    let mut roman = String::new();
    for (value, sign) in SIGNS {
        while count >= value {
            roman.push_str(sign);
            count -= value;
        }
    }
    Some(roman)
}

fn ordinal_suffix(count: usize) -> &'static str {
    match (count % 100, count % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    }
}

const UNITS: [&str; 20] = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
];
const TENS: [&str; 10] =
    ["", "", "Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety"];

/// The English word of a number below one hundred.
fn english(count: usize, ordinal: bool) -> Option<String> {
    let cardinal = match (UNITS.get(count), count % 10) {
        (Some(word), _) => (*word).to_owned(),
        (None, 0) => (*TENS.get(count / 10)?).to_owned(),
        (None, unit) => format!("{}-{}", TENS.get(count / 10)?, UNITS.get(unit)?.to_lowercase()),
    };
    if !ordinal {
        return Some(cardinal);
    }
    const IRREGULAR: [(&str, &str); 7] = [
        ("one", "first"),
        ("two", "second"),
        ("three", "third"),
        ("five", "fifth"),
        ("eight", "eighth"),
        ("nine", "ninth"),
        ("twelve", "twelfth"),
    ];
    let last = cardinal.rsplit('-').next().unwrap_or_default().to_lowercase();
    let stem = cardinal.get(..cardinal.len() - last.len()).unwrap_or_default();
    let irregular =
        IRREGULAR.iter().find(|(word, _)| *word == last).map(|(_, ordinal)| (*ordinal).to_owned());
    let word = irregular.unwrap_or_else(|| match last.strip_suffix('y') {
        Some(ten) => format!("{ten}ieth"),
        None => format!("{last}th"),
    });
    if stem.is_empty() {
        let mut characters = word.chars();
        let first = characters.next()?.to_uppercase();
        return Some(first.chain(characters).collect());
    }
    Some(format!("{stem}{word}"))
}

/// East Asian counting up to 99 999.
fn counting(count: usize, characters: &str, leading_one: bool) -> Option<String> {
    if count >= 100_000 {
        return None;
    }
    let character = |index: usize| characters.chars().nth(index);
    if count == 0 {
        return character(0).map(String::from);
    }
    let mut out = String::new();
    let mut gap = false;
    for (place, value) in [(13, 10_000), (12, 1_000), (11, 100), (10, 10), (0, 1)] {
        let digit = count / value % 10;
        if digit == 0 {
            gap = !out.is_empty();
            continue;
        }
        if gap && leading_one {
            out.extend(character(0));
        }
        gap = false;
        // Ten to nineteen are written without a one in front.
        let bare = value == 10 && count < 20 && !leading_one;
        if !bare {
            out.extend(character(digit));
        }
        if value > 1 {
            out.extend(character(place));
        }
    }
    Some(out)
}

/// Hebrew numerals: letters by value, with 15 and 16 written as 9+6 and 9+7.
fn hebrew(mut count: usize) -> Option<String> {
    if !(1..1000).contains(&count) {
        return None;
    }
    let mut out = String::new();
    for (value, letter) in [(400, 'ת'), (300, 'ש'), (200, 'ר'), (100, 'ק')] {
        while count >= value {
            out.push(letter);
            count -= value;
        }
    }
    if count == 15 || count == 16 {
        out.push('ט');
        count -= 9;
    }
    let tens = "יכלמנסעפצ";
    out.extend((count / 10).checked_sub(1).and_then(|index| tens.chars().nth(index)));
    let units = "אבגדהוזחט";
    out.extend((count % 10).checked_sub(1).and_then(|index| units.chars().nth(index)));
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::super::number_names::{by_code, by_name};
    use super::*;

    #[test]
    fn numbers_are_written_as_word_writes_them() {
        for (format, value, expected) in [
            ("decimal", 12, "12"),
            ("decimalZero", 7, "07"),
            ("upperRoman", 1994, "MCMXCIV"),
            ("lowerRoman", 4, "iv"),
            ("upperLetter", 27, "AA"),
            ("lowerLetter", 54, "bbb"),
            ("ordinal", 22, "22nd"),
            ("ordinal", 12, "12th"),
            ("cardinalText", 21, "Twenty-one"),
            ("ordinalText", 20, "Twentieth"),
            ("ordinalText", 3, "Third"),
            ("ordinalText", 45, "Forty-fifth"),
            ("chicago", 5, "**"),
            ("hex", 11, "B"),
            ("numberInDash", 3, "- 3 -"),
            ("chineseCountingThousand", 12, "十二"),
            ("chineseCountingThousand", 21, "二十一"),
            ("chineseLegalSimplified", 10, "壹拾"),
            ("ideographTraditional", 3, "丙"),
            ("ideographDigital", 10, "一〇"),
            ("decimalEnclosedCircle", 3, "③"),
            ("hebrew1", 16, "טז"),
            ("hebrew2", 3, "ג"),
            ("arabicAbjad", 3, "ج"),
            ("arabicAlpha", 3, "ت"),
            ("russianLower", 3, "в"),
            ("thaiNumbers", 12, "๑๒"),
            ("bullet", 3, ""),
            ("upperRoman", 0, "0"),
            ("lowerLetter", -2, "-2"),
        ] {
            assert_eq!(number(value, by_name(format)), expected, "{format}");
        }
        assert_eq!(
            (by_code(4), by_code(23), by_code(0)),
            (Format::LowerLetter, Format::Bullet, Format::Decimal)
        );
    }
}
