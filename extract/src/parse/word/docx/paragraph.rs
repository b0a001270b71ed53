//! Paragraphs: headings, list items and ordinary ones.

use std::rc::Rc;

use super::Reader;
use super::body::{Content, control_content};
use super::styles::{RunStyle, list, outline};
use super::xml::Node;
use crate::parse::word::model::{Block, Emphasis, Marker, Span};

/// The content of a paragraph while it is read.
#[derive(Default)]
pub(super) struct Line {
    pub(super) spans: Vec<Span>,
    /// Text boxes, charts and other blocks anchored in the paragraph, to be written after it.
    pub(super) after: Vec<Block>,
}

impl Content for Line {
    fn size(&self) -> usize {
        self.spans.len() + self.after.len()
    }
}

impl Line {
    /// Adds text.
    pub(super) fn push(&mut self, text: impl Into<String>, emphasis: Emphasis, link: Option<Rc<str>>) {
        let text = text.into();
        if text.is_empty() {
            return;
        }
        match self.spans.last_mut() {
            Some(last) if last.emphasis == emphasis && last.link == link => last.text.push_str(&text),
            _ => self.spans.push(Span { text, emphasis, link }),
        }
    }
}

/// Properties of the paragraph that apply to its runs.
#[derive(Clone, Default)]
pub(super) struct Context {
    /// Link around the run.
    pub(super) link: Option<Rc<str>>,
    /// Whether the style of the paragraph hides its text.
    pub(super) hidden: bool,
    /// Font of the style of the paragraph.
    pub(super) font: Option<Rc<str>>,
}

impl Reader {
    pub(super) fn paragraph(&mut self, node: &Node, out: &mut Vec<Block>) {
        let properties = node.child("pPr");
        let style = properties
            .and_then(|properties| properties.child("pStyle"))
            .and_then(Node::val)
            .map(Rc::<str>::from)
            .or_else(|| self.styles.default_paragraph());
        let of_style = style.as_deref().map(|id| self.styles.run(id)).unwrap_or_default();
        let context = Context { link: None, hidden: of_style.vanish == Some(true), font: of_style.font };
        let mut line = Line { spans: std::mem::take(&mut self.carried), after: Vec::new() };
        for child in node.nodes() {
            self.inline(child, &context, &mut line);
        }
        let mark = properties.and_then(|properties| properties.child("rPr"));
        // The end of the paragraph is deleted, so the next paragraph continues its text.
        if mark.is_some_and(|mark| mark.child("del").is_some() || mark.child("moveFrom").is_some()) {
            self.carried = line.spans;
            out.append(&mut line.after);
            return;
        }
        // A drop cap is the first letter of the next paragraph.
        let frame = properties.and_then(|properties| properties.child("framePr"));
        let drop_cap = frame.and_then(|frame| frame.attr("dropCap")).is_some_and(|kind| kind != "none");
        if drop_cap && line.after.is_empty() && !line.spans.is_empty() {
            self.carried = line.spans;
            return;
        }
        let hidden = RunStyle::of(mark).vanish == Some(true) || context.hidden;
        let blank = line.spans.iter().all(|span| span.text.trim().is_empty());
        // A hidden paragraph is not counted.
        let number = if hidden && blank { None } else { self.number(properties, style.as_deref()) };
        let block = self.classify(properties, style.as_deref(), number, line.spans);
        // A numbered cell without text is kept, because it displays its number.
        let shows = |block: &Block| matches!(block, Block::Item { marker: Marker::Number(_), .. });
        if !blank || (self.in_cell && shows(&block)) {
            out.push(block);
        }
        out.append(&mut line.after);
    }

    fn classify(
        &mut self,
        properties: Option<&Node>,
        style: Option<&str>,
        number: Option<(usize, Marker)>,
        text: Vec<Span>,
    ) -> Block {
        let level = match properties.and_then(outline) {
            Some(level) => (level < 9).then_some((level + 1).min(6)),
            None => style.and_then(|style| self.styles.heading(style)),
        };
        match (level, number) {
            (Some(level), number) => {
                let number = match number {
                    Some((_, Marker::Number(number))) => Some(number),
                    _ => None,
                };
                Block::Heading { level, number, text }
            }
            (None, Some((level, marker))) => Block::Item { level, marker, text },
            (None, None) => Block::Paragraph(text),
        }
    }

