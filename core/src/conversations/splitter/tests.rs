use super::*;
use crate::conversations::citation_markers::MarkerFilter;

/// Feeds an answer on three passages in pieces of `length` characters; returns its text with markers, and
/// whether it refuses.
fn read(answer: &str, length: usize) -> (String, bool) {
    let (mut markers, mut draft) = (MarkerFilter::new(3), SentenceSplitter::default());
    let mut text = String::new();
    let mut drain = |draft: &mut SentenceSplitter, at_end: bool| {
        while let Some(step) = draft.next(at_end) {
            match step {
                Step::Text(part) => text.push_str(&part),
                Step::End(sentence) => {
                    if !sentence.markers.is_empty() {
                        text.push_str(&format!(" {:?}", sentence.markers));
                    }
                    text.push_str(sentence.tail);
                }
            }
        }
    };
    let chars: Vec<char> = answer.chars().collect();
    for piece in chars.chunks(length) {
        markers.read(&piece.iter().collect::<String>()).into_iter().for_each(|part| draft.push(part));
        drain(&mut draft, false);
    }
    markers.finish().into_iter().for_each(|part| draft.push(part));
    drain(&mut draft, true);
    (text, markers.refused())
}

#[test]
fn markers_move_to_sentence_ends_however_text_is_cut() {
    for (answer, text) in [
        ("Within 30 days [1], says nobody [7].", "Within 30 days, says nobody. [1]"),
        ("Within 30 days. [1] Also cash [2].", "Within 30 days. [1] Also cash. [2]"),
        (
            "A day [1, 3]. B day【2】. C day【1†source】. D day [^3]. E day [[1]](#a). F day (source 2). G day ([1], [2]).",
            "A day. [1, 3] B day. [2] C day. [1] D day. [3] E day. [1] F day. [2] G day. [1, 2]",
        ),
        ("It is 5 m² and 10³ big.¹ More here² too.", "It is 5 m² and 10³ big. [1] More here too. [2]"),
        ("Costs 5 EUR<sup>1</sup>.", "Costs 5 EUR. [1]"),
        ("Within 30 days [^1].\n\n[^1]: Shop, section 1", "Within 30 days. [1]"),
        ("Within 30 days [1].\n\n[1] shop.md", "Within 30 days. [1]"),
        ("Within 30 days [1].\n\n**Sources:**\n- [1] shop.md\n2. faq.md\n", "Within 30 days. [1]"),
        ("Within 30 days [1]. Sources: [1] shop.md", "Within 30 days. [1]"),
        (
            "Our sources of power:\n\nSources:\n- wind\n- sun",
            "Our sources of power:\n\nSources:\n- wind\n- sun",
        ),
        ("- One thing [1]\n- Two things [2]\n", "- One thing [1]\n- Two things [2]"),
        ("1. Open it [1].\n2. Close it.", "1. Open it. [1]\n2. Close it."),
        ("| A | B [1] |\n|---|---|\n| c | 5 [2] |\n", "| A | B [1] |\n|---|---|\n| c | 5 [2] |"),
        (
            "Use `a[0]` now.\n```\nx[1] = 2\ny\n```\nDone [1].",
            "Use `a[0]` now.\n```\nx[1] = 2\ny\n```\nDone. [1]",
        ),
        (
            "See [the page](https://x.example/a) and [note] (1) [12345].",
            "See [the page](https://x.example/a) and [note] (1) [12345].",
        ),
        ("[1] Returns take 30 days.\n[2] Refunds take 5.", "Returns take 30 days. [1]\nRefunds take 5. [2]"),
        ("Das ist z. B. am 3. März so. Gut.", "Das ist z. B. am 3. März so. Gut."),
        ("[[9]1] x", "x [1]"),
        ("[[NOT_IN_(source 1)PASSAGES]] x.", "[[NOT_IN_ PASSAGES]] x. [1]"),
        ("Yes [2]. \u{1}\u{364}, be here.", "Yes. \u{1}\u{364}, be here. [2]"),
        ("(see passages 1-3) Yes.", "Yes. [1, 2, 3]"),
        ("C'est oui [1] ! Voilà.", "C'est oui! [1] Voilà."),
    ] {
        for length in 1..=answer.chars().count() {
            assert_eq!(read(answer, length), (text.to_owned(), false), "{length}");
        }
    }
}

#[test]
fn the_refusal_token_is_removed_however_it_is_cut() {
    for (answer, text) in [
        ("[[NOT_IN_PASSAGES]]", ""),
        ("\"[[NOT_IN_PASSAGES]]\".", ""),
        ("`[[NOT_IN_PASSAGES]]`", ""),
        ("**[[not_in_passages]]** I am sorry.", "I am sorry."),
        ("\\[\\[NOT\\_IN\\_PASSAGES\\]\\]", ""),
        ("Sorry. NOT_IN_PASSAGES", "Sorry."),
        ("[[NOT_IN", ""),
    ] {
        for length in 1..=answer.chars().count() {
            assert_eq!(read(answer, length), (text.to_owned(), true), "{length}");
        }
    }
}
