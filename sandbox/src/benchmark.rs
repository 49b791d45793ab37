//! How fast the clinical library reads, beside EDS-NLP doing the same work on the
//! same texts, on the same machine, in the same run, one thread each.
//!
//! The work: sections, sentences, mentions with their codes and qualifiers,
//! temporal expressions; ours reads measurements on top. Loading the knowledge
//! is left out on both sides. On a machine that is shared the time on the
//! processor says more than the clock, so both are measured.

use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use sillage_clinical::analysis::Analysis;
use sillage_clinical::knowledge::Knowledge;
use sillage_schemas::Fault;
use thiserror::Error;

use crate::feed;
use crate::wrap::{Fields, lines};

const EDSNLP: &str = "edsnlp==0.23.0";
const SCRIPT: &str = include_str!("../benchmark/edsnlp_pipeline.py");
const WARM_UP: usize = 5;

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Input(#[from] feed::Error),
    #[error("{path} holds no text")]
    Empty { path: PathBuf },
    #[error("neither SILLAGE_CACHE, XDG_CACHE_HOME nor HOME says where EDS-NLP can be installed: give --edsnlp")]
    Cache,
    #[error("cannot start {program}: {source}")]
    Start { program: PathBuf, source: io::Error },
    #[error("{step} failed: {last}")]
    Step { step: &'static str, last: String },
    #[error("the EDS-NLP program wrote no measurement: {0}")]
    Measurement(serde_json::Error),
}

impl Error {
    pub fn fault(&self) -> Fault {
        match self {
            Error::Input(error) => error.fault(),
            Error::Empty { .. } => Fault::Input,
            Error::Cache => Fault::Configuration,
            Error::Start { .. } | Error::Step { .. } => Fault::Environment,
            Error::Measurement(_) => Fault::Internal,
        }
    }
}

/// A run over some texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Measure {
    pub documents: usize,
    pub bytes: u64,
    /// By the clock.
    pub seconds: f64,
    /// On the processor.
    pub cpu_seconds: f64,
}

impl Measure {
    fn documents_per_second(&self) -> f64 {
        self.documents as f64 / self.cpu_seconds
    }

    fn megabytes_per_second(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.cpu_seconds
    }

    fn add(&mut self, other: Measure) {
        self.documents += other.documents;
        self.bytes += other.bytes;
        self.seconds += other.seconds;
        self.cpu_seconds += other.cpu_seconds;
    }
}

/// What was found, so that the work cannot be left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub sentences: u64,
    pub entities: u64,
    pub negated: u64,
    pub dates: u64,
    #[serde(default)]
    pub measurements: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Ours, all texts.
    pub library: Measure,
    pub library_found: Found,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edsnlp: Option<Comparison>,
}

/// EDS-NLP on the first texts, and ours on the same, before and after it.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    pub version: String,
    pub python: String,
    pub pipes: Vec<String>,
    pub left_out: Vec<LeftOut>,
    pub edsnlp: Measure,
    pub edsnlp_found: Found,
    pub library: Measure,
    /// Bytes a second of ours over EDS-NLP's, processor time.
    pub ratio: f64,
    /// The same by the clock.
    pub ratio_clock: f64,
}

/// A pipe that could not be built.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LeftOut {
    pub pipe: String,
    pub reason: String,
}

#[derive(Debug, Deserialize)]
struct Measured {
    version: String,
    python: String,
    pipes: Vec<String>,
    left_out: Vec<LeftOut>,
    documents: usize,
    bytes: u64,
    seconds: f64,
    cpu_seconds: f64,
    found: Found,
}

/// Seconds this thread has spent on a processor; the clock where the system does not tell.
fn processor_seconds(start: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|t| t.split(' ').next().and_then(|n| n.parse::<f64>().ok()));
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |n| n / 1e9)
}

