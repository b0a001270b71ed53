//! Pure: which passage supports a sentence of a generated answer, and how well.
//!
//! Support has three parts. Facts are strict: each number, date, amount, code and address of the sentence must be in
//! the passage, and so must its names where both have the same language. Words are the share of its content words in
//! two adjacent sentences of the passage. Nearness is the cosine with a sentence of the passage, which the caller
//! measures where words do not decide.

use unicode_segmentation::UnicodeSegmentation;

use super::facts::{self, Fact};
use super::wording::{alike, content_words, fold, is_bare_answer, is_courtesy, is_refusal, words};
use crate::bots::Language;

/// Share of content words from which a passage supports a sentence without a look at its meaning.
pub const DECIDED_BY_WORDS: f32 = 0.8;

/// Support from which a passage supports a sentence.
pub const SUPPORTED: f32 = 0.5;

/// Share of content words from which a passage supports a sentence, when no cosine can be had.
const WORDS_ALONE: f32 = 0.6;

/// A marker's passage that supports a sentence this much less than another one is replaced by it.
const MARGIN: f32 = 0.25;

/// Weight of a word of the question: it is the customer's, and says little.
const QUESTION_WORD: f32 = 0.3;

/// Content words below which a sentence is read together with the question.
const FEW_WORDS: usize = 3;

/// Weight of words beside the cosine in one language.
const WORDS_WEIGHT: f32 = 0.4;

/// The most that a sentence is supported by a passage without one of its facts.
const CONTRADICTED: f32 = 0.3;

/// What a sentence does in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It states something and needs support.
    Statement,
    /// It needs none, and is told of when it has some: a heading, an announcement, "Yes."
    Optional,
    /// It states nothing: a greeting, a question, code.
    Courtesy,
    /// It says that there is no answer.
    Refusal,
}

/// A passage, prepared for comparison.
#[derive(Clone, Debug)]
pub struct Passage {
    /// Its sentences.
    pub sentences: Vec<String>,
    /// The content words of each, with those of the one after it.
    windows: Vec<Vec<String>>,
    words: Vec<String>,
    facts: Vec<Fact>,
    text: String,
    language: Option<Language>,
}

/// A sentence of an answer, prepared for comparison.
#[derive(Clone, Debug)]
pub struct Statement {
    /// What is compared by its meaning: the sentence, after the question when it is short.
    pub text: String,
    /// Its role.
    pub role: Role,
    /// Content words and their weights.
    words: Vec<(String, f32)>,
    /// Of a sentence that is read together with the question, what it says beside it.
    added: Vec<String>,
    names: Vec<String>,
    facts: Vec<Fact>,
    language: Option<Language>,
}

/// What is known beside the passages.
#[derive(Clone, Debug, Default)]
pub struct Known {
    question: String,
    question_words: Vec<String>,
    question_facts: Vec<Fact>,
    /// Words of the question, the bot's name and its instructions.
    words: Vec<String>,
}

impl Known {
    /// Of a question and the texts that describe a bot.
    #[must_use]
    pub fn of(question: &str, about: &[&str]) -> Self {
        let mut known = words(question);
        known.extend(about.iter().flat_map(|text| words(text)));
        Self {
            question: question.to_owned(),
            question_words: content_words(question),
            question_facts: facts::of_passage(question),
            words: known,
        }
    }
}

impl Passage {
    /// From its text and the titles above it.
    #[must_use]
    pub fn of(content: &str, titles: &str, language: Option<Language>) -> Self {
        let sentences = sentences(content);
        let words_of: Vec<Vec<String>> = sentences.iter().map(|sentence| content_words(sentence)).collect();
        let windows = words_of
            .iter()
            .enumerate()
            .map(|(at, own)| {
                let next = words_of.get(at + 1).into_iter().flatten();
                own.iter().chain(next).cloned().chain(content_words(titles)).collect()
            })
            .collect();
        let text = format!("{titles}\n{content}");
        Self { sentences, windows, words: words(&text), facts: facts::of_passage(&text), text, language }
    }

    /// The share of a statement's content words in the best two adjacent sentences, and all of the passage.
    #[must_use]
    pub fn words_shared(&self, statement: &Statement) -> f32 {
        self.windows.iter().map(|window| share(&statement.words, window)).fold(0.0, f32::max)
    }

