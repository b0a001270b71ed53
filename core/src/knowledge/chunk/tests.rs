use super::*;

fn words(text: &str) -> Vec<usize> {
    let offset = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    text.split_whitespace().map(offset).collect()
}

fn split_words(text: &str, markup: Markup, tokens: usize, overlap: usize) -> Vec<Chunk> {
    split(&whole(text, markup), Sizing { tokens, overlap }, &words, &|| false).unwrap()
}

fn whole(text: &str, markup: Markup) -> Text {
    Text { text: text.into(), markup, pages: Vec::new(), apart: false }
}

const HANDBOOK: &str = "# Handbook\n\nWelcome to the company, we are glad.\n\n## Leave\n\nEvery employee gets 25 days of leave a year.\n\n### Sick leave\n\nCall before nine o'clock.\n\n## Remote work\n\nThree days a week – agree with your team, später mehr.\n";

#[test]
fn a_chunk_carries_its_heading_path() {
    let chunks = split_words(HANDBOOK, Markup::Markdown, 12, 0);
    let heading_of = |needle: &str| {
        chunks.iter().find(|chunk| chunk.content.contains(needle)).unwrap().heading.clone().unwrap()
    };
    assert_eq!(heading_of("25 days"), "Handbook > Leave");
    assert_eq!(heading_of("before nine"), "Handbook > Leave > Sick leave");
    assert_eq!(heading_of("Three days"), "Handbook > Remote work");
}

#[test]
fn a_span_is_exactly_the_content() {
    for (markup, overlap) in
        [(Markup::Plain, 0), (Markup::Plain, 3), (Markup::Markdown, 0), (Markup::Markdown, 3)]
    {
        for chunk in split_words(HANDBOOK, markup, 10, overlap) {
            let at_span: String = HANDBOOK.chars().skip(chunk.span.start).take(chunk.span.len()).collect();
            assert_eq!(at_span, chunk.content);
        }
    }
}

#[test]
fn chunks_cover_the_text_and_respect_the_size() {
    let text = HANDBOOK.repeat(20);
    for markup in [Markup::Plain, Markup::Markdown] {
        let chunks = split_words(&text, markup, 15, 4);
        let mut covered = vec![false; text.chars().count()];
        for chunk in &chunks {
            assert!(chunk.tokens <= 15);
            assert_eq!(chunk.tokens, words(&chunk.content).len());
            covered[chunk.span.clone()].fill(true);
        }
        let lost: String = text.chars().zip(covered).filter(|(_, kept)| !kept).map(|(c, _)| c).collect();
        assert_eq!(lost.trim(), "");
    }
}

#[test]
fn a_text_of_many_windows_is_split_like_any_other() {
    let section =
        |i| format!("# Part {i}\n\nÜber the matter of part {i} {}\n\n", "there is much to say. ".repeat(90));
    let text: String = (0..60).map(section).collect();
    assert!(text.len() > 3 * WINDOW);
    let chunks = split_words(&text, Markup::Markdown, 50, 5);
    let characters: Vec<char> = text.chars().collect();
    let mut covered = vec![false; characters.len()];
    for chunk in &chunks {
        assert_eq!(String::from_iter(&characters[chunk.span.clone()]), chunk.content);
        covered[chunk.span.clone()].fill(true);
        if let Some(part) = chunk.content.strip_prefix("# Part ") {
            let number: String = part.chars().take_while(char::is_ascii_digit).collect();
            assert_eq!(chunk.heading.as_deref(), Some(&*format!("Part {number}")));
        }
    }
    let lost = characters.iter().zip(covered).filter(|(c, kept)| !kept && !c.is_whitespace()).count();
    assert_eq!(lost, 0);
}

#[test]
fn a_huge_word_is_split_into_many_chunks() {
    let text = "x".repeat(100_000);
    for markup in [Markup::Plain, Markup::Markdown] {
        let chunks = split_words(&text, markup, 10, 0);
        assert!(chunks.iter().all(|chunk| chunk.span.len() <= 11 * CHARACTERS_PER_TOKEN));
        assert_eq!(chunks.iter().map(|chunk| chunk.span.len()).sum::<usize>(), text.len());
    }
}

#[test]
fn windows_cover_the_text_and_end_at_good_boundaries() {
    let text = "one two\n\nthree\n# four\nfive";
    let cuts = |max| windows(text, max).map(|w| &text[w]).collect::<Vec<_>>();
    assert_eq!(cuts(100), [text]);
    assert_eq!(cuts(18), ["one two\n\nthree\n", "# four\nfive"]);
    assert_eq!(cuts(12), ["one two\n\n", "three\n", "# four\nfive"]);
    assert_eq!(windows("ééé", 3).count(), 3);
    assert_eq!(windows("", 3).count(), 0);
}

