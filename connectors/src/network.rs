//! What the sources on the network share: a thread of their own to serve on.

pub(crate) mod tls;

use std::future::Future;
use std::io;
use std::thread::JoinHandle;

use tokio::sync::watch;

/// An asynchronous service on a thread of its own, so that the work of the stages
/// never delays an answer. Dropping it tells the service to stop and waits until it has.
pub(crate) struct Service {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    /// Runs what `serve` makes, with the flag that tells it to stop.
    pub fn spawn<F, S>(name: &str, serve: S) -> io::Result<Service>
    where
        S: FnOnce(watch::Receiver<bool>) -> F + Send + 'static,
        F: Future<Output = ()>,
    {
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || runtime.block_on(serve(stopped)))?;
        Ok(Service { stop, thread: Some(thread) })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Fails where the service has ended by itself.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            // A panic in it has been logged by the hook.
            let _ = thread.join();
        }
    }
}
