//! Removal of lines inside a text that lead to other pages: "Read also: …", "Follow us on …".

use dom_query::NodeRef;

use super::elsewhere::lower;
use super::kind::Kind;
use super::weights::{Weight, Weights};

/// Beginnings of lines that point to another text.
const POINTERS: &[&str] = &[
    "read also",
    "read more:",
    "also read",
    "read next",
    "related:",
    "see also:",
    "more:",
    "lesen sie auch",
    "lies auch",
    "mehr zum thema",
    "auch interessant",
    "lire aussi",
    "à lire aussi",
    "lisez aussi",
    "lea también",
    "lee también",
    "leer también",
    "te puede interesar",
    "leia também",
    "veja também",
    "leia mais",
    "leggi anche",
    "lees ook",
    "läs också",
    "läs även",
    "les også",
    "læs også",
    "czytaj także",
    "czytaj też",
    "zobacz też",
    "čtěte také",
    "přečtěte si",
    "читайте также",
];

/// Maximum length of such a line, in letters.
const MAX_POINTER: u32 = 200;

/// Social networks on which publishers have accounts to follow.
const NETWORKS: &[&str] = &[
    "facebook.com",
    "twitter.com",
    "x.com",
    "instagram.com",
    "youtube.com",
    "linkedin.com",
    "tiktok.com",
    "t.me",
    "threads.net",
    "pinterest.com",
    "whatsapp.com",
    "telegram.me",
    "bsky.app",
    "vk.com",
    "weibo.com",
];

/// Removes such lines. Outside articles, links to social networks stay: they are contact details.
pub(super) fn remove(root: &NodeRef, kind: Kind) {
    let weights = Weights::of(root);
    let lines: Vec<NodeRef> = root
        .descendants_it()
        .filter(|node| {
            node.node_name().is_some_and(|name| matches!(&*name, "p" | "li" | "div" | "blockquote"))
        })
        .collect();
    for line in lines {
        let weight = weights.get(&line);
        if weight.letters <= MAX_POINTER
            && (points(&line, weight) || (kind == Kind::Article && asks_to_follow(&line, weight)))
        {
            line.remove_from_parent();
        }
    }
}

fn points(line: &NodeRef, weight: Weight) -> bool {
    (1..=2).contains(&weight.links) && weight.link_density() > 0.5 && {
        let text = lower(&line.text());
        POINTERS.iter().any(|phrase| text.starts_with(phrase))
    }
}

/// Whether a line links to social networks twice or more.
fn asks_to_follow(line: &NodeRef, weight: Weight) -> bool {
    weight.links >= 2
        && weight.paragraphs <= 1
        && line
            .descendants_it()
            .filter(|node| node.has_name("a") && is_network(&node.attr_or("href", "")))
            .count()
            >= 2
}

fn is_network(href: &str) -> bool {
    let rest = href.split_once("//").map_or("", |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    NETWORKS
        .iter()
        .any(|name| host == *name || host.strip_suffix(name).is_some_and(|head| head.ends_with('.')))
}
