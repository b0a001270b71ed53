//! Parameters of a site that do not change its pages, learned from pages that proved equal.
//!
//! A session in every link gives each page many URLs. A parameter is ignored once three of its values led to
//! the same text and none to another. Further URLs that differ only in it are not requested.

use std::collections::{BTreeMap, HashMap, HashSet};

use parlance_core::knowledge::crawl::{Cause, Outcome, Settled};
use parlance_crawl::scope;
use url::Url;

/// Number of values with the same text that prove a parameter irrelevant. Two may both be wrong ("not
/// found").
const PROOF: usize = 3;

type Parameters = BTreeMap<String, String>;

/// Visited pages of a crawl, and the relevance of their parameters.
#[derive(Default)]
pub(super) struct Views {
    /// Fetched pages by path: parameters and URL.
    pages: HashMap<String, Vec<(Parameters, String)>>,
    /// Values with the same text, by path and parameter.
    equal: HashMap<(String, String), HashSet<String>>,
    /// Path and parameter of pages with different texts.
    significant: HashSet<(String, String)>,
}

impl Views {
    /// Records a visited page.
    pub(super) fn learn(&mut self, url: &Url, outcome: &Outcome, settled: &Settled) {
        let Outcome::Fetched(fetched) = outcome else { return };
        let (path, parameters) = parts(url);
        match settled {
            Settled::SameText(other) => {
                let Ok((other_path, others)) = Url::parse(other).map(|other| parts(&other)) else { return };
                if other_path == path
                    && let Some(name) = only_difference(&parameters, &others)
                {
                    let values = [parameters.get(&name), others.get(&name)].into_iter().flatten().cloned();
                    self.equal.entry((path, name)).or_default().extend(values);
                }
            }
            Settled::NoRoom => {}
            Settled::AsItIs => {
                let pages = self.pages.entry(path.clone()).or_default();
                let differences = pages.iter().filter_map(|(others, _)| only_difference(&parameters, others));
                self.significant.extend(differences.map(|name| (path.clone(), name)));
                pages.push((parameters, fetched.url.clone()));
            }
        }
    }

    /// The outcome of a URL that differs from a fetched page only in irrelevant parameters; `None` for
    /// others.
    pub(super) fn known(&self, url: &Url) -> Option<Outcome> {
        let (path, parameters) = parts(url);
        let says_nothing = |name: &String| {
            let key = (path.clone(), name.clone());
            !self.significant.contains(&key)
                && self.equal.get(&key).is_some_and(|values| values.len() >= PROOF)
        };
        let telling = |parameters: &Parameters| -> Parameters {
            let telling = parameters.iter().filter(|(name, _)| !says_nothing(name));
            telling.map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        let asked = telling(&parameters);
        if asked.len() == parameters.len() {
            return None;
        }
        let (_, same) = self.pages.get(&path)?.iter().find(|(others, _)| telling(others) == asked)?;
        Some(Outcome::skipped(Cause::new("duplicate", format!("The same page was read at {same}."))))
    }
}

/// The path and the parameters of a page's key.
fn parts(url: &Url) -> (String, Parameters) {
    let key = scope::key(url);
    let (path, query) = key.split_once('?').unwrap_or((&key, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let parameters = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    (path.to_owned(), parameters)
}

/// The only parameter in which two pages differ.
fn only_difference(one: &Parameters, other: &Parameters) -> Option<String> {
    let names: HashSet<&String> = one.keys().chain(other.keys()).collect();
    let mut different = names.into_iter().filter(|name| one.get(*name) != other.get(*name));
    let name = different.next()?;
    different.next().is_none().then(|| name.clone())
}

#[cfg(test)]
mod tests {
    use parlance_core::knowledge::chunk::Markup;
    use parlance_core::knowledge::crawl::Fetched;

    use super::*;

    fn url(path: &str) -> Url {
        format!("https://example.com{path}").parse().unwrap()
    }

    fn visited(views: &mut Views, path: &str, same_as: Option<&str>) {
        let fetched = Outcome::Fetched(Fetched {
            url: url(path).into(),
            title: None,
            text: String::new(),
            markup: Markup::Markdown,
            http_status: 200,
            bytes: 0,
            aliases: Vec::new(),
            canonical: None,
            links: Vec::new(),
        });
        let settled = same_as.map_or(Settled::AsItIs, |same| Settled::SameText(url(same).into()));
        views.learn(&url(path), &fetched, &settled);
    }

    #[test]
    fn a_parameter_that_changes_nothing_is_ignored() {
        let mut views = Views::default();
        visited(&mut views, "/a", None);
        for n in 0..3 {
            let path = format!("/a?visit={n}");
            assert!(views.known(&url(&path)).is_none());
            visited(&mut views, &path, Some("/a"));
        }
        assert!(views.known(&url("/a?visit=9")).is_some());
        assert!(views.known(&url("/a?visit=9&b=1")).is_none(), "another page");
        assert!(views.known(&url("/b?visit=9")).is_none(), "another path");
    }

    #[test]
    fn a_parameter_that_changed_a_page_once_counts() {
        let mut views = Views::default();
        visited(&mut views, "/a?id=1", None);
        visited(&mut views, "/a?id=2", None);
        for n in 3..9 {
            visited(&mut views, &format!("/a?id={n}"), Some("/a?id=1"));
        }
        assert!(views.known(&url("/a?id=9")).is_none());
    }
}
