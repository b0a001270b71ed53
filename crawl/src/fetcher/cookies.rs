//! Cookies within one fetch. They end with it: no two pages, crawls or tenants share one.
//!
//! Some sites set a cookie with a redirect and return the page only to a request with that cookie.

use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};
use url::Url;

/// Maximum number of cookies of a fetch, and the maximum length of one, in bytes.
const MAX_COOKIES: usize = 32;
const MAX_BYTES: usize = 4_096;

/// Cookies set by the redirects of a fetch so far.
#[derive(Debug, Default)]
pub(super) struct Cookies(Vec<Cookie>);

#[derive(Debug)]
struct Cookie {
    host: String,
    name: String,
    value: String,
    secure: bool,
}

impl Cookies {
    /// Stores the cookies of this URL's response. They are sent to its host only; their `Domain` is ignored.
    pub(super) fn take(&mut self, url: &Url, headers: &HeaderMap) {
        let Some(host) = url.host_str() else { return };
        for line in headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok()) {
            let mut parts = line.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let (name, value) = (name.trim(), value.trim());
            if name.is_empty() || line.len() > MAX_BYTES {
                continue;
            }
            self.0.retain(|cookie| cookie.host != host || cookie.name != name);
            let mut secure = false;
            let mut expired = value.is_empty();
            for attribute in parts {
                let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
                secure |= key.eq_ignore_ascii_case("secure");
                expired |= key.eq_ignore_ascii_case("max-age")
                    && value.trim().parse::<i64>().is_ok_and(|seconds| seconds <= 0);
            }
            if !expired && self.0.len() < MAX_COOKIES {
                self.0.push(Cookie {
                    host: host.to_owned(),
                    name: name.to_owned(),
                    value: value.to_owned(),
                    secure,
                });
            }
        }
    }

    /// The `Cookie` header of a request to this address.
    pub(super) fn header(&self, url: &Url) -> Option<HeaderValue> {
        let sent = |cookie: &&Cookie| {
            url.host_str() == Some(cookie.host.as_str()) && (!cookie.secure || url.scheme() == "https")
        };
        let pairs: Vec<String> =
            self.0.iter().filter(sent).map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        if pairs.is_empty() { None } else { HeaderValue::from_str(&pairs.join("; ")).ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_go_back_to_their_host_only() {
        let here = Url::parse("http://a.example/x").unwrap();
        let mut headers = HeaderMap::new();
        for line in ["a=1; Path=/", "b=2; Secure", "a=3; HttpOnly", "c=4; Max-Age=0", "nothing", "d="] {
            headers.append(SET_COOKIE, HeaderValue::from_static(line));
        }
        let mut cookies = Cookies::default();
        cookies.take(&here, &headers);
        let sent = |url: &str| {
            let header = cookies.header(&Url::parse(url).unwrap());
            header.map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(sent("http://a.example/y").as_deref(), Some("a=3"));
        assert_eq!(sent("https://a.example/y").as_deref(), Some("b=2; a=3"));
        assert_eq!(sent("http://b.a.example/"), None);
    }
}
