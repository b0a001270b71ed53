//! Removal of boilerplate: scripts, menus, cookie banners, site headers and footers.

use dom_query::{Document as Tree, NodeRef, Selection};
use url::Url;

/// Elements that are never content.
const NOISE: &str = "script, style, noscript, template, svg, canvas, iframe, object, embed, video, audio, \
    button, input, select, textarea, dialog, [role='dialog'], [role='alertdialog'], \
    [role='search'], link, meta";

/// Buttons that expand an answer. To a reader they are headings.
const DISCLOSURE_BUTTONS: &str = "button[aria-expanded], button[aria-controls], h1 button, h2 button, h3 button, h4 button, \
    h5 button, h6 button, dt button, summary button";

/// Class names of asides that belong to the surrounding text.
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

/// Site navigation and similar elements.
const FRAME: &str = "nav, [role='navigation'], [role='banner'], [role='contentinfo'], \
    [role='complementary'], [role='menu'], [role='menubar']";

/// A cookie banner has one word of `COOKIES` and one of `BANNERS` in its id or class, or one of `MANAGERS`.
const COOKIES: &[&str] = &["cookie", "consent", "gdpr", "ccpa"];
const BANNERS: &[&str] = &[
    "banner", "bar", "notice", "popup", "modal", "overlay", "dialog", "consent", "message", "prompt", "law",
];
const MANAGERS: &[&str] =
    &["onetrust", "cookiebot", "usercentrics", "didomi", "quantcast", "cc-window", "truste"];

/// Minimum length of a main element's text, in characters.
const MIN_MAIN_CHARS: usize = 200;

/// Removes elements that are never content, makes links absolute and replaces images by their descriptions.
pub(super) fn strip_noise(tree: &Tree, base: Option<&Url>) {
    tree.select(DISCLOSURE_BUTTONS).rename("span");
    tree.select(NOISE).remove();
    let whole = tree.select("body").text().len();
    for element in tree.select("[id], [class]").iter() {
        let name = format!("{} {}", element.attr_or("id", ""), element.attr_or("class", ""));
        // A class on the body or a page wrapper may only indicate that a banner is shown.
        if is_cookie_banner(&name) && element.text().len() * 2 < whole {
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

/// Replaces an image by its alternative text. Its URL is not informative, and may be a data URL.
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

/// Removes the site's navigation, headers and footers. Headers and footers of an article stay, and so do
/// callouts.
pub(super) fn strip_frame(tree: &Tree) {
    tree.select(FRAME).remove();
    for edge in tree.select("header, footer, aside").iter() {
        let inside = edge.nodes().first().is_some_and(|node| node.ancestors(None).iter().any(is_content));
        if !inside || (edge.is("aside") && !is_callout(&edge)) {
            edge.remove();
        }
    }
}

fn is_callout(aside: &Selection) -> bool {
    let class = aside.attr_or("class", "").to_ascii_lowercase();
    CALLOUTS.iter().any(|word| class.contains(word))
}

fn is_content(node: &NodeRef) -> bool {
    node.node_name().is_some_and(|name| matches!(&*name, "main" | "article"))
}

/// The HTML of the main element if it holds enough text, else of the body.
pub(super) fn content(tree: &Tree) -> String {
    let main = tree.select("main, [role='main']");
    if main.length() == 1 && main.text().trim().chars().nth(MIN_MAIN_CHARS).is_some() {
        return main.html().to_string();
    }
    tree.select("body").html().to_string()
}

fn is_cookie_banner(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    has(MANAGERS) || (has(COOKIES) && has(BANNERS))
}
