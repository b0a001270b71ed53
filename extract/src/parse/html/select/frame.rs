//! Removal of the frame of a page: menus, headers, footers, side columns, widgets.

use dom_query::NodeRef;

use super::forum;
use super::kind::Kind;
use super::weights::{Weight, Weights, letters_of};
use crate::parse::html::words::Words;

/// Class names of `aside` elements that belong to the surrounding text.
const CALLOUTS: &[&str] = &[
    "note",
    "tip",
    "warn",
    "caution",
    "danger",
    "info",
    "admonition",
    "callout",
    "alert",
    "important",
    "hint",
];

/// Names of elements that are never content.
const ALWAYS: &[&str] = &[
    "breadcrumb",
    "breadcrumbs",
    "crumbs",
    "pagination",
    "pager",
    "paginator",
    "paging",
    "skiplink",
    "skiplinks",
    "taboola",
    "outbrain",
    "zergnet",
    "adsbygoogle",
    "advert",
    "adverts",
    "advertisement",
    "advertising",
    "ads",
    "sharedaddy",
    "addtoany",
    "sharethis",
    "addthis",
    "sharebar",
    "disqus",
];

/// Names of blocks that lead to other pages. They are removed if they have no running text or many links.
const ELSEWHERE: &[&str] = &[
    "related",
    "relatedposts",
    "recirc",
    "recirculation",
    "recommended",
    "recommendation",
    "recommendations",
    "recommends",
    "similar",
    "popular",
    "trending",
    "mostread",
    "upnext",
    "sidebar",
    "sidebars",
    "newsletter",
    "subscribe",
    "signup",
    "promo",
    "promos",
    "sponsored",
    "sponsor",
    "sponsors",
    "share",
    "sharing",
    "social",
    "socials",
    "follow",
    "readmore",
    "prevnext",
    "crosslinks",
    "upsell",
    "upsells",
    "crosssell",
    "recently",
];

/// Names of menus. They are removed if they have no running text and mostly links or few letters.
const MENUS: &[&str] = &[
    "nav",
    "navi",
    "navbar",
    "navigation",
    "subnav",
    "topnav",
    "sidenav",
    "menu",
    "menus",
    "submenu",
    "megamenu",
    "topbar",
    "toolbar",
    "tags",
    "taglist",
    "toc",
    "login",
    "signin",
    "searchbar",
    "searchform",
    "filters",
    "facets",
    "languages",
    "language",
    "lang",
    "switcher",
    "skip",
    "copyright",
    "legal",
    "colophon",
    "cart",
];

/// Parts of the names of site footers.
const FOOTERS: &[&str] = &[
    "sitefooter",
    "site-footer",
    "site_footer",
    "globalfooter",
    "global-footer",
    "global_footer",
    "page-footer",
    "pagefooter",
    "main-footer",
    "mainfooter",
    "footercontent",
    "footer-content",
    "footer-wrap",
    "footer-container",
    "app-footer",
    " footer ",
    "footer-main",
    "footer-area",
    "footer-widgets",
    "footer-inner",
];

/// Whole names of site headers and site footers.
const EDGES: &[&str] = &[
    " header ",
    " footer ",
    " site-header ",
    " site-footer ",
    " site_header ",
    " site_footer ",
    " global-header ",
    " global-footer ",
    " global_header ",
    " global_footer ",
    " page-footer ",
    " main-header ",
    " main-footer ",
    " masthead ",
    " siteheader ",
    " sitefooter ",
    " footer-wrapper ",
    " header-wrapper ",
    " top-header ",
    " footer-top ",
    " footer-bottom ",
    " top-bar ",
    " topbar ",
];

/// Maximum running text of a footer on a page that is still loading, in letters: a copyright notice, a call
/// to subscribe.
const MAX_NOTE: u32 = 400;

/// Maximum length of a menu that is removed even from a page without other text, in letters.
const MAX_MENU: u32 = 200;

