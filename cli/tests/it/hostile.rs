//! Files made to hurt, through a fleet: each ends with its text or with a verdict; the worker stays alive and
//! small, and another tenant's file does not wait for them.

use std::time::{Duration, Instant};

use parlance_extract::file_types::upload_type;
use parlance_testing::Client;
use parlance_testing::corpus::{self, Expect};
use serde_json::Value;

use crate::fleet::{Fleet, bot};
use crate::process::alone;

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_file_ends_with_a_verdict_and_no_worker_notices() {
    let _alone = alone().await;
    let fleet = Fleet::prepare().await;
    let (http, other) = (fleet.tenant("Hostile"), fleet.tenant("Honest"));
    let _api = fleet.start_api().await;
    let mut worker = fleet.start(&["worker", "--queues", "upload,chunk"]);
    let hostile_bot = bot(&http).await;
    let mut sources = Vec::new();
    for sample in corpus::hostile() {
        if upload_type(&sample.name).is_some() {
            let answer = http.upload(&hostile_bot, &sample.name, sample.bytes).await;
            sources.push((
                sample.name,
                answer.body["data"]["id"].as_str().unwrap().to_owned(),
                sample.expect,
            ));
        }
    }
    assert!(sources.len() >= 40, "{} hostile files", sources.len());
    let begun = Instant::now();
    let honest = other.upload(&bot(&other).await, "a.txt", "We open at nine.").await.id();
    assert_eq!(read(&other, &honest).await["state"], "succeeded");
    eprintln!("an honest file was read after {:?}", begun.elapsed());
    let waiting =
        http.get("/jobs?kind=upload&state=queued").await.body["pagination"]["total"].as_u64().unwrap();
    assert!(waiting > sources.len() as u64 / 2, "it waited: {waiting} hostile files were before it");
    let (mut dead, mut slowest) = (0, Duration::ZERO);
    for (name, source, expect) in &sources {
        let job = read(&http, source).await;
        let code = job["error"]["code"].as_str();
        match expect {
            Expect::Text(_) => assert_eq!((&job["state"], code), (&"succeeded".into(), None), "{name}"),
            Expect::Verdict(verdicts) => {
                let known = verdicts.iter().any(|verdict| code == Some(verdict.as_str()));
                assert!(known && job["state"] == "failed", "{name}: {code:?}, not {verdicts:?}");
            }
            Expect::Anything => {}
        }
        dead += usize::from(matches!(code, Some("too_complex" | "timeout")));
        assert_eq!(job["attempt"], 1, "{name}: a verdict is final");
        let ran = Duration::from_millis(job["timings_ms"]["ran"].as_u64().unwrap());
        slowest = slowest.max(ran);
    }
    assert!(slowest <= Duration::from_secs(40), "{slowest:?}");
    let (now, most) = (worker.resident_mib("VmRSS"), worker.resident_mib("VmHWM"));
    eprintln!(
        "{} hostile files, {dead} by the death of a child, the slowest in {slowest:?}; the worker holds {now} \
         MiB, {most} at most",
        sources.len()
    );
    assert!(!worker.has_ended(), "the worker noticed");
    // Two files of ten megabytes at once, with all of their text, and room for the allocator.
    assert!(most <= 400, "the worker grew to {most} MiB");
    assert!(worker.terminate().success());
    fleet.servers.stop().await.unwrap();
}

/// The job that reads a source, once it ended: each of many children may take its thirty seconds.
async fn read(http: &Client, source: &str) -> Value {
    loop {
        let jobs = http.get(&format!("/jobs?kind=upload&source_id={source}")).await;
        let job = &jobs.data(200)[0];
        if matches!(job["state"].as_str(), Some("succeeded" | "failed" | "cancelled")) {
            return job.clone();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
