//! Pure: the built-in answer, made of the units of the passages that answer the question best.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::bots::Language;
use crate::conversations::{Citation, Confidence, Support};
use crate::knowledge::search::Hit;

pub use super::passages::Kind;
use super::passages::{Unit, units};
use crate::words;

/// The longest text that is embedded, in characters.
const MATCHED: usize = 500;

/// A text with fewer characters is embedded with the heading above it.
const SHORT: usize = 60;

/// Units of the best passage that are always compared with the question.
const FIRST: usize = 2;

/// Share of its weight that a word has which only the heading shares, when candidates are chosen.
const HEADING: f32 = 0.4;

/// What a passage loses to the one before it, and a unit to the one before it, when candidates are chosen.
const PASSAGE_RANK: f32 = 0.02;
const UNIT_RANK: f32 = 0.004;

/// A second unit is at most so much less relevant than the best; twice as much when the question asks for several
/// things.
const REACH: f32 = 0.44;

/// A unit and one that contains it are equally relevant when they differ by less.
const EQUAL: f32 = 0.22;

/// Share of the question that a second unit adds at least; less when the question asks for several things.
const ADDED: f32 = 0.25;
const ADDED_OF_SEVERAL: f32 = 0.1;

/// A second unit that is less relevant by at most so much joins when it has any word of the question.
const CLOSE: f32 = 0.17;

/// Units of a tentative answer at most.
const TENTATIVE: usize = 3;

/// Two texts with this share of words in common say the same.
const SAME: f32 = 0.8;

/// A unit that may become part of an answer.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What it says.
    pub text: String,
    /// What is embedded: its context and its text, up to 500 characters.
    pub match_text: String,
    /// Which of the passages it stands in.
    pub passage: usize,
    /// Its place in that passage, in characters.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
    /// Share of the question's content words in its text, its context and its headings, weighed by their rarity among
    /// the passages. Near 0 for a question in another language than the passages.
    pub coverage: f32,
    /// The same share in the whole of its passage.
    pub passage_coverage: f32,
    /// The question's content words that it has, by their number, with their share of the question.
    covered: Vec<(usize, f32)>,
    /// The same in its own text only.
    own: Vec<(usize, f32)>,
    /// Its text and its place together with the sentence before it, when it begins with a pronoun.
    with_antecedent: Option<(String, Range<usize>)>,
}

/// A candidate, and how well it fits the question.
#[derive(Clone, Debug)]
pub struct Scored {
    /// The candidate.
    pub candidate: Candidate,
    /// Cosine of the question and its `match_text`.
    pub cosine: f32,
    /// What candidates are ranked by: 0 as a sentence about something else, 1 as an answer, on average, and its
    /// coverage beside.
    pub relevance: f32,
}

/// A built-in answer.
#[derive(Clone, Debug)]
pub struct Composed {
    /// What it says, with a marker after each unit.
    pub text: String,
    /// A citation for each marker.
    pub citations: Vec<Citation>,
    /// Relevance of its best unit.
    pub relevance: f32,
    /// Share of the question's content words that its units cover together.
    pub coverage: f32,
}

/// A unit and the words that it shares with the question.
struct Found {
    unit: Unit,
    passage: usize,
    /// Its place among the units of its passage.
    place: usize,
    own: Vec<usize>,
    lead: Vec<usize>,
    heading: Vec<usize>,
}

