//! What a page says about itself: its title, its address, its links, and its wishes to crawlers.

use std::collections::HashSet;

use dom_query::Document as Tree;
use url::Url;

use super::text;
use crate::protocol::Web;

/// A page that links to more is a list for machines.
const MAX_LINKS: usize = 10_000;

/// The links of a page share the reply with its text.
const MAX_LINKS_BYTES: usize = 2 << 20;

/// Longer addresses carry state, not a place.
const MAX_LINK_BYTES: usize = 2_048;

/// What the links of a page are relative to.
pub(super) fn base(tree: &Tree, address: Option<&Url>) -> Option<Url> {
    let stated = tree.select_single("base[href]").attr("href");
    match (stated, address) {
        (Some(href), Some(address)) => address.join(href.trim()).ok().or_else(|| Some(address.clone())),
        (Some(href), None) => Url::parse(href.trim()).ok(),
        (None, address) => address.cloned(),
    }
}

/// The title of a page.
pub(super) fn title(tree: &Tree) -> Option<String> {
    let said = |title: &str| Some(text::line(title)).filter(|title| !title.is_empty());
    said(&tree.select_single("head > title").text())
        .or_else(|| said(&tree.select_single("meta[property='og:title']").attr_or("content", "")))
        .or_else(|| said(&tree.select_single("h1").text()))
        .or_else(|| said(&tree.select_single("title").text()))
}

/// What a page says to crawlers.
pub(super) fn web(tree: &Tree, address: Option<&Url>, base: Option<&Url>) -> Web {
    let wishes = tree.select("meta[name='robots' i]");
    let wishes: Vec<String> = wishes
        .iter()
        .flat_map(|meta| {
            let content = meta.attr_or("content", "").to_ascii_lowercase();
            content.split([',', ' ', ';']).map(|wish| wish.trim().to_owned()).collect::<Vec<_>>()
        })
        .collect();
    let wishes_for = |wish: &str| wishes.iter().any(|said| said == wish || said == "none");
    Web {
        canonical: canonical(tree, base),
        links: links(tree, address, base),
        nofollow: wishes_for("nofollow"),
        noindex: wishes_for("noindex"),
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
        // A link to a place on the page itself leads nowhere.
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

/// An address that a crawler could fetch, without its fragment.
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
