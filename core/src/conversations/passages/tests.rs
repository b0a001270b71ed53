use super::{Unit, UnitKind, units};

fn source_of(passage: &str, span: std::ops::Range<usize>) -> String {
    passage.chars().skip(span.start).take(span.len()).collect()
}

/// Kind and text of each unit.
fn kinds_and_texts(passage: &str) -> Vec<(UnitKind, String)> {
    units(passage).into_iter().map(|unit| (unit.kind, unit.text)).collect()
}

fn texts(passage: &str) -> Vec<String> {
    units(passage).into_iter().map(|unit| unit.text).collect()
}

fn unit(passage: &str, kind: UnitKind) -> Unit {
    units(passage)
        .into_iter()
        .find(|unit| unit.kind == kind)
        .unwrap_or_else(|| panic!("{:?}", units(passage)))
}

#[test]
fn units_have_no_markup_and_spans_point_at_the_source() {
    let passage = "## Leave\n\nEvery **employee** gets 25 days.\nÜber Ostern\nist zu. See `HR` & ask.\n\n```\nlet code = 1;\n```\n";
    let found: Vec<(String, String)> =
        units(passage).into_iter().map(|unit| (unit.text, source_of(passage, unit.span))).collect();
    let expected = [
        ("Every employee gets 25 days.", "Every **employee** gets 25 days."),
        ("Über Ostern ist zu.", "Über Ostern\nist zu."),
        ("See HR & ask.", "See `HR` & ask."),
    ];
    assert_eq!(found, expected.map(|(text, source)| (text.to_owned(), source.to_owned())));
}

#[test]
fn the_span_of_multiline_code_covers_all_of_it() {
    for (passage, written) in [
        ("See `one\ntwö` there. More.", "See `one\ntwö` there."),
        ("> See `one\n> twö` there. More.", "See `one\n> twö` there."),
        ("`one\ntwö`", "`one\ntwö`"),
    ] {
        assert_eq!(source_of(passage, units(passage)[0].span.clone()), written);
    }
}

#[test]
fn text_without_information_yields_no_unit() {
    for passage in [
        "# Opening hours",
        "## Öffnungszeiten\n",
        "**Another embedding model, later.**",
        "**Horarios**",
        "Opening hours:",
        "Voir aussi :",
        "[Read the manual](a.html)",
        "![A red car on a hill.](car.png)",
        "handbook.md",
        "src/main.rs",
        "```\n# Start the server.\nrun me\n```",
        "    // Starts the server.\n    start();\n",
        "<!-- A comment about prices. -->",
        "- [Home](/)\n- [Shop](/shop)\n- [Contact](/contact)\n",
        "See also:\n\n- [Prices](/p)\n- [Hours](/h)\n",
        "Home > Shop > Bikes",
        "Start » Hilfe » Versand",
        "Inicio | Tienda | Contacto",
        "Back to top",
        "Zurück nach oben",
        "Volver arriba",
        "Retour en haut",
        "Torna su",
        "Voltar ao topo",
        "| Plan | Price |\n|---|---|\n",
        "// A comment in a program.",
        "---",
        "",
        "\u{feff}",
        "**Q: How long?**",
        "- How long?\n- How much?\n",
    ] {
        assert!(units(passage).is_empty(), "{passage:?}: {:?}", units(passage));
    }
}

#[test]
fn labels_are_left_out_of_the_text_after_them() {
    for (passage, expected) in [
        ("Opening hours\n\nWe open at nine.", "We open at nine."),
        (
            "Öffnungszeiten\nWir öffnen um neun Uhr morgens und schließen um fünf.",
            "Wir öffnen um neun Uhr morgens und schließen um fünf.",
        ),
        ("**Sources.** A new version replaces the old one.", "A new version replaces the old one."),
        ("**Horario:**\n\nAbrimos a las nueve.", "Abrimos a las nueve."),
        ("Accueil > Aide\nNous livrons en deux jours.", "Nous livrons en deux jours."),
        ("Nossas lojas\n\nRua Augusta 5, Lisboa", "Rua Augusta 5, Lisboa"),
        ("Write to [info@shop.example](mailto:info@shop.example).", "Write to info@shop.example."),
        ("    We deliver within two days.\n    Returns are free.\n", "We deliver within two days."),
        ("Nous livrons partout en France et ailleurs.\n---\n", "Nous livrons partout en France et ailleurs."),
    ] {
        let found = texts(passage);
        assert_eq!(found.first().map(String::as_str), Some(expected), "{passage:?}: {found:?}");
    }
}

