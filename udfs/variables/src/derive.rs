//! Variables computed from resolved ones and the patient's record, their inputs
//! kept: length of stay, age, sex, minutes between the steps of the treatment.
//!
//! What the dictionary counts among its variables is reconciled with what the
//! documents state: a length of stay and an age computed from two known dates win
//! ("hospitalisée du 14 au 26" tells the second hospital only), the words that
//! state the same value stay as evidence.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use crate::Value;
use crate::episode::{DocumentKind, DocumentSummary, Episode};
use crate::resolve::{Evidence, Origin, Patient, Resolved};

/// Minutes from one time to another: name, from, to.
pub const MINUTES: &[(&str, &str, &str)] = &[
    ("onset_to_door_minutes", "onset_datetime", "admission_datetime"),
    ("onset_to_needle_minutes", "onset_datetime", "thrombolysis_datetime"),
    ("onset_to_groin_minutes", "onset_datetime", "groin_puncture_datetime"),
    ("onset_to_recanalization_minutes", "onset_datetime", "recanalization_datetime"),
    ("door_to_needle_minutes", "admission_datetime", "thrombolysis_datetime"),
    ("door_to_groin_minutes", "admission_datetime", "groin_puncture_datetime"),
];
/// Longer than that, one of the times is wrong.
const LONGEST_MINUTES: i64 = 3 * 24 * 60;
/// The same of a stay, in days.
const LONGEST_STAY: i64 = 400;
const OLDEST: i32 = 120;

/// A moment and what it rests on.
struct Source {
    time: NaiveDateTime,
    input: &'static str,
    evidence: Option<Evidence>,
    score: f32,
}

/// Adds the dictionary's derived variables to the values; gives those beyond it.
pub(crate) fn derive(
    values: &mut BTreeMap<String, Resolved>,
    patient: Patient,
    documents: &[DocumentSummary<'_>],
    episode: &Episode,
) -> Vec<Resolved> {
    let admission = admission(values, documents, episode);
    length_of_stay(values, admission.as_ref(), documents, episode);
    age(values, admission.as_ref(), patient, episode);
    sex(values, patient);
    MINUTES.iter().filter_map(|&(name, from, to)| minutes(values, name, from, to)).collect()
}

fn datetime(value: &Resolved) -> Option<NaiveDateTime> {
    match value.value {
        Value::DateTime(time) => Some(time),
        _ => None,
    }
}

fn source(values: &BTreeMap<String, Resolved>, variable: &'static str) -> Option<Source> {
    let value = values.get(variable)?;
    Some(Source { time: datetime(value)?, input: variable, evidence: value.evidence, score: value.score })
}

/// Stays of the acute encounters, by the record.
fn stays<'d>(
    documents: &'d [DocumentSummary<'_>],
    episode: &'d Episode,
) -> impl Iterator<Item = (Option<NaiveDateTime>, Option<NaiveDateTime>)> + 'd {
    let acute = |d: &&DocumentSummary<'_>| !d.kind.is_follow_up() && d.kind != DocumentKind::Referral;
    episode.documents.iter().map(|&at| &documents[at]).filter(acute).map(|d| (d.stay_start, d.stay_end))
}

