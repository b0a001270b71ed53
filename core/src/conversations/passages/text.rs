//! Pure: plain text with the source position of its parts.

use std::ops::Range;

/// Plain text with the source positions of its parts.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) plain: String,
    /// Ranges of each part in `plain` and in the passage, in bytes.
    parts: Vec<(Range<usize>, Range<usize>)>,
    /// Offsets in `plain` of the spaces that stand for line breaks.
    breaks: Vec<usize>,
    pub(super) bold: Vec<Range<usize>>,
    pub(super) links: Vec<Range<usize>>,
}

impl Text {
    pub(super) fn push(&mut self, text: &str, source: Range<usize>) {
        if !text.is_empty() {
            self.parts.push((self.plain.len()..self.plain.len() + text.len(), source));
            self.plain.push_str(text);
        }
    }

    pub(super) fn push_break(&mut self, source: Range<usize>) {
        self.breaks.push(self.plain.len());
        self.push(" ", source);
    }

    /// Source range of a range of `plain`, in bytes. It is exact within a part written as it reads; an
    /// entity, or code continued on another line, counts as a whole.
    pub(super) fn source(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let place = |at: usize, end: bool| {
            let begins = |begin: usize| if end { begin < at } else { begin <= at };
            let (part, source) = self.parts.iter().rev().find(|(part, _)| begins(part.start))?;
            Some(match (part.len() == source.len(), end) {
                (true, _) => source.start + at.checked_sub(part.start)?,
                (false, false) => source.start,
                (false, true) => source.end,
            })
        };
        Some(place(range.start, false)?..place(range.end, true)?)
    }

    /// Whole text, trimmed.
    pub(super) fn whole(&self) -> Range<usize> {
        self.trim(0..self.plain.len())
    }

    /// Text of a range.
    pub(super) fn get(&self, range: &Range<usize>) -> &str {
        self.plain.get(range.clone()).unwrap_or_default()
    }

    /// Trims white space from a range.
    pub(super) fn trim(&self, range: Range<usize>) -> Range<usize> {
        let blank = |c: char| c.is_whitespace() || c == '\u{feff}';
        let text = self.get(&range);
        let start = range.start + (text.len() - text.trim_start_matches(blank).len());
        start..(range.start + text.trim_end_matches(blank).len()).max(start)
    }

    /// Lines of a range, trimmed.
    pub(super) fn lines(&self, range: &Range<usize>) -> Vec<Range<usize>> {
        let mut start = range.start;
        let within = self.breaks.iter().copied().filter(|at| range.contains(at));
        let ends: Vec<usize> = within.chain([range.end]).collect();
        let lines = ends.into_iter().map(|end| self.trim(std::mem::replace(&mut start, end)..end));
        lines.filter(|line| !line.is_empty()).collect()
    }

    /// Whether every letter of a range is bold.
    pub(super) fn is_bold(&self, range: &Range<usize>) -> bool {
        self.is_covered(range, &self.bold)
    }

    /// Whether every letter of a range is part of a link.
    pub(super) fn is_link(&self, range: &Range<usize>) -> bool {
        self.is_covered(range, &self.links)
    }

    fn is_covered(&self, range: &Range<usize>, by: &[Range<usize>]) -> bool {
        let mut letters = 0;
        let mut at = by.iter().peekable();
        for (byte, _) in self.get(range).char_indices().filter(|(_, c)| c.is_alphanumeric()) {
            let byte = range.start + byte;
            while at.peek().is_some_and(|part| part.end <= byte) {
                at.next();
            }
            if !at.peek().is_some_and(|part| part.contains(&byte)) {
                return false;
            }
            letters += 1;
        }
        letters > 0
    }

    pub(super) fn is_blank(&self) -> bool {
        self.whole().is_empty()
    }
}
