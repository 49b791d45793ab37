//! `sillage variables`: the declared variables, whether a file of declarations is
//! right, and what fires in a sentence.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use clap::{Args, Subcommand, ValueEnum};
use sillage_clinical::lexicon::SnomedLicence;
use sillage_variables::definition::{Definition, Definitions};
use sillage_variables::resolve::Policy;

use super::print;
use super::table::table;
use crate::error::{Error, Result};
use crate::session;

mod dictionary;
mod trial;

pub(super) use trial::nearest;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Name, type, unit, values and description of every variable
    #[command(
        after_help = "Examples:\n  sillage variables list\n  sillage variables list --file study.toml --format markdown > dictionary.md"
    )]
    List(List),
    /// Explain what is wrong with files of declarations, line by line
    #[command(
        after_help = "Example:\n  sillage variables check study.toml\n\nPrints each mistake as FILE:LINE: message and ends with exit code 2; the examples of a variable are run as tests."
    )]
    Check(Check),
    /// Show which rules meet words of a sentence, and why they count or do not
    #[command(
        after_help = "Examples:\n  sillage variables try \"À l'arrivée NIHSS 14, TA 182/95.\"\n  sillage variables try \"mRS 2 à 3 mois\" --type-code 11488-4 --time 2024-04-02\n  sillage variables try \"Score de sédation à 3.\" --file study.toml --variable sedation"
    )]
    Try(trial::Options),
}

#[derive(Args)]
pub(super) struct List {
    /// File of declarations beside those that ship with Sillage; repeatable
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// How they are written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// The whole data dictionary: units, domain, codes, moments, resolution, examples
    Markdown,
    /// One object a line
    Json,
    /// With a header line
    Csv,
}

#[derive(Args)]
pub(super) struct Check {
    /// Files of declarations
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) fn execute(command: Command) -> Result<()> {
    match command {
        Command::List(options) => list(&options),
        Command::Check(options) => check(&options.files),
        Command::Try(options) => trial::execute(&options),
    }
}

/// Columns of the cohort first, then those that only date and derive.
fn in_order(definitions: &Definitions) -> impl Iterator<Item = &Definition> {
    let those = |internal: bool| definitions.variables.iter().filter(move |d| Policy::of(d).internal == internal);
    those(false).chain(those(true))
}

fn list(options: &List) -> Result<()> {
    let library = session::library(SnomedLicence::GlobalPatientSet, &options.file)?;
    let titles = ["variable", "type", "unit", "values", "description"];
    let rows: Vec<Vec<String>> = in_order(&library.definitions).map(row).collect();
    let format = match options.format {
        Format::Markdown => return print(&dictionary::markdown(&library.definitions)),
        Format::Table => return print(&table(&titles, &rows, &[32, 8, 12, 28, 60])),
        Format::Json => super::sql::Format::Json,
        Format::Csv => super::sql::Format::Csv,
    };
    let column = |at: usize| Arc::new(rows.iter().map(|row| Some(row[at].as_str()).filter(|c| !c.is_empty())).collect::<StringArray>());
    let batch = RecordBatch::try_from_iter_with_nullable(titles.iter().enumerate().map(|(at, name)| (*name, column(at) as ArrayRef, true)));
    super::sql::write(&[batch.map_err(|e| Error::Internal(format!("list of variables: {e}")))?], format)
}

fn row(definition: &Definition) -> Vec<String> {
    let values = match definition.domain {
        Some([least, greatest]) => format!("{least} to {greatest}"),
        None => definition.values.join(", "),
    };
    vec![
        definition.name.clone(),
        definition.kind.name().to_owned(),
        definition.unit.clone().unwrap_or_default(),
        values,
        definition.description.clone(),
    ]
}

/// Says what is wrong, else what the files declare.
fn check(files: &[PathBuf]) -> Result<()> {
    let library = session::built_in()?;
    let mut texts = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(path).map_err(|e| Error::Configuration(format!("{}: {e}", path.display())))?;
        texts.push((path.display().to_string(), text));
    }
    let mut mistakes = 0;
    for (name, text) in &texts {
        let problems = Definitions::check(&library.knowledge, text);
        mistakes += problems.len();
        for problem in &problems {
            print(&format!("{name}:{}: {}\n", problem.line, problem.message))?;
        }
    }
    if mistakes > 0 {
        let plural = if mistakes == 1 { "" } else { "s" };
        return Err(Error::Configuration(format!("{mistakes} mistake{plural} in {}", count(files.len(), "file"))));
    }
    for (name, text) in &texts {
        print(&found(&library.definitions, &library.knowledge, name, text)?)?;
    }
    // What each of them says may be right, and all of them together too much.
    let files: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Definitions::with_files(&library.knowledge, &files).map(|_| ()).map_err(|e| Error::Configuration(e.to_string()))
}

fn found(built_in: &Definitions, knowledge: &sillage_clinical::knowledge::Knowledge, name: &str, text: &str) -> Result<String> {
    let declared = Definitions::new(knowledge, &[(name, text)]).map_err(|e| Error::Configuration(e.to_string()))?;
    let mut out = format!("{name}: {}, no mistake\n", count(declared.variables.len(), "variable"));
    for definition in &declared.variables {
        let instead = if built_in.get(&definition.name).is_some() { "; replaces the one that ships with Sillage" } else { "" };
        out.push_str(&format!(
            "  {} ({}): {}, {} as declared{instead}\n",
            definition.name,
            definition.kind.name(),
            count(definition.rules.len(), "rule"),
            count(definition.examples.len(), "example"),
        ));
    }
    Ok(out)
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_variables_come_last() {
        let definitions = Definitions::built_in();
        let order: Vec<bool> = in_order(definitions).map(|d| Policy::of(d).internal).collect();
        assert_eq!(order.len(), definitions.variables.len());
        assert!(order.is_sorted());
        assert_eq!(row(definitions.get("nihss_admission").unwrap())[..4], ["nihss_admission", "int", "{score}", "0 to 42"]);
    }
}
