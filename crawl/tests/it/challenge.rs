//! Detection of challenge pages.

use parlance_crawl::challenge::is_blocked;

#[test]
fn challenges_differ_from_pages_and_rate_limits() {
    let cloudflare =
        b"<!DOCTYPE html><html><head><title>Just a moment...</title><script>window._cf_chl_opt={}</script>";
    for (status, mitigated, body, wanted) in [
        (401, None, &b""[..], true),
        (403, None, b"<h1>Forbidden</h1>", true),
        (503, None, cloudflare, true),
        (200, None, cloudflare, true),
        (200, Some("challenge"), b"", true),
        (429, None, b"Please solve this CAPTCHA to continue", true),
        (503, None, b"<title>DDoS protection by Cloudflare</title>", true),
        (429, None, b"Too many requests", false),
        (503, None, b"Down for maintenance", false),
        (500, None, b"captcha service broke", false),
        (404, None, b"not found", false),
        (
            200,
            None,
            b"<form>g-recaptcha</form><script src=/cdn-cgi/challenge-platform/scripts/jsd/main.js>",
            false,
        ),
        (200, None, b"<h1>How to solve a captcha</h1> Just a moment... and verify you are human", false),
        (200, None, b"\xff\xfe", false),
    ] {
        assert_eq!(is_blocked(status, mitigated, body), wanted, "{status} {}", String::from_utf8_lossy(body));
    }
}
