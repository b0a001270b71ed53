//! Formulas: their TeX source if the page contains it, else MathML on one line.

use dom_query::NodeRef;

use super::block::Flow;
use super::seam::Seam;
use super::{Context, Writer, dom};

/// Maximum length of a formula, in bytes.
const MAX_FORMULA: usize = 20_000;

impl Writer<'_> {
    pub(super) fn math(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        let source = node
            .descendants_it()
            .find(|inner| inner.has_name("annotation") && dom::keyword(inner, "encoding").contains("tex"))
            .map(|annotation| dom::text(&annotation, MAX_FORMULA))
            .filter(|source| !source.is_empty())
            .or_else(|| dom::attribute(node, "alttext"));
        let display = dom::keyword(node, "display") == "block" && !context.flat;
        let formula = match source {
            Some(source) => format!("${}$", stripped(&source)),
            None => {
                let mut linear = String::new();
                line(node, &mut linear, 0);
                linear.split_whitespace().collect::<Vec<_>>().join(" ")
            }
        };
        self.formula(&formula, display, context, flow);
    }

    /// Writes the source of a formula that MathJax 2 stores in a script.
    pub(super) fn tex_script(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        let mut source = String::new();
        node.children_it(false).for_each(|child| dom::push_text(&child, &mut source));
        let display = dom::keyword(node, "type").contains("display") && !context.flat;
        let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
        if !source.is_empty() && source.len() <= MAX_FORMULA {
            self.formula(&format!("${source}$"), display, context, flow);
        }
    }

    fn formula(&mut self, formula: &str, display: bool, context: Context, flow: &mut Flow) {
        if display {
            self.flush(flow, false);
        }
        if flow.line.last().is_some_and(char::is_alphanumeric) {
            flow.line.space_word();
        }
        flow.seam = Seam::default();
        flow.line.push(formula, context.style, false);
        if display {
            self.flush(flow, true);
        }
    }
}

/// The source without the wrapper that Wikipedia adds.
fn stripped(source: &str) -> &str {
    let source = source.trim();
    let inner = source.strip_prefix("{\\displaystyle").and_then(|rest| rest.strip_suffix('}'));
    inner.map_or(source, str::trim)
}

/// MathML as text: `(a + b)/2`, `x^2`, `sqrt(2)`.
fn line(node: &NodeRef, out: &mut String, depth: usize) {
    if depth > 100 || out.len() > MAX_FORMULA {
        return;
    }
    let Some(name) = node.node_name() else {
        dom::push_text(node, out);
        return;
    };
    let parts = || node.children_it(false).filter(NodeRef::is_element);
    let part = |index: usize| -> String {
        let mut text = String::new();
        if let Some(child) = parts().nth(index) {
            line(&child, &mut text, depth + 1);
        }
        let text = text.trim().to_owned();
        if text.chars().count() > 1 && !text.chars().all(char::is_alphanumeric) {
            format!("({text})")
        } else {
            text
        }
    };
    match &*name {
        "annotation" | "annotation-xml" | "mphantom" => {}
        "mfrac" => out.push_str(&format!("{}/{}", part(0), part(1))),
        "msup" | "mover" => out.push_str(&format!("{}^{}", part(0), part(1))),
        "msub" | "munder" => out.push_str(&format!("{}_{}", part(0), part(1))),
        "msubsup" | "munderover" => out.push_str(&format!("{}_{}^{}", part(0), part(1), part(2))),
        "mroot" => out.push_str(&format!("root({}, {})", part(0), part(1))),
        "msqrt" => {
            out.push_str("sqrt(");
            node.children_it(false).for_each(|child| line(&child, out, depth + 1));
            out.push(')');
        }
        "mspace" => out.push(' '),
        "mtr" => {
            node.children_it(false).for_each(|child| line(&child, out, depth + 1));
            out.push_str("; ");
        }
        "mtd" => {
            node.children_it(false).for_each(|child| line(&child, out, depth + 1));
            out.push(' ');
        }
        "mo" => {
            let mut sign = String::new();
            node.children_it(false).for_each(|child| line(&child, &mut sign, depth + 1));
            let sign = sign.trim();
            match sign {
                // Invisible operators.
                "\u{2061}" | "\u{2062}" | "\u{2063}" | "\u{2064}" => {}
                "=" | "+" | "−" | "-" | "<" | ">" | "≤" | "≥" | "≈" | "≠" | "→" | "·" | "×" | "±" | "∈" =>
                {
                    out.push(' ');
                    out.push_str(sign);
                    out.push(' ');
                }
                _ => out.push_str(sign),
            }
        }
        "mi" | "mn" | "mtext" | "ms" => {
            let mut text = String::new();
            node.children_it(false).for_each(|child| line(&child, &mut text, depth + 1));
            out.push_str(text.trim_matches(['\n', '\t']));
        }
        _ => node.children_it(false).for_each(|child| {
            if child.is_element() {
                line(&child, out, depth + 1);
            }
        }),
    }
}
