//! File name of a response: `Content-Disposition`, else the last segment of its URL. Pure: no IO.

use url::Url;

/// The name of a downloaded file, in this order: `filename*` (RFC 8187), `filename` (RFC 6266), last path
/// segment.
pub fn file_name(content_disposition: Option<&str>, url: &Url) -> Option<String> {
    let declared = content_disposition.and_then(|header| {
        let extended = parameter(header, "filename*").and_then(|value| {
            let (_, encoded) = value.rsplit_once('\'')?;
            Some(decoded(encoded))
        });
        extended.or_else(|| parameter(header, "filename"))
    });
    let segment = || url.path_segments()?.next_back().map(decoded);
    let name = declared.filter(|name| name.contains('.')).or_else(segment)?;
    // A name is never a path.
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// A parameter of a header: `attachment; filename="a; b.csv"`.
fn parameter(header: &str, name: &str) -> Option<String> {
    let mut rest = header;
    // Each round consumes at least one character of the header.
    while let Some(at) = rest.find(';') {
        rest = rest.get(at + 1..)?.trim_start();
        let (key, value) = rest.split_once('=')?;
        let is_wanted = key.trim().eq_ignore_ascii_case(name);
        let value = value.trim_start();
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted_value(quoted),
            None => {
                let end = value.find(';').unwrap_or(value.len());
                (value.get(..end)?.trim().to_owned(), value.get(end..)?)
            }
        };
        if is_wanted {
            return Some(value);
        }
        rest = after;
    }
    None
}

/// A quoted string without its escapes, and the rest after it.
fn quoted_value(quoted: &str) -> (String, &str) {
    let (mut value, mut escaped) = (String::new(), false);
    for (at, character) in quoted.char_indices() {
        match character {
            '"' if !escaped => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' if !escaped => escaped = true,
            character => {
                value.push(character);
                escaped = false;
            }
        }
    }
    (value, "")
}

/// Percent-decoded text; invalid UTF-8 is replaced.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
