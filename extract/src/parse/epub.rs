//! E-books (EPUB) to Markdown: the chapters in reading order, each with its whole body.

use super::archive::Archive;
use super::xml::{self, Node};
use super::{html, office, text};
use crate::protocol::{Document, Format, MAX_TEXT_BYTES, Markup, Rejection, Verdict};

/// Media types of chapters.
const CHAPTERS: [&str; 2] = ["application/xhtml+xml", "text/html"];

/// Extracts the text of an e-book.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, Rejection> {
    let mut archive = Archive::open(bytes)?;
    let container = archive.read("META-INF/container.xml")?.ok_or_else(office::damaged)?;
    let container = xml::parse(&container)?.root;
    let package_path = container.descendants().find(|node| local(node) == "rootfile");
    let package_path =
        package_path.and_then(|node| node.attribute("full-path")).ok_or_else(office::damaged)?;
    let package = archive.read(package_path)?.ok_or_else(office::damaged)?;
    let package = xml::parse(&package)?.root;
    let folder = package_path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let encrypted = encrypted_paths(&mut archive)?;
    let mut chapters: Vec<String> = Vec::new();
    let (mut missing, mut locked, mut size) = (0, 0, 0);
    for path in spine(&package).into_iter().map(|href| resolve(folder, &href)) {
        if encrypted.contains(&path) {
            locked += 1;
            continue;
        }
        let Some(chapter) = archive.read(&path)? else {
            missing += 1;
            continue;
        };
        match read_chapter(&chapter) {
            Ok(Some(text)) => {
                size += text.len();
                chapters.push(text);
            }
            Ok(None) => {}
            Err(rejection) if matches!(rejection.verdict, Verdict::TooLarge | Verdict::TooComplex) => {
                return Err(rejection);
            }
            Err(_) => missing += 1,
        }
        if size > MAX_TEXT_BYTES {
            return Err(super::too_large());
        }
    }
    if chapters.is_empty() && locked > 0 {
        return Err(Rejection::new(
            Verdict::Encrypted,
            "The book is locked by its shop. Only books without copy protection can be read.",
        ));
    }
    if chapters.is_empty() && missing > 0 {
        return Err(office::damaged());
    }
    let mut document = Document::new(Format::Epub, Markup::Markdown, chapters.join("\n\n"));
    document.title =
        package.descendants().find(|node| local(node) == "title").map(|title| text::line(&title.text()));
    if missing + locked > 0 {
        document.notes.push(format!("Chapters that could not be read: {}.", missing + locked));
    }
    Ok(document)
}

/// A chapter as Markdown. `None` if it has no text, such as a cover.
fn read_chapter(chapter: &[u8]) -> Result<Option<String>, Rejection> {
    let page = text::decode(chapter);
    let text = html::body(&page)?;
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// The paths of the chapters in reading order, without table of contents and cover.
fn spine(package: &Node) -> Vec<String> {
    let find = |name: &str| package.elements().find(|node| local(node) == name);
    let manifest: Vec<&Node> = find("manifest").into_iter().flat_map(Node::elements).collect();
    let spine = find("spine").into_iter().flat_map(Node::elements);
    let excluded = |item: &Node| {
        let has =
            |name: &str| item.attribute("properties").unwrap_or_default().split(' ').any(|own| own == name);
        let id = item.attribute("id").unwrap_or_default().to_ascii_lowercase();
        has("nav")
            || has("cover-image")
            || matches!(id.as_str(), "cover" | "coverpage" | "cover-page" | "toc" | "nav")
    };
    let by_id: std::collections::HashMap<&str, &&Node> =
        manifest.iter().filter_map(|item| Some((item.attribute("id")?, item))).collect();
    spine
        .filter(|reference| reference.attribute("linear") != Some("no"))
        .filter_map(|reference| by_id.get(reference.attribute("idref")?))
        .filter(|item| item.attribute("media-type").is_some_and(|media_type| CHAPTERS.contains(&media_type)))
        .filter(|item| !excluded(item))
        .filter_map(|item| item.attribute("href").map(str::to_owned))
        .collect()
}

/// Paths of encrypted entries. They may include obfuscated fonts, which extraction does not need.
fn encrypted_paths(archive: &mut Archive<'_>) -> Result<Vec<String>, Rejection> {
    let Some(encryption) = archive.read("META-INF/encryption.xml")? else { return Ok(Vec::new()) };
    let Ok(encryption) = xml::parse(&encryption) else { return Ok(Vec::new()) };
    let references = encryption.root.descendants().filter(|node| local(node) == "CipherReference");
    Ok(references.filter_map(|node| node.attribute("URI")).map(|uri| resolve("", uri)).collect())
}

fn local(node: &Node) -> &str {
    node.name.rsplit_once(':').map_or(node.name.as_str(), |(_, local)| local)
}

/// The path of an entry: relative to its folder, percent-encoded.
fn resolve(folder: &str, href: &str) -> String {
    let href = href.split('#').next().unwrap_or_default();
    // The host represents the root of the archive.
    let base = url::Url::parse(&format!("epub://book/{folder}/"));
    let path = base.and_then(|base| base.join(href)).map(|url| url.path().to_owned()).unwrap_or_default();
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.trim_start_matches('/').as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match code.filter(|_| *byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
