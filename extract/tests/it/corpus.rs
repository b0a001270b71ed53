//! Extracts every file of the corpus, each in its own child process.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use parlance_extract::corpus::{Expect, Sample, hostile, valid};
use parlance_extract::protocol::{MAX_TEXT_BYTES, REPLY_TIMEOUT, Request, Verdict};

use crate::child::{ChildRun, extract};

/// Number of concurrent children: the CPU count of the smallest machine, so that none waits for another.
const CHILDREN: usize = 2;

#[test]
fn valid_files_are_extracted_completely() {
    run(valid());
}

#[test]
fn hostile_files_end_in_time_with_a_verdict() {
    let samples = hostile();
    assert!(samples.len() >= 40);
    for sample in &samples {
        assert!(sample.bytes.len() <= 11 << 20, "{} is {} bytes", sample.name, sample.bytes.len());
    }
    run(samples);
}

fn run(samples: Vec<Sample>) {
    let queue = Mutex::new(samples.into_iter());
    let report = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..CHILDREN {
            scope.spawn(|| {
                loop {
                    let Some(sample) = queue.lock().unwrap().next() else { break };
                    let request = Request { name: Some(sample.name.clone()), ..Request::default() };
                    let ended = extract(&request, &sample.bytes);
                    let wrong = check(&sample, &ended);
                    report.lock().unwrap().push((ended.took, line(&sample, &ended), wrong));
                }
            });
        }
    });
    let mut report = report.into_inner().unwrap();
    report.sort_by_key(|(took, ..)| *took);
    let mut failures = String::new();
    for (_, line, wrong) in report {
        eprintln!("{line}");
        if let Some(wrong) = wrong {
            writeln!(failures, "{line}\n    {wrong}").unwrap();
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

fn line(sample: &Sample, ended: &ChildRun) -> String {
    let outcome = match &ended.reply {
        Ok(document) => {
            format!("{} ({} bytes) {:?}", document.format.as_str(), document.text.len(), document.notes)
        }
        Err(rejection) => rejection.to_string(),
    };
    let seconds = ended.took.as_secs_f64();
    format!(
        "{:28} {:>9} bytes {seconds:7.3} s {:5} MiB  {outcome}",
        sample.name,
        sample.bytes.len(),
        ended.resident >> 10
    )
}

fn check(sample: &Sample, ended: &ChildRun) -> Option<String> {
    if ended.took > REPLY_TIMEOUT + Duration::from_secs(1) {
        return Some("took too long".to_owned());
    }
    if let Ok(document) = &ended.reply {
        let bad = |c: char| c.is_control() && c != '\n' && c != '\t';
        if document.text.len() > MAX_TEXT_BYTES
            || document.text.contains(bad)
            || document.text.trim().is_empty()
        {
            return Some("text that cannot be stored".to_owned());
        }
        if document.pages.iter().any(|page| *page > document.text.chars().count())
            || !document.pages.is_sorted()
        {
            return Some(format!("pages out of place: {:?}", document.pages));
        }
    }
    match (&sample.expect, &ended.reply) {
        (Expect::Anything, _) => None,
        (Expect::Verdict(verdicts), Err(rejection)) if verdicts.contains(&rejection.verdict) => None,
        (Expect::Verdict(verdicts), _) => Some(format!("expected one of {verdicts:?}")),
        (Expect::Text(_), Err(_)) => Some("expected text".to_owned()),
        (Expect::Text(phrases), Ok(document)) => missing(&document.text, phrases),
    }
}

/// Reports the first phrase that is missing or out of order.
fn missing(text: &str, phrases: &[&str]) -> Option<String> {
    let mut rest = text;
    for phrase in phrases {
        match rest.split_once(phrase) {
            Some((_, after)) => rest = after,
            None => return Some(format!("{phrase:?} is missing, or not in its place, in {text:?}")),
        }
    }
    None
}

#[test]
fn the_corpus_covers_every_verdict_except_timeout() {
    let expected: Vec<Verdict> = hostile()
        .into_iter()
        .filter_map(|sample| match sample.expect {
            Expect::Verdict([verdict]) => Some(*verdict),
            _ => None,
        })
        .collect();
    for verdict in [
        Verdict::Empty,
        Verdict::Encrypted,
        Verdict::ScannedNoText,
        Verdict::GarbledText,
        Verdict::Corrupt,
        Verdict::TooLarge,
        Verdict::TooComplex,
        Verdict::UnsupportedType,
    ] {
        assert!(expected.contains(&verdict), "{verdict:?}");
    }
}
