//! Slowdown of pages and overviews with the size of a tenant.
//!
//! Compares one with five million conversations and messages with one of five thousand.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::Context as _;
use hyper::header::HeaderValue;
use serde_json::Value;

use super::KEY;
use super::fill::FilledTenant;
use super::load::Connection;
use crate::report::{Against, Row};
use crate::samples::Samples;

const ROUNDS: usize = 200;
const WARM_UP: usize = 20;

/// Maximum ratio to the small tenant's time.
const PAGES_GOAL: f64 = 3.0;
const OVERVIEW_GOAL: f64 = 2.0;

pub(super) async fn measure(
    server: SocketAddr,
    small: &FilledTenant,
    big: &FilledTenant,
) -> anyhow::Result<Vec<Row>> {
    let mut sides = Sides { small: Side::open(server, small).await?, big: Side::open(server, big).await? };
    let mut rows = Vec::new();
    for (name, query) in [
        ("page 1", ""),
        ("page 1 of status=active", "&status=active"),
        ("page 1 of a rare channel", "&channel=slack"),
        ("page 1 of a bot and status", "&bot_id={bot}&status=ended"),
    ] {
        let path = format!("/conversations?per_page=20{query}");
        rows.push(sides.compare(&format!("conversations, {name}"), &path, PAGES_GOAL).await?);
    }
    for (name, query) in [
        ("30 days", "?period=30"),
        ("365 days", "?period=365"),
        ("30 days in Kathmandu", "?period=30&timezone=Asia/Kathmandu"),
        ("365 days in Kathmandu", "?period=365&timezone=Asia/Kathmandu"),
    ] {
        let path = format!("/analytics/overview{query}");
        rows.push(sides.compare(&format!("overview, {name}"), &path, OVERVIEW_GOAL).await?);
    }
    for (name, query) in
        [("365 days", "?period=365"), ("365 days in Kathmandu", "?period=365&timezone=Asia/Kathmandu")]
    {
        let path = format!("/analytics/conversations{query}");
        rows.push(sides.compare(&format!("conversations by day, {name}"), &path, OVERVIEW_GOAL).await?);
    }
    Ok(rows)
}

struct Sides {
    small: Side,
    big: Side,
}

struct Side {
    connection: Connection,
    key: HeaderValue,
    bot: String,
    conversations: i64,
}

impl Side {
    /// Connects, and checks that the API reports the written numbers.
    async fn open(server: SocketAddr, tenant: &FilledTenant) -> anyhow::Result<Self> {
        let bot = tenant.bots.first().context("a tenant without bots")?.to_string();
        let connection = Connection::open(server).await?;
        let key = HeaderValue::from_str(&tenant.customer.key)?;
        let mut side = Self { connection, key, bot, conversations: tenant.conversations };
        let counted = [
            side.read("/conversations").await?["pagination"]["total"].as_i64(),
            side.read("/analytics/overview?period=365").await?["data"]["total_messages"].as_i64(),
        ];
        anyhow::ensure!(
            counted == [Some(side.conversations); 2],
            "the API counts {counted:?} conversations and messages , not {}",
            side.conversations
        );
        Ok(side)
    }

    async fn read(&mut self, path: &str) -> anyhow::Result<Value> {
        let body = self.connection.get(&self.path(path), &KEY, &self.key).await?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// Requests a path. Returns the milliseconds.
    async fn time(&mut self, path: &str) -> anyhow::Result<f64> {
        let path = self.path(path);
        let started = Instant::now();
        self.connection.get(&path, &KEY, &self.key).await?;
        Ok(started.elapsed().as_secs_f64() * 1000.0)
    }

    fn path(&self, path: &str) -> String {
        format!("/api/v1{}", path.replace("{bot}", &self.bot))
    }
}

impl Sides {
    async fn compare(&mut self, name: &str, path: &str, most: f64) -> anyhow::Result<Row> {
        let mut times = Vec::new();
        for round in 0..WARM_UP + ROUNDS {
            let pair = (self.small.time(path).await?, self.big.time(path).await?);
            if round >= WARM_UP {
                times.push(pair);
            }
        }
        let small: Samples = times.iter().map(|(small, _)| *small).collect();
        let big: Samples = times.iter().map(|(_, big)| *big).collect();
        crate::progress(&format!(
            "{name}: {:.2} ms (p95 {:.2}) at {}, {:.2} ms (p95 {:.2}) at {}",
            small.median(),
            small.p95(),
            self.small.conversations,
            big.median(),
            big.p95(),
            self.big.conversations,
        ));
        let against = Against::Baseline {
            name: format!("at {}", self.small.conversations),
            value: small.median(),
            ratio: big.median() / small.median(),
            most,
        };
        Ok(Row::new(
            format!("{name}, at {}", self.big.conversations),
            big.median(),
            "ms",
            times.len(),
            against,
        ))
    }
}