/// One pass of the library over texts.
pub fn read(knowledge: &Knowledge, texts: &[String]) -> (Measure, Found) {
    let start = Instant::now();
    let before = processor_seconds(start);
    let mut found = Found::default();
    for text in texts {
        let analysis = Analysis::new(knowledge, text, None);
        let entities = analysis.entities();
        found.sentences += analysis.sentences.len() as u64;
        found.entities += entities.len() as u64;
        found.negated += entities.iter().filter(|e| e.qualifiers.negated).count() as u64;
        found.dates += analysis.times().len() as u64;
        found.measurements += analysis.measurements().len() as u64;
    }
    let cpu_seconds = processor_seconds(start) - before;
    let bytes = texts.iter().map(|t| t.len() as u64).sum();
    (Measure { documents: texts.len(), bytes, seconds: start.elapsed().as_secs_f64(), cpu_seconds }, found)
}

/// Passes over the texts for at least half a second.
fn repeat(knowledge: &Knowledge, texts: &[String]) -> Measure {
    let mut total = Measure::default();
    while total.cpu_seconds < 0.5 && total.seconds < 20.0 {
        total.add(read(knowledge, texts).0);
    }
    total
}

/// How EDS-NLP is to be had.
#[derive(Debug, Clone)]
pub enum Peer {
    /// Only ours is timed.
    None,
    /// A virtual environment that is there, or is made and filled.
    Environment(PathBuf),
}

impl Peer {
    /// The environment in the cache folder.
    ///
    /// Errors: no variable names a folder.
    pub fn cached() -> Result<Peer, Error> {
        let variable = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let cache = variable("SILLAGE_CACHE")
            .or_else(|| variable("XDG_CACHE_HOME").map(|c| c.join("sillage")))
            .or_else(|| variable("HOME").map(|h| h.join(".cache/sillage")));
        cache.map(|c| Peer::Environment(c.join("edsnlp"))).ok_or(Error::Cache)
    }
}

/// Measures the library on all texts of a JSONL file, and EDS-NLP and the
/// library on the first `sample` of them.
///
/// Errors: an unreadable input; EDS-NLP that cannot be installed or run.
pub fn run(input: &Path, fields: &Fields, peer: &Peer, sample: usize) -> Result<Report, Error> {
    let texts = lines(input, fields)?.map(|line| line.map(|l| l.text)).collect::<Result<Vec<String>, _>>()?;
    if texts.is_empty() {
        return Err(Error::Empty { path: input.to_owned() });
    }
    let knowledge = Knowledge::built_in();
    read(knowledge, &texts[..WARM_UP.min(texts.len())]);
    let (library, library_found) = read(knowledge, &texts);
    let Peer::Environment(folder) = peer else { return Ok(Report { library, library_found, edsnlp: None }) };
    let python = environment(folder)?;
    let sample = &texts[..sample.clamp(1, texts.len())];
    let mut ours = repeat(knowledge, sample);
    let measured = edsnlp(&python, sample)?;
    ours.add(repeat(knowledge, sample));
    let Measured { version, python, pipes, left_out, documents, bytes, seconds, cpu_seconds, found } = measured;
    let theirs = Measure { documents, bytes, seconds, cpu_seconds };
    let clock = |m: &Measure| m.bytes as f64 / m.seconds;
    let comparison = Comparison {
        version,
        python,
        pipes,
        left_out,
        edsnlp: theirs,
        edsnlp_found: found,
        library: ours,
        ratio: ours.megabytes_per_second() / theirs.megabytes_per_second(),
        ratio_clock: clock(&ours) / clock(&theirs),
    };
    Ok(Report { library, library_found, edsnlp: Some(comparison) })
}

/// The interpreter of a virtual environment with EDS-NLP in it.
fn environment(folder: &Path) -> Result<PathBuf, Error> {
    let python = folder.join("bin/python");
    if !python.exists() {
        step("python3 -m venv", Command::new("python3").args(["-m", "venv"]).arg(folder), None)?;
    }
    let there = step("looking for EDS-NLP", Command::new(&python).args(["-c", "import edsnlp"]), None);
    if there.is_err() {
        step("pip install edsnlp", Command::new(&python).args(["-m", "pip", "install", "--quiet", EDSNLP]), None)?;
    }
    Ok(python)
}

