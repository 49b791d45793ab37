//! `sillage trace`: where the cells of a hand-filled table come from.
//!
//! Reads the original texts of the restricted zone, so what it writes identifies
//! people: it belongs below `restricted/`, and messages name rows, never patients.

use std::path::{Path, PathBuf};
use std::thread;

use clap::Args;
use sillage_clinical::lexicon::SnomedLicence;
use sillage_functions::Library;
use sillage_variables::definition::{Definitions, Type};
use sillage_variables::derive::MINUTES;
use sillage_variables::trace::{Kind, Map, MapError, Outcome, Summary, summary};

use super::print;
use super::table::table;
use super::variables::nearest;
use crate::error::{Error, Result};
use crate::session;
use crate::store::Store;

mod dossier;
mod output;
mod sheet;

use dossier::{Dossier, Identity, TracedRow};
use output::Output;
use sheet::Sheet;

/// Patients whose documents are read at a time.
const PATIENTS: usize = 500;
/// Rows named in a message.
const NAMED: usize = 20;

#[derive(Args)]
pub(super) struct Options {
    /// Output folder of a run
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The hand-filled table: CSV with a header, one row per patient or stroke; ; , or tab; UTF-8 or Windows-1252
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// Which column holds which variable (TOML)
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// Folder for trace.parquet, labels.parquet and summary.csv; by default restricted/trace in the output folder
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// File of declarations beside those that ship with Sillage; repeatable
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
}

pub(super) async fn execute(options: Options) -> Result<()> {
    let library = session::library(SnomedLicence::GlobalPatientSet, &options.file)?;
    let map = read_map(&options.map, &library.definitions)?;
    let sheet = Sheet::read(&options.table, &map)?;
    let store = Store::open_existing(&options.out).await?;
    let session = session::over(&store, &library).await?;
    let found = dossier::identities(&store, &session, &sheet).await?;
    if found.patients.is_empty() {
        return Err(Error::Configuration(format!(
            "{}: column {:?} holds no patient of {}; it must hold the source's id of the patient or one of the patient's numbers, else name another column as `patient` in the map",
            options.table.display(),
            map.patient,
            options.out.display()
        )));
    }
    let folder = options.to.clone().unwrap_or_else(|| options.out.join("restricted").join("trace"));
    let mut output = Output::create(&folder, &map)?;
    let mut counts = summary(&map, std::iter::empty());
    for patients in found.patients.chunks(PATIENTS) {
        let dossiers = dossier::read(&session, patients).await?;
        for (rows, dossier) in trace(&library, &map, &sheet, patients, &dossiers) {
            for (sum, part) in counts.iter_mut().zip(summary(&map, rows.iter().flat_map(|r| &r.cells))) {
                sum.counts.iter_mut().zip(part.counts).for_each(|(sum, part)| *sum += part);
            }
            output.push(&map, &sheet, dossier, &rows)?;
        }
    }
    output.without_patient(&map, &sheet, &found.missing)?;
    let files = output.finish()?;
    let totals = folder.join("summary.csv");
    output::write_private(&totals, &summary_csv(&map, &counts)?)?;
    print(&page(&map, &counts))?;
    for notice in notices(&map, &counts) {
        eprintln!("{notice}");
    }
    if !found.missing.is_empty() {
        eprintln!("{}", not_found(&sheet, &found.missing, found.ambiguous));
    }
    eprintln!("{}, {} and summary.csv in {} (the first two identify people)", files[0], files[1], folder.display());
    Ok(())
}

