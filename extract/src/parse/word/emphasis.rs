//! Spans of a paragraph to inline Markdown.
//!
//! Emphasis never divides a word, because a search would not find a word in two pieces. It never begins or
//! ends with white space.

use super::model::{Emphasis, Span};

/// How line breaks inside a paragraph are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Breaks {
    /// As line feeds.
    Lines,
    /// As `<br>`, for the cells of a table.
    Tags,
    /// As spaces, for headings.
    Spaces,
}

/// Writes the spans as inline Markdown.
pub(super) fn inline(spans: Vec<Span>, breaks: Breaks, emphasised: bool) -> String {
    let spans = whole_words(merge(spans));
    let mut out = String::new();
    let mut spans = spans.into_iter().peekable();
    while let Some(first) = spans.next() {
        let link = first.link.clone();
        let mut group = vec![first];
        while link.is_some()
            && let Some(next) = spans.next_if(|span| span.link == link)
        {
            group.push(next);
        }
        let group = trim_marks(group);
        let mut text = String::new();
        for span in &group {
            push_marked(&mut text, &span.text, if emphasised { span.emphasis } else { Emphasis::default() });
        }
        match link {
            Some(address) => push_link(&mut out, &text, &address),
            None => out.push_str(&text),
        }
    }
    finish(&out, breaks)
}

/// Joins neighbours of the same emphasis and link.
fn merge(spans: Vec<Span>) -> Vec<Span> {
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        if span.text.is_empty() {
            continue;
        }
        match merged.last_mut() {
            Some(last) if last.emphasis == span.emphasis && last.link == span.link => {
                last.text.push_str(&span.text);
            }
            _ => merged.push(span),
        }
    }
    merged
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '\u{300}'..='\u{36f}' | '\'' | '’' | '\u{ad}')
}

/// Removes the emphasis of partly emphasised words.
fn whole_words(spans: Vec<Span>) -> Vec<Span> {
    let joined: Vec<bool> = spans
        .windows(2)
        .map(|pair| match pair {
            [left, right] => {
                left.emphasis != right.emphasis
                    && left.text.chars().next_back().is_some_and(is_word)
                    && right.text.chars().next().is_some_and(is_word)
            }
            _ => false,
        })
        .collect();
    // Without a change of emphasis, a word may still continue into a span that loses its emphasis.
    let joint = |index: Option<usize>| index.and_then(|at| joined.get(at)).copied().unwrap_or(false);
    let mut out = Vec::with_capacity(spans.len());
    for (index, mut span) in spans.into_iter().enumerate() {
        let (before, after) = (joint(index.checked_sub(1)), joint(Some(index)));
        if span.emphasis == Emphasis::default() || !(before || after) {
            out.push(span);
            continue;
        }
        let plain =
            |text: String, span: &Span| Span { text, emphasis: Emphasis::default(), link: span.link.clone() };
        if before {
            let end = span.text.find(|character| !is_word(character)).unwrap_or(span.text.len());
            let rest = span.text.split_off(end);
            let head = std::mem::replace(&mut span.text, rest);
            out.push(plain(head, &span));
        }
        let tail = if after && !span.text.is_empty() {
            let start = span
                .text
                .char_indices()
                .rev()
                .find(|(_, character)| !is_word(*character))
                .map_or(0, |(at, character)| at + character.len_utf8());
            Some(span.text.split_off(start))
        } else {
            None
        };
        let tail = tail.map(|text| plain(text, &span));
        out.push(span);
        out.extend(tail);
    }
    merge(out)
}

/// Moves white space at the ends of emphasised spans out of the emphasis.
fn trim_marks(spans: Vec<Span>) -> Vec<Span> {
    let mut out = Vec::with_capacity(spans.len());
    for mut span in spans {
        if span.emphasis == Emphasis::default() {
            out.push(span);
            continue;
        }
        if !span.text.chars().any(char::is_alphanumeric) {
            span.emphasis = Emphasis::default();
            out.push(span);
            continue;
        }
        let trimmed = span.text.trim();
        let start = span.text.len() - span.text.trim_start().len();
        let end = start + trimmed.len();
        let tail = span.text.split_off(end);
        let body = span.text.split_off(start);
        let plain = |text: String| Span { text, emphasis: Emphasis::default(), link: span.link.clone() };
        out.push(plain(span.text.clone()));
        out.push(Span { text: body, emphasis: span.emphasis, link: span.link.clone() });
        out.push(plain(tail));
    }
    merge(out)
}

