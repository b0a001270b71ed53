//! Crawl scopes, URL normalisation and page keys.

use parlance_crawl::scope::{Scope, key, normalise};

use crate::site::url;

#[test]
fn a_scope_covers_its_root_and_the_pages_below() {
    for root in
        ["https://example.com/help", "https://example.com/help/", "http://www.example.com/help/index.html"]
    {
        let scope = Scope::new(&url(root), true);
        for inside in [
            root,
            "https://example.com/help",
            "https://example.com/help/",
            "http://example.com/help/a/b?c=d#e",
            "https://www.example.com/help/a.pdf",
            "https://EXAMPLE.com:443/help/x/../y",
            "https://example.com./help/%61",
            "https://example.com/%68elp/a",
        ] {
            assert!(scope.contains(&url(inside)), "{root} covers {inside}");
        }
        for outside in [
            "https://example.com/",
            "https://example.com/helpers",
            "https://example.com/Help/a",
            "https://example.com/help/../admin",
            "https://example.com/help/%2e%2e/admin",
            "https://docs.example.com/help/a",
            "https://example.com.evil.org/help/a",
            "https://example.com:8443/help/a",
            "https://example.org/help/a",
            "ftp://example.com/help/a",
            "https://example.com/help/logo.PNG",
            "https://example.com/help/app.js?v=1",
            "https://example.com/help/all.zip",
        ] {
            assert!(!scope.contains(&url(outside)), "{root} does not cover {outside}");
        }
    }
}

#[test]
fn a_scope_may_be_a_whole_site_or_a_single_page() {
    let site = Scope::new(&url("https://example.com"), true);
    assert!(
        site.contains(&url("http://www.example.com/any/page"))
            && site.contains(&url("https://example.com/?a=b"))
    );
    let page = Scope::new(&url("https://example.com/help?id=1"), false);
    assert!(page.contains(&url("http://example.com/help/?id=1&utm_source=x#y")));
    assert!(
        !page.contains(&url("https://example.com/help?id=2"))
            && !page.contains(&url("https://example.com/help/a"))
    );
    assert!(Scope::new(&url("https://example.com/v1.2"), true).contains(&url("https://example.com/v1.2/a")));
    assert!(!Scope::new(&url("https://example.com/v1.2"), true).contains(&url("https://example.com/a")));
    let image = url("https://example.com/logo.png");
    assert!(Scope::new(&image, false).contains(&image), "an explicit root is always in scope");
    let local = Scope::new(&url("http://127.0.0.1:8080/"), true);
    assert!(
        local.contains(&url("http://127.0.0.1:8080/a")) && !local.contains(&url("http://127.0.0.1:8081/a"))
    );
}

#[test]
fn normalisation_keeps_significant_parts() {
    for (raw, normal) in [
        ("HTTP://Example.COM:80/a/./b/../c#d", "http://example.com/a/c"),
        ("https://example.com:443", "https://example.com/"),
        ("https://example.com:8443/", "https://example.com:8443/"),
        ("https://example.com./a", "https://example.com/a"),
        ("https://example.com/a?", "https://example.com/a"),
        ("https://example.com/a?utm_source=x&b=1&UTM_Medium=y&gclid=z&fbclid=", "https://example.com/a?b=1"),
        ("https://example.com/a?utm_source=x", "https://example.com/a"),
        ("https://example.com/a?b=2&a=1&&c", "https://example.com/a?b=2&a=1&c"),
        ("https://example.com/%7euser/%c3%a4/a%2fb%", "https://example.com/~user/%C3%A4/a%2Fb%"),
        ("https://example.com/ä", "https://example.com/%C3%A4"),
        ("https://example.com/a/", "https://example.com/a/"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
    ] {
        assert_eq!(normalise(&url(raw)).as_str(), normal);
        assert_eq!(normalise(&url(normal)).as_str(), normal, "normalisation is idempotent");
    }
}

#[test]
fn equivalent_urls_have_the_same_key() {
    let same = [
        "http://www.example.com/a/",
        "https://example.com/a",
        "https://example.com/a?utm_campaign=x#y",
        "https://EXAMPLE.com./%61/",
    ];
    for address in same {
        assert_eq!(key(&url(address)), "example.com/a");
    }
    assert_eq!(key(&url("https://example.com/")), "example.com");
    assert_eq!(key(&url("https://example.com/a?b=1")), "example.com/a?b=1");
    assert_ne!(key(&url("https://example.com/a")), key(&url("https://example.com/A")));
}

#[test]
fn sessions_are_no_part_of_a_url() {
    for (raw, normal) in [
        ("https://example.com/a;jsessionid=1A2B?b=1", "https://example.com/a?b=1"),
        ("https://example.com/a;JSESSIONID=1A2B.node1/b;v=1", "https://example.com/a/b;v=1"),
        ("https://example.com/(S(lit3py55t21z5v55vlm25s55))/a.aspx", "https://example.com/a.aspx"),
        ("https://example.com/a?PHPSESSID=x&b=1", "https://example.com/a?b=1"),
        ("https://example.com/a?sid=3f9a2c7b1d8e&b=1", "https://example.com/a?b=1"),
        ("https://example.com/a?session=0c4e8a1b2d", "https://example.com/a"),
        ("https://example.com/a?ASPSESSIONIDQQ=ABC", "https://example.com/a"),
        // Session names with values that are no sessions.
        ("https://example.com/a?sid=12", "https://example.com/a?sid=12"),
        ("https://example.com/a?session=spring2026", "https://example.com/a?session=spring2026"),
        ("https://example.com/?s=opening+hours", "https://example.com/?s=opening+hours"),
    ] {
        assert_eq!(normalise(&url(raw)).as_str(), normal);
        assert_eq!(normalise(&url(normal)).as_str(), normal, "normalisation is idempotent");
    }
}

#[test]
fn views_of_one_page_have_the_same_key() {
    for same in [
        ["https://example.com/a/index.html", "http://www.example.com/a/", "https://example.com//a"],
        ["https://example.com/Default.aspx", "https://example.com/index.php", "https://example.com"],
        ["https://example.com/a?b=1&c=2", "https://example.com/a?c=2&b=1", "https://example.com/a/?b=1&c=2&"],
        ["https://example.com/a?print=1", "https://example.com/a?view=print", "https://example.com/a"],
        [
            "https://example.com/a?q=%7Ex",
            "https://example.com/a?q=~x",
            "https://example.com/a?q=~x&printable=yes",
        ],
    ] {
        let [first, ..] = same.map(|address| key(&url(address)));
        same.iter().for_each(|address| assert_eq!(key(&url(address)), first, "{address}"));
    }
    for [one, other] in [
        ["https://example.com/a?print=letter", "https://example.com/a"],
        ["https://example.com/index.html/b", "https://example.com/b"],
        ["https://example.com/a?view=list", "https://example.com/a"],
        ["https://example.com/index", "https://example.com/"],
    ] {
        assert_ne!(key(&url(one)), key(&url(other)), "{one}");
    }
}
