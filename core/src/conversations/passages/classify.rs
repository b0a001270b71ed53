//! Pure: classifies a line of a passage: label, question, navigation, code, or a name with its value.

use super::vocabulary::{
    ANNOUNCING, ANSWER_NAMES, DEMONSTRATIVES, NAVIGATION, PRONOUNS, QUESTION_NAMES, STEP_NAMES, VERBS,
};
use crate::words::{self, fold};

/// Maximum words of a label.
const MAX_LABEL_WORDS: usize = 6;

const CLOSING: [char; 9] = ['"', '\'', ')', ']', '»', '”', '“', '’', ' '];

pub(super) fn words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count()
}

pub(super) fn ends_sentence(text: &str) -> bool {
    text.trim_end_matches(CLOSING).ends_with(['.', '!', '?', '…', '。'])
}

pub(super) fn is_question(text: &str) -> bool {
    text.trim_end().trim_end_matches(['*', '_']).ends_with(['?', '？']) && words(text) > 0
}

pub(super) fn ends_with_colon(text: &str) -> bool {
    text.trim_end().ends_with([':', '：'])
}

/// Whether a line is a label: it names what follows and makes no statement.
pub(super) fn is_label(text: &str) -> bool {
    let is_short = words(text) <= MAX_LABEL_WORDS;
    if ends_with_colon(text) {
        return is_short;
    }
    is_short && !ends_sentence(text) && !text.contains(|c: char| c.is_ascii_digit() || "@€$£%,;:".contains(c))
}

/// Whether a line is a breadcrumb or a link to elsewhere.
pub(super) fn is_navigation(text: &str) -> bool {
    let plain = fold(text);
    let plain = plain.trim_matches(|c: char| !c.is_alphanumeric());
    if NAVIGATION.contains(&plain) {
        return true;
    }
    [" > ", " » ", " › ", " → ", " | ", " · ", " / "].iter().any(|separator| {
        let steps: Vec<&str> = text.split(separator).collect();
        let fewest = if matches!(*separator, " > " | " » " | " › ") { 2 } else { 3 };
        let is_step = |step: &&str| words(step) <= 4 && !step.contains(['.', ':', '!', '?', ',']);
        let has_value = text.contains(|c: char| c.is_ascii_digit() || "@€$£%".contains(c));
        steps.len() >= fewest && steps.iter().all(is_step) && !has_value
    })
}

/// Whether a text is only a file name.
pub(super) fn is_file_name(text: &str) -> bool {
    let name = text.trim().trim_end_matches(['.', ',', ';', ':']);
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    let is_extension = (1..=5).contains(&extension.len())
        && extension.chars().all(|c| c.is_ascii_alphanumeric())
        && extension.contains(|c: char| c.is_ascii_lowercase());
    let is_address = name.contains('@') || name.starts_with("http") || name.starts_with("www.");
    is_extension && !stem.is_empty() && !is_address && !name.contains(char::is_whitespace)
}

/// Whether a line is program code or a comment in it.
pub(super) fn is_code(text: &str) -> bool {
    let line = text.trim();
    ["//", "/*", "*/", "#!", "<!--", "$ ", "#include", "-- "].iter().any(|start| line.starts_with(start))
        || line.ends_with(['{', '}', ';']) && line.contains(['=', '(', '{', '}'])
        || ["};", ");", "=> "].iter().any(|mark| line.contains(mark))
}

/// Whether text indented like code is prose.
pub(super) fn is_prose(text: &str) -> bool {
    let all = text.chars().count();
    let plain =
        text.chars().filter(|c| c.is_alphanumeric() || c.is_whitespace() || ".,!?'’-".contains(*c)).count();
    let ends = text.lines().any(ends_sentence);
    ends && words(text) > 4 && !is_code(text) && plain * 100 >= all * 94
}

pub(super) fn announces(sentence: &str) -> bool {
    ends_with_colon(sentence) || words::words(sentence).iter().any(|word| ANNOUNCING.contains(&word.as_str()))
}

