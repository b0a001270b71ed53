//! Number formats by their names in DOCX and their codes in DOC.
//! Names: ECMA-376 Part 1, 17.18.59 `ST_NumberFormat`. Codes: \[MS-OSHARED\] 2.2.1.3 `MSONFC`.

use super::number_formats::Format;

const CYRILLIC_LOWER: &str = "абвгдежзиклмнопрстуфхцчшщыэюя";
const CYRILLIC_UPPER: &str = "АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЫЭЮЯ";
const HEBREW_LETTERS: &str = "אבגדהוזחטיכלמנסעפצקרשת";
const ARABIC_ALPHA: &str = "أبتثجحخدذرزسشصضطظعغفقكلمنهوي";
const ARABIC_ABJAD: &str = "أبجدهوزحطيكلمنسعفصقرشتثخذضظغ";
const STEMS: &str = "甲乙丙丁戊己庚辛壬癸";
const BRANCHES: &str = "子丑寅卯辰巳午未申酉戌亥";
const HAN_DIGITS: &str = "〇一二三四五六七八九";
const AIUEO: &str =
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン";
const IROHA: &str =
    "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセスン";
const GANADA: &str = "가나다라마바사아자차카타파하";
const CHOSUNG: &str = "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ";
const CIRCLED: &str = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳㉑㉒㉓㉔㉕㉖㉗㉘㉙㉚㉛㉜㉝㉞㉟㊱㊲㊳㊴㊵㊶㊷㊸㊹㊺㊻㊼㊽㊾㊿";
const FULL_STOPPED: &str = "⒈⒉⒊⒋⒌⒍⒎⒏⒐⒑⒒⒓⒔⒕⒖⒗⒘⒙⒚⒛";
const PARENTHESISED: &str = "⑴⑵⑶⑷⑸⑹⑺⑻⑼⑽⑾⑿⒀⒁⒂⒃⒄⒅⒆⒇";
const IDEOGRAPH_CIRCLED: &str = "㊀㊁㊂㊃㊄㊅㊆㊇㊈㊉";
const THAI_LETTERS: &str = "กขคงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ";
const HINDI_CONSONANTS: &str = "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसह";
const HINDI_VOWELS: &str = "अआइईउऊऋएऐओऔ";

/// Zero to nine, then ten, hundred, thousand, ten thousand.
const COUNTING: &str = "〇一二三四五六七八九十百千万";
const COUNTING_TRADITIONAL: &str = "〇一二三四五六七八九十百千萬";
const LEGAL_SIMPLIFIED: &str = "零壹贰叁肆伍陆柒捌玖拾佰仟萬";
const LEGAL_TRADITIONAL: &str = "零壹貳參肆伍陸柒捌玖拾佰仟萬";
const LEGAL_JAPANESE: &str = "〇壱弐参四伍六七八九拾百阡萬";
const KOREAN: &str = "영일이삼사오육칠팔구십백천만";

