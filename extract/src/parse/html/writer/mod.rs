//! Writer from DOM nodes to Markdown, for whole pages and for articles.
//!
//! The caller selects the content and prunes the tree; the writer only decides the form. Elements that
//! are never content are skipped (scripts, styles, templates, frames, fields). The tree must still contain
//! `button`, `svg`, `kbd` and `style` elements: they supply names of buttons and icons, and classes that
//! separate words.
//!
//! Nodes become blocks ([`block`]) with lines of styled text ([`line`]), and blocks become Markdown
//! ([`render`]). The output is final. It is escaped only where text would become a block or a table cell.
//! Time is linear in the size of the tree, and recursion is bounded by [`MAX_DEPTH`].

mod block;
mod boundary;
mod buttons;
mod choices;
mod code;
mod dom;
mod grid;
mod icons;
mod inline;
mod line;
mod links;
mod list;
mod math;
mod render;
mod scripts;
mod seam;
mod sheet;
mod table;
mod tabs;

#[cfg(test)]
mod tests;

use dom_query::{NodeData, NodeRef};
use url::Url;

use block::{Block, Flow};
use line::{Line, Style};

/// Maximum depth of the elements that are written. The check before parsing allows about 400 levels.
const MAX_DEPTH: usize = 600;

/// Writes a node and its content as Markdown. `base` makes relative links absolute. Without it, only absolute
/// links stay links.
pub(super) fn write(root: &NodeRef, base: Option<&Url>) -> String {
    let mut writer = Writer {
        base,
        links: Vec::new(),
        titled: links::titled(root),
        tabs: tabs::Tabs::of(root),
        sheet: sheet::Sheet::of(root),
        comma: has_decimal_comma(root),
        depth: 0,
        icon: None,
        caption: String::new(),
        repeated: table::MAX_REPEATED_BYTES,
    };
    let mut flow = Flow::default();
    if root.is_element() {
        writer.node(root, Context::default(), &mut flow);
    } else {
        writer.children(root, Context::default(), &mut flow);
    }
    writer.flush(&mut flow, false);
    writer.render(&flow.blocks)
}

/// State of one conversion.
struct Writer<'b> {
    base: Option<&'b Url>,
    /// Addresses of the links. The index is the link number minus one.
    links: Vec<String>,
    /// Texts of links, by the addresses in the source.
    titled: std::collections::HashMap<String, String>,
    tabs: tabs::Tabs,
    sheet: sheet::Sheet,
    /// Whether the page's language has a decimal comma.
    comma: bool,
    depth: usize,
    /// Meaning of the icon in the current cell or list item, known only from the icon's name.
    icon: Option<icons::Meaning>,
    /// Caption of the current figure.
    caption: String,
    /// Number of bytes that cells with row or column spans may still add by repetition.
    repeated: usize,
}

/// Properties of the elements around the current node.
#[derive(Clone, Copy, Default)]
struct Context {
    style: Style,
    /// Inside a heading or another one-line block: inner blocks only separate words.
    flat: bool,
    heading: bool,
    cell: bool,
    item: bool,
    /// Inside a price element, by its classes.
    price: bool,
    /// Line breaks of the source are kept.
    lines: bool,
}

