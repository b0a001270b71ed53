//! Web pages: the main content as Markdown, and metadata for the crawler.
//!
//! The HTML tree builder takes quadratic time on deep nesting, so [`guard`] runs first.

mod banners;
mod charset;
mod dynamic;
mod emails;
mod guard;
mod head;
mod hidden;
mod robots;
mod select;
mod shell;
mod structured;
mod styles;
mod words;
mod writer;
mod xhtml;

use dom_query::Document as Tree;
use url::Url;

use super::text;
use crate::protocol::{Document, Format, Markup, Rejection, Request};

/// Extracts the main content of a web page.
pub(crate) fn read(request: &Request, bytes: &[u8]) -> Result<Document, Rejection> {
    let html = charset::decode(bytes, request.media_type.as_deref());
    let html = xhtml::with_end_tags(&html, request.media_type.as_deref());
    guard::check(&html)?;
    let address = request.url.as_deref().and_then(|url| Url::parse(url).ok());
    let tree = Tree::from(&*html);
    emails::unveil(&tree);
    let base = head::base(&tree, address.as_ref());
    let title = head::title(&tree);
    let web = head::web(&tree, address.as_ref(), base.as_ref());
    let data = structured::of(&tree);
    let signs = shell::Signs::of(&tree);
    let placed = dynamic::resolve(&tree);
    hidden::remove(&tree);
    banners::remove(&tree);
    let content = select::content(&tree, &data, address.as_ref(), title.as_deref());
    let heading = content.as_ref().and_then(|root| select::heading(&tree, root, title.as_deref()));
    let bare = content.as_ref().is_none_or(select::is_bare);
    let mut text = content.map(|root| writer::write(&root, base.as_ref())).unwrap_or_default();
    let completed = structured::complete(&mut text, &data);
    if let Some(rejection) = signs.judge(&text, bare, placed || completed, &web) {
        return Err(rejection);
    }
    let text = with_heading(text, heading);
    Ok(Document { title, web: Some(web), ..Document::new(Format::Html, Markup::Markdown, text) })
}

/// The whole body of a page as Markdown, for pages without menus and footers such as book chapters.
pub(super) fn body(html: &str) -> Result<String, Rejection> {
    guard::check(html)?;
    let tree = Tree::from(html);
    tree.select("script, noscript, template, iframe, object, embed, canvas, audio, video, head").remove();
    Ok(tree.body().map(|body| writer::write(&body, None)).unwrap_or_default())
}

/// The number of letters and digits of a text.
fn weight(text: &str) -> usize {
    text.chars().filter(|character| character.is_alphanumeric()).count()
}

/// Prepends a heading: page headings are often outside the main content.
fn with_heading(text: String, heading: Option<String>) -> String {
    match heading {
        Some(heading) => format!("# {heading}\n\n{text}"),
        None => text,
    }
}

#[cfg(test)]
mod content_tests;
#[cfg(test)]
mod select_tests;
#[cfg(test)]
mod tests;
