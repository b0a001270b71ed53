//! The configured browser: a program to start, or the debugging address of a running one.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

/// Where the browser is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrowserAddress {
    /// A Chromium to start: a path, or a name on the `PATH`.
    Program(PathBuf),
    /// DevTools address of a running Chromium: `http://host:port` or `ws://host:port/devtools/browser/id`.
    Endpoint(Url),
}

/// The address is neither a program nor a DevTools address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is neither a program nor an address such as http://127.0.0.1:9222")]
pub struct BrowserAddressError;

impl FromStr for BrowserAddress {
    type Err = BrowserAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BrowserAddressError);
        }
        if !text.contains("://") {
            return Ok(Self::Program(text.into()));
        }
        let url = Url::parse(text).map_err(|_invalid| BrowserAddressError)?;
        let usable = matches!(url.scheme(), "http" | "ws") && url.has_host() && url.username().is_empty();
        if usable { Ok(Self::Endpoint(url)) } else { Err(BrowserAddressError) }
    }
}

impl fmt::Display for BrowserAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(program) => write!(f, "{}", program.display()),
            Self::Endpoint(url) => write!(f, "{url}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::BrowserAddress;

    #[test]
    fn programs_and_devtools_addresses_are_accepted() {
        let program = |text: &str| text.parse().is_ok_and(|a| matches!(a, BrowserAddress::Program(_)));
        let endpoint = |text: &str| text.parse().is_ok_and(|a| matches!(a, BrowserAddress::Endpoint(_)));
        assert!(program("chromium") && program("/usr/bin/chromium"));
        assert!(endpoint("http://127.0.0.1:9222") && endpoint("ws://[::1]:9222/devtools/browser/x"));
        for refused in ["", "https://127.0.0.1:9222", "http://user@host", "http://", "ftp://host"] {
            assert!(refused.parse::<BrowserAddress>().is_err(), "{refused}");
        }
    }
}
