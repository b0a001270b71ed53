//! Runs: text of one formatting, with the marks, symbols and fields in it.

use std::rc::Rc;

use super::paragraph::{Context, Line};
use super::styles::RunStyle;
use super::xml::Node;
use super::{NoteKind, Reader};
use crate::parse::word::model::Emphasis;
use crate::parse::word::scripts::{self, Script};
use crate::parse::word::symbols;

/// Minimum distances from the line of raised and lowered text, in half points.
const MIN_RAISED: i32 = 4;
const MIN_LOWERED: i32 = -4;

/// Formatting of the run being read.
struct Format {
    emphasis: Emphasis,
    link: Option<Rc<str>>,
    hidden: bool,
    script: Option<Script>,
    font: Option<Rc<str>>,
}

impl Reader {
    pub(super) fn run(&mut self, node: &Node, context: &Context, line: &mut Line) {
        let properties = node.child("rPr");
        // Deleted by a tracked change of the run itself, or moved away.
        if properties.is_some_and(|properties| properties.child("moveFrom").is_some()) {
            return;
        }
        let format = self.format(properties, context);
        for child in node.nodes() {
            self.piece(child, &format, context, line);
        }
    }

    fn format(&self, properties: Option<&Node>, context: &Context) -> Format {
        let direct = RunStyle::of(properties);
        let style = properties.and_then(|properties| properties.child("rStyle")).and_then(Node::val);
        let of_style = style.map(|id| self.styles.run(id)).unwrap_or_default();
        let on = |direct: Option<bool>, of_style: Option<bool>| direct.or(of_style).unwrap_or(false);
        let script = properties.and_then(|properties| properties.child("vertAlign")).and_then(Node::val);
        Format {
            emphasis: Emphasis {
                bold: on(direct.bold, of_style.bold),
                italic: on(direct.italic, of_style.italic),
                strike: on(direct.strike, of_style.strike),
            },
            link: context.link.clone().or_else(|| self.fields.link()),
            hidden: direct.vanish.or(of_style.vanish).unwrap_or(context.hidden),
            script: match script {
                Some("superscript") => Some(Script::Super),
                Some("subscript") => Some(Script::Sub),
                _ => properties.and_then(raised),
            },
            font: direct.font.or(of_style.font).or_else(|| context.font.clone()),
        }
    }

    fn piece(&mut self, node: &Node, format: &Format, context: &Context, line: &mut Line) {
        match &*node.name {
            "t" => {
                // Line ends in the file are no line breaks, and white space at the ends is kept only on
                // request.
                let text = node.text().replace(['\n', '\r', '\t'], " ");
                let kept = node.attr("space") == Some("preserve");
                self.text(if kept { &text } else { text.trim_matches(' ') }, format, line);
            }
            "tab" | "ptab" => self.text("\t", format, line),
            "br" | "cr" => {
                let page = matches!(node.attr("type"), Some("page" | "column"));
                self.text(if page { " " } else { "\n" }, format, line);
            }
            "noBreakHyphen" => self.text("-", format, line),
            "sym" => {
                let code = node.attr("char").and_then(|code| u32::from_str_radix(code.trim(), 16).ok());
                let font = node.attr("font").unwrap_or_default();
                let sign = code.and_then(|code| symbols::character(font, code));
                self.shown(&sign.map(String::from).unwrap_or_default(), format, line);
            }
            "fldChar" => self.field(node, format, line),
            "instrText" => self.fields.instruct(&node.text()),
            "footnoteReference" => self.note_reference(NoteKind::Footnote, node, format, line),
            "endnoteReference" => self.note_reference(NoteKind::Endnote, node, format, line),
            // The base text only. The reading above it would divide the word.
            "ruby" => {
                if let Some(base) = node.child("rubyBase") {
                    for child in base.nodes() {
                        self.inline(child, context, line);
                    }
                }
            }
            "AlternateContent" => {
                self.alternatives(node, line, |reader, choice, line| {
                    for child in choice.nodes() {
                        reader.piece(child, format, context, line);
                    }
                });
            }
            "drawing" | "pict" | "object" if !format.hidden && self.fields.shows_text() => {
                self.drawing(node, line);
            }
            _ => {}
        }
    }

    /// Adds text of the run's font.
    fn text(&mut self, text: &str, format: &Format, line: &mut Line) {
        if let Some((kind, id)) = self.notes.custom.take_if(|_| !text.trim().is_empty()) {
            if let Some(label) = self.reference(kind, &id, Some(text)) {
                line.push(format!("[^{label}]"), Emphasis::default(), None);
            }
            return;
        }
        let mut text = text.replace('\u{ad}', "");
        let font = format.font.as_deref().unwrap_or_default();
        if symbols::is_symbol_font(font)
            || text.contains(|character| matches!(character, '\u{f000}'..='\u{f0ff}'))
        {
            text = symbols::text(font, &text);
        }
        if let Some(script) = format.script {
            let before = line.spans.last().and_then(|span| span.text.chars().next_back());
            text = scripts::write(script, &text, before);
        }
        self.shown(&text, format, line);
    }

    /// Adds text unless it is hidden or the instruction of a field.
    fn shown(&mut self, text: &str, format: &Format, line: &mut Line) {
        if format.hidden || text.is_empty() || !self.fields.shows_text() {
            return;
        }
        self.fields.mark();
        line.push(text, format.emphasis, format.link.clone());
    }

    fn field(&mut self, node: &Node, format: &Format, line: &mut Line) {
        match node.attr("fldCharType") {
            Some("begin") => self.fields.begin(form_text(node)),
            Some("separate") => self.fields.separate(),
            Some("end") => {
                if let Some(text) = self.fields.end()
                    && !format.hidden
                {
                    line.push(text, format.emphasis, format.link.clone());
                }
            }
            _ => {}
        }
    }

    fn note_reference(&mut self, kind: NoteKind, node: &Node, format: &Format, line: &mut Line) {
        let Some(id) = node.attr("id") else { return };
        if format.hidden || !self.fields.shows_text() {
            return;
        }
        if matches!(node.attr("customMarkFollows"), Some("1" | "true" | "on")) {
            self.notes.custom = Some((kind, Box::from(id)));
        } else if let Some(label) = self.reference(kind, id, None) {
            line.push(format!("[^{label}]"), Emphasis::default(), None);
        }
    }
}

/// Displayed text of a form field without a result: the state of a check box, the choice of a list.
fn form_text(node: &Node) -> Option<String> {
    let data = node.child("ffData")?;
    if let Some(check_box) = data.child("checkBox") {
        let checked = check_box.toggle("checked").or_else(|| check_box.toggle("default")).unwrap_or(false);
        return Some(if checked { "☑" } else { "☐" }.to_owned());
    }
    let list = data.child("ddList")?;
    let chosen = list.child("result").or_else(|| list.child("default")).and_then(Node::val);
    let chosen: usize = chosen.and_then(|index| index.trim().parse().ok()).unwrap_or(0);
    let entry = list.nodes().filter(|entry| &*entry.name == "listEntry").nth(chosen)?;
    entry.val().map(str::to_owned)
}

/// Whether text is raised or lowered by a distance, in half points, instead of the superscript property.
/// Small distances align text with a picture.
fn raised(properties: &Node) -> Option<Script> {
    let distance: i32 = properties.child("position").and_then(Node::val)?.trim().parse().ok()?;
    match distance {
        MIN_RAISED.. => Some(Script::Super),
        ..=MIN_LOWERED => Some(Script::Sub),
        _ => None,
    }
}
