//! Facts of structured items as Markdown, limited to those missing from the page.

use std::collections::HashSet;

use super::json::{self, Item};

/// Minimum share of a text's words on the page for the text to count as present.
const PRESENT: f64 = 0.8;

/// Maximum number of questions, steps or offers of an item.
const MAX_PARTS: usize = 300;

/// Maximum number of products whose facts are added. More products are a list, which the page shows itself.
const MAX_OFFERS: usize = 3;

/// The words of a page's text.
pub(super) struct Page {
    words: HashSet<String>,
    joined: String,
}

impl Page {
    /// Collects the words of a text.
    pub(super) fn of(text: &str) -> Self {
        Self { words: words(text).collect(), joined: joined(text) }
    }

    /// Whether the page contains a text: a short one literally, most words of a long one (12 words or more).
    fn has(&self, text: &str) -> bool {
        let own: Vec<String> = words(text).collect();
        if own.is_empty() {
            return true;
        }
        let known = own.iter().filter(|word| self.words.contains(*word)).count();
        let joined = joined(text);
        (own.len() >= 12 && known as f64 >= PRESENT * own.len() as f64) || self.joined.contains(&joined)
    }

    /// Whether the page contains at least half of the words of a name. Names for search engines often
    /// include the name of the site.
    fn has_mostly(&self, name: &str) -> bool {
        let own: Vec<String> = words(name).collect();
        let known = own.iter().filter(|word| self.words.contains(*word)).count();
        known * 2 >= own.len()
    }

