//! Per-process cache of API-key lookups, for seconds.
//!
//! Used only while the bus delivers invalidations of revoked keys.

use super::Caller;
use crate::context::Context;

pub(super) fn find(ctx: &Context, hash: &[u8]) -> Option<Caller> {
    ctx.bus().get(&name(hash)).and_then(|entry| serde_json::from_str(&entry).ok())
}

/// Caches a lookup, unless the entry was invalidated after `asked`.
pub(super) fn keep(ctx: &Context, hash: &[u8], caller: &Caller, asked: u64) {
    if let Ok(entry) = serde_json::to_string(caller) {
        ctx.bus().keep(&name(hash), &entry, asked);
    }
}

/// Invalidates the lookups of these keys in all processes.
pub(super) async fn forget(ctx: &Context, hashes: &[Vec<u8>]) {
    for hash in hashes {
        ctx.bus().forget(&name(hash)).await;
    }
}

fn name(hash: &[u8]) -> String {
    format!("key.{}", hex::encode(hash))
}
