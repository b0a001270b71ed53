use super::*;
use crate::eval::datasets::read_squad;

const SELECTION: Selection = Selection { pages: Pages::One, split: None, limit: 100, seed: 1 };

/// Two articles of ten paragraphs. Each paragraph has one question, and every second one an impossible question.
fn set(language: &str) -> Set {
    let paragraph = |article: usize, at: usize| {
        let hard = if at.is_multiple_of(2) {
            format!(r#", {{"id": "h{article}-{at}", "question": "Impossible {at}?", "is_impossible": true}}"#)
        } else {
            String::new()
        };
        format!(
            r#"{{"context": "Paragraph {article}-{at} says fact{article}x{at}.", "qas": [{{"id": "q{article}-{at}",
            "question": "What says {language} {article}-{at}?", "answers": [{{"text": "fact{article}x{at}"}}]}}{hard}]}}"#
        )
    };
    let article = |number: usize| {
        let paragraphs: Vec<String> = (0..10).map(|at| paragraph(number, at)).collect();
        format!(r#"{{"title": "Article {number}", "paragraphs": [{}]}}"#, paragraphs.join(","))
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("dev-{language}.json"));
    std::fs::write(&path, format!(r#"{{"data": [{}, {}]}}"#, article(0), article(1))).unwrap();
    read_squad(&path).unwrap()
}

fn datasets() -> Datasets {
    let off_natural = vec![("en".to_owned(), "Where is my card?".to_owned())];
    Datasets { sets: vec![set("en"), set("es")], off_natural }
}

fn of_class<'a>(suite: &'a Suite, set: &str, class: Class) -> Vec<&'a Question> {
    suite.questions.iter().filter(|question| question.set == set && question.class == class).collect()
}

fn text(suite: &Suite, bot: &str) -> String {
    let bot = suite.bots.iter().find(|spec| spec.name == bot).unwrap();
    let texts = bot.documents.iter().map(|document| String::from_utf8_lossy(&document.bytes).into_owned());
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn question_classes_match_the_knowledge_of_the_bots() {
    for pages in [Pages::One, Pages::All] {
        let suite = plan(&datasets(), &|_| true, Selection { pages, ..SELECTION });
        for class in [Class::Answerable, Class::Hard, Class::Heldout, Class::OffTopic, Class::OffNatural] {
            assert!(!of_class(&suite, "dev-en", class).is_empty(), "{pages:?} {class:?}");
        }
        let fact = |question: &Question| {
            let at = question.question.trim_end_matches('?').rsplit(' ').next().unwrap();
            format!("fact{}.", at.replace('-', "x"))
        };
        for question in &suite.questions {
            let text = text(&suite, &question.bot);
            match question.class {
                Class::Answerable | Class::CrossLanguage => {
                    assert!(text.contains(&fact(question)), "{question:?}");
                    assert!(text.contains(question.expected[0].quote.as_deref().unwrap()));
                }
                Class::Heldout | Class::OffTopic => assert!(!text.contains(&fact(question)), "{question:?}"),
                _ => assert!(question.expected.is_empty()),
            }
        }
    }
}

#[test]
fn one_in_five_paragraphs_of_a_page_is_held_out() {
    let suite = plan(&datasets(), &|_| true, SELECTION);
    let known = text(&suite, "dev-en page 1").matches("says fact").count();
    assert_eq!((known, of_class(&suite, "dev-en", Class::Heldout).len()), (8, 4));
}

#[test]
fn translated_questions_go_to_the_english_bot() {
    let suite = plan(&datasets(), &|_| true, SELECTION);
    let crossed = of_class(&suite, "dev-es-to-en", Class::CrossLanguage);
    assert_eq!(crossed.len(), of_class(&suite, "dev-en", Class::Answerable).len());
    assert!(crossed[0].question.contains("says es") && crossed[0].language == "es-to-en");
    assert!(of_class(&suite, "dev-en-to-es", Class::CrossLanguage).is_empty());
}

#[test]
fn same_seed_gives_same_questions() {
    let questions = |selection: Selection| {
        let suite = plan(&datasets(), &|_| true, selection);
        suite.questions.into_iter().map(|question| (question.bot, question.question)).collect::<Vec<_>>()
    };
    let few = Selection { limit: 3, ..SELECTION };
    assert_eq!(questions(few), questions(few));
    assert_ne!(questions(few), questions(Selection { seed: 2, ..few }));
    let suite = plan(&datasets(), &|_| true, few);
    assert_eq!(of_class(&suite, "dev-en", Class::Answerable).len(), 3);
}

#[test]
fn halves_share_no_answerable_question() {
    let half = |split| {
        let suite = plan(&datasets(), &|_| true, Selection { split: Some(split), ..SELECTION });
        let answered = suite.questions.into_iter().filter(|question| question.class == Class::Answerable);
        answered.map(|question| question.question).collect::<HashSet<_>>()
    };
    let (tune, check) = (half(Split::Tune), half(Split::Check));
    assert!(!tune.is_empty() && !check.is_empty() && tune.is_disjoint(&check));
}