/// Maximum number of elements examined after a footer.
const MAX_STEPS: usize = 500;

/// Names of visitors' comments.
const COMMENTS: &[&str] = &["comments", "comment", "respond", "commentlist", "replies"];

/// Words that make a name describe the layout instead of the element: `has-sidebar`.
const NEGATIONS: &[&str] = &["no", "has", "with", "without", "not"];

/// Elements whose names are checked: containers.
const CONTAINERS: &[&str] = &[
    "div", "section", "ul", "ol", "aside", "header", "footer", "form", "nav", "p", "span", "table", "figure",
    "details", "dl", "li", "article",
];

/// Removes the frame of a page.
pub(super) fn strip(body: &NodeRef, kind: Kind) {
    let weights = Weights::of(body);
    let whole = weights.get(body);
    let busy = body.descendants_it().any(|node| node.attr_or("aria-busy", "").eq_ignore_ascii_case("true"));
    let mut stack = vec![(*body, false)];
    while let Some((node, inside)) = stack.pop() {
        for child in node.children() {
            let Some(name) = child.node_name() else { continue };
            if !child.is_element() {
                continue;
            }
            let element = Part {
                node: &child,
                name: &name,
                weight: weights.get(&child),
                weights: &weights,
                whole,
                inside,
                kind,
                busy,
            };
            if element.is_frame() {
                child.remove_from_parent();
            } else {
                let content = matches!(&*name, "main" | "article") || child.attr_or("role", "") == *"main";
                stack.push((child, inside || content));
            }
        }
    }
}

struct Part<'a, 'b> {
    node: &'a NodeRef<'b>,
    name: &'a str,
    weight: Weight,
    weights: &'a Weights,
    whole: Weight,
    /// Whether the element is inside the main element or an article.
    inside: bool,
    kind: Kind,
    /// Whether the page is marked as loading (`aria-busy`).
    busy: bool,
}

impl Part<'_, '_> {
    fn is_frame(&self) -> bool {
        self.is_frame_by_element()
            || (CONTAINERS.contains(&self.name) && self.is_small() && self.is_frame_by_name())
            // The rank of a post's author may be a heading.
            || (self.kind == Kind::Forum
                && matches!(self.name, "h4" | "h5" | "h6")
                && forum::is_furniture(&Words::of(self.node), self.weight))
    }

    fn is_frame_by_element(&self) -> bool {
        let role = self.node.attr_or("role", "").to_ascii_lowercase();
        // Lists of names may have more letters than the text beside them.
        if role == "complementary"
            && !self.is_callout()
            && self.weight.prose.saturating_mul(4) <= self.whole.prose
        {
            return true;
        }
        // While a page loads its content, the footer is nearly its only text.
        if self.busy
            && self.weight.prose <= MAX_NOTE
            && !self.inside
            && Words::of(self.node).any(&["footer"])
            && is_last(self.node, self.weights)
        {
            return true;
        }
        // A menu of a page without content.
        if self.name == "nav" && !self.inside && self.weight.prose == 0 && self.weight.letters <= MAX_MENU {
            return true;
        }
        // Contradictory markup: an element with more than 60 % of the page's letters is not its frame.
        if self.weight.letters.saturating_mul(5) > self.whole.letters.saturating_mul(3) {
            return false;
        }
        if matches!(self.name, "div" | "section") && !self.inside && self.is_footer() && !self.has_heading() {
            return true;
        }
        let frame = match self.name {
            "nav" => true,
            "header" => !self.inside && !self.has_heading(),
            "footer" => !self.is_quoted() && (!self.inside || self.weight.prose == 0),
            "aside" => {
                let keeps = self.is_callout() || (self.inside && self.weight.links == 0 && self.is_text());
                !keeps && self.weight.prose.saturating_mul(3) <= self.whole.prose
            }
            "form" => self.is_small() && self.is_service_form(),
            "textarea" | "datalist" => true,
            _ => false,
        };
        frame
            || match role.as_str() {
                "navigation" | "menu" | "menubar" | "search" | "tooltip" => true,
                "banner" => !self.inside && !self.has_heading(),
                "contentinfo" => !self.inside,
                _ => false,
            }
    }

