//! The processes that read attachments, from outside: reused from one attachment to
//! the next, killed where one takes too long, replaced where one dies.

use std::env;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::mark::{Mark, Picture};
use crate::reading::Reading;
use crate::settings::Settings;
use crate::wire;
use crate::worker::{GREETING, MAX_MESSAGE, Request, answer, encode_settings};

/// Attachments after which a process is replaced: what its libraries never give
/// back is given back then.
const LIFE: u32 = 1_000;
/// How long a process may take to start.
const START: Duration = Duration::from_secs(30);

/// Processes that read attachments.
pub struct Pool {
    settings: Settings,
    program: PathBuf,
    arguments: Vec<String>,
    idle: Mutex<Vec<Process>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("program", &self.program).finish_non_exhaustive()
    }
}

struct Process {
    child: Child,
    input: ChildStdin,
    answers: Receiver<Vec<u8>>,
    served: u32,
}

impl Pool {
    /// Processes of a program that calls [`crate::serve`] when started with these arguments.
    pub fn new(settings: Settings, program: PathBuf, arguments: Vec<String>) -> Pool {
        Pool { settings, program, arguments, idle: Mutex::default() }
    }

    /// Processes of this very program, started with this argument, or of what
    /// `SILLAGE_WORKER` names.
    pub fn of_this_program(settings: Settings, argument: &str) -> Pool {
        if let Some(program) = env::var_os("SILLAGE_WORKER").filter(|p| !p.is_empty()) {
            return Pool::new(settings, program.into(), Vec::new());
        }
        // The file may have been replaced since the start.
        let program = if cfg!(target_os = "linux") { PathBuf::from("/proc/self/exe") } else { env::current_exe().unwrap_or_default() };
        Pool::new(settings, program, vec![argument.to_owned()])
    }

    /// How many attachments can be read at a time.
    pub fn width(&self) -> usize {
        match self.settings.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Reads an attachment; blocks until it is read.
    ///
    /// # Errors
    /// Why there is no text.
    pub fn read(&self, bytes: &[u8]) -> Result<Reading, Failure> {
        if bytes.len() > self.settings.max_bytes {
            return Err(Failure::TooLarge);
        }
        let answer = self.ask(&Request::Read(bytes.to_vec()))?;
        Reading::decode(&answer).ok_or(Failure::Crashed)
    }

    /// An attachment with marks on it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn mark(&self, bytes: &[u8], marks: &[Mark], picture: Picture) -> Result<Vec<u8>, Failure> {
        self.ask(&Request::Mark { bytes: bytes.to_vec(), marks: marks.to_vec(), picture })
    }

    fn ask(&self, request: &Request) -> Result<Vec<u8>, Failure> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut process = match idle {
            Some(process) => process,
            None => Process::start(self)?,
        };
        let answer = process.ask(request, &self.settings);
        let alive = !matches!(answer, Err(Failure::TimedOut | Failure::Crashed | Failure::NoWorker));
        if alive && process.served < LIFE {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(process);
        }
        answer
    }
}

impl Process {
    fn start(pool: &Pool) -> Result<Process, Failure> {
        let mut command = Command::new(&pool.program);
        command.args(&pool.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;
            // With what it starts itself, it can be killed as one.
            command.process_group(0);
        }
        let mut child = command.spawn().map_err(|_| Failure::NoWorker)?;
        let (Some(input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else { return Err(Failure::NoWorker) };
        let (send, answers) = mpsc::sync_channel(4);
        std::thread::spawn(move || forward(&mut output, &send));
        let mut process = Process { child, input, answers, served: 0 };
        if process.answers.recv_timeout(START).ok().as_deref() != Some(GREETING) {
            return Err(Failure::NoWorker);
        }
        wire::send(&mut process.input, &encode_settings(&pool.settings)).map_err(|_| Failure::NoWorker)?;
        Ok(process)
    }

    fn ask(&mut self, request: &Request, settings: &Settings) -> Result<Vec<u8>, Failure> {
        self.served += 1;
        wire::send(&mut self.input, &request.encode()).map_err(|_| Failure::Crashed)?;
        let mut until = Instant::now() + Duration::from_secs(settings.timeout_seconds.max(1));
        // A process that read hostile bytes does not get time without end by asking for it.
        let mut pages = settings.max_pages;
        loop {
            let mut answer = match self.answers.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(answer) => answer,
                Err(RecvTimeoutError::Timeout) => return Err(Failure::TimedOut),
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::Crashed),
            };
            match answer.first().copied() {
                Some(answer::RECOGNISING) if pages > 0 => {
                    pages -= 1;
                    until += Duration::from_secs(settings.recognition_seconds);
                }
                Some(answer::DONE) => {
                    answer.remove(0);
                    return Ok(answer);
                }
                Some(answer::FAILED) => {
                    let failure = answer.get(1).and_then(|number| Failure::ALL.get(usize::from(*number)));
                    return Err(failure.copied().unwrap_or(Failure::Crashed));
                }
                _ => return Err(Failure::Crashed),
            }
        }
    }
}

/// Hands on what a process says, until it ends.
fn forward(output: &mut impl Read, send: &mpsc::SyncSender<Vec<u8>>) {
    while let Ok(Some(answer)) = wire::receive(output, MAX_MESSAGE) {
        if send.send(answer).is_err() {
            return;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        #[cfg(unix)]
        {
            use nix::sys::signal::{Signal, killpg};
            use nix::unistd::Pid;
            // It may be gone already.
            if let Ok(id) = i32::try_from(self.child.id()) {
                let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// A process that greets as a worker does, and then does this.
    fn pool(then: &str) -> Pool {
        let script = format!("printf '\\017\\000\\000\\000\\000\\000\\000\\000sillage-pages 1'; {then}");
        let settings = Settings { timeout_seconds: 1, ..Settings::default() };
        Pool::new(settings, "/bin/sh".into(), vec!["-c".to_owned(), script])
    }

    #[test]
    fn a_process_that_hangs_is_killed() {
        let started = Instant::now();
        assert_eq!(pool("exec sleep 100").read(b"%PDF").err(), Some(Failure::TimedOut));
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_process_that_dies_costs_one_attachment() {
        assert_eq!(pool("head -c 20 > /dev/null; exit 3").read(b"%PDF").err(), Some(Failure::Crashed));
        assert_eq!(pool("head -c 20 > /dev/null; head -c 9000 /dev/zero").read(b"%PDF").err(), Some(Failure::Crashed));
    }

    #[test]
    fn a_program_that_is_no_worker_is_told_apart() {
        assert_eq!(Pool::new(Settings::default(), "/bin/false".into(), Vec::new()).read(b"%PDF").err(), Some(Failure::NoWorker));
        assert_eq!(Pool::new(Settings::default(), "/nowhere".into(), Vec::new()).read(b"%PDF").err(), Some(Failure::NoWorker));
        let small = Settings { max_bytes: 3, ..Settings::default() };
        assert_eq!(Pool::new(small, "/nowhere".into(), Vec::new()).read(b"%PDF").err(), Some(Failure::TooLarge));
    }
}
