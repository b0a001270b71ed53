use super::*;
use crate::bots::Language;
use crate::conversations::Confidence;
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

/// Scores candidates by the first listed text that they contain, else 0.
fn scored(question: &str, passages: &[Hit], relevance: &[(&str, f32)]) -> Vec<Scored> {
    let of =
        |text: &str| relevance.iter().find(|(part, _)| text.contains(part)).map_or(0.0, |(_, score)| *score);
    candidates(question, Language::English, passages, 50)
        .into_iter()
        .map(|candidate| Scored { cosine: 0.9, relevance: of(&candidate.text), candidate })
        .collect()
}

fn answer(question: &str, passages: &[Hit], relevance: &[(&str, f32)]) -> String {
    compose(question, passages, scored(question, passages, relevance), Confidence::High).unwrap().text
}

#[test]
fn one_unit_is_enough_for_an_answer() {
    let passages = [passage(0, 100, "Returns take 30 days. Keep the receipt. The sky is blue.")];
    let question = "How do returns work?";
    let composed = compose(
        question,
        &passages,
        scored(question, &passages, &[("Returns", 1.4), ("receipt", 1.3)]),
        Confidence::High,
    )
    .unwrap();
    assert_eq!(composed.text, "Returns take 30 days. [1]");
    let [citation] = composed.citations.as_slice() else { panic!() };
    assert_eq!((citation.start, citation.end, citation.score), (100, 121, 0.9));
}

#[test]
fn a_second_unit_adds_what_the_question_asks_for() {
    let passages = [passage(0, 0, "The receipt is needed. Colours vary. Returns take 30 days.")];
    let near = [("Returns", 1.4), ("receipt", 1.3), ("Colours", 1.3)];
    let question = "How long do returns take, is the receipt needed?";
    assert_eq!(answer(question, &passages, &near), "The receipt is needed. [1] Returns take 30 days. [2]");
    let far = [("Returns", 1.4), ("receipt", 0.7)];
    assert_eq!(answer(question, &passages, &far), "Returns take 30 days. [1]");
    let both = "How long do returns take and what receipt is needed?";
    assert_eq!(answer(both, &passages, &far), "The receipt is needed. [1] Returns take 30 days. [2]");
}

#[test]
fn repeated_units_are_dropped() {
    let passages =
        [passage(0, 0, "We ship within two days."), passage(1, 50, "We ship parcels within two days!")];
    assert_eq!(
        answer("When do you ship parcels?", &passages, &[("ship", 1.0)]),
        "We ship parcels within two days! [1]"
    );
    let repeated = [passage(0, 0, "We ship soon."), passage(1, 50, "We **ship** soon.")];
    assert_eq!(candidates("ship?", Language::English, &repeated, 9).len(), 1);
}

#[test]
fn no_unit_gives_no_answer() {
    let passages = [passage(0, 0, "# Only a heading")];
    assert!(compose("Who?", &passages, scored("Who?", &passages, &[]), Confidence::High).is_none());
}

#[test]
fn a_list_ends_with_its_marker_and_is_set_apart() {
    let passages = [passage(0, 0, "You need:\n\n- a passport\n- photos\n\nThe visa costs 50 EUR.")];
    let question = "What do I need and how much does the visa cost?";
    let text = answer(question, &passages, &[("You need", 1.2), ("visa", 1.0)]);
    assert_eq!(text, "You need:\n- a passport\n- photos [1]\n\nThe visa costs 50 EUR. [2]");
    let composed = compose(
        question,
        &passages,
        scored(question, &passages, &[("You need", 1.2), ("visa", 1.0)]),
        Confidence::High,
    )
    .unwrap();
    let support = support(&format!("Ja:\n\n{}", composed.text), &composed.citations);
    assert_eq!(support.iter().map(|part| (part.start, part.end)).collect::<Vec<_>>(), [(5, 40), (42, 68)]);
}

#[test]
fn an_item_answers_only_with_a_question_word_of_its_own() {
    let passages = [passage(0, 0, "We are open:\n\n- Monday: 9 to 17\n- Tuesday: 9 to 18\n")];
    let scores = [("We are", 1.2), ("Tuesday", 1.1), ("Monday", 1.15)];
    assert_eq!(answer("When are you open on Tuesday?", &passages, &scores), "Tuesday: 9 to 18 [1]");
    let whole = "We are open:\n- Monday: 9 to 17\n- Tuesday: 9 to 18 [1]";
    assert_eq!(answer("When are you open?", &passages, &scores), whole);
}

#[test]
fn an_faq_answer_is_preferred_to_its_sentence() {
    let passages = [passage(0, 0, "## Can I return it?\n\nYes, for 30 days. Keep the receipt.")];
    let scores = [("Yes, for 30 days. Keep", 1.2), ("Yes", 1.3)];
    assert_eq!(answer("May I return it?", &passages, &scores), "Yes, for 30 days. Keep the receipt. [1]");
}

