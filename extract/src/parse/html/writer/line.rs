//! A line of styled text and its Markdown.

/// Style of a run. `link` is the number of a link, counted from 1; 0 means no link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) strong: bool,
    pub(super) em: bool,
    pub(super) strike: bool,
    pub(super) code: bool,
    pub(super) button: bool,
    pub(super) link: u32,
}

impl Style {
    /// The style that two runs share: the style of the space between them.
    fn common(self, other: Style) -> Style {
        Style {
            strong: self.strong && other.strong,
            em: self.em && other.em,
            strike: self.strike && other.strike,
            code: false,
            button: self.button && other.button,
            link: if self.link == other.link { self.link } else { 0 },
        }
    }
}

/// Text of one style. It starts with white space only if it is the space between two runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) text: String,
    pub(super) style: Style,
}

/// White space before the next text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Space {
    #[default]
    None,
    Word,
    Line,
    Paragraph,
}

/// One line, or several lines separated by `br`. White space is normalised.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pub(super) runs: Vec<Run>,
    space: Space,
}

impl Line {
    /// Appends text with each run of white space as one space. `lines`: keep line breaks.
    pub(super) fn push(&mut self, text: &str, style: Style, lines: bool) {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if first == '\n' && lines {
                self.break_line();
            } else if first.is_whitespace() {
                self.space_word();
            } else {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                if word.contains(super::dom::invisible) {
                    let word: String =
                        word.chars().filter(|character| !super::dom::invisible(*character)).collect();
                    self.push_word(&word, style);
                } else {
                    self.push_word(word, style);
                }
                rest = after;
                continue;
            }
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }

    /// Appends text without normalisation.
    pub(super) fn push_word(&mut self, word: &str, style: Style) {
        if word.is_empty() {
            return;
        }
        let space = match std::mem::take(&mut self.space) {
            Space::None => "",
            _ if self.runs.is_empty() => "",
            Space::Word => " ",
            Space::Line => "\n",
            Space::Paragraph => "\n\n",
        };
        match self.runs.last_mut() {
            Some(last) if last.style == style && !style.code && space != "\n\n" => {
                last.text.push_str(space);
                last.text.push_str(word);
            }
            last => {
                if !space.is_empty() {
                    let common = match last {
                        Some(last) if space != "\n\n" => last.style.common(style),
                        _ => Style::default(),
                    };
                    self.runs.push(Run { text: space.to_owned(), style: common });
                }
                self.runs.push(Run { text: word.to_owned(), style });
            }
        }
    }

    /// Adds a space before the next text, if there is none yet.
    pub(super) fn space_word(&mut self) {
        if self.space == Space::None {
            self.space = Space::Word;
        }
    }

    /// Starts a new line before the next text. A second call starts a new paragraph.
    pub(super) fn break_line(&mut self) {
        self.space = match self.space {
            Space::Line | Space::Paragraph => Space::Paragraph,
            Space::None | Space::Word => Space::Line,
        };
    }

    /// The last character, or nothing if white space follows it.
    pub(super) fn last(&self) -> Option<char> {
        (self.space == Space::None).then(|| self.runs.last()?.text.chars().next_back())?
    }

    /// The style of the last run.
    pub(super) fn last_style(&self) -> Style {
        self.runs.last().map(|run| run.style).unwrap_or_default()
    }

    /// The last characters across runs, at most `max`.
    pub(super) fn tail(&self, max: usize) -> String {
        let mut tail: Vec<char> = Vec::new();
        for run in self.runs.iter().rev() {
            tail.extend(run.text.chars().rev().take(max.saturating_sub(tail.len())));
            if tail.len() >= max {
                break;
            }
        }
        tail.iter().rev().collect()
    }

    /// The size of the text, in bytes.
    pub(super) fn size(&self) -> usize {
        self.runs.iter().map(|run| run.text.len()).sum()
    }

    /// The end position of the line. It changes when text is appended.
    pub(super) fn end(&self) -> (usize, usize) {
        (self.runs.len(), self.runs.last().map_or(0, |run| run.text.len()))
    }

    /// Whether the line has no visible text.
    pub(super) fn is_blank(&self) -> bool {
        self.runs.iter().all(|run| run.text.trim().is_empty())
    }

    /// Appends another line, after a space.
    pub(super) fn append(&mut self, other: Line) {
        if other.runs.is_empty() {
            return;
        }
        if !self.runs.is_empty() {
            self.runs.push(Run { text: " ".to_owned(), style: Style::default() });
        }
        self.runs.extend(other.runs);
        self.space = Space::None;
    }

