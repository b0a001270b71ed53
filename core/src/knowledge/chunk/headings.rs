//! Headings of a Markdown text and the heading path at a position.

use std::collections::VecDeque;

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

/// Maximum length of a heading path, in characters: it is context, not content.
const HEADING_LENGTH: usize = 160;

struct Heading {
    level: HeadingLevel,
    byte: usize,
    text: String,
}

/// Headings of a text, with the path at a position that only moves forward.
#[derive(Default)]
pub(super) struct Headings {
    ahead: VecDeque<Heading>,
    path: Vec<Heading>,
}

impl Headings {
    pub(super) fn of(text: &str) -> Self {
        let mut found = VecDeque::new();
        let mut open: Option<Heading> = None;
        for (event, range) in Parser::new(text).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    open = Some(Heading { level, byte: range.start, text: String::new() });
                }
                Event::End(TagEnd::Heading(_)) => found.extend(open.take()),
                Event::Text(part) | Event::Code(part) => {
                    if let Some(heading) = &mut open {
                        heading.text.push_str(&part);
                    }
                }
                _ => {}
            }
        }
        Self { ahead: found, path: Vec::new() }
    }

    /// The heading path at a byte offset. A heading replaces those of its level and deeper.
    pub(super) fn at(&mut self, byte: usize) -> Option<String> {
        while self.ahead.front().is_some_and(|next| next.byte <= byte) {
            if let Some(next) = self.ahead.pop_front() {
                self.path.retain(|above| above.level < next.level);
                self.path.push(next);
            }
        }
        let texts = self.path.iter().map(|heading| heading.text.trim()).filter(|text| !text.is_empty());
        let joined: String = texts.collect::<Vec<_>>().join(" > ").chars().take(HEADING_LENGTH).collect();
        (!joined.is_empty()).then_some(joined)
    }
}
