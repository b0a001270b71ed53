//! The headings of a text, and which of them stand above a place.

use std::collections::VecDeque;

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

/// Headings longer than this are cut, in characters: they are context, not content.
const HEADING_LENGTH: usize = 160;

struct Heading {
    level: HeadingLevel,
    byte: usize,
    text: String,
}

/// The headings of a text, and those in force at a place that only moves forward.
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

    /// The headings in force at a byte: each replaces those of its level and below.
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
