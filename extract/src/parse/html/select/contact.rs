//! Contact details and opening hours in a page's footer: often they occur nowhere else on the page.

use std::collections::HashSet;

use dom_query::{Document as Tree, NodeId, NodeRef};

use super::weights::{Weights, letters};
use crate::parse::html::words::Words;

/// Selector of footer elements.
const FOOTERS: &str = "footer, [role='contentinfo'], #footer, .footer, .site-footer, #colophon";

/// Maximum length of a block of contact details, in letters.
const MAX_BLOCK: u32 = 250;

/// Maximum length of all contact details of a page, in letters.
const MAX_ALL: u32 = 600;

/// Maximum length of a column of contact details, in letters: name, address, telephone, e-mail.
const MAX_COLUMN: u32 = 140;

/// Maximum number of links to other pages in a column of contact details.
const MAX_LINKS: usize = 1;

/// Names of weekdays. Opening hours contain at least one.
const DAYS: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "weekday",
    "mon-",
    "mon –",
    "mon–",
    "mon ",
    "montag",
    "dienstag",
    "samstag",
    "sonntag",
    "freitag",
    "mo-",
    "mo–",
    "mo –",
    "lundi",
    "samedi",
    "vendredi",
    "lunes",
    "viernes",
    "sábado",
    "segunda",
    "lunedì",
    "sabato",
    "maandag",
    "zaterdag",
    "måndag",
    "mandag",
    "lørdag",
    "lördag",
    "poniedziałek",
    "понедельник",
    "пн",
    "суббот",
    "月曜",
    "周一",
    "星期",
    "월요일",
];

/// Words in opening hours.
const HOURS: &[&str] = &[
    "open",
    "hours",
    "closed",
    "geöffnet",
    "öffnungszeiten",
    "ouvert",
    "horaire",
    "abierto",
    "horario",
    "aberto",
    "horário",
    "aperto",
    "orari",
    "geopend",
    "openingstijden",
    "öppet",
    "åpen",
    "åbent",
    "otwarte",
    "godziny",
    "часы",
    "открыт",
    "営業",
    "营业",
    "영업",
];

/// Takes the contact details out of the page's footers. Footers inside the main element or an article are
/// skipped.
pub(super) fn take<'a>(tree: &'a Tree) -> Vec<NodeRef<'a>> {
    let Some(body) = tree.body() else { return Vec::new() };
    let weights = Weights::of(&body);
    let mut taken: Vec<NodeRef> = Vec::new();
    let mut read: HashSet<NodeId> = HashSet::new();
    let mut total = 0;
    for footer in footers(tree, &body) {
        // A footer inside another one was already processed with it.
        let inside =
            |node: NodeRef| node.has_name("main") || node.has_name("article") || read.contains(&node.id);
        if footer.ancestors_it(None).any(inside) || !read.insert(footer.id) {
            continue;
        }
        let mut stack = vec![footer];
        while let Some(node) = stack.pop() {
            let own = weights.get(&node).letters;
            if own <= MAX_BLOCK && is_contact(&node) {
                let block = column(node, &footer, &weights);
                // Another line of the column may have taken it already.
                if taken.iter().any(|node| node.id == block.id) {
                    continue;
                }
                total += weights.get(&block).letters;
                if total > MAX_ALL {
                    break;
                }
                taken.push(block);
                continue;
            }
            let children: Vec<_> = node.children_it(true).filter(NodeRef::is_element).collect();
            stack.extend(children);
        }
    }
    for node in &taken {
        node.remove_from_parent();
        clean(node);
        if node.has_name("li") || node.has_name("footer") {
            node.rename("div");
            node.remove_all_attrs();
        }
    }
    taken
}

/// The page's footers: elements marked as such, and the siblings after the main element.
fn footers<'a>(tree: &'a Tree, body: &NodeRef<'a>) -> Vec<NodeRef<'a>> {
    let mut footers: Vec<NodeRef> = tree.select(FOOTERS).nodes().to_vec();
    let named = body.descendants_it().filter(|node| {
        node.node_name().is_some_and(|name| matches!(&*name, "div" | "section"))
            && Words::of(node).any(&["footer", "colophon"])
    });
    footers.extend(named);
    if let [main] = tree.select("main, [role='main']").nodes() {
        let mut node = Some(*main);
        while let Some(current) = node.filter(|node| node.id != body.id) {
            let mut next = current.next_sibling();
            while let Some(sibling) = next {
                if sibling.is_element() && !sibling.has_name("aside") && !sibling.has_name("nav") {
                    footers.push(sibling);
                }
                next = sibling.next_sibling();
            }
            node = current.parent();
        }
    }
    footers
}

