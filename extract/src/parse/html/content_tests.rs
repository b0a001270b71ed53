use super::*;
use crate::protocol::Verdict;

fn read_page(html: &str) -> Result<Document, Rejection> {
    let request = Request { url: Some("https://example.org/guide/page".to_owned()), ..Request::default() };
    read(&request, html.as_bytes())
}

/// Checks which texts of a page are kept and which are not.
fn check(html: &str, kept: &[&str], dropped: &[&str]) {
    let text = read_page(html).unwrap().text;
    for kept in kept {
        assert!(text.contains(kept), "{kept} is missing in {text}");
    }
    for dropped in dropped {
        assert!(!text.contains(dropped), "{dropped} is in {text}");
    }
}

const PROSE: &str = "<p>The ferry crosses the sound six times a day, and in winter four times, whenever the ice allows \
    it. Tickets are sold on board, for coins or by card, and dogs travel free of charge with their owners.</p>";

#[test]
fn sections_about_consent_stay_and_banners_go() {
    let html = format!(
        "<title>Surgery</title><body><div class='consent-notice' style='position:fixed'>We use cookies. <button>Accept all\
         </button></div><div id=cookie-hint>This site sets cookies. <a href='#'>OK</a></div><main><h1>Surgery</h1>\
         <section class='consent-form'><h2>Consent</h2>{PROSE}</section><section id=privacy-notice>Your file is kept.\
         </section>{PROSE}</main>"
    );
    check(
        &html,
        &["## Consent", "six times a day", "Your file is kept"],
        &["We use cookies", "sets cookies"],
    );
}

#[test]
fn hidden_text_goes_and_panels_that_open_stay() {
    let html = format!(
        "<style>.ghost{{display:none}} .tab{{display:none}} .tab.on{{display:block}}</style><body><main><h1>Fares</h1>{PROSE}\
         <p class=ghost>Draft fare.</p><p style='font-size:0'>Robots only.</p><p style='color:#fff;background:#fff'>White.</p>\
         <p style='position:absolute;left:-9999px'>Far away.</p><div class='tab on'>Summer fare</div><div class=tab>Winter fare\
         </div><button data-bs-target='#more'>Dogs</button><div id=more style='display:none'>Dogs go free.</div>\
         <label for=x>Bikes</label><div hidden>Bikes cost two.</div><div hidden=until-found>Found text.</div></main>"
    );
    check(
        &html,
        &["Summer fare", "Winter fare", "Dogs go free", "Bikes cost two", "Found text"],
        &["Draft fare", "Robots only", "White.", "Far away"],
    );
}

#[test]
fn streamed_pieces_take_their_places() {
    let html = format!(
        "<title>Crossing</title><body><main><h1>Crossing</h1><!--$?--><template id='B:1'></template><p>Please wait</p><!--/$-->\
         <p>Afterword of the page.</p></main><div hidden id='S:2'>{PROSE}<template id='P:3'></template></div>\
         <div hidden id='S:3'><p>The last boat leaves at nine.</p></div>\
         <script>$RC('B:1','S:2');$RS('S:3','P:3')</script>"
    );
    let text = read_page(&html).unwrap().text;
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is missing in {text}"));
    assert!(at("six times a day") < at("last boat") && at("last boat") < at("Afterword"), "{text}");
    assert!(!text.contains("Please wait"), "{text}");
}

#[test]
fn noscript_content_is_read_when_scripts_make_the_page() {
    let made = format!(
        "<title>Ferry</title><body><div id=app></div><noscript>{PROSE}</noscript><script src=a.js></script>"
    );
    check(&made, &["six times a day"], &[]);
    let own = format!(
        "<body><main>{PROSE}{PROSE}</main><noscript><p>Please enable JavaScript to see the map.</p></noscript>"
    );
    check(&own, &["six times a day"], &["enable JavaScript"]);
}

#[test]
fn heroes_and_contacts_outside_of_main_stay() {
    let html = format!(
        "<title>Sound ferry</title><body><header><nav><a href=/a>Timetable</a></nav></header><header class=hero><h1>Sound ferry\
         </h1><p>From 4 euros a trip.</p></header><main><h2>Fares</h2>{PROSE}{PROSE}</main><footer><a href=/t>Terms</a>\
         <p>Call +47 22 33 44 55</p><p>Open Monday to Friday, 8 to 16</p><p>© 2026 Sound ferry</p></footer>"
    );
    check(
        &html,
        &["# Sound ferry", "From 4 euros", "+47 22 33 44 55", "8 to 16"],
        &["Timetable", "Terms", "©"],
    );
}

