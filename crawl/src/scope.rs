//! Crawl scope and URL normalisation: pages of a source, and equality of pages. Pure: no IO.

use url::Url;

/// Query parameters that only track a visitor's origin.
const TRACKING: [&str; 9] =
    ["gclid", "fbclid", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "mc_cid", "mc_eid"];

/// Extensions of pages. A root page with such an extension covers its folder.
const PAGE_EXTENSIONS: [&str; 9] = ["html", "htm", "xhtml", "shtml", "php", "asp", "aspx", "jsp", "jspx"];

/// Extensions that are never documents, separated by spaces.
const NON_DOCUMENTS: &str = " 7z aac apk avi avif bin bmp br bz2 css deb dmg eot exe flac gif gz ico iso \
    jar jpeg jpg js m4a m4v map mjs mkv mov mp3 mp4 mpeg mpg msi ogg ogv opus otf png rar rpm rss svg tar \
    tgz tif tiff ttf wasm wav webm webmanifest webp wma wmv woff woff2 xz zip zst ";

/// The pages of a source: its root page and, with subpages, the pages below it on the same site. A site is a
/// host with or without `www.`, over http or https.
#[derive(Debug, Clone)]
pub struct Scope {
    root: String,
    site: String,
    folder: Option<String>,
}

impl Scope {
    /// The scope of a root page. `/help`, `/help/` and `/help/index.html` all cover `/help` and `/help/…`.
    pub fn new(root: &Url, include_subpages: bool) -> Self {
        let root = normalise(root);
        Self {
            root: key(&root),
            site: site(&root),
            folder: include_subpages.then(|| folder(root.path()).to_owned()),
        }
    }

    /// Whether a page belongs to the source. Non-document files do not.
    pub fn contains(&self, url: &Url) -> bool {
        let url = normalise(url);
        matches!(url.scheme(), "http" | "https") && (key(&url) == self.root || self.covers(&url))
    }

    fn covers(&self, url: &Url) -> bool {
        self.folder.as_ref().is_some_and(|folder| {
            let below = url.path().strip_prefix(folder.as_str());
            site(url) == self.site
                && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                && !is_non_document(url.path())
        })
    }
}

/// Normalises a URL: no fragment, default port, dot segments, empty query or tracking parameters (`utm_*`,
/// `gclid`, `fbclid` and similar); a lower-case host without a trailing dot; minimal percent-encoding.
pub fn normalise(url: &Url) -> Url {
    // The `url` crate already drops default ports and dot segments and lower-cases the host.
    let mut url = url.clone();
    url.set_fragment(None);
    if let Some(host) = url.domain().and_then(|host| host.strip_suffix('.')).map(str::to_owned) {
        // On an error the URL stays unchanged.
        let _result = url.set_host(Some(&host));
    }
    let path = decode_unreserved(url.path());
    if path != url.path() {
        url.set_path(&path);
    }
    let kept: Option<String> = url.query().map(|query| {
        query.split('&').filter(|pair| !pair.is_empty() && !is_tracking(pair)).collect::<Vec<_>>().join("&")
    });
    if kept.as_deref() != url.query() || kept.as_deref() == Some("") {
        url.set_query(kept.as_deref().filter(|query| !query.is_empty()));
    }
    url
}

/// Identity of a page: the normalised URL without scheme, `www.` and trailing slash.
pub fn key(url: &Url) -> String {
    let url = normalise(url);
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{}{query}", site(&url), url.path().trim_end_matches('/'))
}

/// The site: host without `www.`, with the port unless it is 80 or 443.
fn site(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    match url.port_or_known_default() {
        None | Some(80 | 443) => host.to_owned(),
        Some(port) => format!("{host}:{port}"),
    }
}

/// The folder that a root page covers, without a trailing slash.
fn folder(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((folder, page)) if extension(page).is_some_and(|e| PAGE_EXTENSIONS.contains(&e.as_str())) => {
            folder
        }
        _ => path,
    }
    .trim_end_matches('/')
}

fn is_tracking(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    name.starts_with("utm_") || TRACKING.contains(&name.as_str())
}

fn is_non_document(path: &str) -> bool {
    extension(path).is_some_and(|extension| NON_DOCUMENTS.contains(&format!(" {extension} ")))
}

/// The extension of a path's last segment, in lower case.
fn extension(path: &str) -> Option<String> {
    let page = path.rsplit('/').next().unwrap_or_default();
    page.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase())
}

/// Decodes percent-encoded unreserved characters (RFC 3986, 6.2.2.2) and upper-cases the other escapes.
fn decode_unreserved(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        plain.push_str(before);
        match after.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => plain.push(byte.into()),
            Some(byte) => plain.push_str(&format!("%{byte:02X}")),
            None => {
                plain.push('%');
                rest = after;
                continue;
            }
        }
        rest = &after[2..];
    }
    plain.push_str(rest);
    plain
}
