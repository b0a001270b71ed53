//! Lists with the numbers shown by a browser, and definition lists.

use dom_query::NodeRef;

use super::block::{Block, Flow, Item};
use super::line::{Line, Style};
use super::{Context, Writer, dom, icons};

/// Number format of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbers {
    Decimal,
    Letters { upper: bool },
    Roman { upper: bool },
    None,
}

impl Writer<'_> {
    pub(super) fn list(&mut self, node: &NodeRef, name: &str, context: Context, flow: &mut Flow) {
        self.flush(flow, false);
        let numbers = if name == "ol" { numbers(node) } else { Numbers::None };
        let reversed = node.has_attr("reversed");
        let mut number = dom::keyword(node, "start").parse::<i64>().unwrap_or_else(|_| {
            if reversed {
                i64::try_from(node.children_it(false).filter(|child| child.has_name("li")).count())
                    .unwrap_or(1)
            } else {
                1
            }
        });
        let inner = self.styled(node, name, Context { item: true, ..context });
        let mut items: Vec<Item> = Vec::new();
        let mut loose = Flow::default();
        for child in node.children_it(false) {
            if !child.has_name("li") {
                self.node(&child, inner, &mut loose);
                continue;
            }
            self.adopt(&mut loose, &mut items);
            if let Ok(stated) = dom::keyword(&child, "value").parse::<i64>() {
                number = stated;
            }
            if self.tabs.is_tab(&child) {
                continue;
            }
            let blocks = self.item(&child, inner);
            if blocks.iter().any(|block| !matches!(block, Block::Gap)) {
                items.push(item(numbers, number, blocks));
            }
            number = if reversed { number.saturating_sub(1) } else { number.saturating_add(1) };
        }
        self.adopt(&mut loose, &mut items);
        if items.is_empty() {
            return;
        }
        // Cards are lists only in their markup.
        let cards = items.iter().any(|item| {
            item.blocks.iter().any(|block| matches!(block, Block::Heading { .. } | Block::Table(_)))
        });
        if cards {
            for item in items {
                flow.blocks.push(Block::Gap);
                flow.blocks.extend(item.blocks);
            }
            flow.blocks.push(Block::Gap);
        } else {
            flow.blocks.push(Block::List(items));
        }
    }

    /// The blocks of an item, with a sign for an icon that means yes or no.
    fn item(&mut self, node: &NodeRef, context: Context) -> Vec<Block> {
        let outer = self.icon.take();
        let inner = self.styled(node, "li", context);
        let mut flow = Flow::default();
        if self.sets_children_apart(node) && self.is_row_of_words(node) {
            self.children(node, Context { flat: true, ..inner }, &mut flow);
        } else {
            self.children(node, inner, &mut flow);
        }
        self.flush(&mut flow, false);
        let meaning = std::mem::replace(&mut self.icon, outer);
        if let (Some(meaning), Some(Block::Line { line, .. })) =
            (meaning, flow.blocks.iter_mut().find(|block| !matches!(block, Block::Gap)))
            && !context.cell
        {
            let mut marked = Line::default();
            marked.push_word(if meaning == icons::Meaning::Yes { "✓" } else { "✗" }, Style::default());
            marked.append(std::mem::take(line));
            *line = marked;
        }
        flow.blocks
    }

    /// Appends content between items to the previous item: nested lists are often written this way.
    fn adopt(&mut self, loose: &mut Flow, items: &mut Vec<Item>) {
        self.flush(loose, false);
        let blocks = std::mem::take(&mut loose.blocks);
        if blocks.iter().all(|block| matches!(block, Block::Gap)) {
            return;
        }
        match items.last_mut() {
            Some(last) => last.blocks.extend(blocks),
            None => items.push(Item { marker: "-".to_owned(), blocks }),
        }
    }

    /// Writes terms with their descriptions, on one line each if they are short.
    pub(super) fn definitions(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        self.flush(flow, false);
        let mut groups: Vec<Group> = Vec::new();
        self.groups(node, context, &mut groups, 0);
        let short = groups
            .iter()
            .all(|group| group.heads.is_empty() && group.descriptions.iter().all(|blocks| is_short(blocks)));
        let mut items = Vec::new();
        for group in groups {
            let mut term = Line::default();
            for line in group.terms {
                if !term.is_blank() {
                    term.push_word(",", Style::default());
                }
                term.append(line);
            }
            if !short {
                flow.blocks.push(Block::Gap);
                flow.blocks.extend(group.heads);
                if !term.is_blank() {
                    term.restyle(|style| style.strong = !context.cell);
                    flow.blocks.push(Block::Line { line: term, paragraph: true });
                }
                flow.blocks.extend(group.descriptions.into_iter().flatten());
                flow.blocks.push(Block::Gap);
                continue;
            }
            let line = pair(term, group.descriptions, context.cell);
            if !line.is_blank() {
                items.push(Item {
                    marker: "-".to_owned(),
                    blocks: vec![Block::Line { line, paragraph: false }],
                });
            }
        }
        if !items.is_empty() {
            flow.blocks.push(Block::List(items));
        }
    }

    fn groups(&mut self, node: &NodeRef, context: Context, groups: &mut Vec<Group>, depth: usize) {
        for child in node.children_it(false) {
            let Some(name) = child.node_name() else { continue };
            match &*name {
                "dt" => {
                    if groups.last().is_none_or(|group| !group.descriptions.is_empty()) {
                        groups.push(Group::default());
                    }
                    let has_heading = dom::holds(&child, |name| dom::heading_level(name).is_some());
                    let inner = self.styled(&child, "dt", context);
                    if has_heading {
                        let blocks = self.blocks(&child, inner);
                        if let Some(group) = groups.last_mut() {
                            group.heads.extend(blocks);
                        }
                    } else {
                        let line = self.one_line(&child, inner);
                        if let Some(group) = groups.last_mut()
                            && !line.is_blank()
                        {
                            group.terms.push(line);
                        }
                    }
                }
                "dd" => {
                    let outer = self.icon.take();
                    let inner = self.styled(&child, "dd", context);
                    let mut blocks = self.blocks(&child, inner);
                    let meaning = std::mem::replace(&mut self.icon, outer);
                    if let (true, Some(meaning)) = (blocks.is_empty(), meaning) {
                        let mut line = Line::default();
                        line.push_word(meaning.word(), Style::default());
                        blocks.push(Block::Line { line, paragraph: false });
                    }
                    if groups.is_empty() {
                        groups.push(Group::default());
                    }
                    if let Some(group) = groups.last_mut() {
                        group.descriptions.push(blocks);
                    }
                }
                // Groups may have wrapper elements.
                "div" | "span" | "section" | "li" if depth < 3 => {
                    self.groups(&child, context, groups, depth + 1)
                }
                _ => {
                    let blocks = {
                        let mut inner = Flow::default();
                        self.node(&child, context, &mut inner);
                        self.flush(&mut inner, false);
                        inner.blocks
                    };
                    if !blocks.is_empty() {
                        groups.push(Group { descriptions: vec![blocks], ..Group::default() });
                    }
                }
            }
        }
    }
}

