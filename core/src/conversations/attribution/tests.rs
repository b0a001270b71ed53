use super::*;
use crate::bots::Language;

fn statement(sentence: &str, context: &AnswerContext) -> Statement {
    Statement::new(sentence, context, Some(Language::English), Language::English)
}

fn support(passage: &str, sentence: &str) -> f32 {
    let context = AnswerContext::new("How long do I have to return a product?", &["Ada"]);
    let passage = Passage::new(passage, "Returns", Some(Language::English));
    passage.support(&statement(sentence, &context), &context, None)
}

#[test]
fn support_needs_words_and_facts_of_one_passage() {
    let passage = "You can return any product within 30 days. Refunds go to the card.";
    assert!(support(passage, "You have 30 days to return a product.") >= SUPPORTED);
    assert!(support(passage, "Within 30 days.") >= SUPPORTED);
    assert!(support(passage, "That is not written here.") < SUPPORTED);
    assert!(support(passage, "You have 60 days to return a product.") < SUPPORTED);
    assert!(support(passage, "You can return any product to Maria Jansen within 30 days.") < SUPPORTED);
    assert!(support(passage, "The museum shows paintings of the last century.") < SUPPORTED);
}

#[test]
fn sentences_have_the_expected_role() {
    let context = AnswerContext::default();
    for (sentence, role) in [
        ("Hello there!", SentenceRole::Courtesy),
        ("Is there anything else?", SentenceRole::Courtesy),
        ("Here is what I found:", SentenceRole::Courtesy),
        ("## Returns", SentenceRole::Optional),
        ("**Opening hours**", SentenceRole::Optional),
        ("Yes.", SentenceRole::Optional),
        ("You need the following documents:", SentenceRole::Optional),
        ("Please call 030 1234.", SentenceRole::Statement),
        ("I don't know.", SentenceRole::Refusal),
        ("The passages do not mention the price.", SentenceRole::Refusal),
        ("Das weiß ich leider nicht.", SentenceRole::Refusal),
        ("Los pasajes no contienen esa información.", SentenceRole::Refusal),
        ("Les passages ne mentionnent pas le prix.", SentenceRole::Refusal),
        ("I passaggi non contengono questa informazione.", SentenceRole::Refusal),
        ("As passagens não dizem nada sobre isso.", SentenceRole::Refusal),
        ("Returns take 30 days.", SentenceRole::Statement),
        ("High waves close the beach.", SentenceRole::Statement),
        ("No se puede cancelar la reserva.", SentenceRole::Statement),
        ("I cani non sono ammessi.", SentenceRole::Statement),
        ("Non lo so.", SentenceRole::Refusal),
        ("Não tenho informações sobre isso.", SentenceRole::Refusal),
    ] {
        assert_eq!(statement(sentence, &context).role, role, "{sentence}");
    }
}

#[test]
fn markers_are_kept_replaced_or_removed() {
    assert_eq!(cited(&[0.9, 0.1], &[1]), [1]);
    assert_eq!(cited(&[0.9, 0.8], &[2, 1]), [1, 2]);
    assert_eq!(cited(&[0.9, 0.1], &[2]), [1]);
    assert_eq!(cited(&[0.9, 0.55], &[2]), [1]);
    assert_eq!(cited(&[0.2, 0.1], &[1]), [0_usize; 0]);
    assert_eq!(cited(&[], &[1]), [0_usize; 0]);
}

#[test]
fn cosines_are_rescaled_and_clamped() {
    assert!((relative(0.85, 0.79, 0.91) - 0.5).abs() < 1e-4);
    assert_eq!((relative(0.7, 0.79, 0.91), relative(0.95, 0.79, 0.91)), (0.0, 1.0));
}
