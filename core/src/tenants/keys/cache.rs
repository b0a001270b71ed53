//! Who a key belongs to, on the bus, for seconds.
//!
//! A key that stops counting leaves a mark that outlives every entry that was read before and is written
//! late: no process takes it for good again. Without Redis there is no cache, and every request asks the
//! database.

use std::time::Duration;

use super::Caller;
use crate::context::Context;

/// How long an entry is believed.
const TTL: Duration = Duration::from_secs(30);

/// How long a key that stopped counting is remembered: longer than a look at the database takes, plus
/// [`TTL`].
const SHUT_TTL: Duration = Duration::from_secs(60);

/// What stands in the place of a caller.
const SHUT: &str = "shut";

/// What the cache knows of a key.
pub(super) enum Found {
    Caller(Caller),
    /// It opens nothing.
    Shut,
    Nothing,
}

pub(super) async fn find(ctx: &Context, hash: &[u8]) -> Found {
    match ctx.bus().get(&name(hash)).await {
        Some(entry) if entry == SHUT => Found::Shut,
        Some(entry) => serde_json::from_str(&entry).map_or(Found::Nothing, Found::Caller),
        None => Found::Nothing,
    }
}

/// Keeps who the key was found to belong to since `asked`.
pub(super) async fn keep(ctx: &Context, hash: &[u8], caller: &Caller, asked: u64) {
    if let Ok(entry) = serde_json::to_string(caller) {
        ctx.bus().put_if_absent(&name(hash), &entry, TTL, asked).await;
    }
}

/// These keys open nothing any more.
pub(super) async fn shut(ctx: &Context, hashes: &[Vec<u8>]) {
    for hash in hashes {
        ctx.bus().put(&name(hash), SHUT, SHUT_TTL).await;
    }
}

/// Something about these keys changed.
pub(super) async fn forget(ctx: &Context, hashes: &[Vec<u8>]) {
    for hash in hashes {
        ctx.bus().forget(&name(hash)).await;
    }
}

fn name(hash: &[u8]) -> String {
    format!("key.{}", hex::encode(hash))
}
