//! Web pages: the main content as Markdown, and metadata for the crawler.
//!
//! The HTML tree builder takes quadratic time on deep nesting, so [`guard`] runs first.

mod charset;
mod chrome;
mod dynamic;
mod guard;
mod head;
mod hidden;
mod robots;
mod select;
mod styles;
mod words;

use dom_query::Document as Tree;
use htmd::HtmlToMarkdown;
use htmd::options::{BulletListMarker, Options};
use url::Url;

use super::text;
use crate::protocol::{Document, Format, Markup, Rejection, Request, Verdict};

/// Extracts the main content of a web page.
pub(crate) fn read(request: &Request, bytes: &[u8]) -> Result<Document, Rejection> {
    let html = charset::decode(bytes, request.media_type.as_deref());
    guard::check(&html)?;
    let address = request.url.as_deref().and_then(|url| Url::parse(url).ok());
    let tree = Tree::from(html.as_str());
    let base = head::base(&tree, address.as_ref());
    let title = head::title(&tree);
    let web = head::web(&tree, address.as_ref(), base.as_ref());
    dynamic::resolve(&tree);
    hidden::remove(&tree);
    chrome::strip_noise(&tree, base.as_ref());
    chrome::strip_frame(&tree);
    let text = match select::content(&tree) {
        Some(root) => markdown(&root.html())?,
        None => String::new(),
    };
    if weight(&text) == 0 {
        return Err(Rejection {
            needs_browser: web.frames.is_empty() && web.refresh.is_none(),
            web: Some(Box::new(web)),
            ..Rejection::new(
                Verdict::Empty,
                "The page has no text of its own: its content may be made by a script in the browser.",
            )
        });
    }
    Ok(Document {
        format: Format::Html,
        markup: Markup::Markdown,
        text: with_title(text, title.as_deref()),
        pages: Vec::new(),
        title,
        notes: Vec::new(),
        web: Some(web),
    })
}

fn markdown(html: &str) -> Result<String, Rejection> {
    let options = Options {
        bullet_list_marker: BulletListMarker::Dash,
        ul_bullet_spacing: 1,
        ol_number_spacing: 1,
        ..Options::default()
    };
    HtmlToMarkdown::builder()
        .options(options)
        .build()
        .convert(html)
        .map_err(|error| Rejection::new(Verdict::Corrupt, format!("The page cannot be read: {error}.")))
}

/// The number of letters and digits of a text.
fn weight(text: &str) -> usize {
    text.chars().filter(|character| character.is_alphanumeric()).count()
}

/// Prepends the title as a heading, unless the text has one: page headings are often outside the main content.
fn with_title(text: String, title: Option<&str>) -> String {
    match title {
        Some(title) if !text.lines().any(|line| line.starts_with("# ")) => {
            format!("# {}\n\n{text}", text::line(title))
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests;
