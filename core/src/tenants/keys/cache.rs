//! Who a key belongs to, in this process, for seconds: as long as the bus tells of keys that stop counting.

use super::Caller;
use crate::context::Context;

pub(super) fn find(ctx: &Context, hash: &[u8]) -> Option<Caller> {
    ctx.bus().get(&name(hash)).and_then(|entry| serde_json::from_str(&entry).ok())
}

/// Keeps who the key was found to belong to since `asked`.
pub(super) fn keep(ctx: &Context, hash: &[u8], caller: &Caller, asked: u64) {
    if let Ok(entry) = serde_json::to_string(caller) {
        ctx.bus().keep(&name(hash), &entry, asked);
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