    /// Counts the paragraph in its list.
    fn number(&mut self, properties: Option<&Node>, style: Option<&str>) -> Option<(usize, Marker)> {
        let direct = properties.and_then(list);
        let of_style = style.and_then(|style| self.styles.list(style));
        let (direct_id, direct_level) = direct.unwrap_or_default();
        let (owner, id, level) = match (direct_id, of_style) {
            (Some(id), _) => (None, Some(id), direct_level.or(Some(0))),
            (None, Some((owner, id, level))) => (Some(owner), id, direct_level.or(level)),
            (None, None) => (None, None, None),
        };
        let Some(id) = id else { return self.bullet_by_style(style) };
        if id == 0 {
            return None;
        }
        // A style refers to a list. The level of the style is the level of the list that refers to the style.
        let named = owner.as_deref().or(style);
        let level = if direct_level.is_none() && owner.is_some() {
            let by_style = self.lists.level_of_style(id, named, &self.styles);
            by_style.or(level)
        } else {
            level
        };
        let (level, marker) = self.lists.next(id, level, &self.styles)?;
        Some((level, marker?))
    }

    /// A bullet for paragraphs of the built-in list styles where the file defines no list.
    fn bullet_by_style(&mut self, style: Option<&str>) -> Option<(usize, Marker)> {
        let name = style?.to_ascii_lowercase().replace(' ', "");
        let rest = name.strip_prefix("listbullet")?;
        let level = rest.parse::<usize>().ok().and_then(|level| level.checked_sub(1)).unwrap_or(0);
        (rest.is_empty() || level < 9).then_some((level, Marker::Bullet))
    }

    /// Reads an element inside a paragraph.
    pub(super) fn inline(&mut self, node: &Node, context: &Context, line: &mut Line) {
        match &*node.name {
            "r" => self.run(node, context, line),
            "hyperlink" => {
                let link = self.link(node.attr("id"), node.attr("anchor"));
                let context = Context { link: link.or_else(|| context.link.clone()), ..context.clone() };
                self.inlines(node, &context, line);
            }
            "fldSimple" => {
                self.fields.begin(None);
                self.fields.instruct(node.attr("instr").unwrap_or_default());
                self.fields.separate();
                self.inlines(node, context, line);
                let text = self.fields.end();
                line.push(text.unwrap_or_default(), Emphasis::default(), context.link.clone());
            }
            "sdt" => {
                if let Some(content) = control_content(node, &self.styles) {
                    self.inlines(content, context, line);
                }
            }
            "oMath" | "oMathPara" => {
                if self.fields.shows_text() {
                    let text = super::math::linear(node);
                    let text = if &*node.name == "oMathPara" { format!("\n{text}\n") } else { text };
                    line.push(text, Emphasis::default(), context.link.clone());
                }
            }
            "AlternateContent" => {
                self.alternatives(node, line, |reader, choice, line| reader.inlines(choice, context, line));
            }
            "tbl" | "p" => self.block(node, &mut line.after),
            "del" | "moveFrom" | "pPr" | "rPr" | "sdtPr" => {}
            _ => self.inlines(node, context, line),
        }
    }

    fn inlines(&mut self, parent: &Node, context: &Context, line: &mut Line) {
        for child in parent.nodes() {
            self.inline(child, context, line);
        }
    }

    /// Reads text outside of paragraphs, which some programs write.
    pub(super) fn loose_inline(&mut self, node: &Node, out: &mut Vec<Block>) {
        let mut line = Line::default();
        self.inline(node, &Context::default(), &mut line);
        out.push(Block::Paragraph(line.spans));
        out.append(&mut line.after);
    }

    pub(super) fn loose_math(&mut self, node: &Node, out: &mut Vec<Block>) {
        out.push(Block::Paragraph(vec![Span::plain(super::math::linear(node))]));
    }
}
