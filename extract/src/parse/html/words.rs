//! Words in an element's `id` and `class`: weak evidence of its purpose.

use dom_query::NodeRef;

/// The lower-case words of an element's `id` and `class`: `postBody_main` has `post`, `body` and `main`.
pub(super) struct Words {
    /// The names as written, in lower case, each between spaces.
    names: String,
    words: Vec<String>,
}

/// Maximum total length of the names, in bytes. Utility classes may take many kilobytes.
const MAX_BYTES: usize = 1_000;

impl Words {
    /// Reads the names of an element.
    pub(super) fn of(node: &NodeRef) -> Self {
        let mut raw = String::from(" ");
        for name in ["id", "class"] {
            if let Some(value) = node.attr(name) {
                raw.push_str(&value);
                raw.push(' ');
            }
        }
        let end = raw.char_indices().map(|(at, _)| at).find(|at| *at >= MAX_BYTES).unwrap_or(raw.len());
        raw.truncate(end);
        let mut words = Vec::new();
        let mut word = String::new();
        let mut lower = false;
        for character in raw.chars() {
            let starts = !character.is_alphanumeric() || (character.is_uppercase() && lower);
            if starts && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if character.is_alphanumeric() {
                word.extend(character.to_lowercase());
            }
            lower = character.is_lowercase();
        }
        Self { names: raw.to_lowercase(), words }
    }

    /// Whether the element has one of the words.
    pub(super) fn any(&self, words: &[&str]) -> bool {
        self.words.iter().any(|word| words.contains(&word.as_str()))
    }

    /// Whether a name contains one of the parts, also within a word.
    pub(super) fn contain(&self, parts: &[&str]) -> bool {
        parts.iter().any(|part| self.names.contains(part))
    }

    /// Whether the element has neither `id` nor `class`.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}
