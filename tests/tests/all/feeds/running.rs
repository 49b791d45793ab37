//! The command while it listens.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::super::command::{binary, succeeds, text};

/// A pipeline in a folder of its own.
pub(super) struct Pipeline {
    pub file: PathBuf,
    pub out: PathBuf,
    log: PathBuf,
    /// Of `/readyz`.
    pub operations: u16,
    /// Variables of the environment of its runs.
    pub environment: Vec<(String, String)>,
}

impl Pipeline {
    /// Writes the pipeline file: these sources, small epochs, one key for all in the folder.
    pub fn new(folder: &Path, name: &str, sources: &[&str], settings: &str) -> Pipeline {
        let key = folder.join("key");
        if !key.exists() {
            succeeds(&["key", "new", text(&key)]);
        }
        let (file, out, log) = (folder.join(format!("{name}.toml")), folder.join(name), folder.join(format!("{name}.log")));
        let sources = sources.iter().map(|source| format!("{source:?}")).collect::<Vec<_>>().join(", ");
        let operations = free_port();
        let common = format!("[epoch]\nmax_documents = 12\npoll_seconds = 1\n[operations]\nlisten = \"127.0.0.1:{operations}\"");
        std::fs::write(&file, format!("sources = [{sources}]\nkey_file = {:?}\n{common}\n{settings}\n", text(&key))).unwrap();
        Pipeline { file, out, log, operations, environment: Vec::new() }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(binary());
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        command.args(["run", text(&self.file), "--out", text(&self.out)]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn start(&self) -> Running {
        Running { child: self.command().spawn().unwrap() }
    }

    /// Takes in all that has been received, or that a server has.
    pub fn once(&self) {
        let status = self.command().arg("--once").status().unwrap();
        assert!(status.success(), "run --once: {status}\n{}", self.log());
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// A run; killed when dropped.
pub(super) struct Running {
    child: Child,
}

impl Running {
    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM; it must end well.
    pub fn terminate(mut self, pipeline: &Pipeline) {
        assert!(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap().success());
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "it does not end on SIGTERM\n{}", pipeline.log());
            std::thread::sleep(Duration::from_millis(10));
        };
        assert!(status.success(), "{status}\n{}", pipeline.log());
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody listens on now.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Until the run says that it is ready.
pub(super) fn ready(running: &mut Running, pipeline: &Pipeline) {
    let begun = Instant::now();
    while !answers_well(pipeline.operations) {
        assert!(!running.ended(), "the run has ended\n{}", pipeline.log());
        assert!(begun.elapsed() < Duration::from_secs(60), "never ready\n{}", pipeline.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a run says that it is ready.
pub(super) fn answers_well(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut answer = String::new();
    let asked = stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    asked.and_then(|()| stream.read_to_string(&mut answer)).is_ok() && answer.starts_with("HTTP/1.1 200")
}

/// Until it holds.
pub(super) fn wait(what: &str, pipeline: &Pipeline, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(300), "{what}: waited in vain\n{}", pipeline.log());
        std::thread::sleep(Duration::from_millis(200));
    }
}