/// Traces rows, patients side by side.
fn trace<'d>(
    library: &Library,
    map: &Map,
    sheet: &Sheet,
    patients: &[(Identity, Vec<usize>)],
    dossiers: &'d [Dossier],
) -> Vec<(Vec<TracedRow>, &'d Dossier)> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(patients.len()).max(1);
    let part = patients.len().div_ceil(workers).max(1);
    let one = |patients: &[(Identity, Vec<usize>)], dossiers: &'d [Dossier]| -> Vec<(Vec<TracedRow>, &'d Dossier)> {
        let both = patients.iter().zip(dossiers);
        both.map(|((identity, rows), dossier)| (dossier.trace(library, map, sheet, identity, rows), dossier)).collect()
    };
    thread::scope(|scope| {
        let parts: Vec<_> = patients.chunks(part).zip(dossiers.chunks(part)).collect();
        let running: Vec<_> = parts.iter().map(|(patients, dossiers)| scope.spawn(|| one(patients, dossiers))).collect();
        running
            .into_iter()
            .flat_map(|part| match part.join() {
                Ok(traced) => traced,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

fn read_map(path: &Path, definitions: &Definitions) -> Result<Map> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::Configuration(format!("{}: {e}", path.display())))?;
    let map = Map::read(&text, |variable| kind(definitions, variable)).map_err(|error| {
        let remedy = match &error {
            MapError::Variable { variable, .. } => nearest(definitions, variable),
            MapError::Value { variable, .. } => match kind(definitions, variable) {
                Some(Kind::Category(values)) => format!("; its values are {}", values.join(", ")),
                Some(Kind::Boolean) => "; it is \"true\", \"false\" or, for a cell that says nothing, \"\"".to_owned(),
                Some(Kind::DateTime) => "; times are read by `date_formats`, not by `values`".to_owned(),
                _ => "; it is a number".to_owned(),
            },
            MapError::Toml(_) | MapError::Column(_) => String::new(),
        };
        Error::Configuration(format!("{}: {error}{remedy}", path.display()))
    })?;
    if map.columns.is_empty() {
        return Err(Error::Configuration(format!("{}: no column is mapped; add [columns.\"NAME\"] with variable = \"…\"", path.display())));
    }
    Ok(map)
}

/// What a variable or a computed duration holds.
fn kind(definitions: &Definitions, variable: &str) -> Option<Kind> {
    let Some(definition) = definitions.get(variable) else {
        return MINUTES.iter().any(|(name, ..)| *name == variable).then_some(Kind::Number);
    };
    Some(match definition.kind {
        Type::Boolean => Kind::Boolean,
        Type::Integer | Type::Float => Kind::Number,
        Type::Category => Kind::Category(definition.values.clone()),
        Type::DateTime => Kind::DateTime,
    })
}

fn of(summary: &Summary, outcome: Outcome) -> u64 {
    summary.counts[outcome as usize]
}

/// Cells that say something that can be compared.
fn compared(summary: &Summary) -> u64 {
    summary.counts.iter().sum::<u64>() - of(summary, Outcome::Missing) - of(summary, Outcome::Unreadable)
}

fn page(map: &Map, counts: &[Summary]) -> String {
    let mut titles = vec!["variable", "column", "share"];
    titles.extend(Outcome::ALL.map(Outcome::name));
    let share = |summary: &Summary| match compared(summary) {
        0 => "–".to_owned(),
        all => format!("{:.0} %", 100.0 * of(summary, Outcome::Supported) as f64 / all as f64),
    };
    let row = |name: &str, column: &str, summary: &Summary| {
        let mut row = vec![name.to_owned(), column.to_owned(), share(summary)];
        row.extend(summary.counts.iter().map(u64::to_string));
        row
    };
    let mut rows: Vec<Vec<String>> = counts.iter().zip(&map.columns).map(|(s, c)| row(&s.variable, &c.name, s)).collect();
    let mut all = Summary { variable: String::new(), counts: [0; 6] };
    for summary in counts {
        all.counts.iter_mut().zip(summary.counts).for_each(|(sum, part)| *sum += part);
    }
    rows.push(row("all", "", &all));
    format!("{}\nshare: supported cells of those that say a value\n", table(&titles, &rows, &[32, 24, 6]))
}

fn summary_csv(map: &Map, counts: &[Summary]) -> Result<Vec<u8>> {
    let failed = |e: String| Error::Internal(format!("summary.csv: {e}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let titles = ["variable", "column"].into_iter().chain(Outcome::ALL.map(Outcome::name));
    writer.write_record(titles).map_err(|e| failed(e.to_string()))?;
    for (summary, column) in counts.iter().zip(&map.columns) {
        let numbers = summary.counts.map(|n| n.to_string());
        let record = [summary.variable.as_str(), &column.name].into_iter().chain(numbers.iter().map(String::as_str));
        writer.write_record(record).map_err(|e| failed(e.to_string()))?;
    }
    writer.into_inner().map_err(|e| failed(e.to_string()))
}

/// What the map should say so that more cells can be read.
fn notices(map: &Map, counts: &[Summary]) -> Vec<String> {
    let unreadable = counts.iter().zip(&map.columns).filter(|(summary, _)| of(summary, Outcome::Unreadable) > 0);
    let notice = |(summary, column): (&Summary, &sillage_variables::trace::Column)| {
        let remedy = match &column.kind {
            Kind::DateTime => "add their form to `date_formats` in the map, as \"%d/%m/%Y %H:%M\"".to_owned(),
            Kind::Number => "they are no numbers; say what they mean with `values` in the map".to_owned(),
            Kind::Boolean => "say which mean \"true\" and \"false\" with `values` in the map".to_owned(),
            Kind::Category(values) => format!("say what they mean with `values` in the map; there are {}", values.join(", ")),
        };
        format!("column {:?}: {} unreadable cells: {remedy}", column.name, of(summary, Outcome::Unreadable))
    };
    unreadable.map(notice).collect()
}

fn not_found(sheet: &Sheet, missing: &[usize], ambiguous: usize) -> String {
    let rows: Vec<String> = missing.iter().take(NAMED).map(|row| sheet.number(*row).to_string()).collect();
    let more = if missing.len() > NAMED { ", …" } else { "" };
    let several = if ambiguous > 0 { format!(" ({ambiguous} of them name more than one patient)") } else { String::new() };
    format!(
        "{} of {} rows are of no patient of the run{several} and count in no figure above: rows {}{more}",
        missing.len(),
        sheet.rows.len(),
        rows.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "patient = \"IPP\"\n[columns.score]\nvariable = \"nihss_admission\"\n[columns.aiguille]\nvariable = \"onset_to_needle_minutes\"\n[columns.debut]\nvariable = \"onset_datetime\"\n";

    fn map() -> Map {
        Map::read(MAP, |v| kind(Definitions::built_in(), v)).unwrap()
    }

    #[test]
    fn figures_are_by_variable_and_in_all() {
        let counts = summary(&map(), std::iter::empty());
        let mut counts: Vec<Summary> = counts.into_iter().enumerate().map(|(at, s)| Summary { counts: [at as u64; 6], ..s }).collect();
        counts[2].counts = [3, 0, 0, 1, 0, 2];
        let page = page(&map(), &counts);
        let line = |name: &str| page.lines().find(|l| l.starts_with(name)).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(line("nihss_admission"), "nihss_admission score 75 % 3 0 0 1 0 2", "{page}");
        assert_eq!(line("all"), "all 50 % 4 1 1 2 1 3");
        assert!(String::from_utf8(summary_csv(&map(), &counts).unwrap()).unwrap().contains("\nnihss_admission,score,3,0,0,1,0,2\n"));
        let notices = notices(&map(), &counts);
        assert!(notices.len() == 2 && notices[1].contains("\"score\": 2 unreadable"), "{notices:?}");
    }

    #[test]
    fn a_wrong_map_is_explained() {
        let folder = tempfile::tempdir().unwrap();
        let wrong = |text: &str| {
            let path = folder.path().join("map.toml");
            std::fs::write(&path, text).unwrap();
            read_map(&path, Definitions::built_in()).unwrap_err().to_string()
        };
        let error = wrong("patient = \"IPP\"\n[columns.score]\nvariable = \"nihss_admision\"\n");
        assert!(error.contains("\"score\"") && error.contains("the nearest is nihss_admission"), "{error}");
        assert!(wrong("patient = \"IPP\"\n[columns]\n").contains("no column is mapped"));
        let error = wrong("patient = \"IPP\"\n[columns.t]\nvariable = \"iv_thrombolysis\"\nvalues = { x = \"peut-être\" }\n");
        assert!(error.contains("\"true\""), "{error}");
    }
}
