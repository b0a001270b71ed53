//! Golden tests: HTML in, Markdown out.

use dom_query::Document as Tree;
use url::Url;

use super::write;

fn markdown(html: &str) -> String {
    let tree = Tree::from(html);
    let base = Url::parse("https://example.org/docs/page.html").unwrap();
    write(&tree.root(), Some(&base))
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (html, expected) in cases {
        assert_eq!(markdown(html), *expected, "{html}");
    }
}

#[test]
fn cells_that_span_stand_in_each_row_and_column() {
    check(&[
        (
            "<table><tr><th>Room<th>Day<th>Fee<tr><td rowspan=2>Hall<td>Mon<td>5<tr><td>Sun<td>9\
             <tr><td>Attic<td colspan=2>closed</table>",
            "| Room | Day | Fee |\n| --- | --- | --- |\n| Hall | Mon | 5 |\n| Hall | Sun | 9 |\n\
             | Attic | closed | closed |",
        ),
        (
            "<table><caption>Fares</caption><thead><tr><th rowspan=2>Zone<th colspan=2>Price<tr><th>net<th>gross\
             <tfoot><tr><td>All<td>1<td>2<tbody><tr><td>A<td>3<td>4<tr><td colspan=99>Evenings<tr><td>B<td>5<td>6</table>",
            "Fares\n\n| Zone | Price: net | Price: gross |\n| --- | --- | --- |\n| A | 3 | 4 |\n| Evenings | | |\n\
             | B | 5 | 6 |\n| All | 1 | 2 |",
        ),
        ("<table><tr><td rowspan=0>A<td>1<tr><td>2</table>", "| | |\n| --- | --- |\n| A | 1 |\n| A | 2 |"),
    ]);
}

#[test]
fn rows_keep_their_names_and_headers_are_found() {
    check(&[
        (
            "<table><tr><th>Mass<td>80 g<tr><th>Grip<td>cork</table>",
            "| | |\n| --- | --- |\n| Mass | 80 g |\n| Grip | cork |",
        ),
        (
            "<table><tr><td><b>Town</b><td><b>Km</b><tr><td>Rom<td>7</table>",
            "| Town | Km |\n| --- | --- |\n| Rom | 7 |",
        ),
        (
            "<table><tr class=head><td>Town<td>Km<tr><td>Rom<td>7</table>",
            "| Town | Km |\n| --- | --- |\n| Rom | 7 |",
        ),
        (
            "<table><tr><td>Town<td>Days<td>Km<tr><td>Rom<td>2<td>7<tr><td>Ulm<td>3<td>8</table>",
            "| Town | Days | Km |\n| --- | --- | --- |\n| Rom | 2 | 7 |\n| Ulm | 3 | 8 |",
        ),
        (
            "<div role=table><div role=row><span role=columnheader>Plan</span><span role=columnheader>Fee</span></div>\
             <div role=row><span role=cell>Solo</span><span role=cell>3</span></div></div>",
            "| Plan | Fee |\n| --- | --- |\n| Solo | 3 |",
        ),
    ]);
}

#[test]
fn cells_are_one_line_and_layout_tables_are_blocks() {
    check(&[
        (
            "<table><tr><th>Days<th>Way<tr><td>Mon<br>Fri<td>a | b<tr><td><ul><li>x<li>y</ul><td><p>One.<p>Two\
             <tr><td>in<td><table><tr><td>S<td>10<tr><td>M<td>12</table></table>",
            "| Days | Way |\n| --- | --- |\n| Mon; Fri | a \\| b |\n| x; y | One. Two |\n| in | S: 10; M: 12 |",
        ),
        ("<table><tr><td><h2>Left</h2><p>Text<td><ul><li>item</ul></table>", "## Left\n\nText\n\n- item"),
        ("<table role=presentation><tr><td>Phone<td>12 34</table>", "Phone 12 34"),
    ]);
}

#[test]
fn icons_in_cells_and_lists_say_yes_or_no() {
    check(&[
        (
            "<table><tr><th>Plan<th>Solo<th>Team<tr><td>API<td><i class='fa fa-check'></i><td><svg><use href='#cross'/></svg>\
             <tr><td>Logs<td><img src='/i/tick.svg'><td><span class=material-icons>close</span>\
             <tr><td>SSO<td><svg><title>Included</title></svg><td class=no>\
             <tr><td>Mail<td><input type=checkbox checked><td><svg role=img aria-label='On request'></svg></table>",
            "| Plan | Solo | Team |\n| --- | --- | --- |\n| API | yes | no |\n| Logs | yes | no |\n\
             | SSO | Included | no |\n| Mail | yes | On request |",
        ),
        (
            "<ul><li><i class='icon-check'></i> Post<li><i class='icon-cross'></i>Phone</ul>",
            "- ✓ Post\n- ✗ Phone",
        ),
    ]);
}

