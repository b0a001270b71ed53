//! How long a text is for a model.

use bpe_openai::Tokenizer;

/// Of models whose tokenizer is not known: o200k's count and a quarter, for theirs may be finer.
const MARGIN: (usize, usize) = (5, 4);

/// Families of OpenAI's models that count by o200k; the older ones count by cl100k.
const BY_O200K: [&str; 7] = ["gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "chatgpt-4o", "o1", "o3"];
const BY_CL100K: [&str; 3] = ["gpt-4", "gpt-3.5", "text-embedding"];

/// The tokens of a text.
pub(super) fn count(model: &str, text: &str) -> usize {
    match tokenizer(model) {
        Some(tokenizer) => tokenizer.count(text),
        None => bpe_openai::o200k_base().count(text) * MARGIN.0 / MARGIN.1,
    }
}

fn tokenizer(model: &str) -> Option<&'static Tokenizer> {
    let is_of = |families: &[&str]| families.iter().any(|family| model.starts_with(family));
    if is_of(&BY_O200K) || model.starts_with("o4-") {
        Some(bpe_openai::o200k_base())
    } else if is_of(&BY_CL100K) {
        Some(bpe_openai::cl100k_base())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_models_are_counted_exactly_and_others_with_a_margin() {
        let text = "You can return any product within thirty days.";
        assert_eq!(count("gpt-4o-mini", text), 9);
        assert_eq!(count("gpt-4-turbo", text), 9);
        assert_eq!(count("llama3.2", text), 11);
        assert_eq!(count("gpt-4o", ""), 0);
    }
}
