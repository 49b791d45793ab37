//! `entities(text [, reference_time [, type_code]])`: the clinical mentions of a text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanBuilder, Float32Builder, Int32Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_clinical::analysis::{Analysis, Entity};
use sillage_clinical::knowledge::Knowledge;
use sillage_clinical::text::CharOffsets;

use crate::arguments::{Lists, clinical_time, list_of, micros, text, texts, time, times};
use crate::catalogue::CLINICAL_TEXT;
use crate::udf::Function;

pub(crate) fn fields() -> Fields {
    let utf8 = |name: &str| Field::new(name, DataType::Utf8, true);
    let flag = |name: &str| Field::new(name, DataType::Boolean, true);
    Fields::from(vec![
        Field::new("start", DataType::Int32, true),
        Field::new("end", DataType::Int32, true),
        utf8("text"),
        utf8("label"),
        utf8("concept"),
        utf8("preferred"),
        utf8("section"),
        flag("negated"),
        flag("hypothetical"),
        flag("historical"),
        utf8("experiencer"),
        utf8("icd10_code"),
        utf8("icd10_display"),
        utf8("snomed_code"),
        utf8("snomed_display"),
        utf8("atc_code"),
        utf8("atc_display"),
        Field::new("score", DataType::Float32, true),
        Field::new("event_time", clinical_time(), true),
    ])
}

/// Builds the function over a knowledge base.
pub(crate) fn udf(knowledge: &Arc<Knowledge>) -> ScalarUDF {
    let knowledge = Arc::clone(knowledge);
    Function {
        name: "entities",
        signature: Signature::variadic_any(Volatility::Immutable),
        returns: list_of(&fields()),
        documentation: Documentation::builder(
            DocSection { label: CLINICAL_TEXT, ..DocSection::default() },
            "Clinical mentions of a French text: disorders, signs, procedures, drugs and anatomy, with codes (ICD-10, SNOMED CT, ATC) and qualifiers. Offsets count Unicode scalar values, end exclusive. `event_time` is the date that the text ties to the mention, where there is one.",
            "entities(text [, reference_time [, type_code]])",
        )
        .with_argument("text", "Text to read; null gives null.")
        .with_argument("reference_time", "Time of the document; relative and partial dates are understood against it.")
        .with_argument("type_code", "LOINC code of the document's type; without it the words tell a referral letter from others.")
        .with_sql_example("select e.text, e.icd10_code, e.negated from (select unnest(entities('Pas d''AVC. HTA connue.')) as e)")
        .build(),
        kernel: Arc::new(move |arguments| kernel(&knowledge, arguments)),
    }
    .into()
}

#[derive(Default)]
pub(crate) struct Columns {
    start: Int32Builder,
    end: Int32Builder,
    text: StringBuilder,
    label: StringBuilder,
    concept: StringBuilder,
    preferred: StringBuilder,
    section: StringBuilder,
    negated: BooleanBuilder,
    hypothetical: BooleanBuilder,
    historical: BooleanBuilder,
    experiencer: StringBuilder,
    codes: [StringBuilder; 3],
    displays: [StringBuilder; 3],
    score: Float32Builder,
    event_time: TimestampMicrosecondBuilder,
}

impl Columns {
    pub fn push(&mut self, source: &str, offsets: &mut CharOffsets<'_>, entity: &Entity<'_>) {
        let concept = entity.concept;
        self.start.append_value(offsets.at(entity.start) as i32);
        self.end.append_value(offsets.at(entity.end) as i32);
        self.text.append_value(&source[entity.start..entity.end]);
        self.label.append_value(concept.label.name());
        self.concept.append_value(&concept.id);
        self.preferred.append_value(&concept.preferred);
        self.section.append_option(entity.section);
        self.negated.append_value(entity.qualifiers.negated);
        self.hypothetical.append_value(entity.qualifiers.hypothetical);
        self.historical.append_value(entity.qualifiers.historical);
        self.experiencer.append_value(entity.qualifiers.experiencer.name());
        let snomed_display = concept.snomed_display.as_deref().unwrap_or(&concept.preferred);
        let icd10 = entity.icd10();
        let codes =
            [(icd10, &*concept.preferred), (concept.snomed.as_deref(), snomed_display), (concept.atc.as_deref(), &*concept.preferred)];
        for (i, (code, display)) in codes.into_iter().enumerate() {
            self.codes[i].append_option(code);
            self.displays[i].append_option(code.map(|_| display));
        }
        self.score.append_value(1.0);
        self.event_time.append_option(entity.event_time.map(micros));
    }

    pub fn finish(mut self) -> Vec<ArrayRef> {
        let [icd10, snomed, atc] = &mut self.codes;
        let [icd10_display, snomed_display, atc_display] = &mut self.displays;
        vec![
            Arc::new(self.start.finish()),
            Arc::new(self.end.finish()),
            Arc::new(self.text.finish()),
            Arc::new(self.label.finish()),
            Arc::new(self.concept.finish()),
            Arc::new(self.preferred.finish()),
            Arc::new(self.section.finish()),
            Arc::new(self.negated.finish()),
            Arc::new(self.hypothetical.finish()),
            Arc::new(self.historical.finish()),
            Arc::new(self.experiencer.finish()),
            Arc::new(icd10.finish()),
            Arc::new(icd10_display.finish()),
            Arc::new(snomed.finish()),
            Arc::new(snomed_display.finish()),
            Arc::new(atc.finish()),
            Arc::new(atc_display.finish()),
            Arc::new(self.score.finish()),
            Arc::new(self.event_time.finish()),
        ]
    }
}

fn kernel(knowledge: &Knowledge, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let texts = texts(arguments, 0)?;
    let times = times(arguments, 1, texts.len())?;
    let types = arguments.get(2).map(|_| crate::arguments::texts(arguments, 2)).transpose()?;
    let mut columns = Columns::default();
    let lists = Lists::read(&texts, |row, source, offsets| {
        let analysis = Analysis::new(knowledge, source, time(&times, row)).with_type(types.as_ref().and_then(|t| text(t, row)));
        let entities = analysis.entities();
        for entity in entities {
            columns.push(source, offsets, entity);
        }
        entities.len()
    });
    lists.finish(&fields(), columns.finish())
}
