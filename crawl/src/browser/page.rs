//! A page in the browser: navigation, waiting, scrolling, reading.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use spider::chromiumoxide::Page;
use spider::chromiumoxide::cdp::browser_protocol::emulation::SetUserAgentOverrideParams;
use spider::chromiumoxide::cdp::browser_protocol::network::{
    EventLoadingFailed, EventLoadingFinished, EventRequestWillBeSent, EventResponseReceived, ResourceType,
};
use spider::chromiumoxide::cdp::browser_protocol::page::{
    EventJavascriptDialogOpening, FrameId, GetFrameTreeParams, HandleJavaScriptDialogParams, NavigateParams,
};
use spider::chromiumoxide::cdp::browser_protocol::target::CreateTargetParams;
use spider::chromiumoxide::error::{CdpError, Result as CdpResult};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::session::{COMMAND_TIMEOUT, Session};
use super::{RenderError, RenderLimits, Rendered};

/// Time without requests and changes after which a page counts as settled.
const QUIET: Duration = Duration::from_millis(600);

/// Polling interval of a page's state.
const LOOK: Duration = Duration::from_millis(100);

/// Timeout of a script of ours in a page: longer than a busy page needs, shorter than the page's time limit.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(3);

/// Time to wait for more entries after each screen.
const SCREEN: Duration = Duration::from_secs(3);

/// State of the document, as text: equal texts mean that nothing changed.
const STATE: &str = "[document.readyState, location.href, document.getElementsByTagName('*').length, \
    document.body ? document.body.textContent.length : 0].join(' ')";

/// Scrolls the page, or its tallest scrollable part, down by a screen. Returns whether anything moved.
const SCROLL: &str = include_str!("scroll.js");

/// The document as HTML without scripts, with the contents of open shadow trees in place. Returns at most
/// `LIMIT` characters.
const SERIALIZE: &str = include_str!("serialize.js");

/// Renders a page and leaves it open.
pub(super) async fn render(
    session: &Session,
    url: &Url,
    limits: &RenderLimits,
) -> Result<Rendered, RenderError> {
    let opened = timeout(COMMAND_TIMEOUT, open(session)).await.map_err(|_elapsed| RenderError::Timeout)?;
    let (page, activity) = opened.map_err(failed)?;
    let frame = navigate(&page, &activity, url, limits).await?;
    settle(&page, &activity, limits.settle).await;
    scroll(&page, &activity, limits).await;
    read(&page, &activity, &frame, limits).await
}

async fn open(session: &Session) -> CdpResult<(Page, Activity)> {
    let mut target = CreateTargetParams::new("about:blank");
    target.browser_context_id = Some(session.context.clone());
    let page = session.browser.new_page(target).await?;
    page.execute(SetUserAgentOverrideParams::new(&session.user_agent)).await?;
    let activity = Activity::watch(&page).await?;
    Ok((page, activity))
}

/// Starts loading a page. Returns its main frame at the response, because a page may load forever.
async fn navigate(
    page: &Page,
    activity: &Activity,
    url: &Url,
    limits: &RenderLimits,
) -> Result<FrameId, RenderError> {
    let navigated = timeout(limits.navigation, async {
        let frame = page.mainframe().await.map_err(failed)?.ok_or(RenderError::Crashed)?;
        let refused = async {
            match page.execute(NavigateParams::new(url.as_str())).await.map(|sent| sent.result.error_text) {
                Ok(None) => std::future::pending().await,
                Ok(Some(error)) => RenderError::Failed(error),
                Err(error) => failed(error),
            }
        };
        tokio::select! {
            error = refused => Err(error),
            answered = activity.answered(&frame) => answered.map(|()| frame.clone()),
        }
    });
    navigated.await.map_err(|_elapsed| RenderError::Timeout)?
}

/// Waits until a page has no open requests and does not change, at most for `limit`.
async fn settle(page: &Page, activity: &Activity, limit: Duration) {
    let deadline = Instant::now() + limit;
    let (mut state, mut since) = (String::new(), Instant::now());
    while Instant::now() < deadline {
        let now: Option<String> = script(page, STATE).await;
        let now = now.unwrap_or_default();
        if now != state || !now.starts_with("complete") || activity.is_busy() {
            (state, since) = (now, Instant::now());
        } else if since.elapsed() >= QUIET {
            return;
        }
        sleep(LOOK).await;
    }
}

/// Scrolls down screen by screen until the end, or a limit.
async fn scroll(page: &Page, activity: &Activity, limits: &RenderLimits) {
    let deadline = Instant::now() + limits.scroll;
    for _ in 0..limits.screens {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || script(page, SCROLL).await != Some(true) {
            return;
        }
        settle(page, activity, left.min(SCREEN)).await;
    }
}

