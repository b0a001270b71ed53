use super::attribution::*;
use super::*;
use crate::ids::*;
use crate::knowledge::search::Hit;
use crate::language::Language;
use std::time::Instant;

fn time<T>(name: &str, work: impl Fn() -> T) {
    let mut best = f64::MAX;
    for _ in 0..3 {
        let begun = Instant::now();
        std::hint::black_box(work());
        best = best.min(begun.elapsed().as_secs_f64() * 1e3);
    }
    eprintln!("{best:9.2} ms  {name}");
}

fn hit(content: &str) -> Hit {
    Hit {
        chunk: ChunkId::fresh(),
        source: SourceId::fresh(),
        source_name: "h".into(),
        url: None,
        ordinal: 0,
        page: None,
        heading: Some("Shop > Returns".into()),
        content: content.to_owned(),
        start: 0,
        end: 8_000,
        ranking: Default::default(),
    }
}

pub(crate) fn probe(question: &str, cut: &str, kinds: &[(&str, Vec<String>)]) {
    let short = "How long can I return a pair of boots?";
    for (name, passages) in kinds {
        let hits: Vec<Hit> = passages.iter().map(|p| hit(p)).collect();
        for (of, question) in [("short", short), ("8000", question), ("cut", cut)] {
            time(&format!("candidates, {name}, {of}"), || {
                extractive::candidates(question, Language::English, &hits, 12)
            });
            let scored: Vec<_> = extractive::candidates(question, Language::English, &hits, 12)
                .into_iter()
                .map(|candidate| extractive::Scored { candidate, cosine: 0.9, relevance: 1.5 })
                .collect();
            time(&format!("compose, {name}, {of}"), || {
                extractive::compose(question, &hits, scored.clone(), Confidence::High)
            });
        }
        time(&format!("passages, {name}"), || {
            hits.iter()
                .map(|h| Passage::new(&h.content, "Shop > Returns h", crate::words::language(&h.content)))
                .collect::<Vec<_>>()
        });
        let passages: Vec<Passage> =
            hits.iter().map(|h| Passage::new(&h.content, "Shop > Returns h", None)).collect();
        let system = "Answer politely and briefly, as Ada of Boots GmbH. ".repeat(400);
        for (of, question) in [("short", short), ("8000", question)] {
            time(&format!("context, {of}"), || AnswerContext::new(question, &["Ada", &system]));
            let context = AnswerContext::new(question, &["Ada", &system]);
            let sentence = "You can return a pair of boots within 30 days of delivery to Boots GmbH in Berlin, as Ada says.";
            time(&format!("statement, {name}, {of}"), || {
                let s = Statement::new(sentence, &context, Some(Language::English), Language::English);
                passages
                    .iter()
                    .map(|p| {
                        (
                            p.shared_words(&s),
                            p.lacks_facts(&s, &context),
                            p.nearest(&s),
                            p.support(&s, &context, Some(0.5)),
                        )
                    })
                    .collect::<Vec<_>>()
            });
        }
    }
}
