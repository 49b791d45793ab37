//! One epoch through the stages, in memory.
//!
//! A document that a stage cannot process (a function panics or fails on it) is
//! found by halving the epoch and becomes a dead letter; the rest goes on.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::ScalarUDF;
use sha2::{Digest, Sha256};
use sillage_connectors::{DeadLetter, Epoch};
use sillage_deidentification::policy::Policy;
use sillage_functions::{Deidentification, Library};
use sillage_schemas::tables::{Write, incoming_page_spans, table};
use tokio::sync::Mutex;

use super::again::Again;
use super::attachments::Attachments;
use super::dossiers::Dossiers;
use super::history::{History, Texts};
use super::{again, interrupted, records};
use crate::error::{Error, Result};
use crate::journal::Entry;
use crate::pseudonym::{self, Key};
use crate::session;
use crate::stages::{self, Parameters, STAGES, Stage};
use crate::store::{Rows, Store, column};

/// The documents that the stages take.
const ACCEPTED: &str = "accepted_documents";
/// The patients whose episodes are put together anew.
const TOUCHED: &str = "touched_patients";
/// `reason` of the dead letters made here.
const STAGE_FAILED: &str = "stage_failed";

/// What the stages need from one epoch to the next.
pub(super) struct Stages {
    library: Library,
    key: Key,
    functions: Vec<ScalarUDF>,
    cores: usize,
    history: Mutex<History>,
    attachments: Arc<Attachments>,
}

/// An epoch of which the documents are read, before the patients' past is looked at.
pub(super) struct Prepared {
    session: SessionContext,
    incoming: Incoming,
    parameters: Parameters,
    entry: Entry,
    /// The journal has said what it takes along; nothing more is looked for.
    is_replay: bool,
    dead_letters: Vec<DeadLetter>,
    documents_seen: u64,
    bytes_read: u64,
}

/// An epoch that is ready to be committed.
pub(super) struct Processed {
    pub entry: Entry,
    pub rows: Vec<Rows>,
    pub documents_seen: u64,
    pub failures: u64,
    pub bytes_read: u64,
}

impl Stages {
    pub(super) fn new(library: Library, key: Key, policy: Policy, history: History, attachments: Attachments) -> Stages {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut functions = pseudonym::functions(&key);
        functions.push(sillage_functions::deidentify_document(&library, &Deidentification { key: key.surrogates(), policy }));
        Stages { library, functions, key, cores, history: Mutex::new(history), attachments: Arc::new(attachments) }
    }

    /// Runs the stages that look at each document alone. Nothing is kept.
    async fn run(&self, incoming: &Incoming, parameters: &Parameters) -> Result<SessionContext> {
        let session = session::for_stages(&self.library, self.cores);
        for function in &self.functions {
            session.register_udf(function.clone());
        }
        for (name, batch) in self.stored(incoming).await? {
            register(&session, name, &batch, 1)?;
        }
        register(&session, "incoming_documents", &incoming.documents, self.cores)?;
        register(&session, "incoming_page_spans", &incoming.page_spans, 1)?;
        register(&session, "incoming_patients", &incoming.patients, self.cores)?;
        register(&session, "incoming_encounters", &incoming.encounters, self.cores)?;
        for stage in STAGES.iter().filter(|s| !s.looks_back) {
            stages::run(&session, stage, parameters).await?;
        }
        Ok(session)
    }

    /// Rows for the tables, with the keys of those that they replace.
    async fn outputs(&self, session: &SessionContext) -> Result<Vec<Rows>> {
        let mut rows = Vec::new();
        for output in STAGES.iter().flat_map(|s: &Stage| s.outputs) {
            let Some(table) = table(output.table) else { return Err(Error::Internal(format!("no table {}", output.table))) };
            let batches = collect(session, output.from, "*").await?;
            let replaced = match (table.write, output.replaces) {
                (Write::Replace { key }, Some(replaces)) => {
                    let keys = column(&collect(session, replaces, key).await?, key)?;
                    self.history.lock().await.known(key, keys)?
                }
                _ => Vec::new(),
            };
            rows.push(Rows { table, batches, replaced });
        }
        Ok(rows)
    }

