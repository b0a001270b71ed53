//! Replacement text in the structure tree: `ActualText` of the elements that own marked content.

use std::collections::{HashMap, HashSet};

use hayro_syntax::object::{Array, Dict, Object, ObjectIdentifier, String as PdfString};

use super::strings;

/// Maximum depth of the tree that maps pages to elements.
const MAX_DEPTH: usize = 32;

/// Maximum number of nodes of that tree that are visited for a page.
const MAX_NODES: usize = 10_000;

/// Number of ancestors searched for the replacement text of an element.
const MAX_ANCESTORS: usize = 3;

/// Maximum number of pieces of marked content of a page that are looked up.
const MAX_PIECES: usize = 20_000;

/// The structure tree of a document.
#[derive(Default)]
pub(super) struct Structure<'a> {
    /// `/ParentTree`: structure elements by page and marked content.
    parents: Option<Dict<'a>>,
}

impl<'a> Structure<'a> {
    pub(super) fn new(catalog: &Dict<'a>) -> Self {
        let root = catalog.get::<Dict<'a>>(b"StructTreeRoot");
        Self { parents: root.and_then(|root| root.get::<Dict<'a>>(b"ParentTree")) }
    }

    /// Replacement texts of a page by the identifier of the marked content. The first piece of an element has
    /// its text, and the others have none.
    pub(super) fn replacements(&self, page: &Dict<'a>) -> HashMap<u32, String> {
        let mut texts = HashMap::new();
        let Some(owners) = page.get::<i32>(b"StructParents").and_then(|key| self.owners(i64::from(key)))
        else {
            return texts;
        };
        let mut known: HashMap<ObjectIdentifier, Option<(String, ObjectIdentifier)>> = HashMap::new();
        let mut used = HashSet::new();
        for (piece, owner) in (0..).zip(owners.iter::<Object<'a>>().take(MAX_PIECES)) {
            let Object::Dict(owner) = owner else { continue };
            let Some(id) = owner.obj_id() else { continue };
            if let Some((text, element)) = known.entry(id).or_insert_with(|| text_of(owner)) {
                let text = if used.insert(*element) { text.clone() } else { String::new() };
                texts.insert(piece, text);
            }
        }
        texts
    }

    /// The elements of a page in the order of their marked content.
    fn owners(&self, key: i64) -> Option<Array<'a>> {
        let mut open = vec![(self.parents.clone()?, 0)];
        let mut visited = 0;
        while let Some((node, depth)) = open.pop() {
            visited += 1;
            if visited > MAX_NODES || depth > MAX_DEPTH {
                return None;
            }
            if let Some([low, high]) = node.get::<[f64; 2]>(b"Limits")
                && !(low..=high).contains(&(key as f64))
            {
                continue;
            }
            if let Some(pairs) = node.get::<Array<'a>>(b"Nums")
                && let Some(found) = value_of(&pairs, key)
            {
                return Some(found);
            }
            if let Some(kids) = node.get::<Array<'a>>(b"Kids") {
                open.extend(kids.iter::<Dict<'a>>().map(|kid| (kid, depth + 1)));
            }
        }
        None
    }
}

/// The array under a key in a list of keys and values.
fn value_of<'a>(pairs: &Array<'a>, key: i64) -> Option<Array<'a>> {
    let mut entries = pairs.iter::<Object<'a>>();
    while let Some(found) = entries.next() {
        let value = entries.next()?;
        if matches!(found, Object::Number(number) if number.as_i64() == key) {
            return value.into_array();
        }
    }
    None
}

/// The replacement text of an element or of its nearest ancestor that has one, and that element.
fn text_of(element: Dict<'_>) -> Option<(String, ObjectIdentifier)> {
    let mut node = element;
    for _ in 0..=MAX_ANCESTORS {
        if let Some(text) = node.get::<PdfString<'_>>(b"ActualText") {
            return Some((strings::decode(text.as_bytes()), node.obj_id()?));
        }
        node = node.get::<Dict<'_>>(b"P")?;
    }
    None
}
