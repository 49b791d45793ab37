//! The interactive prompt: history, completion of tables, columns and functions.

use datafusion::execution::context::SessionContext;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Editor, Helper, Highlighter, Hinter};

use super::sql::{Format, query, write};
use crate::error::{Error, Result};

const KEYWORDS: &[&str] = &[
    "select",
    "from",
    "where",
    "group by",
    "order by",
    "limit",
    "join",
    "left join",
    "count(*)",
    "distinct",
    "unnest",
    "describe",
    "show tables",
    "show functions",
    "having",
    "between",
    "case when",
];

#[derive(Helper, Highlighter, Hinter)]
struct SqlHelper {
    words: Vec<String>,
}

impl Completer for SqlHelper {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _context: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let start = line[..at]
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(0, |i| i + line[i..].chars().next().map_or(1, char::len_utf8));
        let prefix = line[start..at].to_lowercase();
        let fits = self.words.iter().filter(|w| !prefix.is_empty() && w.starts_with(&prefix));
        Ok((start, fits.map(|w| Pair { display: w.clone(), replacement: w.clone() }).collect()))
    }
}

impl Validator for SqlHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input().trim();
        let done = text.is_empty() || text.ends_with(';') || text.starts_with('\\');
        Ok(if done { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

/// Names that completion offers.
fn words(session: &SessionContext) -> Vec<String> {
    let mut words: Vec<String> = KEYWORDS.iter().map(|s| (*s).to_owned()).collect();
    let state = session.state();
    words.extend(state.scalar_functions().keys().cloned());
    words.extend(state.aggregate_functions().keys().cloned());
    for table in sillage_schemas::tables::TABLES {
        words.push(table.name.to_owned());
        words.extend((table.schema)().fields().iter().map(|f| f.name().clone()));
    }
    words.sort();
    words.dedup();
    words
}

/// Reads statements until the end of input.
pub(super) async fn run(session: &SessionContext) -> Result<()> {
    let failed = |e: ReadlineError| Error::Internal(format!("prompt: {e}"));
    let mut editor: Editor<SqlHelper, DefaultHistory> = Editor::new().map_err(failed)?;
    editor.set_helper(Some(SqlHelper { words: words(session) }));
    let history = std::env::var_os("HOME").map(|home| std::path::Path::new(&home).join(".sillage_history"));
    if let Some(history) = &history {
        // A first session has no history yet.
        let _ = editor.load_history(history);
    }
    eprintln!("SQL ends with a semicolon. \\d lists tables, \\f functions, \\q leaves.");
    loop {
        let line = match editor.readline("sillage> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(failed(error)),
        };
        let statement = line.trim().trim_end_matches(';').trim();
        if statement.is_empty() {
            continue;
        }
        let _ = editor.add_history_entry(line.trim());
        let statement = match statement {
            "\\q" | "quit" | "exit" => break,
            "\\d" => {
                "select table_schema, table_name from information_schema.tables where table_schema <> 'information_schema' order by 1, 2"
            }
            "\\f" => "show functions",
            other => other,
        };
        match query(session, statement).await.and_then(|batches| write(&batches, Format::Table)) {
            Ok(()) => {}
            Err(error) => eprintln!("error: {error}"),
        }
    }
    if let Some(history) = &history {
        // Losing the history of a prompt is no failure.
        let _ = editor.save_history(history);
    }
    Ok(())
}