    /// What the tables hold of the documents, patients and encounters of an epoch.
    async fn stored(&self, incoming: &Incoming) -> Result<Vec<(&'static str, RecordBatch)>> {
        let Incoming { documents, patients, encounters, again, .. } = incoming;
        let sources = |batch: &RecordBatch, name: &str| column(std::slice::from_ref(batch), name);
        let pseudonyms = |kind: &str, ids: &[String]| ids.iter().map(|id| self.key.pseudonym(kind, id)).collect::<HashSet<_>>();
        let mut stays = sources(documents, "source_encounter_id")?;
        stays.extend(sources(encounters, "source_encounter_id")?);
        let lists = Texts::read(encounters, "identifiers")?;
        for row in 0..encounters.num_rows() {
            stays.extend(lists.of(row)?.unwrap_or_default());
        }
        let mut stays = pseudonyms("encounter", &stays);
        let mut history = self.history.lock().await;
        // An account that has moved takes its encounters along.
        let (_, numbers) = history.moved(&stays)?;
        stays.extend(pseudonyms("encounter", &numbers));
        let (mut named, _) = history.moved(&stays)?;
        for batch in [documents, patients, encounters] {
            named.extend(sources(batch, "source_patient_id")?);
        }
        let merges = again::merges(&mut history, &self.key, patients)?;
        named.extend(sources(patients, "merged_into")?.into_iter().filter(|into| !into.is_empty()));
        let people = merges.families(named.iter().map(String::as_str));
        let keys = people.iter().map(|id| self.key.pseudonym("patient", id)).collect();
        // Those that others take the place of, too.
        let mut ids = sources(documents, "source_document_id")?;
        ids.extend(again::replaced(documents)?);
        Ok(vec![
            ("stored_versions", history.stored_versions(pseudonyms("document", &ids))?),
            ("stored_identities", history.stored_identities(keys)?),
            ("stored_encounters", history.stored_encounters(&stays)?),
            ("survivors", records::survivors(&people, &merges)?),
            ("journalled_patients", records::pseudonyms("patient_id", &again.patients)?),
            ("journalled_encounters", records::pseudonyms("encounter_id", &again.encounters)?),
        ])
    }