fn push_marked(out: &mut String, text: &str, emphasis: Emphasis) {
    let marks = [(emphasis.bold, "**"), (emphasis.italic, "*"), (emphasis.strike, "~~")];
    // Each line has its own marks, because Markdown ends an emphasis at a blank line and a break inside reads
    // badly.
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let marked = line.chars().any(char::is_alphanumeric);
        let body = if marked { line.trim() } else { line };
        let start = line.find(body).unwrap_or(0);
        out.push_str(line.get(..start).unwrap_or_default());
        let on = || marks.iter().filter(|(on, _)| *on && marked);
        on().for_each(|(_, mark)| out.push_str(mark));
        out.push_str(body);
        on().rev().for_each(|(_, mark)| out.push_str(mark));
        out.push_str(line.get(start + body.len()..).unwrap_or_default());
    }
}

fn push_link(out: &mut String, text: &str, address: &str) {
    let label = text.trim();
    if label.is_empty() {
        out.push_str(text);
        return;
    }
    let (head, tail) = (text.len() - text.trim_start().len(), text.trim_end().len());
    out.push_str(text.get(..head).unwrap_or_default());
    if label == address || address.strip_prefix("mailto:") == Some(label) {
        out.push_str(label);
    } else {
        out.push('[');
        out.push_str(&label.replace('\n', " "));
        out.push_str("](");
        for character in address.chars() {
            match character {
                ' ' => out.push_str("%20"),
                '(' => out.push_str("%28"),
                ')' => out.push_str("%29"),
                '<' => out.push_str("%3C"),
                '>' => out.push_str("%3E"),
                _ => out.push(character),
            }
        }
        out.push(')');
    }
    out.push_str(text.get(tail..).unwrap_or_default());
}

/// Trims the lines and writes the breaks between them.
fn finish(text: &str, breaks: Breaks) -> String {
    let lines: Vec<&str> = text.split('\n').map(str::trim).collect();
    let lines = lines.iter().filter(|line| !line.is_empty());
    match breaks {
        Breaks::Lines => lines.copied().collect::<Vec<_>>().join("\n"),
        Breaks::Tags => {
            lines.map(|line| line.replace('|', "\\|").replace('\t', " ")).collect::<Vec<_>>().join("<br>")
        }
        Breaks::Spaces => lines.map(|line| line.replace('\t', " ")).collect::<Vec<_>>().join(" "),
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    fn bold(text: &str) -> Span {
        Span { emphasis: Emphasis { bold: true, ..Emphasis::default() }, ..Span::plain(text) }
    }

    #[test]
    fn emphasis_never_divides_a_word() {
        for (spans, expected) in [
            (vec![bold("Lin"), Span::plain("dow")], "Lindow"),
            (vec![Span::plain("a "), bold("b c"), Span::plain("d e")], "a **b** cd e"),
            (vec![bold("one "), Span::plain("two")], "**one** two"),
            (vec![Span::plain("x"), bold(", "), Span::plain("y")], "x, y"),
            (vec![bold("ab"), bold("cd")], "**abcd**"),
            (vec![bold("ab\ncd")], "**ab**\n**cd**"),
        ] {
            assert_eq!(inline(spans, Breaks::Lines, true), expected);
        }
    }

    #[test]
    fn a_link_to_its_own_text_is_written_once() {
        let link = |text: &str, address: &str| Span { link: Some(Rc::from(address)), ..Span::plain(text) };
        let written = |span| inline(vec![span], Breaks::Lines, true);
        assert_eq!(written(link("https://a.example/", "https://a.example/")), "https://a.example/");
        assert_eq!(written(link("a (b)", "https://a.example/(b)")), "[a (b)](https://a.example/%28b%29)");
    }

    #[test]
    fn breaks_are_written_as_the_place_needs() {
        let spans = || vec![Span::plain("a|b\n\nc")];
        assert_eq!(inline(spans(), Breaks::Lines, true), "a|b\nc");
        assert_eq!(inline(spans(), Breaks::Tags, true), "a\\|b<br>c");
        assert_eq!(inline(spans(), Breaks::Spaces, true), "a|b c");
    }
}
