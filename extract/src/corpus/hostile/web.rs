//! Web pages with deep nesting or excessive size.

use crate::corpus::Sample;
use crate::protocol::Verdict::{Empty, TooComplex};

pub(super) fn samples() -> Vec<Sample> {
    let page = |body: &str| format!("<!doctype html><title>x</title><body>{body}<p>Words.");
    let attributes: String = (0..10_000).map(|n| format!(" a{n}=1")).collect();
    let formats: String = (0..50_000).map(|n| format!("<p><b id=b{n}>x")).collect();
    let links: String = (0..100_000).map(|n| format!("<a href=/{n}>{n}</a> ")).collect();
    let inner = format!("{}Words{}", "<table><tr><td>".repeat(250), "</table>".repeat(250));
    let refused: &[_] = &[TooComplex];
    vec![
        Sample::rejected("deep.html", page(&"<div>".repeat(100_000)), refused),
        Sample::rejected("deep-closed.html", page(&("<i>".repeat(50_000) + &"</i>".repeat(50_000))), refused),
        Sample::rejected("hidden-depth.html", page(&"<div></span>".repeat(100_000)), refused),
        Sample::rejected("drawing-depth.html", page(&"<svg><title><div/>".repeat(50_000)), refused),
        Sample::rejected("attributes.html", page(&format!("<p{attributes}>x")), refused),
        Sample::rejected("formats.html", page(&formats), refused),
        Sample::rejected(
            "script.html",
            "<title>App</title><div id=root></div><script>go()</script>",
            &[Empty],
        ),
        Sample::rejected("comment.html", format!("<html><!--{}", "<p>x".repeat(1_000_000)), &[Empty]),
        Sample::any("tables.html", page(&inner)),
        Sample::any("paragraphs.html", page(&"<p>x".repeat(200_000))),
        Sample::any("spans.html", page(&"<span>x</span>".repeat(150_000))),
        Sample::any("links.html", page(&links)),
        Sample::any("entities.html", page(&"&amp;&lt;&#x10ffff;&nosuch".repeat(100_000))),
        Sample::any("cells.html", page(&format!("<table><tr>{}", "<td>x".repeat(200_000)))),
        Sample::any("rows.html", page(&format!("<table>{}", "<tr><td>x<td>y".repeat(100_000)))),
        Sample::any("foster.html", page(&"<table><b>x".repeat(150))),
        Sample::any("selects.html", page(&"<select><option>x".repeat(100_000))),
        Sample::any("quotes.html", page(&"<p a=\"".repeat(1_000_000))),
        Sample::any("less.html", "<".repeat(2 << 20)),
        Sample::any("banners.html", page(&"<div id=cookie-banner>x</div>".repeat(50_000))),
    ]
}
