//! The listener and its connections.
//!
//! One thread serves all of them. A connection holds memory only while a message
//! is on its way: what is read goes through one buffer of the thread.

mod connection;
mod meter;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;

use chrono::Utc;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;

use crate::inbox::Inbox;
use connection::Connection;
use meter::Meter;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 4096;
/// Of one connection, until it can send.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Of all connections, for what is being answered when the service stops.
const DRAIN: Duration = Duration::from_secs(10);
/// Between two tries to accept when the system has no more descriptors.
const EXHAUSTED: Duration = Duration::from_millis(100);
/// How often what recurs is logged.
const LOGGED: Duration = Duration::from_secs(60);
/// Bytes of unfinished messages on all connections together, where one message is not larger.
const ON_THEIR_WAY: usize = 512 << 20;

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub connections: usize,
    pub message_bytes: usize,
    pub idle: Option<Duration>,
    pub frame: Duration,
    pub waiting_messages: u64,
    pub waiting_bytes: u64,
}

/// What the connections share.
pub(super) struct Server {
    source: String,
    inbox: Inbox,
    limits: Limits,
    tls: Option<TlsAcceptor>,
    meter: Meter,
    /// Sets the connections of this run apart from those of others.
    run: String,
    /// Bytes of unfinished messages, on all connections.
    on_their_way: AtomicUsize,
    /// Answers given, for their control ids.
    answers: AtomicU64,
}

/// Listens on the first address of a host that can be.
pub(super) async fn bind(host: &str, port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in lookup_host((host, port)).await? {
        match listen(address) {
            Ok(listener) => {
                let address = listener.local_addr()?;
                return Ok((listener, address));
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // Those accepted inherit it: a peer that vanished is noticed.
    socket.set_keepalive(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Server {
    pub fn new(source: &str, inbox: Inbox, limits: Limits, tls: Option<Arc<ServerConfig>>) -> Arc<Server> {
        Arc::new(Server {
            source: source.to_owned(),
            inbox,
            limits,
            tls: tls.map(TlsAcceptor::from),
            meter: Meter::new(source),
            run: Utc::now().format("%Y%m%dT%H%M%S%3f").to_string(),
            on_their_way: AtomicUsize::new(0),
            answers: AtomicU64::new(0),
        })
    }

    /// Serves until it is told to stop: then no new connections, and each one ends
    /// with the answer that is being made.
    pub async fn serve(self: Arc<Server>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let free = Arc::new(Semaphore::new(self.limits.connections));
        let mut connections = JoinSet::new();
        let mut number = 0u64;
        let mut logged: Option<Instant> = None;
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                Some(_) = connections.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            let may_log = logged.is_none_or(|at| at.elapsed() > LOGGED);
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    if may_log {
                        tracing::error!(source = self.source, %error, "connections cannot be accepted; is the limit of open files too low?");
                        logged = Some(Instant::now());
                    }
                    tokio::time::sleep(EXHAUSTED).await;
                    continue;
                }
            };
            let Ok(permit) = free.clone().try_acquire_owned() else {
                self.meter.refused("connections");
                if may_log {
                    tracing::warn!(source = self.source, max_connections = self.limits.connections, "a connection too many was closed");
                    logged = Some(Instant::now());
                }
                continue;
            };
            number += 1;
            let (server, stop) = (self.clone(), stop.clone());
            connections.spawn(async move {
                server.meter.connections.increment(1.0);
                server.connect(stream, number, stop).await;
                server.meter.connections.decrement(1.0);
                drop(permit);
            });
        }
        drop(listener);
        let ended = timeout(DRAIN, async { while connections.join_next().await.is_some() {} });
        if ended.await.is_err() {
            tracing::warn!(source = self.source, connections = connections.len(), "connections ended before they were answered");
            connections.shutdown().await;
        }
    }

    async fn connect(self: &Arc<Server>, stream: TcpStream, number: u64, stop: watch::Receiver<bool>) {
        // Answers are small and awaited.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return Connection::new(self, stream, number).run(stop).await;
        };
        match timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => Connection::new(self, stream, number).run(stop).await,
            Ok(Err(error)) => {
                self.meter.refused("handshake");
                tracing::warn!(source = self.source, connection = number, kind = ?error.kind(), "TLS handshake failed");
            }
            Err(_) => self.meter.refused("handshake"),
        }
    }
}
