//! Frames that are part of a page: frames of its host that are not pages of the source.

use parlance_core::Result;
use parlance_core::knowledge::crawl::{Fetched, Outcome, PageTask};
use parlance_crawl::scope;
use parlance_extract::protocol::Markup;
use url::Url;

use super::reading::{self, Reading};
use super::visit::{Answer, Visitor};

/// Maximum number of frames read for a page.
const MAX_FRAMES: usize = 5;

/// Adds the texts of frames to a page. Frames that cannot be read are left out.
pub(super) async fn add(
    visitor: &mut Visitor<'_>,
    page: &PageTask,
    outcome: Outcome,
    frames: &[Url],
) -> Result<Outcome> {
    let mut texts = Vec::new();
    let mut first: Option<Fetched> = None;
    for frame in frames.iter().take(MAX_FRAMES) {
        let Answer::Page(fetched) = visitor.fetch(frame, page).await else { continue };
        if scope::site(&fetched.url) != scope::site(frame) {
            continue;
        }
        let Reading::Reply(reply) = reading::read(visitor, &fetched).await? else {
            continue;
        };
        let Ok(document) = *reply else { continue };
        if document.web.as_ref().is_some_and(|web| web.noindex) || document.markup == Markup::Records {
            continue;
        }
        first.get_or_insert_with(|| Fetched {
            url: page.url.to_string(),
            title: document.title.clone(),
            text: String::new(),
            markup: document.markup.into(),
            http_status: i32::from(fetched.status),
            bytes: i64::try_from(fetched.body.len()).unwrap_or(i64::MAX),
            aliases: Vec::new(),
            canonical: None,
            links: Vec::new(),
        });
        texts.push(document.text);
    }
    let joined = |own: Option<String>| own.into_iter().chain(texts).collect::<Vec<_>>().join("\n\n");
    Ok(match (outcome, first) {
        (Outcome::Fetched(own), _) => Outcome::Fetched(Fetched { text: joined(Some(own.text)), ..own }),
        (Outcome::Skipped(_, links) | Outcome::Failed(_, links), Some(first)) => {
            Outcome::Fetched(Fetched { text: joined(None), links, ..first })
        }
        (outcome, _) => outcome,
    })
}
