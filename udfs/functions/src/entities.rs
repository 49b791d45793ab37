//! `entities(text [, reference_time [, type_code]])`: the clinical mentions of a text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanBuilder, Float32Builder, Int32Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_clinical::analysis::{Analysis, Entity};
use sillage_clinical::lexicon::Concept;
use sillage_clinical::qualifier::Qualifiers;
use sillage_clinical::text::CharOffsets;
use sillage_clinical::vote::{Heard, heard};
use sillage_deidentification::detect::detect;
use sillage_deidentification::vote::settle;
use sillage_deidentification::{Circumstances, Span};

use crate::arguments::{Lists, clinical_time, list_of, micros, text, texts, time, times};
use crate::catalogue::CLINICAL_TEXT;
use crate::hybrid::Votes;
use crate::library::Library;
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
        utf8("detector"),
    ])
}

/// Builds the function over what the library knows.
pub(crate) fn udf(library: &Library) -> ScalarUDF {
    let library = library.clone();
    Function {
        name: "entities",
        signature: Signature::variadic_any(Volatility::Immutable),
        returns: list_of(&fields()),
        documentation: Documentation::builder(
            DocSection { label: CLINICAL_TEXT, ..DocSection::default() },
            "Clinical mentions of a French text: disorders, signs, procedures, drugs and anatomy, with codes (ICD-10, SNOMED CT, ATC) and qualifiers. Offsets count Unicode scalar values, end exclusive. `event_time` is the date that the text ties to the mention, where there is one; `detector` names the concept of the lexicon and the model that found it.",
            "entities(text [, reference_time [, type_code]])",
        )
        .with_argument("text", "Text to read; null gives null.")
        .with_argument("reference_time", "Time of the document; relative and partial dates are understood against it.")
        .with_argument("type_code", "LOINC code of the document's type; without it the words tell a referral letter from others.")
        .with_sql_example("select e.text, e.icd10_code, e.negated from (select unnest(entities('Pas d''AVC. HTA connue.')) as e)")
        .build(),
        kernel: Arc::new(move |arguments| kernel(&library, arguments)),
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
    detector: StringBuilder,
}

/// A mention, by whomever it was found.
struct Row<'a> {
    start: usize,
    end: usize,
    label: &'static str,
    concept: Option<&'a Concept>,
    icd10: Option<&'a str>,
    section: Option<&'a str>,
    qualifiers: Qualifiers,
    event_time: Option<chrono::NaiveDateTime>,
    score: f32,
    detector: String,
}

impl Columns {
    /// A mention that the lexicon alone was asked for.
    pub fn push(&mut self, source: &str, offsets: &mut CharOffsets<'_>, entity: &Entity<'_>) {
        self.row(
            source,
            offsets,
            Row {
                start: entity.start,
                end: entity.end,
                label: entity.concept.label.name(),
                concept: Some(entity.concept),
                icd10: entity.icd10(),
                section: entity.section,
                qualifiers: entity.qualifiers,
                event_time: entity.event_time,
                score: 1.0,
                detector: format!("lexicon:{}", entity.concept.id),
            },
        );
    }

    /// A mention of the lexicon, of the model `voter`, or of both.
    fn push_heard(&mut self, source: &str, offsets: &mut CharOffsets<'_>, heard: &Heard<'_, '_>, voter: &str) {
        let concept = heard.entity.map(|e| e.concept).or(heard.concept);
        let detector = match heard.entity {
            Some(entity) if heard.voted => format!("lexicon:{}+{voter}", entity.concept.id),
            Some(entity) => format!("lexicon:{}", entity.concept.id),
            None => voter.to_owned(),
        };
        self.row(
            source,
            offsets,
            Row {
                start: heard.start,
                end: heard.end,
                label: heard.label.name(),
                concept,
                icd10: heard.entity.map_or_else(|| concept.and_then(|c| c.icd10.as_deref()), Entity::icd10),
                section: heard.section,
                qualifiers: heard.qualifiers,
                event_time: heard.event_time,
                score: heard.score,
                detector,
            },
        );
    }

