//! `sillage deid report`: what a data-protection officer wants to see of a run.

use std::fmt::Write;
use std::path::PathBuf;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use clap::{Args, Subcommand};
use datafusion::execution::context::SessionContext;

use super::print;
use super::sql::query;
use crate::error::{Error, Result};
use crate::session;
use crate::store::Store;

/// Groups of fewer episodes than this are listed as rare.
const K: u32 = 5;
/// Most rare groups listed.
const RARE: usize = 20;

#[derive(Subcommand)]
pub(super) enum Command {
    /// What was found and replaced, what may remain, how unique the research rows are
    #[command(after_help = "Example:\n  sillage deid report --out tables > deid-report.md")]
    Report(Report),
}

#[derive(Args)]
pub(super) struct Report {
    /// Output folder of a run
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) async fn execute(command: Command) -> Result<()> {
    let Command::Report(options) = command;
    let library = session::built_in()?;
    let store = Store::open_existing(&options.out).await?;
    let session = session::over(&store, &library).await?;
    print(&report(&session).await?)
}

/// The report in Markdown. It names no person: labels, detectors and counts only.
async fn report(session: &SessionContext) -> Result<String> {
    let mut out = String::from("# De-identification report\n");
    let totals = query(
        session,
        "select (select count(*) from restricted.source_documents where text is not null) as documents,
                (select count(distinct document_id) from restricted.phi_spans) as with_spans,
                (select count(*) from restricted.phi_spans) as spans,
                (select count(*) from restricted.dead_letters where reason = 'identifier_leak') as stopped",
    )
    .await?;
    let _ = write!(out, "\n{}", markdown(&totals, &["documents", "with identifying spans", "spans", "stopped by the second lock"])?);
    out.push_str("\n## Found, by label and detector\n\nA span found by several detectors counts under their names joined by `+`.\n\n");
    let found = query(
        session,
        "select label, detector, count(*) as spans, count(distinct document_id) as documents, min(score) as lowest
         from restricted.phi_spans group by 1, 2 order by 1, 3 desc",
    )
    .await?;
    out.push_str(&markdown(&found, &["label", "detector", "spans", "documents", "lowest score"])?);
    out.push_str(&residual(session).await?);
    out.push_str(&anonymity(session).await?);
    Ok(out)
}

/// Chapman's estimate of what neither of two groups of detectors found.
fn missed(first_only: f64, second_only: f64, both: f64) -> f64 {
    ((first_only + both + 1.0) * (second_only + both + 1.0) / (both + 1.0) - 1.0 - first_only - second_only - both).max(0.0)
}

async fn residual(session: &SessionContext) -> Result<String> {
    let rows = query(
        session,
        "with seen as (
             select label,
                    detector like '%record%' or detector like '%revealed%' as known,
                    regexp_like(detector, '(context|gazetteer|shape|model)') as read
             from restricted.phi_spans
             where label in ('NOM', 'PRENOM', 'ADRESSE', 'ZIP', 'VILLE', 'TEL', 'MAIL', 'IPP', 'NDA', 'SECU', 'ID')
         )
         select cast(sum(case when known and not read then 1 else 0 end) as double) as known_only,
                cast(sum(case when read and not known then 1 else 0 end) as double) as read_only,
                cast(sum(case when read and known then 1 else 0 end) as double) as both
         from seen",
    )
    .await?;
    let number = |column: usize| rows.first().filter(|b| b.num_rows() > 0).map_or(0.0, |b| number_at(b, column));
    let (known, read, both) = (number(0), number(1), number(2));
    let mut out = String::from("\n## What may remain\n\n");
    if both < 10.0 {
        out.push_str("Too few spans were found by both groups of detectors for an estimate.\n");
        return Ok(out);
    }
    let missed = missed(known, read, both);
    let total = known + read + both;
    let _ = writeln!(
        out,
        "Direct identifiers found because they are known (the patient's record, the patient's other documents) alone: {known:.0}; because of how they read (context, shape, word lists) alone: {read:.0}; by both: {both:.0}. \
         Chapman's capture-recapture estimate of what neither found: **{missed:.0}**, {:.2} % of all.\n\n\
         The estimate takes the two groups as independent. They are not wholly: people whom no record names (staff, relatives) can only be found by how they read, which makes the figure too low for them and too high for the patient's own identifiers. Read it as an order of magnitude, and check a sample of documents by eye.",
        100.0 * missed / (total + missed).max(1.0)
    );
    Ok(out)
}

