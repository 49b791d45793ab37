//! What is wrong with a file of declarations, line by line.

use sillage_clinical::knowledge::Knowledge;

use super::compile::Compiled;
use super::explain::run_example;
use super::{Definition, Definitions, Find, Rule, read};
use crate::Value;
use crate::document_type::DocumentTypes;

/// A mistake and the line it stands on, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub line: usize,
    pub message: String,
}

/// Names of `measurements.toml`, read from the text library's own sentences.
const MEASUREMENTS: &[&str] = &[
    "blood_pressure",
    "systolic_blood_pressure",
    "diastolic_blood_pressure",
    "mean_blood_pressure",
    "heart_rate",
    "respiratory_rate",
    "oxygen_saturation",
    "body_temperature",
    "body_weight",
    "body_height",
    "body_mass_index",
    "glucose",
    "hba1c",
    "creatinine",
    "creatinine_clearance",
    "egfr",
    "urea",
    "inr",
    "prothrombin_ratio",
    "aptt",
    "aptt_ratio",
    "anti_xa",
    "platelets",
    "hemoglobin",
    "hematocrit",
    "leukocytes",
    "neutrophils",
    "lymphocytes",
    "crp",
    "procalcitonin",
    "sodium",
    "potassium",
    "lactate",
    "troponin",
    "bnp",
    "nt_probnp",
    "d_dimer",
    "fibrinogen",
    "ldl_cholesterol",
    "hdl_cholesterol",
    "total_cholesterol",
    "triglycerides",
    "tsh",
    "albumin",
    "ast",
    "alt",
    "ggt",
    "ldh",
    "creatine_kinase",
    "ferritin",
    "vitamin_b12",
    "homocysteine",
    "ethanol",
    "left_ventricular_ejection_fraction",
    "qtc_interval",
    "nihss",
    "mrs",
    "glasgow",
    "glasgow_eye",
    "glasgow_verbal",
    "glasgow_motor",
    "glasgow_outcome",
    "aspects",
    "pc_aspects",
    "mtici",
    "fazekas",
    "scheltens",
    "barthel",
    "mmse",
    "moca",
    "cha2ds2_vasc",
    "has_bled",
    "abcd2",
    "gir",
    "killip",
    "nyha",
    "wfns",
    "hunt_hess",
    "fisher",
    "ich_score",
    "rass",
    "adl",
    "iadl",
    "braden",
    "norton",
    "rope",
    "pulmonary_artery_pressure",
    "birth_weight",
    "waist_circumference",
    "diuresis",
    "mean_corpuscular_volume",
    "erythrocyte_sedimentation_rate",
    "chloride",
    "calcium",
    "magnesium",
    "phosphate",
    "bicarbonate",
    "blood_ph",
    "pao2",
    "paco2",
    "base_excess",
    "erythrocytes",
    "prealbumin",
    "alkaline_phosphatase",
    "total_bilirubin",
    "conjugated_bilirubin",
    "lipase",
    "folate",
    "vitamin_d",
    "lipoprotein_a",
    "proteinuria",
    "csf_protein",
    "csf_glucose",
    "frontal_assessment_battery",
    "pain_vas",
    "pain_nrs",
    "algoplus",
    "had_anxiety",
    "had_depression",
    "had_total",
];

impl Definitions {
    /// Every mistake of a file of declarations, by line; none: the file is right.
    pub fn check(knowledge: &Knowledge, text: &str) -> Vec<Problem> {
        let types = match DocumentTypes::built_in() {
            Ok(types) => types,
            Err(problem) => return vec![problem],
        };
        let (variables, mut problems) = read::read(text, &types);
        for variable in &variables {
            for rule in &variable.rules {
                problems.extend(never_fires(variable, rule));
            }
            for rule in &variable.rules {
                problems.extend(Compiled::mistakes(knowledge, rule));
            }
        }
        if problems.is_empty() {
            match Compiled::new(knowledge, &types, &variables) {
                Ok(compiled) => {
                    let definitions = Definitions { variables, document_types: types, compiled };
                    for variable in &definitions.variables {
                        for example in &variable.examples {
                            problems.extend(run_example(&definitions, knowledge, variable, example));
                        }
                    }
                }
                Err((_, problem)) => problems.push(problem),
            }
        }
        problems.sort_by_key(|p| p.line);
        problems.dedup();
        problems
    }
}

/// Why a rule can find nothing, if so.
fn never_fires(variable: &Definition, rule: &Rule) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut say = |message: String| found.push(Problem { line: rule.line, message });
    match &rule.find {
        Find::Measurement { name, .. } if !MEASUREMENTS.contains(&name.as_str()) => {
            let near = super::line::nearest(name, MEASUREMENTS.iter().copied());
            say(format!("no measurement `{name}`{near}"));
        }
        Find::Phrases(list) | Find::Names { names: list, .. } | Find::Grid { items: list, .. } if list.is_empty() => {
            say("an empty list never fires".to_owned());
        }
        Find::Concepts(list) if list.is_empty() => say("an empty list never fires".to_owned()),
        Find::Events { phrases, concepts, .. } if phrases.is_empty() && concepts.is_empty() => say("an empty list never fires".to_owned()),
        _ => {}
    }
    if let Some(anchor) = rule.anchor
        && variable.anchors.of(Some(anchor.name())) == 0.0
    {
        say(format!("the rule never fires: `{}` does not accept the anchor {}", variable.name, anchor.name()));
    }
    if !rule.sections.is_empty() && rule.sections.iter().all(|s| variable.sections.of(Some(s)) == 0.0 || rule.not_sections.contains(s)) {
        say("the rule never fires: all its sections are refused".to_owned());
    }
    if !rule.documents.is_empty() && rule.documents.iter().all(|d| variable.documents.of(Some(d)) == 0.0 || rule.not_documents.contains(d))
    {
        say("the rule never fires: all its documents are refused".to_owned());
    }
    if let Some(word) = rule.with.iter().find(|w| rule.unless.contains(w)) {
        say(format!("the rule never fires: `{word}` must stand there and must not"));
    }
    found
}

/// A value as messages show it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Boolean(b) => b.to_string(),
        Value::Category(name) => name.to_string(),
        Value::Number(n) => n.to_string(),
        Value::DateTime(t) => t.format("%Y-%m-%dT%H:%M").to_string(),
    }
}
