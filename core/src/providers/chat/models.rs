//! The models in the order in which they are asked: what is passing is tried again, what hangs is left, and a
//! model that failed time and again is not asked for a while.

use std::sync::Arc;
use std::time::Duration;

use failsafe::backoff::Constant;
use failsafe::failure_policy::ConsecutiveFailures;
use failsafe::{StateMachine, backoff, failure_policy};
use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::{Instant, timeout, timeout_at};

use super::{ChatModel, ModelError, Piece, Pieces, Prompt, tokens};
use crate::error::{Chain, Error, Part, Result};
use crate::platform::config::Patience;

/// Pauses before a model is asked again. Somebody waits: they are short.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// A longer wait than this is not waited for: another model is asked, or none.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Failures in a row after which a model is not asked.
const FAILURES: u32 = 5;

/// For so long; then one question finds out.
const REST: Duration = Duration::from_secs(20);

/// Language models, the preferred one first.
#[derive(Clone)]
pub struct Models {
    models: Arc<[Guarded]>,
    patience: Patience,
}

struct Guarded {
    model: Arc<dyn ChatModel>,
    breaker: StateMachine<ConsecutiveFailures<Constant>, ()>,
}

/// An answer of which the first piece has come.
pub struct Opened {
    /// The model that writes it.
    pub model: String,
    /// The answer.
    pub pieces: Pieces,
}

impl Models {
    /// Models, in the order in which they are asked.
    #[must_use]
    pub fn new(models: Vec<Arc<dyn ChatModel>>, patience: Patience) -> Self {
        let guarded = models.into_iter().map(|model| {
            let policy = failure_policy::consecutive_failures(FAILURES, backoff::constant(REST));
            Guarded { model, breaker: StateMachine::new(policy, ()) }
        });
        Self { models: guarded.collect(), patience }
    }

    /// How long a text is for the preferred model: exactly where its tokenizer is known, else rather too long.
    #[must_use]
    pub fn count_tokens(&self, text: &str) -> usize {
        let model = self.models.first().map(|guarded| guarded.model.id());
        tokens::count(model.unwrap_or_default(), text)
    }

    /// The answer of the first model that begins to write one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when none does.
    pub async fn open(&self, prompt: &Prompt) -> Result<Opened> {
        let mut last = Error::unavailable(Part::Chat, "every model rests after failures in a row");
        for guarded in &*self.models {
            if !guarded.breaker.is_call_permitted() {
                continue;
            }
            match guarded.open(prompt, self.patience).await {
                Ok(pieces) => {
                    let model = guarded.model.id().to_owned();
                    return Ok(Opened { model, pieces });
                }
                Err(error) => {
                    tracing::warn!(model = guarded.model.id(), error = %Chain(&error), "a model does not answer");
                    let retry_after = error.retry_after;
                    last = Error::Unavailable { part: Part::Chat, retry_after, source: error.into() };
                }
            }
        }
        Err(last)
    }
}

impl Guarded {
    /// Its answer, once the first piece has come. Asks again while that may help.
    async fn open(&self, prompt: &Prompt, patience: Patience) -> std::result::Result<Pieces, ModelError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let error = match self.begin(prompt, patience).await {
                Ok(pieces) => {
                    self.breaker.on_success();
                    return Ok(pieces);
                }
                Err(error) => error,
            };
            self.breaker.on_error();
            let pause = pauses.next().map(|pause| error.retry_after.unwrap_or(pause));
            match pause {
                Some(pause) if error.is_passing && pause <= LONGEST_PAUSE => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
        }
    }

    async fn begin(&self, prompt: &Prompt, patience: Patience) -> std::result::Result<Pieces, ModelError> {
        let end = Instant::now() + patience.total;
        let mut pieces = self.model.answer(prompt.clone());
        let first = timeout(patience.first_token, pieces.next()).await;
        // A model that hangs once hangs again.
        let first = first.map_err(|_| ModelError::lasting("it wrote nothing in time"))?;
        match first {
            Some(Ok(Piece::Text(text))) => {
                Ok(stream::once(async { Ok(Piece::Text(text)) }).chain(within(pieces, patience, end)).boxed())
            }
            Some(Ok(Piece::End(_))) | None => Err(ModelError::lasting("it answered with nothing")),
            Some(Err(error)) => Err(error),
        }
    }
}

