//! Requests that a client may send again: the first one runs, and what it answered is kept for a day.
//!
//! Owns the table `idempotency`. Whoever runs a request holds a claim, which expires, should its holder
//! die; those that come meanwhile wait for its answer. Answers are kept under the seal of the API key they were given to,
//! and forgotten when the tenant erases what they may quote.

use std::time::{Duration, Instant};

use std::sync::Arc;

use sha2::{Digest, Sha256};
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::tenants::keys::RawKey;

mod seal;
mod store;

use seal::Seal;

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a claim is waited for: longer than any request takes.
const LEASE: Duration = Duration::from_secs(180);

/// How long a second request waits for the first one's answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(50);

/// The longest key, in characters.
const KEY_LENGTH: usize = 255;

/// Answers that one sweep forgets at most.
const SWEEP: i64 = 1_000;

/// A client's name for a request: 1 to 255 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// Checks a client's name for a request.
    ///
    /// # Errors
    /// [`Error::Invalid`] with what is allowed.
    pub fn parse(raw: &[u8]) -> Result<Self> {
        match str::from_utf8(raw) {
            Ok(key) if (1..=KEY_LENGTH).contains(&key.len()) && key.bytes().all(|c| c.is_ascii_graphic()) => {
                Ok(Self(key.to_owned()))
            }
            _ => Err(Error::invalid(
                "Idempotency-Key",
                "The 'Idempotency-Key' header must be 1 to 255 visible ASCII characters",
            )),
        }
    }
}

/// Of what a request asks: two that ask the same have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// That of a request made of these parts.
    #[must_use]
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // A length before each, so that no two lists of parts read the same.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

/// A request that may be sent again: who sends it, under what name, what it asks, and of what.
#[derive(Clone, Copy, Debug)]
pub struct Once<'a> {
    /// Who sends it.
    pub tenant: TenantId,
    /// By which API key: only who holds it has the answer again.
    pub sender: &'a RawKey,
    /// Its name.
    pub key: &'a Key,
    /// What it asks.
    pub fingerprint: Fingerprint,
    /// The part of the API that it asks, as the first word of its path.
    pub about: &'a str,
}

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its status code.
    pub status: u16,
    /// Its body: JSON.
    pub body: String,
}

/// The right to run a request and to say what came of it.
#[derive(Clone, Debug)]
pub struct Claim {
    tenant: TenantId,
    key: Key,
    token: Uuid,
    seal: Arc<Seal>,
}

/// What is to be done with a request.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is the first: it runs.
    Run(Claim),
    /// It was answered already.
    Replay(Answered),
}

/// Whether a request is the first of its name. Waits for one that runs at this moment.
///
/// # Errors
/// [`Error::Conflict`] when the name was another request's or another API key's, or the answer is forgotten;
/// [`Error::Busy`] when the first one runs for too long.
pub async fn begin(ctx: &Context, once: &Once<'_>) -> Result<Verdict> {
    let Once { tenant, key, fingerprint, .. } = *once;
    let (begun, seal) = (Instant::now(), Arc::new(Seal::of(once.sender)?));
    loop {
        let mut db = ctx.db().of(tenant).await?;
        let token = Uuid::now_v7();
        if store::claim(&mut *db, once, token, LEASE, KEPT).await? {
            return Ok(Verdict::Run(Claim { tenant, key: key.clone(), token, seal }));
        }
        let found = store::find(&mut *db, tenant, key).await?;
        drop(db);
        match found {
            Some(kept) if kept.fingerprint != fingerprint.0 => {
                return Err(reused(
                    "The Idempotency-Key was sent with another request before; use a fresh one",
                ));
            }
            Some(store::Kept { status: Some(status), body, .. }) => {
                let sealed = body.ok_or_else(|| Error::Conflict {
                    code: "idempotency_answer_erased",
                    message: "The request was answered, and the answer was erased with what it was about"
                        .to_owned(),
                })?;
                let body = seal.open(&sealed).ok_or_else(|| {
                    reused("The Idempotency-Key was sent with another API key before; use a fresh one")
                })?;
                return Ok(Verdict::Replay(Answered { status, body }));
            }
            // It runs, or was just given up.
            _ if begun.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
            _ => {
                return Err(Error::Busy {
                    code: "idempotency_in_progress",
                    message: "A request with this Idempotency-Key is still running; try again later"
                        .to_owned(),
                });
            }
        }
    }
}

fn reused(message: &str) -> Error {
    Error::Conflict { code: "idempotency_key_reused", message: message.to_owned() }
}

/// Keeps what came of a request.
///
/// # Errors
/// When the statement fails.
pub async fn finish(ctx: &Context, claim: &Claim, answered: &Answered) -> Result<()> {
    let mut db = ctx.db().of(claim.tenant).await?;
    let body = claim.seal.close(&answered.body)?;
    Ok(store::finish(&mut *db, claim.tenant, &claim.key, claim.token, answered.status, &body).await?)
}

/// Gives a request up: nothing came of it, and the next of its name runs.
///
/// # Errors
/// When the statement fails.
pub async fn give_up(ctx: &Context, claim: &Claim) -> Result<()> {
    let mut db = ctx.db().of(claim.tenant).await?;
    Ok(store::give_up(&mut *db, claim.tenant, &claim.key, claim.token).await?)
}

/// Forgets the answers about these parts of the API, in the caller's transaction: something of them is erased, which they
/// may quote. Requests that were answered do not run again.
///
/// # Errors
/// When the statement fails.
pub(crate) async fn forget(tx: &mut PgTransaction<'_>, tenant: TenantId, about: &[&str]) -> Result<()> {
    Ok(store::forget(&mut **tx, tenant, about).await?)
}

/// Forgets answers that are older than a day, of all tenants; gives how many.
///
/// # Errors
/// When the statement fails.
pub async fn forget_old(ctx: &Context) -> Result<u64> {
    Ok(store::forget_old(ctx.db().platform(), KEPT, SWEEP).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii() {
        for good in ["a", "018f3c5e-7b1a", &"x".repeat(255)] {
            assert!(Key::parse(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in ["", "a b", "ü", &"x".repeat(256)] {
            assert!(Key::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn parts_are_told_apart() {
        let of = |parts: &[&str]| Fingerprint::of(parts.iter().map(|part| part.as_bytes()));
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
        assert_ne!(of(&["ab", ""]), of(&["a", "b"]));
        assert_ne!(of(&["a"]), of(&["a", ""]));
    }
}
