//! HL7 v2 over MLLP: a listener that acknowledges what is durable in its [`inbox`](crate::inbox).
//!
//! Every message that comes is appended to the inbox, refused ones too, and
//! answered once it is on disk: AA or CA where it will be read, AR, AE, CR or CE
//! where it will be a dead letter, and AE or CE where it could not be stored and
//! is to be sent again. Where too much waits in the inbox nothing is read from
//! the connections until there is room.

mod framer;
mod server;

#[cfg(fuzzing)]
pub(crate) use framer::fuzz as fuzz_framer;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use chrono_tz::Tz;
use rustls::ServerConfig;
use serde::Deserialize;
use url::{Host, Url};

use crate::Opening;
use crate::formats::{hl7v2, reason};
use crate::inbox::{Inbox, InboxSource, Message};
use crate::network::Service;
use crate::network::tls::{Tls, server_config};
use crate::rows::Rows;
use crate::source::{Epoch, Position, Source, SourceError, Start, Until};
use server::{Limits, Server};

/// The port that IANA has for HL7.
const PORT: u16 = 2575;

/// `[mllp]` of a pipeline file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// More are closed as soon as they are opened.
    pub max_connections: usize,
    /// A larger message is refused and its connection closed.
    pub max_message_bytes: usize,
    /// A connection on which nothing comes for that long is closed; 0 for never.
    pub idle_timeout_seconds: u64,
    /// A message, or an answer, that takes longer than that on its way ends its connection.
    pub frame_timeout_seconds: u64,
    /// With that many in the inbox, or that many bytes, no more is read from the connections.
    pub max_waiting_messages: u64,
    pub max_waiting_bytes: u64,
    /// PEM files, for `mllps://`.
    pub tls_certificate: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    /// Only clients with a certificate of one of these may send.
    pub client_authorities: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_connections: 16_384,
            max_message_bytes: 64 << 20,
            idle_timeout_seconds: 86_400,
            frame_timeout_seconds: 60,
            max_waiting_messages: 1_000_000,
            max_waiting_bytes: 4 << 30,
            tls_certificate: None,
            tls_key: None,
            client_authorities: None,
        }
    }
}

/// A listener for HL7 v2 messages.
pub struct Mllp {
    name: String,
    host: Host<String>,
    port: u16,
    timezone: Tz,
    tls: Option<Arc<ServerConfig>>,
    settings: Settings,
    address: Option<SocketAddr>,
    // Ends before the inbox that it appends to is closed.
    service: Option<Service>,
    feed: Option<InboxSource>,
}

/// Opens the listener that a URI names.
///
/// # Errors
/// See [`Mllp::open`].
pub fn open(opening: &Opening<'_>) -> Result<Box<dyn Source>, SourceError> {
    Ok(Box::new(Mllp::open(opening)?))
}

impl Mllp {
    /// Looks at the URI and the settings; [`Source::start`] listens.
    ///
    /// # Errors
    /// The URI is not `mllp://host:port` or `mllps://host:port`, a limit is zero, or
    /// a certificate or key is missing or wrong.
    pub fn open(opening: &Opening<'_>) -> Result<Mllp, SourceError> {
        let setting = |message: &str| SourceError::Setting { place: opening.uri.to_owned(), message: message.to_owned() };
        let url = Url::parse(opening.uri).ok();
        let plain = |url: &Url| {
            matches!(url.path(), "" | "/")
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        };
        let url = url.filter(plain).ok_or_else(|| setting("write mllp://address:port, as in mllp://0.0.0.0:2575"))?;
        let host = url.host().ok_or_else(|| setting("name the address to listen on, as in mllp://0.0.0.0:2575"))?.to_owned();
        let port = url.port().unwrap_or(PORT);
        let settings = opening.settings.mllp.clone();
        for (name, limit) in [
            ("max_connections", settings.max_connections as u64),
            ("max_message_bytes", settings.max_message_bytes as u64),
            ("frame_timeout_seconds", settings.frame_timeout_seconds),
            ("max_waiting_messages", settings.max_waiting_messages),
            ("max_waiting_bytes", settings.max_waiting_bytes),
        ] {
            if limit == 0 {
                return Err(SourceError::Setting { place: format!("mllp.{name}"), message: "must be more than 0".to_owned() });
            }
        }
        let tls = match (url.scheme(), &settings.tls_certificate, &settings.tls_key) {
            ("mllps", Some(certificate), Some(key)) => {
                Some(server_config(&Tls { certificate, key, client_authorities: settings.client_authorities.as_deref() })?)
            }
            ("mllps", ..) => return Err(setting("mllps needs mllp.tls_certificate and mllp.tls_key, paths of PEM files")),
            (_, None, None) if settings.client_authorities.is_none() => None,
            _ => return Err(setting("certificates are set but the scheme is mllp; write mllps://, or remove them")),
        };
        let name = format!("{}://{host}:{port}", url.scheme());
        Ok(Mllp { name, host, port, timezone: opening.timezone, tls, settings, address: None, service: None, feed: None })
    }

