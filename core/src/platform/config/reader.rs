//! Typed access to environment variables.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use url::Url;

use super::ConfigError;
use super::settings::{error, find, missing};

/// Reads variables through a lookup function and applies their defaults.
pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&'static str) -> Option<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&'static str) -> Option<String>) -> Self {
        Self { lookup }
    }

    /// The trimmed value or the default. A blank value counts as unset.
    pub(super) fn text(&self, name: &'static str) -> Option<String> {
        (self.lookup)(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
            .or_else(|| find(name).default.map(str::to_owned))
    }

    /// Two variables that must be set together or not at all.
    pub(super) fn pair(
        &self,
        one: &'static str,
        other: &'static str,
    ) -> Result<Option<(String, String)>, ConfigError> {
        match (self.text(one), self.text(other)) {
            (Some(one), Some(other)) => Ok(Some((one, other))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(error(other, format!("is not set, but {one} is"))),
            (None, Some(_)) => Err(error(one, format!("is not set, but {other} is"))),
        }
    }

    /// Whether a variable is unset or has its default value.
    pub(super) fn is_default(&self, name: &'static str) -> bool {
        self.text(name).as_deref() == find(name).default
    }

    pub(super) fn required(&self, name: &'static str) -> Result<String, ConfigError> {
        self.text(name).ok_or_else(|| missing(name))
    }

    pub(super) fn parsed<T: FromStr>(&self, name: &'static str, problem: &str) -> Result<T, ConfigError> {
        self.required(name)?.parse().map_err(|_| error(name, problem.to_owned()))
    }

    pub(super) fn number<T>(&self, name: &'static str, range: RangeInclusive<T>) -> Result<T, ConfigError>
    where
        T: FromStr + PartialOrd + Display,
    {
        let problem = format!("is not a whole number from {} to {}", range.start(), range.end());
        let number = self.parsed(name, &problem)?;
        if range.contains(&number) { Ok(number) } else { Err(error(name, problem)) }
    }

    /// A comma-separated list. Unset: empty.
    pub(super) fn list<T: FromStr>(&self, name: &'static str, problem: &str) -> Result<Vec<T>, ConfigError> {
        self.text(name)
            .iter()
            .flat_map(|list| list.split(','))
            .map(|entry| entry.trim().parse().map_err(|_| error(name, problem.to_owned())))
            .collect()
    }

    /// A URL with one of the schemes. Errors never contain the value, which may include a password.
    pub(super) fn url(&self, name: &'static str, schemes: &[&str]) -> Result<Option<Url>, ConfigError> {
        let Some(raw) = self.text(name) else { return Ok(None) };
        let problem = || format!("is not a URL that starts with {}", schemes.join(":// or ") + "://");
        match Url::parse(&raw) {
            Ok(url) if schemes.contains(&url.scheme()) => Ok(Some(url)),
            _ => Err(error(name, problem())),
        }
    }

    pub(super) fn error(&self, name: &'static str, problem: String) -> ConfigError {
        error(name, problem)
    }
}