/// Whether a sentence starts with a pronoun as its subject.
pub(super) fn begins_with_pronoun(sentence: &str) -> bool {
    let folded = fold(sentence);
    let mut words =
        folded.split(|c: char| !(c.is_alphanumeric() || c == '-')).filter(|word| !word.is_empty());
    let (Some(first), Some(second)) = (words.next(), words.next()) else { return false };
    match (first, second) {
        ("it", "is") | ("il", "est" | "y" | "faut" | "existe") => false,
        // Without an accent, "el" is the Spanish article.
        ("el", _) => sentence.trim_start().to_lowercase().starts_with('é'),
        // "Il" is also the Italian article.
        ("il", _) => VERBS.contains(&second),
        _ => PRONOUNS.contains(&first) || DEMONSTRATIVES.contains(&first) && VERBS.contains(&second),
    }
}

/// Offset of the text after "Q:", "Frage 3:" or "Pregunta:".
pub(super) fn question_prefix(line: &str) -> Option<usize> {
    prefix(line, QUESTION_NAMES)
}

/// Offset of the text after "A:", "Antwort:" or "Réponse :".
pub(super) fn answer_prefix(line: &str) -> Option<usize> {
    prefix(line, ANSWER_NAMES)
}

/// Number and offset of the text after "Step 1:" or "Schritt 2.".
pub(super) fn step_prefix(line: &str) -> Option<(u64, usize)> {
    let (at, _) = line.char_indices().find(|(_, c)| [':', '.', ')'].contains(c))?;
    let name = fold(line.get(..at)?);
    let mut parts = name.split_whitespace();
    let (step, number) = (parts.next()?, parts.next()?.parse().ok()?);
    (STEP_NAMES.contains(&step) && parts.next().is_none()).then_some((number, at + 1))
}

fn prefix(line: &str, names: &[&str]) -> Option<usize> {
    let (at, mark) = line.char_indices().find(|(_, c)| [':', '.', ')'].contains(c))?;
    let label = fold(line.get(..at)?);
    let name = label.trim().trim_end_matches(|c: char| c.is_ascii_digit()).trim_end();
    // Without a number, "A." and "P." may be initials.
    let is_marked = mark == ':' || label.trim_end().ends_with(|c: char| c.is_ascii_digit());
    (is_marked && names.contains(&name)).then_some(at + mark.len_utf8())
}

/// Offset of the value in a line like "Monday: 9–17".
pub(super) fn value(line: &str) -> Option<usize> {
    let at = line.find(": ").or_else(|| line.find(":\u{a0}"))?;
    let name = line.get(..at)?;
    let is_name = (1..=MAX_LABEL_WORDS).contains(&words(name))
        && !ends_sentence(name)
        && !name.contains(['.', '?', '!']);
    let rest = line.get(at + 1..)?;
    (is_name && words(rest) > 0).then_some(at + 1 + (rest.len() - rest.trim_start().len()))
}

/// Offset of the text after a bullet in plain text.
pub(super) fn bullet(line: &str) -> Option<usize> {
    let rest = line.strip_prefix(['•', '▪', '●', '◦', '‣', '·', '–', '✓', '✔', '○', '■', '➢', '►'])?;
    rest.starts_with(char::is_whitespace).then(|| line.len() - rest.trim_start().len())
}

/// Whether a cell is meaningless without its header: a bare number, a mark, yes or no.
pub(super) fn needs_context(cell: &str) -> bool {
    let folded = fold(cell.trim());
    let is_number = folded.chars().all(|c| c.is_ascii_digit() || " .,'\u{a0}\u{202f}".contains(c));
    let yes_or_no = ["yes", "no", "ja", "nein", "si", "oui", "non", "sim", "nao", "x"];
    is_number || yes_or_no.contains(&folded.as_str()) || !folded.contains(char::is_alphanumeric)
}
