use crate::conversations::*;
use sha2::Digest;
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

#[test]
#[ignore]
fn heavy() {
    let mb10 = "word and more ".repeat(750_000);
    time("sha256 10 MB", || sha2::Sha256::digest(mb10.as_bytes()));
    time("is_blank 10 MB spaces", {
        let blank = " ".repeat(10_000_000);
        move || crate::is_blank(&blank)
    });
    time("nul 10 MB", || mb10.contains('\0'));
    time("json 10 MB to_vec", || serde_json::to_vec(&mb10).unwrap());
    let json = serde_json::to_vec(&mb10).unwrap();
    time("json 10 MB parse", || serde_json::from_slice::<String>(&json).unwrap());
    let quotes = "\"\\\n".repeat(3_000_000);
    time("json 9 MB escapes to_vec", || serde_json::to_vec(&quotes).unwrap());
    // 512 distinct words
    let distinct = |n: usize, len: u32| {
        (0..n)
            .map(|i| {
                let mut s = String::new();
                let mut x = i as u32 + 26u32.pow(len - 1);
                while x > 0 {
                    s.push((b'a' + (x % 26) as u8) as char);
                    x /= 26;
                }
                s
            })
            .collect::<Vec<_>>()
            .join(" ")
    };
    let question = distinct(2_000, 3);
    let question: String = question.chars().take(8_000).collect();
    let cut = crate::knowledge::search::window(&question).to_owned();
    time("window 8000", || crate::knowledge::search::window(&question).len());
    time("language 8000", || crate::words::language(&question));
    time("content_words 8000", || crate::words::content_words(&question, crate::language::Language::English));
    time("content_words cut", || crate::words::content_words(&cut, crate::language::Language::English));
    let passage = |i: usize| {
        let text: String =
            (0..1500).map(|w| format!("w{}{} ", w * 7 + i, if w % 12 == 11 { "." } else { "" })).collect();
        text.chars().take(7_600).collect::<String>()
    };
    let normal = |i: usize| {
        "You can return a pair of boots within 30 days of delivery, if they were not worn outside. "
            .repeat(20)
            .chars()
            .skip(i)
            .take(1_500)
            .collect::<String>()
    };
    let same = |_: usize| distinct(2_000, 3).chars().take(7_600).collect::<String>();
    let dots = |i: usize| format!("{i} a b. ").repeat(1_000).chars().take(7_600).collect::<String>();
    let list = |i: usize| {
        (0..600).map(|n| format!("- it{n}{i}\n")).collect::<String>().chars().take(7_600).collect::<String>()
    };
    let table = |i: usize| {
        "|a|b|c|d|\n|-|-|-|-|\n".to_owned()
            + &(0..600)
                .map(|n| format!("|{n}|{i}|x|y|\n"))
                .collect::<String>()
                .chars()
                .take(7_500)
                .collect::<String>()
    };
    let kinds: Vec<(&str, Vec<String>)> = vec![
        ("normal 1,500 chars", (0..5).map(normal).collect()),
        ("words 7,600 chars", (0..5).map(passage).collect()),
        ("words of the question", (0..5).map(same).collect()),
        ("short sentences", (0..5).map(dots).collect()),
        ("list", (0..5).map(list).collect()),
        ("table", (0..5).map(table).collect()),
    ];
    probe(&question, &cut, &kinds);
    time("bpe 8000", || bpe_openai::o200k_base().count(&question));
    time("bpe 20000 normal", || bpe_openai::o200k_base().count(&normal(0).repeat(14)));
    time("bpe 8000 x", || bpe_openai::o200k_base().count(&"x".repeat(8_000)));
    time("bpe 8000 emoji", || bpe_openai::o200k_base().count(&"🙂".repeat(8_000)));
}
