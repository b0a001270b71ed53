//! Links: addresses, links around blocks, permalinks of headings, links that show only an icon.

use std::collections::HashMap;

use dom_query::NodeRef;
use url::Url;

use super::block::{Block, Flow};
use super::line::Line;
use super::seam::Edge;
use super::{Context, Writer, buttons, dom, inline};

/// Maximum length of an address, in bytes. Longer ones carry state rather than a location.
const MAX_ADDRESS: usize = 2_048;

/// Class names of permalinks of headings.
const PERMALINKS: &[&str] = &[
    "anchor",
    "headerlink",
    "header-anchor",
    "header-link",
    "heading-anchor",
    "heading-link",
    "permalink",
    "hash-link",
    "anchor-link",
    "anchorlink",
    "anchorjs-link",
    "direct-link",
    "deep-link",
    "section-link",
    "sectionlink",
    "autolink",
    "self-link",
    "headline-anchor",
    "octicon-link",
    "anchor-heading",
    "toc-anchor",
    "headinglink",
    "headline-link",
    "link-anchor",
    "heading__anchor",
    "subheading-anchor",
    "doc-anchor",
];

/// Beginnings of the names of permalinks.
const PERMALINK_NAMES: &[&str] = &[
    "permalink",
    "link to",
    "direct link",
    "anchor",
    "copy link",
    "copy permalink",
    "section titled",
    "permanent link",
    "link für",
    "link zu",
    "direktlink",
    "permanenter link",
    "lien permanent",
    "lien direct",
    "enlace",
    "link direct",
    "collegamento",
    "ссылка",
    "постоянная ссылка",
    "copy url",
    "share this section",
    "jump to",
];

/// Maximum length of a link's text in comparisons, in bytes.
const MAX_TITLE: usize = 200;

/// Maximum length of a line that can carry the link around its block, in bytes.
const MAX_BEARER: usize = 200;

/// Parts of addresses for sharing a page.
const SHARES: &[&str] = &[
    "sharer",
    "intent/tweet",
    "intent/post",
    "/share?",
    "share.php",
    "sharearticle",
    "pinterest.com/pin/create",
    "wa.me/?",
    "whatsapp://",
    "api.whatsapp.com/send",
    "t.me/share",
    "reddit.com/submit",
    "/submit?url",
    "mailto:?",
    "addtoany.com",
    "send?text=",
    "fb-messenger:",
    "tumblr.com/share",
    "vk.com/share",
    "line.me/r/msg",
    "getpocket.com",
    "share-offsite",
];

impl Writer<'_> {
    pub(super) fn link(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        let href = dom::attribute(node, "href").unwrap_or_default();
        let to_itself = href.starts_with('#') || node.has_attr("data-anchor");
        let has_text = dom::has_text(node);
        if self.tabs.is_tab(node) || inline::is_tool(node) || is_permalink(node, &href, has_text, context) {
            return;
        }
        let plain = context.heading && (to_itself || dom::has_class(node, PERMALINKS));
        let address =
            if plain || context.style.link > 0 { None } else { self.address(&href, &dom::text(node, 400)) };
        if !has_text {
            // A card has two links with one address: around its image and around its title.
            if shares(&href) || (!context.cell && self.is_titled(node, &href)) {
                return;
            }
            let mut inner = context;
            if let Some(address) = address {
                inner.style.link = self.add_link(address);
            }
            self.name_of_icon_link(node, inner, flow);
            return;
        }
        if href.starts_with('#') && flow.line.is_blank() && !context.flat && buttons::is_question(node) {
            self.question(node, context, flow);
            return;
        }
        let holds_blocks = !context.flat && dom::holds(node, dom::is_block_name);
        let mut inner = self.styled(node, "a", context);
        if holds_blocks {
            self.flush(flow, false);
            let at = flow.blocks.len();
            self.block(node, "a", inner, flow);
            if let Some(line) = address.is_some().then(|| bearer(flow.blocks.get_mut(at..)?)).flatten() {
                let number = self.add_link(address.unwrap_or_default());
                line.restyle(|style| style.link = if style.link == 0 { number } else { style.link });
            }
            return;
        }
        if let Some(address) = address {
            inner.style.link = self.add_link(address);
        }
        self.decimals(node, context, flow);
        flow.seam.opened = Edge::Unit;
        self.children(node, inner, flow);
        self.contact(node, &href, context, flow);
        flow.seam.closed = Edge::Unit;
    }

    /// Whether the description of an image link repeats the text of another link with the same address.
    fn is_titled(&self, node: &NodeRef, href: &str) -> bool {
        let Some(title) = self.titled.get(href) else { return false };
        let name = dom::attribute(node, "aria-label")
            .or_else(|| node.descendants_it().take(20).find_map(|inner| dom::attribute(&inner, "alt")));
        name.is_none_or(|name| {
            let name = name.to_lowercase();
            title.contains(&name) || name.contains(title.as_str())
        })
    }

    fn add_link(&mut self, address: String) -> u32 {
        self.links.push(address);
        u32::try_from(self.links.len()).unwrap_or(0)
    }

    /// The address of a link, or nothing if it is no web address, too long, or equal to the text.
    fn address(&self, href: &str, text: &str) -> Option<String> {
        let scheme = href.split(':').next().unwrap_or_default().to_ascii_lowercase();
        if href.is_empty()
            || href == "#"
            || matches!(
                scheme.as_str(),
                "javascript" | "data" | "mailto" | "tel" | "blob" | "about" | "vbscript" | "sms" | "callto"
            )
        {
            return None;
        }
        let url = match self.base {
            Some(base) => base.join(href).ok()?,
            None => Url::parse(href).ok()?,
        };
        if !matches!(url.scheme(), "http" | "https" | "ftp") {
            return None;
        }
        let address = url.as_str().replace('(', "%28").replace(')', "%29");
        // A text equal to the address makes the address redundant.
        let is_same = text.trim_end_matches('/') == address.trim_end_matches('/');
        (address.len() <= MAX_ADDRESS && !is_same).then_some(address)
    }

    /// Appends the e-mail address or telephone number of a link if its text does not contain it.
    fn contact(&mut self, _node: &NodeRef, href: &str, context: Context, flow: &mut Flow) {
        let Some((scheme, rest)) = href.split_once(':') else { return };
        let contact = rest.split('?').next().unwrap_or_default().trim();
        let contact = contact.replace("%20", " ").replace("%2B", "+").replace("%40", "@");
        let tail = flow.line.tail(200);
        let shown = match scheme.to_ascii_lowercase().as_str() {
            "mailto" if contact.contains('@') => tail.to_lowercase().contains(&contact.to_lowercase()),
            "tel" | "callto" => {
                let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
                let number = digits(&contact);
                let end = number.get(number.len().saturating_sub(4)..).unwrap_or_default();
                number.len() < 3 || digits(&tail).contains(end)
            }
            _ => return,
        };
        if !shown && contact.len() <= 100 && !contact.is_empty() {
            flow.line.space_word();
            flow.line.push_word(&format!("({contact})"), context.style);
        }
    }

    /// The address of a link, by its number.
    pub(super) fn address_of(&self, number: u32) -> Option<&str> {
        let at = (number as usize).checked_sub(1)?;
        self.links.get(at).map(String::as_str)
    }
}

