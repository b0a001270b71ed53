//! OpenDocument files: texts (ODT), spreadsheets (ODS) and presentations (ODP).

mod body;
mod sheets;
mod slides;
mod styles;

use super::archive::Archive;
use super::{office, text, xml};
use crate::protocol::{Document, Format, Markup, Rejection};
use body::Body;
use styles::Styles;

/// Extracts the text of an OpenDocument file.
pub(crate) fn read(format: Format, bytes: &[u8]) -> Result<Document, Rejection> {
    let mut archive = Archive::open(bytes)?;
    let manifest = archive.read("META-INF/manifest.xml")?.unwrap_or_default();
    let encryption = b":encryption-data";
    if manifest.windows(encryption.len()).any(|window| window == encryption) {
        return Err(office::encrypted());
    }
    let content = archive.read("content.xml")?.ok_or_else(office::damaged)?;
    let content = xml::parse(&content)?;
    let shared = archive.read("styles.xml")?.and_then(|styles| xml::parse(&styles).ok());
    let styles = Styles::new(shared.as_ref().map(|styles| &styles.root), &content.root);
    let body = content.root.child("office:body");
    let part = |name: &str| body.and_then(|body| body.child(name));
    let mut document = match format {
        Format::Ods => sheets::read(part("office:spreadsheet"), &styles)?,
        Format::Odp => slides::read(part("office:presentation"), &styles),
        _ => {
            let mut body = Body::new(&styles);
            if let Some(text) = part("office:text") {
                body.read(text);
            }
            Document::new(Format::Odt, Markup::Markdown, body.finish())
        }
    };
    document.title = archive.read("meta.xml")?.and_then(|meta| title(&meta));
    if content.damaged {
        if document.text.trim().is_empty() {
            return Err(office::damaged());
        }
        document.notes.push("The text of the file is incomplete: its end could not be read.".to_owned());
    }
    Ok(document)
}

fn title(meta: &[u8]) -> Option<String> {
    let meta = xml::parse(meta).ok()?;
    let title = meta.root.descendants().find(|node| node.name == "dc:title")?;
    Some(text::line(&title.text())).filter(|title| !title.is_empty())
}
