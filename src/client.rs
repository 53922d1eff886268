//! The address and user agent of a request's client, as far as they can be known.
//!
//! Both are recorded at sign-in so that people recognise their sessions in a list. Neither ever grants access: clients
//! share addresses, and a client can send any user agent.

use std::{
    error::Error,
    fmt,
    net::{IpAddr, SocketAddr},
};

use http::{
    HeaderMap, HeaderName,
    header::{FORWARDED, HeaderValue, USER_AGENT},
};
use ipnet::{IpNet, Ipv4Net};

mod forwarded;
#[cfg(fuzzing)]
#[allow(clippy::expect_used, missing_docs)] // a target is to stop at the first surprise
pub(crate) mod fuzzing;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The longest user agent that is stored, in bytes of UTF-8.
const MAX_USER_AGENT_BYTES: usize = 255;

/// The header in which trusted proxies name the client that they forward for. Set the one that your proxies write: a
/// client can forge the other one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, which nearly every proxy writes. The default.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl ForwardedHeader {
    fn name(self) -> HeaderName {
        match self {
            Self::XForwardedFor => X_FORWARDED_FOR,
            Self::Forwarded => FORWARDED,
        }
    }
}

/// Which proxies may state a client's address. Default: none, so that the peer's address counts.
///
/// # Security
///
/// A client can send forwarded headers of its own; proxies append to them. So countersign reads the chain from the
/// right. An address counts only if a trusted proxy wrote it. The first address that is not a trusted proxy is the
/// client (OWASP ASVS 5.0, 4.1.3).
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientPolicy {
    trusted: Vec<IpNet>,
    header: ForwardedHeader,
}

impl ClientPolicy {
    /// Takes the proxies as addresses (`127.0.0.1`, `::1`) and networks (`10.0.0.0/8`).
    pub(crate) fn new<P: AsRef<str>>(
        trusted_proxies: impl IntoIterator<Item = P>,
        header: ForwardedHeader,
    ) -> Result<Self, TrustedProxyError> {
        let trusted = trusted_proxies
            .into_iter()
            .map(|input| parse_network(input.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Self { trusted, header })
    }

    /// Keeps what the methods below may need of a request. It allocates only if a trusted proxy forwards the request.
    pub(crate) fn observe(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Observed {
        let address = peer.map(|peer| peer.ip().to_canonical());
        let forwarded = match address {
            Some(address) if self.is_trusted(address) => headers
                .get_all(self.header.name())
                .iter()
                .cloned()
                .collect(),
            _ => Vec::new(),
        };
        Observed {
            address,
            forwarded,
            user_agent: headers.get(USER_AGENT).cloned(),
        }
    }

    /// The client's address: the rightmost hop that is not a trusted proxy. A hop that is not an address, such as
    /// `unknown` or an obfuscated name, ends the search at the last known address. An empty list element does not.
    pub(crate) fn address(&self, observed: &Observed) -> Option<IpAddr> {
        let mut client = observed.address?;
        // Several lines of the same header form one list.
        let lines = observed.forwarded.iter().rev().map(HeaderValue::as_bytes);
        let mut hops = lines.flat_map(|line| forwarded::hops_from_the_right(self.header, line));
        while self.is_trusted(client) {
            match hops.next() {
                Some(Some(address)) => client = address.to_canonical(),
                Some(None) | None => break,
            }
        }
        Some(client)
    }

    /// The user agent as text that can be stored and shown in one line; `None` if it is empty.
    pub(crate) fn user_agent(&self, observed: &Observed) -> Option<String> {
        let mut kept = String::new();
        for character in lossy_chars(observed.user_agent.as_ref()?.as_bytes()) {
            let character = if character.is_control() {
                ' '
            } else {
                character
            };
            if kept.len() + character.len_utf8() > MAX_USER_AGENT_BYTES {
                break;
            }
            kept.push(character);
        }
        let kept = kept.trim();
        (!kept.is_empty()).then(|| kept.to_owned())
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted
            .iter()
            .any(|network| network.contains(&address))
    }
}

/// What a request shows of its client, unparsed, since most requests never need it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    address: Option<IpAddr>,
    /// Empty unless a trusted proxy wrote it.
    forwarded: Vec<HeaderValue>,
    user_agent: Option<HeaderValue>,
}

/// A trusted proxy that is neither an address nor a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrustedProxyError {
    pub(crate) input: String,
}

impl fmt::Display for TrustedProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the trusted proxy {:?} is neither an address such as `127.0.0.1` nor a network such as `10.0.0.0/8`",
            self.input
        )
    }
}

impl Error for TrustedProxyError {}

fn parse_network(input: &str) -> Result<IpNet, TrustedProxyError> {
    let text = input.trim();
    let network = match text.parse::<IpAddr>() {
        Ok(address) => Ok(IpNet::from(address)),
        Err(_) => text.parse::<IpNet>(),
    };
    network
        .map(canonical_network)
        .map_err(|_| TrustedProxyError {
            input: input.to_owned(),
        })
}

/// Addresses are compared in canonical form, so networks of IPv4-mapped addresses must become IPv4 networks too.
fn canonical_network(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else {
        return network;
    };
    let mapped = v6.addr().to_ipv4_mapped();
    match (mapped, v6.prefix_len().checked_sub(96)) {
        (Some(v4), Some(prefix)) => Ipv4Net::new(v4, prefix).map_or(network, IpNet::V4),
        _ => network,
    }
}

/// Decodes UTF-8 lazily, with U+FFFD in place of invalid bytes.
fn lossy_chars(bytes: &[u8]) -> impl Iterator<Item = char> {
    bytes.utf8_chunks().flat_map(|chunk| {
        let invalid = (!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER);
        chunk.valid().chars().chain(invalid)
    })
}

#[cfg(test)]
mod tests;
