//! Page metadata: title, base and canonical URL, links and robots directives.

use std::collections::HashSet;

use dom_query::Document as Tree;
use url::Url;

use super::text;
use crate::protocol::Web;

/// Maximum number of links kept.
const MAX_LINKS: usize = 10_000;

/// Maximum size of all links, in bytes: they share the reply with the text.
const MAX_LINKS_BYTES: usize = 2 << 20;

/// Maximum length of a URL, in bytes. Longer ones carry state rather than a location.
const MAX_LINK_BYTES: usize = 2_048;

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
    let metas = tree.select("meta[name='robots' i]");
    let directives: Vec<String> = metas
        .iter()
        .flat_map(|meta| {
            let content = meta.attr_or("content", "").to_ascii_lowercase();
            content.split([',', ' ', ';']).map(|name| name.trim().to_owned()).collect::<Vec<_>>()
        })
        .collect();
    let has = |name: &str| directives.iter().any(|directive| directive == name || directive == "none");
    Web {
        canonical: canonical(tree, base),
        links: links(tree, address, base),
        nofollow: has("nofollow"),
        noindex: has("noindex"),
    }
}

fn canonical(tree: &Tree, base: Option<&Url>) -> Option<String> {
    let href = tree.select_single("link[rel~='canonical' i][href]").attr("href")?;
    absolute(&href, base).map(String::from)
}

fn links(tree: &Tree, address: Option<&Url>, base: Option<&Url>) -> Vec<String> {
    let mut page = address.cloned();
    if let Some(page) = &mut page {
        page.set_fragment(None);
    }
    let mut seen = HashSet::new();
    let mut links = Vec::new();
    let mut size = 0;
    for element in tree.select("a[href], area[href]").iter() {
        let Some(link) = absolute(&element.attr_or("href", ""), base) else { continue };
        // Skip links to a fragment of the page itself.
        if page.as_ref() != Some(&link) && seen.insert(link.clone()) {
            size += link.as_str().len();
            links.push(link.into());
        }
        if links.len() == MAX_LINKS || size > MAX_LINKS_BYTES {
            break;
        }
    }
    links
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
