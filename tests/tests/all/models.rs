//! Learned models: folders, SQL, and votes in a pipeline. Skipped, loudly, where ONNX
//! Runtime is not installed.

use std::path::{Path, PathBuf};

use super::command::{sillage, stderr, succeeds, text, value};

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models")
}

/// Whether models can be run here.
fn runtime() -> bool {
    let out = sillage(&["model", "check", "tiny-clinical", "--models", text(&models())]);
    let installed = out.status.success();
    if !installed {
        let said = stderr(&out);
        assert!(said.contains("ONNX Runtime is not installed"), "{said}");
        eprintln!("SKIPPED: {said}");
    }
    installed
}

/// A feed of notes about one patient, `d1`, `d2`, … in order.
fn feed(folder: &Path, notes: &[&str]) -> PathBuf {
    let path = folder.join("feed");
    std::fs::create_dir_all(&path).unwrap();
    let patient = r#"{"resourceType":"Patient","id":"p1","name":[{"family":"TRÉVIDOUX","given":["Maïlys"]}],"birthDate":"1951-03-07"}"#;
    std::fs::write(path.join("Patient.ndjson"), format!("{patient}\n")).unwrap();
    let document = |(at, note): (usize, &&str)| {
        let data = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, note);
        serde_json::json!({
            "resourceType": "DocumentReference", "id": format!("d{}", at + 1), "status": "current", "date": "2024-05-31T08:15:00+02:00",
            "subject": {"reference": "Patient/p1"},
            "content": [{"attachment": {"contentType": "text/plain; charset=utf-8", "data": data}}],
        })
        .to_string()
    };
    let lines: Vec<String> = notes.iter().enumerate().map(document).collect();
    std::fs::write(path.join("DocumentReference.ndjson"), lines.join("\n") + "\n").unwrap();
    path
}

/// A pipeline file beside the key of all runs of a folder.
fn pipeline(folder: &Path, name: &str, settings: &str) -> PathBuf {
    let key = folder.join("key");
    if !key.exists() {
        succeeds(&["key", "new", text(&key)]);
    }
    let file = folder.join(format!("{name}.toml"));
    let head = format!("key_file = {:?}\n[models]\nfolder = {:?}\ndevice = \"cpu\"\n", text(&key), text(&models()));
    std::fs::write(&file, head + settings).unwrap();
    file
}

fn run(folder: &Path, name: &str, settings: &str, feed: &Path) -> PathBuf {
    let out = folder.join(name);
    succeeds(&["run", text(&pipeline(folder, name, settings)), "--source", text(feed), "--out", text(&out), "--once"]);
    out
}

fn rows(out: &Path, sql: &str) -> String {
    succeeds(&["sql", "--out", text(out), "-c", sql, "--format", "csv"])
}

const NOTES: &[&str] = &[
    "Maladie de Korvath connue, sous zorbaxine. Pas de fibrobulbose. Vu avec quillandre, HTA.",
    "Migraine ce matin. Le suivi se fera avec ewaldine.",
];

#[test]
fn models_vote_beside_the_rules() {
    if !runtime() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let feed = feed(folder.path(), NOTES);
    let alone = run(folder.path(), "alone", "", &feed);
    let hybrid = run(folder.path(), "hybrid", "clinical = \"tiny-clinical\"\nphi = \"tiny-phi\"\nlexicon_score = 0.9\n", &feed);

    let mentions = "select text, label, negated, detector, round(detector_score, 2) as score from entities order by document_id, start";
    let (before, after) = (rows(&alone, mentions), rows(&hybrid, mentions));
    assert!(!before.contains("Korvath") && before.contains("HTA"), "{before}");
    assert!(after.contains("Maladie de Korvath,DISORDER,false,model:tiny-clinical,"), "{after}");
    assert!(after.contains("fibrobulbose,DISORDER,true,model:tiny-clinical,"), "{after}");
    let both = after.lines().find(|l| l.starts_with("HTA,")).unwrap();
    // 1 - (1 - 0.9)(1 - 0.92)
    assert!(both.ends_with("+model:tiny-clinical,0.99"), "{both}");
    // What two models contradict each other on is no name: the lexicon and the surer model say medicine.
    let spans = rows(&hybrid, "select text, label, detector from restricted.phi_spans order by text");
    assert!(spans.contains("quillandre,NOM,model:tiny-phi") && spans.contains("ewaldine,PRENOM,model:tiny-phi"), "{spans}");
    assert!(!spans.to_lowercase().contains("migraine"), "{spans}");
    let left = rows(&hybrid, "select text from documents");
    assert!(!left.contains("quillandre") && !left.contains("ewaldine") && left.contains("Migraine"), "{left}");
    let used = rows(
        &hybrid,
        "select m.name as name, m.licence as licence, length(m.sha256) as digits from (select unnest(models) as m from runs) order by 1",
    );
    assert_eq!(used, "name,licence,digits\ntiny-clinical,Apache-2.0,64\ntiny-phi,Apache-2.0,64\n");
    assert_eq!(rows(&alone, "select cardinality(models) as n from runs"), "n\n0\n");
}

