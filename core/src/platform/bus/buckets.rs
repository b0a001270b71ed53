//! Token buckets that all processes share.

use fred::interfaces::{ClientLike, LuaInterface};

use super::Bus;
use crate::ids::KeyId;

/// Refill rate in tokens per second, and capacity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) per_second: f64,
    pub(crate) burst: f64,
}

/// What a key's requests took of its bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) key: KeyId,
    pub(crate) tokens: f64,
}

/// Refills each bucket, takes what was spent, and says what is left: it may be less than nothing, by a burst at most.
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
    /// Takes what was spent from the buckets of all processes; gives what each has left, `None` when Redis is away.
    pub(crate) async fn spend(&self, spent: &[Spent], rate: Rate) -> Option<Vec<f64>> {
        if !self.client.is_connected() {
            return None;
        }
        // One slot, so that a cluster has them in one place.
        let names: Vec<String> =
            spent.iter().map(|spent| format!("{{{}.rate}}.{}", self.namespace, spent.key)).collect();
        let mut arguments = vec![rate.per_second, rate.burst];
        arguments.extend(spent.iter().map(|spent| spent.tokens));
        let left: Result<Vec<String>, _> = self.client.eval(SPEND, names, arguments).await;
        let left = left.inspect_err(|error| tracing::debug!(%error, "the buckets are not balanced")).ok()?;
        let left: Vec<f64> = left.iter().filter_map(|left| left.parse().ok()).collect();
        (left.len() == spent.len()).then_some(left)
    }
}