    /// Its sentences by the words they share with a statement, best first.
    #[must_use]
    pub fn nearest(&self, statement: &Statement) -> Vec<(usize, f32)> {
        let shares = self.windows.iter().map(|window| share(&statement.words, window));
        let mut nearest: Vec<(usize, f32)> = shares.enumerate().collect();
        nearest.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        nearest
    }

    /// Whether a fact or a name of a statement is missing here.
    #[must_use]
    pub fn lacks_facts(&self, statement: &Statement, known: &Known) -> bool {
        let has = |fact: &Fact| {
            facts::holds(&self.facts, &self.text, fact)
                || facts::holds(&known.question_facts, &known.question, fact)
        };
        if !statement.facts.iter().all(has) {
            return true;
        }
        let named = |name: &String| self.words.iter().chain(&known.words).any(|word| alike(word, name));
        !self.is_foreign(statement) && !statement.names.iter().all(named)
    }

    /// Whether a statement is in another language.
    #[must_use]
    pub fn is_foreign(&self, statement: &Statement) -> bool {
        matches!((self.language, statement.language), (Some(a), Some(b)) if a != b)
    }

    /// Support of a statement, from 0 to 1; `cosine` is relative, see [`relative`].
    #[must_use]
    pub fn support(&self, statement: &Statement, known: &Known, cosine: Option<f32>) -> f32 {
        let shared = self.words_shared(statement);
        let support = match cosine {
            _ if shared >= DECIDED_BY_WORDS => cosine.unwrap_or_default().max(shared),
            Some(cosine) if self.is_foreign(statement) => cosine.max(shared),
            Some(cosine) => WORDS_WEIGHT * shared + (1.0 - WORDS_WEIGHT) * cosine,
            None => shared * SUPPORTED / WORDS_ALONE,
        };
        // What the question says is no support for what a short answer adds to it.
        let is_added = |word: &String| self.words.iter().any(|held| alike(held, word));
        let lacks_all = !statement.added.is_empty() && !statement.added.iter().any(is_added);
        let is_unsupported = self.lacks_facts(statement, known) || (lacks_all && !self.is_foreign(statement));
        let most = if is_unsupported { CONTRADICTED } else { 1.0 };
        support.clamp(0.0, most)
    }
}

impl Statement {
    /// From a sentence of an answer. `language` is the sentence's, as far as it is known; `default` the answer's.
    #[must_use]
    pub fn of(sentence: &str, known: &Known, language: Option<Language>, default: Language) -> Self {
        let plain = plain(sentence);
        let mut facts = facts::of_sentence(&plain, language.unwrap_or(default));
        facts.dedup();
        let own = content_words(&plain);
        let role = role(sentence, &plain, !facts.is_empty(), own.len());
        let is_asked = |word: &str| known.question_words.iter().any(|asked| alike(asked, word));
        let weight = |word: &str| if is_asked(word) { QUESTION_WORD } else { 1.0 };
        let mut words: Vec<(String, f32)> = own.iter().map(|word| (word.clone(), weight(word))).collect();
        let is_short = own.len() < FEW_WORDS;
        if is_short {
            let asked =
                known.question_words.iter().filter(|asked| !own.iter().any(|word| alike(asked, word)));
            words.extend(asked.map(|word| (word.clone(), QUESTION_WORD)));
        }
        let is_german = language.unwrap_or(default) == Language::German;
        let names = names(&plain, is_german);
        let added = own.into_iter().filter(|word| is_short && !is_asked(word)).collect();
        let text = if is_short { format!("{} {plain}", known.question) } else { plain };
        Self { text, role, words, added, names, facts, language }
    }
}

/// A cosine on a scale from 0, as of unrelated sentences, to 1, as of sentences that say the same.
#[must_use]
pub fn relative(cosine: f32, unrelated: f32, same: f32) -> f32 {
    ((cosine - unrelated) / (same - unrelated).max(0.01)).clamp(0.0, 1.0)
}

/// The passages that a sentence cites, best first, given the support of each: those of its markers that support it,
/// unless another one does far better; else the one that does; else none.
#[must_use]
pub fn cited(supports: &[f32], markers: &[usize]) -> Vec<usize> {
    let mut best: Option<(usize, f32)> = None;
    for (number, support) in (1..).zip(supports) {
        if best.is_none_or(|(_, most)| *support > most) {
            best = Some((number, *support));
        }
    }
    let Some((best, most)) = best.filter(|(_, most)| *most >= SUPPORTED) else { return Vec::new() };
    let support_of =
        |number: usize| number.checked_sub(1).and_then(|at| supports.get(at)).copied().unwrap_or_default();
    let mut kept: Vec<usize> = markers
        .iter()
        .copied()
        .filter(|number| support_of(*number) >= SUPPORTED.max(most - MARGIN))
        .collect();
    kept.sort_by(|a, b| support_of(*b).total_cmp(&support_of(*a)));
    if kept.is_empty() { vec![best] } else { kept }
}

