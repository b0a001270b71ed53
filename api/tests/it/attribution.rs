//! Attribution of generated answers, measured on a scripted set.
//!
//! `attribution.jsonl` holds a hundred answers in six languages with their passages and, for each sentence, the
//! supporting passage: 0 for none, null where none is needed.

use chrono::DateTime;
use parlance_core::bots::{Bot, Channel, Language, WhenUnsure};
use parlance_core::calibration::Calibration;
use parlance_core::conversations::{AnswerChecker, CheckedAnswer, Evidence, SentenceVectors};
use parlance_core::ids::{BotId, ChunkId, SourceId};
use parlance_core::knowledge::search::{Hit, Ranking};
use parlance_core::platform::cpu::Cpu;
use parlance_core::platform::fair_queue::Caller;
use parlance_core::providers::embed::Embedder;
use parlance_testing::real_embedder;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    language: String,
    question: String,
    /// The kind of the answer's markers: none, wrong, mixed.
    markers: String,
    passages: Vec<String>,
    sentences: Vec<Sentence>,
    answered: bool,
}

#[derive(Deserialize)]
struct Sentence {
    /// Includes the model's markers and the preceding line break.
    text: String,
    passage: Option<usize>,
    /// Whether support is optional, as for "Yes.".
    #[serde(default)]
    optional: bool,
    /// Whether it is a list of sources, which is removed.
    #[serde(default)]
    dropped: bool,
}

fn cases() -> Vec<Case> {
    include_str!("attribution.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn hit(content: &str) -> Hit {
    Hit {
        chunk: ChunkId::fresh(),
        source: SourceId::fresh(),
        source_name: "page.md".to_owned(),
        url: None,
        ordinal: 0,
        page: None,
        heading: None,
        content: content.to_owned(),
        start: 0,
        end: 0,
        ranking: Ranking::default(),
    }
}

fn bot(language: &str, strict: bool) -> Bot {
    Bot {
        id: BotId::fresh(),
        name: "Ada".to_owned(),
        channel_type: Channel::Webchat,
        description: None,
        welcome_message: None,
        system_prompt: None,
        is_active: true,
        is_default: true,
        language: Language::ALL.iter().copied().find(|known| known.as_str() == language).unwrap(),
        personality: None,
        role: None,
        when_unsure: WhenUnsure::Tell,
        strict,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
    }
}

fn answer_of(case: &Case) -> String {
    let mut answer = String::new();
    for sentence in &case.sentences {
        if !answer.is_empty() && !sentence.text.starts_with('\n') {
            answer.push(' ');
        }
        answer.push_str(&sentence.text);
    }
    answer
}

async fn write(embedder: &dyn Embedder, case: &Case, strict: bool, length: usize) -> (CheckedAnswer, String) {
    let calibration = Calibration::embedded(embedder.id()).unwrap();
    let bot = bot(&case.language, strict);
    let passages: Vec<Hit> = case.passages.iter().map(|content| hit(content)).collect();
    let vectors = SentenceVectors::default();
    let evidence = Evidence::new(&bot, &case.question, &passages);
    let (cpu, caller) = (Cpu::default(), Caller::system());
    let mut writing = AnswerChecker::new(&cpu, embedder, caller, &vectors, calibration, evidence);
    let mut sent = String::new();
    let answer: Vec<char> = answer_of(case).chars().collect();
    for piece in answer.chunks(length) {
        writing.push(&piece.iter().collect::<String>());
        while let Some(text) = writing.next(true).await {
            sent.push_str(&text);
        }
    }
    writing.close();
    while let Some(text) = writing.next(true).await {
        sent.push_str(&text);
    }
    sent.extend(writing.unknown(bot.language));
    (writing.finish(), sent)
}

/// The start of a sentence, up to its first marker.
fn start_of(text: &str) -> String {
    text.trim().chars().take_while(|c| !"[【(<²|".contains(*c)).take(18).collect()
}

#[tokio::test]
async fn citations_are_precise_and_complete() {
    let embedder = real_embedder().await;
    let (mut cited_sentences, mut cited_correctly, mut found, mut expected) = (0, 0, 0, 0);
    let (mut unanswered, mut misjudged) = (0, 0);
    let cases = cases();
    assert_eq!(cases.len(), 100);
    for case in &cases {
        let (checked, sent) = write(&*embedder, case, false, 3).await;
        assert_eq!(checked.text, sent);
        let mut in_sentences = 0;
        for sentence in case.sentences.iter().filter(|sentence| !sentence.dropped) {
            let gold = sentence.passage.filter(|passage| *passage > 0);
            let start = start_of(sentence.text.trim_start_matches(['\n', '|', ' ', '-']));
            if start.trim().is_empty() {
                continue;
            }
            expected += usize::from(gold.is_some() && !sentence.optional);
            let at = checked.text.find(start.trim()).map(|at| checked.text[..at].chars().count());
            let support = at.and_then(|at| {
                checked.support.iter().find(|support| (support.start..support.end).contains(&at))
            });
            let cited = support.and_then(|support| support.citation);
            in_sentences += usize::from(cited.is_some());
            cited_sentences += usize::from(cited.is_some());
            cited_correctly += usize::from(cited.is_some() && cited == gold);
            found += usize::from(cited.is_some() && cited == gold && !sentence.optional);
            if cited != gold {
                eprintln!("{} {:?}: {cited:?}, expected {gold:?}, {support:?}", case.markers, sentence.text);
            }
        }
        let cited = checked.support.iter().filter(|support| support.citation.is_some()).count();
        assert_eq!(cited, in_sentences, "each citation belongs to one sentence: {checked:?}");
        unanswered += usize::from(case.answered && !checked.answered);
        if case.answered != checked.answered {
            misjudged += 1;
            eprintln!("answered {} in {:?}", checked.answered, checked);
        }
    }
    let share = |a: usize, b: usize| a as f32 / b as f32;
    let (precision, recall) = (share(cited_correctly, cited_sentences), share(found, expected));
    eprintln!("precision {precision:.3} recall {recall:.3} unanswered {unanswered} misjudged {misjudged}");
    assert!(precision >= 0.95, "precision {precision}");
    assert!(recall >= 0.9, "recall {recall}");
    assert_eq!(unanswered, 0, "correct answers counted as unanswered");
    assert!(misjudged <= 2, "answers misjudged as answered or unanswered: {misjudged}");
}

#[tokio::test]
async fn the_delta_size_does_not_change_an_answer() {
    let embedder = real_embedder().await;
    for case in cases().iter().step_by(4) {
        let (whole, _) = write(&*embedder, case, false, 10_000).await;
        for length in [1, 2, 5, 13] {
            let (cut, sent) = write(&*embedder, case, false, length).await;
            assert_eq!((&cut.text, &cut.support), (&whole.text, &whole.support));
            assert_eq!(sent, cut.text);
        }
    }
}

#[tokio::test]
async fn a_strict_answer_has_no_unsupported_sentence() {
    let embedder = real_embedder().await;
    for case in cases() {
        let (checked, sent) = write(&*embedder, &case, true, 4).await;
        assert_eq!(checked.text, sent);
        assert!(checked.support.iter().all(|support| support.citation.is_some()), "{checked:?}");
        assert!(!checked.text.trim().is_empty());
    }
}