/// Reads the document and its URL.
async fn read(
    page: &Page,
    activity: &Activity,
    frame: &FrameId,
    limits: &RenderLimits,
) -> Result<Rendered, RenderError> {
    let limit = limits.html;
    let serialize = SERIALIZE.replace("LIMIT", &(limit + 1).to_string());
    let html: String = script(page, &serialize).await.ok_or(RenderError::Timeout)?;
    if html.len() > limit {
        return Err(RenderError::TooLarge { limit });
    }
    // From the browser: scripts of the page could state any other URL.
    let tree = timeout(COMMAND_TIMEOUT, page.execute(GetFrameTreeParams::default())).await;
    let tree = tree.map_err(|_elapsed| RenderError::Timeout)?.map_err(failed)?;
    let main = &tree.result.frame_tree.frame;
    if let Some(to) = &main.unreachable_url {
        return Err(RenderError::Failed(format!("it leads to {to}, which does not load")));
    }
    // A download or an empty response leaves the blank page, which has another scheme.
    let url = Url::parse(&main.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(|| RenderError::Failed("it is no page".to_owned()))?;
    let status = activity.status(frame).ok_or_else(|| RenderError::Failed("it has no status".to_owned()))?;
    Ok(Rendered { url, status, html })
}

/// The value of an expression; `None` on a timeout or an exception.
async fn script<T: serde::de::DeserializeOwned>(page: &Page, expression: &str) -> Option<T> {
    let evaluated = timeout(SCRIPT_TIMEOUT, page.evaluate_expression(expression)).await.ok()?;
    evaluated.ok()?.into_value().ok()
}

fn failed(error: CdpError) -> RenderError {
    tracing::debug!(%error, "the browser refused a command");
    match error {
        CdpError::Timeout => RenderError::Timeout,
        CdpError::ChromeMessage(message) => RenderError::Failed(message),
        _ => RenderError::Crashed,
    }
}

/// Requests and dialogs of a page. Dialogs are dismissed, because an open dialog blocks the page.
struct Activity {
    requests: Arc<Mutex<Requests>>,
    watch: JoinHandle<()>,
}

#[derive(Default)]
struct Requests {
    open: HashSet<String>,
    /// Frames of the requested documents, by request.
    documents: HashMap<String, FrameId>,
    /// Responses to document requests, in order: a status, or the browser's error text.
    answers: Vec<(FrameId, Result<u16, String>)>,
}

impl Activity {
    async fn watch(page: &Page) -> CdpResult<Self> {
        let requests = Arc::new(Mutex::new(Requests::default()));
        let mut started = page.event_listener::<EventRequestWillBeSent>().await?;
        let mut answered = page.event_listener::<EventResponseReceived>().await?;
        let mut finished = page.event_listener::<EventLoadingFinished>().await?;
        let mut aborted = page.event_listener::<EventLoadingFailed>().await?;
        let mut dialogs = page.event_listener::<EventJavascriptDialogOpening>().await?;
        let (shared, page) = (Arc::clone(&requests), page.clone());
        let change = move |change: &dyn Fn(&mut Requests)| {
            change(&mut shared.lock().unwrap_or_else(PoisonError::into_inner));
        };
        let watch = tokio::spawn(async move {
            loop {
                tokio::select! {
                    Some(event) = started.next() => change(&|requests| requests.start(&event)),
                    Some(event) = answered.next() => change(&|requests| requests.answer(&event)),
                    Some(event) = finished.next() => change(&|requests| requests.end(event.request_id.inner())),
                    Some(event) = aborted.next() => change(&|requests| requests.fail(&event)),
                    Some(_) = dialogs.next() => {
                        // Fails if the dialog has already closed.
                        let _dismissed = page.execute(HandleJavaScriptDialogParams::new(false)).await;
                    }
                    else => return,
                }
            }
        });
        Ok(Self { requests, watch })
    }

    /// Whether requests are open.
    fn is_busy(&self) -> bool {
        !self.requests.lock().unwrap_or_else(PoisonError::into_inner).open.is_empty()
    }

    /// Status of the last document in a frame.
    fn status(&self, frame: &FrameId) -> Option<u16> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = requests.answers.iter().rev().filter(|(of, _)| of == frame);
        answers.filter_map(|(_, answer)| answer.as_ref().ok().copied()).next()
    }

    /// Waits for the first document of a frame.
    async fn answered(&self, frame: &FrameId) -> Result<(), RenderError> {
        loop {
            match self.first_answer(frame) {
                Some(Ok(_)) => return Ok(()),
                Some(Err(error)) => return Err(RenderError::Failed(error)),
                None => sleep(LOOK).await,
            }
        }
    }

    fn first_answer(&self, frame: &FrameId) -> Option<Result<u16, String>> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.answers.iter().find(|(of, _)| of == frame).map(|(_, answer)| answer.clone())
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// Maximum number of recorded open requests. A page with more is busy anyway.
const MAX_OPEN: usize = 1_000;

/// Maximum number of recorded documents: navigations of the page and of its frames.
const MAX_DOCUMENTS: usize = 100;

impl Requests {
    fn start(&mut self, event: &EventRequestWillBeSent) {
        let id = event.request_id.inner();
        if event.r#type == Some(ResourceType::Document)
            && self.documents.len() < MAX_DOCUMENTS
            && let Some(frame) = &event.frame_id
        {
            self.documents.insert(id.clone(), frame.clone());
        }
        // Streams stay open on purpose.
        let stream = matches!(event.r#type, Some(ResourceType::EventSource | ResourceType::Ping));
        if !stream && self.open.len() < MAX_OPEN {
            self.open.insert(id.clone());
        }
    }

    fn answer(&mut self, event: &EventResponseReceived) {
        if event.r#type == ResourceType::Document {
            self.document(event.request_id.inner(), Ok(u16::try_from(event.response.status).unwrap_or(0)));
        }
    }

    fn fail(&mut self, event: &EventLoadingFailed) {
        self.document(event.request_id.inner(), Err(event.error_text.clone()));
        self.end(event.request_id.inner());
    }

    fn document(&mut self, id: &str, answer: Result<u16, String>) {
        if let Some(frame) = self.documents.get(id)
            && self.answers.len() < MAX_DOCUMENTS
        {
            self.answers.push((frame.clone(), answer));
        }
    }

    fn end(&mut self, id: &str) {
        self.open.remove(id);
    }
}
