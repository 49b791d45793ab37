//! `sillage erase`: a person leaves every table, every inbox and every old version.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD as BASE64};
use chrono::{SecondsFormat, Utc};
use clap::Args;
use datafusion::execution::context::SessionContext;
use futures::StreamExt;
use memchr::memmem;
use serde_json::json;
use sha2::{Digest, Sha256};
use sillage_connectors::erasure::Erasure;
use sillage_connectors::kind_of;
use sillage_schemas::tables::{Table, table};

use super::print;
use crate::error::{Error, Result};
use crate::journal;
use crate::lock::Lock;
use crate::runner::{INBOX, JOURNAL, attachments};
use crate::session;
use crate::store::{Store, one_of};

/// Shorter identifiers are not looked for among the words of a message: others'
/// messages hold them too. What is read of it tells those.
const LEAST: usize = 6;
/// The same for dead letters, which nothing may be able to read.
const LEAST_OF_LETTERS: usize = 4;

#[derive(Args)]
#[command(
    after_help = "Example:\n  sillage erase --out tables --patient 8012345678 --reason \"request of 3 May 2026, register 17\"\n\nTakes the patient, and everyone merged with the patient, out of every table, inbox and dead letter, then removes\nevery older version of the tables. Writes a proof to restricted/erasures and prints it. Stop the run first.\nCopies made elsewhere (exports, backups, the sources themselves) are not reached: a source that sends the patient\nagain brings the patient back."
)]
pub(super) struct Options {
    /// Output folder of a run
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The patient: id of the source, `system|value` or value of an identifier, or pseudonym
    #[arg(long, value_name = "ID")]
    patient: String,
    /// Why; kept with the proof
    #[arg(long)]
    reason: String,
}

/// Takes the middle of a text for what it is.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// Everything by which a person is known here.
#[derive(Default)]
struct Person {
    pseudonyms: HashSet<String>,
    sources: HashSet<String>,
    /// Ids and identifiers as sources write them, those of documents and encounters too.
    names: HashSet<String>,
    /// Words that name the person in a payload.
    needles: HashSet<String>,
    /// The needles as they stand within base64.
    encoded: Vec<Encoded>,
    documents: HashSet<String>,
    encounters: HashSet<String>,
}

pub(super) async fn execute(options: Options) -> Result<()> {
    if options.reason.trim().is_empty() {
        return Err(Error::Configuration("--reason: say why; it is kept with the proof".to_owned()));
    }
    let mut store = Store::open_existing(&options.out).await?;
    let _lock = Lock::take(&options.out)?;
    let library = session::built_in()?;
    let session = session::over(&store, &library).await?;
    let person = find(&session, options.patient.trim()).await?;
    if person.pseudonyms.is_empty() {
        return Err(Error::Configuration("no such patient in restricted.identities; nothing was erased".to_owned()));
    }
    let letters = letters(&session, &person).await?;
    let mut erased = BTreeMap::new();
    for (name, column, values) in [
        ("documents", "document_id", &person.documents),
        ("documents", "patient_id", &person.pseudonyms),
        ("entities", "document_id", &person.documents),
        ("variables", "document_id", &person.documents),
        ("episode_variables", "patient_id", &person.pseudonyms),
        ("cohort", "patient_id", &person.pseudonyms),
        ("phi_spans", "document_id", &person.documents),
        ("display_disagreements", "document_id", &person.documents),
        ("page_spans", "document_id", &person.documents),
        ("source_documents", "document_id", &person.documents),
        ("encounters", "encounter_id", &person.encounters),
        ("dead_letters", "message_id", &letters),
        ("identities", "patient_id", &person.pseudonyms),
    ] {
        let table = known(name)?;
        let rows = count(&store, table, column, values).await?;
        if rows > 0 {
            store.erase(table, column, values.clone()).await?;
        }
        *erased.entry(name).or_insert(0) += rows;
    }
    let kept = person
        .erasure(&|bytes: &[u8]| person.is_named(bytes, LEAST))
        .run(&options.out.join("restricted").join(INBOX), store.seal().as_ref())?;
    let theirs = [&person.pseudonyms, &person.documents, &person.encounters].into_iter().flatten().cloned().collect();
    journal::forget(&options.out.join("restricted").join(JOURNAL), &theirs)?;
    let traces = traces(&options.out)?;
    let files = store.forget().await?;
    let attachments = attachments::sweep(&store).await?;
    let left = left(&store, &person).await?;
    let elsewhere = elsewhere(&store, &person).await?;
    let proof = json!({
        "erased_at": Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        "reason": options.reason.trim(),
        // Who, without saying who: only somebody who holds the pseudonym can tell.
        "patient_sha256": person.pseudonyms.iter().map(|p| digest(p)).collect::<std::collections::BTreeSet<_>>(),
        "rows_erased": erased,
        "inbox_messages_erased": kept.messages,
        "remembered_ids_erased": kept.remembered,
        "trace_files_removed": traces,
        "attachments_removed": attachments,
        "old_files_removed": files,
        "rows_left": left,
        "documents_of_others_that_name_the_patient": elsewhere,
        "sillage": env!("CARGO_PKG_VERSION"),
    });
    let text = format!("{proof:#}\n");
    let folder = options.out.join("restricted").join("erasures");
    std::fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
    let path = folder.join(format!("{}.json", Utc::now().format("%Y%m%dT%H%M%S%6fZ")));
    std::fs::write(&path, &text).map_err(Error::io(&path))?;
    print(&text)?;
    eprintln!("proof: {}", path.display());
    if !elsewhere.is_empty() {
        eprintln!(
            "{} documents of other patients hold an identifier of this one in their source text; the proof names them. They stay.",
            elsewhere.len()
        );
    }
    if left > 0 {
        return Err(Error::Internal(format!("{left} rows of the patient are left; the proof says so")));
    }
    Ok(())
}

