//! Heading styles by their names.
//!
//! Word stores the built-in names in English, in every language version. Other programs and old files store
//! translated names.

/// Names of heading styles, lower case, without their number.
const HEADINGS: [&str; 34] = [
    "heading",
    "überschrift",
    "berschrift",
    "titre",
    "título",
    "titulo",
    "ttulo",
    "titolo",
    "kop",
    "rubrik",
    "overskrift",
    "otsikko",
    "nagłówek",
    "nagwek",
    "nadpis",
    "заголовок",
    "επικεφαλίδα",
    "başlık",
    "balk",
    "címsor",
    "titlu",
    "naslov",
    "antraštė",
    "virsraksts",
    "pealkiri",
    "encabezado",
    "judul",
    "tiêu đề",
    "見出し",
    "标题",
    "標題",
    "제목",
    "כותרת",
    "عنوان",
];

/// Names of the style for document titles, lower case.
const TITLES: [&str; 14] = [
    "title",
    "titel",
    "titre",
    "título",
    "titulo",
    "titolo",
    "tytuł",
    "название",
    "заглавие",
    "τίτλος",
    "表題",
    "标题",
    "標題",
    "제목",
];

/// Level (1 to 6) of a heading style. The style of titles is of level 1.
pub(super) fn level(name: &str) -> Option<u8> {
    let name = name.trim();
    if name.len() > 64 {
        return None;
    }
    let name = name.to_lowercase();
    let (word, level) = match name.char_indices().next_back()? {
        (at, last) if last.is_ascii_digit() => (name.get(..at)?.trim_end(), last.to_digit(10)?),
        _ => return is_title(&name).then_some(1),
    };
    (level > 0 && HEADINGS.contains(&word)).then_some(level.min(6) as u8)
}

/// Whether the style of this name is the style of titles.
pub(super) fn is_title(name: &str) -> bool {
    TITLES.contains(&name.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heading_styles_are_known_in_many_languages() {
        for (name, expected) in [
            ("heading 1", Some(1)),
            ("Heading2", Some(2)),
            ("Überschrift 3", Some(3)),
            ("Titre 1", Some(1)),
            ("見出し 2", Some(2)),
            ("标题 9", Some(6)),
            ("Title", Some(1)),
            ("Titel", Some(1)),
            ("Heading", None),
            ("Subtitle", None),
            ("Header", None),
            ("TOC 1", None),
            ("heading 0", None),
            ("", None),
        ] {
            assert_eq!(level(name), expected, "{name}");
        }
    }
}
