//! SQL logic tests: every function, in the words of those who query.

use std::path::Path;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionContext;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

struct Engine(SessionContext);

#[async_trait::async_trait]
impl AsyncDB for Engine {
    type Error = DataFusionError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, DataFusionError> {
        let batches = self.0.sql(sql).await?.collect().await?;
        let options = FormatOptions::default().with_null("NULL");
        let mut rows = Vec::new();
        let mut columns = 0;
        for batch in &batches {
            columns = batch.num_columns();
            let formatters =
                batch.columns().iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &options)).collect::<Result<Vec<_>, _>>()?;
            for row in 0..batch.num_rows() {
                rows.push(formatters.iter().map(|f| f.value(row).to_string()).collect());
            }
        }
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Any; columns], rows })
    }

    async fn shutdown(&mut self) {}
}

#[test]
fn functions_answer_in_sql() {
    let library = sillage::session::built_in().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("slt");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut texts = String::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let mut runner = Runner::new(|| async { Ok(Engine(sillage::session::empty(&library, 2))) });
        runtime.block_on(runner.run_file_async(&path)).unwrap_or_else(|e| panic!("{e}"));
        texts.push_str(&std::fs::read_to_string(&path).unwrap());
    }
    for function in sillage_functions::all(&library) {
        assert!(texts.contains(&format!("{}(", function.name())), "no SQL logic test calls {}", function.name());
    }
}
