//! `sillage evaluate`: how good a run, or de-identification alone, is.
//!
//! Against gold files of the project: the tables of a run, with the counts and rules
//! of the project's reference scorer. Against a corpus of another community
//! (`--format`): the detector on the corpus' texts, scored as that community does.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::print;
use crate::error::{Error, Result};

mod benchmark;
mod detector;
mod formats;
mod gold;
mod mentions;
mod metrics;
mod phi;
mod report;
mod scheme;
mod tables;
mod tokens;
mod variables;

#[derive(Args)]
pub struct Options {
    /// Output folder of a run, for `--format gold`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Folder with the true annotations
    #[arg(long, value_name = "DIR")]
    gold: PathBuf,
    /// What the gold folder holds. Without a run, for all but `gold`, the texts go through the detector here
    #[arg(long, value_enum, default_value_t = Format::Gold)]
    format: Format,
    /// JSON instead of a table
    #[arg(long)]
    json: bool,
    /// List up to this many errors of each cause (they quote the texts)
    #[arg(long, value_name = "N", default_value_t = 0)]
    errors: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// documents, phi, entities and variables as JSON lines
    Gold,
    /// i2b2/UTHealth 2014: an XML file a record
    #[value(name = "i2b2-2014")]
    I2b2,
    /// EDS-Pseudo: JSON lines of note_id, note_text, entities
    #[value(name = "eds-pseudo-jsonl")]
    EdsPseudo,
    /// brat standoff: .txt and .ann
    Brat,
}

/// Scores of a run, each part as far as gold has it.
#[derive(Default)]
struct Scores {
    /// Documents of gold, those that the run has, and those whose text is the same.
    documents: (usize, usize, usize),
    phi: Option<phi::Score>,
    mentions: Option<mentions::Score>,
    variables: Option<variables::Score>,
    notices: Vec<String>,
}

pub async fn execute(options: Options) -> Result<()> {
    let mut errors = report::Errors::default();
    let (mut json, page) = match options.format {
        Format::Gold => {
            let Some(out) = &options.out else {
                return Err(Error::Configuration("--format gold scores the tables of a run: name its folder with --out".to_owned()));
            };
            let gold = gold::Gold::read(&options.gold)?;
            let scores = compare(&gold, &tables::Found::read(out).await?, &mut errors);
            for notice in &scores.notices {
                tracing::warn!("{notice}");
            }
            (report::scores_json(&scores), report::scores_page(&scores))
        }
        Format::I2b2 => benchmark(&options, formats::Kind::I2b2, &mut errors)?,
        Format::EdsPseudo => benchmark(&options, formats::Kind::EdsPseudo, &mut errors)?,
        Format::Brat => benchmark(&options, formats::Kind::Brat, &mut errors)?,
    };
    if options.json {
        if options.errors > 0 {
            json["errors"] = errors.json(options.errors);
        }
        return print(&format!("{json}\n"));
    }
    print(&page)?;
    if options.errors > 0 {
        print(&errors.page(options.errors))?;
    }
    Ok(())
}

fn compare(gold: &gold::Gold, found: &tables::Found, errors: &mut report::Errors) -> Scores {
    let mut scores = Scores { notices: found.notices.clone(), ..Scores::default() };
    for document in &gold.documents {
        scores.documents.0 += 1;
        if let Some(text) = found.texts.get(&document.fhir_id) {
            scores.documents.1 += 1;
            scores.documents.2 += usize::from(text.trim() == document.text.trim());
        }
    }
    let documents = &gold.documents;
    scores.phi = gold.phi.as_ref().map(|phi| phi::score(documents, phi, gold.entities.as_deref(), &found.phi, errors));
    scores.mentions = gold.entities.as_ref().map(|entities| mentions::score(documents, entities, &found.entities, errors));
    scores.variables =
        gold.variables.as_ref().map(|variables| variables::score(documents, variables, &found.variables, &found.episodes, errors));
    for (file, there) in [("phi", gold.phi.is_some()), ("entities", gold.entities.is_some()), ("variables", gold.variables.is_some())] {
        if !there {
            scores.notices.push(format!("no {file}.jsonl in the gold folder: its part is not scored"));
        }
    }
    scores
}

fn benchmark(options: &Options, kind: formats::Kind, errors: &mut report::Errors) -> Result<(serde_json::Value, String)> {
    let name = options.format.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default();
    if options.out.is_some() {
        return Err(Error::Configuration(format!("--format {name} takes no --out: the texts of --gold go through the detector")));
    }
    let documents = formats::read(kind, &options.gold)?;
    let conventions = benchmark::Conventions::of(kind);
    let score = benchmark::score(&documents, &conventions, detector::detector()?.as_ref(), errors);
    Ok((report::benchmark_json(&name, &conventions, &score), report::benchmark_page(&name, &conventions, &score)))
}
