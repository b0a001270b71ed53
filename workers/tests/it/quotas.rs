//! Quotas of a plan in jobs: stored bytes, embedded tokens, and removal of failed versions.

use parlance_core::bots;
use parlance_core::jobs::{self, Kind};
use parlance_core::knowledge::crawl::PageState;
use parlance_core::knowledge::{self, File, Original, SourceChanges, Status, failed_files, uncounted};
use parlance_core::tenants::{self, Plan, Usage};
use parlance_testing::{Builder, Site, TestApp, TestEmbedder};

use crate::crawl::{add, article, pages, source};
use crate::{paragraphs, upload};

async fn start_app(embedder: &TestEmbedder) -> TestApp {
    Builder::default()
        .embedder(embedder.clone())
        .configure(|config| config.scrape.allow_networks = vec!["127.0.0.0/8".parse().unwrap()])
        .start()
        .await
}

async fn usage(app: &TestApp) -> Usage {
    tenants::usage(&app.ctx, app.tenant).await.unwrap()
}

/// Runs the waiting jobs of every queue until none is left.
async fn run_jobs(app: &TestApp) {
    for kind in Kind::ALL {
        while app.step(kind).await.is_some() {}
    }
}

/// Asserts that the counters of tenant and bots equal the sums over their rows.
async fn assert_exact(app: &TestApp) {
    let bytes = "(select coalesce(sum(case when blob_key is null then 0 else coalesce(original_bytes, 0) end \
                     + coalesce(octet_length(content), 0)), 0) from source_version where source_id = source.id) \
                 + (select coalesce(sum(octet_length(content)), 0) from source_page where source_id = source.id)";
    for (wrong, query) in [
        ("sources", format!("select count(*) from source where stored_bytes is distinct from {bytes}")),
        (
            "bots",
            "select count(*) from bot where (source_count, stored_bytes) <> \
             (select count(*), coalesce(sum(stored_bytes), 0)::bigint from source \
                 where bot_id = bot.id and source.deleted_at is null)"
                .to_owned(),
        ),
        (
            "tenants",
            "select count(*) from tenant where (source_count, stored_bytes) <> \
             (select coalesce(sum(source_count), 0)::bigint, coalesce(sum(stored_bytes), 0)::bigint from bot \
                 where tenant_id = tenant.id and bot.deleted_at is null)"
                .to_owned(),
        ),
    ] {
        assert_eq!(app.count_of(&query).await, 0, "{wrong} with wrong counters");
    }
}

/// Fills the tenant's storage up to this many bytes below the limit of the plan `free`.
async fn leave_room(app: &TestApp, bytes: i64) {
    tenants::set_plan(&app.ctx, app.tenant, Plan::Free).await.unwrap();
    app.execute(&format!("update tenant set stored_bytes = {}", (100 << 20) - bytes)).await;
}

/// Pseudo-random numbers (Knuth's MMIX generator).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

