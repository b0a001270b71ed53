//! Letters outside ASCII of languages with legacy encodings, by frequency.
//!
//! The order follows published letter frequencies. Three ranks suffice to distinguish a text from the same
//! bytes in another encoding.

/// Letters of a language outside ASCII, in lower case: frequent, common and rare ones.
pub(super) type Alphabet = [&'static str; 3];

/// Scores of the three ranks of [`Alphabet`].
pub(super) const RANK_SCORES: [f64; 3] = [1.0, 0.7, 0.3];

/// Languages written in Latin, Greek, Cyrillic, Hebrew and Arabic letters.
pub(super) const ALPHABETS: &[Alphabet] = &[
    // German; Dutch; French; Spanish; Portuguese; Catalan; Italian.
    ["üäöß", "éà", "èç"],
    ["ëé", "ïèöü", "óáíêçâ"],
    ["éèàê", "çùâîô", "ûëïœæÿü"],
    ["óíáéñ", "ú", "üç"],
    ["ãçáéõ", "íóêâú", "àôüò"],
    ["éàóíè", "òúç", "ïüñ"],
    ["èàùòì", "é", "îíúó"],
    // Danish and Norwegian; Swedish and Finnish; Icelandic and Faroese; Estonian; Albanian.
    ["åøæ", "éö", "òèôóäüê"],
    ["äöå", "é", "üšžà"],
    ["íáðéþó", "æöýú", "ø"],
    ["äõüö", "", "šž"],
    ["ëç", "", ""],
    // Polish; Czech; Slovak; Hungarian; Romanian, with commas and with cedillas; Croatian and Slovene.
    ["łęążśó", "ćńź", ""],
    ["íáěéžšč", "ýřůú", "ťďňóöü"],
    ["áíéčšžý", "úľťô", "ňďóäŕĺ"],
    ["éáöóő", "íüúű", ""],
    ["ăîâșț", "", "éöü"],
    ["ăîâşţ", "", "éöü"],
    ["čšž", "ćđ", ""],
    // Turkish; Latvian; Lithuanian; Vietnamese; Esperanto; Maltese; Irish.
    ["ıüşğçö", "i\u{307}", "âîû"],
    ["āīšēūņ", "ļžčģķ", "ōŗ"],
    ["ėšųžįū", "čąę", ""],
    ["đươôâêă\u{300}\u{301}\u{303}\u{309}\u{323}", "àáãạảấầậếềệộớờợ", "ìíòóùúýèé"],
    ["ĝĉŝŭ", "ĵĥ", ""],
    ["ħżġċ", "à", "èìòù"],
    ["íáóéú", "", ""],
    // Russian; Ukrainian; Belarusian; Bulgarian; Serbian and Macedonian.
    ["оеаинтсрвл", "кмдпуязыьгбчй", "хжшюцщэфъё"],
    ["оаниітврес", "клудмпяйьбзгч", "їхжєюцщшфґ"],
    ["аніеорстлы", "кдвуямпьзбгў", "чцйхшжюэёф"],
    ["аеиотнрсвл", "дкпмзугябщъч", "цжшхйюфь"],
    ["аоеинрстјв", "кдулмпзгбчшц", "хжћњђљфџѕѓќ"],
    // Greek; Hebrew; Arabic and Persian.
    ["αοιετσνηυρ", "πκμλωςίόάήέγδ", "χθύώφβξζψϊϋΐΰ"],
    ["יוהלאמרתבש", "נםעדחקפכגצסטןזךףץ", ""],
    ["اليمنوترب", "هعسدفكقحةجشصطخ", "إأىذزثءضغئظؤآیکپچژگ"],
];
