//! Connection to the browser of one crawl, with a profile and a proxy of its own.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use spider::chromiumoxide::Browser;
use spider::chromiumoxide::cdp::browser_protocol::browser::{
    BrowserContextId, SetDownloadBehaviorBehavior, SetDownloadBehaviorParams,
};
use spider::chromiumoxide::cdp::browser_protocol::target::{
    CloseTargetParams, CreateBrowserContextParams, GetTargetsParams,
};
use spider::chromiumoxide::handler::HandlerConfig;
use spider::chromiumoxide::handler::viewport::Viewport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;

use super::process::Process;
use super::{BrowserAddress, RenderError, RenderLimits, Rendered, page};
use crate::fetcher::{Fetcher, ForwardProxy};

/// Timeout of a command that needs no page. The browser usually responds in milliseconds.
pub(super) const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum size of the response to `/json/version`, in bytes.
const MAX_VERSION: usize = 64 * 1024;

/// A connected browser.
pub(super) struct Session {
    pub(super) browser: Browser,
    pub(super) context: BrowserContextId,
    pub(super) user_agent: String,
    proxy: ForwardProxy,
    handler: JoinHandle<()>,
    /// The process started for this crawl; `None` for a browser that was already running.
    process: Option<Process>,
}

impl Session {
    /// Starts or joins the browser. A running browser gets a profile of its own for the crawl.
    ///
    /// # Errors
    /// [`RenderError::Unavailable`] when the browser does not start or answer.
    pub(super) async fn start(
        fetcher: &Fetcher,
        address: &BrowserAddress,
        limits: &RenderLimits,
    ) -> Result<Self, RenderError> {
        let connected = Self::connect(fetcher, address, limits).await;
        connected.map_err(|error| {
            tracing::error!(browser = %address, %error, "the browser is not available");
            RenderError::Unavailable(error)
        })
    }

    async fn connect(fetcher: &Fetcher, address: &BrowserAddress, limits: &RenderLimits) -> io::Result<Self> {
        let (proxy, process, endpoint) = match address {
            BrowserAddress::Program(program) => {
                let local = IpAddr::from([127, 0, 0, 1]);
                let proxy = ForwardProxy::start(fetcher, local, vec![local], limits.proxy).await?;
                let process = Process::start(program, proxy.address(), limits.memory).await?;
                proxy.close_off(process.address);
                let endpoint = format!("ws://{}{}", process.address, process.path);
                (proxy, Some(process), endpoint)
            }
            BrowserAddress::Endpoint(url) => {
                let addresses = resolve(url).await?;
                let stream = timeout(COMMAND_TIMEOUT, TcpStream::connect(addresses.as_slice())).await??;
                let browser = stream.peer_addr()?;
                let clients = addresses.iter().map(|address| address.ip().to_canonical()).collect();
                // The browser reaches this process at the local address of this connection.
                let local = stream.local_addr()?.ip();
                let proxy = ForwardProxy::start(fetcher, local, clients, limits.proxy).await?;
                addresses.iter().for_each(|address| proxy.close_off(*address));
                (proxy, None, endpoint(url, browser, stream).await?)
            }
        };
        let config = HandlerConfig {
            // Checks certificates, as the fetcher does.
            ignore_https_errors: false,
            service_worker_enabled: false,
            connection_retries: 1,
            request_timeout: limits.page,
            // A high viewport loads lazy parts of a page early.
            viewport: Some(Viewport { width: 1280, height: 2000, ..Viewport::default() }),
            ..HandlerConfig::default()
        };
        let connected = timeout(COMMAND_TIMEOUT, Browser::connect_with_config(endpoint, config)).await?;
        let (browser, mut events) = connected.map_err(io::Error::other)?;
        let handler = tokio::spawn(async move { while events.next().await.is_some() {} });
        let mut session = Self {
            browser,
            context: BrowserContextId::new(""),
            user_agent: String::new(),
            proxy,
            handler,
            process,
        };
        timeout(COMMAND_TIMEOUT, session.prepare(fetcher)).await?.map_err(io::Error::other)?;
        Ok(session)
    }