#[test]
fn terms_and_descriptions_share_a_line() {
    check(&[
        ("<dl><dt>Mass<dd>80 g<dt>Sizes<dd>S<dd>M</dl>", "- **Mass**: 80 g\n- **Sizes**: S; M"),
        ("<dl><div><dt>Where is it?</dt><dd>Here.</dd></div></dl>", "- **Where is it?** Here."),
        (
            "<dl><dt>Why?<dd><p>One.<p>Two.<dt>Then<dd>three</dl>",
            "**Why?**\n\nOne.\n\nTwo.\n\n**Then**\n\nthree",
        ),
    ]);
}

#[test]
fn code_keeps_its_lines_without_line_numbers() {
    let code = "```\n# run\n  go 0\n```";
    for html in [
        "<pre># run\n  go 0</pre>",
        "<pre><code># run<br>  go 0</code></pre>",
        "<pre><div># run</div><div>  go 0</div></pre>",
        "<pre><span class=line># run</span>\n<span class=line>  go 0</span></pre>",
        "<pre><span class=line># run</span><span class=line>  go 0</span></pre>",
        "<pre><ol><li># run<li>  go 0</ol></pre>",
        "<pre><span class=lineno>1</span># run\n<span class=lineno>2</span>  go <span class='token number'>0</span></pre>",
        "<pre><span>1</span> # run\n<span>2</span>   go 0</pre>",
        "<table><tr><td><pre>1\n2</pre><td><pre># run\n  go 0</pre></table>",
        "<table><tr><td data-line-number=1><td class=code># run<tr><td data-line-number=2><td class=code>  go 0</table>",
        "<div><pre>1\n2</pre><pre># run\n  go 0</pre></div>",
        "<div><div><button>Copy</button></div><pre># run\n  go 0<button>Copy</button></pre></div>",
    ] {
        assert_eq!(markdown(html), code, "{html}");
    }
    check(&[
        ("<pre class='brush: php;'>x ``` y</pre>", "````php\nx ``` y\n````"),
        ("<div class=highlight-source-ruby><pre>x</pre></div>", "```ruby\nx\n```"),
        ("<p>Use <code>a`b</code> now", "Use ``a`b`` now"),
        (
            "<ol><li>Type<pre>  x\n  y</pre>Then<li>Stop</ol>",
            "1. Type\n\n```\n  x\n  y\n```\n\nThen\n\n2. Stop",
        ),
    ]);
}

#[test]
fn raised_and_lowered_digits_make_no_other_number() {
    check(&[
        ("<p>€19<sup>99</sup> and 5<sup>49</sup> $", "€19.99 and 5.49 $"),
        ("<p lang=de>1.299<sup>00</sup> € und <sup>€</sup>7,<sup>95</sup>", "1.299,00 € und €7,95"),
        ("<p class=price>20<span>95</span>", "20.95"),
        (
            "<p class=price><span>€20</span><span class=cents>95</span> <span>10</span><span>12</span>",
            "€20.95 10 12",
        ),
        ("<p><span class=price>50</span><span class=price>30</span>", "50 30"),
        ("<p>10<sup>6</sup>, 10<sup>-3</sup>, x<sup>2</sup>, 5 m<sup>2</sup>", "10^6, 10^-3, x^2, 5 m²"),
        ("<p>CO<sub>2</sub>, C<sub>6</sub>H<sub>12</sub>, log<sub>2</sub>8", "CO2, C6H12, log_2 8"),
        (
            "<p>340<sup>1</sup> g, word<sup>2</sup>, end<sup><a href='#n'>3</a></sup>.",
            "340 [1] g, word [2], end [3].",
        ),
        (
            "<p>1<sup>st</sup>, M<sup>me</sup>, Oak<sup>®</sup>, 2<sup>1</sup>/<sub>3</sub>",
            "1st, Mme, Oak®, 2 1/3",
        ),
    ]);
    let german = "<html lang=de><body><p>Nur 19<sup>99</sup> €";
    assert_eq!(markdown(german), "Nur 19,99 €");
}