/// The sentences of a passage: lines, and their sentences by the rules of Unicode.
fn sentences(content: &str) -> Vec<String> {
    let lines = content.lines().map(plain).filter(|line| line.chars().any(char::is_alphanumeric));
    lines
        .flat_map(|line| {
            let bounds = line.split_sentence_bounds().map(|sentence| sentence.trim().to_owned());
            bounds.filter(|sentence| !sentence.is_empty()).collect::<Vec<String>>()
        })
        .collect()
}

/// Text without marks of lists, headings and emphasis.
fn plain(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.trim_start_matches(|c: char| {
            c.is_whitespace() || matches!(c, '-' | '*' | '+' | '•' | '#' | '>')
        });
        let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
        match digits.strip_prefix(['.', ')']) {
            Some(item) if digits.len() < line.len() && item.starts_with(' ') => item.trim_start(),
            _ => line,
        }
    });
    let text = lines.collect::<Vec<_>>().join(" ");
    text.replace("**", "").replace(['`', '|'], " ").replace("__", "").trim().to_owned()
}

fn role(sentence: &str, plain: &str, has_facts: bool, content: usize) -> Role {
    let sentence = sentence.trim();
    if is_refusal(plain) {
        return Role::Refusal;
    }
    if sentence.starts_with("```") || !plain.chars().any(char::is_alphanumeric) {
        return Role::Courtesy;
    }
    if plain.ends_with('?') || (is_courtesy(plain) && !has_facts) {
        return Role::Courtesy;
    }
    let is_announcement = plain.trim_end_matches(['*', '_', ' ']).ends_with(':');
    let is_heading = sentence.starts_with('#') || (sentence.starts_with("**") && sentence.ends_with("**"));
    let is_row = sentence.starts_with('|');
    if is_bare_answer(plain) || ((is_announcement || is_heading || is_row || content == 0) && !has_facts) {
        return Role::Optional;
    }
    Role::Statement
}

fn share(words: &[(String, f32)], window: &[String]) -> f32 {
    let all: f32 = words.iter().map(|(_, weight)| weight).sum();
    let found = words.iter().filter(|(word, _)| window.iter().any(|held| alike(held, word)));
    let found: f32 = found.map(|(_, weight)| weight).sum();
    if all > 0.0 { found / all } else { 0.0 }
}

/// Capitalised words inside a sentence, folded. German nouns are capitalised, so there only two in a row are a name,
/// and one after a form of address.
fn names(text: &str, is_german: bool) -> Vec<String> {
    let raw: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || matches!(c, '/' | '(' | ')' | '’' | '\'')).collect();
    let mut names = Vec::new();
    let mut begins = true;
    let mut before: Option<&str> = None;
    for part in raw {
        let word = part.trim_matches(|c: char| !c.is_alphanumeric());
        if word.is_empty() {
            continue;
        }
        let is_capital = is_capitalised(word);
        let follows_capital = before.is_some_and(is_capitalised);
        let is_title = before.is_some_and(|word| matches!(word, "Herr" | "Herrn" | "Frau" | "Dr" | "Firma"));
        let is_acronym = word.chars().count() > 1 && word.chars().all(|c| c.is_uppercase());
        let is_name = match is_german {
            true => {
                is_title || is_acronym || (follows_capital && !begins && is_capital && is_pair(before, word))
            }
            false => !begins && is_capital,
        };
        if is_name && !word.chars().any(|c| c.is_ascii_digit()) && word.chars().count() > 1 {
            let folded = fold(word);
            if !content_words(&folded).is_empty() || is_acronym {
                names.extend(words(word));
                // The first word of a sentence is part of the name after it.
                if let Some(first) =
                    before.filter(|first| follows_capital && !content_words(first).is_empty())
                {
                    names.extend(words(first));
                }
            }
        }
        begins = part.ends_with([':', '.', '!', '?', '"', '“', '„', '«', '–']);
        before = (!part.ends_with([',', ';', ':', '.'])).then_some(word);
    }
    names.retain(|name| name.chars().count() > 1 && !UNITS.contains(&name.as_str()) && !is_calendar(name));
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether two capitalised German words in a row can be a name: the first is no ending of a nominal phrase.
fn is_pair(before: Option<&str>, word: &str) -> bool {
    let ends_as_noun = |word: &str| {
        ["ung", "heit", "keit", "schaft", "tion", "tage", "tagen", "uhr", "euro", "prozent", "jahr"]
            .iter()
            .any(|ending| word.to_lowercase().ends_with(ending))
    };
    before.is_some_and(|before| !ends_as_noun(before) && content_words(before).len() == 1)
        && !ends_as_noun(word)
}

