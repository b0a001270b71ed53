//! Reading of a response: its type, and its text from the extraction process.

use parlance_core::knowledge::crawl::{Cause, Outcome};
use parlance_core::providers::extract::Extraction;
use parlance_core::{Error, Result};
use parlance_crawl::disposition;
use parlance_crawl::fetcher::FetchResponse;
use parlance_extract::file_types;
use parlance_extract::protocol::Request;

use super::visit::Visitor;

/// `Accept` header: pages, then texts, then documents.
pub(super) const ACCEPT: &str = "text/html,application/xhtml+xml;q=0.9,text/markdown;q=0.8,text/plain;q=0.7,\
     application/pdf;q=0.6,text/csv;q=0.6,*/*;q=0.5";

/// Media types of downloads of unspecified type. The file name determines the type.
const UNKNOWN: [&str; 8] = [
    "application/octet-stream",
    "binary/octet-stream",
    "application/x-download",
    "application/download",
    "application/force-download",
    "application/x-octet-stream",
    "application/zip",
    "application/x-zip-compressed",
];

/// Result of reading a response.
pub(super) enum Reading {
    /// The document, or the verdict on it.
    Reply(Box<Extraction>),
    /// The type is not read.
    Unsupported(Outcome),
}

/// Extracts the text of a response.
///
/// # Errors
/// [`Error::Cancelled`] when stopped; other errors stop the crawl.
pub(super) async fn read(visitor: &Visitor<'_>, fetched: &FetchResponse) -> Result<Reading> {
    let Some(request) = request(fetched) else {
        let message = format!(
            "It is {}, which is not read: only {} are.",
            essence(fetched),
            file_types::crawled_labels()
        );
        let cause = Cause::new("unsupported_type", message).with_status(fetched.status);
        return Ok(Reading::Unsupported(Outcome::skipped(cause)));
    };
    let (bytes, language) = (fetched.body.clone(), visitor.language.iso_639_2());
    let extractor = visitor.ctx.extractor();
    let extraction =
        extractor.read_with_scans(visitor.tenant, &request, bytes, language, &|_, _| {}, visitor.stop);
    match extraction.await {
        Ok(reply) => Ok(Reading::Reply(Box::new(reply))),
        Err(Error::Rejected { code, message }) => {
            let cause = Cause::new(code, message).with_status(fetched.status);
            Ok(Reading::Unsupported(Outcome::failed(cause)))
        }
        Err(error) => Err(error),
    }
}

/// The extraction request of a response; `None` if its type is not read.
fn request(fetched: &FetchResponse) -> Option<Request> {
    let essence = essence(fetched);
    let url = Some(fetched.url.to_string());
    let is_page = matches!(essence.as_str(), "text/html" | "application/xhtml+xml");
    // The name of a page does not determine its type: `/terms.docx` may be a page about the document.
    let name = if is_page {
        None
    } else {
        disposition::file_name(fetched.content_disposition.as_deref(), &fetched.url)
    };
    if UNKNOWN.contains(&essence.as_str()) {
        let is_read = name.as_deref().and_then(file_types::by_file_name).is_some_and(is_crawled);
        return is_read.then_some(Request { name, media_type: None, url, image_of_page: None });
    }
    file_types::is_crawled(&essence).then(|| Request {
        name,
        media_type: fetched.media_type.clone().or(Some(essence)),
        url,
        image_of_page: None,
    })
}

fn is_crawled(file_type: &file_types::FileType) -> bool {
    !file_type.crawled_media_types.is_empty()
}

/// The media type in lower case without parameters; a missing one counts as a page.
fn essence(fetched: &FetchResponse) -> String {
    let media_type = fetched.media_type.as_deref().unwrap_or_default();
    let essence = media_type.split([';', ',']).next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence.is_empty() { "text/html".to_owned() } else { essence }
}

#[cfg(test)]
mod tests {
    use parlance_extract::file_types;

    #[test]
    fn every_accepted_media_type_is_extracted() {
        let types = super::ACCEPT.split(',').filter_map(|item| item.split(';').next());
        for media_type in types.filter(|media_type| *media_type != "*/*") {
            assert!(file_types::is_crawled(media_type), "{media_type}");
        }
    }
}