impl Writer<'_> {
    /// The blocks of a node's content.
    fn blocks(&mut self, node: &NodeRef, context: Context) -> Vec<Block> {
        let mut flow = Flow::default();
        self.children(node, context, &mut flow);
        self.flush(&mut flow, false);
        flow.blocks
    }

    /// The content of a node on one line. Inner blocks only separate words.
    fn one_line(&mut self, node: &NodeRef, context: Context) -> Line {
        let mut flow = Flow::default();
        self.children(node, Context { flat: true, ..context }, &mut flow);
        self.flush(&mut flow, false);
        let mut line = Line::default();
        for block in flow.blocks {
            if let Block::Line { line: part, .. } = block {
                line.append(part);
            }
        }
        line
    }

    fn children(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        if self.depth >= MAX_DEPTH {
            return;
        }
        self.depth += 1;
        let apart = self.sets_children_apart(node);
        for child in node.children_it(false) {
            if apart {
                flow.seam.apart = true;
            }
            self.node(&child, context, flow);
            if apart {
                flow.seam.apart = true;
            }
        }
        self.depth -= 1;
    }

    fn node(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        if let Some(name) = node.node_name() {
            self.element(node, &name, context, flow);
            return;
        }
        let mut text = String::new();
        node.query(|node| {
            if let NodeData::Text { contents } = &node.data {
                text.push_str(contents);
            }
        });
        self.text(&text, context, flow);
    }

    fn element(&mut self, node: &NodeRef, name: &str, context: Context, flow: &mut Flow) {
        if name == "select" {
            self.choices(node, context, flow);
            return;
        }
        if dom::never_content(name) {
            // MathJax 2 stores the source of a formula in a script.
            if name == "script" && dom::keyword(node, "type").starts_with("math/tex") {
                self.tex_script(node, context, flow);
            }
            return;
        }
        match name {
            "br" => flow.line.break_line(),
            "wbr" => {}
            "img" | "image" => self.image(node, context, flow),
            "svg" => self.svg(node, context, flow),
            "math" => self.math(node, context, flow),
            "a" => self.link(node, context, flow),
            "button" => self.button(node, context, flow),
            "input" => self.field(node, context, flow),
            "label" => self.label(node, context, flow),
            "sup" | "sub" => self.script(node, name, context, flow),
            _ if context.flat => self.inline(node, name, context, flow),
            "hr" => self.push(flow, Block::Rule),
            "pre" | "listing" | "xmp" => self.code_block(node, flow),
            "table" => self.table(node, context, flow),
            "ul" | "ol" | "menu" | "dir" => self.list(node, name, context, flow),
            "dl" => self.definitions(node, context, flow),
            "blockquote" => self.quote(node, context, flow),
            "summary" => self.question(node, context, flow),
            "figure" => self.figure(node, context, flow),
            _ => match self.role(node, name) {
                Role::Heading(level) => self.heading(node, level, context, flow),
                Role::Table => self.table(node, context, flow),
                Role::Code => self.code_block(node, flow),
                Role::Block => self.block(node, name, context, flow),
                Role::Inline => self.inline(node, name, context, flow),
                Role::Nothing => {}
            },
        }
    }

    /// The form of an element that its name alone does not determine.
    fn role(&self, node: &NodeRef, name: &str) -> Role {
        let role = dom::keyword(node, "role");
        if let Some(level) = dom::heading_level(name) {
            let hidden = matches!(role.as_str(), "presentation" | "none");
            return if hidden { Role::Block } else { Role::Heading(level) };
        }
        match role.as_str() {
            "heading" => {
                let level = dom::keyword(node, "aria-level").parse().unwrap_or(2);
                return Role::Heading(std::cmp::Ord::clamp(level, 1, 6));
            }
            "table" | "grid" | "treegrid" => return Role::Table,
            _ => {}
        }
        if code::is_code_frame(node) || (name == "code" && code::has_lines(node)) {
            return Role::Code;
        }
        if code::is_gutter_beside(node) {
            return Role::Nothing;
        }
        match self.display(node) {
            Some(boundary::Display::Block) => Role::Block,
            Some(boundary::Display::Inline) => Role::Inline,
            None if dom::is_block_name(name) => Role::Block,
            None => Role::Inline,
        }
    }

    /// Writes a heading without emphasis and without its permalink.
    fn heading(&mut self, node: &NodeRef, level: u8, context: Context, flow: &mut Flow) {
        let style = Style { link: context.style.link, ..Style::default() };
        let mut line = self.one_line(node, Context { heading: true, style, ..context });
        line.restyle(|style| (style.strong, style.em) = (false, false));
        if !line.is_blank() {
            self.push(flow, Block::Heading { level, line });
        }
    }

    /// Writes a title as a separate line in bold type, such as a question above its answer.
    fn question(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        if dom::holds(node, |name| dom::heading_level(name).is_some()) {
            self.block(node, "div", context, flow);
            return;
        }
        let mut line = self.one_line(node, context);
        line.restyle(|style| (style.strong, style.button) = (true, false));
        if !line.is_blank() {
            self.push(flow, Block::Line { line, paragraph: true });
        }
    }

    fn quote(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        let blocks = self.blocks(node, Context { style: Style::default(), ..context });
        if !blocks.is_empty() {
            self.push(flow, Block::Quote(blocks));
        }
    }

    fn figure(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        let caption = node.descendants_it().find(|inner| inner.has_name("figcaption"));
        let caption = caption.map(|caption| dom::text(&caption, 1000)).unwrap_or_default();
        let outer = std::mem::replace(&mut self.caption, caption);
        self.block(node, "figure", context, flow);
        self.caption = outer;
    }
}

/// Form of an element.
enum Role {
    Heading(u8),
    Table,
    Code,
    Block,
    Inline,
    /// The element is not written.
    Nothing,
}

/// Languages with a decimal point. All others have a decimal comma.
const POINT: &[&str] = &["en", "zh", "ja", "ko", "th", "he", "hi", "ms", "ur", "bn", "ta"];

/// Whether the page declares a language with a decimal comma.
fn has_decimal_comma(root: &NodeRef) -> bool {
    let declared = |node: &NodeRef| dom::attribute(node, "lang").or_else(|| dom::attribute(node, "xml:lang"));
    let language = declared(root).or_else(|| root.ancestors_it(None).find_map(|node| declared(&node)));
    let language = language.or_else(|| root.tree.root().children_it(false).find_map(|node| declared(&node)));
    language.is_some_and(|language| {
        let main = language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        !main.is_empty() && !POINT.contains(&main.as_str())
    })
}
