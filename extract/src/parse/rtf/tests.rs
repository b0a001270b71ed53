//! Tests of the RTF reader.

use super::*;

fn text(rtf: &str) -> String {
    read(rtf.as_bytes()).unwrap().text
}

#[test]
fn paragraphs_and_characters_are_read() {
    for (rtf, expected) in [
        (r"{\rtf1\ansi One\par Two\line three}", "One\n\nTwo\nthree"),
        (r"{\rtf1\ansi\ansicpg1252 Gr\'fc\'dfe f\'fcr 5\~\'80}", "Grüße für 5\u{a0}€"),
        (r"{\rtf1\ansi\ansicpg1251 \'c2\'ee\'e7\'e2\'f0\'e0\'f2}", "Возврат"),
        (
            r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial;}}A\f1\'c2\'ee\f0 B}",
            "AВоB",
        ),
        (r"{\rtf1\ansi{\fonttbl{\f0\fcharset128 Mincho;}}\f0\'93\'fa\'96\'7b}", "日本"),
        (r"{\rtf1\ansi\uc1 \u8364? \u-10179?\u-8704? \u1042\'c2}", "€ 😀 В"),
        (r"{\rtf1\ansi{\uc0\u8364}5 {\uc2\u8364 ab}x}", "€5 €x"),
        (r"{\rtf1\ansi \{a\} \\ b\emdash c\ldblquote d\rdblquote}", "{a} \\ b—c“d”"),
    ] {
        assert_eq!(text(rtf), expected, "{rtf}");
    }
}

#[test]
fn destinations_without_text_are_skipped() {
    let rtf = r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}{\colortbl;\red0;}{\info{\title Terms}{\author Ann}}
{\*\generator Word;}{\header Running}{\pict\pngblip 89504e47}{\*\unknown{\deeper x}}{\v hidden}{\deleted gone}
{\*\bkmkstart mark}Words{\annotation remark} stay{\bin4 }{{\} here.}";
    let document = read(rtf.as_bytes()).unwrap();
    assert_eq!(document.text, "Words stay here.");
    assert_eq!(document.title.as_deref(), Some("Terms"));
}

#[test]
fn headings_lists_links_and_notes_keep_their_marks() {
    let rtf = r#"{\rtf1\ansi{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 heading 1;}{\s2 heading 2;}}
\pard\s1 Terms\par\pard\s2 Prices\par\pard{\listtext\'b7\tab}Small\par{\pntext 2.\tab}Large\par
\pard See {\field{\*\fldinst HYPERLINK "https://example.org/a"}{\fldrslt the page}}{\footnote Since May.}.\par}"#;
    assert_eq!(
        text(rtf),
        "# Terms\n\n## Prices\n\n- Small\n2. Large\n\nSee [the page](https://example.org/a)[^1].\n\n[^1]: Since May."
    );
}

#[test]
fn tables_are_rows_of_cells() {
    let rtf = r"{\rtf1\ansi Before\par\trowd\cellx100\cellx200\pard\intbl Plan\cell Price\cell\row
\trowd\cellx100\cellx200\pard\intbl Small\par new\cell 10 | 20\cell\row
\trowd\clmgf\cellx100\clmrg\cellx200\pard\intbl both\cell\cell\row\pard After\par}";
    assert_eq!(
        text(rtf),
        "Before\n\n| Plan | Price |\n|---|---|\n| Small<br>new | 10 \\| 20 |\n| both | both |\n\nAfter"
    );
}

#[test]
fn a_cut_file_says_that_it_is_incomplete() {
    let document = read(br"{\rtf1\ansi Words {\b and").unwrap();
    assert_eq!((document.text.as_str(), document.notes.len()), ("Words and", 1));
    let deep = format!("{{\\rtf1 {}", "{".repeat(5_000));
    assert_eq!(read(deep.as_bytes()).unwrap_err().verdict, Verdict::TooComplex);
}

#[test]
fn a_number_precedes_the_properties_of_its_paragraph() {
    let rtf = r"{\rtf1\ansi{\listtext\pard\plain 1.\tab}\pard\plain\ls1 One\par{\listtext\pard\plain (a)\tab}\pard\ls1 Two\par
\pard Plain\par\trowd\cellx100\cellx200\pard\intbl{\listtext 3.\tab}a\cell b\cell\row\pard End\par}";
    assert_eq!(text(rtf), "1. One\n- (a) Two\n\nPlain\n\n| 3. a | b |\n|---|---|\n\nEnd");
}

#[test]
fn raised_digits_join_no_number() {
    assert_eq!(text(r"{\rtf1\ansi 10{\super 3} H{\sub 2}O \super 2\nosupersub x\par}"), "10³ H2O ²x");
}
