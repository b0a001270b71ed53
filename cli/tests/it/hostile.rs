//! Malicious files: each yields its text or an error, the worker survives with bounded memory, and another tenant's
//! file is not delayed.

use std::time::{Duration, Instant};

use parlance_extract::file_types::upload_type;
use parlance_testing::Client;
use parlance_testing::corpus::{self, Expect};
use serde_json::Value;

use crate::fleet::{Fleet, bot};
use crate::process::exclusive;

#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_fail_alone_and_the_worker_survives() {
    let _exclusive = exclusive().await;
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
    assert_eq!(upload_job(&other, &honest).await["state"], "succeeded");
    eprintln!("the other tenant's file was extracted after {:?}", begun.elapsed());
    let waiting =
        http.get("/jobs?kind=upload&state=queued").await.body["pagination"]["total"].as_u64().unwrap();
    assert!(waiting > sources.len() as u64 / 2, "it queued behind the hostile files: {waiting} left");
    let (mut dead, mut slowest) = (0, Duration::ZERO);
    for (name, source, expect) in &sources {
        let job = upload_job(&http, source).await;
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
        assert_eq!(job["attempt"], 1, "{name}: extraction errors are final");
        let ran = Duration::from_millis(job["timings_ms"]["ran"].as_u64().unwrap());
        slowest = slowest.max(ran);
    }
    assert!(slowest <= Duration::from_secs(40), "{slowest:?}");
    let (now, most) = (worker.resident_mib("VmRSS"), worker.resident_mib("VmHWM"));
    eprintln!(
        "{} hostile files, {dead} ended by killing the child, the slowest in {slowest:?}; worker memory {now} MiB, \
         peak {most} MiB",
        sources.len()
    );
    assert!(!worker.has_ended(), "the worker ended");
    // Two 10 MB files at once, their text, and allocator overhead.
    assert!(most <= 400, "the worker grew to {most} MiB");
    assert!(worker.terminate().success());
    fleet.servers.stop().await.unwrap();
}

/// Waits for the upload job of a source. No timeout: each of many children may take its thirty seconds.
async fn upload_job(http: &Client, source: &str) -> Value {
    loop {
        let jobs = http.get(&format!("/jobs?kind=upload&source_id={source}")).await;
        let job = &jobs.data(200)[0];
        if matches!(job["state"].as_str(), Some("succeeded" | "failed" | "cancelled")) {
            return job.clone();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