#[test]
fn long_runs_of_white_space_are_skipped() {
    let text = format!("one{}two {}", " \n".repeat(50_000), "\n".repeat(50_000));
    for markup in [Markup::Plain, Markup::Markdown] {
        let chunks = split_words(&text, markup, 200, 30);
        let seen: Vec<_> = chunks.iter().map(|chunk| (chunk.content.as_str(), chunk.span.clone())).collect();
        assert_eq!(seen, [("one", 0..3), ("two", 100_003..100_006)]);
    }
}

#[test]
fn splitting_stops_when_cancelled() {
    let outcome = split(&whole(HANDBOOK, Markup::Plain), Sizing { tokens: 5, overlap: 0 }, &words, &|| true);
    assert!(matches!(outcome, Err(Error::Cancelled)));
}

#[test]
fn an_overlap_as_large_as_a_chunk_is_rejected() {
    let outcome = split(&whole(HANDBOOK, Markup::Plain), Sizing { tokens: 5, overlap: 5 }, &words, &|| false);
    assert!(matches!(outcome, Err(Error::Internal { .. })));
}

fn pages(starts: &[(i32, usize)]) -> Vec<PageStart> {
    starts.iter().map(|&(number, start)| PageStart { number, start, markup: None }).collect()
}

#[test]
fn a_chunk_has_the_page_of_its_start() {
    let text = Text {
        pages: pages(&[(1, 0), (2, 12), (3, 24)]),
        ..whole("Ä one two\n\n three four\n\n five six", Markup::Plain)
    };
    let chunks = split(&text, Sizing { tokens: 3, overlap: 0 }, &words, &|| false).unwrap();
    let seen: Vec<_> = chunks.iter().map(|chunk| (chunk.content.as_str(), chunk.page)).collect();
    assert_eq!(seen, [("Ä one two", Some(1)), ("three four", Some(2)), ("five six", Some(3))]);
}

#[test]
fn no_chunk_spans_independent_pages() {
    let text = Text {
        pages: pages(&[(2, 0), (5, 9)]),
        apart: true,
        ..whole("# Ö\n\none\nanother two", Markup::Markdown)
    };
    let chunks = split(&text, Sizing { tokens: 50, overlap: 0 }, &words, &|| false).unwrap();
    let characters: Vec<char> = text.text.chars().collect();
    let seen: Vec<_> =
        chunks.iter().map(|chunk| (String::from_iter(&characters[chunk.span.clone()]), chunk.page)).collect();
    assert_eq!(seen, [("# Ö\n\none".to_owned(), Some(2)), ("another two".to_owned(), Some(5))]);
    assert_eq!(chunks[1].heading, None, "the headings of one page say nothing about another");
}

#[test]
fn a_page_of_records_is_split_as_records() {
    let records = "Name: one\nPrice: 1\n\nName: two\nPrice: 2\n\nName: three\nPrice: 3";
    let mut text = Text { apart: true, ..whole(&format!("# Words\n\nwords\n\n{records}"), Markup::Markdown) };
    text.pages = pages(&[(1, 0), (2, 16)]);
    text.pages[1].markup = Some(Markup::Records);
    let chunks = split(&text, Sizing { tokens: 5, overlap: 1 }, &words, &|| false).unwrap();
    let seen: Vec<_> = chunks.iter().skip(1).map(|chunk| (chunk.content.as_str(), chunk.page)).collect();
    assert_eq!(seen, records.split("\n\n").map(|record| (record, Some(2))).collect::<Vec<_>>());
}

#[test]
fn records_are_never_split_or_lost() {
    let record = |i: usize| format!("Name: Größe {i}\nPrice: {i} euros and {} more", i % 7);
    let text = (0..100).map(record).collect::<Vec<_>>().join("\n\n");
    let chunks = split_words(&text, Markup::Records, 40, 5);
    let joined = chunks.iter().map(|chunk| chunk.content.as_str()).collect::<Vec<_>>().join("\n\n");
    assert_eq!(joined, text);
    assert!(chunks.iter().all(|chunk| chunk.tokens <= 40));
    let characters: Vec<char> = text.chars().collect();
    for chunk in &chunks {
        assert_eq!(String::from_iter(&characters[chunk.span.clone()]), chunk.content);
    }
}

#[test]
fn records_of_long_words_respect_the_character_limit() {
    let text = format!("{}\n\n", "x".repeat(31)).repeat(100);
    for chunk in split_words(&text, Markup::Records, 20, 0) {
        assert!(chunk.content.chars().count() / 16 <= 20, "{} characters", chunk.content.len());
    }
}

#[test]
fn a_large_record_is_kept_whole_if_it_fits_the_model() {
    let large = format!("Text: {}", "word ".repeat(300).trim_end());
    let chunks = split_words(&format!("A: 1\n\n{large}\n\nB: 2"), Markup::Records, 40, 0);
    assert_eq!(chunks.iter().map(|c| c.content.as_str()).collect::<Vec<_>>(), ["A: 1", &large, "B: 2"]);
    let huge = format!("Text: {}", "word ".repeat(1000));
    assert!(split_words(&huge, Markup::Records, 40, 0).iter().all(|chunk| chunk.tokens <= 40));
}