    /// Applies a change to the style of every run.
    pub(super) fn restyle(&mut self, change: impl Fn(&mut Style)) {
        for run in &mut self.runs {
            change(&mut run.style);
        }
    }

    /// The Markdown of the line. `address` returns the address of a link number.
    pub(super) fn markdown<'a>(&self, address: impl Fn(u32) -> Option<&'a str>) -> String {
        let mut styles: Vec<Style> = self.runs.iter().map(|run| run.style).collect();
        self.settle(&mut styles, |style| &mut style.strong, false);
        self.settle(&mut styles, |style| &mut style.em, false);
        self.settle(&mut styles, |style| &mut style.strike, true);
        let mut out = String::new();
        let mut open: Vec<Mark> = Vec::new();
        for (run, style) in self.runs.iter().zip(&styles) {
            let mut wanted = marks(*style);
            let kept = open.iter().zip(&wanted).take_while(|(open, wanted)| open == wanted).count();
            if run.text.trim().is_empty() {
                // Marks must not open before white space.
                wanted.truncate(kept);
            }
            let mut unstruck = false;
            for mark in open.drain(kept..).rev() {
                unstruck |= mark == Mark::Strike;
                close(mark, &address, &mut out);
            }
            // Struck text is separated from the text before and after it.
            let starts_struck = wanted.iter().skip(kept).any(|mark| *mark == Mark::Strike);
            let glued = out.ends_with(char::is_alphanumeric) && starts_struck;
            if glued || (unstruck && run.text.starts_with(char::is_alphanumeric)) {
                out.push(' ');
            }
            for mark in wanted.iter().skip(kept) {
                out.push_str(match mark {
                    Mark::Link(_) => "[",
                    Mark::Strike => "~~",
                    Mark::Strong => "**",
                    Mark::Em => "*",
                });
                open.push(*mark);
            }
            if style.code {
                out.push_str(&code_span(&run.text));
            } else if style.link > 0 {
                out.push_str(&run.text.replace('\n', " "));
            } else {
                out.push_str(&run.text);
            }
        }
        for mark in open.drain(..).rev() {
            close(mark, &address, &mut out);
        }
        out
    }

    /// Removes emphasis without letters or digits, and emphasis within a word: Markdown does not
    /// recognise it.
    fn settle(&self, styles: &mut [Style], mark: fn(&mut Style) -> &mut bool, in_words: bool) {
        let mut at = 0;
        while at < self.runs.len() {
            let is_marked =
                |index: usize| styles.get(index).copied().is_some_and(|mut style| *mark(&mut style));
            if !is_marked(at) {
                at += 1;
                continue;
            }
            let end = (at..self.runs.len()).find(|index| !is_marked(*index)).unwrap_or(self.runs.len());
            let runs = self.runs.get(at..end).unwrap_or_default();
            let before = at.checked_sub(1).and_then(|before| self.runs.get(before)?.text.chars().next_back());
            let after = self.runs.get(end).and_then(|run| run.text.chars().next());
            let glued = [before, after].into_iter().flatten().any(char::is_alphanumeric);
            let has_letters = runs.iter().any(|run| run.text.contains(char::is_alphanumeric));
            if !has_letters || (glued && !in_words) {
                styles.iter_mut().take(end).skip(at).for_each(|style| *mark(style) = false);
            }
            at = end;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Link(u32),
    Strike,
    Strong,
    Em,
}

/// The marks of a style, outermost first.
fn marks(style: Style) -> Vec<Mark> {
    let link = (style.link > 0).then_some(Mark::Link(style.link));
    let strike = style.strike.then_some(Mark::Strike);
    let strong = style.strong.then_some(Mark::Strong);
    let em = style.em.then_some(Mark::Em);
    [link, strike, strong, em].into_iter().flatten().collect()
}

fn close<'a>(mark: Mark, address: &impl Fn(u32) -> Option<&'a str>, out: &mut String) {
    match mark {
        Mark::Link(number) => {
            out.push_str("](");
            out.push_str(address(number).unwrap_or_default());
            out.push(')');
        }
        Mark::Strike => out.push_str("~~"),
        Mark::Strong => out.push_str("**"),
        Mark::Em => out.push('*'),
    }
}

/// Code enclosed in more backticks than it contains in a row.
pub(super) fn code_span(code: &str) -> String {
    let ticks = "`".repeat(longest_ticks(code) + 1);
    let space = if code.starts_with('`') || code.ends_with('`') { " " } else { "" };
    format!("{ticks}{space}{code}{space}{ticks}")
}

/// The length of the longest run of backticks.
pub(super) fn longest_ticks(code: &str) -> usize {
    code.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}