/// Terms and their descriptions.
#[derive(Default)]
struct Group {
    heads: Vec<Block>,
    terms: Vec<Line>,
    descriptions: Vec<Vec<Block>>,
}

/// Whether a description is short enough for the line of its term.
fn is_short(blocks: &[Block]) -> bool {
    let mut lines = blocks.iter().filter(|block| !matches!(block, Block::Gap));
    match (lines.next(), lines.next()) {
        (None, _) => true,
        (Some(Block::Line { line, .. }), None) => line.size() <= 400,
        _ => false,
    }
}

/// A term and its descriptions on one line.
fn pair(term: Line, descriptions: Vec<Vec<Block>>, cell: bool) -> Line {
    let mut line = term;
    line.restyle(|style| style.strong = !cell);
    let mut first = true;
    for block in descriptions.into_iter().flatten() {
        let Block::Line { line: part, .. } = block else { continue };
        if !line.is_blank() {
            let ends = line.tail(1).ends_with([':', '?', '!', '.', ';', '？', '：']);
            if !first {
                line.push_word(";", Style::default());
            } else if !ends {
                line.push_word(":", Style::default());
            }
        }
        line.append(part);
        first = false;
    }
    // All on one line: line breaks become spaces.
    for run in &mut line.runs {
        if run.text.contains('\n') {
            run.text = run.text.replace("\n\n", " ").replace('\n', " ");
        }
    }
    line
}

fn item(numbers: Numbers, number: i64, mut blocks: Vec<Block>) -> Item {
    let label = match numbers {
        Numbers::None => return Item { marker: "-".to_owned(), blocks },
        Numbers::Decimal if (0..=999_999_999).contains(&number) => {
            return Item { marker: format!("{number}."), blocks };
        }
        Numbers::Decimal => format!("{number}."),
        Numbers::Letters { upper } => cased(letters(number), upper),
        Numbers::Roman { upper } => cased(roman(number), upper),
    };
    // Markdown numbers lists with digits only, so other labels become text.
    if let Some(Block::Line { line, .. }) = blocks.iter_mut().find(|block| !matches!(block, Block::Gap)) {
        let mut labelled = Line::default();
        labelled.push_word(&label, Style::default());
        labelled.append(std::mem::take(line));
        *line = labelled;
    }
    Item { marker: "-".to_owned(), blocks }
}

fn numbers(node: &NodeRef) -> Numbers {
    let style =
        dom::style(node, "list-style-type").or_else(|| dom::style(node, "list-style")).unwrap_or_default();
    let kind = node.attr("type").map(|kind| kind.trim().to_owned()).unwrap_or_default();
    match (style.split_whitespace().next().unwrap_or_default(), kind.as_str()) {
        ("lower-alpha" | "lower-latin", _) | ("", "a") => Numbers::Letters { upper: false },
        ("upper-alpha" | "upper-latin", _) | ("", "A") => Numbers::Letters { upper: true },
        ("lower-roman", _) | ("", "i") => Numbers::Roman { upper: false },
        ("upper-roman", _) | ("", "I") => Numbers::Roman { upper: true },
        ("none" | "disc" | "circle" | "square", _) => Numbers::None,
        _ => Numbers::Decimal,
    }
}

fn cased(label: String, upper: bool) -> String {
    format!("{}.", if upper { label.to_uppercase() } else { label })
}

/// A list label in letters: 1 is `a`, 27 is `aa`.
fn letters(number: i64) -> String {
    let mut rest = number;
    let mut letters = Vec::new();
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'a' + u8::try_from(rest % 26).unwrap_or(0)));
        rest /= 26;
    }
    if letters.is_empty() { number.to_string() } else { letters.iter().rev().collect() }
}

fn roman(number: i64) -> String {
    if !(1..4000).contains(&number) {
        return number.to_string();
    }
    let mut rest = number;
    let mut roman = String::new();
    for (value, letters) in [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ] {
        while rest >= value {
            roman.push_str(letters);
            rest -= value;
        }
    }
    roman
}
