use super::*;
use crate::protocol::Verdict;

const ADDRESS: &str = "https://example.org/docs/page.html";

fn page(html: &str) -> Document {
    let request = Request { url: Some(ADDRESS.to_owned()), ..Request::default() };
    read(&request, html.as_bytes()).unwrap()
}

const CONTENT: &str = "<table><tr><th>Plan</th><th>Price</th></tr><tr><td>Small</td><td>10 EUR</td></tr></table>\
    <ul><li>One thing</li><li>Another <a href='../faq'>thing</a></li></ul>\
    <pre><code>cargo run\ncargo test</code></pre>";

#[test]
fn an_article_keeps_headings_lists_tables_links_and_code() {
    let paragraph = "<p>The quick brown fox, which is known to jump over lazy dogs, does so again, and again, \
        in a paragraph long enough to be the main content of a page that people read.</p>";
    let html = format!(
        "<html><head><title>Foxes</title></head><body><nav><a href=/a>Menu entry</a></nav><article>\
         <h1>About foxes</h1>{0}<h2><span>Prices</span></h2>{CONTENT}{0}{0}{0}</article><footer>Imprint of us</footer></body></html>",
        paragraph
    );
    let text = page(&html).text;
    for kept in [
        "# ",
        "## Prices",
        "| Plan",
        "10 EUR",
        "- One thing",
        "(https://example.org/faq)",
        "cargo run\ncargo test",
    ] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    for dropped in ["Menu entry", "Imprint of us"] {
        assert!(!text.contains(dropped), "{dropped} in {text}");
    }
}

#[test]
fn a_page_without_an_article_loses_only_its_boilerplate() {
    let html = format!(
        "<html><head><title>Prices</title><script>var x = 'script';</script></head><body>\
         <header>Site head</header><nav>Menu entry</nav><div id=cookie-banner>We use cookies</div>\
         <div><h2>Prices</h2>{CONTENT}<img alt='A chart of prices' src='data:image/png;base64,AAAA'></div>\
         <aside>Related</aside><footer>Imprint</footer></body></html>"
    );
    let text = page(&html).text;
    for kept in [
        "# Prices",
        "| Plan",
        "10 EUR",
        "- One thing",
        "[thing](https://example.org/faq)",
        "cargo run\ncargo test",
        "A chart of prices",
    ] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    for dropped in ["Site head", "Menu entry", "cookies", "Related", "Imprint", "script", "base64"] {
        assert!(!text.contains(dropped), "{dropped} in {text}");
    }
}

#[test]
fn metadata_for_crawlers_is_extracted() {
    let html = "<head><base href='/base/'><title> A\n title </title><link rel=canonical href='/canonical#x'>\
        <meta name=ROBOTS content='NoFollow, noarchive'></head><body><p>Words.\
        <a href='one#top'>1</a><a href='one'>1</a><a href='https://other.example/two?q=1'>2</a>\
        <a href='mailto:a@b.c'>m</a><a href='javascript:x()'>j</a><a href='/docs/page.html#here'>h</a></body>";
    let document = page(html);
    assert_eq!(document.title.as_deref(), Some("A title"));
    let web = document.web.unwrap();
    assert_eq!(web.canonical.as_deref(), Some("https://example.org/canonical"));
    assert_eq!(web.links, ["https://example.org/base/one", "https://other.example/two?q=1"]);
    assert!(web.nofollow && !web.noindex);
}

#[test]
fn a_page_rendered_by_script_is_empty() {
    let html =
        "<html><head><title>App</title></head><body><nav>Menu</nav><div id=root></div><script>x</script>";
    assert_eq!(read(&Request::default(), html.as_bytes()).unwrap_err().verdict, Verdict::Empty);
}

#[test]
fn collapsed_answers_and_callouts_are_content() {
    let html = "<title>FAQ</title><body><nav><button aria-expanded=false>Menu</button></nav><main>\
        <h3><button aria-controls=a>May I return it?</button></h3><div id=a role=region hidden>Within 30 days.</div>\
        <aside class='starlight-aside--caution'>Keep the receipt.</aside><aside>Read also</aside>\
        <div hidden>A template</div><button>Buy now</button></main>";
    let text = page(html).text;
    for kept in ["### May I return it?", "Within 30 days.", "Keep the receipt."] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    for dropped in ["Menu", "Read also", "A template", "Buy now"] {
        assert!(!text.contains(dropped), "{dropped} in {text}");
    }
}
