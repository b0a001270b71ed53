//! Web pages: the main content as Markdown, and metadata for the crawler.
//!
//! The HTML tree builder takes quadratic time on deep nesting, so [`guard`] runs first.

mod charset;
mod chrome;
mod guard;
mod head;
mod writer;

use dom_query::Document as Tree;
use dom_smoothie::{Config, Readability, is_probably_readable};
use url::Url;

use super::text;
use crate::protocol::{Document, Format, Markup, Rejection, Request, Verdict};

/// Minimum share of the page's text in the article. A smaller article is a wrong guess.
const MIN_SHARE: f64 = 0.3;

/// Extracts the main content of a web page.
pub(crate) fn read(request: &Request, bytes: &[u8]) -> Result<Document, Rejection> {
    let html = charset::decode(bytes, request.media_type.as_deref());
    guard::check(&html)?;
    let address = request.url.as_deref().and_then(|url| Url::parse(url).ok());
    let tree = Tree::from(html.as_str());
    let base = head::base(&tree, address.as_ref());
    let title = head::title(&tree);
    let web = head::web(&tree, address.as_ref(), base.as_ref());
    chrome::strip_noise(&tree);
    let readable = is_probably_readable(&tree, None, None);
    let article = if readable { article(Tree::from(tree.html()), address.as_ref()) } else { None };
    chrome::strip_frame(&tree);
    let whole = writer::write(&chrome::content(&tree), base.as_ref());
    let text = match article {
        Some(article) if weight(&article) as f64 >= MIN_SHARE * weight(&whole) as f64 => article,
        _ => whole,
    };
    if weight(&text) == 0 {
        return Err(Rejection::new(
            Verdict::Empty,
            "The page has no text of its own: its content may be made by a script in the browser.",
        ));
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

/// The article of a page, if there is one.
fn article(tree: Tree, address: Option<&Url>) -> Option<String> {
    let config = Config { keep_classes: true, ..Config::default() };
    let address = address.map(Url::as_str);
    let article = Readability::with_document(tree, address, Some(config)).ok()?.parse().ok()?;
    Some(writer::write(&Tree::fragment(article.content).root(), None))
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
