//! Heads of HTTP/1.1 messages: requests to the proxy and responses of sites.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
use url::Url;

/// Maximum size of a head, in bytes. Browsers and servers limit theirs to less.
const MAX_HEAD: usize = 64 * 1024;

/// Hop-by-hop headers (RFC 9110, 7.6.1), and `Alt-Svc`, which could lead the browser past the proxy.
const CONNECTION_HEADERS: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "proxy-authenticate",
    "upgrade",
    "alt-svc",
];

/// Target of a request.
#[derive(Debug)]
pub(super) enum Target {
    /// `CONNECT`: a tunnel to a host, as a URL with the port.
    Tunnel(Url),
    /// A resource over plain HTTP.
    Page(Url),
}

impl Target {
    pub(super) fn url(&self) -> &Url {
        match self {
            Self::Tunnel(url) | Self::Page(url) => url,
        }
    }
}

/// A request to the proxy.
#[derive(Debug)]
pub(super) struct RequestHead {
    pub(super) target: Target,
    /// The head to send to the site, with its empty line. Empty for a tunnel.
    pub(super) forwarded: Vec<u8>,
    /// Size of the request body.
    pub(super) body: u64,
    /// Bytes received after the head.
    pub(super) rest: Vec<u8>,
}

/// A response of a site.
#[derive(Debug)]
pub(super) struct ResponseHead {
    /// The head to send to the browser, with its empty line.
    pub(super) forwarded: Vec<u8>,
    /// Whether this is an interim response (1xx), followed by the final one.
    pub(super) interim: bool,
}

/// Reads a request; `None` when the connection ends first.
///
/// # Errors
/// When the connection breaks, or the request is not a valid proxy request.
pub(super) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<RequestHead>> {
    let mut buffer = Vec::new();
    let Some(end) = read_head(stream, &mut buffer).await? else { return Ok(None) };
    let rest = buffer.split_off(end);
    parse_request(&buffer, rest).map(Some).ok_or_else(|| invalid("not a proxy request"))
}

