//! What a person sees of long work: a bar on a terminal, nothing otherwise.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Progress over the bytes of a source, with documents per second.
pub struct Progress {
    bar: ProgressBar,
    documents: u64,
}

impl Progress {
    /// A bar on a terminal; `quiet` and pipes get none.
    pub fn new(bytes: Option<u64>, quiet: bool) -> Progress {
        let bar = match bytes {
            Some(bytes) => ProgressBar::new(bytes),
            None => ProgressBar::new_spinner(),
        };
        if quiet || !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let template = if bytes.is_some() { "{bar:30} {percent:>3} %  {msg}  {eta} left" } else { "{spinner} {msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress { bar, documents: 0 }
    }

    /// Counts an epoch.
    pub fn add(&mut self, documents: u64, bytes: u64) {
        self.documents += documents;
        self.bar.inc(bytes);
        let seconds = self.bar.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_message(format!("{} documents, {:.0}/s", self.documents, self.documents as f64 / seconds));
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