/// Units and words of measures that are no names.
const UNITS: &[&str] =
    &["eur", "usd", "gbp", "chf", "brl", "kg", "km", "cm", "mb", "gb", "tb", "ok", "uhr", "pdf", "faq"];

fn is_calendar(word: &str) -> bool {
    const STARTS: &[&str] = &[
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    STARTS.iter().any(|name| name == &word)
}

fn is_capitalised(word: &str) -> bool {
    word.chars().next().is_some_and(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(sentence: &str, known: &Known) -> Statement {
        Statement::of(sentence, known, Some(Language::English), Language::English)
    }

    fn support(passage: &str, sentence: &str) -> f32 {
        let known = Known::of("How long do I have to return a product?", &["Ada"]);
        let passage = Passage::of(passage, "Returns", Some(Language::English));
        passage.support(&statement(sentence, &known), &known, None)
    }

    #[test]
    fn words_and_facts_of_one_passage_support_a_sentence() {
        let passage = "You can return any product within 30 days. Refunds go to the card.";
        assert!(support(passage, "You have 30 days to return a product.") >= SUPPORTED);
        assert!(support(passage, "Within 30 days.") >= SUPPORTED);
        assert!(support(passage, "That is not written here.") < SUPPORTED);
        assert!(support(passage, "You have 60 days to return a product.") < SUPPORTED);
        assert!(support(passage, "You can return any product to Maria Jansen within 30 days.") < SUPPORTED);
        assert!(support(passage, "The museum shows paintings of the last century.") < SUPPORTED);
    }

    #[test]
    fn sentences_that_state_nothing_need_no_support() {
        let known = Known::default();
        for (sentence, role) in [
            ("Hello there!", Role::Courtesy),
            ("Is there anything else?", Role::Courtesy),
            ("Here is what I found:", Role::Courtesy),
            ("## Returns", Role::Optional),
            ("**Opening hours**", Role::Optional),
            ("Yes.", Role::Optional),
            ("You need the following documents:", Role::Optional),
            ("Please call 030 1234.", Role::Statement),
            ("I don't know.", Role::Refusal),
            ("The passages do not mention the price.", Role::Refusal),
            ("Das weiß ich leider nicht.", Role::Refusal),
            ("Los pasajes no contienen esa información.", Role::Refusal),
            ("Les passages ne mentionnent pas le prix.", Role::Refusal),
            ("I passaggi non contengono questa informazione.", Role::Refusal),
            ("As passagens não dizem nada sobre isso.", Role::Refusal),
            ("Returns take 30 days.", Role::Statement),
            ("High waves close the beach.", Role::Statement),
            ("No se puede cancelar la reserva.", Role::Statement),
            ("I cani non sono ammessi.", Role::Statement),
            ("Non lo so.", Role::Refusal),
            ("Não tenho informações sobre isso.", Role::Refusal),
        ] {
            assert_eq!(statement(sentence, &known).role, role, "{sentence}");
        }
    }

    #[test]
    fn a_marker_is_kept_replaced_or_taken_out() {
        assert_eq!(cited(&[0.9, 0.1], &[1]), [1]);
        assert_eq!(cited(&[0.9, 0.8], &[2, 1]), [1, 2]);
        assert_eq!(cited(&[0.9, 0.1], &[2]), [1]);
        assert_eq!(cited(&[0.9, 0.55], &[2]), [1]);
        assert_eq!(cited(&[0.2, 0.1], &[1]), [0_usize; 0]);
        assert_eq!(cited(&[], &[1]), [0_usize; 0]);
    }

    #[test]
    fn a_cosine_is_relative_to_its_model() {
        assert!((relative(0.85, 0.79, 0.91) - 0.5).abs() < 1e-4);
        assert_eq!((relative(0.7, 0.79, 0.91), relative(0.95, 0.79, 0.91)), (0.0, 1.0));
    }
}
