//! Linear-time check for pages that are too complex for the tree builder.
//!
//! It refuses elements nested hundreds deep and tags with hundreds of attributes. It follows the HTML
//! tokenizer closely and the tree builder loosely: it may count elements that the builder closes
//! implicitly. A page that slips through meets the limits of the child process.

use crate::protocol::{Rejection, Verdict};

/// Maximum number of open elements.
const MAX_DEPTH: usize = 400;

/// Maximum number of attributes per tag.
const MAX_ATTRIBUTES: usize = 256;

/// Elements with optional end tags: each implicitly closes the previous one, so they do not nest directly.
const CLOSE_THEMSELVES: &[&str] = &[
    "p", "li", "dd", "dt", "option", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "html", "head",
    "body",
];

/// Elements without content.
const VOID: &[&str] = &[
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "image", "img", "input",
    "keygen", "link", "meta", "param", "source", "track", "wbr",
];

/// Formatting elements: left open, the tree builder reopens them after the enclosing element.
const FORMATTING: &[&str] =
    &["b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Elements whose content is raw text up to their end tag.
const RAW: &[&str] =
    &["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "plaintext"];

/// Refuses a page that nests too deeply or has a tag with too many attributes.
pub(super) fn check(html: &str) -> Result<(), Rejection> {
    let mut open = Open::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let tag = rest.get(at + 1..).unwrap_or_default();
        rest = match tag.as_bytes() {
            [b'!', b'-', b'-', ..] => after_comment(tag.get(3..).unwrap_or_default()),
            [b'!' | b'?', ..] => after(tag, ">"),
            [b'/', first, ..] if first.is_ascii_alphabetic() => {
                let (name, from) = name(tag.get(1..).unwrap_or_default());
                open.close(&name);
                after(from, ">")
            }
            [first, ..] if first.is_ascii_alphabetic() => {
                let (name, from) = name(tag);
                let (attributes, self_closing, from) = attributes(from);
                if attributes > MAX_ATTRIBUTES {
                    return Err(too_complex("has a tag with hundreds of attributes"));
                }
                if RAW.contains(&name.as_str()) && !open.foreign() {
                    after_raw(from, &name)
                } else {
                    open.open(name, self_closing);
                    from
                }
            }
            _ => tag,
        };
        if open.depth() > MAX_DEPTH {
            return Err(too_complex("nests its elements hundreds deep"));
        }
    }
    Ok(())
}

/// The open elements.
#[derive(Default)]
struct Open {
    elements: Vec<String>,
    formatting: usize,
    anchor: bool,
}

impl Open {
    fn depth(&self) -> usize {
        self.elements.len() + self.formatting
    }

    /// Whether the current content is SVG or MathML, where tags may self-close and no text is raw.
    fn foreign(&self) -> bool {
        let inner = self.elements.iter().rev().find(|name| {
            matches!(name.as_str(), "svg" | "math" | "foreignobject" | "desc" | "title" | "annotation-xml")
        });
        inner.is_some_and(|name| matches!(name.as_str(), "svg" | "math"))
    }

    fn open(&mut self, name: String, self_closing: bool) {
        let tag = name.as_str();
        if tag == "a" {
            self.anchor = true;
        } else if FORMATTING.contains(&tag) {
            self.formatting += 1;
        } else if !VOID.contains(&tag) && !CLOSE_THEMSELVES.contains(&tag) {
            // HTML elements that SVG does not allow end it, and in HTML the slash has no meaning.
            let leaves = matches!(
                tag,
                "div" | "span" | "table" | "ul" | "ol" | "dl" | "pre" | "center" | "sub" | "sup"
            );
            if !(self_closing && self.foreign() && !leaves) {
                self.elements.push(name);
            }
        }
    }

    fn close(&mut self, name: &str) {
        if name == "a" {
            self.anchor = false;
        } else if FORMATTING.contains(&name) {
            self.formatting = self.formatting.saturating_sub(1);
        } else if let Some(at) = self.elements.iter().rposition(|open| open == name) {
            self.elements.truncate(at);
        }
    }
}

fn name(tag: &str) -> (String, &str) {
    let end = tag.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')).unwrap_or(tag.len());
    let (name, from) = tag.split_at(end);
    // No relevant element has a longer name.
    let name = name.get(..name.floor_char_boundary(32)).unwrap_or_default();
    (name.to_ascii_lowercase(), from)
}

/// Parses the attributes of a tag: their number, whether the tag self-closes, and the rest of the input.
fn attributes(mut rest: &str) -> (usize, bool, &str) {
    let mut count = 0;
    let mut self_closing = false;
    loop {
        rest = rest.trim_ascii_start();
        match rest.as_bytes() {
            [] => return (count, self_closing, rest),
            [b'>', ..] => return (count, self_closing, rest.get(1..).unwrap_or_default()),
            [b'/', ..] => {
                self_closing = true;
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            _ => {}
        }
        self_closing = false;
        count += 1;
        // A leading equals sign is part of the attribute name.
        let from = rest.strip_prefix('=').unwrap_or(rest);
        let end = from
            .find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '='))
            .unwrap_or(from.len());
        rest = from.get(end..).unwrap_or_default();
        if let Some(value) = rest.trim_ascii_start().strip_prefix('=') {
            let value = value.trim_ascii_start();
            rest = match value.as_bytes() {
                [b'"', ..] => after(value.get(1..).unwrap_or_default(), "\""),
                [b'\'', ..] => after(value.get(1..).unwrap_or_default(), "'"),
                _ => {
                    let end =
                        value.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(value.len());
                    value.get(end..).unwrap_or_default()
                }
            };
        }
    }
}