    /// Keeps what an epoch brings, for the next one.
    async fn keep(&self, rows: &[Rows]) -> Result<()> {
        let mut history = self.history.lock().await;
        for rows in rows {
            for batch in &rows.batches {
                match rows.table.name {
                    "source_documents" => history.add_documents(batch)?,
                    "identities" => history.add_patients(batch)?,
                    "encounters" => history.add_encounters(batch)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// What a source brings.
#[derive(Clone)]
struct Incoming {
    documents: RecordBatch,
    patients: RecordBatch,
    encounters: RecordBatch,
    /// Where the words of the documents stand on their pages.
    page_spans: RecordBatch,
    /// What the journal says of the epoch, where it is made once more.
    again: Again,
}

/// Takes an epoch through the stages that look at each document alone.
///
/// Errors: a stage fails whatever the documents, or on all of several.
pub(super) async fn prepare(stages: Arc<Stages>, epoch: Epoch, entry: Entry, is_replay: bool) -> Result<Prepared> {
    let Epoch { documents, patients, encounters, mut dead_letters, documents_seen, bytes_read, .. } = epoch;
    let again = entry.again.clone();
    let parameters = Parameters { run_id: entry.run_id.clone(), ingested_at: entry.ingested_at };
    let page_spans = RecordBatch::new_empty(incoming_page_spans());
    let mut incoming = Incoming { documents, patients, encounters, page_spans, again };
    pages(&stages, &mut incoming, &mut dead_letters).await?;
    let session = read(&stages, &mut incoming, &parameters, &mut dead_letters).await?;
    Ok(Prepared { session, incoming, parameters, entry, is_replay, dead_letters, documents_seen, bytes_read })
}

/// Reads the attachments of the documents that are made of pages.
async fn pages(stages: &Arc<Stages>, incoming: &mut Incoming, dead_letters: &mut Vec<DeadLetter>) -> Result<()> {
    let (attachments, documents) = (stages.attachments.clone(), incoming.documents.clone());
    let read = tokio::task::spawn_blocking(move || attachments.read(&documents)).await;
    let paged = read.map_err(|e| Error::Internal(format!("attachments: {}", interrupted(&e))))??;
    (incoming.documents, incoming.page_spans) = (paged.documents, paged.page_spans);
    dead_letters.extend(paged.dead_letters);
    Ok(())
}

/// Runs the stages that look at each document alone; documents on which one fails
/// leave the epoch for the dead letters.
async fn read(
    stages: &Arc<Stages>,
    incoming: &mut Incoming,
    parameters: &Parameters,
    dead_letters: &mut Vec<DeadLetter>,
) -> Result<SessionContext> {
    match attempt(stages, incoming, parameters).await {
        Err(failure) if is_stage(&failure) => {
            let documents = &incoming.documents;
            let failing = failing(stages, incoming, parameters).await?;
            // One that fails on everything is not the documents' fault, and must not empty a feed into the dead letters.
            if failing.is_empty() || (failing.len() > 1 && failing.len() == documents.num_rows()) {
                return Err(failure);
            }
            for row in &failing {
                dead_letters.push(dead_letter(documents, *row, STAGE_FAILED, "")?);
            }
            tracing::warn!(documents = failing.len(), "a stage fails on these; they are in dead_letters");
            let fine: BooleanArray = (0..documents.num_rows()).map(|row| Some(!failing.contains(&row))).collect();
            incoming.documents = filter_record_batch(documents, &fine).map_err(|e| Error::Internal(format!("documents: {e}")))?;
            attempt(stages, incoming, parameters).await
        }
        session => session,
    }
}

/// Finishes an epoch: the stages that look at what the tables hold of its patients.
///
/// Call it when all epochs before are committed.
pub(super) async fn finish(stages: &Arc<Stages>, mut prepared: Prepared, dossiers: &mut Dossiers, store: &Store) -> Result<Processed> {
    if !prepared.is_replay {
        let documents = worth_again(stages, &prepared, dossiers, store).await?;
        if !documents.is_empty() {
            tracing::debug!(documents = documents.len(), "documents are read again");
            prepared.incoming.documents = again::with_stored(&prepared.incoming.documents, &documents, store).await?;
            prepared.entry.again.documents = documents;
            pages(stages, &mut prepared.incoming, &mut prepared.dead_letters).await?;
            prepared.session = read(stages, &mut prepared.incoming, &prepared.parameters, &mut prepared.dead_letters).await?;
        }
    }
    let Prepared { session, parameters, mut entry, dead_letters, documents_seen, bytes_read, .. } = prepared;
    let left = format!("(select patient_before from {ACCEPTED} where patient_before <> patient_id)");
    entry.again.patients.extend(column(&collect(&session, &left, "distinct patient_before").await?, "patient_before")?);
    entry
        .again
        .encounters
        .extend(column(&collect(&session, "(select encounter_id from known_encounters where is_news)", "*").await?, "encounter_id")?);
    let patients = column(&collect(&session, TOUCHED, "*").await?, "patient_id")?;
    let known = stages.history.lock().await.known("patient_id", patients.clone())?;
    let [documents, variables] = dossiers.of(&known, store).await?;
    register(&session, "stored_documents", &documents, 1)?;
    register(&session, "stored_variables", &variables, 1)?;
    for stage in STAGES.iter().filter(|s| s.looks_back) {
        stages::run(&session, stage, &parameters).await?;
    }
    let mut rows = stages.outputs(&session).await?;
    dossiers.keep(&patients, &collect(&session, "placed_documents", "*").await?, &collect(&session, "dossier_variables", "*").await?)?;
    stages.keep(&rows).await?;
    let Some(letters) = rows.iter_mut().find(|r| r.table.name == "dead_letters") else {
        return Err(Error::Internal("no stage writes dead_letters".to_owned()));
    };
    let failures = dead_letters.len() + letters.batches.iter().map(RecordBatch::num_rows).sum::<usize>();
    if !dead_letters.is_empty() {
        letters.batches.push(records::dead_letters(&dead_letters, entry.ingested_at)?);
    }
    Ok(Processed { entry, rows, documents_seen, failures: failures as u64, bytes_read })
}

/// Stored documents that the epoch makes worth a second reading.
async fn worth_again(stages: &Stages, prepared: &Prepared, dossiers: &mut Dossiers, store: &Store) -> Result<BTreeSet<String>> {
    let Prepared { session, incoming: Incoming { documents, patients, encounters, .. }, .. } = prepared;
    let causes = again::causes(&mut *stages.history.lock().await, &stages.key, documents, patients, encounters)?;
    let mut found = BTreeSet::new();
    let identities = collect(session, "identities", "*").await?;
    let known = stages.history.lock().await.documented(column(&identities, "patient_id")?)?;
    if !known.is_empty() {
        let [texts, _] = dossiers.of(&known, store).await?;
        found.extend(again::showing(&identities, &texts)?);
    }
    for here in column(std::slice::from_ref(documents), "source_document_id")? {
        found.remove(&stages.key.pseudonym("document", &here));
    }
    // Also of those that are here: what comes may be older than what is stored.
    found.extend(again::touched(causes, store).await?);
    Ok(found)
}

/// Runs the stages in a task of their own, which keeps a panic in it.
async fn attempt(stages: &Arc<Stages>, incoming: &Incoming, parameters: &Parameters) -> Result<SessionContext> {
    let (stages, incoming, parameters) = (stages.clone(), incoming.clone(), parameters.clone());
    let done = tokio::spawn(async move { stages.run(&incoming, &parameters).await }).await;
    done.map_err(|e| {
        let source = Box::new(datafusion::error::DataFusionError::Execution(interrupted(&e).to_owned()));
        Error::Stage { stage: "run", source }
    })?
}

fn is_stage(error: &Error) -> bool {
    matches!(error, Error::Stage { .. } | Error::Query(_))
}

/// Rows of the documents on which a stage fails, found by halving; none where it
/// fails without documents too.
async fn failing(stages: &Arc<Stages>, incoming: &Incoming, parameters: &Parameters) -> Result<Vec<usize>> {
    let part = |start: usize, length: usize| Incoming { documents: incoming.documents.slice(start, length), ..incoming.clone() };
    let mut failing = Vec::new();
    let mut ranges = vec![(0, incoming.documents.num_rows())];
    if attempt(stages, &part(0, 0), parameters).await.is_err() {
        return Ok(failing);
    }
    while let Some((start, length)) = ranges.pop() {
        match attempt(stages, &part(start, length), parameters).await {
            Ok(_) => {}
            Err(failure) if !is_stage(&failure) => return Err(failure),
            Err(_) if length == 1 => failing.push(start),
            Err(_) => ranges.extend([(start, length / 2), (start + length / 2, length - length / 2)]),
        }
    }
    Ok(failing)
}

/// A row as a dead letter, from which it can be sent again.
pub(super) fn dead_letter(documents: &RecordBatch, row: usize, reason: &'static str, why: &str) -> Result<DeadLetter> {
    let text = |name: &str| documents.column_by_name(name).map_or("", |c| c.as_string::<i32>().value(row)).to_owned();
    let (source, place, id) = (text("source"), text("place"), text("source_document_id"));
    let mut json = arrow::json::LineDelimitedWriter::new(Vec::new());
    let written = json.write(&documents.slice(row, 1)).and_then(|()| json.finish());
    written.map_err(|_| Error::Internal(format!("{place}: no JSON form")))?;
    let payload = String::from_utf8_lossy(&json.into_inner()).trim_end().to_owned();
    let mut hash = Sha256::new();
    for part in [reason, &source, &place, &id] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let message_id = hash.finalize().iter().take(16).map(|b| format!("{b:02x}")).collect();
    let detail = if why.is_empty() { place } else { format!("{place}: {why}") };
    Ok(DeadLetter { message_id, source, reason, detail, payload: Some(payload) })
}

fn register(session: &SessionContext, name: &str, batch: &RecordBatch, partitions: usize) -> Result<()> {
    Ok(stages::register(session, name, batch.schema(), std::slice::from_ref(batch), partitions).map_err(Box::new)?)
}

async fn collect(session: &SessionContext, table: &str, columns: &str) -> Result<Vec<RecordBatch>> {
    let rows = session.sql(&format!("select {columns} from {table}")).await.map_err(Box::new)?;
    Ok(rows.collect().await.map_err(Box::new)?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use arrow::array::{ArrayRef, StringArray, new_null_array};
    use arrow::datatypes::DataType;
    use chrono::DateTime;
    use datafusion::common::Result as DataFusionResult;
    use datafusion::error::DataFusionError;
    use datafusion::execution::FunctionRegistry;
    use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature};
    use sillage_connectors::Position;
    use sillage_schemas::tables::{incoming_documents, incoming_encounters, incoming_patients};

    use super::*;
    use crate::configuration::Configuration;

    /// Documents `d0`, `d1`, … of these texts.
    fn documents(texts: &[&str]) -> RecordBatch {
        let column = |values: Vec<String>| Arc::new(StringArray::from(values)) as ArrayRef;
        let numbered = |prefix: &str| column((0..texts.len()).map(|i| format!("{prefix}{i}")).collect());
        let same = |value: &str| column(vec![value.to_owned(); texts.len()]);
        let schema = incoming_documents();
        let columns = schema.fields().iter().map(|field| match field.name().as_str() {
            "source" => same("file://feed"),
            "place" => numbered("feed.ndjson:"),
            "source_document_id" => numbered("d"),
            "source_patient_id" => same("p"),
            "document_version" => Arc::new(arrow::array::Int32Array::from(vec![1; texts.len()])) as ArrayRef,
            "precedence" => Arc::new(arrow::array::Int32Array::from(vec![0; texts.len()])) as ArrayRef,
            "status" => same("current"),
            "text" => column(texts.iter().map(|t| (*t).to_owned()).collect()),
            _ => new_null_array(field.data_type(), texts.len()),
        });
        RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
    }

    /// `read_document` that panics on the text "panique" and fails on "erreur".
    #[derive(Debug, PartialEq, Eq, Hash)]
    struct Fragile(Arc<ScalarUDF>);

    impl ScalarUDFImpl for Fragile {
        fn name(&self) -> &str {
            self.0.name()
        }

        fn signature(&self) -> &Signature {
            self.0.signature()
        }

        fn return_type(&self, arguments: &[DataType]) -> DataFusionResult<DataType> {
            self.0.return_type(arguments)
        }

        fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
            let texts = arrow::compute::cast(&arguments.args[0].to_array(arguments.number_rows)?, &DataType::Utf8)?;
            for text in texts.as_string::<i32>() {
                assert_ne!(text, Some("panique"), "on purpose");
                if text == Some("erreur") {
                    return Err(DataFusionError::Execution("on purpose".to_owned()));
                }
            }
            self.0.invoke_with_args(arguments)
        }
    }

    async fn prepared(folder: &Path, texts: &[&str]) -> Result<Prepared> {
        let key = Key::create(&folder.join("key"))?;
        let policy = Configuration::read(None)?.deidentification.policy()?;
        let attachments = Attachments::below(folder, &Configuration::read(None)?.pages, None);
        let mut stages = Stages::new(session::built_in()?, key, policy, History::empty(folder.to_owned(), None)?, attachments);
        let read = session::empty(&stages.library, 1).udf("read_document").unwrap();
        stages.functions.push(ScalarUDF::from(Fragile(read)));
        let epoch = Epoch {
            documents: documents(texts),
            patients: RecordBatch::new_empty(incoming_patients()),
            encounters: RecordBatch::new_empty(incoming_encounters()),
            dead_letters: Vec::new(),
            position: Position::default(),
            received_at: DateTime::UNIX_EPOCH,
            documents_seen: texts.len() as u64,
            ignored: 0,
            charset_guessed: 0,
            bytes_read: 0,
        };
        let entry =
            Entry { epoch: 0, position: Position::default(), run_id: "r".to_owned(), ingested_at: 0, again: again::Again::default() };
        prepare(Arc::new(stages), epoch, entry, false).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_document_on_which_a_stage_fails_becomes_a_dead_letter() {
        let folder = tempfile::tempdir().unwrap();
        let prepared = prepared(folder.path(), &["AVC.", "panique", "HTA.", "Migraine.", "erreur"]).await.unwrap();
        let mut places: Vec<_> = prepared.dead_letters.iter().map(|l| (l.reason, l.detail.as_str())).collect();
        places.sort_unstable();
        assert_eq!(places, [("stage_failed", "feed.ndjson:1"), ("stage_failed", "feed.ndjson:4")]);
        assert!(prepared.dead_letters.iter().all(|l| l.payload.as_deref().is_some_and(|p| p.contains("\"source_document_id\":\"d"))));
        let kept = column(&collect(&prepared.session, "source_documents", "source_document_id").await.unwrap(), "source_document_id");
        let mut kept = kept.unwrap();
        kept.sort_unstable();
        assert_eq!(kept, ["d0", "d2", "d3"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_stage_that_fails_on_everything_ends_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let Err(error) = prepared(folder.path(), &["panique", "panique", "erreur"]).await else { panic!("nothing was processed") };
        assert!(is_stage(&error), "{error}");
        assert!(!error.to_string().contains("panique"), "{error}");
    }
}
