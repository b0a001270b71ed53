//! Ordered fallback over chat models, with retries, timeouts and a circuit breaker per model.
//!
//! Transient errors are retried. A timeout or a failed connection falls back to the next model immediately.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use super::breaker::{Breaker, Permission, Probe};
use super::{ChatModel, ModelError, Piece, Pieces, Prompt, Speaker, Turn, tokens};
use crate::error::{Chain, Error, Part, Result};
use crate::platform::config::ChatTimeouts;

/// Delays between retries. Short, because a user is waiting.
const RETRY_DELAYS: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// A longer `Retry-After` is not honoured: the next model is called instead, if any.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(3);

/// How long a circuit breaker stays open before a probe is sent.
const OPEN_FOR: Duration = Duration::from_secs(20);

/// How long a customer waits for a probe when no other model answers.
const PROBE_WAIT: Duration = Duration::from_secs(2);

/// Chat models in order of preference.
#[derive(Clone)]
pub struct Models {
    models: Arc<[Guarded]>,
    timeouts: ChatTimeouts,
}

#[derive(Clone)]
struct Guarded {
    model: Arc<dyn ChatModel>,
    breaker: Arc<Breaker>,
}

/// An answer whose first piece has arrived.
pub struct Opened {
    /// Name of the generating model.
    pub model: String,
    /// Response stream, including the first piece.
    pub pieces: Pieces,
}

impl Models {
    /// `models` are tried in order.
    #[must_use]
    pub fn new(models: Vec<Arc<dyn ChatModel>>, timeouts: ChatTimeouts) -> Self {
        Self::with_breakers(models, timeouts, OPEN_FOR)
    }

    fn with_breakers(models: Vec<Arc<dyn ChatModel>>, timeouts: ChatTimeouts, open_for: Duration) -> Self {
        let guarded =
            models.into_iter().map(|model| Guarded { model, breaker: Arc::new(Breaker::new(open_for)) });
        Self { models: guarded.collect(), timeouts }
    }

    /// Token count for the preferred model: exact if its tokenizer is known, otherwise an overestimate.
    #[must_use]
    pub fn count_tokens(&self, text: &str) -> usize {
        let model = self.models.first().map(|guarded| guarded.model.id());
        tokens::count(model.unwrap_or_default(), text)
    }

    /// The answer of the first model that starts to produce one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no model does.
    pub async fn open(&self, prompt: &Prompt) -> Result<Opened> {
        let mut last = Error::unavailable(Part::Chat, "the circuit breakers of all models are open");
        let mut probed = None;
        for guarded in &*self.models {
            match guarded.breaker.permission() {
                Permission::Call => {}
                Permission::Probe(probe) => {
                    let ended = guarded.clone().probe(probe, self.timeouts);
                    probed = probed.or(Some((guarded, ended)));
                    continue;
                }
                Permission::Refused => continue,
            }
            match guarded.opened(prompt, self.timeouts).await {
                Ok(opened) => return Ok(opened),
                Err(error) => {
                    tracing::warn!(
                        model = guarded.model.id(),
                        error = %Chain(&error),
                        "model call failed; trying the next model"
                    );
                    last = unavailable(error);
                }
            }
        }
        // No other model answers: the customer waits for a probe that succeeds soon.
        let Some((guarded, ended)) = probed else { return Err(last) };
        match timeout(PROBE_WAIT, ended).await {
            Ok(Ok(true)) => guarded.opened(prompt, self.timeouts).await.map_err(unavailable),
            _ => Err(last),
        }
    }
}

fn unavailable(error: ModelError) -> Error {
    Error::Unavailable { part: Part::Chat, retry_after: error.retry_after, source: error.into() }
}

impl Guarded {
    /// Sends a one-word request to the model in a separate task, so that no customer waits for a model that may still
    /// be down. Returns whether it succeeded.
    fn probe(self, probe: Probe, timeouts: ChatTimeouts) -> oneshot::Receiver<bool> {
        let (sender, ended) = oneshot::channel();
        tokio::spawn(async move {
            let answered = self.begin(&probe_prompt(), timeouts).await.is_ok();
            if answered {
                self.breaker.on_success();
            } else {
                self.breaker.on_error();
            }
            drop(probe);
            // The customer may have got another answer.
            let _dropped = sender.send(answered);
        });
        ended
    }

    async fn opened(
        &self,
        prompt: &Prompt,
        timeouts: ChatTimeouts,
    ) -> std::result::Result<Opened, ModelError> {
        let pieces = self.open(prompt, timeouts).await?;
        Ok(Opened { model: self.model.id().to_owned(), pieces })
    }

