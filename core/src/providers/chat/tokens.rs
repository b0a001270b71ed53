//! Token counts by model.

use bpe_openai::Tokenizer;

/// Factor on the o200k count for models with an unknown tokenizer, which may split finer.
const MARGIN: (usize, usize) = (5, 4);

/// OpenAI model families with the o200k tokenizer; older ones use cl100k.
const BY_O200K: [&str; 7] = ["gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "chatgpt-4o", "o1", "o3"];
const BY_CL100K: [&str; 3] = ["gpt-4", "gpt-3.5", "text-embedding"];

/// Number of tokens in a text.
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
    fn counts_are_exact_for_known_models_else_with_a_margin() {
        let text = "You can return any product within thirty days.";
        assert_eq!(count("gpt-4o-mini", text), 9);
        assert_eq!(count("gpt-4-turbo", text), 9);
        assert_eq!(count("llama3.2", text), 11);
        assert_eq!(count("gpt-4o", ""), 0);
    }
}