    /// Creates the profile of the crawl, which ends with this connection.
    async fn prepare(&mut self, fetcher: &Fetcher) -> spider::chromiumoxide::error::Result<()> {
        let profile = CreateBrowserContextParams {
            dispose_on_detach: Some(true),
            proxy_server: Some(format!("http://{}", self.proxy.address())),
            // Without it, Chromium does not use the proxy for loopback addresses.
            proxy_bypass_list: Some("<-loopback>".to_owned()),
            ..CreateBrowserContextParams::default()
        };
        self.context = self.browser.create_browser_context(profile).await?;
        self.browser.send_new_context(self.context.clone()).await?;
        let mut downloads = SetDownloadBehaviorParams::new(SetDownloadBehaviorBehavior::Deny);
        downloads.browser_context_id = Some(self.context.clone());
        self.browser.execute(downloads).await?;
        // Keeps the version: sites may serve other pages to old browsers.
        let product = self.browser.version().await?.product;
        let version = product.rsplit('/').next().unwrap_or_default();
        self.user_agent = format!(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version} Safari/537.36 {}",
            fetcher.user_agent()
        );
        Ok(())
    }

    /// Renders a page.
    ///
    /// # Errors
    /// As [`super::Renderer::render`].
    pub(super) async fn render(&self, url: &Url, limits: &RenderLimits) -> Result<Rendered, RenderError> {
        self.proxy.renew();
        page::render(self, url, limits).await
    }

    /// Closes all pages, also those that the page opened. Returns whether it succeeded.
    pub(super) async fn clear(&self) -> bool {
        let closed = timeout(COMMAND_TIMEOUT, async {
            let targets = self.browser.execute(GetTargetsParams::default()).await.ok()?;
            for target in &targets.result.target_infos {
                if target.browser_context_id.as_ref() == Some(&self.context) {
                    // Fails if the page has already closed.
                    let _closed =
                        self.browser.execute(CloseTargetParams::new(target.target_id.clone())).await;
                }
            }
            Some(())
        });
        matches!(closed.await, Ok(Some(())))
    }

    /// Whether the connection to the browser is open.
    pub(super) fn is_alive(&self) -> bool {
        !self.handler.is_finished()
    }

    /// Whether the browser was killed because of its memory.
    pub(super) fn exceeded_memory(&self) -> bool {
        self.process.as_ref().is_some_and(Process::exceeded_memory)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Ends the connection, and with it the profile in a browser that runs on.
        self.handler.abort();
    }
}

async fn resolve(url: &Url) -> io::Result<Vec<SocketAddr>> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(80);
    Ok(timeout(COMMAND_TIMEOUT, tokio::net::lookup_host((host, port))).await??.collect())
}

/// WebSocket address of a running browser, requested over `stream`. Chromium accepts requests only under its
/// IP address.
async fn endpoint(url: &Url, browser: SocketAddr, mut stream: TcpStream) -> io::Result<String> {
    if url.scheme() == "ws" && url.path().len() > 1 {
        return Ok(format!("ws://{browser}{}", url.path()));
    }
    let described = timeout(COMMAND_TIMEOUT, async {
        let request = format!("GET /json/version HTTP/1.1\r\nHost: {browser}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // The connection stays open after the response.
        while answer.len() < MAX_VERSION && stream.read_buf(&mut answer).await? > 0 {
            if let Some(path) = session_path(&String::from_utf8_lossy(&answer)) {
                return Ok(path);
            }
        }
        Err(io::Error::other("it names no DevTools session"))
    });
    Ok(format!("ws://{browser}{}", described.await??))
}

/// The path in the field `webSocketDebuggerUrl` of a response; `None` while the field is incomplete. The
/// response is small, and the address contains no characters that JSON escapes.
fn session_path(answer: &str) -> Option<String> {
    let (_, rest) = answer.split_once("\"webSocketDebuggerUrl\"")?;
    let (_, rest) = rest.split_once('"')?;
    let (address, _) = rest.split_once('"')?;
    Some(Url::parse(address).ok()?.path().to_owned())
}
