//! `sillage evaluate`: the tables of a run against gold files.
//!
//! Mentions are paired greedily by overlap with the same label (DISORDER and SIGN
//! count as one). Codes and qualifiers are scored on paired mentions. Counts and
//! rules are those of the project's reference scorer.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, BooleanArray, Int32Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use clap::{Args, ValueEnum};
use datafusion::execution::context::SessionContext;
use serde::Deserialize;
use serde_json::json;
use sillage_clinical::lexicon::SnomedLicence;

use crate::cli::print;
use crate::error::{Error, Result};
use crate::session;
use crate::store::Store;

#[derive(Args)]
pub struct Options {
    /// Output folder of a run
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder with documents.jsonl and entities.jsonl
    #[arg(long, value_name = "DIR")]
    gold: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// List up to this many errors of each kind (they quote the texts)
    #[arg(long, default_value_t = 0)]
    errors: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

#[derive(Deserialize)]
struct GoldDocument {
    document: String,
    fhir_id: String,
    text: String,
}

#[derive(Deserialize)]
struct GoldEntity {
    fhir_id: String,
    label: String,
    #[serde(default, deserialize_with = "or_empty")]
    code: String,
    flags: Vec<String>,
    start: i64,
    end: i64,
    text: String,
}

/// Mentions without a code carry null.
fn or_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

struct Found {
    label: String,
    start: i64,
    end: i64,
    text: String,
    icd10: String,
    atc: String,
    flags: [bool; 4],
}

const FLAGS: [&str; 4] = ["NEG", "HYP", "FAM", "HIST"];

/// True positives, false positives, false negatives.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Counts {
    tp: usize,
    fp: usize,
    fn_: usize,
}

impl Counts {
    fn precision(self) -> f64 {
        ratio(self.tp, self.tp + self.fp)
    }

    fn recall(self) -> f64 {
        ratio(self.tp, self.tp + self.fn_)
    }

    fn f1(self) -> f64 {
        ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn_)
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[derive(Default)]
struct Score {
    documents: (usize, usize, usize),
    overlap: Counts,
    exact: Counts,
    by_label: BTreeMap<String, Counts>,
    icd10: (usize, usize, usize),
    atc: (usize, usize),
    flags: [Counts; 4],
    errors: BTreeMap<&'static str, Vec<String>>,
}

pub async fn execute(options: Options) -> Result<()> {
    let documents: Vec<GoldDocument> = lines(&options.gold.join("documents.jsonl"))?;
    let gold: Vec<GoldEntity> = lines(&options.gold.join("entities.jsonl"))?;
    let store = Store::open_existing(&options.out).await?;
    let session = session::over(&store, &session::knowledge(SnomedLicence::GlobalPatientSet)?).await?;
    let texts = source_texts(&session).await?;
    let mut found = found_entities(&session).await?;
    let mut score = Score::default();
    let mut by_document: HashMap<&str, Vec<&GoldEntity>> = HashMap::new();
    for entity in &gold {
        by_document.entry(&entity.fhir_id).or_default().push(entity);
    }
    for document in &documents {
        score.documents.0 += 1;
        if let Some(text) = texts.get(&document.fhir_id) {
            score.documents.1 += 1;
            score.documents.2 += usize::from(text.trim() == document.text.trim());
        }
        let found = found.remove(&document.fhir_id).unwrap_or_default();
        let gold = by_document.remove(document.fhir_id.as_str()).unwrap_or_default();
        compare(&document.document, &gold, &found, &mut score);
    }
    match options.format {
        Format::Json => print(&format!("{}\n", as_json(&score)))?,
        Format::Table => print(&as_table(&score))?,
    }
    for (kind, errors) in &score.errors {
        for error in errors.iter().take(options.errors) {
            print(&format!("{kind}\t{error}\n"))?;
        }
    }
    Ok(())
}

fn lines<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Vec<T>> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::Configuration(format!("{}: {e}", path.display())))?;
    let parse = |(i, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|e| Error::Configuration(format!("{}:{}: {e}", path.display(), i + 1)))
    };
    text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()).map(parse).collect()
}

async fn rows(session: &SessionContext, sql: &str) -> Result<Vec<RecordBatch>> {
    Ok(session.sql(sql).await.map_err(Box::new)?.collect().await.map_err(Box::new)?)
}

fn strings(batch: &RecordBatch, column: usize) -> Result<StringArray> {
    let array = cast(batch.column(column), &DataType::Utf8).map_err(|e| Error::Internal(e.to_string()))?;
    Ok(array.as_string::<i32>().clone())
}