/// The units worth comparing with the question: those that share its rarest words first, then those of the better
/// passages; of units that read the same, the first. `most` bounds the work. `language` is the bot's.
#[must_use]
pub fn candidates(question: &str, language: Language, passages: &[Hit], most: usize) -> Vec<Candidate> {
    let asked = words::content_words(question, language);
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for (passage, hit) in passages.iter().enumerate() {
        for (place, unit) in units(&hit.content).into_iter().enumerate() {
            if told.insert(words::words(&unit.text).join(" ")) {
                found.push(Found::of(unit, passage, place, hit, &asked));
            }
        }
    }
    let weights = weights(asked.len(), &found);
    let mut ranked: Vec<(bool, f32, Found)> = found
        .into_iter()
        .map(|found| {
            let is_first = found.passage == 0 && found.place < FIRST;
            let rank = PASSAGE_RANK * found.passage as f32 + UNIT_RANK * found.place as f32;
            (is_first, found.score(&weights) - rank, found)
        })
        .collect();
    ranked.sort_by(|(_, a, _), (_, b, _)| b.total_cmp(a));
    // The first units of the best passage take the last places when they have none.
    let mut firsts = ranked.iter().skip(most).filter(|(is_first, ..)| *is_first).count().min(most / 2);
    let mut chosen: Vec<Found> = Vec::new();
    for (at, (is_first, _, found)) in ranked.into_iter().enumerate() {
        if chosen.len() == most {
            break;
        }
        let has_place = chosen.len() + firsts < most;
        if has_place || is_first {
            firsts = firsts.saturating_sub(usize::from(is_first && at >= most));
            chosen.push(found);
        }
    }
    let shares: Vec<f32> = passages
        .iter()
        .map(|hit| {
            let whole = format!("{}\n{}", hit.heading.as_deref().unwrap_or_default(), hit.content);
            shared(&asked, &whole).into_iter().filter_map(|word| weights.get(word)).sum::<f32>().min(1.0)
        })
        .collect();
    chosen.into_iter().map(|found| found.candidate(&weights, passages, &shares)).collect()
}

/// The share of the question that each of its words has: a word that few units have weighs more.
fn weights(asked: usize, found: &[Found]) -> Vec<f32> {
    let total = found.len() as f32;
    let rarity = |word: usize| {
        let having = found.iter().filter(|found| found.has(word)).count() as f32;
        (1.0 + (total + 1.0) / (having + 1.0)).ln()
    };
    let rarities: Vec<f32> = (0..asked).map(rarity).collect();
    let sum: f32 = rarities.iter().sum();
    rarities.into_iter().map(|rarity| if sum > 0.0 { rarity / sum } else { 0.0 }).collect()
}

impl Found {
    fn of(unit: Unit, passage: usize, place: usize, hit: &Hit, asked: &[String]) -> Self {
        let own = shared(asked, &unit.text);
        let lead = unit.lead.as_deref().map(|lead| shared(asked, lead)).unwrap_or_default();
        let headings = headings(&unit, hit).join(" ");
        Self { own, lead, heading: shared(asked, &headings), unit, passage, place }
    }

    fn has(&self, word: usize) -> bool {
        self.own.contains(&word) || self.lead.contains(&word)
    }

    fn score(&self, weights: &[f32]) -> f32 {
        let weigh = |(word, weight): (usize, &f32)| {
            if self.has(word) {
                *weight
            } else if self.heading.contains(&word) {
                HEADING * weight
            } else {
                0.0
            }
        };
        weights.iter().enumerate().map(weigh).sum()
    }

    fn candidate(self, weights: &[f32], passages: &[Hit], shares: &[f32]) -> Candidate {
        let weighed = |is_in: &dyn Fn(usize) -> bool| -> Vec<(usize, f32)> {
            weights.iter().copied().enumerate().filter(|(word, _)| is_in(*word)).collect()
        };
        let covered = weighed(&|word| self.has(word) || self.heading.contains(&word));
        let own = weighed(&|word| self.own.contains(&word) && !self.lead.contains(&word));
        let nearest = passages.get(self.passage).and_then(|hit| headings(&self.unit, hit).pop());
        let Unit { text, lead, heading: _, span, kind, with_antecedent } = self.unit;
        let is_short = text.chars().count() < SHORT || matches!(kind, Kind::Row | Kind::List | Kind::Steps);
        let heading = nearest
            .filter(|heading| is_short && lead.as_ref().is_none_or(|lead| !lead.contains(heading.as_str())));
        let parts = [heading, lead, Some(text.clone())];
        let match_text: String =
            parts.into_iter().flatten().collect::<Vec<String>>().join("\n").chars().take(MATCHED).collect();
        let coverage = covered.iter().map(|(_, weight)| weight).sum::<f32>().min(1.0);
        let passage_coverage = shares.get(self.passage).copied().unwrap_or(coverage).max(coverage);
        Candidate {
            text,
            match_text,
            passage: self.passage,
            span,
            kind,
            coverage,
            passage_coverage,
            covered,
            own,
            with_antecedent,
        }
    }
}

/// The headings above a unit, outermost first. The last heading above the beginning of its passage no longer counts
/// when another stands between.
fn headings(unit: &Unit, hit: &Hit) -> Vec<String> {
    let mut headings: Vec<String> =
        hit.heading.iter().flat_map(|heading| heading.split(" > ")).map(str::to_owned).collect();
    if let Some(heading) = &unit.heading {
        headings.pop();
        headings.push(heading.clone());
    }
    headings
}