#[test]
fn units_keep_the_heading_within_the_passage() {
    let found =
        units("# Shop\n\nWe sell bikes.\n\n## Returns\n\nThey are free.\n\n**Exchange**\n\nIt takes a week.");
    let headings: Vec<Option<&str>> = found.iter().map(|unit| unit.heading.as_deref()).collect();
    assert_eq!(headings, [Some("Shop"), Some("Returns"), Some("Exchange")]);
}

#[test]
fn text_after_a_question_becomes_its_faq_answer() {
    for (passage, question, answer) in [
        ("Q: How long does it take?\nA: It takes two days.", "How long does it take?", "It takes two days."),
        ("Q1: How long does it take? A1: It takes two days.", "How long does it take?", "It takes two days."),
        (
            "**Q:** How long does it take?\n\n**A:** It takes two days.",
            "How long does it take?",
            "It takes two days.",
        ),
        ("**How long does it take?**\n\nIt takes two days.", "How long does it take?", "It takes two days."),
        ("### How long does it take?\n\nIt takes two days.", "How long does it take?", "It takes two days."),
        ("How long does it take?\n\nIt takes two days.", "How long does it take?", "It takes two days."),
        ("How long does it take?\nIt takes two days.", "How long does it take?", "It takes two days."),
        ("How long does it take? It takes two days.", "How long does it take?", "It takes two days."),
        (
            "- How long does it take?\n  It takes two days.\n- How much?\n  Ten euros.",
            "How long does it take?",
            "It takes two days.",
        ),
        ("F: Wie lange dauert es?\nA: Es dauert zwei Tage.", "Wie lange dauert es?", "Es dauert zwei Tage."),
        (
            "Frage: Wie lange dauert es?\nAntwort: Es dauert zwei Tage.",
            "Wie lange dauert es?",
            "Es dauert zwei Tage.",
        ),
        ("P: ¿Cuánto tarda?\nR: Tarda dos días.", "¿Cuánto tarda?", "Tarda dos días."),
        ("Pregunta: ¿Cuánto tarda?\n\nRespuesta: Tarda dos días.", "¿Cuánto tarda?", "Tarda dos días."),
        (
            "Question : Combien de temps ?\nRéponse : Deux jours ouvrés.",
            "Combien de temps ?",
            "Deux jours ouvrés.",
        ),
        (
            "D: Quanto tempo ci vuole?\nR: Ci vogliono due giorni.",
            "Quanto tempo ci vuole?",
            "Ci vogliono due giorni.",
        ),
        ("P: Quanto tempo demora?\nR: Demora dois dias.", "Quanto tempo demora?", "Demora dois dias."),
        ("### Can I return it?\n\nYes.", "Can I return it?", "Yes."),
    ] {
        let unit = unit(passage, UnitKind::FaqAnswer);
        assert_eq!((unit.lead.as_deref(), unit.text.as_str()), (Some(question), answer), "{passage:?}");
        assert!(texts(passage).iter().all(|text| !text.contains('?')), "{passage:?}");
    }
}

#[test]
fn an_faq_answer_yields_its_start_and_each_sentence() {
    let passage = "## Can I return it?\n\nYes. Returns are free for 30 days. Keep the receipt. Write to us first.\n\nLater ones cost 5 EUR.";
    assert_eq!(
        kinds_and_texts(passage),
        [
            (UnitKind::FaqAnswer, "Yes. Returns are free for 30 days. Keep the receipt.".to_owned()),
            (UnitKind::Sentence, "Returns are free for 30 days.".to_owned()),
            (UnitKind::Sentence, "Keep the receipt.".to_owned()),
            (UnitKind::Sentence, "Write to us first.".to_owned()),
            (UnitKind::Sentence, "Later ones cost 5 EUR.".to_owned()),
        ]
    );
    let leads: Vec<bool> = units(passage).iter().map(|unit| unit.lead.is_some()).collect();
    assert_eq!(leads, [true, true, true, true, false]);
    let long = format!("## Why?\n\n{}. {}.", "Word ".repeat(40).trim(), "Word ".repeat(40).trim());
    assert_eq!(unit(&long, UnitKind::FaqAnswer).text.chars().count(), 200);
}