fn known(name: &str) -> Result<&'static Table> {
    table(name).ok_or_else(|| Error::Internal(format!("no table {name}")))
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect()
}

async fn rows(session: &SessionContext, sql: &str) -> Result<Vec<RecordBatch>> {
    Ok(session.sql(sql).await.map_err(Box::new)?.collect().await.map_err(Box::new)?)
}

/// The patient and all who were merged with the patient, with what is theirs.
async fn find(session: &SessionContext, wanted: &str) -> Result<Person> {
    let mut people: Vec<(String, String, Option<String>, Vec<String>)> = Vec::new();
    for batch in rows(session, "select patient_id, source_patient_id, merged_into, identifiers from restricted.identities").await? {
        let text = |name: &str| column_of(&batch, name);
        let (ids, sources, merged) = (text("patient_id")?, text("source_patient_id")?, text("merged_into")?);
        let lists = batch.column_by_name("identifiers").and_then(|c| c.as_list_opt::<i32>());
        for row in 0..batch.num_rows() {
            let list = lists.filter(|l| l.is_valid(row)).map(|l| l.value(row));
            let list = list.map(|l| arrow::compute::cast(&l, &arrow::datatypes::DataType::Utf8)).transpose();
            let list = list.map_err(|e| Error::Internal(format!("identities: {e}")))?;
            let identifiers = list.iter().flat_map(|l| l.as_string::<i32>().iter().flatten().map(str::to_owned)).collect();
            let value = |values: &[Option<String>]| values[row].clone();
            people.push((value(&ids).unwrap_or_default(), value(&sources).unwrap_or_default(), value(&merged), identifiers));
        }
    }
    let is_wanted = |(id, source, _, identifiers): &&(String, String, Option<String>, Vec<String>)| {
        id == wanted || source == wanted || identifiers.iter().any(|i| i == wanted || i.rsplit('|').next() == Some(wanted))
    };
    let mut person = Person { sources: people.iter().filter(is_wanted).map(|p| p.1.clone()).collect(), ..Person::default() };
    loop {
        let before = person.sources.len();
        for (_, source, merged, _) in &people {
            if let Some(merged) = merged
                && (person.sources.contains(source) || person.sources.contains(merged))
            {
                person.sources.extend([source.clone(), merged.clone()]);
            }
        }
        if person.sources.len() == before {
            break;
        }
    }
    people.retain(|(_, source, ..)| person.sources.contains(source));
    for (id, source, _, identifiers) in people {
        person.pseudonyms.insert(id);
        person.name(&source);
        identifiers.iter().for_each(|identifier| person.name(identifier));
    }
    let documents =
        rows(session, "select document_id, patient_id, source_patient_id, source_document_id from restricted.source_documents").await?;
    for batch in documents {
        let text = |name: &str| column_of(&batch, name);
        let (ids, patients) = (text("document_id")?, text("patient_id")?);
        let (sources, names) = (text("source_patient_id")?, text("source_document_id")?);
        for row in 0..batch.num_rows() {
            let is_theirs = patients[row].as_ref().is_some_and(|p| person.pseudonyms.contains(p))
                || sources[row].as_ref().is_some_and(|s| person.sources.contains(s));
            if is_theirs {
                person.documents.extend(ids[row].clone());
                names[row].iter().for_each(|name| person.name(name));
            }
        }
    }
    let encounters = "select encounter_id, source_encounter_id, source_patient_id, moved_to from restricted.encounters";
    for batch in rows(session, encounters).await? {
        let text = |name: &str| column_of(&batch, name);
        let (ids, sources, moved) = (text("encounter_id")?, text("source_patient_id")?, text("moved_to")?);
        let names = text("source_encounter_id")?;
        for row in 0..batch.num_rows() {
            if [&sources[row], &moved[row]].into_iter().flatten().any(|s| person.sources.contains(s)) {
                person.encounters.extend(ids[row].clone());
                names[row].iter().for_each(|name| person.name(name));
            }
        }
    }
    person.encoded = person.needles.iter().filter(|needle| needle.len() >= LEAST).flat_map(|needle| encoded(needle.as_bytes())).collect();
    Ok(person)
}

