use super::*;
use crate::eval::corpora::read_squad;

const CHOICE: Choice = Choice { pages: Pages::One, split: None, limit: 100, seed: 1 };

/// Two articles of ten paragraphs; each paragraph has a question, and every second an impossible one.
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

fn corpora() -> Corpora {
    let off_natural = vec![("en".to_owned(), "Where is my card?".to_owned())];
    Corpora { sets: vec![set("en"), set("es")], off_natural }
}

fn of_class<'a>(exam: &'a Exam, set: &str, class: Class) -> Vec<&'a Question> {
    exam.questions.iter().filter(|question| question.set == set && question.class == class).collect()
}

fn text(exam: &Exam, bot: &str) -> String {
    let bot = exam.bots.iter().find(|lesson| lesson.name == bot).unwrap();
    let texts = bot.documents.iter().map(|document| String::from_utf8_lossy(&document.bytes).into_owned());
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_classes_are_true_of_what_the_bots_know() {
    for pages in [Pages::One, Pages::All] {
        let exam = plan(&corpora(), &|_| true, Choice { pages, ..CHOICE });
        for class in [Class::Answerable, Class::Hard, Class::Heldout, Class::OffTopic, Class::OffNatural] {
            assert!(!of_class(&exam, "dev-en", class).is_empty(), "{pages:?} {class:?}");
        }
        let fact = |question: &Question| {
            let at = question.question.trim_end_matches('?').rsplit(' ').next().unwrap();
            format!("fact{}.", at.replace('-', "x"))
        };
        for question in &exam.questions {
            let text = text(&exam, &question.bot);
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
fn one_in_five_paragraphs_of_a_page_is_left_out() {
    let exam = plan(&corpora(), &|_| true, CHOICE);
    let known = text(&exam, "dev-en page 1").matches("says fact").count();
    assert_eq!((known, of_class(&exam, "dev-en", Class::Heldout).len()), (8, 4));
}

#[test]
fn translated_questions_are_asked_of_the_english_bot() {
    let exam = plan(&corpora(), &|_| true, CHOICE);
    let crossed = of_class(&exam, "dev-es-to-en", Class::CrossLanguage);
    assert_eq!(crossed.len(), of_class(&exam, "dev-en", Class::Answerable).len());
    assert!(crossed[0].question.contains("says es") && crossed[0].language == "es-to-en");
    assert!(of_class(&exam, "dev-en-to-es", Class::CrossLanguage).is_empty());
}

#[test]
fn the_same_seed_asks_the_same_questions() {
    let asked = |choice: Choice| {
        let exam = plan(&corpora(), &|_| true, choice);
        exam.questions.into_iter().map(|question| (question.bot, question.question)).collect::<Vec<_>>()
    };
    let few = Choice { limit: 3, ..CHOICE };
    assert_eq!(asked(few), asked(few));
    assert_ne!(asked(few), asked(Choice { seed: 2, ..few }));
    let exam = plan(&corpora(), &|_| true, few);
    assert_eq!(of_class(&exam, "dev-en", Class::Answerable).len(), 3);
}

#[test]
fn the_halves_share_no_question_with_an_answer() {
    let half = |split| {
        let exam = plan(&corpora(), &|_| true, Choice { split: Some(split), ..CHOICE });
        let answered = exam.questions.into_iter().filter(|question| question.class == Class::Answerable);
        answered.map(|question| question.question).collect::<HashSet<_>>()
    };
    let (tune, check) = (half(Split::Tune), half(Split::Check));
    assert!(!tune.is_empty() && !check.is_empty() && tune.is_disjoint(&check));
}
