//! Code pages that neither `encoding_rs` nor `yore` has, from the mapping tables of their vendors.

/// Characters of the bytes from 0x80 on. U+FFFD stands for unassigned bytes.
pub(super) type Page = &'static str;

/// Decodes bytes of a code page. Bytes below 0x80 are ASCII.
pub(super) fn decode(page: Page, bytes: &[u8]) -> String {
    let upper: Vec<char> = page.chars().collect();
    let character = |byte: u8| match byte.checked_sub(0x80) {
        None => char::from(byte),
        Some(index) => upper.get(usize::from(index)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    bytes.iter().map(|byte| character(*byte)).collect()
}

/// Macintosh, Central European.
pub(super) const MAC_CENTRAL_EUROPEAN: Page = "\
     ÄĀāÉĄÖÜáąČäčĆćéŹźĎíďĒēĖóėôöõúĚěü†°Ę£§•¶ß®©™ę¨≠ģĮįĪ≤≥īĶ∂∑łĻļĽľĹĺŅņŃ¬√ńŇ∆«»…\u{a0}ňŐÕőŌ–—“”‘’÷◊ōŔŕ\
     Ř‹›řŖŗŠ‚„šŚśÁŤťÍŽžŪÓÔūŮÚůŰűŲųÝýķŻŁżĢˇ";

/// Macintosh, Greek.
pub(super) const MAC_GREEK: Page = "\
     Ä¹²É³ÖÜ΅àâä΄¨çéèêë£™îï•½‰ôö¦€ùûü†ΓΔΘΛΞΠß®©ΣΪ§≠°·Α±≤≥¥ΒΕΖΗΙΚΜΦΫΨΩάΝ¬ΟΡ≈Τ«»…\u{a0}ΥΧΆΈœ–―“”‘’÷ΉΊΌΎ\
     έήίόΏύαβψδεφγηιξκλμνοπώρστθωςχυζϊϋΐΰ\u{ad}";

/// Macintosh, Turkish.
pub(super) const MAC_TURKISH: Page = "\
     ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸĞ\
     ğİıŞş‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙ\u{f8a0}ˆ˜¯˘˙˚¸˝˛ˇ";

/// Macintosh, Icelandic.
pub(super) const MAC_ICELANDIC: Page = "\
     ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûüÝ°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄\
     €ÐðÞþý·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";

/// Macintosh, Croatian.
pub(super) const MAC_CROATIAN: Page = "\
     ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®Š™´¨≠ŽØ∞±≤≥∆µ∂∑∏š∫ªºΩžø¿¡¬√ƒ≈Ć«Č…\u{a0}ÀÃÕŒœĐ—“”‘’÷◊\
     \u{f8ff}©⁄€‹›Æ»–·‚„‰ÂćÁčÈÍÎÏÌÓÔđÒÚÛÙıˆ˜¯πË˚¸Êæˇ";

/// Macintosh, Romanian.
pub(super) const MAC_ROMANIAN: Page = "\
     ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ĂȘ∞±≤≥¥µ∂∑∏π∫ªºΩăș¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄\
     €‹›Țț‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";

/// DOS, Arabic.
pub(super) const CP720: Page = "\
     \u{80}\u{81}éâ\u{84}à\u{86}çêëèïî\u{8d}\u{8e}\u{8f}\u{90}\u{651}\u{652}ô¤\u{640}ûù\u{621}\u{622}\
     \u{623}\u{624}£\u{625}\u{626}\u{627}\u{628}\u{629}\u{62a}\u{62b}\u{62c}\u{62d}\u{62e}\u{62f}\
     \u{630}\u{631}\u{632}\u{633}\u{634}\u{635}«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
     \u{636}\u{637}\u{638}\u{639}\u{63a}\u{641}µ\u{642}\u{643}\u{644}\u{645}\u{646}\u{647}\u{648}\
     \u{649}\u{64a}≡\u{64b}\u{64c}\u{64d}\u{64e}\u{64f}\u{650}≈°∙·√ⁿ²■\u{a0}";

/// DOS, Baltic.
pub(super) const CP775: Page = "\
     ĆüéāäģåćłēŖŗīŹÄÅÉæÆōöĢ¢ŚśÖÜø£Ø×¤ĀĪóŻżź”¦©®¬½¼Ł«»░▒▓│┤ĄČĘĖ╣║╗╝ĮŠ┐└┴┬├─┼ŲŪ╚╔╩╦╠═╬Žąčęėįšųūž┘┌█▄▌▐▀\
     ÓßŌŃõÕµńĶķĻļņĒŅ’\u{ad}±“¾¶§÷„°∙·¹³²■\u{a0}";

/// DOS, Ukrainian.
pub(super) const CP1125: Page = "\
     АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмноп░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
     рстуфхцчшщъыьэюяЁёҐґЄєІіЇї·√№¤■\u{a0}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_page_is_told_from_the_others() {
        let czech = "Otevírací doba: každý den od devíti do pěti, větší skupiny se musí předem objednat.";
        let greek = "Το μουσείο είναι ανοιχτό κάθε μέρα από τις εννέα έως τις πέντε.";
        let turkish = "Kütüphane her gün dokuzdan beşe kadar açıktır; öğrenciler kimliklerini göstermelidir.";
        let icelandic = "Bókasafnið er opið alla daga frá níu til fimm. Óheimilt er að koma með mat, það þykir dónaskapur.";
        let arabic = "المكتبة مفتوحة كل يوم من التاسعة حتى الخامسة. يمنع إدخال الطعام والشراب.";
        let latvian = "Bibliotēka atvērta katru dienu no deviņiem līdz pieciem. Ēdienu ienest aizliegts.";
        let ukrainian = "Бібліотека працює щодня з дев'ятої до п'ятої. Їжу приносити заборонено.";
        for (page, text) in [
            (MAC_CENTRAL_EUROPEAN, czech),
            (MAC_GREEK, greek),
            (MAC_TURKISH, turkish),
            (MAC_ICELANDIC, icelandic),
            (CP720, arabic),
            (CP775, latvian),
            (CP1125, ukrainian),
        ] {
            let byte = |character: char| {
                let upper = page.chars().position(|own| own == character).map(|at| 0x80 + at as u8);
                upper.unwrap_or_else(|| u8::try_from(character).unwrap())
            };
            let bytes: Vec<u8> = text.chars().map(byte).collect();
            assert_eq!(crate::parse::encoding::decode(&bytes).text, text);
        }
    }

    #[test]
    fn every_page_has_a_character_for_each_byte() {
        for page in [MAC_CENTRAL_EUROPEAN, MAC_GREEK, MAC_TURKISH, MAC_ICELANDIC, MAC_CROATIAN, MAC_ROMANIAN]
        {
            assert_eq!(page.chars().count(), 128);
        }
        for page in [CP720, CP775, CP1125] {
            assert_eq!(page.chars().count(), 128);
        }
    }
}
