//! Job `chunk`: splits the text of a source version into chunks.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parlance_core::Result;
use parlance_core::knowledge::chunk::{self, Sizing};
use parlance_core::knowledge::ingest::{self, ChunkText};
use parlance_core::platform::fair_queue::Caller;

use crate::running_job::Run;

/// Time of splitting after which the place is yielded to waiting work.
const PIECE: Duration = Duration::from_millis(PIECE_MS as u64);
const PIECE_MS: usize = 20;

pub(super) async fn run(run: &Run, job: ChunkText) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let text = ingest::version_text(ctx, claim.about.tenant, &job).await?;
    let size = ctx.config().chunking;
    let size = Sizing { tokens: size.tokens, overlap: size.overlap };
    let (embedder, stop) = (Arc::clone(ctx.embedder()), run.stop().clone());
    let splitting = ctx.cpu().run(Caller::background(claim.about.tenant), PIECE_MS, move |place| {
        let (place, since) = (RefCell::new(place), Cell::new(Instant::now()));
        let tokenize = |text: &str| embedder.token_starts(text);
        let stopped = || {
            if since.get().elapsed() >= PIECE {
                place.borrow_mut().yield_if_wanted(PIECE_MS);
                since.set(Instant::now());
            }
            stop.is_cancelled()
        };
        chunk::split(&text, size, &tokenize, &stopped)
    });
    let chunks = splitting.await??;
    ingest::settle_chunked(ctx, claim, &job, chunks).await
}
