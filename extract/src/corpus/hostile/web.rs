//! Web pages that nest and swell.

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
        Sample::fails("deep.html", page(&"<div>".repeat(100_000)), refused),
        Sample::fails("deep-closed.html", page(&("<i>".repeat(50_000) + &"</i>".repeat(50_000))), refused),
        Sample::fails("hidden-depth.html", page(&"<div></span>".repeat(100_000)), refused),
        Sample::fails("drawing-depth.html", page(&"<svg><title><div/>".repeat(50_000)), refused),
        Sample::fails("attributes.html", page(&format!("<p{attributes}>x")), refused),
        Sample::fails("formats.html", page(&formats), refused),
        Sample::fails("script.html", "<title>App</title><div id=root></div><script>go()</script>", &[Empty]),
        Sample::fails("comment.html", format!("<html><!--{}", "<p>x".repeat(1_000_000)), &[Empty]),
        Sample::ends("tables.html", page(&inner)),
        Sample::ends("paragraphs.html", page(&"<p>x".repeat(200_000))),
        Sample::ends("spans.html", page(&"<span>x</span>".repeat(150_000))),
        Sample::ends("links.html", page(&links)),
        Sample::ends("entities.html", page(&"&amp;&lt;&#x10ffff;&nosuch".repeat(100_000))),
        Sample::ends("cells.html", page(&format!("<table><tr>{}", "<td>x".repeat(200_000)))),
        Sample::ends("rows.html", page(&format!("<table>{}", "<tr><td>x<td>y".repeat(100_000)))),
        Sample::ends("foster.html", page(&"<table><b>x".repeat(150))),
        Sample::ends("selects.html", page(&"<select><option>x".repeat(100_000))),
        Sample::ends("quotes.html", page(&"<p a=\"".repeat(1_000_000))),
        Sample::ends("less.html", "<".repeat(2 << 20)),
        Sample::ends("banners.html", page(&"<div id=cookie-banner>x</div>".repeat(50_000))),
    ]
}