fn after<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split_once(mark).map_or("", |(_, rest)| rest)
}

fn after_comment(comment: &str) -> &str {
    // `<!-->` and `<!--->` are complete comments.
    for whole in [">", "->"] {
        if let Some(rest) = comment.strip_prefix(whole) {
            return rest;
        }
    }
    let mut rest = comment;
    while let Some((_, from)) = rest.split_once("--") {
        if let Some(done) = from.strip_prefix('>').or_else(|| from.strip_prefix("!>")) {
            return done;
        }
        // In `--->` the last two hyphens close the comment.
        rest = if from.starts_with('-') {
            rest.get(rest.len() - from.len() - 1..).unwrap_or(from)
        } else {
            from
        };
    }
    ""
}

fn after_raw<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some((_, from)) = rest.split_once("</") {
        if from.get(..name.len()).is_some_and(|end| end.eq_ignore_ascii_case(name)) {
            return after(from, ">");
        }
        rest = from;
    }
    ""
}

fn too_complex(what: &str) -> Rejection {
    Rejection::new(
        Verdict::TooComplex,
        format!("The page {what}, more than any page that is read by people."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_nest_too_deeply_are_refused() {
        for hidden in [
            "<div>",
            "<div class='>'>",
            "<div></span>",
            "<div/>",
            "<p><b id=1>",
            "<div><font color=red></div>",
            "<table><tr><td>",
            "<rt>",
            "<div><!-- --!>",
            "<svg><title><div>",
        ] {
            assert_eq!(check(&hidden.repeat(500)).unwrap_err().verdict, Verdict::TooComplex, "{hidden}");
        }
        let attributes: String = (0..300).map(|n| format!(" a{n}='>'")).collect();
        assert_eq!(check(&format!("<p{attributes}>")).unwrap_err().verdict, Verdict::TooComplex);
    }

    #[test]
    fn long_flat_pages_pass() {
        for page in [
            "<p>one <br> two <a href=x>three",
            "<li>item",
            "<div><span>x</span></div>",
            "<tr><td><b>x</b><td>y",
            "<!-- <div> ---><script>if (a < b) '<div>'</script><img src=x/>",
            "<svg><path d=x /><g/></svg>",
            "<div><span></div>",
            "<textarea><div></textarea>",
        ] {
            assert_eq!(check(&page.repeat(5000)), Ok(()), "{page}");
        }
    }
}