    fn add(&mut self, text: &str) {
        self.words.extend(words(text));
        self.joined.push_str(&joined(text));
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn joined(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for word in words(text) {
        joined.push(' ');
        joined.push_str(&word);
    }
    joined.push(' ');
    joined
}

/// The facts of an item that the page lacks, as Markdown blocks.
pub(super) fn missing(item: &Item, page: &mut Page) -> Vec<String> {
    let types = json::types(item);
    let is = |names: &[&str]| types.iter().any(|kind| names.contains(kind));
    let blocks = if is(&["FAQPage", "QAPage"]) {
        let mut questions = json::items(item, "mainEntity");
        questions.extend(json::items(item, "hasPart"));
        questions.into_iter().take(MAX_PARTS).filter_map(|question| answers(question, page)).collect()
    } else if is(&["Question"]) {
        answers(item, page).into_iter().collect()
    } else if is(&[
        "Product",
        "ProductGroup",
        "IndividualProduct",
        "SoftwareApplication",
        "Book",
        "Vehicle",
        "Car",
    ]) {
        product(item, page)
    } else if is(&["Recipe"]) {
        recipe(item, page)
    } else if types.iter().any(|kind| kind.ends_with("Event")) {
        event(item, page)
    } else if types.iter().any(|kind| kind.ends_with("Article") || kind.ends_with("Posting")) {
        article(item, page)
    } else if item.contains_key("openingHours")
        || item.contains_key("openingHoursSpecification")
        || (item.contains_key("address") && !is(&["Organization", "Corporation", "Person", "WebSite"]))
    {
        business(item, page)
    } else {
        Vec::new()
    };
    for block in &blocks {
        page.add(block);
    }
    blocks
}

/// A question with its answers.
fn answers(question: &Item, page: &Page) -> Option<String> {
    let name = json::text(question, "name").or_else(|| json::text(question, "text"))?;
    let mut answers = Vec::new();
    for property in ["acceptedAnswer", "suggestedAnswer"] {
        for answer in json::items(question, property).into_iter().take(MAX_PARTS) {
            answers.extend(json::text(answer, "text").filter(|text| !page.has(text)));
        }
    }
    (!answers.is_empty()).then(|| format!("## {}\n\n{}", line(&name), answers.join("\n\n")))
}

fn product(item: &Item, page: &Page) -> Vec<String> {
    let mut blocks = Vec::new();
    if let Some(description) = json::text(item, "description").filter(|text| !page.has(text)) {
        blocks.push(description);
    }
    let mut facts = Facts::new(page);
    facts.add("Name", json::text(item, "name").filter(|name| !page.has_mostly(name)));
    facts.add("Brand", json::text(item, "brand").filter(|brand| !page.has_mostly(brand)));
    facts.add("SKU", json::text(item, "sku"));
    let offers = json::items(item, "offers");
    for offer in offers.into_iter().take(MAX_OFFERS) {
        offer_facts(offer, &mut facts);
    }
    blocks.extend(facts.block());
    blocks
}

fn offer_facts(offer: &Item, facts: &mut Facts) {
    let nested = json::items(offer, "priceSpecification");
    let price = |name: &str| {
        json::text(offer, name).or_else(|| nested.iter().find_map(|nested| json::text(nested, name)))
    };
    let currency = price("priceCurrency").unwrap_or_default();
    let amount = match (price("price"), price("lowPrice"), price("highPrice")) {
        (Some(price), ..) => Some(price),
        (None, Some(low), Some(high)) if low != high => Some(format!("{low} to {high}")),
        (None, Some(low), _) => Some(low),
        _ => None,
    };
    // A price in the page's own format is already present: 1.299,00 for 1299.
    let amount = amount.filter(|amount| amount.parse() != Ok(0.0) && !facts.page.has_amount(amount));
    facts.add("Price", amount.map(|amount| format!("{amount} {currency}").trim().to_owned()));
    let availability = json::text(offer, "availability").map(|value| {
        let value = value.rsplit(['/', '#']).next().unwrap_or_default().to_owned();
        spaced(&value)
    });
    // Availability without a price repeats the page: pages describe it in other words.
    if facts.lines.iter().any(|line| line.starts_with("- Price")) {
        facts.add("Availability", availability);
    }
}

impl Page {
    /// Whether the page contains an amount, with or without grouped digits.
    fn has_amount(&self, amount: &str) -> bool {
        let whole = amount.split(['.', ',']).next().unwrap_or(amount).trim();
        let cents = amount.get(whole.len() + 1..).unwrap_or_default().trim_end_matches('0');
        let grouped: String = match whole.len() {
            4..=6 => format!(
                "{} {}",
                &whole.get(..whole.len() - 3).unwrap_or_default(),
                whole.get(whole.len() - 3..).unwrap_or_default()
            ),
            _ => whole.to_owned(),
        };
        [whole.to_owned(), grouped].iter().any(|form| {
            self.joined.match_indices(&format!(" {form} ")).take(1_000).any(|(at, found)| {
                let rest = self.joined.get(at + found.len()..).unwrap_or_default();
                cents.is_empty() || rest.starts_with(cents)
            })
        }) || (whole.len() <= 3
            && self.words.iter().take(100_000).any(|word| {
                // A currency code or letter may be attached to the digits.
                let digits: String = word.chars().filter(char::is_ascii_digit).collect();
                digits == whole && word.len() <= whole.len() + 3 && cents.is_empty()
            }))
    }
}

fn recipe(item: &Item, page: &Page) -> Vec<String> {
    let mut blocks = Vec::new();
    let ingredients: Vec<String> =
        json::texts(item, "recipeIngredient").into_iter().take(MAX_PARTS).collect();
    if !ingredients.is_empty() && !page.has(&ingredients.join(" ")) {
        blocks.push(ingredients.iter().map(|one| format!("- {}", line(one))).collect::<Vec<_>>().join("\n"));
    }
    let mut steps = Vec::new();
    for step in json::values(item, "recipeInstructions").into_iter().take(MAX_PARTS) {
        match step {
            serde_json::Value::String(text) => steps.push(super::markdown(text)),
            serde_json::Value::Object(step) => {
                let inner = json::texts_of(step, "itemListElement");
                if inner.is_empty() { steps.extend(json::text(step, "text")) } else { steps.extend(inner) }
            }
            _ => {}
        }
    }
    if !steps.is_empty() && !page.has(&steps.join(" ")) {
        let numbered = steps.iter().enumerate().map(|(at, step)| format!("{}. {}", at + 1, line(step)));
        blocks.push(numbered.collect::<Vec<_>>().join("\n"));
    }
    let mut facts = Facts::new(page);
    facts.add("Yield", json::text(item, "recipeYield"));
    for (label, name) in [("Preparation", "prepTime"), ("Cooking", "cookTime"), ("Total time", "totalTime")] {
        facts.add(label, json::text(item, name).and_then(|value| duration(&value)));
    }
    if !blocks.is_empty() {
        blocks.extend(facts.block());
    }
    blocks
}

fn event(item: &Item, page: &Page) -> Vec<String> {
    let mut facts = Facts::new(page);
    facts.add("Event", json::text(item, "name"));
    let named = !facts.is_empty();
    let day = |name: &str| json::text(item, name).map(|date| date.replace('T', " "));
    // Date formats differ between pages, so dates are added only if the page lacks the event's name.
    if named {
        facts.add("Start", day("startDate"));
        facts.add("End", day("endDate"));
    }
    for place in json::items(item, "location") {
        facts.add("Place", json::text(place, "name"));
        facts.add("Address", address(place));
    }
    if named {
        for offer in json::items(item, "offers").into_iter().take(MAX_OFFERS) {
            offer_facts(offer, &mut facts);
        }
        facts.add("Description", json::text(item, "description"));
    }
    facts.block().into_iter().collect()
}

/// The body of an article, if the page contains less than half of its words.
fn article(item: &Item, page: &Page) -> Vec<String> {
    let body = json::text(item, "articleBody").or_else(|| json::text(item, "text"));
    let missing = body.filter(|body| {
        let own: Vec<String> = words(body).collect();
        let known = own.iter().filter(|word| page.words.contains(*word)).count();
        own.len() >= 40 && known * 2 < own.len()
    });
    missing.into_iter().collect()
}

fn business(item: &Item, page: &Page) -> Vec<String> {
    let mut facts = Facts::new(page);
    facts.add("Address", address(item));
    facts.add("Telephone", json::text(item, "telephone").filter(|number| !page.has_digits(number)));
    facts
        .add("E-mail", json::text(item, "email").map(|email| email.trim_start_matches("mailto:").to_owned()));
    let mut hours = json::texts(item, "openingHours");
    for spec in json::items(item, "openingHoursSpecification").into_iter().take(MAX_PARTS) {
        let days: Vec<String> = json::texts(spec, "dayOfWeek")
            .into_iter()
            .map(|day| day.rsplit(['/', '#']).next().unwrap_or_default().to_owned())
            .collect();
        if let (Some(opens), Some(closes)) = (json::text(spec, "opens"), json::text(spec, "closes")) {
            hours.push(format!("{} {opens}-{closes}", days.join(", ")).trim().to_owned());
        }
    }
    facts.add("Opening hours", (!hours.is_empty()).then(|| hours.join("; ")));
    facts.block().into_iter().collect()
}

fn address(item: &Item) -> Option<String> {
    let stated = json::values(item, "address");
    let parts = match stated.first()? {
        serde_json::Value::String(text) => return Some(line(text)),
        serde_json::Value::Object(address) => {
            ["streetAddress", "postalCode", "addressLocality", "addressRegion", "addressCountry"]
                .iter()
                .filter_map(|name| json::text(address, name))
                .collect::<Vec<_>>()
        }
        _ => return None,
    };
    // A country alone is not an address.
    (parts.len() >= 2).then(|| line(&parts.join(", ")))
}

impl Page {
    /// Whether the page contains the digits of a telephone number, in any grouping.
    fn has_digits(&self, number: &str) -> bool {
        let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
        let number = digits(number);
        // Compares the last seven digits: the country code is often missing or replaced by a zero.
        let tail = number.get(number.len().saturating_sub(7)..).unwrap_or(&number);
        digits(&self.joined).contains(tail)
    }
}

/// Labelled facts that are missing from a page.
struct Facts<'a> {
    page: &'a Page,
    lines: Vec<String>,
}

impl<'a> Facts<'a> {
    fn new(page: &'a Page) -> Self {
        Self { page, lines: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn add(&mut self, label: &str, value: Option<String>) {
        if let Some(value) =
            value.map(|value| line(&value)).filter(|value| !value.is_empty() && !self.page.has(value))
        {
            let line = format!("- {label}: {value}");
            if !self.lines.contains(&line) {
                self.lines.push(line);
            }
        }
    }

    fn block(self) -> Option<String> {
        (!self.lines.is_empty()).then(|| self.lines.join("\n"))
    }
}

/// A text with all white space as single spaces.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Separates the words of a name: `InStock` becomes `in stock`.
fn spaced(name: &str) -> String {
    let mut spaced = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_uppercase() && !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.extend(character.to_lowercase());
    }
    spaced
}

/// Formats an ISO 8601 duration: `PT1H30M` becomes `1 h 30 min`.
fn duration(value: &str) -> Option<String> {
    let (days, time) = value.trim().strip_prefix('P')?.split_once('T').unwrap_or(("", ""));
    let mut parts = Vec::new();
    for (text, units) in
        [(days, [('D', "d"), ('H', "h"), ('M', "min")]), (time, [('D', "d"), ('H', "h"), ('M', "min")])]
    {
        let mut number = String::new();
        for character in text.chars() {
            if character.is_ascii_digit() || character == '.' {
                number.push(character);
            } else {
                let unit = units.iter().find(|(letter, _)| *letter == character);
                if let Some((_, unit)) = unit
                    && number.parse::<f64>().is_ok_and(|amount| amount > 0.0)
                {
                    parts.push(format!("{number} {unit}"));
                }
                number.clear();
            }
        }
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}
