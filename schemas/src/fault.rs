//! Whose fault an error is, and so what the runner does with it.

/// Fault domain of an error. The runner decides from this alone between dead
/// letter, retry and stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The input is wrong: this message goes to `dead_letters`, the run goes on.
    Input,
    /// Command line or configuration is wrong: stop, exit code 2.
    Configuration,
    /// Disk, network, permissions: worth another try later.
    Environment,
    /// A defect of Sillage: stop and say so.
    Internal,
}

impl Fault {
    /// Whether the same call may succeed later without anything being changed.
    pub fn is_retryable(self) -> bool {
        matches!(self, Fault::Environment)
    }
}