    /// The answer, once its first piece has arrived. Retries transient errors.
    async fn open(&self, prompt: &Prompt, timeouts: ChatTimeouts) -> std::result::Result<Pieces, ModelError> {
        let mut delays = RETRY_DELAYS.into_iter();
        loop {
            let error = match self.begin(prompt, timeouts).await {
                Ok(pieces) => {
                    self.breaker.on_success();
                    return Ok(pieces);
                }
                Err(error) => error,
            };
            self.breaker.on_error();
            let delay = delays.next().map(|delay| error.retry_after.unwrap_or(delay));
            match delay {
                Some(delay) if error.is_transient && delay <= MAX_RETRY_DELAY && !self.breaker.is_open() => {
                    tokio::time::sleep(delay).await;
                }
                _ => return Err(error),
            }
        }
    }

    async fn begin(
        &self,
        prompt: &Prompt,
        timeouts: ChatTimeouts,
    ) -> std::result::Result<Pieces, ModelError> {
        let end = Instant::now() + timeouts.total;
        let mut pieces = self.model.answer(prompt.clone());
        let first = timeout(timeouts.first_token, pieces.next()).await;
        // Not transient: a model that hangs once is likely to hang again.
        let first = first.map_err(|_| ModelError::permanent("no first token before the timeout"))?;
        match first {
            Some(Ok(Piece::Text(text))) => {
                let rest = with_timeouts(pieces, timeouts, end);
                Ok(stream::once(async { Ok(Piece::Text(text)) }).chain(rest).boxed())
            }
            Some(Ok(Piece::End(_))) | None => Err(ModelError::permanent("empty response")),
            Some(Err(error)) => Err(error),
        }
    }
}

/// Few tokens, as providers charge for them; dropping the stream stops generation.
fn probe_prompt() -> Prompt {
    let text = || "Reply with OK.".to_owned();
    Prompt { system: text(), turns: vec![Turn { speaker: Speaker::User, text: text() }] }
}

/// The rest of an answer. It ends with an error when a gap exceeds the first-token timeout, when the total
/// timeout passes, or when the stream ends without [`Piece::End`].
fn with_timeouts(pieces: Pieces, timeouts: ChatTimeouts, end: Instant) -> Pieces {
    stream::unfold(Some(pieces), move |rest| async move {
        let mut pieces = rest?;
        let next = timeout_at(end.min(Instant::now() + timeouts.first_token), pieces.next()).await;
        Some(match next {
            Ok(Some(Ok(Piece::Text(text)))) => (Ok(Piece::Text(text)), Some(pieces)),
            Ok(Some(Ok(Piece::End(usage)))) => (Ok(Piece::End(usage)), None),
            Ok(Some(Err(error))) => (Err(error), None),
            Ok(None) => (Err(ModelError::permanent("the response was truncated")), None),
            Err(_) => (Err(ModelError::permanent("the response stalled")), None),
        })
    })
    .boxed()
}