#[tokio::test]
async fn counters_are_exact_after_any_sequence() {
    let embedder = TestEmbedder::default();
    let (app, site) = (start_app(&embedder).await, Site::start().await);
    site.set("/", article("the root", "<a href='/a'>a</a>")).set("/a", article("apples", ""));
    let mut bots = vec![app.create_bot(app.tenant).await, app.create_bot(app.tenant).await];
    let mut sources = Vec::new();
    let mut random = Random(17);
    let noise: Vec<u8> = (0..500_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for step in 0..120 {
        let bot = bots[random.below(bots.len())];
        let any = (!sources.is_empty()).then(|| sources[random.below(sources.len().max(1))]);
        match (random.below(12), any) {
            (0..=2, _) | (_, None) => {
                let text = paragraphs(1 + random.below(40)) + &step.to_string();
                sources.push(upload(&app, app.tenant, bot, "a.txt", &text).await);
            }
            (3, _) => {
                let bytes = [noise.clone(), vec![step]].concat().into();
                let file = File { name: "noise.md".to_owned(), bytes };
                let failing = knowledge::upload(&app.ctx, app.tenant, bot, file).await.unwrap();
                sources.push(failing.source.id);
            }
            (4, Some(source)) => {
                let bytes = paragraphs(1 + random.below(9)).into_bytes().into();
                let original = Original::of_file(File { name: format!("{step}.txt"), bytes }).ok();
                let changes = SourceChanges { name: None, original };
                let _same_content_or_a_web_site =
                    knowledge::update(&app.ctx, app.tenant, source, changes).await;
            }
            (5, Some(source)) => {
                knowledge::delete(&app.ctx, app.tenant, source).await.unwrap();
                sources.retain(|other| *other != source);
            }
            (6, _) => sources.push(add(&app, bot, &format!("{}/?{step}", site.url), Some(3)).await),
            (7, Some(source)) => {
                let _not_a_web_site = knowledge::refresh(&app.ctx, app.tenant, source).await;
            }
            (8, Some(source)) => {
                let job = knowledge::get_source(&app.ctx, app.tenant, source).await.unwrap().job_id.unwrap();
                let _ended = knowledge::cancel_job(&app.ctx, app.tenant, job).await;
            }
            (9, Some(source)) => {
                let job = knowledge::get_source(&app.ctx, app.tenant, source).await.unwrap().job_id.unwrap();
                let _succeeded = knowledge::retry_job(&app.ctx, app.tenant, job).await;
            }
            (10, _) if step % 3 == 0 => {
                let gone = bots.swap_remove(random.below(bots.len()));
                bots::delete(&app.ctx, app.tenant, gone).await.unwrap();
                bots.push(app.create_bot(app.tenant).await);
                for source in std::mem::take(&mut sources) {
                    if knowledge::get_source(&app.ctx, app.tenant, source).await.is_ok() {
                        sources.push(source);
                    }
                }
            }
            _ => {
                app.execute("update source set updated_at = now() - interval '2 days'").await;
                while failed_files::remove(&app.ctx).await.unwrap() > 0 {}
            }
        }
        // Some jobs run, in the order of the pipeline.
        for kind in Kind::ALL {
            if random.below(2) == 0 {
                app.step(kind).await;
            }
        }
        if step % 20 == 19 {
            assert_exact(&app).await;
        }
    }
    run_jobs(&app).await;
    assert_exact(&app).await;
    assert!(usage(&app).await.sources > 0);
    for bot in bots {
        bots::delete(&app.ctx, app.tenant, bot).await.unwrap();
    }
    run_jobs(&app).await;
    let usage = usage(&app).await;
    assert_eq!((usage.sources, usage.storage_bytes, app.stored_files()), (0, 0, 0));
    assert_eq!(app.count_of("select count(*) from source").await, 0);
    app.end().await;
}

#[tokio::test]
async fn files_of_failed_sources_are_removed_after_a_day() {
    let app = start_app(&TestEmbedder::default()).await;
    let bot = app.create_bot(app.tenant).await;
    let (live, failed) = (
        upload(&app, app.tenant, bot, "live.txt", "It is live.").await,
        upload(&app, app.tenant, bot, "empty.txt", " ").await,
    );
    run_jobs(&app).await;
    let file = File { name: "new.txt".to_owned(), bytes: "  ".into() };
    let original = Some(Original::of_file(file).unwrap());
    knowledge::update(&app.ctx, app.tenant, live, SourceChanges { name: None, original }).await.unwrap();
    run_jobs(&app).await;
    for id in [live, failed] {
        assert_eq!(source(&app, id).await.error_code.as_deref(), Some("empty"));
    }
    assert_eq!(failed_files::remove(&app.ctx).await.unwrap(), 0, "they are kept for a day");
    assert_eq!((usage(&app).await.storage_bytes, app.stored_files()), (2 * 11 + 2 + 1, 3));
    app.execute("update source set updated_at = now() - interval '25 hours'").await;
    assert_eq!(failed_files::remove(&app.ctx).await.unwrap(), 2);
    assert_eq!(failed_files::remove(&app.ctx).await.unwrap(), 0);
    let counted = usage(&app).await;
    assert_eq!((counted.sources, counted.storage_bytes, app.stored_files()), (2, 2 * 11, 1));
    assert_exact(&app).await;
    assert_eq!(
        knowledge::get(&app.ctx, app.tenant, live).await.unwrap().content.as_deref(),
        Some("It is live.")
    );
    let download = app.http.get(&format!("/knowledge/sources/{failed}/file")).await;
    assert_eq!(download.error(404), "file_removed");
    let failed = source(&app, failed).await;
    assert!(failed.notes.iter().any(|note| note.contains("removed")), "{:?}", failed.notes);
    let retried =
        app.http.post(&format!("/jobs/{}/retry", failed.job_id.unwrap()), serde_json::json!({})).await;
    assert_eq!(retried.error(409), "file_removed");
    app.end().await;
}

#[tokio::test]
async fn with_zero_hours_failed_files_are_kept() {
    let builder = Builder::default().embedder(TestEmbedder::default());
    let app = builder.configure(|config| config.storage.failed_kept = None).start().await;
    let bot = app.create_bot(app.tenant).await;
    upload(&app, app.tenant, bot, "empty.txt", " ").await;
    run_jobs(&app).await;
    app.execute("update source set updated_at = now() - interval '9 years'").await;
    assert_eq!((failed_files::remove(&app.ctx).await.unwrap(), app.stored_files()), (0, 1));
    app.end().await;
}

#[tokio::test]
async fn a_text_beyond_the_storage_fails_its_source_once() {
    let app = start_app(&TestEmbedder::default()).await;
    let bot = app.create_bot(app.tenant).await;
    leave_room(&app, 15).await;
    let id = upload(&app, app.tenant, bot, "a.txt", "Ten bytes.").await;
    run_jobs(&app).await;
    let failed = source(&app, id).await;
    assert_eq!((failed.status, failed.error_code.as_deref()), (Status::Failed, Some("plan_limit_storage")));
    assert_eq!(
        failed.error_message.as_deref(),
        Some(
            "Storage limit reached for current plan. Upgrade your plan or delete knowledge sources to store more."
        )
    );
    let job = jobs::get(&app.ctx, app.tenant, failed.job_id.unwrap()).await.unwrap();
    assert_eq!(job.attempt, 1);
    app.execute("update tenant set stored_bytes = 10").await;
    knowledge::retry_job(&app.ctx, app.tenant, job.id).await.unwrap();
    run_jobs(&app).await;
    assert_eq!(source(&app, id).await.status, Status::Ready);
    app.end().await;
}

#[tokio::test]
async fn a_crawl_beyond_the_storage_keeps_what_fits() {
    let (app, site) = (start_app(&TestEmbedder::default()).await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let links: String = (0..5).map(|page| format!("<a href='/{page}'>{page}</a>")).collect();
    site.set("/", article("the root", &links));
    for page in 0..5 {
        site.set(&format!("/{page}"), article(&format!("matter {page}"), "<a href='/more'>more</a>"));
    }
    site.set("/more", article("more", ""));
    // Each page has some 180 bytes of text.
    leave_room(&app, 500).await;
    let id = add(&app, bot, &site.url, Some(10)).await;
    run_jobs(&app).await;
    let crawled = source(&app, id).await;
    assert_eq!(crawled.status, Status::Ready);
    assert!(
        crawled.notes.iter().any(|note| note.starts_with("Pages are missing. Storage limit")),
        "{crawled:?}"
    );
    let pages = pages(&app, id).await;
    let fetched = pages.iter().filter(|page| page.state == PageState::Fetched).count();
    assert!((1..5).contains(&fetched), "{pages:?}");
    assert!(
        pages[fetched..].iter().all(|page| page.reason.as_deref() == Some("plan_limit_storage")),
        "{pages:?}"
    );
    assert_eq!(site.requests().iter().filter(|path| !path.contains('.')).count(), fetched + 1);
    let used = usage(&app).await.storage_bytes;
    assert!(used <= 100 << 20, "{used}");

    leave_room(&app, 10).await;
    let full = add(&app, bot, &format!("{}/0", site.url), None).await;
    run_jobs(&app).await;
    let full = source(&app, full).await;
    assert_eq!((full.status, full.error_code.as_deref()), (Status::Failed, Some("plan_limit_storage")));
    app.end().await;
}

#[tokio::test]
async fn embedded_tokens_are_counted_once_and_limited() {
    let embedder = TestEmbedder::default();
    let app = start_app(&embedder).await;
    tenants::set_plan(&app.ctx, app.tenant, Plan::Starter).await.unwrap();
    let (bot, other) = (app.create_bot(app.tenant).await, app.create_bot(app.tenant).await);
    let tokens = "select coalesce(sum(token_count), 0) from chunk join chunk_vector on chunk_id = chunk.id";
    upload(&app, app.tenant, bot, "a.txt", &paragraphs(60)).await;
    app.step(Kind::Upload).await.unwrap();
    app.step(Kind::Chunk).await.unwrap();
    // A failed attempt counts nothing.
    embedder.fail(1);
    app.step(Kind::Embed).await.unwrap();
    assert_eq!(usage(&app).await.embedded_tokens, 0);
    app.execute("update job set not_before = now()").await;
    run_jobs(&app).await;
    let counted = usage(&app).await.embedded_tokens;
    assert!(counted > 0);
    assert_eq!(app.count_of(tokens).await, counted);
    // A copied vector is not embedded again, nor counted.
    upload(&app, app.tenant, other, "b.txt", &paragraphs(60)).await;
    run_jobs(&app).await;
    assert_eq!((app.count_of(tokens).await, usage(&app).await.embedded_tokens), (2 * counted, counted));

    let runs = embedder.runs();
    app.execute("update usage_month set embedded_tokens = 20000000 - 5").await;
    let id =
        upload(&app, app.tenant, bot, "c.txt", "This text has more tokens than five, as anybody sees.").await;
    run_jobs(&app).await;
    let failed = source(&app, id).await;
    assert_eq!(
        (failed.status, failed.error_code.as_deref()),
        (Status::Failed, Some("plan_limit_embedded_tokens"))
    );
    assert_eq!(
        (embedder.runs(), usage(&app).await.embedded_tokens),
        (runs, 20_000_000 - 5),
        "nothing is computed"
    );
    let jobs =
        format!("select coalesce(sum(attempt), 0) from job where source_id = '{id}' and state = 'failed'");
    assert_eq!(app.count_of(&jobs).await, 1, "it is not tried again");
    // Its file is kept: next month a retry succeeds.
    app.execute("update source set updated_at = now() - interval '9 days'").await;
    assert_eq!(failed_files::remove(&app.ctx).await.unwrap(), 0);
    app.execute("update usage_month set month = month - interval '1 month'").await;
    let job = app
        .count_of(&format!("select count(*) from job where source_id = '{id}' and state = 'failed'"))
        .await;
    assert_eq!(job, 1);
    let retried: uuid::Uuid =
        sqlx::query_scalar("select id from job where source_id = $1 and state = 'failed'")
            .bind(id.uuid())
            .fetch_one(app.ctx.db().platform())
            .await
            .unwrap();
    knowledge::retry_job(&app.ctx, app.tenant, retried.into()).await.unwrap();
    run_jobs(&app).await;
    assert_eq!(source(&app, id).await.status, Status::Ready);
    app.end().await;
}

#[tokio::test]
async fn concurrent_batches_never_exceed_the_token_limit() {
    let embedder = TestEmbedder::default();
    let app = start_app(&embedder).await;
    tenants::set_plan(&app.ctx, app.tenant, Plan::Free).await.unwrap();
    let bot = app.create_bot(app.tenant).await;
    for number in 0..2 {
        upload(&app, app.tenant, bot, "a.txt", &format!("Text number {number} has its own words.")).await;
        app.step(Kind::Upload).await.unwrap();
        app.step(Kind::Chunk).await.unwrap();
    }
    let tokens = app.count_of("select max(token_count)::bigint from chunk").await;
    app.execute(&format!(
        "insert into usage_month (tenant_id, month, embedded_tokens) \
         select id, date_trunc('month', now() at time zone 'utc')::date, {} from tenant",
        2_000_000 - tokens
    ))
    .await;
    // Both batches are computed before either is counted.
    embedder.hold();
    let [one, two] = app.waiting(Kind::Embed).await[..] else { panic!("two batches") };
    let release = async {
        app.eventually("both batches run", async || (embedder.runs() == 2).then_some(())).await;
        embedder.release();
    };
    let ran = tokio::join!(app.run(one), app.run(two), release);
    assert_eq!((ran.0, ran.1), (true, true));
    assert_eq!(usage(&app).await.embedded_tokens, 2_000_000);
    assert_eq!(app.count_of("select count(*) from chunk_vector").await, 1);
    assert_eq!(
        app.count_of("select count(*) from source where error_code = 'plan_limit_embedded_tokens'").await,
        1
    );
    app.end().await;
}

#[tokio::test]
async fn sources_from_before_the_quotas_are_counted() {
    let app = start_app(&TestEmbedder::default()).await;
    let bot = app.create_bot(app.tenant).await;
    for number in 0..3 {
        upload(&app, app.tenant, bot, "a.txt", &format!("Text {number}.")).await;
    }
    run_jobs(&app).await;
    let before = usage(&app).await;
    // As the migration leaves them.
    app.execute("update source_version set original_bytes = null").await;
    app.execute("update source set stored_bytes = null").await;
    assert_eq!((usage(&app).await.sources, usage(&app).await.storage_bytes), (0, 0));
    // A new version of an uncounted source changes no counter; it is counted with the source.
    let changed = upload(&app, app.tenant, bot, "b.txt", "Another.").await;
    run_jobs(&app).await;
    app.execute(&format!("update source set stored_bytes = null where id = '{changed}'")).await;
    while uncounted::count(&app.ctx).await.unwrap() > 0 {}
    let after = usage(&app).await;
    assert_eq!((after.sources, after.storage_bytes), (before.sources + 1, before.storage_bytes + 2 * 8));
    assert_exact(&app).await;
    app.end().await;
}