#[test]
fn an_announcement_is_part_of_its_list() {
    for (passage, text) in [
        (
            "Come early. You need:\n\n- a passport\n- two **photos**\n",
            "You need:\n- a passport\n- two photos",
        ),
        ("Sie brauchen:\n- einen Ausweis\n- zwei Fotos\n", "Sie brauchen:\n- einen Ausweis\n- zwei Fotos"),
        (
            "Necesita lo siguiente.\n\n* un pasaporte\n* dos fotos\n",
            "Necesita lo siguiente.\n- un pasaporte\n- dos fotos",
        ),
        ("Il vous faut :\n• un passeport\n• deux photos", "Il vous faut :\n- un passeport\n- deux photos"),
        (
            "Servono:\n\n- passaporto\n  - originale\n- foto\n",
            "Servono:\n- passaporto\n  - originale\n- foto",
        ),
        ("**Documentos:**\n\n- passaporte\n- fotos\n", "Documentos:\n- passaporte\n- fotos"),
    ] {
        let unit = unit(passage, UnitKind::List);
        assert_eq!(unit.text, text);
        let last = text.rsplit(' ').next().unwrap();
        let source = source_of(passage, unit.span);
        assert!(source.trim_end_matches('*').ends_with(last), "{source:?}");
        assert!(
            source
                .trim_start_matches('*')
                .starts_with(text.split(' ').next().unwrap().trim_end_matches(|c| ":\n-".contains(c))),
            "{source:?}"
        );
    }
    assert_eq!(texts("Come early. You need:\n\n- a passport\n- photos\n")[0], "Come early.");
}

#[test]
fn steps_stay_whole_and_in_order() {
    for (passage, text) in [
        (
            "1. Open Settings.\n2. Press Reset:\n   - once\n   - twice\n3. Wait a minute.\n",
            "1. Open Settings.\n2. Press Reset:\n  - once\n  - twice\n3. Wait a minute.",
        ),
        (
            "So geht es:\n\n3) Formular ausfüllen.\n4) Absenden.\n",
            "So geht es:\n3. Formular ausfüllen.\n4. Absenden.",
        ),
        (
            "To start:\n\n1. Build it:\n\n   ```\n   cargo build\n   ```\n\n2. Run it.\n",
            "To start:\n1. Build it: cargo build\n2. Run it.",
        ),
        ("Paso 1: Abra la caja.\nPaso 2: Cierre la caja.", "1. Abra la caja.\n2. Cierre la caja."),
    ] {
        assert_eq!(kinds_and_texts(passage), [(UnitKind::Steps, text.to_owned())], "{passage:?}");
    }
    assert_eq!(
        unit("## How do I start?\n\n1. Go.\n2. Run.\n", UnitKind::Steps).lead.as_deref(),
        Some("How do I start?")
    );
}

#[test]
fn a_long_list_also_yields_its_items() {
    let items: String = (1..=13).map(|number| format!("- item number {number}\n")).collect();
    let found = units(&format!("We sell these:\n\n{items}"));
    assert_eq!(found.len(), 14);
    assert_eq!(found[0].kind, UnitKind::List);
    assert!(found.iter().skip(1).all(|unit| unit.lead.as_deref() == Some("We sell these:")));
    assert_eq!(found[13].text, "item number 13");
    let few = units("We sell these:\n\n- bikes\n- boats\n");
    assert_eq!(few.len(), 1);
}

#[test]
fn items_that_are_sentences_become_units() {
    let passage = "- Delivery takes three days within Europe.\n- Returns are free within thirty days. Keep the receipt.\n";
    assert_eq!(
        texts(passage),
        [
            "Delivery takes three days within Europe.",
            "Returns are free within thirty days.",
            "Keep the receipt."
        ]
    );
}

#[test]
fn rows_are_rendered_with_their_headers() {
    for (passage, rows) in [
        (
            "| Plan | Price | Storage |\n|---|---|---|\n| Basic | 10 EUR | 5 GB |\n| Pro | | 50 GB |\n",
            vec!["Plan: Basic; Price: 10 EUR; Storage: 5 GB", "Plan: Pro; Storage: 50 GB"],
        ),
        ("| Tag | Zeit |\n|---|---|\n| Montag | 9–17 Uhr |\n", vec!["Montag: 9–17 Uhr"]),
        ("| Artículo | Peso (kg) |\n|---|---|\n| Caja | 5 |\n", vec!["Artículo: Caja; Peso (kg): 5"]),
        ("| Prix | 10 € |\n|---|---|\n| Durée | 2 h |\n", vec!["Prix: 10 €", "Durée: 2 h"]),
        ("|  |  |\n|---|---|\n| Piano | Terzo |\n", vec!["Piano: Terzo"]),
        ("| a | b |\n|---|---|\n| x \\| y | **zwei** |\n", vec!["x | y: zwei"]),
        (
            "| Basic | 10 EUR | 5 GB |\n| Pro | 20 EUR | 9 GB |",
            vec!["Basic; 10 EUR; 5 GB", "Pro; 20 EUR; 9 GB"],
        ),
        ("Plan: Basic\nPrice: 10 EUR", vec!["Plan: Basic; Price: 10 EUR", "Plan: Basic", "Price: 10 EUR"]),
        (
            "Öffnungszeiten\nMontag: 9–17 Uhr\nDienstag: 9–18 Uhr",
            vec!["Montag: 9–17 Uhr; Dienstag: 9–18 Uhr", "Montag: 9–17 Uhr", "Dienstag: 9–18 Uhr"],
        ),
    ] {
        let found = units(passage);
        assert!(found.iter().all(|unit| unit.kind == UnitKind::Row), "{found:?}");
        assert_eq!(texts(passage), rows);
    }
    let passage = "Prices with tax:\n\n| Plan | Price |\n|---|---|\n| Basic | 10 EUR |\n";
    let row = unit(passage, UnitKind::Row);
    assert_eq!(row.lead.as_deref(), Some("Prices with tax:; Plan; Price"));
    assert_eq!(source_of(passage, row.span), "Basic | 10 EUR");
}