    /// Where it listens, once it does.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    fn feed(&mut self) -> Result<&mut InboxSource, SourceError> {
        let place = self.name.clone();
        self.feed.as_mut().ok_or(SourceError::Inbox { place, message: "the source has not been started".to_owned() })
    }

    fn listen(&mut self, inbox: Inbox) -> Result<(), SourceError> {
        let address = format!("{}:{}", self.host, self.port);
        let failed = |error| SourceError::Listen { address: address.clone(), error };
        let server = Server::new(&self.name, inbox, limits(&self.settings), self.tls.clone());
        let (told, bound) = mpsc::sync_channel(1);
        let host = match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let port = self.port;
        let service = Service::spawn("mllp", move |stop| async move {
            match server::bind(&host, port).await {
                Ok((listener, address)) => {
                    let _ = told.send(Ok(address));
                    server.serve(listener, stop).await;
                }
                Err(error) => {
                    let _ = told.send(Err(error));
                }
            }
        });
        self.service = Some(service.map_err(failed)?);
        let address = bound.recv().unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into())).map_err(failed)?;
        tracing::info!(source = self.name, %address, "listening");
        self.address = Some(address);
        Ok(())
    }
}

fn limits(settings: &Settings) -> Limits {
    Limits {
        connections: settings.max_connections,
        message_bytes: settings.max_message_bytes,
        idle: Some(settings.idle_timeout_seconds).filter(|seconds| *seconds > 0).map(Duration::from_secs),
        frame: Duration::from_secs(settings.frame_timeout_seconds),
        waiting_messages: settings.max_waiting_messages,
        waiting_bytes: settings.max_waiting_bytes,
    }
}

/// Rows of a message, or its dead letter; what was refused is not read all the same.
fn take(message: &Message, rows: &mut Rows, timezone: Tz) {
    match hl7v2::inspect(&message.payload) {
        Err(defect @ (hl7v2::Defect::MissingField(_) | hl7v2::Defect::UnsupportedVersion)) => {
            let path = defect.location().map(|location| location.to_string()).unwrap_or_default();
            rows.dead_letter(reason::UNSUPPORTED_MESSAGE, &message.place, &path, Some(&message.payload));
        }
        // The others are found again.
        _ => hl7v2::take(&message.payload, &message.place, rows, timezone),
    }
}

impl Source for Mllp {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&mut self, start: &Start<'_>) -> Result<(), SourceError> {
        let inbox = Inbox::sealed(start.spool, &self.name, start.seal.cloned())?;
        if !start.once {
            self.listen(inbox.clone())?;
        }
        self.feed = Some(InboxSource::new(&self.name, inbox, self.timezone, take));
        Ok(())
    }

    fn patience(&self) -> Option<Duration> {
        self.feed.as_ref().and_then(Source::patience)
    }

    fn committed(&mut self, position: &Position) -> Result<(), SourceError> {
        self.feed()?.committed(position)
    }

    fn size_hint(&self, from: &Position) -> Option<u64> {
        self.feed.as_ref()?.size_hint(from)
    }

    fn read(&mut self, from: &Position, until: Until<'_>) -> Result<Option<Epoch>, SourceError> {
        self.feed()?.read(from, until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(uri: &str, settings: Settings) -> Result<Mllp, String> {
        let settings = crate::Settings { mllp: settings, ..Default::default() };
        Mllp::open(&Opening { uri, timezone: Tz::Europe__Paris, settings: &settings }).map_err(|error| error.to_string())
    }

    #[test]
    fn uris_and_settings_are_looked_at_before_anything_starts() {
        let names = |uri| opened(uri, Settings::default()).map(|source| source.name);
        assert_eq!(names("mllp://0.0.0.0").as_deref(), Ok("mllp://0.0.0.0:2575"));
        assert_eq!(names("mllp://[::1]:77/").as_deref(), Ok("mllp://[::1]:77"));
        for uri in ["mllp://", "mllp://:2575", "mllp://host:x", "mllp://host/path", "mllp://host?x=1", "mllp://me@host", "mllps://host"] {
            assert!(names(uri).is_err(), "{uri}");
        }
        let error = opened("mllp://host", Settings { max_connections: 0, ..Default::default() }).err().unwrap_or_default();
        assert!(error.contains("mllp.max_connections"), "{error}");
        let error =
            opened("mllp://host", Settings { client_authorities: Some("ca.pem".into()), ..Default::default() }).err().unwrap_or_default();
        assert!(error.contains("mllps://"), "{error}");
    }

    #[test]
    fn nothing_is_read_before_the_start() {
        let mut source = opened("mllp://host", Settings::default()).unwrap();
        let limits = Until::Limits { max_documents: 1, max_bytes: 1 };
        assert!(source.read(&Position::default(), limits).is_err());
        assert_eq!((source.size_hint(&Position::default()), source.address()), (None, None));
    }
}
