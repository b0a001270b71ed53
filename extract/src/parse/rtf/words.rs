//! Control words: heading levels, destinations without text, named characters.

/// The level of a heading, 0 for body text.
pub(super) fn level(outline: Option<i32>) -> usize {
    match outline {
        Some(level @ 0..=8) => level as usize + 1,
        _ => 0,
    }
}

/// Destinations without text of the document.
pub(super) fn is_destination(word: &str) -> bool {
    matches!(
        word,
        "colortbl"
            | "info"
            | "pict"
            | "header"
            | "headerl"
            | "headerr"
            | "headerf"
            | "footer"
            | "footerl"
            | "footerr"
            | "footerf"
            | "annotation"
            | "atnid"
            | "atnauthor"
            | "atntime"
            | "atndate"
            | "atnref"
            | "xe"
            | "tc"
            | "tcn"
            | "ftnsep"
            | "ftnsepc"
            | "ftncn"
            | "aftnsep"
            | "aftnsepc"
            | "aftncn"
            | "filetbl"
            | "listtable"
            | "listoverridetable"
            | "revtbl"
            | "rsidtbl"
            | "generator"
            | "themedata"
            | "sp"
            | "colorschememapping"
            | "latentstyles"
            | "datastore"
            | "datafield"
            | "objdata"
            | "objclass"
            | "bkmkstart"
            | "bkmkend"
            | "pnseclvl"
            | "pn"
            | "private"
            | "formfield"
            | "xmlnstbl"
            | "mmathPr"
            | "nonshppict"
            | "nonesttables"
            | "falt"
            | "panose"
            | "fontemb"
            | "wgrffmtfilter"
            | "pgptbl"
            | "shpgrp"
    )
}

/// Characters with a name.
pub(super) fn character(word: &str) -> Option<&'static str> {
    Some(match word {
        "tab" => "\t",
        "line" | "lbr" | "softline" => "\n",
        "emdash" => "—",
        "endash" => "–",
        "emspace" | "enspace" | "qmspace" => " ",
        "bullet" => "•",
        "lquote" => "‘",
        "rquote" => "’",
        "ldblquote" => "“",
        "rdblquote" => "”",
        _ => return None,
    })
}
