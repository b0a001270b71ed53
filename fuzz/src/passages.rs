//! What becomes of passages, which strangers wrote: in a prompt they can neither end the data nor begin other, and the
//! sentences that the built-in answer quotes stand where it says.

use parlance_core::bots::{Bot, Channel, Language, WhenUnsure};
use parlance_core::conversations::Confidence;
use parlance_core::conversations::extractive::{Candidate, Composed, Scored, UnitKind, candidates, compose};
use parlance_core::conversations::prompt::{Budget, fit};
use parlance_core::ids::{BotId, ChunkId, SourceId};
use parlance_core::knowledge::search::{Hit, Ranking};

use crate::{at, text_of};

/// More units than these inputs have.
const MOST_UNITS: usize = 10_000;

/// The passages lie between NULs: a heading, a content, and so on. The question is the first heading.
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
    let (prompt, held) = fit(&bot(), passages, &[], question, budget);
    assert!(held <= passages.len() && (held > 0 || passages.is_empty()), "{held} of {}", passages.len());
    let system = prompt.system.to_ascii_lowercase();
    for marker in ["<passage number=", "</passage>", "<passage", "</passage"] {
        assert_eq!(system.matches(marker).count(), held, "{marker} in {system}");
    }
    assert_eq!(prompt.turns.last().map(|turn| turn.text.as_str()), Some(question));
}

fn units(passages: &[Hit], question: &str) {
    let found = candidates(question, Language::English, passages, MOST_UNITS);
    for candidate in &found {
        let Some(hit) = passages.get(candidate.passage) else {
            panic!("{candidate:?} of no passage");
        };
        let characters: Vec<char> = hit.content.chars().collect();
        let quoted = at(&characters, &candidate.span);
        // An entity reads as another character than it is written with.
        assert!(
            hit.content.contains('&') || says(candidate, &hit.content, &quoted),
            "{candidate:?} is not in {quoted:?}"
        );
    }
    let scored = found
        .into_iter()
        .zip((1..).map(|place: u16| 1.0 / f32::from(place)))
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

/// Whether a unit says what is quoted. A row has its headers, too, which stand elsewhere in the passage; a list has its
/// own bullets and numbers.
fn says(candidate: &Candidate, passage: &str, quoted: &str) -> bool {
    let text = &candidate.text;
    match candidate.kind {
        UnitKind::Row => text.split([':', ';']).all(|part| holds(passage, part)),
        UnitKind::List | UnitKind::Steps => text.lines().all(|line| {
            let item = line.trim_start();
            let unnumbered = item.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix(". ");
            holds(quoted, item) || unnumbered.is_some_and(|item| holds(quoted, item))
        }),
        UnitKind::Sentence | UnitKind::FaqAnswer => holds(quoted, text),
    }
}

/// Whether the letters and digits of a sentence are in a text, in their order.
fn holds(text: &str, sentence: &str) -> bool {
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
