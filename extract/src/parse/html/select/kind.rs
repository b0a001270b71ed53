//! Kinds of pages that need a different selection of content.

use dom_query::Document as Tree;
use url::Url;

use crate::parse::html::structured::Data;

/// Kind of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A discussion: the posts of visitors are its content.
    Forum,
    /// A page about one product: lists of other products are not content.
    Product,
    /// A text: comments and lists of other texts after it are not content.
    Article,
    /// Anything else.
    Other,
}

/// Path segments in the addresses of discussions.
const FORUM_PATHS: &[&str] = &[
    "forum",
    "forums",
    "thread",
    "threads",
    "topic",
    "topics",
    "discussion",
    "discussions",
    "questions",
    "boards",
    "viewtopic.php",
    "showthread.php",
    "t",
    "community",
    "answers",
    "comments",
    "board",
];

/// Names of forum software in the `generator` metadata.
const FORUM_PROGRAMS: &[&str] = &[
    "discourse",
    "phpbb",
    "vbulletin",
    "xenforo",
    "mybb",
    "smf",
    "flarum",
    "vanilla",
    "invision",
    "nodebb",
    "bbpress",
    "fluxbb",
    "punbb",
    "woltlab",
];

/// The kind of a page, by its structured data, its address and its metadata.
pub(super) fn of(tree: &Tree, data: &Data, address: Option<&Url>) -> Kind {
    let itemtype = |names: &[&str]| {
        tree.select("[itemtype]").nodes().iter().any(|node| {
            let kind = node.attr_or("itemtype", "");
            let kind = kind.trim().trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
            names.contains(&kind.as_str())
        })
    };
    let discussions = ["DiscussionForumPosting", "QAPage", "Question"];
    if data.is_any(&discussions) && !data.is_any(&["FAQPage"])
        || itemtype(&discussions[..2])
        || is_forum_program(tree)
        || is_forum_path(address)
    {
        return Kind::Forum;
    }
    let og = tree.select_single("meta[property='og:type']").attr_or("content", "").to_ascii_lowercase();
    let products = data.count("Product") + data.count("ProductGroup");
    let marked = tree.select("[itemtype$='schema.org/Product']").length();
    if og.starts_with("product") || (1..=3).contains(&products) || (products == 0 && marked == 1) {
        return Kind::Product;
    }
    let articles = [
        "Article",
        "NewsArticle",
        "BlogPosting",
        "TechArticle",
        "Report",
        "ScholarlyArticle",
        "ReportageNewsArticle",
    ];
    // Blog software marks every page as an article, but only texts have a publication date.
    let dated = tree.select("meta[property='article:published_time']").exists();
    if dated || data.is_any(&articles) || itemtype(&articles) {
        return Kind::Article;
    }
    Kind::Other
}

fn is_forum_program(tree: &Tree) -> bool {
    let generator =
        tree.select_single("meta[name='generator' i]").attr_or("content", "").to_ascii_lowercase();
    FORUM_PROGRAMS.iter().any(|program| generator.contains(program))
}

fn is_forum_path(address: Option<&Url>) -> bool {
    let Some(address) = address else { return false };
    let segments: Vec<&str> =
        address.path_segments().into_iter().flatten().filter(|part| !part.is_empty()).collect();
    // The last segment names the page itself, which may be an article about forums.
    let parents = segments.split_last().map_or(&[][..], |(_, parents)| parents);
    let host = address.host_str().unwrap_or_default();
    ["forum.", "forums.", "community.", "discuss.", "discussion.", "boards.", "talk."]
        .iter()
        .any(|name| host.starts_with(name))
        || parents.iter().any(|part| FORUM_PATHS.contains(part))
        || segments.last().is_some_and(|last| last.ends_with(".php") && FORUM_PATHS.contains(last))
}
