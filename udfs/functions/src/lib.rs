//! The clinical text library in SQL: thin wrappers, one function a file.
//!
//! [`all`] is the registration list. `FUNCTIONS.md` is generated from it by
//! [`catalogue`]; a test keeps both together.

use std::sync::Arc;

use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::ScalarUDF;
use sillage_clinical::knowledge::Knowledge;

mod arguments;
mod catalogue;
mod code;
mod entities;
mod measurements;
mod qualifiers;
mod sections;
mod sentences;
mod temporal_expressions;
mod udf;

pub use catalogue::catalogue;

/// Every function, ready to be registered.
pub fn all(knowledge: &Arc<Knowledge>) -> Vec<ScalarUDF> {
    vec![
        entities::udf(knowledge),
        code::icd10(knowledge),
        measurements::udf(),
        qualifiers::udf(knowledge),
        sections::udf(knowledge),
        sentences::udf(),
        code::snomed(knowledge),
        temporal_expressions::udf(),
    ]
}

/// Registers every function in a session.
pub fn register(session: &SessionContext, knowledge: &Arc<Knowledge>) {
    for udf in all(knowledge) {
        session.register_udf(udf);
    }
}
