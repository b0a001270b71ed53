//! Idempotency keys: a repeated request gets the stored response of the first one, for a day.
//!
//! Owns the table `idempotency`. The running request holds a claim with a lease, which expires if its process
//! crashes; concurrent duplicates wait for its response. Stored responses are encrypted with a key derived from
//! the caller's API key, and erased when the tenant erases data they may quote.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::context::Context;
use crate::error::{Chain, Error, Result};
use crate::ids::TenantId;
use crate::platform::outage::outlast;
use crate::tenants::keys::RawKey;

mod seal;
mod store;

use seal::Seal;

/// How long a response is stored.
const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// Lease of a claim, renewed while its request runs. It outlasts a failover of the database, and ends early enough for a
/// client that repeats a request whose process was lost.
const LEASE: Duration = Duration::from_secs(45);

/// Interval between renewals.
const RENEWAL: Duration = Duration::from_secs(10);

/// Timeout of a renewal, and the pause after one that failed.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(6);
const RETRY: Duration = Duration::from_secs(1);

/// How long a duplicate waits for the first request's response.
const WAIT_TIMEOUT: Duration = Duration::from_secs(60);

/// Polling interval of a waiting duplicate.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Maximum key length in characters.
const MAX_KEY_LENGTH: usize = 255;

/// Maximum number of responses deleted per sweep.
const SWEEP_BATCH: i64 = 1_000;

/// Idempotency key of a client: 1 to 255 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// Validates a key.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the allowed format.
    pub fn parse(raw: &[u8]) -> Result<Self> {
        match str::from_utf8(raw) {
            Ok(key)
                if (1..=MAX_KEY_LENGTH).contains(&key.len()) && key.bytes().all(|c| c.is_ascii_graphic()) =>
            {
                Ok(Self(key.to_owned()))
            }
            _ => Err(Error::invalid(
                "Idempotency-Key",
                "The 'Idempotency-Key' header must be 1 to 255 visible ASCII characters",
            )),
        }
    }
}

/// Request fingerprint: equal for equal requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Hashes the parts of a request.
    #[must_use]
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // The length prefix keeps different lists of parts distinct.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

/// A request with an idempotency key.
#[derive(Clone, Copy, Debug)]
pub struct IdempotentRequest<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// API key of the request. Only its holder can replay the response.
    pub sender: &'a RawKey,
    /// The idempotency key.
    pub key: &'a Key,
    /// Fingerprint of the request.
    pub fingerprint: Fingerprint,
    /// API resource, the first segment of the path.
    pub about: &'a str,
}

/// A stored response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    /// Status code.
    pub status: u16,
    /// JSON body.
    pub body: String,
}

/// The exclusive right to run a request and store its response.
#[derive(Clone, Debug)]
pub struct RequestClaim {
    tenant: TenantId,
    key: Key,
    token: Uuid,
    seal: Arc<Seal>,
}

/// How to proceed with a request.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// First with its key: run it.
    Run(RequestClaim),
    /// Already answered: return the stored response.
    Replay(StoredResponse),
}

