//! Pages made by scripts: rendered in the crawl's browser, if one is configured, and read again.

use std::time::Instant;

use parlance_core::Result;
use parlance_core::knowledge::crawl::{Cause, Outcome, PageTask};
use parlance_core::providers::extract::Extraction;
use parlance_crawl::browser::{RenderError, Rendered};
use parlance_crawl::fetcher::FetchResponse;
use parlance_crawl::pace::{Pace, Room, SMALL_BODY};
use parlance_extract::protocol::Rejection;

use super::failure;
use super::reading::{self, Reading};
use super::visit::Visitor;

/// Result of rendering a page made by scripts.
pub(super) enum Rendering {
    /// The rendered page, and its extraction result.
    Page(Box<(FetchResponse, Extraction)>),
    /// The page has no text, for this reason.
    Shell(Rejection),
    /// The page did not load, or its scripts led to a URL that may not be read.
    Nothing(Outcome),
}

/// Renders and reads a page that was rejected because scripts make its text. With a browser, its body is released.
///
/// # Errors
/// As [`reading::read`].
pub(super) async fn render(
    visitor: &mut Visitor<'_>,
    page: &PageTask,
    fetched: &mut FetchResponse,
    shell: Rejection,
) -> Result<Rendering> {
    let Some(browser) = visitor.browser else {
        let remedy =
            "The operator of this server can set SCRAPE_BROWSER, so that such pages are read in a browser.";
        return Ok(Rendering::Shell(explained(shell, remedy)));
    };
    fetched.release();
    visitor.site.pace().wait(&fetched.url).await;
    let turn = browser.turn().await;
    // Without the wait for the turn: only the time of the site counts.
    let started = Instant::now();
    let rendered = match turn.render(&fetched.url).await {
        Ok(rendered) => rendered,
        Err(error @ (RenderError::Unavailable(_) | RenderError::NotCompiled)) => {
            return Ok(Rendering::Shell(explained(shell, &error.to_string())));
        }
        Err(error) => {
            if matches!(error, RenderError::Timeout) {
                visitor.site.patience().record(started.elapsed(), false);
            }
            let cause = Cause::new(error.code(), error.to_string()).with_status(fetched.status);
            return Ok(Rendering::Nothing(Outcome::failed(cause)));
        }
    };
    // Keeps the browser until then: otherwise waiting pages would fill the memory. Whoever has room waits for no
    // browser.
    let room = match rendered.html.len() > SMALL_BODY {
        true => Some(visitor.site.pace().room().await),
        false => None,
    };
    drop(turn);
    if let Some(outcome) = arrive(visitor, page, fetched, &rendered).await {
        return Ok(Rendering::Nothing(outcome));
    }
    let response = response(fetched, rendered, room);
    if let Some(outcome) = failure::of_response(visitor.ctx, &response, page) {
        return Ok(Rendering::Nothing(outcome));
    }
    Ok(match reading::read(visitor, &response).await? {
        Reading::Reply(reply) => match *reply {
            Err(still) if still.needs_browser => {
                Rendering::Shell(explained(still, "It shows no text in a browser either."))
            }
            reply => Rendering::Page(Box::new((response, reply))),
        },
        Reading::Unsupported(outcome) => Rendering::Nothing(outcome),
    })
}

/// The outcome of a page whose scripts led the browser to a URL that may not be read; `None` if it may be
/// read.
async fn arrive(
    visitor: &mut Visitor<'_>,
    page: &PageTask,
    fetched: &FetchResponse,
    rendered: &Rendered,
) -> Option<Outcome> {
    if rendered.url == fetched.url {
        return None;
    }
    if let Some(outcome) = visitor.enter(&rendered.url, page).await {
        return Some(outcome);
    }
    let fetcher = visitor.ctx.fetcher();
    match visitor.site.robots(fetcher, &rendered.url).await {
        Ok(robots) if !robots.allowed(&rendered.url) => Some(failure::of_robots(visitor.ctx, robots, page)),
        Ok(_) => None,
        Err(error) => Some(failure::of_fetch(visitor.ctx, &error, page)),
    }
}

/// The rendered page as a response, with the headers of the first response.
fn response(fetched: &FetchResponse, rendered: Rendered, room: Option<Room>) -> FetchResponse {
    FetchResponse {
        url: rendered.url,
        status: rendered.status,
        media_type: Some("text/html; charset=utf-8".to_owned()),
        body: rendered.html.into(),
        room,
        ..fetched.clone()
    }
}

/// Adds a sentence to the message of a rejection.
fn explained(rejection: Rejection, sentence: &str) -> Rejection {
    Rejection { message: format!("{} {sentence}", rejection.message), ..rejection }
}
