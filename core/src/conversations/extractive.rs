//! Pure: the built-in answer, made of the sentences of the passages that match the question best.

use crate::bots::Language;
use crate::conversations::Citation;
use crate::knowledge::search::Hit;

use super::passages::sentences;

/// Sentences of an answer at most.
const MOST_SENTENCES: usize = 3;

/// A sentence this much farther from the question than the best one does not belong to the answer.
const REACH: f32 = 0.2;

/// Two sentences with this share of words in common say the same.
const SAME: f32 = 0.8;

/// A sentence that may become part of an answer.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What it says.
    pub text: String,
    /// Which of the passages it stands in.
    pub passage: usize,
    /// Its place in that passage, in characters.
    pub span: std::ops::Range<usize>,
}

/// The sentences worth comparing with the question: those that share words with it first, then those
/// of the better passages. `most` bounds the work.
#[must_use]
pub fn candidates(question: &str, passages: &[Hit], most: usize) -> Vec<Candidate> {
    let asked = words(question);
    let mut found: Vec<(f32, Candidate)> = Vec::new();
    for (passage, hit) in passages.iter().enumerate() {
        for sentence in sentences(&hit.content) {
            let said = words(&sentence.text);
            if said.is_empty() {
                continue;
            }
            let heading = hit.heading.as_deref().map(words).unwrap_or_default();
            let shared = asked.iter().filter(|word| said.contains(word)).count() as f32
                + 0.5 * asked.iter().filter(|word| heading.contains(word)).count() as f32;
            // Words of the question weigh first; the passage's rank breaks ties.
            let score = shared / (asked.len().max(1) as f32) - 0.01 * passage as f32;
            found.push((score, Candidate { text: sentence.text, passage, span: sentence.span }));
        }
    }
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    found.into_iter().take(most).map(|(_, candidate)| candidate).collect()
}

/// The answer from scored candidates (cosine with the question); `None` when not even the best reaches
/// `threshold`. The sentences keep the order of their source, and each carries its marker.
#[must_use]
pub fn compose(
    passages: &[Hit],
    scored: Vec<(Candidate, f32)>,
    threshold: f32,
) -> Option<(String, Vec<Citation>)> {
    let best = scored.iter().map(|(_, score)| *score).fold(f32::MIN, f32::max);
    if best < threshold {
        return None;
    }
    let mut ranked: Vec<(Candidate, f32)> =
        scored.into_iter().filter(|(_, score)| *score >= threshold.max(best - REACH)).collect();
    ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let mut chosen: Vec<(Candidate, f32)> = Vec::new();
    for (candidate, score) in ranked {
        if chosen.len() == MOST_SENTENCES {
            break;
        }
        if !chosen.iter().any(|(other, _)| alike(&candidate.text, &other.text)) {
            chosen.push((candidate, score));
        }
    }
    chosen.sort_by_key(|(candidate, _)| {
        let hit = passages.get(candidate.passage);
        (candidate.passage, hit.map(|hit| hit.ordinal), candidate.span.start)
    });
    let mut texts = Vec::new();
    let mut citations = Vec::new();
    for (candidate, score) in chosen {
        let Some(hit) = passages.get(candidate.passage) else { continue };
        let index = citations.len() + 1;
        texts.push(format!("{} [{index}]", candidate.text));
        citations.push(cite(hit, index, candidate.span, score, &candidate.text));
    }
    Some((texts.join(" "), citations))
}

/// A citation of a part of a passage.
#[must_use]
pub fn cite(hit: &Hit, index: usize, span: std::ops::Range<usize>, score: f32, snippet: &str) -> Citation {
    let at = |offset: usize| hit.start.saturating_add(i32::try_from(offset).unwrap_or(i32::MAX)).min(hit.end);
    Citation {
        index,
        source_id: hit.source,
        source_name: hit.source_name.clone(),
        chunk_id: hit.chunk,
        chunk_index: hit.ordinal,
        page: hit.page,
        heading: hit.heading.clone(),
        start: at(span.start),
        end: at(span.end),
        score,
        snippet: snippet.to_owned(),
        url: hit.url.clone(),
    }
}

/// What a bot says when its knowledge has no answer.
#[must_use]
pub const fn unknown(language: Language) -> &'static str {
    match language {
        Language::English => "I'm sorry, I don't know. I found nothing about that in what I have learnt.",
        Language::Spanish => "Lo siento, no lo sé. No he encontrado nada sobre eso en lo que he aprendido.",
        Language::French => "Désolé, je ne sais pas. Je n'ai rien trouvé à ce sujet dans ce que j'ai appris.",
        Language::German => "Das weiß ich leider nicht. Ich habe in meinem Wissen nichts dazu gefunden.",
        Language::Italian => "Mi dispiace, non lo so. Non ho trovato nulla su questo in ciò che ho imparato.",
        Language::Portuguese => "Desculpe, não sei. Não encontrei nada sobre isso no que aprendi.",
    }
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() > 2)
        .map(str::to_lowercase)
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Jaccard similarity of their words.
fn alike(a: &str, b: &str) -> bool {
    let (a, b) = (words(a), words(b));
    let shared = a.iter().filter(|word| b.contains(word)).count();
    let all = a.len() + b.len() - shared;
    all > 0 && shared as f32 / all as f32 >= SAME
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ChunkId, SourceId};

    fn passage(ordinal: i32, start: i32, content: &str) -> Hit {
        Hit {
            chunk: ChunkId::fresh(),
            source: SourceId::fresh(),
            source_name: "handbook.md".to_owned(),
            url: None,
            ordinal,
            page: None,
            heading: None,
            content: content.to_owned(),
            start,
            end: start + i32::try_from(content.chars().count()).unwrap(),
            ranking: Default::default(),
        }
    }

    #[test]
    fn the_answer_keeps_the_order_of_the_source_and_cites_each_sentence() {
        let passages = [passage(0, 100, "Returns take 30 days. Keep the receipt. The sky is blue.")];
        let scored = candidates("How do returns work?", &passages, 10)
            .into_iter()
            .map(|c| {
                let score = if c.text.contains("sky") {
                    0.1
                } else if c.text.contains("receipt") {
                    0.7
                } else {
                    0.6
                };
                (c, score)
            })
            .collect();
        let (text, citations) = compose(&passages, scored, 0.3).unwrap();
        assert_eq!(text, "Returns take 30 days. [1] Keep the receipt. [2]");
        assert_eq!((citations[0].start, citations[0].end), (100, 121));
        assert_eq!((citations[1].start, citations[1].end), (122, 139));
    }

    #[test]
    fn the_same_said_twice_is_said_once() {
        let passages =
            [passage(0, 0, "We ship within two days."), passage(1, 50, "We ship within two days!")];
        let scored = candidates("When do you ship?", &passages, 10).into_iter().map(|c| (c, 0.8)).collect();
        let (text, citations) = compose(&passages, scored, 0.3).unwrap();
        assert_eq!((text.as_str(), citations.len()), ("We ship within two days. [1]", 1));
    }

    #[test]
    fn below_the_threshold_there_is_no_answer() {
        let passages = [passage(0, 0, "We ship within two days.")];
        let scored = candidates("Who won the cup?", &passages, 10).into_iter().map(|c| (c, 0.2)).collect();
        assert!(compose(&passages, scored, 0.3).is_none());
        assert!(compose(&passages, vec![], 0.3).is_none());
    }
}
