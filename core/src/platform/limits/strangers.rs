//! Rate limit of requests without a valid API key, per client address.
//!
//! Requests are counted before the key lookup, so that guesses beyond the limit cost no database query. Counted per
//! process.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::sync::Notify;

use super::bucket::{Bucket, rate};
use crate::error::{Error, Result};
use crate::platform::bus::Rate;

/// Maximum number of addresses with a bucket. The least recently used is evicted first; a recreated bucket is full.
const ADDRESSES: u64 = 50_000;

/// Maximum number of cached valid keys. The least recently used is evicted first.
const VALID_KEYS: u64 = 50_000;

/// Time since its last successful lookup for which a key counts as valid.
const VALID_FOR: Duration = Duration::from_secs(60 * 60);

/// Prefix length of an IPv6 network that counts as one client: providers assign at least a /64 to each customer
/// (RFC 6177).
const IPV6_PREFIX: u32 = 64;

/// A client for counting: an IPv4 address, or the /64 network of an IPv6 address.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub struct ClientAddress(IpAddr);

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - IPV6_PREFIX))))
            }
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// A token bucket per client address for requests without a valid key.
///
/// A key lookup costs a token, which is refunded if the key is valid. Without a token, a lookup waits for the lookups
/// in progress, and is rejected if they refund none. Keys that were valid within the last hour need no token, so that
/// invalid keys from a shared address (NAT) do not lock them out.
#[derive(Debug)]
pub struct Strangers {
    /// `None`: no limit.
    rate: Option<Rate>,
    clients: Cache<ClientAddress, Arc<Client>>,
    /// Hashes of keys.
    valid: Cache<[u8; 32], ()>,
}

#[derive(Debug)]
struct Client {
    state: Mutex<State>,
    /// A lookup has ended.
    ended: Notify,
}

#[derive(Debug)]
struct State {
    bucket: Bucket,
    /// Lookups in progress, each with a token.
    lookups: usize,
}

/// Permission to look up a key. The token is not refunded if this is dropped without a result.
#[must_use = "the result of the lookup decides whether the token is refunded"]
#[derive(Debug)]
pub struct LookupTicket<'a> {
    strangers: &'a Strangers,
    hash: [u8; 32],
    /// The client whose token was spent.
    client: Option<Arc<Client>>,
}

impl Strangers {
    /// In requests per second; 0: no limit.
    pub(super) fn new(per_second: u32) -> Self {
        Self::with(rate(per_second))
    }

    fn with(rate: Option<Rate>) -> Self {
        let clients = Cache::builder().max_capacity(ADDRESSES).eviction_policy(EvictionPolicy::lru()).build();
        let valid = Cache::builder().max_capacity(VALID_KEYS).time_to_live(VALID_FOR);
        let valid = valid.eviction_policy(EvictionPolicy::lru()).build();
        Self { rate, clients, valid }
    }

    /// Counts a request without a well-formed key.
    ///
    /// # Errors
    /// [`Error::TooMany`] above the limit of the address.
    pub fn count(&self, address: ClientAddress) -> Result<()> {
        match self.rate {
            Some(rate) => self.client(address, rate).state().spend().map_err(refused),
            None => Ok(()),
        }
    }

    /// Permits the lookup of a key by its hash.
    ///
    /// # Errors
    /// [`Error::TooMany`] when the key is not known to be valid, and its address is above the limit.
    pub async fn admit(&self, address: ClientAddress, hash: [u8; 32]) -> Result<LookupTicket<'_>> {
        let ticket = |client| LookupTicket { strangers: self, hash, client };
        let Some(rate) = self.rate.filter(|_| !self.valid.contains_key(&hash)) else {
            return Ok(ticket(None));
        };
        let client = self.client(address, rate);
        loop {
            let ended = client.ended.notified();
            {
                let mut state = client.state();
                match state.spend() {
                    Ok(()) => {
                        state.lookups += 1;
                        break;
                    }
                    Err(wait) if state.lookups == 0 => return Err(refused(wait)),
                    Err(_) => {}
                }
            }
            ended.await;
        }
        Ok(ticket(Some(client)))
    }

    fn client(&self, address: ClientAddress, rate: Rate) -> Arc<Client> {
        self.clients.get_with(address, || {
            let state = State { bucket: Bucket::full(rate, Instant::now()), lookups: 0 };
            Arc::new(Client { state: Mutex::new(state), ended: Notify::new() })
        })
    }
}

