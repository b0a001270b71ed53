//! Code blocks: lines kept, line numbers and copy buttons removed, language from classes.

use dom_query::NodeRef;

use super::block::{Block, Flow};
use super::{Writer, buttons, dom};

/// Class names of elements that are one line of code.
const LINES: &[&str] = &[
    "line",
    "code-line",
    "token-line",
    "view-line",
    "hljs-ln-line",
    "codeline",
    "code__line",
    "cm-line",
    "ec-line",
    "code-block-line",
    "codeblock-line",
    "highlight-line",
    "shiki-line",
    "codemirror-line",
    "loc",
    "linha",
];

/// Class names of line numbers.
const GUTTERS: &[&str] = &[
    "ln",
    "lnt",
    "lnos",
    "gl",
    "gutter",
    "hljs-ln-numbers",
    "hljs-ln-n",
    "blob-num",
    "rouge-gutter",
    "lno",
    "prettyprint-line-number",
];

/// Parts of class names of line numbers.
const GUTTER_PARTS: &[&str] = &[
    "lineno", "line-no", "line_no", "linenum", "line-num", "line_num", "linenr", "line-nr", "gutter",
    "row-num",
];

/// Language names without meaning.
const NO_LANGUAGES: &[&str] =
    &["none", "plain", "plaintext", "text", "txt", "nohighlight", "default", "auto", "raw"];

/// Classes of elements that hold code without a `pre`.
const FRAMES: &[&str] = &["syntaxhighlighter", "codemirror-code", "crayon-syntax", "monaco-editor"];

impl Writer<'_> {
    pub(super) fn code_block(&mut self, node: &NodeRef, flow: &mut Flow) {
        let mut lines = Lines::default();
        lines.walk(node, 0);
        let code = lines.finish();
        if code.trim().is_empty() || (is_numbers(&code) && is_beside_code(node)) {
            return;
        }
        self.push(flow, Block::Code { language: language(node), code });
    }
}

/// Whether an element holds the line numbers of the code after it.
pub(super) fn is_gutter_beside(node: &NodeRef) -> bool {
    node.has_attr("class")
        && is_gutter(node)
        && node.next_element_sibling().is_some_and(|next| {
            next.has_name("pre") || dom::holds(&next, |name| matches!(name, "pre" | "code"))
        })
}

/// Whether an element is a code block without a `pre`.
pub(super) fn is_code_frame(node: &NodeRef) -> bool {
    dom::has_class(node, FRAMES)
}

/// Whether a code element has several lines.
pub(super) fn has_lines(node: &NodeRef) -> bool {
    if dom::holds(node, |name| matches!(name, "br" | "div" | "li" | "p" | "tr")) {
        return true;
    }
    let class = dom::class(node);
    let kept = dom::style(node, "white-space").is_some_and(|value| value.starts_with("pre"));
    (kept || class.contains("language-") || class.contains("hljs")) && {
        let mut text = String::new();
        node.descendants_it().take(400).for_each(|inner| dom::push_text(&inner, &mut text));
        text.trim().contains('\n')
    }
}