/// Claims the key for a request, or returns the stored response. Waits while another request holds the claim.
///
/// # Errors
/// [`Error::Conflict`] when the key was used with another request or another API key, or the response was
/// erased; [`Error::Busy`] when the first request is still running after the wait timeout.
pub async fn begin(ctx: &Context, request: &IdempotentRequest<'_>) -> Result<Verdict> {
    let IdempotentRequest { tenant, key, fingerprint, .. } = *request;
    let (started, seal) = (Instant::now(), Arc::new(Seal::of(request.sender)?));
    loop {
        let mut db = ctx.db().for_tenant(tenant).await?;
        let token = Uuid::now_v7();
        if store::claim(&mut *db, request, token, LEASE, RETENTION).await? {
            return Ok(Verdict::Run(RequestClaim { tenant, key: key.clone(), token, seal }));
        }
        let found = store::find(&mut *db, tenant, key).await?;
        drop(db);
        match found {
            Some(stored) if stored.fingerprint != fingerprint.0 => {
                return Err(reused(
                    "The Idempotency-Key was sent with another request before; use a fresh one",
                ));
            }
            Some(store::Stored { status: Some(status), body, .. }) => {
                let sealed = body.ok_or_else(|| Error::Conflict {
                    code: "idempotency_answer_erased",
                    message: "The request was answered, and the answer was erased with what it was about"
                        .to_owned(),
                })?;
                let body = seal.open(&sealed).ok_or_else(|| {
                    reused("The Idempotency-Key was sent with another API key before; use a fresh one")
                })?;
                return Ok(Verdict::Replay(StoredResponse { status, body }));
            }
            // Still running, or just released.
            _ if started.elapsed() < WAIT_TIMEOUT => tokio::time::sleep(POLL_INTERVAL).await,
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

/// Renews a claim periodically, until dropped.
pub async fn hold(ctx: &Context, claim: &RequestClaim) -> Infallible {
    let mut pause = RENEWAL;
    loop {
        tokio::time::sleep(pause).await;
        let renewed = async {
            let mut db = ctx.db().for_tenant(claim.tenant).await?;
            Ok::<_, Error>(store::renew(&mut *db, claim.tenant, &claim.key, claim.token, LEASE).await?)
        };
        pause = match tokio::time::timeout(RENEWAL_TIMEOUT, renewed).await {
            Ok(Ok(true)) => RENEWAL,
            Ok(Ok(false)) => {
                tracing::warn!("an idempotency claim expired while its request ran");
                RENEWAL
            }
            Ok(Err(error)) => {
                tracing::warn!(error = %Chain(&error), "renewing an idempotency claim failed; retrying");
                RETRY
            }
            Err(_elapsed) => {
                tracing::warn!("renewing an idempotency claim timed out; retrying");
                RETRY
            }
        };
    }
}

/// Stores the response of a claimed request, or releases the claim without one: then the next request with the key
/// runs. Repeated in the background while the database is unavailable.
///
/// # Errors
/// When the response cannot be encrypted.
pub async fn settle(ctx: &Context, claim: &RequestClaim, response: Option<&StoredResponse>) -> Result<()> {
    let sealed = match response {
        Some(response) => Some((response.status, claim.seal.close(&response.body)?)),
        None => None,
    };
    let (ctx, claim) = (ctx.clone(), claim.clone());
    outlast("settling an idempotency claim", LEASE, move || {
        let (ctx, claim, sealed) = (ctx.clone(), claim.clone(), sealed.clone());
        async move {
            let mut db = ctx.db().for_tenant(claim.tenant).await?;
            match &sealed {
                Some((status, body)) => {
                    store::finish(&mut *db, claim.tenant, &claim.key, claim.token, *status, body).await?;
                }
                None => store::give_up(&mut *db, claim.tenant, &claim.key, claim.token).await?,
            }
            Ok(())
        }
    })
    .await;
    Ok(())
}

/// Erases the stored responses of these API resources, in the caller's transaction, because they may quote
/// data being erased. The requests still do not run again.
///
/// # Errors
/// When the statement fails.
pub(crate) async fn forget(tx: &mut PgTransaction<'_>, tenant: TenantId, about: &[&str]) -> Result<()> {
    Ok(store::forget(&mut **tx, tenant, about).await?)
}

/// Deletes one batch of expired responses of all tenants and returns their number.
///
/// # Errors
/// When the statement fails.
pub async fn forget_old(ctx: &Context) -> Result<u64> {
    Ok(store::forget_old(ctx.db().platform(), RETENTION, SWEEP_BATCH).await?)
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
    fn fingerprints_depend_on_part_boundaries() {
        let of = |parts: &[&str]| Fingerprint::of(parts.iter().map(|part| part.as_bytes()));
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
        assert_ne!(of(&["ab", ""]), of(&["a", "b"]));
        assert_ne!(of(&["a"]), of(&["a", ""]));
    }
}