impl Client {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes a token, or returns the time until one is available.
    fn spend(&mut self) -> Result<(), Duration> {
        self.bucket.refill(Instant::now());
        match self.bucket.wait() {
            Some(wait) => Err(wait),
            None => {
                self.bucket.spend();
                Ok(())
            }
        }
    }
}

fn refused(retry_after: Duration) -> Error {
    let message = "Too many requests without a valid API key came from this address; correct the key, and wait as \
                   long as Retry-After says";
    Error::TooMany { code: "too_many_invalid_keys", message: message.to_owned(), retry_after }
}

impl LookupTicket<'_> {
    /// The key is valid.
    pub fn valid(self) {
        if self.strangers.rate.is_some() {
            self.strangers.valid.insert(self.hash, ());
        }
        self.give_back();
    }

    /// The key is unknown, expired or revoked.
    pub fn invalid(self) {
        self.strangers.valid.invalidate(&self.hash);
    }

    /// The lookup failed, so the key may be valid.
    pub fn undecided(self) {
        self.give_back();
    }

    fn give_back(&self) {
        if let Some(client) = &self.client {
            client.state().bucket.give_back();
        }
    }
}

impl Drop for LookupTicket<'_> {
    fn drop(&mut self) {
        if let Some(client) = &self.client {
            client.state().lookups -= 1;
            client.ended.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> ClientAddress {
        address.parse::<IpAddr>().unwrap().into()
    }

    /// A limit of ten requests; nothing is refilled during a test.
    fn ten() -> Strangers {
        Strangers::with(Some(Rate { per_second: 1e-6, burst: 10.0 }))
    }

    #[test]
    fn an_ipv6_network_is_one_client() {
        assert_eq!(client("2001:db8:1:2::1"), client("2001:db8:1:2:ffff::9"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
    }

    #[test]
    fn an_address_gets_its_burst_and_no_other_is_affected() {
        let strangers = ten();
        let admitted = (0..100).filter(|_| strangers.count(client("192.0.2.1")).is_ok()).count();
        assert_eq!(admitted, 10);
        strangers.count(client("192.0.2.2")).unwrap();
    }

    #[tokio::test]
    async fn guessed_keys_are_not_looked_up_beyond_the_limit() {
        let (strangers, client) = (ten(), client("192.0.2.1"));
        let mut lookups = 0;
        for guess in 0..100 {
            if let Ok(ticket) = strangers.admit(client, [guess; 32]).await {
                ticket.invalid();
                lookups += 1;
            }
        }
        assert_eq!(lookups, 10);
    }

    #[tokio::test]
    async fn valid_keys_cost_nothing_and_pass_beside_invalid_ones() {
        let (strangers, client) = (ten(), client("192.0.2.1"));
        for key in 0..100 {
            strangers.admit(client, [key; 32]).await.unwrap().valid();
        }
        while strangers.count(client).is_ok() {}
        strangers.admit(client, [200; 32]).await.unwrap_err();
        strangers.admit(client, [7; 32]).await.unwrap().undecided();
        strangers.admit(client, [7; 32]).await.unwrap().invalid();
        strangers.admit(client, [7; 32]).await.unwrap_err();
    }

    #[tokio::test]
    async fn lookups_at_once_wait_for_those_in_progress() {
        let (strangers, client) = (ten(), client("192.0.2.1"));
        let mut first = Vec::new();
        for key in 0..10 {
            first.push(strangers.admit(client, [key; 32]).await.unwrap());
        }
        let mut late = std::pin::pin!(strangers.admit(client, [10; 32]));
        assert!(futures_util::poll!(&mut late).is_pending());
        first.pop().unwrap().valid();
        late.await.unwrap().valid();
        let mut late = std::pin::pin!(strangers.admit(client, [11; 32]));
        first.push(strangers.admit(client, [12; 32]).await.unwrap());
        assert!(futures_util::poll!(&mut late).is_pending());
        first.into_iter().for_each(LookupTicket::invalid);
        late.await.unwrap_err();
    }
}
