//! Text in several styles, written as Markdown.

use super::super::page::Link;
use super::joining::{Vocabulary, join};
use super::line_text::Span;

/// Minimum number of dots in a leader; an ellipsis has fewer.
const MIN_LEADER_DOTS: usize = 5;

/// Style of a character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Style {
    bold: bool,
    mono: bool,
    link: Option<usize>,
}

/// Kinds of Markdown marks to leave out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain {
    pub bold: bool,
    pub mono: bool,
}

/// Text with a style for each character.
#[derive(Clone, Debug, Default)]
pub(super) struct Inline {
    text: String,
    styles: Vec<Style>,
}

impl Inline {
    pub(super) fn of(spans: &[Span]) -> Self {
        let mut inline = Self::default();
        for span in spans {
            let style = Style { bold: span.bold, mono: span.mono, link: span.link };
            if span.spaced && !inline.text.is_empty() && !inline.text.ends_with(' ') {
                // A blank within a link or a bold phrase belongs to it.
                let within = inline.styles.last().copied().filter(|last| *last == style);
                inline.push(' ', within.unwrap_or_default());
            }
            for character in span.text.chars() {
                inline.push(character, style);
            }
        }
        inline
    }

    fn push(&mut self, character: char, style: Style) {
        self.text.push(character);
        self.styles.push(style);
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Appends the next line of a paragraph.
    pub(super) fn join(&mut self, next: &Self, words: &Vocabulary) {
        if self.text.is_empty() {
            *self = next.clone();
            return;
        }
        let skipped = next.text.chars().take_while(|c| c.is_whitespace()).count();
        join(&mut self.text, &next.text, words);
        let kept = self.text.chars().count() - (next.styles.len() - skipped);
        let last = self.styles.last().copied().unwrap_or_default();
        let first = next.styles.get(skipped).copied().unwrap_or_default();
        let between = if last == first { last } else { Style::default() };
        self.styles.resize(kept, between);
        self.styles.extend(next.styles.iter().skip(skipped));
    }

    /// Appends the next line on a line of its own.
    pub(super) fn break_line(&mut self, next: &Self) {
        if !self.text.is_empty() {
            self.push('\n', Style::default());
        }
        self.text.push_str(&next.text);
        self.styles.extend(&next.styles);
    }

    /// Drops the first characters.
    pub(super) fn skip(&mut self, count: usize) {
        let at = self.text.char_indices().nth(count).map_or(self.text.len(), |(at, _)| at);
        self.text.drain(..at);
        self.styles.drain(..count.min(self.styles.len()));
        let blanks = self.text.chars().take_while(|c| c.is_whitespace()).count();
        if blanks > 0 {
            self.skip(blanks);
        }
    }

    /// The Markdown.
    pub(super) fn markdown(&self, links: &[Link], plain: Plain) -> String {
        let all_bold = self
            .text
            .chars()
            .zip(&self.styles)
            .filter(|(c, _)| c.is_alphanumeric())
            .all(|(_, style)| style.bold);
        let bold = !plain.bold && !all_bold;
        let characters: Vec<(char, Style)> = self
            .text
            .chars()
            .zip(self.styles.iter().map(|style| Style {
                bold: style.bold && bold,
                mono: style.mono && !plain.mono,
                link: style.link,
            }))
            .collect();
        let mut markdown = String::with_capacity(self.text.len());
        for run in characters.chunk_by(|a, b| a.1 == b.1) {
            let text: String = run.iter().map(|(character, _)| character).collect();
            let style = run.first().map(|(_, style)| *style).unwrap_or_default();
            markdown.push_str(&decorated(&text, style, links));
        }
        shorten_leaders(&markdown)
    }
}

fn decorated(text: &str, style: Style, links: &[Link]) -> String {
    let inner = text.trim();
    if inner.is_empty() {
        return text.to_owned();
    }
    let (before, after) = text.split_once(inner).unwrap_or_default();
    let words = inner.chars().any(char::is_alphanumeric);
    let mut marked = match (style.mono && words, style.bold && words && inner.chars().count() > 1) {
        (true, _) if !inner.contains(['`', '\n']) => format!("`{inner}`"),
        (_, true) if !inner.contains(['*', '\n']) => format!("**{inner}**"),
        _ => inner.to_owned(),
    };
    if let Some(link) = style.link.and_then(|link| links.get(link)) {
        let url = link.url.trim();
        let same = is_own_address(inner, url);
        if !same && !url.is_empty() && words {
            marked = format!("[{}]({})", marked.replace('\n', " "), address(url));
        }
    }
    format!("{before}{marked}{after}")
}

/// Whether the words of a link are its address or a part of it.
fn is_own_address(words: &str, url: &str) -> bool {
    let bare = |text: &str| {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
        text.trim_matches(|c: char| !c.is_alphanumeric()).to_owned()
    };
    let words_like = words.contains(['/', '.', '@']);
    words_like && bare(url).contains(&bare(words))
}

/// An address in a form that Markdown reads completely.
fn address(url: &str) -> String {
    url.replace(' ', "%20").replace('(', "%28").replace(')', "%29").replace(['\n', '\r', '<', '>'], "")
}

/// Replaces the dots before a page number by an ellipsis.
fn shorten_leaders(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['.', '·', '…', '_']) {
        let (before, from) = rest.split_at(at);
        let mark = from.chars().next().unwrap_or('.');
        let after = from.trim_start_matches([mark, ' ']);
        let run = from.get(..from.len() - after.len()).unwrap_or_default();
        out.push_str(before);
        let dots = run.chars().filter(|c| *c == mark).count();
        if dots >= MIN_LEADER_DOTS && mark == '_' {
            out.push_str("___ ");
        } else if dots >= MIN_LEADER_DOTS {
            if !before.ends_with(' ') && !out.is_empty() {
                out.push(' ');
            }
            out.push_str("… ");
        } else {
            out.push_str(run);
        }
        rest = after;
    }
    out.push_str(rest);
    out.truncate(out.trim_end().len());
    out
}

/// Whether a line has dots before a page number.
pub(super) fn has_leader(text: &str) -> bool {
    let mut dots = 0;
    for character in text.chars() {
        match character {
            '.' | '·' | '…' => dots += 1,
            ' ' => {}
            _ => dots = 0,
        }
        if dots > MIN_LEADER_DOTS {
            return true;
        }
    }
    false
}
