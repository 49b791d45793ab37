//! Variables, resolved per episode: the best matching episode of the patient counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::TimeDelta;

use super::gold::{Document, Variable, Wanted};
use super::metrics::{Counts, ratio};
use super::report::Errors;
use super::tables;

/// False is entailed rather than stated for these: writers differ on giving it a
/// line, so an extra false costs nothing.
const ENTAILED: &[&str] = &["wake_up_stroke", "tandem_occlusion", "symptomatic_ich", "in_hospital_death"];

#[derive(Debug, Default, PartialEq)]
pub struct Score {
    pub by_variable: BTreeMap<String, Counts>,
    pub gold: usize,
    /// Right values whose evidence says so, and right values.
    pub evidence: (usize, usize),
    /// Episodes of the patients that gold has, and these patients.
    pub episodes: (usize, usize),
}

impl Score {
    pub fn micro(&self) -> Counts {
        self.by_variable.values().copied().sum()
    }

    pub fn accuracy(&self) -> f64 {
        ratio(self.micro().tp, self.gold)
    }

    pub fn episodes_per_patient(&self) -> f64 {
        ratio(self.episodes.0, self.episodes.1)
    }
}

/// Scores what a run resolved. A wrong value is both false and missed; a value that
/// gold does not have is false.
pub fn score(
    documents: &[Document],
    gold: &[Variable],
    found: &[tables::Variable],
    episodes: &HashMap<String, usize>,
    errors: &mut Errors,
) -> Score {
    let texts: HashMap<&str, &Document> = documents.iter().map(|d| (d.fhir_id.as_str(), d)).collect();
    let mut values: BTreeMap<(&str, &str), Vec<&tables::Variable>> = BTreeMap::new();
    for value in found {
        values.entry((&value.patient, &value.variable)).or_default().push(value);
    }
    let mut score = Score { gold: gold.len(), ..Score::default() };
    for wanted in gold {
        let candidates = values.get(&(wanted.patient_id.as_str(), wanted.variable.as_str())).map_or(&[][..], Vec::as_slice);
        let counts = score.by_variable.entry(wanted.variable.clone()).or_default();
        if let Some(hit) = candidates.iter().find(|c| agrees(&wanted.wanted, c)) {
            counts.tp += 1;
            score.evidence.1 += 1;
            let Some(document) = hit.document.as_deref().and_then(|d| texts.get(d)) else { continue };
            let core = joined(&document.words(hit.start, hit.end));
            let quote = joined(&wanted.quote);
            if supports(&core, &quote, document.fhir_id == wanted.fhir_id) {
                score.evidence.0 += 1;
            } else {
                errors.add("evidence", format!("{} {}: gold {quote:?} got {core:?}", wanted.dossier, wanted.variable));
            }
        } else {
            counts.fn_ += 1;
            counts.fp += usize::from(!candidates.is_empty());
            let quote: String = wanted.quote.chars().take(70).collect();
            let got = listed(candidates, 50);
            errors.add("variable", format!("{} {}: gold {} ({quote:?}) got {got}", wanted.dossier, wanted.variable, wanted.value));
        }
    }
    let patients: BTreeSet<&str> = gold.iter().map(|g| g.patient_id.as_str()).collect();
    let stated: BTreeSet<(&str, &str)> = gold.iter().map(|g| (g.patient_id.as_str(), g.variable.as_str())).collect();
    for (key @ (patient, variable), candidates) in &values {
        if !patients.contains(patient) || stated.contains(key) {
            continue;
        }
        let entailed =
            ENTAILED.contains(variable) && candidates.iter().all(|c| c.value.as_ref().is_some_and(|v| v.to_lowercase() == "false"));
        if !entailed {
            score.by_variable.entry((*variable).to_owned()).or_default().fp += 1;
            let patient: String = patient.chars().take(8).collect();
            errors.add("variable_extra", format!("{patient} {variable}: {}", listed(candidates, 60)));
        }
    }
    score.episodes = (patients.iter().filter_map(|p| episodes.get(*p)).sum(), patients.len());
    score
}

/// Whether a value is the gold one, in the type of the variable.
fn agrees(wanted: &Wanted, found: &tables::Variable) -> bool {
    let lower = || found.value.as_deref().unwrap_or_default().to_lowercase();
    match wanted {
        Wanted::Boolean(wanted) => found.boolean.unwrap_or_else(|| lower() == "true") == *wanted,
        Wanted::Category(wanted) => lower() == *wanted,
        Wanted::Integer(wanted) => found.number.is_some_and(|n| (n - wanted).abs() < 1e-6),
        Wanted::Float(wanted) => found.number.is_some_and(|n| (n - wanted).abs() <= (0.011 * wanted.abs()).max(0.02)),
        Wanted::Moment(wanted) => found.moment.is_some_and(|m| {
            // Research times are shifted, gold times are not.
            let unshifted = m - TimeDelta::days(found.date_shift_days.into());
            (unshifted - *wanted).abs() <= TimeDelta::seconds(60)
        }),
    }
}

/// Whether the words found are those of the gold quote: one holds the other, or in
/// the same document they share a word.
fn supports(core: &str, quote: &str, same_document: bool) -> bool {
    let shared = || core.split_whitespace().any(|w| w.chars().count() > 3 && quote.contains(w));
    !core.is_empty() && (quote.contains(core) || core.contains(quote) || same_document && shared())
}

fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn listed(candidates: &[&tables::Variable], length: usize) -> String {
    let one = |c: &&tables::Variable| (c.value.clone().unwrap_or_default(), c.evidence.chars().take(length).collect::<String>());
    format!("{:?}", candidates.iter().take(2).map(one).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn gold(variable: &str, wanted: Wanted, quote: &str) -> Variable {
        let json = serde_json::json!({"dossier": "d", "patient_id": "p", "variable": variable, "type": "category", "value": "", "fhir_id": "doc", "quote": quote});
        Variable { wanted, ..serde_json::from_value(json).unwrap() }
    }

    fn found(variable: &str, value: &str) -> tables::Variable {
        tables::Variable { patient: "p".to_owned(), variable: variable.to_owned(), value: Some(value.to_owned()), ..Default::default() }
    }

    #[test]
    fn each_type_agrees_in_its_own_way() {
        let number = |n: f64| tables::Variable { number: Some(n), ..Default::default() };
        assert!(agrees(&Wanted::Integer(4.0), &number(4.0)) && !agrees(&Wanted::Integer(4.0), &number(5.0)));
        assert!(agrees(&Wanted::Float(10.0), &number(10.11)) && !agrees(&Wanted::Float(10.0), &number(10.12)));
        assert!(agrees(&Wanted::Float(0.5), &number(0.519)) && !agrees(&Wanted::Float(0.5), &number(0.521)));
        assert!(!agrees(&Wanted::Integer(4.0), &found("v", "4")), "a number stands in value_number");
        assert!(agrees(&Wanted::Category("left".to_owned()), &found("v", "LEFT")));
        assert!(agrees(&Wanted::Boolean(true), &found("v", "True")) && agrees(&Wanted::Boolean(false), &found("v", "no")));
        let stated = tables::Variable { boolean: Some(false), ..found("v", "true") };
        assert!(agrees(&Wanted::Boolean(false), &stated), "value_boolean goes before value");
        let at = |day, minute, second| NaiveDate::from_ymd_opt(2031, 2, day).unwrap().and_hms_opt(4, minute, second).unwrap();
        let moment = |m, date_shift_days| tables::Variable { moment: Some(m), date_shift_days, ..Default::default() };
        assert!(agrees(&Wanted::Moment(at(3, 5, 0)), &moment(at(13, 6, 0), 10)));
        assert!(!agrees(&Wanted::Moment(at(3, 5, 0)), &moment(at(13, 6, 1), 10)));
        assert!(!agrees(&Wanted::Moment(at(3, 5, 0)), &moment(at(3, 5, 0), 10)));
    }

    #[test]
    fn hits_misses_and_extras_are_counted() {
        let text = "NIHSS à 12 à l'entrée, AVC gauche";
        let document =
            Document { document: "d".to_owned(), fhir_id: "doc".to_owned(), text: text.to_owned(), chars: text.chars().collect() };
        let gold = [
            gold("nihss", Wanted::Integer(12.0), "NIHSS à 12"),
            gold("side", Wanted::Category("left".to_owned()), "AVC gauche"),
            gold("age", Wanted::Integer(70.0), ""),
        ];
        let right = tables::Variable { number: Some(12.0), document: Some("doc".to_owned()), start: 8, end: 10, ..found("nihss", "12") };
        let wrong_episode = tables::Variable { number: Some(3.0), ..found("nihss", "3") };
        let stranger = tables::Variable { patient: "q".to_owned(), ..found("weight", "70") };
        let rows = [
            wrong_episode,
            right,
            found("side", "right"),
            found("weight", "70"),
            found("wake_up_stroke", "false"),
            found("in_hospital_death", "true"),
            stranger,
        ];
        let mut errors = Errors::default();
        let episodes = HashMap::from([("p".to_owned(), 2), ("q".to_owned(), 5)]);
        let score = score(&[document], &gold, &rows, &episodes, &mut errors);
        assert_eq!(score.by_variable["nihss"], Counts { tp: 1, fp: 0, fn_: 0 });
        assert_eq!(score.by_variable["side"], Counts { tp: 0, fp: 1, fn_: 1 });
        assert_eq!(score.by_variable["age"], Counts { tp: 0, fp: 0, fn_: 1 });
        assert_eq!(score.by_variable["weight"], Counts { tp: 0, fp: 1, fn_: 0 });
        assert_eq!(score.by_variable["in_hospital_death"].fp, 1);
        assert!(!score.by_variable.contains_key("wake_up_stroke"), "an entailed false costs nothing");
        assert_eq!(score.micro(), Counts { tp: 1, fp: 3, fn_: 2 });
        assert_eq!((score.gold, score.evidence, score.episodes), (3, (1, 1), (2, 1)));
        assert!((score.accuracy() - 1.0 / 3.0).abs() < 1e-12);
        let causes: Vec<_> = errors.causes().map(|(cause, of)| (cause, of.len())).collect();
        assert_eq!(causes, [("variable", 2), ("variable_extra", 2)]);
    }

    #[test]
    fn evidence_is_a_part_of_the_quote_or_holds_it() {
        assert!(supports("12", "NIHSS à 12", false) && supports("le NIHSS à 12 ce jour", "NIHSS à 12", false));
        assert!(supports("sylvien gauche", "infarctus sylvien", true) && !supports("sylvien gauche", "infarctus sylvien", false));
        assert!(!supports("le 12", "à 12", true), "a shared word is of four letters at least");
        assert!(!supports("", "NIHSS", true));
    }
}
