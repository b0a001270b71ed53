//! Page metadata: title, base and canonical URL, links and robots directives.

use std::collections::HashSet;

use dom_query::{Document as Tree, Selection};
use url::Url;

use super::{robots, text};
use crate::protocol::Web;

/// Maximum number of links kept.
const MAX_LINKS: usize = 10_000;

/// Maximum size of all links, in bytes. The links and the text share one reply.
const MAX_LINKS_BYTES: usize = 2 << 20;

/// Maximum length of a URL, in bytes. Longer ones carry state rather than a location.
const MAX_LINK_BYTES: usize = 2_048;

/// Longest delay of a `meta refresh` that counts as a redirect, in seconds. Longer delays refresh live pages.
const MAX_REFRESH_SECONDS: f64 = 10.0;

/// The base URL of the page's links.
pub(super) fn base(tree: &Tree, address: Option<&Url>) -> Option<Url> {
    let stated = tree.select_single("base[href]").attr("href");
    match (stated, address) {
        (Some(href), Some(address)) => address.join(href.trim()).ok().or_else(|| Some(address.clone())),
        (Some(href), None) => Url::parse(href.trim()).ok(),
        (None, address) => address.cloned(),
    }
}

/// The page title.
pub(super) fn title(tree: &Tree) -> Option<String> {
    let non_empty = |title: &str| Some(text::line(title)).filter(|title| !title.is_empty());
    non_empty(&tree.select_single("head > title").text())
        .or_else(|| non_empty(&tree.select_single("meta[property='og:title']").attr_or("content", "")))
        .or_else(|| non_empty(&tree.select_single("h1").text()))
        .or_else(|| non_empty(&tree.select_single("title").text()))
}

/// The page's metadata for the crawler.
pub(super) fn web(tree: &Tree, address: Option<&Url>, base: Option<&Url>) -> Web {
    let robots = robots::of(tree);
    Web {
        canonical: canonical(tree, base),
        links: targets(tree, "a[href], area[href]", "href", address, base),
        frames: targets(tree, "frame[src], iframe[src]", "src", address, base),
        refresh: refresh(tree, address, base),
        nofollow: robots.nofollow,
        noindex: robots.noindex,
        unavailable_after: robots.unavailable_after,
    }
}

fn canonical(tree: &Tree, base: Option<&Url>) -> Option<String> {
    let href = tree.select_single("link[rel~='canonical' i][href]").attr("href")?;
    absolute(&href, base).map(String::from)
}

/// The distinct URLs in an attribute of the selected elements.
fn targets(
    tree: &Tree,
    selector: &str,
    attribute: &str,
    address: Option<&Url>,
    base: Option<&Url>,
) -> Vec<String> {
    let mut page = address.cloned();
    if let Some(page) = &mut page {
        page.set_fragment(None);
    }
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut size = 0;
    for element in tree.select(selector).iter() {
        if is_nofollow(&element.attr_or("rel", "")) || (attribute == "src" && is_for_no_script(&element)) {
            continue;
        }
        let Some(link) = absolute(&element.attr_or(attribute, ""), base) else { continue };
        // Skip links to a fragment of the page itself.
        if page.as_ref() != Some(&link) && seen.insert(link.clone()) {
            size += link.as_str().len();
            found.push(link.into());
        }
        if found.len() == MAX_LINKS || size > MAX_LINKS_BYTES {
            break;
        }
    }
    found
}

/// Whether the element is inside `noscript`. Such frames count visits.
fn is_for_no_script(element: &Selection) -> bool {
    element.nodes().iter().any(|node| node.ancestors_it(None).any(|above| above.has_name("noscript")))
}

fn is_nofollow(rel: &str) -> bool {
    rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("nofollow"))
}

/// The target of a `meta refresh` to another page within [`MAX_REFRESH_SECONDS`].
fn refresh(tree: &Tree, address: Option<&Url>, base: Option<&Url>) -> Option<String> {
    let contents = tree.select("meta[http-equiv='refresh' i][content]");
    let target = contents.iter().find_map(|meta| {
        let content = meta.attr_or("content", "");
        let (seconds, target) = refresh_value(&content)?;
        (seconds <= MAX_REFRESH_SECONDS).then(|| absolute(target, base)).flatten()
    })?;
    let mut page = address.cloned();
    if let Some(page) = &mut page {
        page.set_fragment(None);
    }
    (page.as_ref() != Some(&target)).then(|| target.into())
}

/// The seconds and the URL of `5; url='/next'`, as browsers parse it: `url=` and the quotes are optional.
fn refresh_value(content: &str) -> Option<(f64, &str)> {
    let content = content.trim_ascii_start();
    let end = content.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(content.len());
    let (time, rest) = content.split_at_checked(end)?;
    let seconds = if time.is_empty() { 0.0 } else { time.parse().ok()? };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || matches!(c, ';' | ','));
    let target = match rest.get(..3) {
        Some(word) if word.eq_ignore_ascii_case("url") => {
            let after = rest.get(3..)?.trim_ascii_start();
            after.strip_prefix('=').map_or(rest, str::trim_ascii_start)
        }
        _ => rest,
    };
    let target = match target.chars().next() {
        Some(quote @ ('"' | '\'')) => target.get(1..)?.split(quote).next()?,
        _ => target,
    };
    let target = target.trim();
    (!target.is_empty()).then_some((seconds, target))
}

/// A URL that a crawler can fetch, without its fragment.
fn absolute(href: &str, base: Option<&Url>) -> Option<Url> {
    let href = href.trim();
    let mut link = match base {
        Some(base) => base.join(href).ok()?,
        None => Url::parse(href).ok()?,
    };
    link.set_fragment(None);
    (matches!(link.scheme(), "http" | "https") && link.has_host() && link.as_str().len() <= MAX_LINK_BYTES)
        .then_some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_values_are_read_as_browsers_read_them() {
        for (content, target) in [
            ("0; url=/next", Some((0.0, "/next"))),
            ("0;URL='/next'", Some((0.0, "/next"))),
            ("5, \"next.html\"", Some((5.0, "next.html"))),
            (" 3 ; url = next ", Some((3.0, "next"))),
            ("0.5;url=url", Some((0.5, "url"))),
            ("; url=/x", Some((0.0, "/x"))),
            ("30", None),
            ("0; url=''", None),
        ] {
            assert_eq!(refresh_value(content), target, "{content}");
        }
    }
}
