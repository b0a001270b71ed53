//! Rendering of pages made by scripts, in a Chromium that connects only to the fetcher's proxy.
//!
//! Each crawl has its own [`Renderer`]. It starts or joins a browser with a fresh profile at the first page. Dropping
//! it ends the browser; [`Renderer::end`] ends it until the next page. The browser is controlled through spider's
//! Chrome layer, which is compiled with the feature `browser`. Without the feature, every page fails with
//! [`RenderError::NotCompiled`].
//!
//! The browser must never connect to anything but a [`ForwardProxy`](crate::fetcher::ForwardProxy).

mod address;
mod error;
#[cfg(feature = "browser")]
mod page;
#[cfg(feature = "browser")]
mod process;
#[cfg(feature = "browser")]
mod session;

pub use address::{BrowserAddress, BrowserAddressError};
pub use error::RenderError;

use std::time::Duration;

use url::Url;

use crate::fetcher::{Fetcher, ProxyLimits};

/// Whether this build can render pages.
pub const COMPILED: bool = cfg!(feature = "browser");

/// Number of browsers a crawl may start: the first, and one after each page that hung or crashed it.
#[cfg(feature = "browser")]
const MAX_STARTS: u32 = 8;

/// Limits of a rendered page and its browser.
#[derive(Debug, Clone, Copy)]
pub struct RenderLimits {
    /// Time of a whole page, with scrolling.
    pub page: Duration,
    /// Time until the server's response to the page arrives.
    pub navigation: Duration,
    /// Maximum time for a page to settle. An unsettled page is read in its state at that time.
    pub settle: Duration,
    /// Time of scrolling.
    pub scroll: Duration,
    /// Screens scrolled down, so that lists load more entries.
    pub screens: u32,
    /// Size of the rendered HTML, in bytes.
    pub html: usize,
    /// Total private memory of the browser's processes, in bytes. Enforced on Linux for a browser that the
    /// crawl started.
    pub memory: u64,
    /// Limits of the connections of a page.
    pub proxy: ProxyLimits,
}

impl Default for RenderLimits {
    fn default() -> Self {
        Self {
            page: Duration::from_secs(45),
            navigation: Duration::from_secs(15),
            settle: Duration::from_secs(8),
            scroll: Duration::from_secs(15),
            screens: 10,
            html: 10 * 1024 * 1024,
            memory: 1024 * 1024 * 1024,
            proxy: ProxyLimits::default(),
        }
    }
}

/// A rendered page.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// URL after redirects and navigations by script, without a fragment. The caller checks whether it may be
    /// read.
    pub url: Url,
    /// HTTP status of the page.
    pub status: u16,
    /// The document after its scripts have run: without scripts, with the contents of open shadow trees in
    /// place.
    pub html: String,
}

/// The browser of one crawl. Dropping it ends the browser and deletes its profile.
pub struct Renderer {
    fetcher: Fetcher,
    address: BrowserAddress,
    limits: RenderLimits,
    #[cfg(feature = "browser")]
    session: Option<session::Session>,
    #[cfg(feature = "browser")]
    starts: u32,
}

impl Renderer {
    /// A renderer with the network access of the fetcher. Starts no browser yet.
    pub fn new(fetcher: &Fetcher, address: BrowserAddress, limits: RenderLimits) -> Self {
        Self {
            fetcher: fetcher.clone(),
            address,
            limits,
            #[cfg(feature = "browser")]
            session: None,
            #[cfg(feature = "browser")]
            starts: 0,
        }
    }

    /// Renders a page: runs its scripts, waits until it settles, and scrolls down.
    ///
    /// # Errors
    /// When the URL is refused, the browser is not available, or the page does not load: see [`RenderError`].
    #[cfg(feature = "browser")]
    pub async fn render(&mut self, url: &Url) -> Result<Rendered, RenderError> {
        self.fetcher.check(url)?;
        let session = match self.session.take() {
            Some(session) if session.is_alive() => session,
            _ => self.start().await?,
        };
        let rendered =
            tokio::time::timeout(self.limits.page, Box::pin(session.render(url, &self.limits))).await;
        let rendered = rendered.unwrap_or(Err(RenderError::Timeout));
        // A page that hangs or crashes may leave the browser unusable: the next page gets a fresh one.
        let is_sound = matches!(rendered, Ok(_) | Err(RenderError::TooLarge { .. } | RenderError::Failed(_)));
        if is_sound && session.clear().await {
            self.session = Some(session);
            return rendered;
        }
        if session.exceeded_memory() { Err(RenderError::Memory) } else { rendered }
    }

    #[cfg(feature = "browser")]
    async fn start(&mut self) -> Result<session::Session, RenderError> {
        if self.starts == MAX_STARTS {
            return Err(RenderError::Crashed);
        }
        self.starts += 1;
        // Boxed, here and above: the futures of the protocol are large, and those of a job are nested deeply.
        Box::pin(session::Session::start(&self.fetcher, &self.address, &self.limits)).await
    }

    /// Ends the browser between two pages. The next page starts a new browser, which does not count towards the crawl's
    /// maximum number of starts.
    pub fn end(&mut self) {
        #[cfg(feature = "browser")]
        if self.session.take().is_some() {
            self.starts = self.starts.saturating_sub(1);
        }
    }

    /// Starts or joins the browser, as a check of its availability.
    ///
    /// # Errors
    /// [`RenderError::Unavailable`] or [`RenderError::NotCompiled`].
    #[cfg(feature = "browser")]
    pub async fn check(&mut self) -> Result<(), RenderError> {
        self.session = Some(self.start().await?);
        Ok(())
    }

    /// Fails: this build has no browser support.
    ///
    /// # Errors
    /// Always [`RenderError::NotCompiled`].
    #[cfg(not(feature = "browser"))]
    #[expect(clippy::unused_async, reason = "the same signature as with the feature")]
    pub async fn check(&mut self) -> Result<(), RenderError> {
        Err(RenderError::NotCompiled)
    }

    /// Fails: this build has no browser support.
    ///
    /// # Errors
    /// Always [`RenderError::NotCompiled`], or the refusal of the URL.
    #[cfg(not(feature = "browser"))]
    #[expect(clippy::unused_async, reason = "the same signature as with the feature")]
    pub async fn render(&mut self, url: &Url) -> Result<Rendered, RenderError> {
        tracing::debug!(address = %self.address, limits = ?self.limits, "no browser support in this build");
        self.fetcher.check(url)?;
        Err(RenderError::NotCompiled)
    }
}