/// The texts of links, by address.
pub(super) fn titled(root: &NodeRef) -> HashMap<String, String> {
    let links = root.descendants_it().filter(|node| node.has_name("a") && dom::has_text(node));
    links
        .filter_map(|link| Some((dom::attribute(&link, "href")?, dom::text(&link, MAX_TITLE).to_lowercase())))
        .collect()
}

/// Whether an address is for sharing the page on another site.
fn shares(href: &str) -> bool {
    let href = href.to_ascii_lowercase();
    SHARES.iter().any(|part| href.contains(part))
}

/// The line that carries the link around a group of blocks: the first sentence after the heading, so that the
/// heading stays plain, or the heading if there is no such sentence.
fn bearer(blocks: &mut [Block]) -> Option<&mut Line> {
    let is_words = |line: &Line| line.runs.iter().any(|run| run.text.contains(char::is_alphanumeric));
    let heading = blocks.iter().position(|block| matches!(block, Block::Heading { .. }));
    let sentence = blocks.iter().enumerate().skip(heading.unwrap_or(0)).find(
        |(_, block)| matches!(block, Block::Line { line, .. } if is_words(line) && line.size() <= MAX_BEARER),
    );
    let at = sentence.map(|(at, _)| at).or(heading).or_else(|| {
        blocks.iter().position(|block| matches!(block, Block::Line { line, .. } if is_words(line)))
    })?;
    match blocks.get_mut(at)? {
        Block::Heading { line, .. } | Block::Line { line, .. } => Some(line),
        _ => None,
    }
}

/// Whether a link is the permalink of a heading and not part of its text.
fn is_permalink(node: &NodeRef, href: &str, has_text: bool, context: Context) -> bool {
    let fragment = href.contains('#') || href.is_empty();
    let classed = dom::has_class(node, PERMALINKS);
    if !has_text {
        // An icon or a sign. Without text, the link names only its position.
        return (href.starts_with('#') && href.len() > 1) || (fragment && (classed || context.heading));
    }
    if !fragment {
        return false;
    }
    let name = dom::text(node, 200).to_lowercase();
    let named = PERMALINK_NAMES.iter().any(|start| name.starts_with(start));
    let only_for_screen_readers = node.element_children().iter().any(dom::for_screen_readers)
        && !node.children_it(false).any(|child| child.is_nonempty_text());
    if context.heading {
        let whole = || node.parent().is_none_or(|parent| dom::text(&parent, 400).to_lowercase() == name);
        return !whole() && (named || only_for_screen_readers || dom::keyword(node, "aria-hidden") == "true");
    }
    // Some site generators put the permalink beside the heading.
    classed && (named || only_for_screen_readers) && beside_heading(node)
}

fn beside_heading(node: &NodeRef) -> bool {
    [node.prev_element_sibling(), node.next_element_sibling()]
        .into_iter()
        .flatten()
        .any(|beside| beside.node_name().is_some_and(|name| dom::heading_level(&name).is_some()))
}