#[test]
fn titles_come_from_headings_never_from_code() {
    let html = format!(
        "<title>Backup | Ferry docs</title><body><div><h1>Backup</h1></div><main>{PROSE}<pre><code># copy first\nrun\
         </code></pre>{PROSE}</main>"
    );
    assert!(read_page(&html).unwrap().text.starts_with("# Backup\n"));
    let html = format!("<title>Fares – Ferry</title><body><main><h2>Fares</h2>{PROSE}</main>");
    let text = read_page(&html).unwrap().text;
    assert_eq!(text.matches("Fares").count(), 1, "{text}");
}

#[test]
fn menus_related_links_and_comments_go() {
    let links = |name: &str| {
        (0..6).map(|n| format!("<li><a href=/{name}{n}>{name} {n}</a></li>")).collect::<String>()
    };
    let html = format!(
        "<meta property='article:published_time' content='2026-01-01'><body><div class=topmenu><ul>{}</ul></div><main><h1>Ice</h1>\
         {PROSE}{PROSE}<h3>Related articles</h3><ul>{}</ul><div id=comments><p>First comment, by a reader.</p></div></main>",
        links("Menu"),
        links("Other")
    );
    check(&html, &["# Ice", "six times a day"], &["Menu 1", "Other 1", "Related articles", "First comment"]);
}

#[test]
fn all_posts_of_a_discussion_are_content() {
    let post =
        |name: &str| format!("<div class=comment><b>{name}</b><p>{name} says that it works.</p></div>");
    let html = format!(
        "<meta name=generator content='Discourse 3'><body><h1>Does it work?</h1><div id=comments>{}{}{}</div>",
        post("Ada"),
        post("Ben"),
        post("Cyd")
    );
    check(&html, &["Ada says", "Ben says", "Cyd says"], &[]);
}

#[test]
fn structured_data_fills_what_the_page_lacks() {
    let html = format!(
        "<script type='application/ld+json'>{{\"@graph\":[{{\"@type\":[\"FAQPage\"],\"mainEntity\":[{{\"@type\":\"Question\",\
         \"name\":\"May I bring a kayak?\",\"acceptedAnswer\":{{\"text\":\"&lt;p&gt;Yes, for 3 euros.&lt;/p&gt;\"}}}}]}},\
         {{\"@type\":\"Product\",\"name\":\"Day pass\",\"offers\":[{{\"price\":19.5,\"priceCurrency\":\"EUR\",\
         \"availability\":\"https://schema.org/InStock\"}}]}}]}}</script><body><main><h1>Day pass</h1>{PROSE}</main>"
    );
    check(
        &html,
        &["## May I bring a kayak?", "Yes, for 3 euros.", "Price: 19.5 EUR", "Availability: in stock"],
        &["<p>", "&lt;", "Name: Day pass"],
    );
    let priced = html.replace("<h1>Day pass</h1>", "<h1>Day pass</h1><p>Costs €19.50.</p>");
    check(&priced, &["€19.50"], &["Price: 19.5"]);
}

#[test]
fn shells_of_scripts_are_empty_and_need_a_browser() {
    for shell in [
        "<div id=root><div class=spinner>Loading…</div></div>",
        "<app-root></app-root><noscript>You need to enable JavaScript to run this app.</noscript>",
        "<header>Ferry</header><div id=app></div><footer>Terms and privacy</footer>",
        "<a href=/>Home of the ferry</a>",
    ] {
        let html = format!("<title>Ferry</title><body>{shell}<script src=/main.js></script>");
        let rejection = read_page(&html).unwrap_err();
        assert_eq!((rejection.verdict, rejection.needs_browser), (Verdict::Empty, true), "{shell}");
    }
    let blank = read_page("<title>Ferry</title><body></body>").unwrap_err();
    assert_eq!((blank.verdict, blank.needs_browser), (Verdict::Empty, false));
    check(
        "<title>Ferry</title><body><p>The pier is closed today.</p><script src=/a.js></script>",
        &["is closed"],
        &[],
    );
}

