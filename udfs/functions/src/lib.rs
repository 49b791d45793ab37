//! The clinical text library in SQL: thin wrappers, one function a file.
//!
//! [`all`] is the registration list. `FUNCTIONS.md` is generated from it by
//! [`catalogue`]; a test keeps both together.

use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::ScalarUDF;

mod arguments;
mod catalogue;
mod code;
mod deidentification;
mod embed;
mod entities;
mod entries;
mod finding;
mod hybrid;
mod identifying;
mod joined_record;
mod library;
mod measurements;
mod model_entities;
mod predict;
mod qualifiers;
mod reading;
mod record;
mod resolution;
mod sections;
mod sentences;
mod temporal_expressions;
mod udf;
mod variables;

pub use catalogue::catalogue;
pub use deidentification::{Deidentification, deidentify_document, known_identifiers};
pub use hybrid::Hybrid;
pub use library::Library;
pub use resolution::cohort_fields;

/// Every function, ready to be registered.
pub fn all(library: &Library) -> Vec<ScalarUDF> {
    let knowledge = &library.knowledge;
    vec![
        resolution::cohort(library),
        deidentification::deidentify(library),
        embed::udf(&library.models),
        entities::udf(library),
        entries::document_type(library),
        code::icd10(knowledge),
        identifying::udf(library),
        measurements::udf(),
        model_entities::udf(&library.models),
        predict::udf(&library.models),
        qualifiers::udf(knowledge),
        joined_record::udf(),
        record::udf(),
        reading::udf(library),
        entries::udf(library),
        resolution::udf(library),
        sections::udf(knowledge),
        sentences::udf(),
        code::snomed(knowledge),
        temporal_expressions::udf(),
        variables::udf(library),
    ]
}

/// Registers every function in a session.
pub fn register(session: &SessionContext, library: &Library) {
    for udf in all(library) {
        session.register_udf(udf);
    }
}