fn value(array: &StringArray, row: usize) -> String {
    if array.is_null(row) { String::new() } else { array.value(row).to_owned() }
}

async fn source_texts(session: &SessionContext) -> Result<HashMap<String, String>> {
    let mut texts = HashMap::new();
    for batch in rows(session, "select source_document_id, text from source_documents").await? {
        let (ids, bodies) = (strings(&batch, 0)?, strings(&batch, 1)?);
        for row in 0..batch.num_rows() {
            texts.insert(value(&ids, row), value(&bodies, row));
        }
    }
    Ok(texts)
}

async fn found_entities(session: &SessionContext) -> Result<HashMap<String, Vec<Found>>> {
    let sql = "select s.source_document_id, e.label, e.text, e.icd10_code, e.atc_code, e.experiencer, e.source_start, e.source_end, e.negated, e.hypothetical, e.historical
               from entities e join source_documents s on s.document_id = e.document_id
               where e.label in ('DISORDER', 'SIGN', 'DRUG', 'PROCEDURE') order by e.source_start";
    let mut found: HashMap<String, Vec<Found>> = HashMap::new();
    for batch in rows(session, sql).await? {
        let text: Vec<StringArray> = (0..6).map(|i| strings(&batch, i)).collect::<Result<_>>()?;
        let number = |i: usize| -> Int32Array { batch.column(i).as_primitive::<Int32Type>().clone() };
        let flag = |i: usize| -> BooleanArray { batch.column(i).as_boolean().clone() };
        let (starts, ends, negated, hypothetical, historical) = (number(6), number(7), flag(8), flag(9), flag(10));
        for row in 0..batch.num_rows() {
            found.entry(value(&text[0], row)).or_default().push(Found {
                label: value(&text[1], row),
                text: value(&text[2], row),
                icd10: value(&text[3], row),
                atc: value(&text[4], row),
                start: starts.value(row).into(),
                end: ends.value(row).into(),
                flags: [negated.value(row), hypothetical.value(row), value(&text[5], row) == "family", historical.value(row)],
            });
        }
    }
    Ok(found)
}

fn disease(label: &str) -> bool {
    matches!(label, "DISORDER" | "SIGN")
}

fn compare(document: &str, gold: &[&GoldEntity], found: &[Found], score: &mut Score) {
    let mut used = vec![false; found.len()];
    for entity in gold {
        let mut best: Option<(usize, i64)> = None;
        for (i, candidate) in found.iter().enumerate() {
            let same = candidate.label == entity.label || disease(&candidate.label) && disease(&entity.label);
            let overlap = candidate.end.min(entity.end) - candidate.start.max(entity.start);
            if !used[i] && same && overlap > best.map_or(0, |(_, o)| o) {
                best = Some((i, overlap));
            }
        }
        let counts = score.by_label.entry(entity.label.clone()).or_default();
        let Some((i, _)) = best else {
            counts.fn_ += 1;
            score.exact.fn_ += 1;
            score.errors.entry("missed").or_default().push(format!("{document} {} {:?}", entity.label, entity.text));
            continue;
        };
        used[i] = true;
        counts.tp += 1;
        let candidate = &found[i];
        if (candidate.start, candidate.end) == (entity.start, entity.end) {
            score.exact.tp += 1;
        } else {
            score.exact.fp += 1;
            score.exact.fn_ += 1;
        }
        codes(document, entity, candidate, score);
        for (f, name) in FLAGS.iter().enumerate() {
            let (got, wanted) = (candidate.flags[f], entity.flags.iter().any(|g| g == name));
            let counts = &mut score.flags[f];
            counts.tp += usize::from(got && wanted);
            counts.fp += usize::from(got && !wanted);
            counts.fn_ += usize::from(!got && wanted);
            if got != wanted {
                score.errors.entry(name).or_default().push(format!("{document} {:?} gold={wanted}", entity.text));
            }
        }
    }
    for (candidate, _) in found.iter().zip(&used).filter(|(_, used)| !**used) {
        score.by_label.entry(candidate.label.clone()).or_default().fp += 1;
        score.exact.fp += 1;
        score.errors.entry("false").or_default().push(format!("{document} {} {:?}", candidate.label, candidate.text));
    }
    score.overlap = score.by_label.values().fold(Counts::default(), |a, b| Counts { tp: a.tp + b.tp, fp: a.fp + b.fp, fn_: a.fn_ + b.fn_ });
}

