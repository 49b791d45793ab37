//! Models of `tests/models` through ONNX Runtime; skipped, loudly, where it is not installed.

use std::path::{Path, PathBuf};

use sillage_inference::text_model::TextModel;
use sillage_inference::{Device, ModelError, Models, Settings, runtime::Runtime};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/models")
}

/// The models, or none where nothing can run them.
fn models(change: impl FnOnce(&mut Settings)) -> Option<Models> {
    let mut settings = Settings { folder: folder(), device: Device::Cpu, threads: 1, ..Settings::default() };
    change(&mut settings);
    if let Err(error) = Runtime::load(&settings.runtime) {
        eprintln!("SKIPPED: {error}");
        return None;
    }
    Some(Models::new(settings))
}

/// `words|label` of each text, or the reason.
fn tags(model: &TextModel, texts: &[&str]) -> Vec<Result<Vec<String>, String>> {
    let found = model.spans(texts.iter().copied());
    assert_eq!(found.len(), texts.len());
    let name =
        |text: &str, span: &sillage_inference::label::Found| format!("{}|{}", &text[span.start..span.end], model.labels()[span.kind]);
    texts.iter().zip(found).map(|(text, spans)| spans.map(|spans| spans.iter().map(|s| name(text, s)).collect())).collect()
}

fn said(words: &[&str]) -> Result<Vec<String>, String> {
    Ok(words.iter().map(|w| (*w).to_owned()).collect())
}

#[test]
fn spans_have_the_offsets_of_the_text() {
    let Some(models) = models(|_| ()) else { return };
    let model = models.tagger("tiny-clinical").unwrap();
    let texts = ["Évolution d’une Maladie de\u{a0}Korvath traitée par Zorbaxine\r\n😀, œdème, ZOZOTEMENT.", "", "   ", "rien", "HTA,HTA"];
    assert_eq!(
        tags(&model, &texts),
        [
            said(&["Maladie de\u{a0}Korvath|DISORDER", "Zorbaxine|DRUG", "ZOZOTEMENT|SIGN"]),
            said(&[]),
            said(&[]),
            said(&[]),
            said(&["HTA|DISORDER", "HTA|DISORDER"]),
        ]
    );
    let spans = model.spans(["HTA"]).remove(0).unwrap();
    assert!(spans[0].score > 0.9 && spans[0].score <= 1.0, "{}", spans[0].score);
}

#[test]
fn long_texts_lose_nothing_where_windows_meet() {
    let Some(models) = models(|s| s.batch_tokens = 40) else { return };
    let model = models.tagger("tiny-clinical").unwrap();
    let sentence = "Patient vu ce jour pour maladie de Korvath sous zorbaxine. ";
    for length in [1, 2, 3, 40, 400] {
        let text = sentence.repeat(length);
        let found = tags(&model, &[&text]).remove(0).unwrap();
        assert_eq!(found.len(), 2 * length);
        assert!(found.chunks(2).all(|pair| pair == ["maladie de Korvath|DISORDER", "zorbaxine|DRUG"]), "{found:?}");
    }
    // No sentence ends anywhere, no space parts the words.
    let text = "mot,".repeat(500) + "hta" + &",mot".repeat(500);
    assert_eq!(tags(&model, &[&text]), [said(&["hta|DISORDER"])]);
    let text = "x".repeat(50_000);
    assert_eq!(tags(&model, &[&text]), [said(&[])]);
}

#[test]
fn a_text_on_which_the_model_fails_fails_alone() {
    let Some(models) = models(|_| ()) else { return };
    let model = models.tagger("tiny-clinical").unwrap();
    let found = tags(&model, &["HTA.", "nonnombre", "horslimite", "migraine"]);
    assert_eq!(found[0], said(&["HTA|DISORDER"]));
    assert!(found[1].as_ref().unwrap_err().contains("no number"), "{:?}", found[1]);
    assert!(!found[2].as_ref().unwrap_err().is_empty());
    assert_eq!(found[3], said(&["migraine|DISORDER"]));
}

#[test]
fn many_callers_share_a_model() {
    let Some(models) = models(|s| s.sessions = 2) else { return };
    let model = models.tagger("tiny-clinical").unwrap();
    assert!(model.device.contains("2 × CPU, 1 thread"), "{}", model.device);
    std::thread::scope(|scope| {
        for caller in 0..8 {
            let model = &model;
            scope.spawn(move || {
                let texts: Vec<String> = (0..100).map(|i| format!("{} hta", "mot ".repeat((i * 7 + caller) % 40))).collect();
                for spans in model.spans(texts.iter().map(String::as_str)) {
                    assert_eq!(spans.unwrap().len(), 1);
                }
            });
        }
    });
}

