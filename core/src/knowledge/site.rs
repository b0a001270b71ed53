//! A web site as a source: where its crawl begins, and how far it goes.

use sha2::{Digest, Sha256};
use url::Url;

use crate::error::{Error, Problem, Result};
use crate::input::Collect;

/// How long an address may be, in characters: what every browser and server takes.
const URL_LENGTH: usize = 2_048;

/// Pages of a site when its owner did not say.
const USUAL_PAGES: i64 = 5;

/// Pages of a site at most.
const MOST_PAGES: i64 = 20;

/// A web site to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    /// Where it begins.
    pub(super) url: Url,
    /// Whether pages below it are read too.
    pub(super) include_subpages: bool,
    /// Pages at most: one, unless subpages are read.
    pub(super) max_pages: i32,
}

impl Site {
    /// Checks every field. Whether the address may be reached is for the door to say.
    pub(super) fn parse(
        url: Option<String>,
        include_subpages: Option<bool>,
        max_pages: Option<i64>,
    ) -> Result<Self> {
        let mut problems = Vec::new();
        let url = problems.take(parse_url(url));
        let max_pages = problems.take(parse_pages(max_pages));
        let include_subpages = include_subpages.unwrap_or(false);
        match (url, max_pages) {
            (Some(None), Some(_)) => Err(Error::Invalid(vec![Problem::missing("url")])),
            (Some(None), None) => {
                problems.insert(0, Problem::missing("url"));
                Err(Error::Invalid(problems))
            }
            (Some(Some(url)), Some(max_pages)) => {
                Ok(Self { url, include_subpages, max_pages: if include_subpages { max_pages } else { 1 } })
            }
            _ => Err(Error::Invalid(problems)),
        }
    }

    /// What it is called when its owner gave no name: its address without the scheme.
    pub(super) fn name(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        format!("{host}{}", self.url.path().trim_end_matches('/'))
    }

    /// Equal for requests that ask the same.
    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(format!("{} {} {}", self.url, self.include_subpages, self.max_pages)).into()
    }
}

/// Checks fields that came with a source of another type: they are not used, but what is sent must be right.
pub(super) fn check_unused(url: Option<String>, max_pages: Option<i64>) -> Result<()> {
    let mut problems = Vec::new();
    problems.take(parse_url(url));
    problems.take(parse_pages(max_pages));
    if problems.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
}

fn parse_url(raw: Option<String>) -> Result<Option<Url>> {
    let Some(raw) = raw.filter(|raw| !crate::is_blank(raw)) else { return Ok(None) };
    if raw.chars().count() > URL_LENGTH {
        let message = format!("The 'url' field must be at most {URL_LENGTH} characters");
        return Err(Error::invalid("url", message));
    }
    let mut url = Url::parse(raw.trim())
        .ok()
        .filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host())
        .ok_or_else(|| {
            Error::invalid("url", "The 'url' field must be an address that begins with http:// or https://")
        })?;
    url.set_fragment(None);
    Ok(Some(url))
}

fn parse_pages(raw: Option<i64>) -> Result<i32> {
    let pages = raw.unwrap_or(USUAL_PAGES);
    i32::try_from(pages).ok().filter(|_| (1..=MOST_PAGES).contains(&pages)).ok_or_else(|| {
        Error::invalid("max_pages", format!("The 'max_pages' field must be between 1 and {MOST_PAGES}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_of_the_web() {
        let parse = |url: &str| Site::parse(Some(url.into()), Some(true), None);
        assert_eq!(parse(" https://Example.com/Help#top ").unwrap().url.as_str(), "https://example.com/Help");
        for wrong in ["example.com", "ftp://example.com", "mailto:me@example.com", "https://", " "] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse(&format!("https://example.com/{}", "x".repeat(URL_LENGTH))).is_err());
    }

    #[test]
    fn a_site_without_subpages_is_one_page() {
        let parse = |sub, most| Site::parse(Some("https://example.com".into()), sub, most);
        assert_eq!(parse(None, Some(10)).unwrap().max_pages, 1);
        assert_eq!(parse(Some(true), None).unwrap().max_pages, 5);
        for wrong in [0, 21, -1, i64::MAX] {
            assert!(parse(Some(true), Some(wrong)).is_err());
        }
    }
}
