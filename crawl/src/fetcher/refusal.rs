//! Reasons for refusing a URL, as sentences for the person who supplied it.

use std::net::IpAddr;

/// A refused URL. The refusal is permanent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Neither http nor https.
    #[error("The address starts with \"{0}:\". Only http: and https: addresses can be read.")]
    Scheme(String),
    /// A port that is not allowed.
    #[error(
        "The address names port {0}. Only the ports 80 and 443 can be read; use the site's public address."
    )]
    Port(u16),
    /// Credentials in the URL.
    #[error("The address contains a user name or a password. Remove them; only public pages can be read.")]
    Credentials,
    /// No host.
    #[error("The address names no host. Write it in full, as in https://example.com/help.")]
    NoHost,
    /// A literal private, reserved or otherwise internal address.
    #[error("The address leads to {0}, which is not on the public internet. Use the site's public address.")]
    Address(IpAddr),
    /// A name that resolves to such an address. The address is only logged: revealing it would let tenants map
    /// internal names.
    #[error("The name leads to an address that is not on the public internet. Use the site's public name.")]
    ResolvedAddress,
    /// A name that is only valid inside a network.
    #[error("The name \"{0}\" is only known inside a network. Use the site's public name.")]
    HostName(String),
    /// Refused by the guarded client; [`super::Fetcher::check`] gives the reason.
    #[error("The address is not open to this client.")]
    Closed,
}

impl Refusal {
    /// Error code for logs and records.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Scheme(_) => "scheme_refused",
            Self::Port(_) => "port_refused",
            Self::Credentials => "credentials_refused",
            Self::NoHost => "host_missing",
            Self::Address(_) | Self::ResolvedAddress => "address_refused",
            Self::HostName(_) => "name_refused",
            Self::Closed => "refused",
        }
    }
}
