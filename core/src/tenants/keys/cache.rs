//! Per-process cache of API-key lookups, used while the bus delivers invalidations.

use super::Caller;
use crate::context::Context;

pub(super) fn find(ctx: &Context, hash: &[u8]) -> Option<Caller> {
    ctx.bus().get(&name(hash)).and_then(|entry| serde_json::from_str(&entry).ok())
}

/// Caches the caller of a key. It must have been read after taking `generation`.
pub(super) fn keep(ctx: &Context, hash: &[u8], caller: &Caller, generation: u64) {
    if let Ok(entry) = serde_json::to_string(caller) {
        ctx.bus().keep(&name(hash), &entry, generation);
    }
}

/// Invalidates the cached callers of these keys.
pub(super) async fn forget(ctx: &Context, hashes: &[Vec<u8>]) {
    for hash in hashes {
        ctx.bus().invalidate(&name(hash)).await;
    }
}

fn name(hash: &[u8]) -> String {
    format!("key.{}", hex::encode(hash))
}