/// Format of a name of DOCX. Unknown names give digits.
pub(super) fn by_name(name: &str) -> Format {
    match name {
        "upperRoman" => Format::UpperRoman,
        "lowerRoman" => Format::LowerRoman,
        "upperLetter" => Format::UpperLetter,
        "lowerLetter" => Format::LowerLetter,
        "ordinal" => Format::Ordinal,
        "cardinalText" => Format::Cardinal,
        "ordinalText" => Format::OrdinalWord,
        "hex" => Format::Hex,
        "chicago" => Format::Chicago,
        "bullet" => Format::Bullet,
        "none" => Format::None,
        "decimalZero" => Format::Padded(2),
        "numberInDash" => Format::Dashed,
        "decimalFullWidth" | "decimalFullWidth2" => Format::Digits("０１２３４５６７８９"),
        "decimalEnclosedCircle" | "decimalEnclosedCircleChinese" => Format::Symbols(CIRCLED),
        "decimalEnclosedFullstop" => Format::Symbols(FULL_STOPPED),
        "decimalEnclosedParen" => Format::Symbols(PARENTHESISED),
        "ideographEnclosedCircle" => Format::Symbols(IDEOGRAPH_CIRCLED),
        "ideographTraditional" => Format::Symbols(STEMS),
        "ideographZodiac" | "ideographZodiacTraditional" => Format::Symbols(BRANCHES),
        "ideographDigital" | "japaneseDigitalTenThousand" | "taiwaneseDigital" => Format::Digits(HAN_DIGITS),
        "koreanDigital" => Format::Digits("영일이삼사오육칠팔구"),
        "koreanDigital2" => Format::Digits("零一二三四五六七八九"),
        "chineseCounting" | "chineseCountingThousand" | "japaneseCounting" => {
            Format::Counting { characters: COUNTING, leading_one: false }
        }
        "taiwaneseCounting" | "taiwaneseCountingThousand" => {
            Format::Counting { characters: COUNTING_TRADITIONAL, leading_one: false }
        }
        "chineseLegalSimplified" => Format::Counting { characters: LEGAL_SIMPLIFIED, leading_one: true },
        "ideographLegalTraditional" => Format::Counting { characters: LEGAL_TRADITIONAL, leading_one: true },
        "japaneseLegal" => Format::Counting { characters: LEGAL_JAPANESE, leading_one: true },
        "koreanCounting" | "koreanLegal" => Format::Counting { characters: KOREAN, leading_one: false },
        "aiueo" | "aiueoFullWidth" => Format::Alphabet(AIUEO),
        "iroha" | "irohaFullWidth" => Format::Alphabet(IROHA),
        "ganada" => Format::Alphabet(GANADA),
        "chosung" => Format::Alphabet(CHOSUNG),
        "hebrew1" => Format::Hebrew,
        "hebrew2" => Format::Alphabet(HEBREW_LETTERS),
        "arabicAlpha" => Format::Alphabet(ARABIC_ALPHA),
        "arabicAbjad" => Format::Alphabet(ARABIC_ABJAD),
        "hindiVowels" => Format::Alphabet(HINDI_VOWELS),
        "hindiConsonants" => Format::Alphabet(HINDI_CONSONANTS),
        "hindiNumbers" => Format::Digits("०१२३४५६७८९"),
        "thaiLetters" => Format::Alphabet(THAI_LETTERS),
        "thaiNumbers" => Format::Digits("๐๑๒๓๔๕๖๗๘๙"),
        "russianLower" => Format::Alphabet(CYRILLIC_LOWER),
        "russianUpper" => Format::Alphabet(CYRILLIC_UPPER),
        _ => Format::Decimal,
    }
}

/// Format of a code of DOC (`MSONFC`).
pub(super) fn by_code(code: u8) -> Format {
    let name = match code {
        1 => "upperRoman",
        2 => "lowerRoman",
        3 => "upperLetter",
        4 => "lowerLetter",
        5 => "ordinal",
        6 => "cardinalText",
        7 => "ordinalText",
        8 => "hex",
        9 => "chicago",
        10 => "ideographDigital",
        11 => "japaneseCounting",
        12 | 20 => "aiueo",
        13 | 21 => "iroha",
        14 | 19 => "decimalFullWidth",
        16 => "japaneseLegal",
        17 => "japaneseDigitalTenThousand",
        18 => "decimalEnclosedCircle",
        22 => "decimalZero",
        23 => "bullet",
        24 => "ganada",
        25 => "chosung",
        26 => "decimalEnclosedFullstop",
        27 => "decimalEnclosedParen",
        28 => "decimalEnclosedCircleChinese",
        29 => "ideographEnclosedCircle",
        30 => "ideographTraditional",
        31 | 32 => "ideographZodiac",
        33 | 35 => "taiwaneseCounting",
        34 => "ideographLegalTraditional",
        36 => "taiwaneseDigital",
        37 | 39 => "chineseCounting",
        38 => "chineseLegalSimplified",
        41 => "koreanDigital",
        42 => "koreanCounting",
        43 => "koreanLegal",
        44 => "koreanDigital2",
        45 => "hebrew1",
        46 => "arabicAlpha",
        47 => "hebrew2",
        48 => "arabicAbjad",
        49 => "hindiVowels",
        50 => "hindiConsonants",
        51 => "hindiNumbers",
        53 => "thaiLetters",
        54 => "thaiNumbers",
        57 => "numberInDash",
        58 => "russianLower",
        59 => "russianUpper",
        0xff => "none",
        _ => "decimal",
    };
    by_name(name)
}
