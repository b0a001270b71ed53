//! The next free turn of each web host, shared by all processes: see `platform/pace.rs`.

use std::time::Duration;

use fred::interfaces::{ClientLike, LuaInterface};

use super::Bus;

/// Takes the next free turn, unless it is further away than the horizon. Returns the wait in milliseconds.
const TAKE: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at = math.max(now, tonumber(redis.call('GET', KEYS[1])) or 0)
if at - now <= tonumber(ARGV[2]) then
    local free = at + tonumber(ARGV[1])
    redis.call('SET', KEYS[1], string.format('%.0f', free), 'PX', math.max(1, free - now))
end
return at - now
";

/// Moves the next free turn to the end of a pause.
const HOLD: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local free = math.max(now + tonumber(ARGV[1]), tonumber(redis.call('GET', KEYS[1])) or 0)
redis.call('SET', KEYS[1], string.format('%.0f', free), 'PX', math.max(1, free - now))
return 0
";

impl Bus {
    /// Takes the next free turn of a host, unless it is further away than the horizon. Returns the wait;
    /// `None` while Redis is down.
    pub(crate) async fn take_turn(
        &self,
        host: &str,
        interval: Duration,
        horizon: Duration,
    ) -> Option<Duration> {
        let wait = self.turn(TAKE, host, vec![milliseconds(interval), milliseconds(horizon)]).await?;
        Some(Duration::from_millis(u64::try_from(wait).unwrap_or(0)))
    }

    /// Moves a host's next free turn to the end of a pause. `None` while Redis is down.
    pub(crate) async fn hold_turns(&self, host: &str, pause: Duration) -> Option<()> {
        self.turn(HOLD, host, vec![milliseconds(pause)]).await.map(drop)
    }

    async fn turn(&self, script: &str, host: &str, arguments: Vec<i64>) -> Option<i64> {
        if !self.client.is_connected() {
            return None;
        }
        let name = format!("{}.pace.{host}", self.namespace);
        let answer: Result<i64, _> = self.client.eval(script, vec![name], arguments).await;
        answer.inspect_err(|error| tracing::debug!(%error, "pace not shared; this process counts alone")).ok()
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
