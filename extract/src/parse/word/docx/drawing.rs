//! Drawings: text boxes, charts, diagrams and the descriptions of pictures.

use office_oxide::core::chart::chart_text_lines;

use super::Reader;
use super::paragraph::Line;
use super::xml::{Node, each};
use crate::parse::word::model::{Block, Emphasis, Span};
use crate::parse::word::pictures::description;

/// Maximum number of drawings in one paragraph.
const MAX_DRAWINGS: usize = 200;

/// Maximum number of lines of a chart or diagram.
const MAX_LINES: usize = 2000;

impl Reader {
    /// Reads a drawing. Its texts are written after the paragraph, descriptions within the paragraph.
    pub(super) fn drawing(&mut self, node: &Node, line: &mut Line) {
        let before = line.after.len();
        self.shapes(node, line);
        let has_text = line.after.len() > before;
        if has_text || line.spans.len() > MAX_DRAWINGS {
            return;
        }
        // A picture without text of its own is represented by its description.
        let properties = node.find("docPr");
        let attribute = |name: &str| properties.and_then(|properties| properties.attr(name));
        let described =
            attribute("descr").filter(|text| !text.trim().is_empty()).or_else(|| attribute("title"));
        let described = described.or_else(|| node.nodes().find_map(|shape| shape.attr("alt")));
        if let Some(text) = described.and_then(description) {
            let italic = Emphasis { italic: true, ..Emphasis::default() };
            line.push(" ", Emphasis::default(), None);
            line.push(text, italic, None);
            line.push(" ", Emphasis::default(), None);
        }
    }

    fn shapes(&mut self, node: &Node, line: &mut Line) {
        for child in node.nodes() {
            match &*child.name {
                "txbxContent" => {
                    let blocks = self.story(child);
                    line.after.extend(blocks);
                }
                "textpath" => {
                    let text = child.attr("string").unwrap_or_default();
                    line.after.push(Block::Paragraph(vec![Span::plain(text)]));
                }
                "chart" => {
                    if let Some((_, part)) = child.attr("id").and_then(|id| self.related_part(id)) {
                        push_lines(chart_text_lines(&part), line);
                    }
                }
                "relIds" => {
                    if let Some((_, part)) = child.attr("dm").and_then(|id| self.related_part(id)) {
                        push_lines(diagram_lines(&part), line);
                    }
                }
                "AlternateContent" => {
                    self.alternatives(child, line, |reader, choice, line| reader.shapes(choice, line));
                }
                _ => self.shapes(child, line),
            }
        }
    }
}

fn push_lines(lines: Vec<String>, line: &mut Line) {
    let text = lines.into_iter().take(MAX_LINES).collect::<Vec<_>>().join("\n");
    if !text.trim().is_empty() {
        line.after.push(Block::Paragraph(vec![Span::plain(text)]));
    }
}

/// The texts of a diagram (SmartArt), one line a node.
fn diagram_lines(xml: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    each(xml, "ptLst", |point| {
        let mut text = String::new();
        // Presentation points repeat the texts of other points.
        if !matches!(point.attr("type"), Some("pres" | "parTrans" | "sibTrans")) {
            collect_text(&point, &mut text);
        }
        let text = text.trim();
        if !text.is_empty() {
            lines.push(text.to_owned());
        }
        lines.len() < MAX_LINES
    });
    lines
}

fn collect_text(node: &Node, out: &mut String) {
    for child in node.nodes() {
        match &*child.name {
            "t" => out.push_str(&child.text()),
            "p" | "br" => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
                collect_text(child, out);
            }
            "prSet" => {}
            _ => collect_text(child, out),
        }
    }
}
