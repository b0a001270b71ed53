//! Client address of a request: the connection's peer, or the client that a trusted proxy names.
//!
//! Proxies append the address of their own peer to the header. Read from the end, the first address that is not a
//! trusted proxy's is therefore the client; everything before it may be forged.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use parlance_core::platform::config::{ClientAddressHeader, Http};
use parlance_core::platform::limits::ClientAddress;
use poem::Request;
use poem::http::HeaderMap;

/// Client address of a request, for rate limits.
pub(crate) fn of(request: &Request, http: &Http) -> ClientAddress {
    let peer = request.remote_addr().as_socket_addr().map(SocketAddr::ip);
    // Only requests without a connection, in tests, have no peer.
    client(peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), request.headers(), http).into()
}

fn client(peer: IpAddr, headers: &HeaderMap, http: &Http) -> IpAddr {
    let is_proxy = |address: &IpAddr| http.trusted_proxies.iter().any(|network| network.contains(address));
    let (name, parse): (_, fn(&str) -> Option<IpAddr>) = match http.client_address_header {
        ClientAddressHeader::XForwardedFor => ("x-forwarded-for", node),
        ClientAddressHeader::Forwarded => ("forwarded", forwarded),
    };
    let mut client = peer.to_canonical();
    let values = headers.get_all(name).iter().rev().filter_map(|value| value.to_str().ok());
    let mut hops = values.flat_map(|value| value.rsplit(','));
    while is_proxy(&client) {
        // If a proxy hides its client, the proxy counts as the client.
        let Some(named) = hops.next().and_then(parse) else { break };
        client = named;
    }
    client
}

/// The `for` parameter of an element of `Forwarded` (RFC 7239, section 4).
fn forwarded(element: &str) -> Option<IpAddr> {
    let mut parameters = element.split(';').filter_map(|parameter| parameter.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    node(value.trim().trim_matches('"'))
}

/// An address, with or without a port; IPv6 in brackets or not.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use parlance_core::platform::config::Config;
    use poem::http::{HeaderName, HeaderValue};

    use super::*;

    fn found(peer: &str, header: ClientAddressHeader, values: &[(&'static str, &str)]) -> String {
        let mut http = Config::read(|_| None).unwrap().http;
        http.trusted_proxies = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap()).to_vec();
        http.client_address_header = header;
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        client(peer.parse().unwrap(), &headers, &http).to_string()
    }

    #[test]
    fn only_addresses_that_trusted_proxies_appended_count() {
        for (peer, values, expected) in [
            ("192.0.2.1", &["198.51.100.7"][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.7,10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["1.1.1.1", "198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &["198.51.100.7, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("fd00::1", &["[2001:db8::7]:4711"], "2001:db8::7"),
            ("fd00::1", &["[2001:db8::7]"], "2001:db8::7"),
            ("fd00::1", &["2001:db8::7"], "2001:db8::7"),
        ] {
            let values: Vec<_> = values.iter().map(|value| ("x-forwarded-for", *value)).collect();
            let client = found(peer, ClientAddressHeader::XForwardedFor, &values);
            assert_eq!(client, expected, "{peer} {values:?}");
        }
    }

    #[test]
    fn forwarded_is_read_only_if_it_is_configured() {
        let forged = ("x-forwarded-for", "1.1.1.1");
        for (value, expected) in [
            ("for=198.51.100.7", "198.51.100.7"),
            ("for=1.1.1.1, proto=https;For=\"198.51.100.7:80\"", "198.51.100.7"),
            ("for=\"[2001:db8::7]:4711\";by=10.0.0.1", "2001:db8::7"),
            ("for=_hidden", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
        ] {
            let values = [forged, ("forwarded", value)];
            assert_eq!(found("10.0.0.1", ClientAddressHeader::Forwarded, &values), expected, "{value}");
        }
        let forged = [("forwarded", "for=1.1.1.1")];
        assert_eq!(found("10.0.0.1", ClientAddressHeader::XForwardedFor, &forged), "10.0.0.1");
    }
}