#[test]
fn an_antecedent_is_included_when_the_question_names_it() {
    let passages = [passage(0, 0, "The Alpha hotel lies uphill. It also has a pool.")];
    let scores = [("It also", 1.3), ("Alpha", 0.5)];
    let together = "The Alpha hotel lies uphill. It also has a pool. [1]";
    assert_eq!(answer("Does the Alpha have a pool?", &passages, &scores), together);
    assert_eq!(answer("Is there a pool?", &passages, &scores), "It also has a pool. [1]");
}

#[test]
fn candidates_with_rare_words_come_first_and_few_are_kept() {
    let filler: String = (0..20).map(|number| format!("Our shop has shelf {number}. ")).collect();
    let passages = [passage(0, 0, &filler), passage(1, 900, "Our shop delivers helmets to Spain.")];
    let found = candidates("Does the shop deliver helmets?", Language::English, &passages, 4);
    let texts: Vec<&str> = found.iter().map(|candidate| candidate.text.as_str()).collect();
    assert_eq!(texts[0], "Our shop delivers helmets to Spain.");
    assert_eq!(texts.len(), 4);
    assert!(texts.contains(&"Our shop has shelf 0.") && texts.contains(&"Our shop has shelf 1."));
    assert!((found[0].coverage - 1.0).abs() < 1e-5 && found[1].coverage < 0.4, "{found:?}");
}

#[test]
fn the_best_passage_always_has_candidates() {
    let passages = [
        passage(0, 0, "Nothing of it here. Nor here. Nor there."),
        passage(1, 90, "Helmets are red. Helmets are blue. Helmets are new. Helmets are old."),
    ];
    let found = candidates("Helmets?", Language::English, &passages, 4);
    let places: Vec<usize> = found.iter().map(|candidate| candidate.passage).collect();
    assert_eq!(places, [1, 1, 0, 0]);
}

#[test]
fn coverage_counts_headings_and_leads() {
    let mut hit =
        passage(0, 0, "## Returns\n\nThey are free.\n\n| Plan | Price |\n|---|---|\n| Basic | 10 EUR |\n");
    hit.heading = Some("Bike shop > Delivery".to_owned());
    let found = candidates("Are bike returns free?", Language::English, &[hit.clone()], 9);
    assert!((found[0].coverage - 1.0).abs() < 1e-5, "{found:?}");
    assert_eq!(found[0].match_text, "Returns\nThey are free.");
    let found = candidates("What is the price of Basic?", Language::English, &[hit], 9);
    assert_eq!((found[0].text.as_str(), found[0].kind), ("Basic: 10 EUR", UnitKind::Row));
    assert_eq!(found[0].match_text, "Returns; Plan; Price\nBasic: 10 EUR");
    assert!((found[0].passage_coverage - 1.0).abs() < 1e-5);
}

#[test]
fn coverage_ignores_accents_and_endings() {
    for (language, question, text) in [
        (Language::Spanish, "¿Cómo devuelvo los artículos?", "Los articulos se devuelven gratis."),
        (Language::German, "Wie lang ist die Lieferzeit?", "Die Lieferung dauert zwei Tage."),
        (
            Language::French,
            "Où sont les réductions étudiantes ?",
            "La reduction pour etudiants est de dix euros.",
        ),
        (Language::Portuguese, "Qual é o preço das inscrições?", "A inscrição tem o preço de dez euros."),
    ] {
        let found = candidates(question, language, &[passage(0, 0, text)], 3);
        assert!(found[0].coverage > 0.45, "{question}: {}", found[0].coverage);
    }
}

#[test]
fn fixed_sentences_differ_in_every_language() {
    let mut phrases: Vec<&str> =
        Language::ALL.iter().flat_map(|language| [unknown(*language), tentative(*language)]).collect();
    assert!(Language::ALL.iter().all(|language| tentative(*language).ends_with(':')));
    phrases.sort_unstable();
    phrases.dedup();
    assert_eq!(phrases.len(), 12);
}

#[test]
fn a_tentative_answer_has_the_three_best_units() {
    let passages =
        [passage(0, 0, "Returns take 30 days. Shops open at nine. Cups are blue. Dogs are welcome.")];
    let relevance = [("Returns", 0.9), ("Shops", 0.7), ("Cups", 0.5), ("Dogs", 0.3)];
    let scored = scored("How long?", &passages, &relevance);
    let composed = compose("How long?", &passages, scored, Confidence::Low).unwrap();
    assert_eq!(composed.text, "Returns take 30 days. [1] Shops open at nine. [2] Cups are blue. [3]");
}