/// The column around a line of contact details. Its other lines hold the name and the address.
fn column<'a>(line: NodeRef<'a>, footer: &NodeRef, weights: &Weights) -> NodeRef<'a> {
    let mut column = line;
    while column.id != footer.id {
        let Some(parent) = column.parent() else { break };
        let weight = weights.get(&parent);
        let elsewhere = parent
            .descendants_it()
            .filter(|node| {
                let href = node.attr_or("href", "");
                node.has_name("a") && !["tel:", "mailto:"].iter().any(|scheme| href.starts_with(scheme))
            })
            .count();
        let form = parent.descendants_it().any(|node| {
            node.node_name().is_some_and(|name| matches!(&*name, "form" | "input" | "label" | "textarea"))
        });
        if weight.letters > MAX_COLUMN || elsewhere > MAX_LINKS || form || parent.has_name("body") {
            break;
        }
        column = parent;
    }
    column
}

/// Removes a column's links to other pages and its copyright notice. Links with digits stay: map links of
/// addresses.
fn clean(column: &NodeRef) {
    let others: Vec<NodeRef> = column
        .descendants_it()
        .filter(|node| {
            let text = node.text();
            let digits = text.chars().any(|c| c.is_ascii_digit());
            let link = node.has_name("a") && !digits;
            let note =
                node.node_name().is_some_and(|name| matches!(&*name, "p" | "div" | "li" | "span" | "small"))
                    && text.contains('©')
                    && !has_telephone(&text);
            link || note
        })
        .collect();
    others.iter().for_each(NodeRef::remove_from_parent);
}

/// Whether a block holds contact details: an address, or a line with a telephone number or opening hours.
fn is_contact(node: &NodeRef) -> bool {
    let Some(name) = node.node_name() else { return false };
    if !matches!(
        &*name,
        "address" | "p" | "li" | "div" | "td" | "dd" | "dl" | "table" | "footer" | "section" | "span"
    ) {
        return false;
    }
    let text = node.text();
    if letters(&text) == 0 || text.contains('®') {
        return false;
    }
    let inner = node.descendants_it().filter(|inner| {
        inner
            .node_name()
            .is_some_and(|name| matches!(&*name, "p" | "li" | "div" | "ul" | "td" | "section" | "address"))
    });
    if &*name == "address" {
        return true;
    }
    // The smallest matching block only: a footer column holds other things too.
    inner.count() == 0 && (has_telephone(&text) || has_hours(&text))
}

/// Whether a text contains a number with seven to fifteen digits in the form of a telephone number.
fn has_telephone(text: &str) -> bool {
    let mut number = String::new();
    for character in text.chars().chain(['x']) {
        if character.is_ascii_digit()
            || matches!(character, '+' | ' ' | '-' | '(' | ')' | '/' | '.' | '\u{a0}' | '–')
        {
            number.push(character);
        } else {
            if is_telephone(&number) {
                return true;
            }
            number.clear();
        }
    }
    false
}

fn is_telephone(number: &str) -> bool {
    let groups: Vec<&str> =
        number.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let digits: usize = groups.iter().map(|group| group.len()).sum();
    let marks = number.chars().filter(|c| !c.is_ascii_digit()).count();
    // Not a telephone number: two years, or a large number in groups of three digits.
    let years =
        groups.len() == 2 && groups.iter().all(|group| group.len() == 4 && group.starts_with(['1', '2']));
    let grouped = !number.trim().contains(['+', '(', '/', '-', ' '])
        && groups.len() > 1
        && groups.iter().skip(1).all(|group| group.len() == 3);
    (7..=15).contains(&digits) && marks >= 2 && !years && !grouped
}

fn has_hours(text: &str) -> bool {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    has(DAYS) && (has(HOURS) || text.chars().filter(char::is_ascii_digit).count() >= 2)
}