/// How many episodes share what an acquaintance could know of one.
async fn anonymity(session: &SessionContext) -> Result<String> {
    let mut out = String::from("\n## How unique the research rows are\n\n");
    let columns = query(session, "select * from research.cohort limit 0").await;
    let names: Vec<String> = columns
        .ok()
        .and_then(|batches| batches.first().map(|b| b.schema().fields().iter().map(|f| f.name().clone()).collect()))
        .unwrap_or_else(|| vec!["age".to_owned(), "sex".to_owned()]);
    if !["age", "sex"].iter().all(|n| names.iter().any(|name| name == n)) {
        out.push_str("The cohort has no age and sex yet: nothing to group by.\n");
        return Ok(out);
    }
    let groups = "with groups as (
             select case when age is null then null when age >= 90 then '90+' else concat(cast(floor(age / 5) * 5 as int), '-', cast(floor(age / 5) * 5 + 4 as int)) end as age_band,
                    sex,
                    date_part('month', episode_start) as month,
                    count(*) as episodes
             from research.cohort group by 1, 2, 3
         )";
    let summary = query(
        session,
        &format!(
            "{groups} select coalesce(min(episodes), 0) as k, count(*) as groups,
                    coalesce(sum(case when episodes < {K} then episodes else 0 end), 0) as rare,
                    coalesce(sum(episodes), 0) as episodes from groups"
        ),
    )
    .await?;
    let _ = write!(
        out,
        "Episodes of the cohort grouped by age in bands of five years, sex and calendar month of the (shifted) start. Places are replaced in every text and stand in no column, so they separate nobody.\n\n{}",
        markdown(&summary, &["k (smallest group)", "groups", &format!("episodes in groups under {K}"), "episodes"])?
    );
    let rare = query(
        session,
        &format!("{groups} select age_band, sex, month, episodes from groups where episodes < {K} order by episodes, 1, 2, 3 limit {RARE}"),
    )
    .await?;
    if rare.iter().any(|b| b.num_rows() > 0) {
        let _ = write!(
            out,
            "\nRare combinations, the rarest first (at most {RARE}):\n\n{}",
            markdown(&rare, &["age", "sex", "month", "episodes"])?
        );
    }
    Ok(out)
}

fn number_at(batch: &RecordBatch, column: usize) -> f64 {
    cast(batch.column(column), &DataType::Float64).ok().filter(|a| a.is_valid(0)).map_or(0.0, |a| a.as_primitive::<Float64Type>().value(0))
}

/// A table in Markdown.
fn markdown(batches: &[RecordBatch], titles: &[&str]) -> Result<String> {
    let mut out = format!("| {} |\n|{}\n", titles.join(" | "), " --- |".repeat(titles.len()));
    for batch in batches {
        let columns = batch
            .columns()
            .iter()
            .map(|c| cast(c, &DataType::Utf8).map_err(|e| Error::Internal(format!("report: {e}"))))
            .collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            let cells: Vec<&str> = columns.iter().map(|c| if c.is_valid(row) { c.as_string::<i32>().value(row) } else { "" }).collect();
            let _ = writeln!(out, "| {} |", cells.join(" | "));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn independent_groups_give_the_textbook_estimate() {
        // 90 of 100 found by one, 80 of 100 by the other: 72 by both, 18 and 8 alone, 2 by neither.
        let estimate = missed(18.0, 8.0, 72.0);
        assert!((estimate - 2.0).abs() < 0.2, "{estimate}");
    }
}