#[test]
fn what_a_model_fails_on_is_a_dead_letter_and_the_run_goes_on() {
    if !runtime() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let feed = feed(folder.path(), &["HTA.", "nonnombre", "Migraine.", "horslimite"]);
    let out = run(folder.path(), "out", "clinical = \"tiny-clinical\"\n", &feed);
    let letters = rows(&out, "select reason, detail, payload from dead_letters order by detail");
    assert_eq!(letters.lines().filter(|l| l.starts_with("model_failed,") && l.contains("tiny-clinical: ")).count(), 2, "{letters}");
    assert!(letters.contains("no number") && !letters.contains("nonnombre"), "{letters}");
    assert_eq!(rows(&out, "select text from documents order by 1"), "text\nHTA.\nMigraine.\n");
    // All of a feed: still no reason to end the run.
    let feed = self::feed(folder.path(), &["nonnombre", "nonnombre hta"]);
    let out = run(folder.path(), "none", "clinical = \"tiny-clinical\"\n", &feed);
    assert_eq!(value(&out, "select count(*) from dead_letters where reason = 'model_failed'"), "2");
    assert_eq!(value(&out, "select count(*) from documents where text is not null"), "0");
}

#[test]
fn queries_name_models() {
    if !runtime() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = pipeline(folder.path(), "sql", "clinical = \"tiny-clinical\"\nphi = \"tiny-phi\"\n");
    let ask = |sql: &str| succeeds(&["sql", "--pipeline", text(&file), "-c", sql, "--format", "csv"]);
    let found = ask(
        "select e.start as start, e.\"end\" as \"end\", e.text as text, e.label as label, round(e.score, 2) as score from (select unnest(model_entities(t, 'tiny-clinical')) as e \
         from (values ('😀 œdème, Maladie de Korvath'), (''), (null)) as v(t))",
    );
    assert_eq!(found, "start,end,text,label,score\n9,27,Maladie de Korvath,DISORDER,0.92\n");
    assert_eq!(ask("select model_entities(null, 'tiny-clinical') is null as n"), "n\ntrue\n");
    assert!(ask("select arrow_typeof(embed('AVC', 'tiny-embedding')) as t").contains("FixedSizeList"));
    assert_eq!(ask("select embed('migraine', 'tiny-embedding') as v"), "v\n\"[0.0,0.0,1.0]\"\n");
    let predicted = ask(
        "select p['label'] as label, round(p['value'], 3) as value from (select predict('tiny-risk', named_struct('nihss', 20, 'age', a)) as p from (values (80), (null)) as v(a))",
    );
    assert_eq!(predicted, "label,value\nyes,1.0\n,\n");
    // The pipeline's models vote in the functions too.
    let hidden = ask("select deidentify('vu avec quillandre')['text'] as t");
    assert_eq!(hidden, "t\nvu avec <NOM>\n");
    assert!(ask("select e.detector from (select unnest(entities('maladie de Korvath')) as e)").contains("model:tiny-clinical"));

    for (sql, expected) in [
        ("select model_entities('HTA', 'tiny-clinic')", "`tiny-clinical`"),
        ("select model_entities('HTA', 'tiny-risk')", "is for tabular"),
        ("select model_entities('nonnombre', 'tiny-clinical')", "fails on 1 of 1 texts"),
        ("select embed('HTA', 'tiny-clinical')", "makes no vectors"),
        ("select predict('tiny-risk', named_struct('age', 3))", "needs the feature `nihss`"),
    ] {
        let out = sillage(&["sql", "--pipeline", text(&file), "-c", sql]);
        let said = stderr(&out);
        assert!(!out.status.success() && said.contains(expected), "{sql}: {said}");
        assert!(!said.contains("nonnombre"), "{said}");
    }
}