/// The numbers of the words of a question that a text has.
fn shared(asked: &[String], text: &str) -> Vec<usize> {
    let said = words::words(text);
    let has = |word: &String| said.iter().any(|said| words::is_same(word, said));
    asked.iter().enumerate().filter(|(_, word)| has(word)).map(|(number, _)| number).collect()
}

/// The answer from candidates with their relevance; `None` without any. One unit answers; a second joins it when it adds
/// what the question asks for. They keep the order of their source, and each carries its marker.
#[must_use]
pub fn compose(
    question: &str,
    passages: &[Hit],
    scored: Vec<Scored>,
    confidence: Confidence,
) -> Option<Composed> {
    let mut ranked: Vec<Scored> =
        scored.into_iter().filter(|scored| scored.candidate.passage < passages.len()).collect();
    ranked.sort_by(|a, b| b.relevance.total_cmp(&a.relevance));
    let best = best(&ranked)?;
    let relevance = best.relevance;
    let mut chosen: Vec<Scored> = vec![best.clone()];
    match confidence {
        Confidence::High => chosen.extend(second(question, &ranked, best).cloned()),
        Confidence::Low => {
            for scored in &ranked {
                let is_new = |other: &Scored| {
                    let (scored, other) = (&scored.candidate, &other.candidate);
                    !overlap(scored, other) && !is_repeated(&scored.text, &other.text)
                };
                if chosen.len() < TENTATIVE && chosen.iter().all(is_new) {
                    chosen.push(scored.clone());
                }
            }
        }
    }
    let coverage = union(&chosen);
    if let [only] = chosen.as_mut_slice() {
        add_antecedent(&mut only.candidate, &ranked);
    }
    chosen.sort_by_key(|scored| place(&scored.candidate, passages));
    let has_lines = chosen.iter().any(|scored| scored.candidate.text.contains('\n'));
    let mut texts = Vec::new();
    let mut citations = Vec::new();
    for Scored { candidate, cosine, .. } in chosen {
        let Some(hit) = passages.get(candidate.passage) else { continue };
        let index = citations.len() + 1;
        texts.push(format!("{} [{index}]", candidate.text));
        citations.push(cite(hit, index, candidate.span, cosine, &candidate.text));
    }
    let text = texts.join(if has_lines { "\n\n" } else { " " });
    Some(Composed { text, citations, relevance, coverage })
}

/// Support of the units of a composed answer: each by its citation. What stands before the first states nothing.
#[must_use]
pub fn support(text: &str, citations: &[Citation]) -> Vec<Support> {
    let mut from = 0;
    let mut support = Vec::new();
    for citation in citations {
        let quoted = format!("{} [{}]", citation.snippet, citation.index);
        let Some(start) = text.get(from..).and_then(|rest| rest.find(&quoted)).map(|at| from + at) else {
            continue;
        };
        let characters = |byte: usize| text.get(..byte).map_or(0, |before| before.chars().count());
        from = start + quoted.len();
        let (start, end) = (characters(start), characters(from));
        support.push(Support { start, end, citation: Some(citation.index), score: 1.0 });
    }
    support
}

/// The most relevant candidate. Where it is part of another, or has parts, the one that answers: an answer or steps as a
/// whole; a list as a whole, unless one item alone has a word of the question.
fn best(ranked: &[Scored]) -> Option<&Scored> {
    let first = ranked.first()?;
    let near = |other: &&Scored| first.relevance - other.relevance <= EQUAL;
    let whole =
        ranked.iter().skip(1).take_while(near).find(|other| contains(&other.candidate, &first.candidate));
    let whole = whole.filter(|whole| match whole.candidate.kind {
        Kind::FaqAnswer | Kind::Steps => true,
        _ => whole.candidate.coverage > first.candidate.coverage || first.candidate.own.is_empty(),
    });
    if whole.is_some() {
        return whole;
    }
    if first.candidate.kind != Kind::List {
        return Some(first);
    }
    let mut parts =
        ranked.iter().skip(1).take_while(near).filter(|other| contains(&first.candidate, &other.candidate));
    let answers = |part: &&Scored| {
        !part.candidate.own.is_empty() && part.candidate.coverage >= first.candidate.coverage
    };
    parts.find(answers).or(Some(first))
}