#[test]
fn struck_prices_are_marked() {
    check(&[
        ("<p>Cap <del>50</del> <ins>30</ins>", "Cap ~~50~~ 30"),
        ("<p><s>50 €</s>30 €", "~~50 €~~ 30 €"),
        ("<p><span style='text-decoration: line-through'>50</span><span>30</span>", "~~50~~ 30"),
        ("<p><span class=old-price>50</span><span class=price>30</span>", "~~50~~ 30"),
        ("<style>.w{text-decoration:line-through}</style><p><b class=w>50</b><b>30</b>", "~~**50**~~ **30**"),
        ("<del><p>gone</p></del>", "~~gone~~"),
    ]);
}

#[test]
fn links_around_blocks_stay_whole() {
    check(&[
        ("<a href=/a><h3>One</h3><p>Words.</p></a>", "### One\n\n[Words.](https://example.org/a)"),
        ("<a href=/a><img alt=Pic><h3>One</h3></a>", "### [One](https://example.org/a)"),
        ("<a href=/a><div>One</div></a>", "[One](https://example.org/a)"),
        ("<p><a href='x y(1)'>One <b>two</b></a>", "[One **two**](https://example.org/docs/x%20y%281%29)"),
        ("<a href=/a><img alt='The shop'></a>", "[The shop](https://example.org/a)"),
        ("<a href=/a title=Help><i></i></a>", "[Help](https://example.org/a)"),
        ("<a href=/a><img alt=Cap></a><h3><a href=/a>Cap</a></h3>", "### [Cap](https://example.org/a)"),
        ("<p><a href='javascript:x()'>One</a> <a href='data:,x'>two</a> <a>three</a>", "One two three"),
        (
            "<p><a href='mailto:a@example.org'>Write</a> <a href='tel:+491234'>Call</a>",
            "Write (a@example.org) Call (+491234)",
        ),
    ]);
}

#[test]
fn headings_have_no_links_to_themselves() {
    for heading in [
        "<h2>Fees<a class=headerlink href='#f' title='Permalink'>¶</a></h2>",
        "<h2><a href='#f' aria-hidden=true><svg></svg></a>Fees</h2>",
        "<h2>Fees <a href='#f'><span class=sr-only>Link to this part</span></a></h2>",
        "<h2><a class=anchor href='#f'>Fees</a></h2>",
        "<h2>Fees<a class=hash-link href='#f' aria-label='Direct link'>\u{200b}</a></h2>",
        "<div><h2>Fees</h2><a class=anchor href='#f' aria-label='Permalink: Fees'><svg></svg></a></div>",
        "<h2><b>Fees</b><button aria-label='Copy the link'></button></h2>",
        "<div role=heading aria-level=2>Fees</div>",
    ] {
        assert_eq!(markdown(heading), "## Fees", "{heading}");
    }
}

#[test]
fn buttons_are_named_and_tools_are_not() {
    check(&[
        ("<p>Press <button>Save</button>, then <kbd>Ctrl</kbd><kbd>S</kbd>.", "Press **Save**, then Ctrl+S."),
        ("<p>Text</p><div><button>Share</button><button>Print</button></div>", "Text"),
        ("<div><button>S</button><button>M</button></div>", "S M"),
        ("<h3><button aria-expanded=false>May I?</button></h3><p>Yes.", "### May I?\n\nYes."),
        ("<button class=accordion>Fees</button><div class=panel>Four.</div>", "**Fees**\n\nFour."),
        ("<input type=checkbox id=a><label for=a>Fees</label><div>Four.</div>", "**Fees**\n\nFour."),
        ("<details><summary>May I?</summary>Yes.</details>", "**May I?**\n\nYes."),
        ("<div class=faq-question>May I?</div><div>Yes.</div>", "**May I?**\n\nYes."),
        (
            "<ul role=tablist><li role=tab>Mac<li role=tab>PC</ul><div role=tabpanel>brew</div><div role=tabpanel>choco</div>",
            "**Mac**\n\nbrew\n\n**PC**\n\nchoco",
        ),
    ]);
}

#[test]
fn adjacent_words_are_apart_and_words_are_whole() {
    check(&[
        ("<div style='display:flex'><span>Fee</span><span>19 EUR</span></div>", "Fee 19 EUR"),
        ("<style>.r{display:grid}</style><div class=r><div>Sand</div><div>dark</div></div>", "Sand dark"),
        ("<p><span>Mass</span><span>80 g</span>", "Mass 80 g"),
        (
            "<p><a href=/a>One</a><a href=/b>Two</a>",
            "[One](https://example.org/a) [Two](https://example.org/b)",
        ),
        ("<div><label>S</label><label>M</label></div>", "S M"),
        ("<p><time>May 5</time><span class=author>Ann</span>", "May 5 Ann"),
        ("<p><b>W</b>ord wo<b>r</b>d <a href=/d>dog</a>s", "Word word [dog](https://example.org/d)s"),
        ("<p><span>H</span><span>e</span><span>llo</span>", "Hello"),
        ("<p>soft&shy;ware zero&#8203;width a&nbsp;b long<wbr>word", "software zerowidth a b longword"),
        ("<p>a<b> bold </b>b <b>Fee:</b>3", "a **bold** b **Fee:** 3"),
        ("<div>Mass</div><div>80 g</div>", "Mass\n80 g"),
    ]);
}