/// The code part of a table that only places line numbers beside code.
pub(super) fn of_table<'a>(table: &NodeRef<'a>, rows: &[Vec<NodeRef<'a>>]) -> Option<NodeRef<'a>> {
    let is_code = |cell: &NodeRef| {
        dom::holds(cell, |name| matches!(name, "pre" | "code")) || dom::class(cell).contains("code")
    };
    if !rows.iter().flatten().any(is_code) {
        return None;
    }
    if let Some(row) = rows.iter().find(|row| row.len() > 1)
        && rows.len() <= 2
        && row.iter().any(|cell| is_numbers(&raw(cell)))
    {
        return row.iter().find(|cell| is_code(cell) && !is_numbers(&raw(cell))).copied();
    }
    let numbered = rows.iter().filter(|row| {
        row.len() >= 2
            && row.first().is_some_and(|cell| is_gutter(cell) || is_number(dom::text(cell, 12).as_str()))
    });
    let coded = rows.iter().all(|row| row.last().is_some_and(is_code));
    (rows.len() > 1 && coded && numbered.count() == rows.len()).then_some(*table)
}

/// The lines of a cell, unchanged.
fn raw(cell: &NodeRef) -> String {
    let mut lines = Lines { keep_gutters: true, ..Lines::default() };
    lines.walk(cell, 0);
    lines.out
}

/// Lines of code collected so far.
#[derive(Default)]
struct Lines {
    out: String,
    keep_gutters: bool,
    /// Number of removed line numbers.
    gutters: usize,
    /// Numbers in separate elements at the start of a line: start and end in `out`, and value.
    numbers: Vec<(usize, usize, u32)>,
}

impl Lines {
    fn walk(&mut self, node: &NodeRef, depth: usize) {
        if depth > super::MAX_DEPTH {
            return;
        }
        for child in node.children_it(false) {
            let Some(name) = child.node_name() else {
                dom::push_text(&child, &mut self.out);
                continue;
            };
            if &*name == "br" {
                self.out.push('\n');
                continue;
            }
            if !self.keep_gutters && is_gutter(&child) {
                self.gutters += 1;
                continue;
            }
            if dom::never_content(&name)
                || matches!(&*name, "button" | "svg" | "img" | "input")
                || buttons::is_copy_tool(&child)
                || dom::for_screen_readers(&child)
            {
                continue;
            }
            let block = dom::is_block_name(&name) && !matches!(&*name, "td" | "th" | "tbody" | "thead")
                || dom::style(&child, "display")
                    .is_some_and(|display| matches!(display.as_str(), "block" | "flex" | "grid"));
            if block && !self.out.is_empty() && !self.out.ends_with('\n') {
                self.out.push('\n');
            }
            let start = self.out.len();
            let begins = start == 0 || self.out.ends_with('\n');
            self.walk(&child, depth + 1);
            if block || dom::has_class(&child, LINES) || (child.has_attr("data-line") && &*name == "span") {
                let ends = self.out.len() > start && self.out.ends_with('\n');
                if !ends && !newline_follows(&child) {
                    self.out.push('\n');
                }
            } else if begins
                && let Some(value) = self.out.get(start..).and_then(|text| text.trim().parse().ok())
            {
                self.numbers.push((start, self.out.len(), value));
            }
        }
    }

    /// The code. Consecutive numbers at the start of all lines are removed as line numbers.
    fn finish(self) -> String {
        let lines = self.out.trim_end().lines().count();
        let gutter = self.numbers.len() > 1
            && self.numbers.len() == lines
            && self
                .numbers
                .iter()
                .zip(self.numbers.iter().skip(1))
                .all(|((.., one), (.., next))| one + 1 == *next);
        let mut code = String::new();
        let mut at = 0;
        if gutter {
            for (start, end, _) in &self.numbers {
                code.push_str(self.out.get(at..*start).unwrap_or_default());
                at = *end;
            }
        }
        code.push_str(self.out.get(at..).unwrap_or_default());
        let code =
            code.replace("\r\n", "\n").replace(['\r', '\u{2028}'], "\n").replace(['\u{a0}', '\u{202f}'], " ");
        let code: String = code.chars().filter(|character| !dom::invisible(*character)).collect();
        let code = if gutter || self.gutters > 1 { dedented(&code) } else { code };
        let first = code.find(|character: char| !character.is_whitespace()).unwrap_or(0);
        let start = code.get(..first).and_then(|blank| blank.rfind('\n')).map_or(0, |at| at + 1);
        code.get(start..).unwrap_or_default().trim_end().to_owned()
    }
}

/// The code without its common indentation: the white space between line numbers and code.
fn dedented(code: &str) -> String {
    let lines = || code.split('\n').filter(|line| !line.trim().is_empty());
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let common = lines().map(indent).min().unwrap_or(0);
    let lines = code.split('\n').map(|line| line.get(common..).unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a line break follows an element.
fn newline_follows(node: &NodeRef) -> bool {
    node.next_sibling().is_some_and(|next| {
        let mut text = String::new();
        dom::push_text(&next, &mut text);
        next.has_name("br") || text.starts_with(['\n', '\r'])
    })
}

/// Whether an element is a line number, or all line numbers.
fn is_gutter(node: &NodeRef) -> bool {
    let class = dom::class(node);
    let classed = class
        .split_ascii_whitespace()
        .any(|class| GUTTERS.contains(&class) || GUTTER_PARTS.iter().any(|part| class.contains(part)));
    let unselectable = ["user-select", "-webkit-user-select"]
        .iter()
        .any(|name| dom::style(node, name).is_some_and(|value| value == "none"));
    let stated =
        ["data-line-number", "data-lineno", "data-linenumber"].iter().any(|name| node.has_attr(name));
    if !(classed || unselectable || stated) {
        return false;
    }
    let text = dom::text(node, 64);
    text.split_whitespace().all(is_number) && (!text.is_empty() || !dom::holds(node, |name| name == "code"))
}

fn is_number(word: &str) -> bool {
    let digits = word.trim_end_matches([':', '.', '|', ')']);
    !digits.is_empty() && digits.len() <= 6 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text consists only of consecutive line numbers.
fn is_numbers(text: &str) -> bool {
    let mut last: Option<u32> = None;
    for word in text.split_whitespace() {
        let Ok(number) = word.trim_end_matches([':', '.']).parse::<u32>() else { return false };
        if last.is_some_and(|last| last.checked_add(1) != Some(number)) {
            return false;
        }
        last = Some(number);
    }
    last.is_some()
}

/// Whether a `pre` is beside other code or is marked as line numbers by its class.
fn is_beside_code(node: &NodeRef) -> bool {
    if is_gutter(node) || node.ancestors_it(Some(3)).any(|outer| is_gutter(&outer)) {
        return true;
    }
    node.ancestors_it(Some(2))
        .any(|outer| outer.descendants_it().take(400).filter(|inner| inner.has_name("pre")).count() > 1)
}

/// The language of code from its attributes and classes, or an empty string.
fn language(node: &NodeRef) -> String {
    let inner = node.descendants_it().take(4).find(|inner| inner.has_name("code"));
    let nodes = [Some(*node), inner].into_iter().flatten().chain(node.ancestors_it(Some(3)));
    for node in nodes {
        if node.node_name().is_some_and(|name| matches!(&*name, "body" | "main" | "article" | "html")) {
            break;
        }
        let stated = ["data-lang", "data-language", "data-code-lang"]
            .iter()
            .find_map(|name| dom::attribute(&node, name));
        if let Some(name) = stated.or_else(|| from_class(&dom::class(&node))).and_then(|name| plain(&name)) {
            return name;
        }
    }
    String::new()
}

fn from_class(class: &str) -> Option<String> {
    let mut classes = class.split_ascii_whitespace();
    let prefixed = classes.clone().find_map(|class| {
        ["language-", "lang-", "highlight-source-", "source-", "brush:", "highlight-"]
            .iter()
            .find_map(|prefix| class.strip_prefix(prefix))
    });
    if let Some(name) = prefixed.filter(|name| !name.is_empty()) {
        return Some(name.trim_end_matches(';').to_owned());
    }
    // `brush: php;`, `sourceCode python`, `hljs rust`.
    while let Some(class) = classes.next() {
        if matches!(class, "brush:" | "sourcecode" | "hljs") {
            return classes.next().map(|name| name.trim_end_matches(';').to_owned());
        }
    }
    None
}

fn plain(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let is_name = (1..=20).contains(&name.len())
        && name.chars().all(|character| {
            character.is_ascii_alphanumeric() || matches!(character, '+' | '#' | '-' | '_' | '.')
        });
    (is_name && !NO_LANGUAGES.contains(&name.as_str())).then_some(name)
}
