//! The messages of the French profile that its authors published (read by path, not
//! ours to keep): in order, reversed, doubled and interleaved they end the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sillage_sandbox::day::players::Progress;
use sillage_sandbox::day::players::mllp::{self, Outgoing};

use super::running::{Pipeline, free_port, ready};
use super::tables::rows;

/// The messages by name, without answers; `None` where the samples are not there.
pub(super) fn samples() -> Option<Vec<(String, Vec<u8>)>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/feeds/hl7v2");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("SKIPPED: no samples in {}", folder.display());
        return None;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "hl7") && !path.to_string_lossy().contains(".ack."));
    paths.sort();
    assert!(paths.len() >= 8, "samples are missing in {}", folder.display());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    Some(paths.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect())
}

/// Sends messages and gives the status of every document.
fn delivered(folder: &Path, name: &str, messages: &[Vec<u8>], connections: usize) -> BTreeMap<String, String> {
    let port = free_port();
    let pipeline = Pipeline::new(folder, name, &[&format!("mllp://127.0.0.1:{port}")], "");
    let mut run = pipeline.start();
    ready(&mut run, &pipeline);
    let progress = Progress::default();
    let options = mllp::Options { connections, ..mllp::Options::new(format!("127.0.0.1:{port}")) };
    // All of them have the same control id.
    let make = |index: usize| Outgoing { id: "015".into(), bytes: messages[index].clone() };
    mllp::send(&|index| (index < messages.len()).then_some(Duration::ZERO), &make, &options, &progress).unwrap();
    let report = progress.report();
    assert_eq!((report.acknowledged, report.refused), (messages.len(), 0), "{name}: every sample is taken\n{}", pipeline.log());
    run.terminate(&pipeline);
    pipeline.once();
    // One of them holds a page that no text can be read from.
    let letters = rows(&pipeline.out, "select reason, detail from dead_letters where reason <> 'unsupported_content_type'");
    assert!(letters.is_empty(), "{name}: {letters:?}");
    let of = |row: &serde_json::Value, column: &str| row[column].as_str().unwrap_or_default().to_owned();
    let found = rows(&pipeline.out, "select source_document_id as id, status from source_documents");
    found.iter().map(|row| (of(row, "id"), of(row, "status"))).collect()
}

#[test]
fn the_samples_end_the_same_in_every_order() {
    let Some(samples) = samples() else { return };
    let folder = tempfile::tempdir().unwrap();
    let straight: Vec<Vec<u8>> = samples.into_iter().map(|(_, bytes)| bytes).collect();
    let reversed: Vec<Vec<u8>> = straight.iter().rev().cloned().collect();
    let doubled: Vec<Vec<u8>> = straight.iter().flat_map(|message| [message.clone(), message.clone()]).collect();
    let interleaved: Vec<Vec<u8>> = straight.iter().zip(&reversed).flat_map(|(one, other)| [one.clone(), other.clone()]).collect();
    let expected = delivered(folder.path(), "straight", &straight, 1);
    let status = |end: &str| {
        let mut found = expected.iter().filter(|(id, _)| id.ends_with(end)).map(|(_, status)| status.as_str());
        let only = found.next().unwrap_or("not there");
        assert_eq!(found.next(), None, "{end}: {expected:#?}");
        only
    };
    assert_eq!(status(".A71024000081"), "superseded", "T10 has taken its place: {expected:#?}");
    assert_eq!(status(".A71024000082"), "entered-in-error", "T04 with D has withdrawn it: {expected:#?}");
    assert_eq!(status("2638"), "current");
    for (name, messages, connections) in
        [("reversed", &reversed, 1), ("doubled", &doubled, 1), ("interleaved", &interleaved, 1), ("together", &doubled, 4)]
    {
        assert_eq!(delivered(folder.path(), name, messages, connections), expected, "{name}");
    }
}
