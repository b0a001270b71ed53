use super::*;

fn passage_has(passage: &str, sentence: &str, language: Language) -> bool {
    let facts = of_passage(passage);
    of_sentence(sentence, language).iter().all(|fact| contains_fact(&facts, passage, fact))
}

#[test]
fn facts_match_across_formats_and_languages() {
    for (passage, sentence, language) in [
        ("costs 1,234.50", "kostet 1.234,50", Language::German),
        ("coûte 1 234,50 €", "costs EUR 1,234.50", Language::English),
        ("12 euros", "€12", Language::English),
        ("12,00 EUR", "12 €", Language::German),
        ("opens at 14:00", "opens at 2 p.m.", Language::English),
        ("von 9 bis 17 Uhr", "from 9 a.m. to 5 p.m.", Language::English),
        ("ouvert à 14h30", "opens at 2:30 pm", Language::English),
        ("on 2026-03-01", "am 1. März 2026", Language::German),
        ("am 01.03.2026", "on March 1st, 2026", Language::English),
        ("el 1 de marzo de 2026", "on 1 March", Language::English),
        ("within two weeks", "innerhalb von 14 Tagen", Language::German),
        ("zwei Tage", "two days", Language::English),
        ("20 %", "20 per cent", Language::English),
        ("20 por ciento", "20%", Language::English),
        ("Modell XR-200", "the XR200", Language::English),
        ("Mail help@shop.example.", "Schreiben Sie an help@shop.example", Language::German),
        ("see https://www.shop.example/returns/", "shop.example/returns", Language::English),
        ("fee of 2.5 percent", "2,5 Prozent", Language::German),
        ("24/7", "24 hours", Language::English),
        ("renewed twice", "renewed two times", Language::English),
    ] {
        assert!(passage_has(passage, sentence, language), "{sentence:?} is in {passage:?}");
    }
}

#[test]
fn different_facts_do_not_match() {
    for (passage, sentence, language) in [
        ("within 30 days", "within 60 days", Language::English),
        ("within 30 days", "within 30 hours", Language::English),
        ("within thirty days", "in sixty days", Language::English),
        ("12 euros", "12 dollars", Language::English),
        ("20 %", "20 EUR", Language::English),
        ("at 14:00", "at 2:30 p.m.", Language::English),
        ("on 2026-03-01", "on March 2nd", Language::English),
        ("01.03.2026", "1 March 2025", Language::English),
        ("XR-200", "XR-300", Language::English),
        ("help@shop.example", "info@shop.example", Language::English),
        ("1,234", "1.235", Language::German),
        ("renewed twice", "renewed five times", Language::English),
    ] {
        assert!(!passage_has(passage, sentence, language), "{sentence:?} is not in {passage:?}");
    }
}