    /// Whether the names are those of a site footer, or of a footer without text after it.
    fn is_footer(&self) -> bool {
        let words = Words::of(self.node);
        words.contain(FOOTERS)
            || (words.any(&["footer"])
                && self.weight.prose.saturating_mul(4) <= self.whole.prose
                && is_last(self.node, self.weights))
    }

    /// Whether the element holds little of the page's text, so that a wrong decision costs little.
    fn is_small(&self) -> bool {
        self.weight.prose.saturating_mul(4) <= self.whole.prose
            && self.weight.letters.saturating_mul(5) <= self.whole.letters.saturating_mul(2)
    }

    fn is_frame_by_name(&self) -> bool {
        let words = Words::of(self.node);
        if words.is_empty() || words.any(NEGATIONS) {
            return false;
        }
        let linked = self.weight.link_density();
        let plain = self.weight.prose == 0;
        words.any(ALWAYS)
            || (words.any(ELSEWHERE) && (plain || linked > 0.3))
            || (words.any(MENUS)
                && plain
                && (linked > 0.5 || (self.weight.letters < 100 && !self.is_listing(&words)))
                && !self.has_heading())
            || (words.contain(EDGES) && !self.inside && plain && !self.has_heading())
            || (self.kind == Kind::Forum && forum::is_furniture(&words, self.weight))
            || (self.kind != Kind::Forum && words.any(COMMENTS))
    }

    fn has_heading(&self) -> bool {
        self.node.descendants_it().any(|node| node.has_name("h1") && letters_of(&node) > 0)
    }

    /// Whether an element holds a heading or a paragraph.
    fn is_text(&self) -> bool {
        self.node.descendants_it().take(50).any(|inner| {
            inner.node_name().is_some_and(|name| matches!(&*name, "p" | "h2" | "h3" | "h4" | "h5" | "h6"))
        })
    }

    /// Whether a menu name may mean something else: a restaurant menu, a code language.
    fn is_listing(&self, words: &Words) -> bool {
        (self.weight.links == 0
            && words.any(&["menu", "menus", "language", "lang", "tags", "legal", "toolbar"]))
            || self.node.descendants_it().take(50).any(|inner| inner.has_name("pre"))
    }

    /// Whether a footer is the attribution of a quotation or a figure.
    fn is_quoted(&self) -> bool {
        self.node.ancestors_it(Some(3)).any(|outer| outer.has_name("blockquote") || outer.has_name("figure"))
    }

    fn is_callout(&self) -> bool {
        let class = self.node.attr_or("class", "").to_ascii_lowercase();
        CALLOUTS.iter().any(|word| class.contains(word))
    }

    /// Whether a form is for search, subscription or login.
    fn is_service_form(&self) -> bool {
        if self.weight.prose > 300 {
            return false;
        }
        self.node.descendants_it().any(|field| {
            let kind = field.attr_or("type", "").to_ascii_lowercase();
            let name = field.attr_or("name", "").to_ascii_lowercase();
            field.has_name("input")
                && (matches!(kind.as_str(), "search" | "email" | "password")
                    || matches!(name.as_str(), "q" | "s" | "search" | "query" | "email"))
        })
    }
}

/// Whether no text comes after an element.
fn is_last(node: &NodeRef, weights: &Weights) -> bool {
    let mut steps = 0;
    let mut node = Some(*node);
    while let Some(current) = node.filter(|node| !node.has_name("body")) {
        let mut next = current.next_sibling();
        while let Some(sibling) = next {
            steps += 1;
            if steps > MAX_STEPS || weights.get(&sibling).letters > 0 {
                return false;
            }
            next = sibling.next_sibling();
        }
        node = current.parent();
    }
    true
}