    /// All mentions of a text, with the votes of a model where there is one; how many.
    pub fn push_all(
        &mut self,
        library: &Library,
        analysis: &Analysis<'_>,
        offsets: &mut CharOffsets<'_>,
        votes: Option<&Votes>,
        identifying: &[Span],
    ) -> usize {
        let source = analysis.text.original;
        let Some((hybrid, votes)) = library.hybrid.as_ref().filter(|h| h.clinical.is_some()).zip(votes) else {
            for entity in analysis.entities() {
                self.push(source, offsets, entity);
            }
            return analysis.entities().len();
        };
        let identifying: Vec<_> = identifying.iter().map(|s| s.start..s.end).collect();
        let voter = hybrid.clinical_detector();
        let found = heard(analysis, &votes.clinical, &identifying, hybrid.weights);
        for mention in &found {
            self.push_heard(source, offsets, mention, &voter);
        }
        found.len()
    }

    fn row(&mut self, source: &str, offsets: &mut CharOffsets<'_>, row: Row<'_>) {
        let concept = row.concept;
        self.start.append_value(offsets.at(row.start) as i32);
        self.end.append_value(offsets.at(row.end) as i32);
        self.text.append_value(&source[row.start..row.end]);
        self.label.append_value(row.label);
        self.concept.append_option(concept.map(|c| &*c.id));
        self.preferred.append_option(concept.map(|c| &*c.preferred));
        self.section.append_option(row.section);
        self.negated.append_value(row.qualifiers.negated);
        self.hypothetical.append_value(row.qualifiers.hypothetical);
        self.historical.append_value(row.qualifiers.historical);
        self.experiencer.append_value(row.qualifiers.experiencer.name());
        let preferred = concept.map(|c| &*c.preferred);
        let snomed_display = concept.and_then(|c| c.snomed_display.as_deref()).or(preferred);
        let codes = [
            (row.icd10, preferred),
            (concept.and_then(|c| c.snomed.as_deref()), snomed_display),
            (concept.and_then(|c| c.atc.as_deref()), preferred),
        ];
        for (i, (code, display)) in codes.into_iter().enumerate() {
            self.codes[i].append_option(code);
            self.displays[i].append_option(code.and(display));
        }
        self.score.append_value(row.score);
        self.event_time.append_option(row.event_time.map(micros));
        self.detector.append_value(row.detector);
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
            Arc::new(self.detector.finish()),
        ]
    }
}

fn kernel(library: &Library, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let texts = texts(arguments, 0)?;
    let times = times(arguments, 1, texts.len())?;
    let types = arguments.get(2).map(|_| crate::arguments::texts(arguments, 2)).transpose()?;
    let heard = library.hybrid.as_ref().map(|hybrid| hybrid.listen(&texts.iter().flatten().collect::<Vec<_>>()));
    if let Some(reason) = heard.iter().flatten().find_map(|h| h.as_ref().err()) {
        return exec_err!("model {reason}");
    }
    let mut heard = heard.into_iter().flatten();
    let mut columns = Columns::default();
    let lists = Lists::read(&texts, |row, source, offsets| {
        let analysis = Analysis::new(&library.knowledge, source, time(&times, row)).with_type(types.as_ref().and_then(|t| text(t, row)));
        let votes = heard.next().and_then(Result::ok);
        // What identifies people is no mention of a model's.
        let identifying = match (&library.hybrid, &votes) {
            (Some(hybrid), Some(votes)) => {
                let mut spans = detect(library.identity, &analysis, Circumstances::default());
                spans.extend(hybrid.identifying(votes));
                settle(&analysis, spans)
            }
            _ => Vec::new(),
        };
        columns.push_all(library, &analysis, offsets, votes.as_ref(), &identifying)
    });
    lists.finish(&fields(), columns.finish())
}