/// Reads a response, with further bytes left in `buffer`.
///
/// # Errors
/// When the connection breaks, or the response is not HTTP/1.
pub(super) async fn read_response(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> io::Result<ResponseHead> {
    let end = read_head(stream, buffer).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let rest = buffer.split_off(end);
    let head = std::mem::replace(buffer, rest);
    parse_response(&head).ok_or_else(|| invalid("not an HTTP/1 response"))
}

/// Reads until the empty line after a head. Returns the position after it.
async fn read_head(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> io::Result<Option<usize>> {
    let mut searched = 0_usize;
    loop {
        // The empty line may span two reads.
        let from = searched.saturating_sub(3);
        let found = buffer.get(from..).and_then(|new| new.windows(4).position(|four| four == b"\r\n\r\n"));
        if let Some(at) = found {
            return Ok(Some(from + at + 4));
        }
        if buffer.len() > MAX_HEAD {
            return Err(invalid("the head of a message is too long"));
        }
        searched = buffer.len();
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

fn parse_request(head: &[u8], rest: Vec<u8>) -> Option<RequestHead> {
    let head = std::str::from_utf8(head).ok()?;
    let (line, headers) = head.split_once("\r\n")?;
    let [method, target, _version] = <[&str; 3]>::try_from(line.split(' ').collect::<Vec<_>>()).ok()?;
    if method == "CONNECT" {
        // A host with its port, nothing else: the URL parser must not find a path or credentials in it.
        if target.contains(['/', '?', '#', '@', '\\']) {
            return None;
        }
        let url = Url::parse(&format!("https://{target}/")).ok()?;
        return Some(RequestHead { target: Target::Tunnel(url), forwarded: Vec::new(), body: 0, rest });
    }
    let url = Url::parse(target).ok().filter(|url| url.scheme() == "http")?;
    let resource = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let mut forwarded = format!("{method} {resource} HTTP/1.1\r\nHost: {host}\r\n");
    let mut body = 0;
    for (name, line) in header_lines(headers) {
        match name.as_str() {
            "host" => continue,
            "content-length" => body = line.split_once(':')?.1.trim().parse().ok()?,
            // Not supported: the end of the body is unknown. Browsers send bodies of known size over
            // HTTP/1.1.
            "transfer-encoding" => return None,
            _ => {}
        }
        forwarded.push_str(line);
        forwarded.push_str("\r\n");
    }
    forwarded.push_str("Connection: close\r\n\r\n");
    Some(RequestHead { target: Target::Page(url), forwarded: forwarded.into_bytes(), body, rest })
}

fn parse_response(head: &[u8]) -> Option<ResponseHead> {
    // Headers may hold Latin-1: only ASCII is examined, and each line is copied as it is.
    let start = head.windows(2).position(|two| two == b"\r\n")?;
    let (line, headers) = head.split_at_checked(start + 2)?;
    let status: u16 = std::str::from_utf8(line.strip_prefix(b"HTTP/1.")?.get(2..5)?).ok()?.parse().ok()?;
    if status == 101 {
        return None;
    }
    let mut forwarded = line.to_vec();
    for line in headers.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        let dropped =
            CONNECTION_HEADERS.iter().any(|other| other.as_bytes().eq_ignore_ascii_case(name.trim_ascii()));
        if !dropped {
            forwarded.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
            forwarded.extend_from_slice(b"\r\n");
        }
    }
    let interim = status < 200;
    forwarded.extend_from_slice(if interim { b"\r\n" } else { b"Connection: close\r\n\r\n" });
    Some(ResponseHead { forwarded, interim })
}

/// Header lines with their names in lower case, without [`CONNECTION_HEADERS`].
fn header_lines(headers: &str) -> impl Iterator<Item = (String, &str)> {
    let lines = headers.split("\r\n").filter(|line| !line.is_empty());
    lines.filter_map(|line| {
        let name = line.split(':').next()?.trim().to_ascii_lowercase();
        (!CONNECTION_HEADERS.contains(&name.as_str())).then_some((name, line))
    })
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::{Target, parse_request, parse_response};

    fn forwarded(head: &str) -> Option<String> {
        let request = parse_request(head.as_bytes(), Vec::new())?;
        Some(String::from_utf8(request.forwarded).unwrap())
    }

    #[test]
    fn a_request_is_forwarded_in_origin_form() {
        let head = "GET http://a.example:81/b?c=d HTTP/1.1\r\nHost: other.example\r\nProxy-Connection: keep-alive\r\nX: y\r\n\r\n";
        let wanted = "GET /b?c=d HTTP/1.1\r\nHost: a.example:81\r\nX: y\r\nConnection: close\r\n\r\n";
        assert_eq!(forwarded(head).as_deref(), Some(wanted));
    }

    #[test]
    fn requests_that_name_no_single_target_are_refused() {
        let refused = [
            "GET / HTTP/1.1\r\n\r\n",
            "GET https://a.example/ HTTP/1.1\r\n\r\n",
            "GET ftp://a.example/ HTTP/1.1\r\n\r\n",
            "CONNECT a.example:443/x HTTP/1.1\r\n\r\n",
            "CONNECT b@a.example:443 HTTP/1.1\r\n\r\n",
            "POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST http://a.example/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        ];
        for head in refused {
            assert!(parse_request(head.as_bytes(), Vec::new()).is_none(), "{head}");
        }
    }

    #[test]
    fn a_tunnel_names_a_host_and_a_port() {
        let request = parse_request(b"CONNECT [::1]:8443 HTTP/1.1\r\n\r\n", Vec::new()).unwrap();
        assert!(matches!(request.target, Target::Tunnel(url) if url.as_str() == "https://[::1]:8443/"));
    }

    #[test]
    fn a_response_ends_with_its_connection() {
        let head = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nAlt-Svc: h3\r\nServer: \xe9\r\n\r\n";
        let response = parse_response(head).unwrap();
        assert_eq!(response.forwarded, b"HTTP/1.1 200 OK\r\nServer: \xe9\r\nConnection: close\r\n\r\n");
        assert!(!response.interim);
        assert!(parse_response(b"HTTP/1.1 103 Early Hints\r\n\r\n").unwrap().interim);
        assert!(parse_response(b"SSH-2.0-x\r\n\r\n").is_none());
    }
}
