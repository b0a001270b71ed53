//! Crawl scope and URL normalisation: pages of a source, and equality of pages. Pure: no IO.

use url::Url;

mod page_key;

pub use page_key::{key, normalise};

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

/// The site: host without `www.`, with the port unless it is 80 or 443.
pub fn site(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
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

fn is_non_document(path: &str) -> bool {
    extension(path).is_some_and(|extension| NON_DOCUMENTS.contains(&format!(" {extension} ")))
}

/// The extension of a path's last segment, in lower case.
fn extension(path: &str) -> Option<String> {
    let page = path.rsplit('/').next().unwrap_or_default();
    page.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase())
}
