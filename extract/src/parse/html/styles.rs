//! Style declarations that hide text, in `style` attributes and simple rules of `style` elements.

use std::collections::{HashMap, HashSet};

use dom_query::{Document as Tree, NodeRef};

/// Maximum size of the style sheets that are read, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Offset in pixels that moves text off the screen.
const OFFSCREEN: f64 = 900.0;

/// Whether the declarations of a `style` attribute or rule hide the element, also from screen readers.
pub(super) fn hides(declarations: &str) -> bool {
    let mut style = Style::default();
    for declaration in declarations.split(';') {
        if let Some((property, value)) = declaration.split_once(':') {
            let value = value.trim().trim_end_matches("!important").trim().to_ascii_lowercase();
            style.read(&property.trim().to_ascii_lowercase(), &value);
        }
    }
    style.hides()
}

#[derive(Default)]
struct Style {
    hidden: bool,
    clear: bool,
    positioned: bool,
    away: bool,
    color: Option<String>,
    background: Option<String>,
}

impl Style {
    fn read(&mut self, property: &str, value: &str) {
        match property {
            "display" => self.hidden |= value == "none",
            "visibility" => self.hidden |= matches!(value, "hidden" | "collapse"),
            "content-visibility" => self.hidden |= value == "hidden",
            "font-size" => self.hidden |= number(value).is_some_and(|size| size == 0.0),
            "opacity" => self.clear |= number(value).is_some_and(|opacity| opacity == 0.0),
            "position" => self.positioned |= matches!(value, "absolute" | "fixed"),
            "left" | "top" | "right" | "bottom" | "margin-left" | "margin-top" => {
                self.away |= number(value).is_some_and(|distance| distance <= -OFFSCREEN);
            }
            "text-indent" => self.hidden |= number(value).is_some_and(|distance| distance <= -OFFSCREEN),
            "color" => self.color = color(value),
            "background" | "background-color" => self.background = color(value),
            _ => {}
        }
    }

    fn hides(&self) -> bool {
        self.hidden
            || (self.positioned && self.away)
            || (self.color.is_some() && self.color == self.background)
    }
}

fn number(value: &str) -> Option<f64> {
    let end = value.find(|c: char| !c.is_ascii_digit() && !"-.".contains(c)).unwrap_or(value.len());
    value.get(..end)?.parse().ok()
}

/// A colour in a single notation: `#ffffff` for all notations of white.
fn color(value: &str) -> Option<String> {
    let value: String = value.split_ascii_whitespace().collect();
    let named = match value.as_str() {
        "white" => "#ffffff",
        "black" => "#000000",
        "rgb(255,255,255)" | "rgba(255,255,255,1)" => "#ffffff",
        "rgb(0,0,0)" | "rgba(0,0,0,1)" => "#000000",
        "" | "transparent" | "inherit" | "initial" | "unset" | "none" | "currentcolor" => return None,
        other => other,
    };
    let hex = named.strip_prefix('#');
    if let Some(hex) = hex
        && hex.chars().count() == 3
    {
        return Some(hex.chars().fold("#".to_owned(), |mut long, digit| {
            long.push(digit);
            long.push(digit);
            long
        }));
    }
    Some(named.to_owned())
}

/// Classes and ids hidden by a rule of the page's own style sheets and shown by no other rule.
#[derive(Default)]
pub(super) struct Sheet {
    hidden: HashMap<String, Option<String>>,
}

impl Sheet {
    /// Reads the `style` elements of a page.
    pub(super) fn of(tree: &Tree) -> Self {
        let mut hidden = HashMap::new();
        let mut shown = HashSet::new();
        let mut read = 0;
        for style in tree.select("style").nodes() {
            let text = style.text();
            read += text.len();
            if read > MAX_BYTES {
                break;
            }
            rules(&text, |selectors, declarations, nested| {
                let hides = hides(declarations);
                let shows = shows(declarations);
                for selector in selectors.split(',') {
                    let selector = selector.trim();
                    if hides && !nested {
                        if let Some((name, element)) = simple(selector) {
                            hidden.insert(name, element);
                        }
                    } else if shows {
                        shown.extend(names(selector));
                    }
                }
            });
        }
        hidden.retain(|name, _| !shown.contains(name));
        Self { hidden }
    }

