//! A FHIR server on this machine whose content changes as a day goes on: read,
//! search by `_lastUpdated` with pages, history of a type, Bulk Data export, and
//! the ways in which servers are not there.

mod answer;
mod content;

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use tokio::runtime::Runtime;

use super::{Error, Pace};
use crate::day::Day;
use content::Content;

/// How a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Everything is answered with 503.
    Busy,
    /// Nothing is answered.
    Stalled,
}

/// A server, until it is dropped.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    /// `None`: connections are refused.
    runtime: Option<Runtime>,
}

struct Shared {
    day: Arc<Day>,
    base: String,
    mood: AtomicU8,
    content: Mutex<Content>,
}

impl Shared {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Listens; nothing of the day has happened yet. Port 0 is any that is free.
    ///
    /// Errors: the address cannot be listened on.
    pub fn start(day: Arc<Day>, address: &str) -> Result<Server, Error> {
        let failed = |source| Error::Address { address: address.to_owned(), source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let base = format!("http://{address}/fhir");
        let shared = Shared { day, base, mood: AtomicU8::new(0), content: Mutex::default() };
        let mut server = Server { shared: Arc::new(shared), address, runtime: None };
        server.serve(listener)?;
        Ok(server)
    }

    /// Base URL.
    pub fn base(&self) -> &str {
        &self.shared.base
    }

    /// Lets an event happen here.
    pub fn apply(&self, event: usize) {
        self.shared.content().apply(&self.shared.day, event);
    }

    /// Lets the whole day happen, at its pace.
    pub fn play(&self, speed: f64) {
        let pace = Pace::begin(speed);
        let first = self.shared.day.events().first().map(|event| event.at).unwrap_or_default();
        for (index, event) in self.shared.day.events().iter().enumerate() {
            std::thread::sleep(pace.wait(event.at - first));
            self.apply(index);
        }
    }

    pub fn mood(&self, mood: Mood) {
        let number = match mood {
            Mood::Well => 0,
            Mood::Busy => 1,
            Mood::Stalled => 2,
        };
        self.shared.mood.store(number, Ordering::Relaxed);
    }

    /// Cuts all connections and refuses new ones.
    pub fn down(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(std::time::Duration::from_secs(5));
        }
    }

    /// Listens again at the same address.
    ///
    /// Errors: somebody else has taken it.
    pub fn up(&mut self) -> Result<(), Error> {
        if self.runtime.is_some() {
            return Ok(());
        }
        let failed = |source| Error::Address { address: self.address.to_string(), source };
        // What was cut may still be on its way out.
        let mut tries = 0;
        let listener = loop {
            match TcpListener::bind(self.address) {
                Ok(listener) => break listener,
                Err(error) if tries >= 100 => return Err(failed(error)),
                Err(_) => std::thread::sleep(std::time::Duration::from_millis(20)),
            }
            tries += 1;
        };
        self.serve(listener)
    }

    fn serve(&mut self, listener: TcpListener) -> Result<(), Error> {
        let failed = |error: std::io::Error| Error::Runtime(error.to_string());
        listener.set_nonblocking(true).map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(failed)?;
        let app = Router::new().fallback(handle).with_state(self.shared.clone());
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(failed)?
        };
        // Ends with its runtime.
        runtime.spawn(async move { axum::serve(listener, app).await });
        self.runtime = Some(runtime);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.down();
    }
}

async fn handle(State(shared): State<Arc<Shared>>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    match shared.mood.load(Ordering::Relaxed) {
        0 => answer::answer(&shared.day, &shared.base, &mut shared.content(), &method, &uri, &headers),
        1 => answer::busy(),
        _ => {
            // Longer than anybody waits.
            tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
            answer::plain(StatusCode::GATEWAY_TIMEOUT)
        }
    }
}

#[cfg(test)]
mod tests;
