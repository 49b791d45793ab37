//! Where to listen.

use std::net::{SocketAddr, ToSocketAddrs};

use url::Url;

use crate::source::SourceError;

/// An address to listen on, and the path that is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub secure: bool,
    pub sockets: Vec<SocketAddr>,
    /// Begins with a slash and does not end with one; empty at the root.
    pub path: String,
    shown: String,
}

impl Address {
    /// Takes `fhir-subscription+http(s)://host:port/path` apart.
    pub fn parse(uri: &str) -> Result<Self, SourceError> {
        let place = uri.split(['?', '#']).next().unwrap_or(uri);
        // A password does not belong into an error.
        let place = match (place.find("://"), place.rfind('@')) {
            (Some(scheme), Some(at)) if at > scheme => format!("{}{}", &place[..scheme + 3], &place[at + 1..]),
            _ => place.to_owned(),
        };
        let bad = |message: &str| SourceError::Setting { place: place.clone(), message: message.to_owned() };
        let url = uri.strip_prefix("fhir-subscription+").and_then(|url| Url::parse(url).ok());
        let url = url.ok_or_else(|| bad("not an address to listen on; write fhir-subscription+http://127.0.0.1:8080/fhir"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("credentials do not belong into the address; use token_file, or user and password_file, of [subscription]"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("there is something after the path; leave it out"));
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(bad("host or port are missing; write fhir-subscription+http://127.0.0.1:8080/fhir"));
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let sockets: Vec<SocketAddr> = (host, port).to_socket_addrs().map(Iterator::collect).unwrap_or_default();
        if sockets.is_empty() {
            return Err(bad("the name of the host is not known here; write the IP address to listen on, 0.0.0.0 for all of this machine"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        Ok(Address { secure: url.scheme() == "https", sockets, path, shown: place })
    }

    /// What the source is called.
    pub fn name(&self) -> String {
        self.shown.trim_end_matches('/').to_owned()
    }

    /// For messages.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether only this machine reaches it.
    pub fn local(&self) -> bool {
        self.sockets.iter().all(|socket| socket.ip().is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() -> Result<(), SourceError> {
        let address = Address::parse("fhir-subscription+http://127.0.0.1:8080/fhir/r4/")?;
        assert_eq!((address.secure, address.local(), address.path.as_str()), (false, true, "/fhir/r4"));
        assert_eq!(address.name(), "fhir-subscription+http://127.0.0.1:8080/fhir/r4");
        assert_eq!(address.sockets, ["127.0.0.1:8080".parse::<SocketAddr>().unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0)))]);
        let open = Address::parse("fhir-subscription+https://0.0.0.0")?;
        assert_eq!((open.secure, open.local(), open.path.as_str(), open.sockets[0].port()), (true, false, "", 443));
        assert!(Address::parse("fhir-subscription+http://[::1]:9/x")?.local());
        assert!(Address::parse("fhir-subscription+http://localhost:9/x")?.local());
        Ok(())
    }

    #[test]
    fn bad_ones_are_told_without_secrets() {
        for (uri, word) in [
            ("fhir-subscription+http://u:geheim@127.0.0.1:1/x", "credentials"),
            ("fhir-subscription+http://127.0.0.1:1/x?token=geheim", "after the path"),
            ("fhir-subscription+http://", "not an address"),
            ("fhir-subscription+http://no.such.host.invalid:1/x", "not known"),
        ] {
            let error = Address::parse(uri).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.contains(word) && !error.contains("geheim"), "{uri}: {error}");
        }
    }
}