/// What of the base64 of a longer text stands for these bytes, at each of the
/// three places where they may begin.
fn encoded(needle: &[u8]) -> [Encoded; 3] {
    [0, 1, 2].map(|before| {
        let text = BASE64.encode([&[0; 2][..before], needle].concat());
        // Characters at both ends hold bits of their neighbours.
        let (begin, end) = ((8 * before).div_ceil(6), 8 * (before + needle.len()) / 6);
        Encoded { pattern: text.as_bytes()[begin..end].to_vec(), begin, before, needle: needle.to_vec() }
    })
}

/// A needle as base64 writes it, behind so many bytes of the same three.
struct Encoded {
    pattern: Vec<u8>,
    /// Characters of the four that the pattern leaves out.
    begin: usize,
    before: usize,
    needle: Vec<u8>,
}

impl Encoded {
    /// Whether the needle stands there as a word. Text that cannot be decoded is taken to hold it.
    fn stands_in(&self, dense: &[u8]) -> bool {
        let decoded = |range: std::ops::Range<usize>| LENIENT.decode(dense.get(range)?).ok();
        let is_word = |at: Option<&u8>| at.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        memmem::find_iter(dense, &self.pattern).any(|at| {
            let Some(start) = at.checked_sub(self.begin) else { return false };
            let in_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
            let run = dense[at..].iter().take_while(|byte| in_base64(byte)).count();
            let whole = (self.before + self.needle.len() + 1).div_ceil(3) * 4;
            let Some(bytes) = decoded(start..(start + whole).min(at + run)) else { return true };
            let ends = self.before + self.needle.len();
            let last = start.checked_sub(4).and_then(|from| decoded(from..start)).and_then(|bytes| bytes.last().copied());
            let ahead = if self.before > 0 { bytes.get(self.before - 1).copied() } else { last };
            bytes.get(self.before..ends) == Some(self.needle.as_slice()) && is_word(ahead.as_ref()) && is_word(bytes.get(ends))
        })
    }
}

fn column_of(batch: &RecordBatch, name: &str) -> Result<Vec<Option<String>>> {
    let Some(array) = batch.column_by_name(name) else { return Err(Error::Internal(format!("no column {name}"))) };
    let array = arrow::compute::cast(array, &arrow::datatypes::DataType::Utf8).map_err(|e| Error::Internal(format!("{name}: {e}")))?;
    Ok(array.as_string::<i32>().iter().map(|v| v.map(str::to_owned)).collect())
}

/// Dead letters that name the person.
async fn letters(session: &SessionContext, person: &Person) -> Result<HashSet<String>> {
    let mut found = HashSet::new();
    let erasure = Erasure { names: person.names.clone(), named: None };
    for batch in rows(session, "select message_id, detail, payload from restricted.dead_letters").await? {
        let (ids, details, payloads) = (column_of(&batch, "message_id")?, column_of(&batch, "detail")?, column_of(&batch, "payload")?);
        for row in 0..batch.num_rows() {
            let Some(id) = &ids[row] else { continue };
            let texts = || [&details[row], &payloads[row]].into_iter().flatten();
            let named = texts().any(|text| person.is_named(text.as_bytes(), LEAST_OF_LETTERS))
                || payloads[row].as_ref().is_some_and(|text| kind_of(text).is_some_and(|kind| erasure.concerns(kind, text.as_bytes())));
            if named || person.documents.contains(id) {
                found.insert(id.clone());
            }
        }
    }
    Ok(found)
}

