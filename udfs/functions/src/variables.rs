//! `variables(text [, type_code [, document_time]])`: values of the declared
//! variables in one text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use datafusion::common::Result;
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_clinical::analysis::Analysis;
use sillage_variables::Facts;
use sillage_variables::extract::extract;

use crate::arguments::{Lists, list_of, text, texts, time, times};
use crate::catalogue::VARIABLES;
use crate::finding::{Columns, fields};
use crate::library::Library;
use crate::udf::Function;

pub(crate) fn udf(library: &Library) -> ScalarUDF {
    let library = library.clone();
    Function {
        name: "variables",
        signature: Signature::variadic_any(Volatility::Immutable),
        returns: list_of(&fields()),
        documentation: Documentation::builder(
            DocSection { label: VARIABLES, ..DocSection::default() },
            "Values of the declared variables in a text, each with its evidence and the moment it belongs to (`time_anchor`). One variable can have several values; the runner settles on one per episode.",
            "variables(text [, type_code [, document_time]])",
        )
        .with_argument("text", "Text to read; null gives null.")
        .with_argument("type_code", "LOINC code of the document's type; without it the words decide.")
        .with_argument("document_time", "Time of the document; relative and partial dates are understood against it.")
        .with_sql_example("select v.variable, v.value, v.evidence from (select unnest(variables('À l''arrivée NIHSS 14, TA 182/95.')) as v)")
        .build(),
        kernel: Arc::new(move |arguments| kernel(&library, arguments)),
    }
    .into()
}

fn kernel(library: &Library, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let sources = texts(arguments, 0)?;
    let types = arguments.get(1).map(|_| texts(arguments, 1)).transpose()?;
    let document_times = times(arguments, 2, sources.len())?;
    let mut columns = Columns::default();
    let lists = Lists::read(&sources, |row, source, offsets| {
        let type_code = types.as_ref().and_then(|t| text(t, row));
        let document_time = time(&document_times, row);
        let analysis = Analysis::new(&library.knowledge, source, document_time).with_type(type_code);
        let facts = Facts { type_code, time: document_time, ..Facts::default() };
        let found = extract(&library.definitions, &analysis, &facts);
        for finding in &found {
            columns.push(&library.definitions, source, offsets, finding);
        }
        found.len()
    });
    lists.finish(&fields(), columns.finish())
}