#[test]
fn vectors_are_means_of_unit_length() {
    let Some(models) = models(|_| ()) else { return };
    let model = models.embedding("tiny-embedding").unwrap();
    let found = model.vectors(["AVC ischémique", "migraine", ""]);
    let vector = found[0].as_ref().unwrap();
    let expected = [2.0 / 5f32.sqrt(), 1.0 / 5f32.sqrt(), 0.0];
    assert!(vector.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{vector:?}");
    assert_eq!(found[1].as_ref().unwrap(), &[0.0, 0.0, 1.0]);
    assert_eq!(found[2].as_ref().unwrap(), &[0.0; 3]);
}

#[test]
fn rows_are_predicted() {
    let Some(models) = models(|_| ()) else { return };
    let model = models.tabular("tiny-risk").unwrap();
    let found = model.predict(&[vec![Some(70.0), Some(0.0)], vec![Some(80.0), Some(20.0)], vec![None, Some(3.0)]]).unwrap();
    let (even, sure) = (found[0].as_ref().unwrap(), found[1].as_ref().unwrap());
    assert!((even.value - 0.5).abs() < 1e-5, "{even:?}");
    assert_eq!((sure.label.as_deref(), sure.probabilities.len()), (Some("yes"), 2));
    assert!((sure.value - 1.0 / (1.0 + (-11f32).exp())).abs() < 1e-5, "{sure:?}");
    assert_eq!(found[2], None);
}

#[test]
fn models_are_found_by_name_and_task() {
    let Some(models) = models(|_| ()) else { return };
    let Err(error) = models.tagger("tiny-clinic") else { panic!("an unknown model was loaded") };
    assert!(matches!(error, ModelError::Unknown { .. }) && error.to_string().contains("`tiny-clinical`"), "{error}");
    let Err(error) = models.tagger("tiny-risk") else { panic!("a tabular model tags") };
    assert!(error.to_string().contains("is for tabular"), "{error}");
    let Err(error) = models.get("../models") else { panic!("a path was taken for a name") };
    assert!(matches!(error, ModelError::Unknown { .. }), "{error}");
    assert_eq!(models.list().iter().filter(|(_, folder)| folder.is_ok()).count(), 4);
}

#[test]
fn a_device_that_is_not_there_is_said_not_to_be_there() {
    let Some(models) = models(|s| s.device = Device::Cuda) else { return };
    if Runtime::load(&models.settings().runtime).is_ok_and(|r| r.has_cuda()) {
        eprintln!("SKIPPED: this ONNX Runtime has CUDA");
        return;
    }
    let Err(error) = models.tagger("tiny-clinical") else { panic!("CUDA was found") };
    assert!(error.to_string().contains("asks for CUDA"), "{error}");
}

#[test]
fn pieces_that_do_not_fit_are_named() {
    let Some(models) = models(|_| ()) else { return };
    let root = tempfile::tempdir().unwrap();
    let broken = |change: &dyn Fn(&Path)| {
        let path = root.path().join("broken");
        std::fs::create_dir_all(&path).unwrap();
        for file in ["model.toml", "model.onnx", "tokenizer.json"] {
            std::fs::copy(folder().join("tiny-clinical").join(file), path.join(file)).unwrap();
        }
        change(&path);
        let settings = Settings { folder: root.path().to_owned(), ..models.settings().clone() };
        match Models::new(settings).get("broken") {
            Ok(_) => panic!("a broken folder was loaded"),
            Err(error) => error.to_string(),
        }
    };
    let edit = |path: &Path, from: &str, to: &str| {
        let file = path.join("model.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from));
        std::fs::write(file, text.replace(from, to)).unwrap();
    };
    let error = broken(&|path| edit(path, ", \"I-SIGN\"", ""));
    assert!(error.contains("has 7 numbers, model.toml says 6"), "{error}");
    let error = broken(&|path| edit(path, "max_length = 16", "max_length = 16\ntoken_type_ids = true"));
    assert!(error.contains("token_type_ids"), "{error}");
    let error = broken(&|path| std::fs::write(path.join("model.onnx"), "no graph").unwrap());
    assert!(error.contains("model.onnx has SHA-256"), "{error}");
    let error = broken(&|path| {
        std::fs::write(path.join("model.onnx"), "no graph").unwrap();
        let text = std::fs::read_to_string(path.join("model.toml")).unwrap();
        std::fs::write(path.join("model.toml"), text.split("[sha256]").next().unwrap()).unwrap();
    });
    assert!(error.contains("model.onnx on CPU"), "{error}");
    let error = broken(&|path| std::fs::remove_file(path.join("tokenizer.json")).unwrap());
    assert!(error.contains("tokenizer.json is missing"), "{error}");
}
