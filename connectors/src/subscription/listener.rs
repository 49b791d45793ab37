//! Connections: accepted up to a limit, secured, served, and let go when told.

use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::receive::{Connection, Receiver};
use super::settings::Settings;

/// The head of a request, at most.
const MAX_HEAD: usize = 64 << 10;
const MAX_HEADERS: usize = 100;
/// What is being answered when we are told to stop may take so long.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// A bound socket, and what answers there.
pub(super) struct Listener {
    pub socket: TcpListener,
    pub tls: Option<Arc<ServerConfig>>,
    pub receiver: Arc<Receiver>,
    pub settings: Settings,
    pub source: String,
}

impl Listener {
    /// Serves until told to stop.
    pub async fn serve(self, mut stop: watch::Receiver<bool>) {
        let socket = match tokio::net::TcpListener::from_std(self.socket) {
            Ok(socket) => socket,
            Err(error) => {
                tracing::error!(source = self.source, %error, "nothing can be received");
                return;
            }
        };
        let acceptor = self.tls.map(TlsAcceptor::from);
        let slots = Arc::new(Semaphore::new(self.settings.max_connections));
        let mut connections = JoinSet::new();
        let mut number = 0;
        tracing::info!(source = self.source, "listening");
        loop {
            let accepted = tokio::select! {
                _ = stop.changed() => break,
                // Those beyond the limit wait in the queue of the system.
                accepted = async { (slots.clone().acquire_owned().await, socket.accept().await) } => accepted,
            };
            while connections.try_join_next().is_some() {}
            let (Ok(slot), accepted) = accepted else { break };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of descriptors, or the other side was faster: neither is for ever.
                    tracing::warn!(source = self.source, %error, "a connection cannot be accepted");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            number += 1;
            metrics::gauge!("sillage_connections", "source" => self.source.clone()).increment(1.0);
            let connection = Connection { number, requests: Arc::new(AtomicU64::new(0)) };
            let (acceptor, receiver, stop) = (acceptor.clone(), self.receiver.clone(), stop.clone());
            let (source, idle) = (self.source.clone(), self.settings.idle());
            connections.spawn(async move {
                serve(stream, acceptor, receiver, connection, idle, stop).await;
                metrics::gauge!("sillage_connections", "source" => source).decrement(1.0);
                drop(slot);
            });
        }
        drop(socket);
        let ended = timeout(LAST_ANSWERS + Duration::from_secs(1), async { while connections.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            tracing::warn!(source = self.source, "connections are cut off");
        }
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    receiver: Arc<Receiver>,
    connection: Connection,
    idle: Duration,
    mut stop: watch::Receiver<bool>,
) {
    // An answer is small and final.
    let _ = stream.set_nodelay(true);
    match acceptor {
        None => speak(stream, receiver, connection, idle, stop).await,
        Some(acceptor) => {
            let secured = tokio::select! {
                _ = stop.changed() => return,
                secured = timeout(idle, acceptor.accept(stream)) => secured,
            };
            match secured {
                Ok(Ok(stream)) => speak(stream, receiver, connection, idle, stop).await,
                Ok(Err(error)) => tracing::debug!(%error, "a connection is not secured"),
                Err(_) => tracing::debug!("a connection is not secured in time"),
            }
        }
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    receiver: Arc<Receiver>,
    connection: Connection,
    idle: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(idle).max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD);
    let service = TowerToHyperService::new(receiver.router(connection));
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let stopped = tokio::select! {
        outcome = served.as_mut() => {
            if let Err(error) = outcome {
                tracing::debug!(%error, "a connection broke off");
            }
            return;
        }
        stopped = stop.changed() => stopped,
    };
    // Told, or nobody is left to tell.
    let _ = stopped;
    served.as_mut().graceful_shutdown();
    let _ = timeout(LAST_ANSWERS, served).await;
}
