use super::*;
use crate::protocol::Verdict;

fn read_at(address: &str, html: &str) -> Result<Document, Rejection> {
    read(&Request { url: Some(address.to_owned()), ..Request::default() }, html.as_bytes())
}

/// Checks which texts of a page are kept and which are not.
fn check(address: &str, html: &str, kept: &[&str], dropped: &[&str]) {
    let text = read_at(address, html).unwrap().text;
    for kept in kept {
        assert!(text.contains(kept), "{kept} is missing in {text}");
    }
    for dropped in dropped {
        assert!(!text.contains(dropped), "{dropped} is in {text}");
    }
}

const PAGE: &str = "https://example.org/guide/page";

const ARTICLE: &str = "<meta property='article:published_time' content='2024-05-06'>";

const PROSE: &str = "<p>The ferry crosses the sound six times a day, and in winter four times, whenever the ice allows \
    it. Tickets are sold on board, for coins or by card, and dogs travel free of charge with their owners.</p>";

#[test]
fn contact_details_beside_the_main_element_stay() {
    let footers = [
        "<div class=footer><p>Sound Ferries, Pier 4, Tarnvik</p><p>+47 55 01 23 45</p></div>",
        "<div class='page-bottom'><div>Sound Ferries</div><div>Pier 4, Tarnvik</div><div>+47 55 01 23 45</div></div>",
        "<footer>Sound Ferries, Pier 4, Tarnvik · +47 55 01 23 45 · © 2020-2026</footer>",
        "<div id=footer><div class=col><ul><li><a href=/a>Imprint</a></li><li><a href=/b>Terms</a></li></ul></div>\
         <div class=col><h4>Visit</h4><p>Pier 4, Tarnvik</p><p><a href='tel:+4755012345'>+47 55 01 23 45</a></p></div></div>",
    ];
    for footer in footers {
        let html = format!("<title>Fares</title><body><main><h1>Fares</h1>{PROSE}{PROSE}</main>{footer}");
        check(PAGE, &html, &["six times a day", "Pier 4, Tarnvik", "+47 55 01 23 45"], &["Terms"]);
    }
}

#[test]
fn years_and_counts_of_visits_are_no_telephone_numbers() {
    let html = format!(
        "<title>Fares</title><body><main><h1>Fares</h1>{PROSE}</main><div class=footer><p>© 1998–2026 by the makers</p>\
         <p>231.506.740 visits last month</p></div>"
    );
    check(PAGE, &html, &["six times a day"], &["by the makers", "visits last month"]);
}

#[test]
fn controls_beside_each_part_go() {
    let card = |name: &str| {
        format!(
            "<div class=card><h3>{name} crossing</h3>{PROSE}<a href='/book/{name}'>Book now</a>\
             <a href='/{name}.pdf'>Timetable</a><button>Share</button></div>"
        )
    };
    let html = format!(
        "<title>Crossings</title><body><main><h1>Crossings</h1>{}{}{}<p>You can <a href=/book>book now</a> by mail.</p>\
         </main>",
        card("North"),
        card("South"),
        card("East")
    );
    check(PAGE, &html, &["North crossing", "[Timetable]", "[book now]"], &["[Book now]", "Share"]);
}

#[test]
fn cards_of_authors_go_and_their_names_stay() {
    let post = |name: &str| {
        format!(
            "<article class=message><div class=user><h4 class=message-name><a href='/u/{name}'>{name}</a></h4>\
             <h5 class='userTitle'>Senior Member</h5><div class='message-userExtras'><dl><dt>Messages</dt><dd>4,711</dd></dl>\
             </div></div><div class=body>{PROSE}<p>{name} has spoken about the ice.</p></div>\
             <div class=signature>Sail on, sailor</div></article>"
        )
    };
    let html = format!("<title>Ice</title><body><h1>Ice</h1>{}{}{}", post("ada"), post("bo"), post("cy"));
    check(
        "https://forum.example.org/threads/ice.7/",
        &html,
        &["[ada]", "[cy]", "bo has spoken"],
        &["Senior Member", "4,711", "Sail on"],
    );
}

#[test]
fn descriptions_and_copies_of_pictures_go() {
    let html = format!(
        "<title>Deck chair</title><body><main><h1>Deck chair</h1>{PROSE}{PROSE}{PROSE}{PROSE}\
         <img src=a.jpg alt='A smiling man in a white shirt leans on the rail'><img src=b.jpg alt='Deck chair'>\
         <div><img src=visa.png alt=Visa><img src=giro.png alt=Girocard></div>\
         <table><tr><th>Deck</th><td><img src=c.png alt='Covered in winter and open in summer for all'></td></tr>\
         <tr><th>Bar</th><td>closed</td></tr></table></main>"
    );
    check(
        PAGE,
        &html,
        &["Visa", "Girocard", "Covered in winter"],
        &["smiling man", "Deck chair\n\nDeck chair"],
    );
}

