//! Parser of XML sitemaps and indexes, RSS and Atom feeds and plain-text lists. Pure: no IO.
//!
//! Sitemaps may be gzipped.

use std::borrow::Cow;
use std::io::Read;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// sitemaps.org allows 50,000 URLs per sitemap.
const MAX_ENTRIES: usize = 50_000;
/// Maximum URL length, in bytes.
const MAX_ADDRESS: usize = 2_048;

/// The URLs in a sitemap, as written.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) pages: Vec<String>,
    pub(super) maps: Vec<String>,
}

/// Parses a sitemap. Returns the entries before the error of a broken or oversized one.
pub(super) fn entries(body: &[u8], limit: usize) -> Entries {
    let body = inflate(body, limit);
    let text = String::from_utf8_lossy(&body);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('<') { xml(text) } else { lines(text) }
}

/// Decompresses gzip data up to the limit; other data is returned unchanged.
fn inflate(body: &[u8], limit: usize) -> Cow<'_, [u8]> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return Cow::Borrowed(body);
    }
    let mut inflated = Vec::new();
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    if let Err(error) = flate2::read::MultiGzDecoder::new(body).take(limit).read_to_end(&mut inflated) {
        tracing::debug!(%error, "gzipped sitemap is truncated or corrupt");
    }
    Cow::Owned(inflated)
}

fn lines(text: &str) -> Entries {
    let is_address = |line: &&str| line.starts_with("http://") || line.starts_with("https://");
    let pages = text.lines().map(str::trim).filter(is_address).filter(|line| line.len() <= MAX_ADDRESS);
    Entries { pages: pages.take(MAX_ENTRIES).map(str::to_owned).collect(), maps: Vec::new() }
}

/// Collects the `loc` of each `url` and each `sitemap`, in any namespace. The `loc` elements of images and
/// videos are nested deeper and skipped.
fn xml(text: &str) -> Entries {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut entries = Entries::default();
    let mut open = Open::default();
    while entries.pages.len() + entries.maps.len() < MAX_ENTRIES {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                open.start(&tag.local_name().as_ref().to_ascii_lowercase());
                open.link(&tag);
            }
            Ok(Event::Empty(tag)) => {
                open.start(&tag.local_name().as_ref().to_ascii_lowercase());
                open.link(&tag);
                open.end(&mut entries);
            }
            Ok(Event::Text(text)) => open.text(text.as_ref()),
            Ok(Event::CData(text)) => open.text(text.as_ref()),
            Ok(Event::GeneralRef(name)) => match name.resolve_char_ref() {
                Ok(Some(character)) => open.text(character.encode_utf8(&mut [0; 4])),
                _ => open.text(resolve_predefined_entity(&name).unwrap_or_default()),
            },
            Ok(Event::End(_)) => open.end(&mut entries),
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%error, "sitemap is malformed; keeping what precedes the error");
                break;
            }
        }
    }
    entries
}

/// Role of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Page,
    Map,
    /// An item of a feed.
    Item,
    PageAddress,
    MapAddress,
    Other,
}

/// The open elements and the URL being read.
#[derive(Default)]
struct Open {
    kinds: Vec<Kind>,
    address: String,
}

impl Open {
    fn start(&mut self, name: &str) {
        let kind = match (name, self.kinds.last()) {
            ("url", _) => Kind::Page,
            ("sitemap", _) => Kind::Map,
            ("item" | "entry", _) => Kind::Item,
            ("link", Some(Kind::Item)) => Kind::PageAddress,
            ("loc", Some(Kind::Page)) => Kind::PageAddress,
            ("loc", Some(Kind::Map)) => Kind::MapAddress,
            _ => Kind::Other,
        };
        self.address.clear();
        self.kinds.push(kind);
    }

    /// Reads the address of a link in an Atom feed, which is an attribute.
    fn link(&mut self, tag: &BytesStart) {
        if self.kinds.last() != Some(&Kind::PageAddress) {
            return;
        }
        let attribute = |name: &str| {
            let value = tag.try_get_attribute(name).ok()??;
            value.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.trim().to_owned())
        };
        let is_page = attribute("rel").is_none_or(|rel| rel.eq_ignore_ascii_case("alternate"));
        if let Some(address) = attribute("href").filter(|_| is_page) {
            self.text(&address);
        }
    }

    fn text(&mut self, text: &str) {
        let reads = matches!(self.kinds.last(), Some(Kind::PageAddress | Kind::MapAddress));
        if reads && self.address.len() + text.len() <= MAX_ADDRESS {
            self.address.push_str(text);
        }
    }

    fn end(&mut self, entries: &mut Entries) {
        let list = match self.kinds.pop() {
            Some(Kind::PageAddress) => &mut entries.pages,
            Some(Kind::MapAddress) => &mut entries.maps,
            _ => return,
        };
        let address = self.address.trim();
        if !address.is_empty() {
            list.push(address.to_owned());
        }
    }
}
