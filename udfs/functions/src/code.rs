//! `icd10(term)` and `snomed(term)`: the best code of a French term.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_clinical::knowledge::Knowledge;
use sillage_clinical::lexicon::Concept;

use crate::arguments::{text, texts};
use crate::catalogue::TERMINOLOGY;
use crate::udf::Function;

type Code = fn(&Concept) -> Option<&str>;

pub(crate) fn icd10(knowledge: &Arc<Knowledge>) -> ScalarUDF {
    let code: Code = |concept| concept.icd10.as_deref();
    function(
        knowledge,
        "icd10",
        code,
        "Best ICD-10 (CIM-10) code of a French term, with the dot; null where the lexicon has none.",
        "icd10(term)",
        "select icd10('hémiparésie gauche')",
    )
}

pub(crate) fn snomed(knowledge: &Arc<Knowledge>) -> ScalarUDF {
    let code: Code = |concept| concept.snomed.as_deref();
    function(
        knowledge,
        "snomed",
        code,
        "Best SNOMED CT code of a French term. Without a stated licence only codes of the Global Patient Set are served.",
        "snomed(term)",
        "select snomed('fibrillation atriale')",
    )
}

fn function(knowledge: &Arc<Knowledge>, name: &'static str, code: Code, description: &str, syntax: &str, example: &str) -> ScalarUDF {
    let knowledge = Arc::clone(knowledge);
    Function {
        name,
        signature: Signature::any(1, Volatility::Immutable),
        returns: DataType::Utf8,
        documentation: Documentation::builder(DocSection { label: TERMINOLOGY, ..DocSection::default() }, description, syntax)
            .with_argument("term", "A term as people write it: inflected, abbreviated, without accents.")
            .with_sql_example(example)
            .build(),
        kernel: Arc::new(move |arguments| kernel(&knowledge, code, arguments)),
    }
    .into()
}

fn kernel(knowledge: &Knowledge, code: Code, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let terms = texts(arguments, 0)?;
    let mut codes = StringBuilder::new();
    for row in 0..terms.len() {
        codes.append_option(text(&terms, row).and_then(|term| knowledge.concept_of(term)).and_then(code));
    }
    Ok(Arc::new(codes.finish()))
}