#[test]
fn folders_are_taken_in_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (place, from) = (folder.path().join("models"), folder.path().join("exported"));
    std::fs::create_dir(&from).unwrap();
    for file in ["model.onnx", "tokenizer.json"] {
        std::fs::copy(models().join("tiny-phi").join(file), from.join(file)).unwrap();
    }
    let refused = |arguments: &[&str], expected: &str| {
        let out = sillage(arguments);
        let said = stderr(&out);
        assert_eq!(out.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said} does not name {expected}");
    };
    let add = ["model", "add", text(&from), "--name", "ours", "--models", text(&place)];
    refused(&add, "config.json");
    let labels = r#"{"0":"O","1":"B-NOM","2":"I-NOM","3":"B-PRENOM","4":"I-PRENOM","5":"B-VILLE","6":"I-VILLE"}"#;
    let config = format!(r#"{{"architectures":["BertForTokenClassification"],"max_position_embeddings":16,"id2label":{labels}}}"#);
    std::fs::write(from.join("config.json"), config).unwrap();
    refused(&add, "--licence");
    let add = [add.as_slice(), &["--licence", "MIT", "--source", "a test", "--role", "phi"]].concat();
    succeeds(&add);
    refused(&add, "is there already");
    let manifest = std::fs::read_to_string(place.join("ours/model.toml")).unwrap();
    assert!(manifest.contains("scheme = \"BIO\"") && manifest.contains("[sha256]"), "{manifest}");
    let listed = succeeds(&["model", "list", "--models", text(&place)]);
    assert!(listed.contains("ours") && listed.contains("token-classification") && listed.contains("MIT"), "{listed}");
    if runtime() {
        let checked = succeeds(&["model", "check", "ours", "--models", text(&place), "--device", "cpu"]);
        assert!(checked.contains("QUILLANDRE") && checked.contains("device     CPU"), "{checked}");
        let measured = succeeds(&["model", "bench", "ours", "--models", text(&place), "--texts", "16"]);
        assert!(measured.contains("ratio"), "{measured}");
    }
    std::fs::remove_file(place.join("ours/model.onnx")).unwrap();
    assert!(succeeds(&["model", "list", "--models", text(&place)]).contains("model.onnx is missing"));
    std::fs::copy(models().join("tiny-phi/model.onnx"), place.join("ours/model.onnx")).unwrap();
    sillage(&["model", "remove", "ours", "--models", text(&place)]);
    assert!(!place.join("ours").exists());
}

#[test]
fn a_pipeline_that_names_what_is_not_there_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let feed = feed(folder.path(), NOTES);
    for (settings, expected) in [
        ("phi = \"nobody\"\n", "there is no model `nobody`"),
        ("clinical = \"tiny-clinical\"\nruntime = \"/nowhere/libonnxruntime.so\"\n", "the configuration names /nowhere"),
        ("clinical_threshold = 3\n", "models.clinical_threshold"),
        ("clinicl = \"x\"\n", "`models.clinical`"),
    ] {
        let file = pipeline(folder.path(), "wrong", settings);
        let out = sillage(&["run", text(&file), "--source", text(&feed), "--out", text(&folder.path().join("out")), "--once"]);
        let said = stderr(&out);
        assert_eq!(out.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said} does not name {expected}");
    }
    // Labels that mean nothing to us are no votes.
    if runtime() {
        let file = pipeline(folder.path(), "labels", "phi = \"tiny-clinical\"\n");
        let out = sillage(&["run", text(&file), "--source", text(&feed), "--out", text(&folder.path().join("out")), "--once"]);
        assert!(stderr(&out).contains("is no label of ours"), "{}", stderr(&out));
    }
}
