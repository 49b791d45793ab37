//! `sillage variables try`: what fires in a sentence, and why.

use std::path::PathBuf;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use clap::Args;
use sillage_clinical::lexicon::SnomedLicence;
use sillage_clinical::text::Text;
use sillage_variables::Facts;
use sillage_variables::definition::{Attempt, Definitions, Outcome};
use sillage_variables::resolve::canonical;

use super::super::print;
use super::super::table::table;
use crate::error::{Error, Result};
use crate::session;

#[derive(Args)]
pub(in crate::cli) struct Options {
    /// Text to read
    #[arg(value_name = "SENTENCE")]
    text: String,
    /// LOINC code of the document that says it; without it the words decide
    #[arg(long, value_name = "LOINC")]
    type_code: Option<String>,
    /// Time of the document, YYYY-MM-DD or YYYY-MM-DDTHH:MM; "hier" and "à 8 h" are understood against it
    #[arg(long, value_name = "TIME", value_parser = time)]
    time: Option<NaiveDateTime>,
    /// File of declarations beside those that ship with Sillage; repeatable
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Only this variable; repeatable
    #[arg(long, value_name = "NAME")]
    variable: Vec<String>,
}

fn time(text: &str) -> std::result::Result<NaiveDateTime, String> {
    let text = text.trim();
    let written = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
    let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|d| d.and_time(NaiveTime::MIN));
    let found = written.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    found.or_else(date).ok_or_else(|| "a time is written 2024-05-31 or 2024-05-31T08:15".to_owned())
}

pub(in crate::cli) fn execute(options: &Options) -> Result<()> {
    let library = session::library(SnomedLicence::GlobalPatientSet, &options.file)?;
    let definitions = &library.definitions;
    for name in &options.variable {
        if definitions.get(name).is_none() {
            return Err(Error::Configuration(format!("no variable is called {name}{}", nearest(definitions, name))));
        }
    }
    let facts = Facts { type_code: options.type_code.as_deref(), time: options.time, ..Facts::default() };
    let mut attempts = definitions.explain(&library.knowledge, &options.text, &facts);
    attempts.retain(|a| options.variable.is_empty() || options.variable.contains(&a.variable));
    let origins = Origins::read(&library.knowledge, &options.file)?;
    let kind = definitions.document_types.of(options.type_code.as_deref(), &Text::new(&options.text));
    let by = match &options.type_code {
        Some(code) if definitions.document_types.of_code(code).is_some() => format!("by its code {code}"),
        Some(code) => format!("by its words; the code {code} is not known"),
        None => "by its words; --type-code says otherwise".to_owned(),
    };
    print(&format!("read as a document of type {kind} ({by})\n\n{}", page(&attempts, &origins)))
}

/// The known name that somebody meant.
pub(in crate::cli) fn nearest(definitions: &Definitions, name: &str) -> String {
    let near = definitions.variables.iter().map(|d| (strsim::jaro_winkler(&d.name, name), &d.name)).max_by(|a, b| a.0.total_cmp(&b.0));
    let near = near.filter(|(likeness, _)| *likeness > 0.8).map(|(_, n)| format!("; the nearest is {n}")).unwrap_or_default();
    format!("{near}; `sillage variables list` names them all")
}

/// Which file a variable was declared in, the last one counting.
struct Origins(Vec<(String, Vec<String>)>);

impl Origins {
    fn read(knowledge: &sillage_clinical::knowledge::Knowledge, files: &[PathBuf]) -> Result<Origins> {
        let mut origins = Vec::new();
        for path in files {
            let text = std::fs::read_to_string(path).map_err(|e| Error::Configuration(format!("{}: {e}", path.display())))?;
            let name = path.display().to_string();
            let declared = Definitions::new(knowledge, &[(&name, &text)]).map_err(|e| Error::Configuration(e.to_string()))?;
            origins.push((name, declared.variables.into_iter().map(|d| d.name).collect()));
        }
        Ok(Origins(origins))
    }

    fn of(&self, variable: &str) -> &str {
        self.0.iter().rev().find(|(_, names)| names.iter().any(|n| n == variable)).map_or("built-in", |(file, _)| file)
    }
}

fn page(attempts: &[Attempt], origins: &Origins) -> String {
    if attempts.is_empty() {
        return "no rule meets a word of this\n".to_owned();
    }
    let found = |a: &&Attempt| a.outcome == Outcome::Found;
    let ordered = attempts.iter().filter(found).chain(attempts.iter().filter(|a| !found(a)));
    let row = |attempt: &Attempt| {
        let dash = || "–".to_owned();
        vec![
            attempt.variable.clone(),
            attempt.value.as_ref().map_or_else(dash, canonical),
            attempt.moment.map_or_else(dash, str::to_owned),
            attempt.words.clone(),
            format!("{}:{}", origins.of(&attempt.variable), attempt.line),
            if attempt.outcome == Outcome::Found { format!("{:.2}", attempt.score) } else { dash() },
            match attempt.outcome {
                Outcome::Found => "found".to_owned(),
                Outcome::Refused(why) => format!("refused: {why}"),
            },
        ]
    };
    let rows: Vec<Vec<String>> = ordered.map(row).collect();
    table(&["variable", "value", "moment", "words", "rule", "score", "outcome"], &rows, &[30, 20, 12, 30, 30, 5, 40])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_or_explained() {
        assert_eq!(time("2024-05-31T08:15").unwrap().to_string(), "2024-05-31 08:15:00");
        assert_eq!(time("2024-05-31").unwrap().to_string(), "2024-05-31 00:00:00");
        assert!(time("31/05/2024").unwrap_err().contains("2024-05-31"));
    }

    #[test]
    fn what_counts_stands_before_what_is_refused() {
        let attempt = |variable: &str, outcome| Attempt {
            variable: variable.to_owned(),
            line: 7,
            words: "NIHSS 3".to_owned(),
            value: Some(sillage_variables::Value::Number(3.0)),
            moment: Some("discharge"),
            outcome,
            score: 0.9,
        };
        let attempts = [attempt("nihss_admission", Outcome::Refused("not this moment")), attempt("nihss_discharge", Outcome::Found)];
        let page = page(&attempts, &Origins(vec![("mine.toml".to_owned(), vec!["nihss_discharge".to_owned()])]));
        let lines: Vec<&str> = page.lines().collect();
        assert!(lines[2].contains("mine.toml:7") && lines[2].ends_with("found"), "{page}");
        assert!(lines[3].contains("built-in:7") && lines[3].ends_with("refused: not this moment"), "{page}");
    }
}
