//! `sillage dead-letters`: look at what could not be processed, and send it again
//! once its cause is gone.

use std::collections::HashSet;
use std::path::PathBuf;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use chrono::Utc;
use clap::{Args, Subcommand};
use sillage_connectors::inbox::{Inbox, Message};
use sillage_connectors::{REPLAY, kind_of};
use sillage_schemas::tables::table;

use super::print;
use super::table::table as lines;
use crate::error::{Error, Result};
use crate::lock::Lock;
use crate::runner::INBOX;
use crate::session;
use crate::store::Store;

#[derive(Subcommand)]
pub(super) enum Command {
    /// How many there are, by source and reason, or one a line
    List {
        #[command(flatten)]
        selection: Selection,
        /// One line a dead letter instead of counts
        #[arg(long)]
        each: bool,
    },
    /// The payload of one: it may identify people
    Show {
        /// Output folder of a run
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// message_id, or its beginning
        id: String,
    },
    /// Send them through the next run again, as if they had just come
    #[command(
        after_help = "Examples:\n  sillage dead-letters replay --out tables --reason bad_base64\n  sillage dead-letters replay --out tables --id 3f2a\n\nStop the run first; the next `sillage run` on the folder takes them before anything else. One that fails again\nis a dead letter again."
    )]
    Replay {
        #[command(flatten)]
        selection: Selection,
    },
}

#[derive(Args)]
pub(super) struct Selection {
    /// Output folder of a run
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Only those with this reason
    #[arg(long)]
    reason: Option<String>,
    /// Only those whose message_id begins so
    #[arg(long)]
    id: Option<String>,
}

struct Letter {
    id: String,
    received_at: String,
    source: String,
    reason: String,
    detail: String,
    payload: Option<String>,
}

pub(super) async fn execute(command: Command) -> Result<()> {
    match command {
        Command::List { selection, each } => list(&selection, each).await,
        Command::Show { out, id } => {
            let store = Store::open_existing(&out).await?;
            let letters = letters(&store, &Selection { out, reason: None, id: Some(id) }).await?;
            match letters.as_slice() {
                [] => Err(Error::Configuration("no dead letter with such an id".to_owned())),
                [letter] => {
                    eprintln!("{} {} {} {}", letter.received_at, letter.source, letter.reason, letter.detail);
                    match &letter.payload {
                        Some(payload) => print(&format!("{}\n", payload.replace('\r', "\n"))),
                        None => {
                            eprintln!("the payload was not kept");
                            Ok(())
                        }
                    }
                }
                several => Err(Error::Configuration(format!("{} dead letters begin so; give more of the id", several.len()))),
            }
        }
        Command::Replay { selection } => replay(&selection).await,
    }
}

async fn list(selection: &Selection, each: bool) -> Result<()> {
    let store = Store::open_existing(&selection.out).await?;
    let letters = letters(&store, selection).await?;
    let mut rows: Vec<Vec<String>> = Vec::new();
    if each {
        rows.extend(
            letters.iter().map(|l| vec![l.id[..12.min(l.id.len())].to_owned(), l.received_at.clone(), l.reason.clone(), l.detail.clone()]),
        );
        return print(&lines(&["id", "received_at", "reason", "detail"], &rows, &[12, 30, 30, 60]));
    }
    let mut counts = std::collections::BTreeMap::new();
    for letter in &letters {
        let count = counts.entry((letter.source.clone(), letter.reason.clone())).or_insert((0u64, 0u64));
        count.0 += 1;
        count.1 += u64::from(letter.payload.is_some());
    }
    rows.extend(counts.into_iter().map(|((source, reason), (count, kept))| vec![source, reason, count.to_string(), kept.to_string()]));
    print(&lines(&["source", "reason", "count", "with payload"], &rows, &[60, 30, 10, 12]))
}

async fn replay(selection: &Selection) -> Result<()> {
    let mut store = Store::open_existing(&selection.out).await?;
    let _lock = Lock::take(&selection.out)?;
    let letters = letters(&store, selection).await?;
    let now = Utc::now().timestamp_micros();
    let (mut messages, mut sent, mut without) = (Vec::new(), HashSet::new(), 0);
    for letter in letters {
        match letter.payload.as_deref().and_then(|payload| Some((kind_of(payload)?, payload))) {
            Some((kind, payload)) => {
                let place = format!("dead letter {}", letter.id);
                messages.push(Message { kind, place, received_at: now, payload: payload.as_bytes().to_vec() });
                sent.insert(letter.id);
            }
            None => without += 1,
        }
    }
    if without > 0 {
        eprintln!("{without} cannot be sent again: their payload was not kept, or is of no known kind");
    }
    if !messages.is_empty() {
        // Durable there before they leave here: a crash between the two sends them twice, which does no harm.
        let count = messages.len();
        Inbox::sealed(&selection.out.join("restricted").join(INBOX), REPLAY, store.seal())?.append(messages).await?;
        let Some(table) = table("dead_letters") else { return Err(Error::Internal("no table dead_letters".to_owned())) };
        store.erase(table, "message_id", sent).await?;
        eprintln!("{count} will be taken by the next run on {}", selection.out.display());
    }
    Ok(())
}

async fn letters(store: &Store, selection: &Selection) -> Result<Vec<Letter>> {
    let session = session::over(store, &session::built_in()?).await?;
    let sql = "select message_id, cast(received_at as varchar) as received_at, source, reason, detail, payload \
               from restricted.dead_letters order by received_at, message_id";
    let mut letters = Vec::new();
    for batch in session.sql(sql).await.map_err(Box::new)?.collect().await.map_err(Box::new)? {
        let column = |at: usize| texts(&batch, at).map(Vec::into_iter);
        let (mut ids, mut times, mut sources) = (column(0)?, column(1)?, column(2)?);
        let (mut reasons, mut details, payloads) = (column(3)?, column(4)?, column(5)?);
        for payload in payloads {
            let next = |values: &mut std::vec::IntoIter<Option<String>>| values.next().flatten().unwrap_or_default();
            letters.push(Letter {
                id: next(&mut ids),
                received_at: next(&mut times),
                source: next(&mut sources),
                reason: next(&mut reasons),
                detail: next(&mut details),
                payload,
            });
        }
    }
    letters.retain(|l| {
        selection.reason.as_ref().is_none_or(|reason| *reason == l.reason) && selection.id.as_ref().is_none_or(|id| l.id.starts_with(id))
    });
    Ok(letters)
}

fn texts(batch: &RecordBatch, column: usize) -> Result<Vec<Option<String>>> {
    let array = cast(batch.column(column), &DataType::Utf8).map_err(|e| Error::Internal(format!("dead letters: {e}")))?;
    Ok(array.as_string::<i32>().iter().map(|v| v.map(str::to_owned)).collect())
}
