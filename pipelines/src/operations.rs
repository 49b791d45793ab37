//! What those who keep a run going look at: `/metrics` for Prometheus, `/healthz`
//! and `/readyz` for whoever restarts it.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::JoinHandle;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::Deserialize;
use tokio::sync::watch;

use crate::error::{Error, Result};

/// Upper bounds of the buckets of every duration, in seconds.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// `[operations]` of the pipeline file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `host:port` to answer on; empty: nowhere.
    pub listen: String,
}

/// How a run is.
#[derive(Debug, Default)]
pub struct Health(AtomicU8);

const STARTING: u8 = 0;
const READY: u8 = 1;
const FAILING: u8 = 2;

impl Health {
    /// Sources are read and tables written.
    pub fn ready(&self) {
        self.0.store(READY, Ordering::Relaxed);
    }

    /// Something outside fails; the run waits and tries again.
    pub fn failing(&self) {
        self.0.store(FAILING, Ordering::Relaxed);
    }

    fn answer(&self) -> (StatusCode, &'static str) {
        match self.0.load(Ordering::Relaxed) {
            STARTING => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
            READY => (StatusCode::OK, "ready\n"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "waiting to try again: see the log\n"),
        }
    }
}

/// The endpoint; it ends when this is dropped.
pub struct Operations {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Operations {
    /// Listens where the settings say, `None` where they say nowhere.
    ///
    /// Errors: the address is taken or is none of this machine.
    pub fn start(settings: &Settings, health: Arc<Health>) -> Result<Option<Operations>> {
        if settings.listen.is_empty() {
            return Ok(None);
        }
        let failed = |e: std::io::Error| Error::Configuration(format!("operations.listen = {:?}: {e}", settings.listen));
        let listener = TcpListener::bind(&settings.listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let metrics = recorder()?;
        let (stop, mut stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let thread = std::thread::Builder::new().name("operations".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                let end = async move {
                    // Fails where the run has ended: that is an end too.
                    let _ = stopped.wait_for(|stop| *stop).await;
                };
                if let Err(error) = axum::serve(listener, routes(metrics, health)).with_graceful_shutdown(end).await {
                    tracing::error!(%error, "metrics are not served any more");
                }
            });
        });
        Ok(Some(Operations { stop, thread: Some(thread.map_err(failed)?) }))
    }
}

impl Drop for Operations {
    fn drop(&mut self) {
        // Fails where the thread has ended by itself.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn routes(metrics: PrometheusHandle, health: Arc<Health>) -> Router {
    let text = [(CONTENT_TYPE, "text/plain; version=0.0.4")];
    Router::new()
        .route("/metrics", get(move || async move { (text, metrics.render()) }))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(move || async move { health.answer() }))
}

/// Installs what collects the numbers, once a process.
fn recorder() -> Result<PrometheusHandle> {
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS);
    let handle = builder
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|e| Error::Configuration(format!("operations: metrics cannot be collected: {e}")))?;
    describe_counter!("sillage_documents_total", "Documents committed");
    describe_counter!("sillage_dead_letters_total", "Inputs that could not be processed");
    describe_counter!("sillage_epochs_total", "Epochs committed to every table");
    describe_counter!("sillage_run_failures_total", "Times the run had to wait and try again");
    describe_histogram!("sillage_commit_seconds", Unit::Seconds, "Time to commit an epoch to every table");
    describe_gauge!("sillage_last_commit_timestamp_seconds", Unit::Seconds, "When the last epoch was committed");
    describe_counter!("sillage_messages_received_total", "Messages received, by source");
    describe_counter!("sillage_messages_acknowledged_total", "Messages answered, by source and code");
    describe_counter!("sillage_messages_refused_total", "Messages refused, by source and reason");
    describe_gauge!("sillage_inbox_waiting", "Messages received and not yet in the tables, by source");
    describe_gauge!("sillage_connections", "Open connections, by source");
    describe_histogram!("sillage_acknowledge_seconds", Unit::Seconds, "Time from a whole message to its answer, by source");
    Ok(handle)
}
