//! Normalised URLs, and page keys, which are equal for all URLs of a page. Pure: no IO.

use url::Url;

use super::site;

/// Query parameters that only track a visitor's origin.
const TRACKING: [&str; 15] = [
    "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "fbclid", "igshid", "msclkid", "twclid", "ttclid",
    "yclid", "mc_cid", "mc_eid", "_ga", "_gl",
];

/// Session parameters; their values do not count.
const SESSION: [&str; 8] =
    ["jsessionid", "phpsessid", "phpsessionid", "cftoken", "zenid", "oscsid", "xtcsid", "sessid"];

/// Session parameters if their value looks random. Other sites use these names for sections and talks.
const OFTEN_SESSION: [&str; 8] = ["sid", "s", "ssid", "sess", "session", "sessionid", "session_id", "token"];

/// Parameters of a print view, and their values; an empty list: any affirmative value.
const PRINT: [(&str, &[&str]); 9] = [
    ("print", &[]),
    ("printable", &[]),
    ("printview", &[]),
    ("print_view", &[]),
    ("printerfriendly", &[]),
    ("printer_friendly", &[]),
    ("view", &["print", "printable"]),
    ("format", &["print", "printable"]),
    ("layout", &["print"]),
];

/// Values that switch a parameter on.
const AFFIRMATIVE: [&str; 6] = ["", "1", "true", "yes", "y", "on"];

/// Names of a folder's default page, without extension.
const DEFAULT_PAGES: [&str; 2] = ["index", "default"];

/// Normalises a URL: no fragment, default port, dot segments, empty query, tracking or session parameters
/// (`utm_*`, `gclid`, `PHPSESSID`, `;jsessionid=…` and similar); a lower-case host without a trailing dot;
/// minimal percent-encoding.
pub fn normalise(url: &Url) -> Url {
    // The `url` crate already drops default ports and dot segments and lower-cases the host.
    let mut url = url.clone();
    url.set_fragment(None);
    if let Some(host) = url.domain().and_then(|host| host.strip_suffix('.')).map(str::to_owned) {
        // On an error the URL stays unchanged.
        let _result = url.set_host(Some(&host));
    }
    let path = without_sessions(&decode_unreserved(url.path()));
    if path != url.path() {
        url.set_path(&path);
    }
    let kept: Option<String> = url.query().map(|query| {
        let pairs = query.split('&').filter(|pair| !pair.is_empty() && !is_of_visitor(pair));
        pairs.collect::<Vec<_>>().join("&")
    });
    if kept.as_deref() != url.query() || kept.as_deref() == Some("") {
        url.set_query(kept.as_deref().filter(|query| !query.is_empty()));
    }
    url
}

/// Identity of a page: the normalised URL without scheme, `www.`, default page (`index.html`), trailing or
/// doubled slashes and print parameters, with sorted parameters.
pub fn key(url: &Url) -> String {
    let url = normalise(url);
    let mut path = url.path();
    if let Some((folder, page)) = path.rsplit_once('/')
        && is_default_page(page)
    {
        path = folder;
    }
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let query = decode_unreserved(url.query().unwrap_or_default());
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !is_print(pair)).collect();
    pairs.sort_unstable();
    let mut key = site(&url);
    for segment in segments {
        key.push('/');
        key.push_str(segment);
    }
    if !pairs.is_empty() {
        key.push('?');
        key.push_str(&pairs.join("&"));
    }
    key
}

fn is_default_page(page: &str) -> bool {
    page.rsplit_once('.').is_some_and(|(name, extension)| {
        let name = name.to_ascii_lowercase();
        let extension = extension.to_ascii_lowercase();
        DEFAULT_PAGES.contains(&name.as_str()) && super::PAGE_EXTENSIONS.contains(&extension.as_str())
    })
}

fn is_print(pair: &str) -> bool {
    let (name, value) = lower_case(pair);
    PRINT.iter().any(|(print, values)| {
        let values = if values.is_empty() { AFFIRMATIVE.as_slice() } else { values };
        *print == name && values.contains(&value.as_str())
    })
}

/// Whether a parameter describes the visitor: origin or session.
fn is_of_visitor(pair: &str) -> bool {
    let (name, _) = lower_case(pair);
    name.starts_with("utm_") || TRACKING.contains(&name.as_str()) || is_session(pair)
}

fn is_session(pair: &str) -> bool {
    let (name, value) = lower_case(pair);
    SESSION.contains(&name.as_str())
        || name.starts_with("aspsessionid")
        || (OFTEN_SESSION.contains(&name.as_str()) && is_random(&value))
}

/// Whether a value looks random: at least eight characters, with at least three changes between letters and
/// digits.
fn is_random(value: &str) -> bool {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_,".contains(&byte));
    let characters = value.as_bytes();
    let turns = characters.windows(2).filter(|pair| match pair {
        [one, next] => one.is_ascii_digit() != next.is_ascii_digit(),
        _ => false,
    });
    is_plain && value.len() >= 8 && turns.count() >= 3
}

/// Name and value of a parameter, in lower case.
fn lower_case(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (name.to_ascii_lowercase(), value.to_ascii_lowercase())
}

/// A path without the sessions of servlets (`/a;jsessionid=…`) and of ASP.NET (`/(S(…))/a`).
fn without_sessions(path: &str) -> String {
    let is_cookieless = |segment: &&str| {
        segment.len() > 4 && segment.ends_with("))") && segment.to_ascii_uppercase().starts_with("(S(")
    };
    let segments = path.split('/').filter(|segment| !is_cookieless(segment)).map(|segment| {
        let mut parts = segment.split(';');
        let name = parts.next().unwrap_or_default().to_owned();
        parts.filter(|part| !is_session(part)).fold(name, |kept, part| format!("{kept};{part}"))
    });
    let path = segments.collect::<Vec<_>>().join("/");
    if path.starts_with('/') { path } else { format!("/{path}") }
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