impl ModelError {
    /// An error that a retry would not fix.
    pub(super) fn permanent(source: &'static str) -> Self {
        Self { is_transient: false, retry_after: None, source: source.into() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::providers::chat::Usage;

    /// Model with scripted replies, one per call; the last one repeats.
    struct ScriptedModel {
        replies: Mutex<Vec<Reply>>,
        calls: AtomicUsize,
    }

    #[derive(Clone, Copy)]
    enum Reply {
        Answer,
        Busy(Option<Duration>),
        Refuse,
        Hang,
        Truncate,
    }

    impl ChatModel for ScriptedModel {
        fn id(&self) -> &'static str {
            "scripted"
        }

        fn answer(&self, _: Prompt) -> Pieces {
            self.calls.fetch_add(1, Ordering::SeqCst);
            let mut replies = self.replies.lock().unwrap();
            let reply = if replies.len() > 1 { replies.remove(0) } else { replies[0] };
            let failed = |is_transient, retry_after| {
                stream::iter([Err(ModelError { is_transient, retry_after, source: "no".into() })]).boxed()
            };
            let text = Ok(Piece::Text("Yes.".to_owned()));
            match reply {
                Reply::Answer => stream::iter([text, Ok(Piece::End(Usage::default()))]).boxed(),
                Reply::Truncate => stream::iter([text]).boxed(),
                Reply::Busy(retry_after) => failed(true, retry_after),
                Reply::Refuse => failed(false, None),
                Reply::Hang => stream::pending().boxed(),
            }
        }
    }

    fn scripted(replies: &[Reply]) -> Arc<ScriptedModel> {
        Arc::new(ScriptedModel { replies: Mutex::new(replies.to_vec()), calls: AtomicUsize::new(0) })
    }

    const TIMEOUTS: ChatTimeouts =
        ChatTimeouts { first_token: Duration::from_secs(5), total: Duration::from_secs(9) };

    fn list(scripted: &[&Arc<ScriptedModel>]) -> Vec<Arc<dyn ChatModel>> {
        scripted.iter().map(|model| Arc::clone(model) as Arc<dyn ChatModel>).collect()
    }

    fn models(scripted: &[&Arc<ScriptedModel>]) -> Models {
        Models::new(list(scripted), TIMEOUTS)
    }

    /// Lets the tasks that are ready run.
    async fn settle() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    fn prompt() -> Prompt {
        Prompt { system: String::new(), turns: Vec::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn only_transient_errors_are_retried() {
        let calls = async |replies: &[Reply]| {
            let model = scripted(replies);
            let opened = models(&[&model]).open(&prompt()).await.is_ok();
            (opened, model.calls.load(Ordering::SeqCst))
        };
        let wait = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(calls(&[Reply::Busy(None), Reply::Answer]).await, (true, 2));
        assert_eq!(calls(&[Reply::Busy(wait(2)), Reply::Busy(None), Reply::Answer]).await, (true, 3));
        assert_eq!(calls(&[Reply::Busy(None)]).await, (false, 3));
        assert_eq!(calls(&[Reply::Busy(wait(60)), Reply::Answer]).await, (false, 1));
        assert_eq!(calls(&[Reply::Refuse, Reply::Answer]).await, (false, 1));
        assert_eq!(calls(&[Reply::Hang, Reply::Answer]).await, (false, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_model_falls_back_and_its_breaker_opens() {
        let (first, second) = (scripted(&[Reply::Refuse]), scripted(&[Reply::Answer]));
        let models = models(&[&first, &second]);
        for _ in 0..10 {
            assert!(models.open(&prompt()).await.is_ok());
        }
        assert_eq!(first.calls.load(Ordering::SeqCst), 5);
        assert_eq!(second.calls.load(Ordering::SeqCst), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_runs_beside_customers_and_closes_the_breaker() {
        let mut replies = vec![Reply::Refuse; 5];
        replies.extend([Reply::Hang, Reply::Answer]);
        let (first, second) = (scripted(&replies), scripted(&[Reply::Answer]));
        // Each probe is due at once.
        let models = Models::with_breakers(list(&[&first, &second]), TIMEOUTS, Duration::ZERO);
        let calls = || (first.calls.load(Ordering::SeqCst), second.calls.load(Ordering::SeqCst));
        for _ in 0..5 {
            models.open(&prompt()).await.unwrap();
        }
        assert_eq!(calls(), (5, 5), "the breaker opens");

        let begun = Instant::now();
        for _ in 0..3 {
            models.open(&prompt()).await.unwrap();
            settle().await;
        }
        assert_eq!(calls(), (6, 8), "one probe hangs; no customer calls the model");
        assert_eq!(begun.elapsed(), Duration::ZERO, "no customer waits for it");

        tokio::time::sleep(TIMEOUTS.first_token * 2).await;
        models.open(&prompt()).await.unwrap();
        settle().await;
        assert_eq!(calls(), (7, 9), "the next probe succeeds");
        models.open(&prompt()).await.unwrap();
        assert_eq!(calls(), (8, 9), "the model answers customers again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lone_model_answers_as_soon_as_its_probe_succeeds() {
        let mut replies = vec![Reply::Refuse; 5];
        replies.extend([Reply::Hang, Reply::Answer]);
        let lone = scripted(&replies);
        let models = Models::with_breakers(list(&[&lone]), TIMEOUTS, Duration::ZERO);
        for _ in 0..5 {
            assert!(models.open(&prompt()).await.is_err());
        }
        let begun = Instant::now();
        assert!(models.open(&prompt()).await.is_err(), "the probe hangs");
        assert_eq!(begun.elapsed(), PROBE_WAIT);
        tokio::time::sleep(TIMEOUTS.first_token).await;
        assert!(models.open(&prompt()).await.is_ok());
        assert_eq!(lone.calls.load(Ordering::SeqCst), 8, "a probe, and the customer's call");
    }

    #[tokio::test]
    async fn an_answer_without_its_end_is_an_error() {
        let mut opened = models(&[&scripted(&[Reply::Truncate])]).open(&prompt()).await.unwrap();
        assert!(matches!(opened.pieces.next().await, Some(Ok(Piece::Text(_)))));
        assert!(matches!(opened.pieces.next().await, Some(Err(_))));
        assert!(opened.pieces.next().await.is_none());
    }
}
