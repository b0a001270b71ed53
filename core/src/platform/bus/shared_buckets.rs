//! Token buckets shared by all processes, one per tenant and API key: they balance the local buckets of
//! `platform/limits/requests.rs`.

use std::fmt;

use fred::interfaces::{ClientLike, LuaInterface};

use super::Bus;
use crate::ids::{KeyId, TenantId};

/// Refill rate in tokens per second, and capacity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) per_second: f64,
    pub(crate) burst: f64,
}

/// Owner of a bucket. Its text is part of the bucket's name in Redis.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) enum RateLimited {
    Tenant(TenantId),
    Key(KeyId),
}

impl fmt::Display for RateLimited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(tenant) => write!(f, "tenant.{tenant}"),
            Self::Key(key) => write!(f, "{key}"),
        }
    }
}

/// Tokens spent by requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) of: RateLimited,
    pub(crate) tokens: f64,
    pub(crate) rate: Rate,
}

/// Refills each bucket, takes the spent tokens and returns the rest: negative by a burst at most.
const SPEND: &str = r"
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local left = {}
for place, name in ipairs(KEYS) do
    local rate, burst = tonumber(ARGV[3 * place - 2]), tonumber(ARGV[3 * place - 1])
    local held = redis.call('HMGET', name, 'tokens', 'at')
    local tokens, at = tonumber(held[1]) or burst, tonumber(held[2]) or now
    tokens = math.min(burst, tokens + math.max(0, now - at) * rate) - tonumber(ARGV[3 * place])
    tokens = math.max(-burst, tokens)
    redis.call('HSET', name, 'tokens', tokens, 'at', string.format('%.6f', now))
    redis.call('PEXPIRE', name, math.ceil(1000 * 2 * burst / rate))
    left[place] = tostring(tokens)
end
return left
";

impl Bus {
    /// Takes spent tokens from the shared buckets. Returns what each bucket has left; `None` while Redis is down.
    pub(crate) async fn spend(&self, spent: &[Spent]) -> Option<Vec<f64>> {
        if !self.client.is_connected() {
            return None;
        }
        // One hash tag keeps the keys in one slot of a cluster.
        let names: Vec<String> =
            spent.iter().map(|spent| format!("{{{}.rate}}.{}", self.namespace, spent.of)).collect();
        let arguments: Vec<f64> =
            spent.iter().flat_map(|spent| [spent.rate.per_second, spent.rate.burst, spent.tokens]).collect();
        let left: Result<Vec<String>, _> = self.client.eval(SPEND, names, arguments).await;
        let left =
            left.inspect_err(|error| tracing::debug!(%error, "rate limits not balanced; retrying")).ok()?;
        let left: Vec<f64> = left.iter().filter_map(|left| left.parse().ok()).collect();
        (left.len() == spent.len()).then_some(left)
    }
}