/// A second unit that adds what the question asks for.
fn second<'a>(question: &str, ranked: &'a [Scored], first: &Scored) -> Option<&'a Scored> {
    let several = words::asks_several(question);
    let (reach, added) = if several { (2.0 * REACH, ADDED_OF_SEVERAL) } else { (REACH, ADDED) };
    let relevance = first.relevance;
    let has = |word: usize| first.candidate.covered.iter().any(|(known, _)| *known == word);
    ranked.iter().filter(|scored| scored.relevance >= first.relevance - reach).find(|scored| {
        let (first, other) = (&first.candidate, &scored.candidate);
        let new: f32 = other.own.iter().filter(|(word, _)| !has(*word)).map(|(_, weight)| weight).sum();
        (new >= added || (scored.relevance >= relevance - CLOSE && !other.own.is_empty()))
            && !overlap(first, other)
            && !is_repeated(&first.text, &other.text)
    })
}

/// A sentence that begins with a pronoun is told with the one before it when only that has a word of the question.
fn add_antecedent(candidate: &mut Candidate, ranked: &[Scored]) {
    let Some((text, span)) = candidate.with_antecedent.take() else { return };
    let before = ranked.iter().map(|scored| &scored.candidate).find(|other| {
        other.passage == candidate.passage
            && other.span.start == span.start
            && other.span.end <= candidate.span.start
    });
    let has = |word: &usize| candidate.own.iter().any(|(known, _)| known == word);
    if before.is_some_and(|before| before.own.iter().any(|(word, _)| !has(word))) {
        (candidate.text, candidate.span) = (text, span);
    }
}

fn union(chosen: &[Scored]) -> f32 {
    let mut seen = BTreeSet::new();
    let all = chosen.iter().flat_map(|scored| &scored.candidate.covered);
    all.filter(|(word, _)| seen.insert(*word)).map(|(_, weight)| weight).sum::<f32>().min(1.0)
}

/// Where a candidate stands: sources by their best passage, then the order of the source.
fn place(candidate: &Candidate, passages: &[Hit]) -> (usize, usize) {
    let Some(hit) = passages.get(candidate.passage) else { return (usize::MAX, 0) };
    let source = passages.iter().position(|other| other.source == hit.source).unwrap_or(candidate.passage);
    (source, usize::try_from(hit.start).unwrap_or(0).saturating_add(candidate.span.start))
}

fn contains(whole: &Candidate, part: &Candidate) -> bool {
    whole.passage == part.passage && whole.span.start <= part.span.start && part.span.end <= whole.span.end
}

fn overlap(a: &Candidate, b: &Candidate) -> bool {
    a.passage == b.passage && a.span.start < b.span.end && b.span.start < a.span.end
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

/// What a bot says before an answer that it is not sure of.
#[must_use]
pub const fn tentative(language: Language) -> &'static str {
    match language {
        Language::English => "I am not sure that this answers your question. The nearest I found:",
        Language::Spanish => {
            "No estoy seguro de que esto responda a su pregunta. Lo más parecido que he encontrado:"
        }
        Language::French => {
            "Je ne suis pas certain que cela réponde à votre question. Ce que j'ai trouvé de plus proche :"
        }
        Language::German => {
            "Ich bin nicht sicher, ob das Ihre Frage beantwortet. Am nächsten kommt, was ich dazu gefunden habe:"
        }
        Language::Italian => {
            "Non sono sicuro che questo risponda alla sua domanda. La cosa più vicina che ho trovato:"
        }
        Language::Portuguese => {
            "Não tenho a certeza de que isto responda à sua pergunta. O mais próximo que encontrei:"
        }
    }
}

/// Whether two texts say the same: they share nearly all of their words, or one has all words of the other.
fn is_repeated(a: &str, b: &str) -> bool {
    let distinct = |text: &str| words::words(text).into_iter().collect::<BTreeSet<String>>();
    let (a, b) = (distinct(a), distinct(b));
    let shared = a.intersection(&b).count() as f32;
    let all = a.union(&b).count() as f32;
    let least = a.len().min(b.len()) as f32;
    least > 0.0 && (shared / all >= SAME || shared >= least)
}

#[cfg(test)]
mod tests;
