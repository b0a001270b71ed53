//! The real embedding model under concurrent jobs and questions.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use parlance_core::Error;
use parlance_core::calibration::Calibration;
use parlance_core::ids::TenantId;
use parlance_core::platform::fair_queue::Caller;
use parlance_testing::{english_embedder, real_embedder};
use tokio_util::sync::CancellationToken;

/// A tenant's request.
fn caller() -> Caller {
    Caller::interactive(TenantId::fresh())
}

fn texts(count: usize) -> Vec<String> {
    // Mixed lengths, so that completion order differs from start order.
    let text =
        |i: usize| format!("Matter {i} is answered so. ").repeat(if i.is_multiple_of(3) { 12 } else { 1 });
    (0..count).map(text).collect()
}

#[tokio::test]
async fn batching_changes_neither_vectors_nor_order() {
    let embedder = real_embedder().await;
    let reports: Arc<Mutex<Vec<usize>>> = Arc::default();
    let on_progress = {
        let reports = Arc::clone(&reports);
        Arc::new(move |count| reports.lock().unwrap().push(count))
    };
    let vectors = embedder
        .embed_passages(Caller::system(), texts(9), on_progress, CancellationToken::new())
        .await
        .unwrap();
    for (text, vector) in texts(9).into_iter().zip(&vectors) {
        assert_eq!(&embedder.embed_sentences(caller(), vec![text]).await.unwrap()[0], vector);
    }
    let mut reports = reports.lock().unwrap().clone();
    reports.sort_unstable();
    assert_eq!(reports, (1..=9).collect::<Vec<_>>());
}

#[tokio::test]
async fn sentences_embed_like_passages_and_queries_do_not() {
    let embedder = real_embedder().await;
    let ignore_progress = Arc::new(|_| ());
    let vectors = embedder
        .embed_passages(Caller::system(), texts(5), ignore_progress, CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(embedder.embed_sentences(caller(), texts(5)).await.unwrap(), vectors);
    let question = embedder.embed_query(caller(), texts(1).remove(0)).await.unwrap();
    let cosine: f32 = question.iter().zip(&vectors[0]).map(|(a, b)| a * b).sum();
    assert!(cosine > 0.8 && question != vectors[0], "{cosine}");
}

#[tokio::test]
async fn a_question_does_not_wait_for_passages() {
    let embedder = real_embedder().await;
    let embedded = Arc::new(AtomicUsize::new(0));
    let on_progress = {
        let embedded = Arc::clone(&embedded);
        Arc::new(move |count| embedded.store(count, Ordering::SeqCst))
    };
    let (passages, stop) = (400, CancellationToken::new());
    let batch = tokio::spawn({
        let (embedder, stop) = (Arc::clone(&embedder), stop.clone());
        async move { embedder.embed_passages(Caller::system(), texts(passages), on_progress, stop).await }
    });
    while embedded.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    embedder.embed_query(caller(), "Who is told what?".to_owned()).await.unwrap();
    let meanwhile = embedded.load(Ordering::SeqCst);
    assert!(meanwhile < passages / 2, "{meanwhile} passages were embedded before the question");

    // Cancellation does not wait for them either.
    stop.cancel();
    assert!(matches!(batch.await.unwrap(), Err(Error::Cancelled)));
    assert!(embedded.load(Ordering::SeqCst) < passages);
}

#[tokio::test]
async fn an_abandoned_batch_makes_room_for_the_next() {
    let embedder = real_embedder().await;
    let ignore_progress = || Arc::new(|_| ());
    let abandoned =
        embedder.embed_passages(Caller::system(), texts(400), ignore_progress(), CancellationToken::new());
    let a_moment = std::time::Duration::from_millis(50);
    assert!(tokio::time::timeout(a_moment, abandoned).await.is_err());
    let waits = CancellationToken::new();
    let next = embedder.embed_passages(Caller::system(), texts(2), ignore_progress(), waits).await.unwrap();
    assert_eq!(next.len(), 2);
}

#[tokio::test]
async fn embedded_calibrations_match_measurements() {
    for (embedder, language) in [(real_embedder().await, None), (english_embedder().await, Some("en"))] {
        let measured = Calibration::measure(&*embedder, language).await.unwrap();
        let embedded = Calibration::embedded(embedder.id()).unwrap();
        let differ = |a: f32, b: f32| (a - b).abs() > 0.005;
        assert!(
            !differ(measured.unrelated, embedded.unrelated) && !differ(measured.related, embedded.related),
            "{}: {measured:?}",
            embedder.id()
        );
    }
}
