//! Detection of bot challenges and access-denied pages. Pure: no IO.

/// Bytes of a page that are searched.
const SEARCHED_BYTES: usize = 64 * 1024;

/// Phrases of challenge pages, in lower case. Ordinary pages may contain some of them (a form with a
/// captcha), so they count only with an error status.
const AMBIGUOUS: [&str; 26] = [
    "access denied",
    "are you a robot",
    "attention required! | cloudflare",
    "aws-waf",
    "awswaf",
    "bot detection",
    "captcha",
    "cdn-cgi/challenge-platform",
    "cf-browser-verification",
    "checking your browser",
    "checking if the site connection is secure",
    "ddos protection by",
    "ddos-guard",
    "enable javascript and cookies",
    "imperva",
    "incapsula",
    "just a moment...",
    "pardon our interruption",
    "perimeterx",
    "please verify you are",
    "request unsuccessful",
    "security check",
    "sucuri website firewall",
    "unusual traffic",
    "verify you are human",
    "verifying you are human",
];

/// Phrases that occur only on challenge pages. They count with any status.
const UNAMBIGUOUS: [&str; 5] = [
    "<title>just a moment...</title>",
    "window._cf_chl_opt",
    "captcha-delivery.com/captcha/",
    "/_incapsula_resource?swudnsai",
    "<title>pardon our interruption</title>",
];

/// Whether the site blocks crawlers with this response.
///
/// 401 and 403 always block. 429 and 503 block if the page is a challenge; otherwise they ask for a retry.
/// Any other status blocks if the page is unambiguously a challenge. `mitigated` is the header
/// `Cf-Mitigated` ([`crate::fetcher::FetchResponse::mitigated`]).
pub fn is_blocked(status: u16, mitigated: Option<&str>, body: &[u8]) -> bool {
    if matches!(status, 401 | 403) || mitigated.is_some_and(|m| m.trim().eq_ignore_ascii_case("challenge")) {
        return true;
    }
    let page = String::from_utf8_lossy(&body[..body.len().min(SEARCHED_BYTES)]).to_ascii_lowercase();
    let contains = |phrases: &[&str]| phrases.iter().any(|phrase| page.contains(phrase));
    contains(&UNAMBIGUOUS) || (matches!(status, 429 | 503) && contains(&AMBIGUOUS))
}
