//! Web pages: the main content as Markdown, and metadata for the crawler.
//!
//! The HTML tree builder takes quadratic time on deep nesting, so [`guard`] runs first.

mod charset;
mod chrome;
mod guard;
mod head;

use dom_query::Document as Tree;
use dom_smoothie::{Config, Readability, TextMode, is_probably_readable};
use htmd::HtmlToMarkdown;
use htmd::options::{BulletListMarker, Options};
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
    chrome::strip_noise(&tree, base.as_ref());
    let readable = is_probably_readable(&tree, None, None);
    let article = if readable { article(Tree::from(tree.html()), address.as_ref()) } else { None };
    chrome::strip_frame(&tree);
    let whole = markdown(chrome::content(&tree).as_str())?;
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
        scanned_pages: Vec::new(),
        web: Some(web),
    })
}

/// The article of a page, if there is one.
fn article(tree: Tree, address: Option<&Url>) -> Option<String> {
    let config = Config { text_mode: TextMode::Markdown, ..Config::default() };
    let address = address.map(Url::as_str);
    let article = Readability::with_document(tree, address, Some(config)).ok()?.parse().ok()?;
    Some(space_headings(&article.text_content))
}

/// Inserts the space that the converter omits in a heading whose text is in a nested element: `##Title`.
fn space_headings(markdown: &str) -> String {
    let mut spaced = String::with_capacity(markdown.len());
    let mut code = false;
    for line in markdown.split_inclusive('\n') {
        code ^= line.trim_start().starts_with("```");
        let text = line.trim_start_matches('#');
        let level = line.len() - text.len();
        if !code && (1..=6).contains(&level) && text.starts_with(|first: char| !first.is_whitespace()) {
            spaced.push_str(line.get(..level).unwrap_or_default());
            spaced.push(' ');
            spaced.push_str(text);
        } else {
            spaced.push_str(line);
        }
    }
    spaced
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
