//! Why the door stays shut, as sentences for the person who named the address.

use std::net::IpAddr;

/// An address the door does not open. It will not open on another try either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Neither http nor https.
    #[error("The address starts with \"{0}:\". Only http: and https: addresses can be read.")]
    Scheme(String),
    /// A port that is not of the web.
    #[error(
        "The address names port {0}. Only the ports 80 and 443 can be read; use the site's public address."
    )]
    Port(u16),
    /// A user name or password inside the address.
    #[error("The address contains a user name or a password. Remove them; only public pages can be read.")]
    Credentials,
    /// No host at all.
    #[error("The address names no host. Write it in full, as in https://example.com/help.")]
    NoHost,
    /// A private, reserved or otherwise internal address, written out.
    #[error("The address leads to {0}, which is not on the public internet. Use the site's public address.")]
    Address(IpAddr),
    /// A name behind which lies such an address. Which one is for the log alone: told, it would map the names
    /// of the inside.
    #[error("The name leads to an address that is not on the public internet. Use the site's public name.")]
    Answer,
    /// A name that only means something inside a network.
    #[error("The name \"{0}\" is only known inside a network. Use the site's public name.")]
    HostName(String),
    /// What the guarded client answers; [`super::Door::check`] tells the reason.
    #[error("The address is not open to this client.")]
    Closed,
}

impl Refusal {
    /// A short word for logs and records.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Scheme(_) => "scheme_refused",
            Self::Port(_) => "port_refused",
            Self::Credentials => "credentials_refused",
            Self::NoHost => "host_missing",
            Self::Address(_) | Self::Answer => "address_refused",
            Self::HostName(_) => "name_refused",
            Self::Closed => "refused",
        }
    }
}