#[test]
fn a_short_command_joins_its_announcement() {
    let passage = "To back up the database, run this:\n\n```sh\n# Nightly.\npg_dump shop > shop.sql\n```\n";
    assert_eq!(texts(passage), ["To back up the database, run this:\npg_dump shop > shop.sql"]);
}

#[test]
fn a_sentence_with_a_pronoun_gets_its_antecedent() {
    for passage in [
        "The Alpha has ten gears. It also has lights.",
        "Das Alpha hat zehn Gänge. Er ist rot.",
        "El Alfa tiene luces. Esto es nuevo.",
        "L'Alpha a dix vitesses. Elle coûte cher.",
        "Alfa ha dieci marce. Questo è nuovo.",
        "O Alfa tem luzes. Ele custa 5 euros.",
    ] {
        let found = units(passage);
        let (before, sentence) = (&found[0], &found[1]);
        assert_eq!(sentence.lead.as_ref(), Some(&before.text));
        let (text, span) = sentence.with_antecedent.clone().unwrap();
        assert_eq!((text.as_str(), source_of(passage, span)), (passage, passage.to_owned()));
    }
    assert!(units("We close. It is late.")[1].with_antecedent.is_none());
    assert!(units("Wir sind da. Sie können kommen.")[1].with_antecedent.is_none());
}

#[test]
fn spans_are_exact_in_unusual_text() {
    for plain in [
        "We open at 9 a.m. on weekdays. On Sundays we are closed!",
        "\u{feff}First one here. \u{feff}Second one here.",
        "Cafe\u{301} ouvert. Menu\u{308} ici.",
        "One line here.\r\nTwo lines here.",
        "He said “Go. Now.” twice. Then he left.",
        "Emoji 👩‍👩‍👧 here now. Ñandú aquí.",
    ] {
        for unit in units(plain) {
            let source = source_of(plain, unit.span.clone());
            assert_eq!(source.replace("\r\n", " "), unit.text, "{plain:?}");
        }
        assert_eq!(
            units(plain).iter().filter(|unit| unit.kind == UnitKind::Sentence).count(),
            2,
            "{plain:?}"
        );
    }
    for (passage, written) in [
        ("AT&amp;T sells it &amp; more", "AT&amp;T sells it &amp; more"),
        ("\r\n\r\n| A | B |\r\n|---|---|\r\n| x\\|1 | y&#33; |\r\n", "x\\|1 | y&#33;"),
        ("- \u{301}a combined *mark* is\r\n- b is too\r\n", "\u{301}a combined *mark* is\r\n- b is too"),
        ("> quoted *text* of\n> two lines", "quoted *text* of\n> two lines"),
    ] {
        let found = units(passage);
        assert_eq!(source_of(passage, found[0].span.clone()), written, "{found:?}");
    }
}

#[test]
fn spans_are_in_bounds_and_ascending() {
    let parts = [
        "# H?\n",
        "Q: a b?\n",
        "A: c d.\n",
        "\n\n",
        "- x: 1\n",
        "  - y\n",
        "1. z.\n",
        "| a | b |\n|---|---|\n| 1 | é |\n",
        "```\nq\n",
        "**b:**\n",
        "\u{feff}",
        "\r\n",
        "&amp;",
        "`k\nl`",
        "\u{301}",
        "> ",
        "Dr. Wer? Ja. ",
        "[l](u) ",
        "![i](j)",
        "It is so: ",
        "• p\n• q\n",
        "a: b\nc: d\n",
        "<br>",
        "\\|",
        "(“",
        "    code.\n",
    ];
    let mut state: u32 = 7;
    for _ in 0..4_000 {
        let mut passage = String::new();
        for _ in 0..9 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            passage.push_str(parts[(state >> 16) as usize % parts.len()]);
        }
        let length = passage.chars().count();
        let mut start = 0;
        for unit in units(&passage) {
            assert!(
                unit.span.start >= start && unit.span.start < unit.span.end && unit.span.end <= length,
                "{passage:?} {unit:?}"
            );
            start = unit.span.start;
        }
    }
}
