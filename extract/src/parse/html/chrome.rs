//! What surrounds the content of a page and is not it: scripts, menus, banners about cookies,
//! headers and footers of the site.

use dom_query::{Document as Tree, NodeRef, Selection};
use url::Url;

/// Never content.
const NOISE: &str = "script, style, noscript, template, svg, canvas, iframe, object, embed, video, audio, \
    button, input, select, textarea, dialog, [role='dialog'], [role='alertdialog'], \
    [role='search'], link, meta";

/// Hidden for good, unlike the answer to a question that unfolds and the panel of a tab.
const HIDDEN: &str = "[hidden]:not([hidden='until-found']):not([role='region']):not([role='tabpanel'])\
    :not([aria-labelledby])";

/// A question that unfolds its answer is a button to the browser and a heading to its reader.
const UNFOLDING: &str = "button[aria-expanded], button[aria-controls], h1 button, h2 button, h3 button, h4 button, \
    h5 button, h6 button, dt button, summary button";

/// An aside that is called so speaks about the text around it.
const REMARKS: &[&str] = &[
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

/// The frame of a site.
const FRAME: &str = "nav, [role='navigation'], [role='banner'], [role='contentinfo'], \
    [role='complementary'], [role='menu'], [role='menubar']";

/// Words in the name of an element that asks about cookies: one of each side.
const COOKIES: &[&str] = &["cookie", "consent", "gdpr", "ccpa"];
const BANNERS: &[&str] = &[
    "banner", "bar", "notice", "popup", "modal", "overlay", "dialog", "consent", "message", "prompt", "law",
];
const MANAGERS: &[&str] =
    &["onetrust", "cookiebot", "usercentrics", "didomi", "quantcast", "cc-window", "truste"];

/// A main element with fewer characters does not hold the content.
const LEAST_MAIN: usize = 200;

/// Drops what is content for no reader, and makes links absolute and images their descriptions.
pub(super) fn strip_noise(tree: &Tree, base: Option<&Url>) {
    tree.select(UNFOLDING).rename("span");
    tree.select(NOISE).remove();
    tree.select(HIDDEN).remove();
    let whole = tree.select("body").text().len();
    for element in tree.select("[id], [class]").iter() {
        let name = format!("{} {}", element.attr_or("id", ""), element.attr_or("class", ""));
        // A class on the body, or on what wraps the page, may only say that a banner is shown.
        if asks_about_cookies(&name) && element.text().len() * 2 < whole {
            element.remove();
        }
    }
    for image in tree.select("img").iter() {
        describe(&image);
    }
    if let Some(base) = base {
        for link in tree.select("a[href]").iter() {
            if let Ok(absolute) = base.join(link.attr_or("href", "").trim()) {
                link.set_attr("href", absolute.as_str());
            }
        }
    }
}

/// An image is its description, as text in its place: its address says nothing, and may be the
/// image itself.
fn describe(image: &Selection) {
    let alt = image.attr_or("alt", "");
    if alt.trim().is_empty() {
        image.remove();
        return;
    }
    image.remove_all_attrs();
    image.rename("span");
    image.set_text(&alt);
}

/// Drops the frame of the site around the content. Headers and footers inside an article are its
/// own, and so are asides that are remarks.
pub(super) fn strip_frame(tree: &Tree) {
    tree.select(FRAME).remove();
    for edge in tree.select("header, footer, aside").iter() {
        let inside = edge.nodes().first().is_some_and(|node| node.ancestors(None).iter().any(is_content));
        if !inside || (edge.is("aside") && !is_remark(&edge)) {
            edge.remove();
        }
    }
}

fn is_remark(aside: &Selection) -> bool {
    let class = aside.attr_or("class", "").to_ascii_lowercase();
    REMARKS.iter().any(|word| class.contains(word))
}

fn is_content(node: &NodeRef) -> bool {
    node.node_name().is_some_and(|name| matches!(&*name, "main" | "article"))
}

/// The HTML of the main element, if there is one that holds the content, or of the whole body.
pub(super) fn content(tree: &Tree) -> String {
    let main = tree.select("main, [role='main']");
    if main.length() == 1 && main.text().trim().chars().nth(LEAST_MAIN).is_some() {
        return main.html().to_string();
    }
    tree.select("body").html().to_string()
}

fn asks_about_cookies(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    has(MANAGERS) || (has(COOKIES) && has(BANNERS))
}