    /// Whether a rule hides the element.
    pub(super) fn hides(&self, node: &NodeRef) -> bool {
        if self.hidden.is_empty() {
            return false;
        }
        let matches = |name: String| {
            self.hidden.get(&name).is_some_and(|element| {
                element.as_ref().is_none_or(|element| node.node_name().is_some_and(|name| *name == **element))
            })
        };
        let id = node.attr("id").is_some_and(|id| matches(format!("#{}", id.trim())));
        id || node.attr("class").is_some_and(|class| {
            class.split_ascii_whitespace().take(50).any(|class| matches(format!(".{class}")))
        })
    }
}

fn shows(declarations: &str) -> bool {
    declarations.split(';').any(|declaration| {
        declaration.split_once(':').is_some_and(|(property, value)| {
            let value = value.trim().to_ascii_lowercase();
            match property.trim() {
                "display" => !value.starts_with("none"),
                "visibility" => value.starts_with("visible"),
                "left" | "top" | "position" => true,
                _ => false,
            }
        })
    })
}

/// The name of a selector with one class or id, and the element name to which it is limited.
fn simple(selector: &str) -> Option<(String, Option<String>)> {
    let at = selector.find(['.', '#'])?;
    let (element, name) = selector.split_at_checked(at)?;
    let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let rest = name.get(1..)?;
    (plain(element) && plain(rest) && !rest.is_empty())
        .then(|| (name.to_owned(), (!element.is_empty()).then(|| element.to_ascii_lowercase())))
}

/// All classes and ids of a selector, with their `.` and `#`.
fn names(selector: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut name = String::new();
    for character in selector.chars().chain([' ']) {
        if !name.is_empty() && (character.is_alphanumeric() || character == '-' || character == '_') {
            name.push(character);
            continue;
        }
        if name.len() > 1 {
            names.push(std::mem::take(&mut name));
        }
        name.clear();
        if matches!(character, '.' | '#') {
            name.push(character);
        }
    }
    names
}

/// Calls `visit` with the selectors and the declarations of each rule, and whether the rule is conditional.
fn rules(css: &str, mut visit: impl FnMut(&str, &str, bool)) {
    let css = without_comments(css);
    let mut depth = 0_u32;
    let mut rest = css.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        let (head, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let opens = tail.starts_with('{');
        rest = tail.get(1..).unwrap_or_default();
        if !opens {
            depth = depth.saturating_sub(1);
            continue;
        }
        let head = head.rsplit(';').next().unwrap_or_default().trim();
        if head.starts_with('@') {
            depth += 1;
            continue;
        }
        let end = rest.find(['}', '{']).unwrap_or(rest.len());
        let (declarations, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        visit(head, declarations, depth > 0);
        // Nested rules are read as separate rules.
        rest = if after.starts_with('}') { after.get(1..).unwrap_or_default() } else { after };
    }
}

fn without_comments(css: &str) -> String {
    let mut clean = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, comment)) = rest.split_once("/*") {
        clean.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_that_hide_are_known() {
        for (style, hidden) in [
            ("display:none", true),
            ("color: red; DISPLAY : None !important", true),
            ("visibility: hidden", true),
            ("font-size:0", true),
            ("font-size:0px;color:#FFF", true),
            ("font-size:0.9em", false),
            ("position:absolute;left:-9999px", true),
            ("position:absolute;left:-9px", false),
            ("text-indent:-9999px", true),
            ("color:#fff;background:white", true),
            ("color: rgb(255, 255, 255); background-color: #FFFFFF", true),
            ("color:#fff;background:#003", false),
            ("color:white", false),
            ("display:block", false),
        ] {
            assert_eq!(hides(style), hidden, "{style}");
        }
    }

    #[test]
    fn rules_hide_by_class_and_id_unless_another_shows() {
        let tree = Tree::from(
            "<style>/* .c{display:none} */ @import 'x'; .a, p#b { display: none } .d{display:none} \
             @media print { .e { display: none } } .f{display:none} .f.open{display:block}</style>\
             <body><div class='x a'></div><p id=b></p><div id=b></div><p class=c></p><p class=d></p>\
             <p class=e></p><p class=f></p>",
        );
        let sheet = Sheet::of(&tree);
        let hidden: Vec<bool> =
            tree.select("body > *").nodes().iter().map(|node| sheet.hides(node)).collect();
        assert_eq!(hidden, [true, true, false, false, true, false, false]);
    }
}
