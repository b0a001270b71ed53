//! Robots directives of the `X-Robots-Tag` header.

use parlance_crawl::directives::Directives;

fn read(lines: &[&str]) -> (bool, bool) {
    let Directives { noindex, nofollow } = Directives::of_headers(lines.iter().copied());
    (noindex, nofollow)
}

#[test]
fn directives_for_every_crawler_apply() {
    for (lines, noindex, nofollow) in [
        (["noindex"].as_slice(), true, false),
        (&["NoIndex , NOFOLLOW"], true, true),
        (&["none"], true, true),
        (&["all"], false, false),
        (&["noarchive", "nofollow"], false, true),
        (&["*: noindex"], true, false),
        (&[], false, false),
        (&[" , ,:"], false, false),
    ] {
        assert_eq!(read(lines), (noindex, nofollow), "{lines:?}");
    }
}

#[test]
fn only_directives_of_this_crawler_apply_by_name() {
    for (lines, noindex, nofollow) in [
        (["otherbot: noindex, nofollow"].as_slice(), false, false),
        (&["otherbot: none", "parlancebot: noindex"], true, false),
        (&["ParlanceBot : nofollow, noindex"], true, true),
        (&["noindex, otherbot: nofollow"], true, false),
        (&["otherbot: noindex, parlancebot: nofollow"], false, true),
        (&["otherbot: noindex", "nofollow"], false, true),
    ] {
        assert_eq!(read(lines), (noindex, nofollow), "{lines:?}");
    }
}

#[test]
fn values_of_directives_are_no_directives() {
    for (lines, noindex, nofollow) in [
        (["max-image-preview:none"].as_slice(), false, false),
        (&["max-snippet:-1, max-image-preview: none, max-video-preview: 0"], false, false),
        (&["max-image-preview:none, nofollow"], false, true),
        (&["unavailable_after: Wed, 25 Jun 2025 15:00:00 GMT"], true, false),
        (&["unavailable_after: Wednesday, 25-Jun-25 15:00:00 GMT, nofollow"], true, true),
        (&["unavailable_after: Mon, 25 Jun 2990 15:00:00 GMT, nofollow"], false, true),
        (&["otherbot: unavailable_after: Wed, 25 Jun 2025 15:00:00 GMT"], false, false),
        (&["unavailable_after: soon"], false, false),
    ] {
        assert_eq!(read(lines), (noindex, nofollow), "{lines:?}");
    }
}
