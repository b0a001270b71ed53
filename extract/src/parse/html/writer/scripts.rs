//! Superscripts and subscripts: decimals of prices, powers, units, ordinals, note marks.

use dom_query::NodeRef;

use super::block::Flow;
use super::seam::{self, Seam};
use super::{Context, Writer, dom};

/// Units that can have an exponent.
const UNITS: &[&str] = &[
    "m", "mm", "cm", "dm", "km", "nm", "µm", "μm", "in", "ft", "yd", "mi", "s", "g", "kg", "м", "см", "мм",
    "км", "л", "l", "a", "ha", "px", "w", "hz", "sq",
];

impl Writer<'_> {
    pub(super) fn script(&mut self, node: &NodeRef, name: &str, context: Context, flow: &mut Flow) {
        let text = dom::text(node, 64);
        if text.is_empty() {
            self.children(node, context, flow);
            return;
        }
        let is_sup = name == "sup";
        let digits = text.chars().all(|character| character.is_ascii_digit());
        if self.decimals(node, context, flow) {
            self.children(node, context, flow);
            return self.end_script(flow);
        }
        let last = flow.line.last();
        let tail = flow.line.tail(24);
        let is_mark = is_note_mark(node, &text);
        let is_number = text.trim_start_matches(['-', '+', '−', '–']).chars().all(|c| c.is_ascii_digit());
        if digits && (slash_follows(node) || matches!(last, Some('/' | '⁄'))) {
            // A fraction after a number: 1 1/2.
            if last.is_some_and(|last| last.is_ascii_digit()) {
                flow.line.space_word();
            }
            return self.push_script("", &text, context, flow);
        }
        if digits
            && matches!(last, Some(',' | '.'))
            && tail.chars().rev().nth(1).is_some_and(|before| before.is_ascii_digit())
        {
            return self.push_script("", &text, context, flow);
        }
        match last {
            // A note mark on its own or after a word.
            _ if is_sup && is_mark => self.note(&text, context, flow),
            None => self.children(node, context, flow),
            Some(last) if is_number => {
                let signed = !digits;
                let word = word_end(&tail);
                let letters = word.chars().filter(|character| character.is_alphabetic()).count();
                let unit = UNITS.contains(&word.to_lowercase().as_str());
                if !is_sup {
                    // Chemical formulas get no underscore: H2O and C6H12O6, but x_1 and log_2.
                    if is_formula(&tail) || matches!(last, ')' | ']') {
                        self.push_script("", &text, context, flow);
                    } else {
                        self.push_script("_", &text, context, flow);
                    }
                } else if last.is_ascii_digit() {
                    let (_, number) = seam::number_end(&tail);
                    if signed || (number.len() <= 2 && text != "1") {
                        self.push_script("^", &text, context, flow);
                    } else {
                        self.note(&text, context, flow);
                    }
                } else if unit && digits && text.len() == 1 && last.is_alphabetic() {
                    let raised: String = text.chars().map(raise).collect();
                    self.push_script("", &raised, context, flow);
                } else if signed
                    || (letters == 1 && last.is_alphabetic())
                    || matches!(last, ')' | ']')
                        && text != "1"
                        && text.len() == 1
                        && tail.contains('(')
                        && is_product(&tail)
                {
                    self.push_script("^", &text, context, flow);
                } else {
                    self.note(&text, context, flow);
                }
            }
            Some(last) => {
                let one_letter = text.chars().count() == 1 && text.chars().all(char::is_alphabetic);
                let is_power = last.is_ascii_digit()
                    && text.chars().any(|c| c.is_ascii_digit())
                    && !text.starts_with([',', '.', '/'])
                    && !seam::starts_with_currency(&text);
                if is_sup
                    && (is_power
                        || (one_letter && word_end(&tail).chars().count() == 1 && last.is_lowercase()))
                {
                    self.push_script("^", &text, context, flow);
                } else if !is_sup
                    && one_letter
                    && word_end(&tail).chars().count() == 1
                    && last.is_alphabetic()
                {
                    self.push_script("_", &text, context, flow);
                } else {
                    // Ordinals, signs, fractions: 1st, Mme, ™, ½.
                    self.children(node, context, flow);
                    self.end_script(flow);
                }
            }
        }
    }

    fn push_script(&self, sign: &str, text: &str, context: Context, flow: &mut Flow) {
        flow.line.push_word(&format!("{sign}{text}"), context.style);
        self.end_script(flow);
    }

    /// Separates a following number from the script: `x^2` and `3`.
    fn end_script(&self, flow: &mut Flow) {
        flow.seam = Seam { closed: seam::Edge::Span, ..Seam::default() };
    }

    /// Writes a note mark in brackets, separate from the word or number before it.
    fn note(&self, text: &str, context: Context, flow: &mut Flow) {
        let mark = text.trim_matches(['[', ']', '(', ')', ' ']);
        if mark.chars().any(char::is_alphanumeric) {
            flow.line.space_word();
            flow.line.push_word(&format!("[{mark}]"), super::Style { link: 0, ..context.style });
        } else {
            flow.line.push_word(mark, super::Style { link: 0, ..context.style });
        }
        self.end_script(flow);
    }
}

/// Whether a superscript is a note mark: by its brackets, its class, or a link.
fn is_note_mark(node: &NodeRef, text: &str) -> bool {
    let mark = text.trim_matches(['[', ']', '(', ')']);
    if mark.is_empty() || mark.chars().count() > 12 {
        return false;
    }
    let bracketed = text.starts_with(['[', '(']) && mark.chars().all(|c| c.is_ascii_digit());
    let class = dom::class(node);
    bracketed
        || ["footnote", "reference", "noteref", "fn-ref", "fnref"].iter().any(|word| class.contains(word))
        || node
            .descendants_it()
            .take(8)
            .any(|inner| inner.has_name("a") && inner.attr("href").is_some_and(|href| href.contains('#')))
        || parent_links(node)
}

/// Whether the text after an element begins with a fraction bar.
fn slash_follows(node: &NodeRef) -> bool {
    node.next_sibling().is_some_and(|next| {
        let mut text = String::new();
        dom::push_text(&next, &mut text);
        text.trim_start().starts_with(['/', '⁄'])
    })
}

fn parent_links(node: &NodeRef) -> bool {
    node.parent().is_some_and(|parent| {
        parent.has_name("a") && parent.attr("href").is_some_and(|href| href.trim().starts_with('#'))
    })
}

/// Whether a text ends like a chemical formula: `H`, `CO`, `2O`.
fn is_formula(tail: &str) -> bool {
    let word: String = tail
        .chars()
        .rev()
        .take_while(|character| character.is_ascii_alphanumeric() || matches!(character, '(' | ')'))
        .collect();
    let word: String = word.chars().rev().collect();
    let capitals = word.chars().filter(char::is_ascii_uppercase).count();
    let smalls = word.chars().filter(char::is_ascii_lowercase).count();
    capitals > 0 && smalls <= capitals && !word.ends_with(|character: char| character.is_ascii_digit())
}

/// Whether a text ends in brackets around an expression: `(a + b)`.
fn is_product(tail: &str) -> bool {
    let inside = tail.rsplit('(').next().unwrap_or_default();
    inside.contains(['+', '-', '−', '*', '/', '=']) || inside.chars().count() <= 3
}

fn word_end(text: &str) -> String {
    let word: Vec<char> = text.chars().rev().take_while(|character| character.is_alphabetic()).collect();
    word.into_iter().rev().collect()
}

fn raise(digit: char) -> char {
    match digit {
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        other => other,
    }
}
