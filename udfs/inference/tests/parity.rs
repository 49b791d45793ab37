//! The same tokens, offsets, labels, logits and spans as `transformers`, on nasty French
//! texts, for a BERT, a RoBERTa, a CamemBERT and a DeBERTa of random weights.
//!
//! `SILLAGE_TORCH_PYTHON` names a Python with torch, transformers and onnx, which makes
//! models and expectations (`sandbox/inference/parity.py`); or `SILLAGE_PARITY` names a
//! folder that it has made before. Without either the test is skipped, loudly.
//! `SILLAGE_PARITY_TEXTS` says how many texts (100; the whole measure is 1000).

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use sillage_inference::bare::Bare;
use sillage_inference::runtime::Runtime;
use sillage_inference::{Device, Models, Settings};

/// Logits may differ by so much: sums are made in another order.
const CLOSE: f32 = 1e-3;
const LABELS: usize = 7;

#[derive(Deserialize)]
struct Expected {
    text: String,
    ids: Vec<u32>,
    offsets: Vec<(usize, usize)>,
    special: Vec<u8>,
    labels: Vec<usize>,
    logits: Vec<f32>,
    spans: Vec<(usize, usize, String, f32)>,
}

fn folder() -> Option<(PathBuf, Option<tempfile::TempDir>)> {
    if let Some(made) = std::env::var_os("SILLAGE_PARITY") {
        return Some((made.into(), None));
    }
    let Some(python) = std::env::var_os("SILLAGE_TORCH_PYTHON").filter(|p| Path::new(p).is_file()) else {
        eprintln!("SKIPPED: SILLAGE_TORCH_PYTHON names no Python with torch, transformers and onnx");
        return None;
    };
    let made = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sandbox/inference/parity.py");
    let count = std::env::var("SILLAGE_PARITY_TEXTS").unwrap_or_else(|_| "100".to_owned());
    let status = Command::new(python).arg("-W").arg("ignore").arg(script).arg(made.path()).arg(count).status().unwrap();
    assert!(status.success(), "the script fails");
    Some((made.path().to_owned(), Some(made)))
}

/// Bytes of characters.
fn bytes(text: &str) -> Vec<usize> {
    text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect()
}

#[test]
fn models_say_what_transformers_says() {
    let Some((folder, _made)) = folder() else { return };
    if let Err(error) = Runtime::load(Path::new("")) {
        eprintln!("SKIPPED: {error}");
        return;
    }
    let settings = Settings { folder, device: Device::Cpu, batch_tokens: 1024, ..Settings::default() };
    let models = Models::new(settings.clone());
    let mut kinds = 0;
    for (name, model) in models.list() {
        let model_folder = model.unwrap();
        let lines = std::fs::read_to_string(model_folder.path.join("expected.jsonl")).unwrap();
        let expected: Vec<Expected> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert!(expected.len() > 30, "{name} has {} texts", expected.len());
        let mut bare = Bare::load(&model_folder, &settings).unwrap();
        let (mut tokens, mut furthest) = (0, 0f32);
        // Batches of several lengths: what is padded must not matter.
        for batch in expected.chunks(8) {
            let texts: Vec<&str> = batch.iter().map(|e| e.text.as_str()).collect();
            for (expected, (found, logits)) in batch.iter().zip(bare.logits(&texts).unwrap()) {
                let text = &expected.text;
                assert_eq!(found.ids, expected.ids, "{name}: tokens of {text:?}");
                let places = bytes(text);
                let offsets: Vec<_> = expected.offsets.iter().map(|(start, end)| places[*start]..places[*end]).collect();
                assert_eq!(found.ranges, offsets, "{name}: offsets of {text:?}");
                assert_eq!(logits.len(), expected.logits.len());
                for (token, (ours, theirs)) in logits.chunks(LABELS).zip(expected.logits.chunks(LABELS)).enumerate() {
                    let far = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                    assert!(far < CLOSE, "{name}: logits of token {token} of {text:?} differ by {far}");
                    furthest = furthest.max(far);
                    let best = (0..LABELS).max_by(|a, b| ours[*a].total_cmp(&ours[*b])).unwrap();
                    let mut sorted = theirs.to_vec();
                    sorted.sort_by(f32::total_cmp);
                    // Two labels as good as equal are no difference.
                    if sorted[LABELS - 1] - sorted[LABELS - 2] > 2.0 * CLOSE {
                        assert_eq!(best, expected.labels[token], "{name}: label of token {token} of {text:?}");
                    }
                    tokens += 1;
                }
            }
        }
        let tagger = models.tagger(&name).unwrap();
        let (mut compared, mut spans) = (0, 0);
        for (expected, found) in expected.iter().zip(tagger.spans(expected.iter().map(|e| e.text.as_str()))) {
            let found = found.unwrap();
            // transformers leaves out what a text spells like a special token.
            if expected.special.contains(&1) {
                continue;
            }
            let places = bytes(&expected.text);
            let trimmed = |(start, end, label, score): &(usize, usize, String, f32)| {
                let words = &expected.text[places[*start]..places[*end]];
                let start = places[*start] + words.len() - words.trim_start().len();
                (start, start + words.trim().len(), label.clone(), *score)
            };
            let theirs: Vec<_> = expected.spans.iter().map(trimmed).filter(|(start, end, ..)| start < end).collect();
            let ours: Vec<_> = found.iter().map(|f| (f.start, f.end, tagger.labels()[f.kind].clone(), f.score)).collect();
            let words = |spans: &[(usize, usize, String, f32)]| spans.iter().map(|(s, e, l, _)| (*s, *e, l.clone())).collect::<Vec<_>>();
            assert_eq!(words(&ours), words(&theirs), "{name}: spans of {:?}", expected.text);
            // Theirs is the probability of the one label, ours that of its kind: never less.
            assert!(ours.iter().zip(&theirs).all(|(a, b)| a.3 > b.3 - CLOSE), "{name}: scores of {:?}", expected.text);
            compared += 1;
            spans += theirs.len();
        }
        println!(
            "{name}: {} texts, {tokens} tokens, logits at most {furthest:.1e} apart; {spans} spans in {compared} texts the same",
            expected.len()
        );
        assert!(spans > 10, "{name} found nothing to compare");
        kinds += 1;
    }
    assert_eq!(kinds, 4, "every kind of model was compared");
}