impl Person {
    /// Takes in an id or identifier (`system|value`).
    fn name(&mut self, name: &str) {
        self.names.insert(name.to_owned());
        self.needles.extend(name.rsplit('|').next().map(str::to_owned));
    }

    /// Whether a payload holds a word of at least that length that names the person,
    /// also within base64.
    fn is_named(&self, payload: &[u8], least: usize) -> bool {
        let is_word = |at: Option<&u8>| at.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let stands = |needle: &[u8]| {
            memmem::find_iter(payload, needle)
                .any(|at| is_word(at.checked_sub(1).and_then(|before| payload.get(before))) && is_word(payload.get(at + needle.len())))
        };
        if self.needles.iter().any(|needle| needle.len() >= least && stands(needle.as_bytes())) {
            return true;
        }
        // Base64 may be broken into lines.
        let dense: Vec<u8> = payload.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        self.encoded.iter().any(|needle| needle.stands_in(&dense))
    }

    fn erasure<'a>(&self, named: &'a dyn Fn(&[u8]) -> bool) -> Erasure<'a> {
        Erasure { names: self.names.clone(), named: Some(named) }
    }
}

async fn count(store: &Store, table: &'static Table, key: &str, values: &HashSet<String>) -> Result<u64> {
    if values.is_empty() || store.tables().all(|t| t.name != table.name) {
        return Ok(0);
    }
    let rows = SessionContext::new().read_table(store.provider(table).await?).map_err(Box::new)?;
    let count = rows.filter(one_of(key, values.clone())).map_err(Box::new)?.count().await.map_err(Box::new)?;
    Ok(count as u64)
}

/// What `sillage trace` wrote can be made again without the person.
fn traces(out: &Path) -> Result<u64> {
    let folder = out.join("restricted").join("trace");
    let Ok(files) = std::fs::read_dir(&folder) else { return Ok(0) };
    let mut removed = 0;
    for file in files {
        let path = file.map_err(Error::io(&folder))?.path();
        std::fs::remove_file(&path).map_err(Error::io(&path))?;
        removed += 1;
    }
    Ok(removed)
}

/// Rows of the person that are still in a table.
async fn left(store: &Store, person: &Person) -> Result<u64> {
    let mut left = 0;
    for table in store.tables() {
        for (key, values) in [
            ("patient_id", &person.pseudonyms),
            ("document_id", &person.documents),
            ("encounter_id", &person.encounters),
            ("source_patient_id", &person.sources),
            ("merged_into", &person.sources),
        ] {
            if (table.schema)().column_with_name(key).is_some() {
                left += count(store, table, key, values).await?;
            }
        }
    }
    let session = session::over(store, &session::built_in()?).await?;
    let letters = letters(&session, person).await?;
    Ok(left + letters.len() as u64)
}

/// Documents of other people whose source text holds an identifier of this one:
/// theirs to keep, and for somebody to look at.
async fn elsewhere(store: &Store, person: &Person) -> Result<Vec<String>> {
    let session = session::over(store, &session::built_in()?).await?;
    let query = "select document_id, text, margins from restricted.source_documents";
    let mut batches = session.sql(query).await.map_err(Box::new)?.execute_stream().await.map_err(Box::new)?;
    let mut found = Vec::new();
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(Box::new)?;
        let (ids, texts, margins) = (column_of(&batch, "document_id")?, column_of(&batch, "text")?, column_of(&batch, "margins")?);
        for (row, id) in ids.into_iter().enumerate() {
            let named = [&texts[row], &margins[row]].into_iter().flatten().any(|text| person.is_named(text.as_bytes(), LEAST));
            found.extend(id.filter(|_| named));
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(needle: &str) -> Person {
        let mut person = Person::default();
        person.name(&format!("urn:oid:1.2.3|{needle}"));
        person.encoded = encoded(needle.as_bytes()).into();
        person
    }

    #[test]
    fn a_person_is_found_as_a_word_and_within_base64() {
        let person = person("8012345678");
        assert!(person.is_named(b"PID|||8012345678^^^HOP", LEAST));
        assert!(!person.is_named(b"PID|||98012345678^^^HOP", LEAST), "another number that holds it");
        for before in ["", "x", "xy", "xyz"] {
            let text = BASE64.encode(format!("{before} 8012345678 vu"));
            assert!(person.is_named(text.as_bytes(), LEAST), "{before}");
            let (one, two) = text.split_at(9);
            assert!(person.is_named(format!("{one}\r\n{two}").as_bytes(), LEAST), "in lines");
        }
        assert!(!person.is_named(BASE64.encode("8012345679").as_bytes(), LEAST));
    }
}
