//! After an erasure no file of the output folder holds anything the person is known
//! by: every file is read, tables and what lies beside them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use sillage_sandbox::day::players::server::Server;

use super::super::command::{succeeds, text};
use super::played::{POLLING, day};
use super::running::Pipeline;
use super::tables::rows;

/// Files below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// What is in a file: its bytes, and the values of a table's file.
fn contents(path: &Path) -> Vec<u8> {
    let mut bytes = fs::read(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "parquet") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let values = runtime.block_on(async {
            let rows = SessionContext::new().read_parquet(text(path), ParquetReadOptions::default()).await.unwrap();
            arrow::util::pretty::pretty_format_batches(&rows.collect().await.unwrap()).unwrap().to_string()
        });
        bytes.extend(values.into_bytes());
    }
    bytes
}

/// A word as it stands, and within the base64 of a longer text.
fn shapes(word: &str) -> Vec<Vec<u8>> {
    let mut shapes = vec![word.as_bytes().to_vec()];
    for before in 0..3 {
        let encoded = STANDARD.encode([&[0; 2][..before.min(2)], word.as_bytes()].concat());
        shapes.push(encoded.as_bytes()[(8 * before).div_ceil(6)..8 * (before + word.len()) / 6].to_vec());
    }
    shapes
}

/// Where in the folder one of these words is.
fn found(out: &Path, words: &BTreeSet<String>) -> BTreeSet<String> {
    let (mut paths, mut found) = (Vec::new(), BTreeSet::new());
    files(out, &mut paths);
    assert!(paths.len() > 30, "{}", paths.len());
    for path in &paths {
        let bytes = contents(path);
        for word in words {
            for (number, shape) in shapes(word).iter().enumerate() {
                if memchr::memmem::find(&bytes, shape).is_some() {
                    let how = if number == 0 { "" } else { " in base64" };
                    found.insert(format!("{} holds one of {} bytes{how}", path.strip_prefix(out).unwrap().display(), word.len()));
                }
            }
        }
    }
    found
}

/// The words of a query, with what follows the last `|` of each.
fn words(out: &Path, sql: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for row in rows(out, sql) {
        let word = row["word"].as_str().unwrap_or_default();
        words.extend(word.rsplit('|').next().map(str::to_owned));
    }
    words
}

#[test]
fn no_file_holds_an_identifier_of_an_erased_person() {
    let folder = tempfile::tempdir().unwrap();
    let day = day(41);
    let server = Server::start(day.clone(), "127.0.0.1:0").unwrap();
    server.play(0.0);
    let (source, name) = (folder.path().join("source"), format!("fhir+{}", server.base()));
    fs::create_dir(&source).unwrap();
    fs::write(source.join("0.ndjson"), "{\"resourceType\":\"Patient\",\"id\":\"elsewhere\"}\n").unwrap();
    let settings = format!("{POLLING}\ndeletions = \"sweep\"");
    let pipeline = Pipeline::new(folder.path(), "erased", &[name.as_str(), text(&source)], &settings);
    pipeline.once();
    let out = &pipeline.out;
    let whose = "select i.source_patient_id as word, count(*) as n from source_documents d join identities i on i.patient_id = d.patient_id \
                 where d.status = 'current' group by 1 order by n desc, word limit 1";
    let patient = rows(out, whose)[0]["word"].as_str().unwrap().to_owned();
    // Messages that wait, and dead letters, name the person too: plainly and within base64.
    let number = words(out, &format!("select identifiers[1] as word from identities where source_patient_id = '{patient}'"));
    let number = number.first().unwrap();
    let subject = serde_json::json!({"reference": format!("Patient/{patient}")});
    let broken = serde_json::json!({"resourceType": "DocumentReference", "id": "broken1", "subject": subject, "content": []});
    let other = serde_json::json!({"resourceType": "DocumentReference", "id": "broken2", "subject": subject,
        "content": [{"attachment": {"contentType": "text/plain", "data": "###"}}]});
    let quoted = serde_json::json!({"resourceType": "DocumentReference", "id": "broken3",
        "content": [{"attachment": {"contentType": "image/png", "data": STANDARD.encode(format!("vu avec {number} en salle"))}}]});
    fs::write(source.join("a.ndjson"), format!("{broken}\n{other}\n{quoted}\n")).unwrap();
    pipeline.once();
    succeeds(&["dead-letters", "replay", "--out", text(out), "--reason", "missing_attachment"]);

    let family = format!(
        "(select patient_id from identities where source_patient_id = '{patient}' or merged_into = '{patient}' \
         or source_patient_id in (select merged_into from identities where source_patient_id = '{patient}'))"
    );
    let theirs = words(
        out,
        &format!(
            "select source_patient_id as word from identities where patient_id in {family} \
             union select unnest(identifiers) from identities where patient_id in {family} \
             union select patient_id from identities where patient_id in {family} \
             union select source_document_id from source_documents where patient_id in {family} \
             union select document_id from source_documents where patient_id in {family}"
        ),
    );
    let others = words(
        out,
        &format!(
            "select source_patient_id as word from identities where patient_id not in {family} \
             union select unnest(identifiers) from identities where patient_id not in {family} \
             union select source_document_id from source_documents where patient_id is null or patient_id not in {family}"
        ),
    );
    let texts = words(out, &format!("select text as word from source_documents where patient_id is null or patient_id not in {family}"));
    // Another's document may name the person: it stays, and the proof says so.
    let quoted: BTreeSet<String> =
        theirs.iter().filter(|word| word.len() >= 6 && texts.iter().any(|t| t.contains(*word))).cloned().collect();
    // A shorter one may be part of somebody else's.
    let theirs: BTreeSet<String> = theirs.into_iter().filter(|word| word.len() >= 6 && !others.iter().any(|o| o.contains(word))).collect();
    assert!(theirs.len() > 8, "{theirs:?}");
    let before = found(out, &theirs);
    for holds in [".known", ".inbox", "source_documents", "dead_letters", "in base64"] {
        assert!(before.iter().any(|place| place.contains(holds)), "nothing to erase in {holds}: {before:#?}");
    }
    let proof = succeeds(&["erase", "--out", text(out), "--patient", &patient, "--reason", "registre 17"]);
    let proof: serde_json::Value = serde_json::from_str(&proof).unwrap();
    assert!(proof["inbox_messages_erased"].as_u64() > Some(0) && proof["remembered_ids_erased"].as_u64() > Some(0), "{proof}");
    let left = found(out, &theirs);
    if quoted.is_empty() {
        assert_eq!(left, BTreeSet::new());
    } else {
        let named = proof["documents_of_others_that_name_the_patient"].as_array().map_or(0, Vec::len);
        assert!(named > 0, "{proof}");
        assert_eq!(found(out, &theirs.difference(&quoted).cloned().collect()), BTreeSet::new());
        assert!(left.iter().all(|place| place.starts_with("restricted/")), "{left:#?}");
    }
    // The others stay, and the feed goes on; nothing is asked for that was read.
    let kept = |out: &Path| rows(out, "select count(*) as n from documents")[0]["n"].as_u64();
    let documents = kept(out);
    assert!(documents > Some(0));
    pipeline.once();
    assert_eq!(kept(out), documents, "what was read before is not read again");
}
