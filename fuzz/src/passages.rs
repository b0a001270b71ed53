//! Untrusted passages in prompts and in the built-in answer.
//!
//! In a prompt they can neither close their tag nor open another. Quotes of the built-in answer are at their
//! stated positions.

use parlance_core::bots::{Bot, Channel, Language, WhenUnsure};
use parlance_core::conversations::Confidence;
use parlance_core::conversations::extractive::{Candidate, Composed, Kind, Scored, candidates, compose};
use parlance_core::conversations::prompt::{Budget, fit};
use parlance_core::ids::{BotId, ChunkId, SourceId};
use parlance_core::knowledge::search::{Hit, Ranking};

use crate::{at, text_of};

/// More units than any input has.
const MAX_UNITS: usize = 10_000;

/// Passages are separated by NULs: heading, content, and so on. The first heading is also the question.
pub fn check(input: &[u8]) {
    let texts: Vec<String> = input.split(|byte| *byte == 0).map(text_of).collect();
    let (pairs, _) = texts.as_chunks::<2>();
    let passages: Vec<Hit> = pairs.iter().map(passage).collect();
    let question = texts.first().map_or("", String::as_str);
    prompt(&passages, question);
    units(&passages, question);
}

fn prompt(passages: &[Hit], question: &str) {
    let count = |text: &str| text.len() / 4;
    let budget = Budget { tokens: 2_000, count: &count };
    let (prompt, included) = fit(&bot(), passages, &[], question, budget);
    assert!(
        included <= passages.len() && (included > 0 || passages.is_empty()),
        "{included} of {}",
        passages.len()
    );
    let system = prompt.system.to_ascii_lowercase();
    for marker in ["<passage number=", "</passage>", "<passage", "</passage"] {
        assert_eq!(system.matches(marker).count(), included, "{marker} in {system}");
    }
    assert_eq!(prompt.turns.last().map(|turn| turn.text.as_str()), Some(question));
}

fn units(passages: &[Hit], question: &str) {
    let found = candidates(question, Language::English, passages, MAX_UNITS);
    for candidate in &found {
        let Some(hit) = passages.get(candidate.passage) else {
            panic!("{candidate:?} has no passage");
        };
        let characters: Vec<char> = hit.content.chars().collect();
        let quoted = at(&characters, &candidate.span);
        // A decoded entity differs from its source text.
        assert!(
            hit.content.contains('&') || matches_quote(candidate, &hit.content, &quoted),
            "{candidate:?} is not in {quoted:?}"
        );
    }
    let scored = found
        .into_iter()
        .zip((1..).map(|rank: u16| 1.0 / f32::from(rank)))
        .map(|(candidate, relevance)| Scored { candidate, cosine: relevance, relevance })
        .collect();
    let Some(Composed { text, citations, .. }) = compose(question, passages, scored, Confidence::High) else {
        return;
    };
    for (number, citation) in (1..).zip(&citations) {
        assert_eq!(citation.index, number, "{text:?}");
        assert!(citation.start <= citation.end, "{citation:?}");
        assert!(text.contains(&format!("{} [{number}]", citation.snippet)), "{citation:?} in {text:?}");
    }
}

/// Whether a unit's text is in the quoted text. A row also contains its headers, from elsewhere in the
/// passage; a list has generated bullets and numbers.
fn matches_quote(candidate: &Candidate, passage: &str, quoted: &str) -> bool {
    let text = &candidate.text;
    match candidate.kind {
        Kind::Row => text.split([':', ';']).all(|part| contains_letters(passage, part)),
        Kind::List | Kind::Steps => text.lines().all(|line| {
            let item = line.trim_start();
            let unnumbered = item.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix(". ");
            contains_letters(quoted, item) || unnumbered.is_some_and(|item| contains_letters(quoted, item))
        }),
        Kind::Sentence | Kind::FaqAnswer => contains_letters(quoted, text),
    }
}

/// Whether a text contains the letters and digits of a sentence, in order.
fn contains_letters(text: &str, sentence: &str) -> bool {
    let mut letters = text.chars().filter(|c| c.is_alphanumeric());
    sentence.chars().filter(|c| c.is_alphanumeric()).all(|c| letters.any(|letter| letter == c))
}

fn passage([heading, content]: &[String; 2]) -> Hit {
    Hit {
        chunk: ChunkId::fresh(),
        source: SourceId::fresh(),
        source_name: heading.clone(),
        url: None,
        ordinal: 0,
        page: None,
        heading: (!heading.is_empty()).then(|| heading.clone()),
        content: content.clone(),
        start: 0,
        end: i32::try_from(content.chars().count()).unwrap_or(i32::MAX),
        ranking: Ranking::default(),
    }
}

fn bot() -> Bot {
    Bot {
        id: BotId::fresh(),
        name: "Ada".to_owned(),
        channel_type: Channel::Webchat,
        description: None,
        welcome_message: None,
        system_prompt: None,
        is_active: true,
        is_default: true,
        language: Language::English,
        personality: None,
        role: None,
        when_unsure: WhenUnsure::Tell,
        strict: false,
        created_at: chrono::DateTime::UNIX_EPOCH,
        updated_at: chrono::DateTime::UNIX_EPOCH,
    }
}