#[test]
fn captions_and_bylines_of_articles_go() {
    let html = format!(
        "<title>Ice on the sound</title>{ARTICLE}<body><article><h1>Ice on the sound</h1><div class=byline>By Ada Lind\
         </div>{PROSE}{PROSE}<figure><img src=a.jpg><figcaption>The old ferry in its berth.</figcaption></figure>\
         {PROSE}<figure><table><tr><td>Pier</td><td>Ice</td></tr><tr><td>4</td><td>yes</td></tr></table>\
         <figcaption>Ice by pier</figcaption></figure>{PROSE}<p>Follow us on <a href='https://facebook.com/x'>Facebook</a>\
         and <a href='https://www.instagram.com/x'>Instagram</a>.</p></article>"
    );
    check(PAGE, &html, &["Ice by pier", "six times"], &["Ada Lind", "old ferry", "Facebook"]);
}

#[test]
fn captions_that_are_the_text_stay() {
    let step = |text: &str| format!("<figure><img src=a.jpg><figcaption>{text}</figcaption></figure>");
    let html = format!(
        "<title>Knots</title>{ARTICLE}<body><article><h1>Knots</h1>{PROSE}{}{}{}</article>",
        step("Lay the end over the standing part and leave a loop as wide as a hand."),
        step("Lead the end through the loop from below and around the standing part."),
        step("Lead the end back through the loop and pull both parts until the knot holds."),
    );
    check(PAGE, &html, &["as wide as a hand", "from below", "the knot holds"], &[]);
}

#[test]
fn cards_of_other_products_go_in_every_markup() {
    let card = |number: u32| {
        format!(
            "<li><section><h3>Bow rope of the sailmaker, {number} metres, with an eye on both of its ends</h3>\
             <div>{number}.90 EUR</div><a aria-label='Bow rope of the sailmaker, {number} metres, with an eye on both of \
             its ends' href='/i/{number}'></a></section></li>"
        )
    };
    let cards: String = (11..16).map(card).collect();
    for heading in ["People who viewed this item", "Kunden kauften auch", "Produits similaires", "Deck goods"]
    {
        let html = format!(
            "<title>Anchor</title><meta property='og:type' content='product'><body><main><h1>Anchor</h1><p>Price: 99.50 EUR\
             </p>{PROSE}{PROSE}<p>Weight: 12 kg</p><div><h2>{heading}</h2><div><ul>{cards}</ul></div></div></main>"
        );
        check(PAGE, &html, &["99.50 EUR", "12 kg"], &["sailmaker", "13.90"]);
    }
}

#[test]
fn lines_that_point_to_another_text_go() {
    let html = format!(
        "<title>Ice</title>{ARTICLE}<body><article><h1>Ice</h1>{PROSE}<p>Lesen Sie auch: <a href=/b>Der Winter am \
         Sund</a></p>{PROSE}<p>Read also the <a href=/terms>terms</a>, which say what happens when the ferry is late \
         or does not sail at all because of the ice.</p></article>"
    );
    check(PAGE, &html, &["which say what happens"], &["Der Winter am"]);
}

#[test]
fn references_of_an_article_stay() {
    let note = |number: u32| {
        format!(
            "<li id=n{number}><a href='/w#r{number}'>↑</a> Lind, Ada: A history of the ferries on the sound, volume {number}, \
             Tarnvik 1978, page 12, <a href='https://books.example/{number}'>catalogue</a>.</li>"
        )
    };
    let notes: String = (1..6).map(note).collect();
    let html = format!(
        "<title>Ice</title>{ARTICLE}<body><article><h1>Ice</h1>{}<ol>{notes}</ol></article>",
        PROSE.repeat(9)
    );
    check(PAGE, &html, &["volume 1", "volume 5"], &[]);
}

#[test]
fn a_page_that_waits_beside_its_footer_is_empty() {
    let lines: String =
        (1..30).map(|number| format!("<div>Footer entry of the shop {number}</div>")).collect();
    let html = format!(
        "<title>Desks</title><body><div id=root><div class=sort>Sort: price</div><div class=spin aria-busy=true>Loading</div>\
         <div class='shop-part-footer'>{lines}</div></div><script src=/app.js></script>"
    );
    let rejection = read_at(PAGE, &html).unwrap_err();
    assert_eq!(rejection.verdict, Verdict::Empty);
    assert!(rejection.needs_browser);
}

#[test]
fn labels_hidden_in_identifiers_go() {
    let span = "<span>S</span><span>f2f260c3-bf1f-466a-b856-6f031758a086</span>".repeat(6);
    let html = format!(
        "<title>Ice</title><body><main><h1>Ice</h1>{PROSE}<div><div>{span}</div></div>\
         <p>Your number is <span>f2f260c3-bf1f-466a-b856-6f031758a086</span>.</p></main>"
    );
    let text = read_at(PAGE, &html).unwrap().text;
    assert_eq!(text.matches("f2f260c3").count(), 1, "{text}");
}
