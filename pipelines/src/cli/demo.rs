//! `sillage demo`: a small hospital's feed through the whole pipeline.

use std::path::PathBuf;

use arrow::util::pretty::pretty_format_batches;
use clap::Args;

use super::print;
use super::sql::query;
use crate::configuration::Configuration;
use crate::error::{Error, Result};
use crate::runner::{self, Mode};
use crate::session;
use crate::store::Store;

#[derive(Args)]
#[command(after_help = "Example:\n  sillage demo --patients 50")]
pub(super) struct Options {
    /// Folder for the feed and the tables
    #[arg(long, value_name = "DIR", default_value = "sillage-demo")]
    out: PathBuf,
    /// Invented patients
    #[arg(long, default_value_t = 24)]
    patients: usize,
    /// Another seed, another hospital
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

/// What the summary asks of the tables.
const SUMMARY: &[(&str, &str)] = &[
    (
        "What the reports speak of most (present, of the patient, now)",
        "select icd10_code as \"CIM-10\", icd10_display as diagnosis, count(*) as mentions, count(distinct patient_id) as patients
         from entities
         where label in ('DISORDER', 'SIGN') and icd10_code is not null and not negated and not hypothetical and not historical and experiencer = 'patient'
         group by 1, 2 order by 4 desc, 3 desc, 2 limit 8",
    ),
    (
        "The same words, told apart",
        "select icd10_code as \"CIM-10\",
                sum(case when negated then 1 else 0 end) as negated, sum(case when hypothetical then 1 else 0 end) as suspected,
                sum(case when historical then 1 else 0 end) as history, sum(case when experiencer = 'family' then 1 else 0 end) as family,
                sum(case when not negated and not hypothetical and not historical and experiencer = 'patient' then 1 else 0 end) as present
         from entities where icd10_code in ('I64', 'I63.9', 'I10', 'I48.9', 'G81.9', 'R47.0') group by 1 order by 1",
    ),
    (
        "Every value leads back to its words",
        "select e.text as mention, e.icd10_code as \"CIM-10\", e.section, replace(replace(substr(s.text, greatest(e.source_start - 24, 1), 64), chr(10), ' '), chr(13), '') as \"in the original\"
         from entities e join source_documents s on s.document_id = e.document_id
         where e.label = 'DISORDER' and e.icd10_code like 'I6%' and not e.negated order by e.document_time, e.source_start limit 6",
    ),
    (
        "One row per stroke (research.cohort)",
        "select age, sex, nihss_admission as nihss, iv_thrombolysis as thrombolysis, mechanical_thrombectomy as thrombectomy, mtici, mrs_discharge, mrs_3_months
         from cohort order by episode_start limit 6",
    ),
    (
        "A resolved value and the words it rests on",
        "select variable, value, replace(evidence, chr(10), ' ') as evidence, candidates, conflict
         from episode_variables where variable in ('nihss_admission', 'stroke_side', 'smoking', 'thrombolysis_datetime') order by episode_id, variable limit 6",
    ),
    (
        "What research reads: other names, other days, the same medicine",
        "select type_display as document, replace(replace(substr(text, 1, 90), chr(10), ' / '), chr(13), '') as text from documents where text is not null order by document_time limit 4",
    ),
    ("Input that could not be read is kept, with its place", "select reason, detail from dead_letters order by detail limit 5"),
];

const TRY: &[&str] = &[
    "select atc_code, max(atc_display) as drug, count(distinct patient_id) as patients from entities where label = 'DRUG' and historical group by 1 order by 3 desc limit 10",
    "select variable, count(*) as strokes, sum(case when conflict then 1 else 0 end) as conflicts from episode_variables group by 1 order by 2 desc, 1",
    "select e.text, e.icd10_code, e.negated, e.experiencer from (select unnest(entities('Pas d''AVC ni d''AIT. Père : infarctus à 50 ans. FA sous Eliquis.')) as e)",
];

pub(super) async fn execute(options: Options, quiet: bool) -> Result<()> {
    let (feed, out) = (options.out.join("feed"), options.out.join("tables"));
    for folder in [&feed, &out] {
        if folder.exists() {
            std::fs::remove_dir_all(folder).map_err(Error::io(folder))?;
        }
    }
    std::fs::create_dir_all(&feed).map_err(Error::io(&feed))?;
    let hospital = sillage_sandbox::hospital::write_feed(&feed, options.patients, options.seed)
        .map_err(|e| Error::Internal(format!("demo feed: {e}")))?;
    eprintln!("an invented hospital: {} patients, {} documents in {}", hospital.patients, hospital.documents, feed.display());
    let mut configuration = Configuration::read(None)?;
    configuration.name = "demo".to_owned();
    configuration.sources = vec![feed.display().to_string()];
    configuration.out = out.clone();
    let summary = runner::run(&configuration, Mode::Once, quiet).await?;
    super::run::report(&configuration, &summary);

    let store = Store::open_existing(&out).await?;
    let session =
        session::over(&store, &session::library(configuration.terminology.snomed.licence(), &configuration.variables.files)?).await?;
    let mut page = String::new();
    for (title, sql) in SUMMARY {
        let batches = query(&session, sql).await?;
        let table = pretty_format_batches(&batches).map_err(|e| Error::Internal(e.to_string()))?;
        page.push_str(&format!("\n{title}\n{table}\n"));
    }
    page.push_str("\nThree things to try\n");
    for sql in TRY {
        page.push_str(&format!("\n  sillage sql --out {} -c \"{sql}\"\n", out.display()));
    }
    print(&page)
}
