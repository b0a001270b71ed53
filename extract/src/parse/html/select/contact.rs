//! Addresses, telephone numbers and opening hours in a page's footer: often they stand nowhere else.

use dom_query::{Document as Tree, NodeRef};

use super::weights::{letters, letters_of};

/// Footers of a page.
const FOOTERS: &str = "footer, [role='contentinfo'], #footer, .footer, .site-footer, #colophon";

/// Longest block of contact details, in letters.
const MAX_BLOCK: u32 = 250;

/// Longest contact details of a page, in letters.
const MAX_ALL: u32 = 600;

/// Names of days, of which opening hours have one.
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

/// Words of opening hours.
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

/// Takes the contact details out of the page's footers, unless the page has them elsewhere.
pub(super) fn take<'a>(tree: &'a Tree) -> Vec<NodeRef<'a>> {
    let mut taken: Vec<NodeRef> = Vec::new();
    let mut total = 0;
    for footer in tree.select(FOOTERS).nodes() {
        // A footer inside another has been read with it.
        if footer
            .ancestors_it(None)
            .any(|node| node.has_name("footer") || node.has_name("main") || node.has_name("article"))
        {
            continue;
        }
        let mut stack = vec![*footer];
        while let Some(node) = stack.pop() {
            if is_contact(&node) {
                total += letters_of(&node);
                if total > MAX_ALL {
                    break;
                }
                taken.push(node);
                continue;
            }
            let children: Vec<_> = node.children_it(true).filter(NodeRef::is_element).collect();
            stack.extend(children);
        }
    }
    for node in &taken {
        node.remove_from_parent();
        if node.has_name("li") {
            node.rename("p");
        }
    }
    taken
}

/// Whether a block is contact details: an address, or a line with a telephone number or opening hours.
fn is_contact(node: &NodeRef) -> bool {
    let Some(name) = node.node_name() else { return false };
    if !matches!(&*name, "address" | "p" | "li" | "div" | "td" | "dd" | "span" | "dl" | "table") {
        return false;
    }
    let text = node.text();
    let own = letters(&text);
    if own == 0 || own > MAX_BLOCK || text.contains(['©', '®']) {
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
    // The smallest block only: a column of a footer holds other things too.
    inner.count() == 0 && (has_telephone(&text) || has_hours(&text))
}

/// Whether a text has a number with seven to fifteen digits, written as telephone numbers are.
fn has_telephone(text: &str) -> bool {
    let mut digits = 0;
    let mut marks = 0;
    let mut found = false;
    for character in text.chars().chain(['x']) {
        if character.is_ascii_digit() {
            digits += 1;
        } else if matches!(character, '+' | ' ' | '-' | '(' | ')' | '/' | '.' | '\u{a0}' | '–') {
            marks += 1;
        } else {
            found |= (7..=15).contains(&digits) && marks >= 2;
            digits = 0;
            marks = 0;
        }
    }
    found
}

fn has_hours(text: &str) -> bool {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    has(DAYS) && (has(HOURS) || text.chars().filter(char::is_ascii_digit).count() >= 2)
}
