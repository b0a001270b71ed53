//! Token buckets shared by all processes, one per API key: they balance the local buckets of `platform/limits.rs`.

use fred::interfaces::{ClientLike, LuaInterface};

use super::Bus;
use crate::ids::KeyId;

/// Refill rate in tokens per second, and capacity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) per_second: f64,
    pub(crate) burst: f64,
}

/// Tokens spent by a key's requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) key: KeyId,
    pub(crate) tokens: f64,
}

/// Refills each bucket, takes the spent tokens and returns the rest: negative by a burst at most.
const SPEND: &str = r"
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local left = {}
for place, name in ipairs(KEYS) do
    local held = redis.call('HMGET', name, 'tokens', 'at')
    local tokens, at = tonumber(held[1]) or burst, tonumber(held[2]) or now
    tokens = math.min(burst, tokens + math.max(0, now - at) * rate) - tonumber(ARGV[2 + place])
    tokens = math.max(-burst, tokens)
    redis.call('HSET', name, 'tokens', tokens, 'at', string.format('%.6f', now))
    redis.call('PEXPIRE', name, math.ceil(1000 * 2 * burst / rate))
    left[place] = tostring(tokens)
end
return left
";

impl Bus {
    /// Takes spent tokens from the shared buckets. Returns what each bucket has left; `None` while Redis is down.
    pub(crate) async fn spend(&self, spent: &[Spent], rate: Rate) -> Option<Vec<f64>> {
        if !self.client.is_connected() {
            return None;
        }
        // One hash tag keeps the keys in one slot of a cluster.
        let names: Vec<String> =
            spent.iter().map(|spent| format!("{{{}.rate}}.{}", self.namespace, spent.key)).collect();
        let mut arguments = vec![rate.per_second, rate.burst];
        arguments.extend(spent.iter().map(|spent| spent.tokens));
        let left: Result<Vec<String>, _> = self.client.eval(SPEND, names, arguments).await;
        let left =
            left.inspect_err(|error| tracing::debug!(%error, "rate limits not balanced; retrying")).ok()?;
        let left: Vec<f64> = left.iter().filter_map(|left| left.parse().ok()).collect();
        (left.len() == spent.len()).then_some(left)
    }
}