#[test]
fn pages_without_text_still_lead_on() {
    let frames = "<title>Old</title><frameset><frame src=menu.html><frame src='/text.html#top'></frameset>";
    let web = read_page(frames).unwrap_err().web.unwrap();
    assert_eq!(web.frames, ["https://example.org/guide/menu.html", "https://example.org/text.html"]);
    let refresh = "<meta http-equiv=Refresh content='0; URL=/new/'><body></body>";
    let rejection = read_page(refresh).unwrap_err();
    assert_eq!(rejection.web.unwrap().refresh.as_deref(), Some("https://example.org/new/"));
    assert!(!rejection.needs_browser);
}

#[test]
fn links_that_must_not_be_followed_are_left_out() {
    let html = "<p>Some words.<a href=/a rel='external nofollow'>a</a><a href=/b rel=ugc>b</a></p>";
    assert_eq!(read_page(html).unwrap().web.unwrap().links, ["https://example.org/b"]);
}

#[test]
fn names_of_menus_do_not_remove_content_without_links() {
    let html = format!(
        "<body><main><h1>Harbour inn</h1>{PROSE}<div class=menu-item><span>Herring</span><span>9 €</span></div>\
         <div class='language-sh highlighter'><pre><code># moor\nferry --stop\n</code></pre></div>\
         <ul class=language-menu><li><a href=/de>Deutsch</a><li><a href=/fr>Français</a></ul></main>"
    );
    check(&html, &["Herring 9 €", "# moor\nferry --stop"], &["Deutsch"]);
}

#[test]
fn footers_of_quotes_and_asides_without_links_stay() {
    let html = format!(
        "<body><main><h1>Guests</h1>{PROSE}<blockquote><p>A calm crossing.</p><footer>Ida Holm</footer></blockquote>\
         <aside><h3>Good to know</h3><p>Bring a coat.</p></aside><aside><a href=/x>Other islands</a></aside></main>"
    );
    check(&html, &["Ida Holm", "Bring a coat."], &["Other islands"]);
}

#[test]
fn hidden_mail_addresses_are_written_as_shown() {
    let html = format!(
        "<body><main><h1>Write</h1>{PROSE}<p>Ask <a class=__cf_email__ href=/cdn-cgi/l/email-protection \
         data-cfemail=0a6b4a6824646f>[email&#160;protected]</a> or \
         <a href='/cdn-cgi/l/email-protection#0a6b4a6824646f'>the office</a>.</p></main>"
    );
    check(&html, &["Ask a@b.ne or the office"], &["protected"]);
}

#[test]
fn formulas_kept_in_scripts_are_written_once() {
    let html = format!(
        "<body><main><h1>Speed</h1>{PROSE}<p>It is <span class=MathJax_Preview>v</span><span class=MathJax>v=s/t</span>\
         <script type='math/tex'>v=s/t</script> here.</p><script>let x = 'no text';</script></main>"
    );
    check(&html, &["It is $v=s/t$ here."], &["no text"]);
}

#[test]
fn fields_say_what_is_chosen_and_done() {
    let html = format!(
        "<body><main><h1>Cabin</h1>{PROSE}<form><label for=c>Cabin</label><select id=c><option value=''>Choose</option>\
         <option>Inside, 40 €</option><option>Outside, 60 €</option></select><select name=sort><option>Cheapest</option>\
         <option>Nearest</option></select></form><ul><li><input type=checkbox disabled checked> Paint the hull</li>\
         <li><input type=checkbox disabled> Mend the sail</li></ul>\
         <p>Press <input type=submit value='Book now'> to pay.</p></main>"
    );
    check(
        &html,
        &[
            "Cabin: Inside, 40 €; Outside, 60 €",
            "[x] Paint the hull",
            "[ ] Mend the sail",
            "**Book now** to pay",
        ],
        &["Choose", "Cheapest"],
    );
}

#[test]
fn empty_elements_of_xhtml_end_at_once() {
    let html = format!(
        "<?xml version='1.0'?><html><head><script src='a.js'/><title>Old</title></head><body><h1>Old</h1>\
         <p><a id='top'/>Built in 1911.</p>{PROSE}</body></html>"
    );
    check(&html, &["# Old", "Built in 1911."], &[]);
}
