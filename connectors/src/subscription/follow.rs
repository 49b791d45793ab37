//! The server that notifications come from, read when they come.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::fhir_rest::{self, Progress};
use crate::inbox::Inbox;
use crate::network::Service;
use crate::source::{SourceError, Start};

/// A poller that shares the inbox and looks whenever it is told to.
pub(super) struct Follower {
    _service: Service,
    wake: Arc<Notify>,
    progress: Arc<Progress>,
}

impl Follower {
    /// Begins to read the server.
    ///
    /// # Errors
    /// The address is none, or a secret cannot be read.
    pub fn start(
        server: &str,
        source: &str,
        settings: &fhir_rest::Settings,
        inbox: &Inbox,
        start: &Start<'_>,
    ) -> Result<Self, SourceError> {
        let poller = fhir_rest::poller(server, source, settings, inbox.clone(), start.spool)?;
        let (wake, progress) = (Arc::new(Notify::new()), Arc::new(Progress::default()));
        let (once, woken, told) = (start.once, wake.clone(), progress.clone());
        let service =
            Service::spawn(
                "fhir",
                move |stop| async move { if once { poller.once(stop, told).await } else { poller.run(stop, woken).await } },
            );
        Ok(Follower { _service: service.map_err(|error| SourceError::Spool { error })?, wake, progress })
    }

    /// What tells it to look.
    pub fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    /// How far a poller that looks once has come.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }
}
