//! End tags for the empty elements of XHTML pages.
//!
//! An HTML parser ignores the slash of `<script src="x"/>` and reads the rest of the page as the script.

use std::borrow::Cow;

/// Elements that enclose the following content if their slash is ignored.
const CLOSED: &[&str] = &[
    "script", "style", "title", "textarea", "iframe", "noscript", "a", "div", "span", "p", "i", "b", "em",
    "strong", "td", "th", "li", "ul", "ol", "canvas", "object", "video", "audio", "select", "option",
    "button", "label", "h1", "h2", "h3", "h4", "h5", "h6", "section", "table", "tr", "pre", "code", "sup",
    "sub",
];

/// Number of bytes at the start of a page that are searched for an XHTML document type.
const HEAD: usize = 1_000;

/// The page with end tags for its empty elements if it is XHTML by its media type, XML declaration or
/// document type. Other pages are unchanged.
pub(super) fn with_end_tags<'a>(html: &'a str, media_type: Option<&str>) -> Cow<'a, str> {
    let start = html.trim_start_matches(['\u{feff}', ' ', '\r', '\n', '\t']);
    let stated = media_type.is_some_and(|media| media.to_ascii_lowercase().contains("xhtml"));
    let declared = start.starts_with("<?xml")
        || start
            .as_bytes()
            .get(..HEAD)
            .unwrap_or(start.as_bytes())
            .windows(9)
            .any(|part| part == b"DTD XHTML");
    if !(stated || declared) {
        return Cow::Borrowed(html);
    }
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find("/>") {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        match before.rfind('<').and_then(|open| before.get(open + 1..)).and_then(element) {
            Some(name) => {
                out.push_str("></");
                out.push_str(name);
                out.push('>');
            }
            None => out.push_str("/>"),
        }
        rest = after.get(2..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The element name of a tag, if the element is in `CLOSED`.
fn element(tag: &str) -> Option<&str> {
    let end = tag.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(tag.len());
    let name = tag.get(..end)?;
    (!tag.contains('>') && CLOSED.iter().any(|closed| closed.eq_ignore_ascii_case(name))).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_elements_of_xhtml_get_end_tags() {
        let page =
            "<?xml version='1.0'?><html><script src='x'/><p>a<br/>b<a name=\"t\"/></p> 1 /> 2 < 3 /></html>";
        let closed = "<?xml version='1.0'?><html><script src='x'></script><p>a<br/>b<a name=\"t\"></a></p> 1 /> 2 < 3 />\
                      </html>";
        assert_eq!(with_end_tags(page, None), closed);
        assert_eq!(with_end_tags("<p><a/>x", Some("application/xhtml+xml")), "<p><a></a>x");
        assert_eq!(with_end_tags("<p><a/>x", Some("text/html")), "<p><a/>x");
    }
}