#[test]
fn lists_have_the_numbers_that_are_shown() {
    check(&[
        ("<ol start=3><li>c<li value=9>i<li>j</ol>", "3. c\n9. i\n10. j"),
        ("<ol reversed><li>x<li>y</ol>", "2. x\n1. y"),
        ("<ol type=a><li>x<li>y</ol>", "- a. x\n- b. y"),
        ("<ol style='list-style-type: upper-roman'><li>x<li>y</ol>", "- I. x\n- II. y"),
        ("<ul><li>a<ul><li>b</ul><li>c</ul>", "- a\n  - b\n- c"),
        ("<ul><li>a</li><ul><li>b</li></ul></ul>", "- a\n  - b"),
        (
            "<ul><li><input type=checkbox checked disabled> a<li><input type=checkbox disabled> b</ul>",
            "- [x] a\n- [ ] b",
        ),
        ("<ul><li><h3>A</h3><p>x</p><li><h3>B</h3></ul>", "### A\n\nx\n\n### B"),
    ]);
}

#[test]
fn one_copy_of_a_formula_or_a_price_is_kept() {
    check(&[
        (
            "<p>So <span class=katex><span class=katex-mathml><math><mi>x</mi><annotation encoding='application/x-tex'>\\frac{a}{b}\
             </annotation></math></span><span class=katex-html aria-hidden=true>ab</span></span>.",
            "So $\\frac{a}{b}$.",
        ),
        (
            "<math><mfrac><mi>a</mi><mn>2</mn></mfrac><mo>=</mo><msup><mi>c</mi><mn>2</mn></msup></math>",
            "a/2 = c^2",
        ),
        (
            "<p class=price><span class=sr-only>$19.99</span><span aria-hidden=true>$19<span>99</span></span>",
            "$19.99",
        ),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>", "漢(かん)字(じ)"),
    ]);
}

#[test]
fn text_does_not_become_markup() {
    check(&[
        ("<p># no</p><p>1. yes</p><p>&gt; x", "\\# no\n\n1. yes\n\n\\> x"),
        ("<p>a<br>---<br>| b |", "a\n\\---\n\\| b |"),
        ("<p>5 * 3 &lt;b&gt; &amp;lt; a_b \\_c", "5 * 3 <b> &lt; a_b \\_c"),
        (
            "<blockquote><p>a</p><p>b</p></blockquote><hr><p>x<br>y<br><br>z",
            "> a\n>\n> b\n\n---\n\nx\ny\n\nz",
        ),
        ("<script>s</script><style>t</style><p>x<template>u</template><iframe>v</iframe>", "x"),
    ]);
}

#[test]
fn hostile_tables_and_lists_stay_small() {
    let wide = "<tr><td colspan=1000 rowspan=65534>word</td></tr>".repeat(300);
    let table = format!("<table><tr><th>a<th>b</tr>{wide}</table>");
    assert!(markdown(&table).len() < 100_000);
    let deep = format!("{}x{}", "<ul><li>".repeat(150), "<li>y".repeat(2_000));
    assert!(markdown(&deep).len() < 200_000);
    let buttons = "<button>Ok</button><a href='#a'></a><sup>1</sup>".repeat(5_000);
    assert!(markdown(&format!("<p>x {buttons}")).len() < 200_000);
}

#[test]
fn ratings_without_text_are_named() {
    check(&[
        ("<div class=rating title='4.5 of 5'><span style='width:90%'></span></div>", "4.5 of 5"),
        ("<p>Soft <span class=stars aria-label='3 of 5 stars'></span></p>", "Soft 3 of 5 stars"),
    ]);
}

#[test]
fn numbers_beside_code_are_no_text() {
    check(&[
        (
            "<div class=gutter><div class=line>1</div><div class=line>2</div></div><pre>a\nb</pre>",
            "```\na\nb\n```",
        ),
        (
            "<dl><dt class=sig><span class=sig-prename>sea.</span><span class=sig-name>row</span>()</dt><dd>Rows.</dl>",
            "- **sea.row()**: Rows.",
        ),
    ]);
}
