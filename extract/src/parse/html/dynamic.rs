//! Content stored outside its display position: streamed pieces, shadow roots, `noscript`.

use std::collections::HashMap;

use dom_query::{Document as Tree, NodeId, NodeRef};

use super::select::letters_of;

/// Minimum length of a `noscript` element with content, in letters. Shorter ones only ask to enable scripts.
const MIN_NOSCRIPT: u32 = 100;

/// Minimum size of such a `noscript` element, relative to the rest of the page, menus and footers included.
const MIN_NOSCRIPT_SHARE: f64 = 0.5;

/// Moves such content to its display position. Returns whether there was any.
pub(super) fn resolve(tree: &Tree) -> bool {
    open_shadow_roots(tree);
    let streamed = place_streamed(tree);
    open_noscript(tree) || streamed
}

/// Content of a template, which is not part of the tree.
fn template_contents<'a>(template: &NodeRef<'a>) -> Option<NodeRef<'a>> {
    let id = template.element_ref()?.template_contents?;
    template.tree.get(&id)
}

/// Declarative shadow roots become the first content of their hosts.
fn open_shadow_roots(tree: &Tree) {
    for template in tree.select("template[shadowrootmode], template[shadowroot]").nodes() {
        if let Some(contents) = template_contents(template) {
            move_before(&contents, template);
            template.remove_from_parent();
        }
    }
}

/// Moves the children of `from` before `place`.
fn move_before(from: &NodeRef, place: &NodeRef) {
    for child in from.children() {
        place.insert_before(&child);
    }
}

/// Moves streamed pieces to their places, as the page's script would.
///
/// The convention is React's: a hidden element with an id such as `S:1` holds the piece, and a template with
/// an id such as `B:1` (a boundary, followed by its fallback) or `P:1` (a placeholder) marks the place.
/// Script calls pair the two; without such calls, their numbers do.
fn place_streamed(tree: &Tree) -> bool {
    let mut places: HashMap<String, NodeId> = HashMap::new();
    for template in tree.select("template[id]").nodes() {
        places.insert(template.attr_or("id", "").to_string(), template.id);
    }
    if places.is_empty() {
        return false;
    }
    let mut moved = false;
    let calls = calls(tree);
    for piece in tree.select("[hidden][id*='S:']").nodes() {
        let id = piece.attr_or("id", "").to_string();
        let Some((prefix, number)) = id.split_once("S:") else { continue };
        let called = calls.get(&id).and_then(|place| places.get(place));
        let place = called
            .or_else(|| places.get(&format!("{prefix}B:{number}")))
            .or_else(|| places.get(&format!("{prefix}P:{number}")));
        let Some(place) = place.and_then(|id| tree.tree.get(id)) else { continue };
        // A place inside its own piece would make a cycle.
        if place.ancestors_it(None).any(|ancestor| ancestor.id == piece.id) {
            continue;
        }
        if place.attr_or("id", "").contains("B:") {
            remove_fallback(&place);
        }
        move_before(piece, &place);
        place.remove_from_parent();
        piece.remove_from_parent();
        moved = true;
    }
    moved
}

/// The place of each piece, from calls such as `$RC("B:0","S:0")` in scripts.
fn calls(tree: &Tree) -> HashMap<String, String> {
    let mut calls = HashMap::new();
    for script in tree.select("script:not([src])").nodes() {
        let text = script.text();
        let mut before = "";
        for quoted in text.split(['"', '\'']) {
            if is_id(before, &["B:", "P:"]) && is_id(quoted, &["S:"]) {
                calls.insert(quoted.to_owned(), before.to_owned());
            }
            if quoted.trim() != "," {
                before = quoted;
            }
        }
    }
    calls
}

fn is_id(text: &str, marks: &[&str]) -> bool {
    text.len() <= 40
        && marks.iter().any(|mark| {
            text.split_once(mark).is_some_and(|(prefix, number)| {
                let plain =
                    |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || "-_:«»".contains(c));
                plain(prefix) && plain(number) && !number.is_empty()
            })
        })
}

/// Removes the placeholder of a streamed piece: the siblings up to the comment that ends the boundary.
/// Without such a comment, nothing is removed.
fn remove_fallback(place: &NodeRef) {
    let mut depth = 0_u32;
    let mut fallback = Vec::new();
    let mut next = place.next_sibling();
    while let Some(node) = next {
        if node.is_comment() {
            let html = node.html();
            let mark = html.trim_start_matches("<!--").trim_end_matches("-->").trim();
            if mark == "/$" {
                if depth == 0 {
                    fallback.iter().for_each(NodeRef::remove_from_parent);
                    return;
                }
                depth -= 1;
            } else if mark.starts_with('$') {
                depth += 1;
            }
        }
        next = node.next_sibling();
        fallback.push(node);
    }
}

/// Turns `noscript` elements with the content of a script-made page into `div`, and removes the others.
fn open_noscript(tree: &Tree) -> bool {
    let Some(body) = tree.body() else { return false };
    let elements: Vec<_> = tree.select("body noscript").nodes().to_vec();
    let mut opened = false;
    let rest = letters_of(&body);
    for element in elements {
        let text = letters_of(&element);
        if text >= MIN_NOSCRIPT && f64::from(text) >= MIN_NOSCRIPT_SHARE * f64::from(rest) {
            element.rename("div");
            element.remove_all_attrs();
            opened = true;
        } else {
            element.remove_from_parent();
        }
    }
    opened
}
