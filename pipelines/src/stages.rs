//! The stages: SQL files, run in order over the tables of one epoch.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::datasource::MemTable;
use datafusion::execution::context::SessionContext;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Rows that one partition reads before the next one has its turn.
const SLICE: usize = 64;
/// Tables whose documents are read one by one: windows and joins leave them in few partitions.
const DEALT: &[&str] = &["accepted_documents", "known_readings"];

/// One SQL file.
pub struct Stage {
    pub name: &'static str,
    pub sql: &'static str,
    /// What it makes that the store keeps.
    pub outputs: &'static [Output],
    /// Whether it reads what the store has of the epoch's patients: it then waits
    /// until the epoch before is committed.
    pub looks_back: bool,
}

/// Rows for a table of the store.
pub struct Output {
    pub table: &'static str,
    /// The SQL table that holds them.
    pub from: &'static str,
    /// The SQL table that lists whose earlier rows go, by the key of the store's table.
    pub replaces: Option<&'static str>,
}

const fn output(table: &'static str, from: &'static str, replaces: &'static str) -> Output {
    Output { table, from, replaces: Some(replaces) }
}

/// The stages, in order.
pub const STAGES: &[Stage] = &[
    Stage {
        name: "10_documents",
        sql: include_str!("../../sql/10_documents.sql"),
        outputs: &[
            output("source_documents", "source_documents", "accepted_documents"),
            output("page_spans", "page_spans", "accepted_documents"),
            output("encounters", "encounters", "encounters"),
        ],
        looks_back: false,
    },
    Stage { name: "20_mentions", sql: include_str!("../../sql/20_mentions.sql"), outputs: &[], looks_back: false },
    Stage {
        name: "30_deidentify",
        sql: include_str!("../../sql/30_deidentify.sql"),
        outputs: &[
            output("phi_spans", "phi_spans", "accepted_documents"),
            output("identities", "identities", "identities"),
            Output { table: "dead_letters", from: "leaks", replaces: None },
        ],
        looks_back: false,
    },
    Stage {
        name: "40_entities",
        sql: include_str!("../../sql/40_entities.sql"),
        outputs: &[
            output("entities", "entities", "accepted_documents"),
            output("display_disagreements", "display_disagreements", "accepted_documents"),
        ],
        looks_back: false,
    },
    Stage { name: "50_variables", sql: include_str!("../../sql/50_variables.sql"), outputs: &[], looks_back: false },
    Stage {
        name: "60_episodes",
        sql: include_str!("../../sql/60_episodes.sql"),
        outputs: &[
            output("documents", "documents", "touched_documents"),
            output("variables", "variables", "touched_documents"),
            output("episode_variables", "episode_variables", "touched_patients"),
            output("cohort", "cohort", "touched_patients"),
        ],
        looks_back: true,
    },
];

/// What a stage may refer to as `$name`.
#[derive(Clone)]
pub struct Parameters {
    pub run_id: String,
    /// Microseconds, UTC.
    pub ingested_at: i64,
}

/// SHA-256 over all stage files: what the pipeline is.
pub fn digest() -> String {
    let mut hash = Sha256::new();
    for stage in STAGES {
        hash.update(stage.name);
        hash.update(stage.sql);
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Statements of a stage file.
fn statements(sql: &str) -> impl Iterator<Item = String> + '_ {
    // The files hold no semicolon inside quotes; a test plans every statement.
    let code: String = sql.lines().map(|l| l.split("--").next().unwrap_or(l)).collect::<Vec<_>>().join("\n");
    code.split(';').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

/// Runs one stage in a session that holds its input tables.
pub async fn run(session: &SessionContext, stage: &'static Stage, parameters: &Parameters) -> Result<()> {
    let failed = |source| Error::Stage { stage: stage.name, source: Box::new(source) };
    let values = ParamValues::from(vec![
        ("run_id", ScalarValue::from(parameters.run_id.as_str())),
        ("ingested_at", ScalarValue::TimestampMicrosecond(Some(parameters.ingested_at), Some("UTC".into()))),
    ]);
    for statement in statements(stage.sql) {
        let plan = session.state().create_logical_plan(&statement).await.map_err(failed)?;
        let plan = plan.replace_params_with_values(&values).map_err(failed)?;
        session.execute_logical_plan(plan).await.map_err(failed)?.collect().await.map_err(failed)?;
        if let Some(table) = DEALT.iter().find(|table| statement.starts_with(&format!("create table {table} as"))) {
            deal(session, table).await.map_err(failed)?;
        }
    }
    Ok(())
}

/// Deals the rows of a table to the partitions anew.
async fn deal(session: &SessionContext, table: &str) -> datafusion::error::Result<()> {
    let rows = session.table(table).await?;
    let schema = rows.schema().inner().clone();
    let batches = rows.collect().await?;
    session.deregister_table(table)?;
    register(session, table, schema, &batches, session.state().config().target_partitions())
}

/// Registers rows as a table in slices, dealt to the partitions in turn.
pub fn register(
    session: &SessionContext,
    name: &str,
    schema: SchemaRef,
    batches: &[RecordBatch],
    partitions: usize,
) -> datafusion::error::Result<()> {
    let mut dealt = vec![Vec::new(); partitions];
    let slices = batches.iter().flat_map(|b| (0..b.num_rows()).step_by(SLICE).map(|at| b.slice(at, SLICE.min(b.num_rows() - at))));
    for (turn, slice) in slices.enumerate() {
        dealt[turn % partitions].push(slice);
    }
    session.register_table(name, Arc::new(MemTable::try_new(schema, dealt)?)).map(drop)
}