fn admission(values: &BTreeMap<String, Resolved>, documents: &[DocumentSummary<'_>], episode: &Episode) -> Option<Source> {
    let told = || {
        let told = episode.documents.iter().filter_map(|&at| documents[at].told.admission.filter(|_| !documents[at].kind.is_follow_up()));
        let time = told.filter(|t| episode.in_stay(*t)).min()?;
        Some(Source { time, input: "admission_datetime", evidence: None, score: 0.8 })
    };
    source(values, "admission_datetime").or_else(told).or_else(|| {
        let start = stays(documents, episode).filter_map(|(start, _)| start).filter(|t| episode.in_stay(*t)).min()?;
        Some(Source { time: start, input: "encounter", evidence: None, score: 0.6 })
    })
}

fn derived(variable: &str, value: Value, inputs: &[&str], evidence: Option<Evidence>, score: f32) -> Resolved {
    Resolved {
        variable: variable.to_owned(),
        value,
        evidence,
        section: None,
        anchor: None,
        event_time: None,
        score,
        candidates: 0,
        conflict: false,
        origin: Origin::Derived,
        inputs: inputs.iter().map(|i| (*i).to_owned()).collect(),
        method: format!("derived:{}", inputs.join("+")),
    }
}

/// Puts a computed value in, the words that state it kept as evidence.
fn reconcile(values: &mut BTreeMap<String, Resolved>, computed: Resolved) {
    let stated = values.remove(&computed.variable);
    let kept = match stated {
        Some(stated) if stated.value == computed.value => {
            Resolved { inputs: computed.inputs, score: stated.score.max(computed.score), ..stated }
        }
        Some(stated) => {
            Resolved { candidates: stated.candidates, conflict: true, evidence: computed.evidence.or(stated.evidence), ..computed }
        }
        None => computed,
    };
    values.insert(kept.variable.clone(), kept);
}

/// The end of the acute stay: as the last letter dates it, by the record, else the
/// day of the letter that says where the patient went.
fn discharge(values: &BTreeMap<String, Resolved>, documents: &[DocumentSummary<'_>], episode: &Episode) -> Option<Source> {
    let told = source(values, "discharge_datetime").into_iter().chain(episode.documents.iter().filter_map(|&at| {
        let told = documents[at].told;
        let evidence = told.discharge_words.map(|(start, end)| Evidence { document: at, start, end });
        Some(Source { time: told.discharge.filter(|t| episode.in_stay(*t))?, input: "discharge_datetime", evidence, score: 0.9 })
    }));
    let recalled = || {
        episode.documents.iter().find_map(|&at| {
            let (last, (start, end)) = documents[at].recalled_end(episode.index?)?;
            let evidence = Some(Evidence { document: at, start, end });
            Some(Source { time: last.and_time(NaiveTime::MIN), input: "discharge_datetime", evidence, score: 0.7 })
        })
    };
    let recorded = || {
        let end = stays(documents, episode).filter_map(|(_, end)| end).max()?;
        Some(Source { time: end, input: "encounter", evidence: None, score: 0.7 })
    };
    let written = || {
        let evidence = values.get("discharge_destination")?.evidence?;
        let letter = &documents[evidence.document];
        let time = letter.time.filter(|_| letter.kind == DocumentKind::Discharge)?;
        Some(Source { time, input: "discharge_destination", evidence: Some(evidence), score: 0.5 })
    };
    let day = |s: &Source| s.time.date();
    // Of letters with the same end, the first in time.
    told.reduce(|a, b| if day(&b) > day(&a) { b } else { a }).or_else(recorded).or_else(recalled).or_else(written)
}

fn length_of_stay(
    values: &mut BTreeMap<String, Resolved>,
    admission: Option<&Source>,
    documents: &[DocumentSummary<'_>],
    episode: &Episode,
) {
    const NAME: &str = "length_of_stay_days";
    let Some(admission) = admission else { return };
    let Some(discharge) = discharge(values, documents, episode) else { return };
    // Dates that no words tell give way to a length that words state.
    let guessed = discharge.input != "discharge_datetime" || admission.input == "encounter";
    if guessed && values.contains_key(NAME) {
        return;
    }
    let days = (discharge.time.date() - admission.time.date()).num_days();
    if (0..=LONGEST_STAY).contains(&days) {
        let evidence = discharge.evidence.or(admission.evidence);
        let score = discharge.score.min(admission.score);
        reconcile(values, derived(NAME, Value::Number(days as f64), &[admission.input, discharge.input], evidence, score));
    }
}

fn years(from: NaiveDate, to: NaiveDate) -> i32 {
    to.year() - from.year() - i32::from((to.month(), to.day()) < (from.month(), from.day()))
}

fn age(values: &mut BTreeMap<String, Resolved>, admission: Option<&Source>, patient: Patient, episode: &Episode) {
    let told = values.get("birth_date").and_then(|b| Some((datetime(b)?.date(), b.evidence)));
    let Some((birth, evidence)) = patient.birth_date.map(|b| (b, told.and_then(|t| t.1))).or(told) else { return };
    let Some(day) = admission.map(|a| a.time.date()).or(episode.index) else { return };
    let age = years(birth, day);
    // The dates of research are shifted together: over a 29 February a birthday comes a day sooner or later.
    let told = values.get("age").and_then(|v| if let Value::Number(n) = v.value { Some(n as i32) } else { None });
    let birthday = [-1, 1].map(|days| years(birth, day + TimeDelta::days(days)));
    if told.is_some_and(|told| told != age && birthday.contains(&told)) {
        return;
    }
    if (0..=OLDEST).contains(&age) {
        reconcile(values, derived("age", Value::Number(f64::from(age)), &["birth_date", "admission_datetime"], evidence, 0.95));
    }
}

fn sex(values: &mut BTreeMap<String, Resolved>, patient: Patient) {
    let Some(female) = patient.female else { return };
    let value = Value::Category(if female { "female" } else { "male" }.into());
    reconcile(values, derived("sex", value, &["patient"], None, 0.95));
}

fn minutes(values: &BTreeMap<String, Resolved>, name: &str, from: &'static str, to: &'static str) -> Option<Resolved> {
    let (first, last) = (source(values, from)?, source(values, to)?);
    let minutes = (last.time - first.time).num_minutes();
    let conflict = [from, to].iter().any(|v| values.get(*v).is_some_and(|r| r.conflict));
    (0..=LONGEST_MINUTES).contains(&minutes).then(|| Resolved {
        conflict,
        ..derived(name, Value::Number(minutes as f64), &[from, to], last.evidence, first.score.min(last.score))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_full_ones() {
        let date = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        assert_eq!(years(date(1950, 6, 2), date(2024, 6, 1)), 73);
        assert_eq!(years(date(1950, 6, 2), date(2024, 6, 2)), 74);
        assert_eq!(years(date(1952, 2, 29), date(2023, 2, 28)), 70);
    }

    #[test]
    fn durations_have_unique_names() {
        let mut names: Vec<&str> = MINUTES.iter().map(|m| m.0).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), MINUTES.len());
    }
}