/// The rest of an answer: a pause as long as the first token may take, or a total that is over, ends it with an
/// error. So does its end without [`Piece::End`].
fn within(pieces: Pieces, patience: Patience, end: Instant) -> Pieces {
    stream::unfold(Some(pieces), move |rest| async move {
        let mut pieces = rest?;
        let next = timeout_at(end.min(Instant::now() + patience.first_token), pieces.next()).await;
        Some(match next {
            Ok(Some(Ok(Piece::Text(text)))) => (Ok(Piece::Text(text)), Some(pieces)),
            Ok(Some(Ok(Piece::End(usage)))) => (Ok(Piece::End(usage)), None),
            Ok(Some(Err(error))) => (Err(error), None),
            Ok(None) => (Err(ModelError::lasting("its answer was cut off")), None),
            Err(_) => (Err(ModelError::lasting("it stopped writing")), None),
        })
    })
    .boxed()
}

impl ModelError {
    /// Asking again would not help.
    pub(super) fn lasting(source: &'static str) -> Self {
        Self { is_passing: false, retry_after: None, source: source.into() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::providers::chat::Usage;

    /// Answers as it was told, one telling a time; then as it was told last.
    struct Told {
        tellings: Mutex<Vec<Telling>>,
        asked: AtomicUsize,
    }

    #[derive(Clone, Copy)]
    enum Telling {
        Yes,
        Busy(Option<Duration>),
        Refuses,
        Hangs,
        Cut,
    }

    impl ChatModel for Told {
        fn id(&self) -> &'static str {
            "told"
        }

        fn answer(&self, _: Prompt) -> Pieces {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let mut tellings = self.tellings.lock().unwrap();
            let telling = if tellings.len() > 1 { tellings.remove(0) } else { tellings[0] };
            let failed = |is_passing, retry_after| {
                stream::iter([Err(ModelError { is_passing, retry_after, source: "no".into() })]).boxed()
            };
            let text = Ok(Piece::Text("Yes.".to_owned()));
            match telling {
                Telling::Yes => stream::iter([text, Ok(Piece::End(Usage::default()))]).boxed(),
                Telling::Cut => stream::iter([text]).boxed(),
                Telling::Busy(retry_after) => failed(true, retry_after),
                Telling::Refuses => failed(false, None),
                Telling::Hangs => stream::pending().boxed(),
            }
        }
    }

    fn told(tellings: &[Telling]) -> Arc<Told> {
        Arc::new(Told { tellings: Mutex::new(tellings.to_vec()), asked: AtomicUsize::new(0) })
    }

    fn models(told: &[&Arc<Told>]) -> Models {
        let models = told.iter().map(|model| Arc::clone(model) as Arc<dyn ChatModel>).collect();
        Models::new(models, Patience { first_token: Duration::from_secs(5), total: Duration::from_secs(9) })
    }

    fn prompt() -> Prompt {
        Prompt { system: String::new(), turns: Vec::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_passing_is_tried_again_and_what_is_not_is_left() {
        let asked_in_all = async |tellings: &[Telling]| {
            let model = told(tellings);
            let opened = models(&[&model]).open(&prompt()).await.is_ok();
            (opened, model.asked.load(Ordering::SeqCst))
        };
        let wait = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(asked_in_all(&[Telling::Busy(None), Telling::Yes]).await, (true, 2));
        assert_eq!(
            asked_in_all(&[Telling::Busy(wait(2)), Telling::Busy(None), Telling::Yes]).await,
            (true, 3)
        );
        assert_eq!(asked_in_all(&[Telling::Busy(None)]).await, (false, 3));
        assert_eq!(asked_in_all(&[Telling::Busy(wait(60)), Telling::Yes]).await, (false, 1));
        assert_eq!(asked_in_all(&[Telling::Refuses, Telling::Yes]).await, (false, 1));
        assert_eq!(asked_in_all(&[Telling::Hangs, Telling::Yes]).await, (false, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_model_is_asked_and_one_that_fails_time_and_again_rests() {
        let (first, second) = (told(&[Telling::Refuses]), told(&[Telling::Yes]));
        let models = models(&[&first, &second]);
        for _ in 0..10 {
            assert!(models.open(&prompt()).await.is_ok());
        }
        assert_eq!(first.asked.load(Ordering::SeqCst), 5);
        assert_eq!(second.asked.load(Ordering::SeqCst), 10);
    }

    #[tokio::test]
    async fn an_answer_without_its_end_was_cut_off() {
        let mut opened = models(&[&told(&[Telling::Cut])]).open(&prompt()).await.unwrap();
        assert!(matches!(opened.pieces.next().await, Some(Ok(Piece::Text(_)))));
        assert!(matches!(opened.pieces.next().await, Some(Err(_))));
        assert!(opened.pieces.next().await.is_none());
    }
}