fn edsnlp(python: &Path, texts: &[String]) -> Result<Measured, Error> {
    let mut sample = String::new();
    for text in texts {
        sample.push_str(&serde_json::Value::from(text.as_str()).to_string());
        sample.push('\n');
    }
    let mut command = Command::new(python);
    command.args(["-c", SCRIPT, "--warm-up", &WARM_UP.to_string()]);
    for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"] {
        command.env(variable, "1");
    }
    let written = step("the EDS-NLP program", &mut command, Some(&sample))?;
    serde_json::from_slice(&written).map_err(Error::Measurement)
}

/// Runs a command; its last words when it fails.
fn step(name: &'static str, command: &mut Command, input: Option<&str>) -> Result<Vec<u8>, Error> {
    let program = PathBuf::from(command.get_program());
    let start = |source| Error::Start { program: program.clone(), source };
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    let mut child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(start)?;
    if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
        // A program that ends early says why on its own.
        let _ = pipe.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(start)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("no reason given").trim().to_owned();
    Err(Error::Step { step: name, last })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, name: &str, m: &Measure| {
            writeln!(
                f,
                "{name:<28} {:>9} {:>10.2} {:>11.1} {:>9.3} {:>9.2} {:>9.2}",
                m.documents,
                m.bytes as f64 / 1e6,
                m.documents_per_second(),
                m.megabytes_per_second(),
                m.cpu_seconds,
                m.seconds
            )
        };
        writeln!(
            f,
            "{:<28} {:>9} {:>10} {:>11} {:>9} {:>9} {:>9}",
            "one thread", "documents", "MB", "documents/s", "MB/s", "cpu s", "clock s"
        )?;
        row(f, "sillage-clinical, all", &self.library)?;
        let Some(c) = &self.edsnlp else { return Ok(()) };
        row(f, "sillage-clinical, sample", &c.library)?;
        row(f, &format!("EDS-NLP {}, sample", c.version), &c.edsnlp)?;
        writeln!(f, "\nsillage-clinical reads {:.0} times as much text a second ({:.0} times by the clock)", c.ratio, c.ratio_clock)?;
        for out in &c.left_out {
            writeln!(f, "left out of EDS-NLP: {} ({})", out.pipe, out.reason)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_finds_something_and_takes_time() {
        let texts = vec!["Antécédents : HTA. Pas de diabète. Le 12/03/2024, TA 187/94.".to_owned(); 20];
        let (measure, found) = read(Knowledge::built_in(), &texts);
        assert_eq!((measure.documents, measure.bytes), (20, texts.iter().map(|t| t.len() as u64).sum()));
        assert!(found.sentences >= 40 && found.entities >= 40 && found.negated >= 20 && found.dates >= 20, "{found:?}");
        assert!(measure.seconds > 0.0);
    }

    #[test]
    fn a_step_that_fails_says_its_last_words() {
        let Err(error) = step("a step", Command::new("sh").args(["-c", "echo one >&2; echo why >&2; exit 3"]), None) else {
            panic!("the step passed")
        };
        assert_eq!(error.to_string(), "a step failed: why");
        assert_eq!(error.fault(), Fault::Environment);
        assert_eq!(step("cat", &mut Command::new("cat"), Some("abc")).unwrap(), b"abc");
    }

    #[test]
    fn the_programs_answer_is_read() {
        let line = r#"{"version":"1","python":"3","torch":false,"pipes":["a"],"left_out":[{"pipe":"b","reason":"c"}],"start_seconds":1.0,
            "documents":2,"bytes":10,"seconds":1.0,"cpu_seconds":0.5,"found":{"entities":1,"negated":0,"dates":1,"sentences":2}}"#;
        let measured: Measured = serde_json::from_str(line).unwrap();
        let measure =
            Measure { documents: measured.documents, bytes: measured.bytes, seconds: measured.seconds, cpu_seconds: measured.cpu_seconds };
        assert_eq!((measure.documents_per_second(), measured.left_out.len()), (4.0, 1));
    }
}
