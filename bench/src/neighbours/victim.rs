//! The tenant whose requests are timed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use reqwest::Url;

use crate::client::Client;
use crate::corpus::Document;
use crate::samples::Samples;

/// Maximum number of requests and maximum time of a measurement.
const REQUESTS: usize = 100;
const TIME: Duration = Duration::from_secs(20);

/// Pause between two requests.
const PAUSE: Duration = Duration::from_millis(20);

const QUESTION: &str = "How long do I have to return a product?";

/// The kinds of timed request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request {
    /// A question, until its answer.
    Answer,
    /// The list of bots.
    List,
    /// A small file, until it is ready.
    Upload,
    /// A web site of one page, until it is ready.
    Crawl,
}

impl Request {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Request::Answer => "answer",
            Request::List => "list of bots",
            Request::Upload => "small file until ready",
            Request::Crawl => "crawl of one page",
        }
    }

    /// Requests of the kind per measurement: fewer of the slow ones.
    const fn limit(self) -> usize {
        match self {
            Request::Answer | Request::List => REQUESTS,
            Request::Upload | Request::Crawl => 20,
        }
    }
}

/// The tenant.
pub(super) struct Victim {
    client: Client,
    bot: String,
    site: Url,
    sent: AtomicUsize,
}

impl Victim {
    /// Creates a bot with a document.
    pub(super) async fn new(url: &str, key: &str, site: &Url) -> anyhow::Result<Self> {
        let client = Client::new(url, key);
        let bot = client.bot().await?;
        let victim = Self { client, bot, site: site.clone(), sent: AtomicUsize::new(0) };
        victim.upload("You can return any product within 30 days of delivery.").await?;
        Ok(victim)
    }

    /// Latency of each request, in milliseconds.
    pub(super) async fn measure(&self, request: Request) -> anyhow::Result<Samples> {
        let (started, mut times) = (Instant::now(), Vec::new());
        while times.len() < request.limit() && started.elapsed() < TIME {
            let number = self.sent.fetch_add(1, Ordering::Relaxed);
            let begun = Instant::now();
            match request {
                Request::Answer => {
                    let answer = self.client.ask(&self.bot, &format!("s{number}"), QUESTION).await?;
                    ensure!(
                        answer["message"].as_str().is_some_and(|text| text.contains("30 days")),
                        "{answer}"
                    );
                }
                Request::List => self.client.bots().await?,
                Request::Upload => self.upload(&format!("Article {number} costs {number} euros.")).await?,
                Request::Crawl => {
                    let page = self.site.join(&format!("/quick/{number}"))?;
                    self.client.ready(&self.client.scrape(&self.bot, &page).await?).await?;
                }
            }
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
            tokio::time::sleep(PAUSE).await;
        }
        Ok(times.into_iter().collect())
    }

    async fn upload(&self, text: &str) -> anyhow::Result<()> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let (name, text) = (format!("{number}.md"), format!("# Shop\n\n{text}\n"));
        let document = Document { name, text, questions: Vec::new() };
        let source = self.client.upload(&self.bot, &document).await?;
        self.client.ready(&source).await.map(drop)
    }
}