fn codes(document: &str, gold: &GoldEntity, found: &Found, score: &mut Score) {
    if gold.code.is_empty() {
        return;
    }
    if disease(&gold.label) {
        let (a, b) = (found.icd10.replace('.', ""), gold.code.replace('.', ""));
        score.icd10.0 += 1;
        score.icd10.1 += usize::from(a == b);
        score.icd10.2 += usize::from(a.get(..3) == b.get(..3));
        if a != b {
            score.errors.entry("icd10").or_default().push(format!("{document} {:?}: gold {} got {}", gold.text, gold.code, found.icd10));
        }
    } else if gold.label == "DRUG" {
        score.atc.0 += 1;
        score.atc.1 += usize::from(found.atc == gold.code);
        if found.atc != gold.code {
            score.errors.entry("atc").or_default().push(format!("{document} {:?}: gold {} got {}", gold.text, gold.code, found.atc));
        }
    }
}

fn counts_json(counts: Counts) -> serde_json::Value {
    json!({"p": counts.precision(), "r": counts.recall(), "f1": counts.f1(), "tp": counts.tp, "fp": counts.fp, "fn": counts.fn_})
}

fn as_json(score: &Score) -> serde_json::Value {
    json!({
        "documents": {"gold": score.documents.0, "found": score.documents.1, "text_equal": score.documents.2},
        "entities": {
            "overlap": counts_json(score.overlap),
            "exact": counts_json(score.exact),
            "by_label": score.by_label.iter().map(|(l, c)| (l.clone(), counts_json(*c))).collect::<serde_json::Map<_, _>>(),
            "icd10_exact": ratio(score.icd10.1, score.icd10.0),
            "icd10_3char": ratio(score.icd10.2, score.icd10.0),
            "atc_exact": ratio(score.atc.1, score.atc.0),
            "flags": FLAGS.iter().zip(score.flags).map(|(f, c)| ((*f).to_owned(), counts_json(c))).collect::<serde_json::Map<_, _>>(),
        },
    })
}

fn as_table(score: &Score) -> String {
    let mut out = format!("documents: {} of {} found, {} with equal text\n\n", score.documents.1, score.documents.0, score.documents.2);
    out.push_str(&format!("{:<22} {:>9} {:>9} {:>9}\n", "", "precision", "recall", "F1"));
    let mut line =
        |name: &str, c: Counts| out.push_str(&format!("{name:<22} {:>9.3} {:>9.3} {:>9.3}\n", c.precision(), c.recall(), c.f1()));
    line("mentions, overlap", score.overlap);
    line("mentions, exact", score.exact);
    for (label, counts) in &score.by_label {
        line(&format!("  {label}"), *counts);
    }
    for (name, counts) in ["negation", "hypothesis", "family", "history"].iter().zip(score.flags) {
        line(name, counts);
    }
    out.push_str(&format!(
        "\nICD-10 exact {:.3}, three characters {:.3} (n = {})\nATC exact {:.3} (n = {})\n",
        ratio(score.icd10.1, score.icd10.0),
        ratio(score.icd10.2, score.icd10.0),
        score.icd10.0,
        ratio(score.atc.1, score.atc.0),
        score.atc.0
    ));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(label: &str, start: i64, end: i64) -> Found {
        Found {
            label: label.to_owned(),
            start,
            end,
            text: String::new(),
            icd10: "I63.9".to_owned(),
            atc: String::new(),
            flags: [true, false, false, false],
        }
    }

    fn gold(label: &str, start: i64, end: i64, flags: &[&str]) -> GoldEntity {
        GoldEntity {
            fhir_id: "d".to_owned(),
            label: label.to_owned(),
            code: "I63.9".to_owned(),
            flags: flags.iter().map(|f| (*f).to_owned()).collect(),
            start,
            end,
            text: String::new(),
        }
    }

    #[test]
    fn pairs_by_overlap_and_counts_the_rest() {
        let (a, b) = (gold("DISORDER", 0, 5, &["NEG"]), gold("DRUG", 10, 15, &[]));
        let mut score = Score::default();
        compare("d", &[&a, &b], &[found("SIGN", 2, 5), found("DISORDER", 30, 33)], &mut score);
        assert_eq!(score.overlap, Counts { tp: 1, fp: 1, fn_: 1 });
        assert_eq!(score.flags[0], Counts { tp: 1, fp: 0, fn_: 0 });
        assert_eq!((score.icd10.0, score.icd10.1), (1, 1));
        assert_eq!(score.exact.tp, 0);
    }
}
