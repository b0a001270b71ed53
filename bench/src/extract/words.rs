//! Bags of words and their overlap.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

/// The words of a text, in order: runs of letters and digits, in lower case and NFKC. Markdown marks and link
/// targets do not count.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in without_targets(text).nfkc() {
        if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

/// A text without the targets of its links, `](https://…)`, and without bare URLs.
fn without_targets(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, target)) = rest.split_once("](") {
        kept.push_str(before);
        kept.push(' ');
        rest = target.split_once(')').map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    let is_url = |word: &&str| word.contains("http://") || word.contains("https://");
    let lines =
        kept.lines().map(|line| line.split(' ').filter(|word| !is_url(word)).collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}

/// A multiset of words, or of pairs of adjacent words.
pub(super) type Bag = HashMap<String, usize>;

pub(super) fn bag(words: &[String]) -> Bag {
    let mut bag = Bag::new();
    for word in words {
        *bag.entry(word.clone()).or_default() += 1;
    }
    bag
}

/// The bag of pairs of adjacent words.
pub(super) fn pairs(words: &[String]) -> Bag {
    bag(&words.windows(2).map(|pair| pair.join(" ")).collect::<Vec<_>>())
}

/// The elements of both bags, with the smaller count.
pub(super) fn intersection(one: &Bag, other: &Bag) -> Bag {
    let common = one
        .iter()
        .map(|(word, count)| (word.clone(), (*count).min(other.get(word).copied().unwrap_or_default())));
    common.filter(|(_, count)| *count > 0).collect()
}

/// The elements of either bag, with the larger count.
pub(super) fn union(one: &Bag, other: &Bag) -> Bag {
    let mut union = one.clone();
    for (word, count) in other {
        let known = union.entry(word.clone()).or_default();
        *known = (*known).max(*count);
    }
    union
}

/// Number of elements.
pub(super) fn size(bag: &Bag) -> usize {
    bag.values().sum()
}

/// Share of `of` that is also in `bag`; 0 if `of` is empty.
pub(super) fn share(of: &Bag, bag: &Bag) -> f64 {
    size(&intersection(of, bag)) as f64 / size(of).max(1) as f64
}

/// Arithmetic mean; 0 for no values.
pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.into_iter().collect();
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_link_targets_are_no_words() {
        assert_eq!(words("## A [price](https://a.example/b) of **19**"), ["a", "price", "of", "19"]);
        assert_eq!(words("see https://a.example now"), ["see", "now"]);
    }

    #[test]
    fn shares_count_repetitions() {
        let of = |text: &str| bag(&words(text));
        assert_eq!(share(&of("a a b"), &of("a b c")), 2.0 / 3.0);
        assert_eq!(share(&of(""), &of("a")), 0.0);
        assert_eq!(size(&union(&of("a a b"), &of("a c"))), 4);
        assert_eq!(pairs(&words("a b a")).len(), 2);
    }
}
