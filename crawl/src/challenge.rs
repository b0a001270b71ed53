//! Pure: whether an answer is a wall against robots instead of a page. No IO.

/// How far into a page its words are looked at.
const LOOK: usize = 64 * 1024;

/// Words of challenge pages, in lower case. Honest pages may carry some of them (a form has its
/// captcha), so they count only beside a status that says no.
const WORDS: [&str; 26] = [
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

/// Words that no honest page carries: they are a wall whatever the status.
const SURE: [&str; 5] = [
    "<title>just a moment...</title>",
    "window._cf_chl_opt",
    "captcha-delivery.com/captcha/",
    "/_incapsula_resource?swudnsai",
    "<title>pardon our interruption</title>",
];

/// Whether the site holds robots off with this answer.
///
/// 401 and 403 always do. 429 and 503 do when the page is a challenge; without one they ask for
/// patience. Any other status does when the page can be nothing else. `mitigated` is the header
/// `Cf-Mitigated` ([`crate::door::Fetched::mitigated`]).
pub fn blocked(status: u16, mitigated: Option<&str>, body: &[u8]) -> bool {
    if matches!(status, 401 | 403) || mitigated.is_some_and(|m| m.trim().eq_ignore_ascii_case("challenge")) {
        return true;
    }
    let page = String::from_utf8_lossy(&body[..body.len().min(LOOK)]).to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| page.contains(word));
    says(&SURE) || (matches!(status, 429 | 503) && says(&WORDS))
}
