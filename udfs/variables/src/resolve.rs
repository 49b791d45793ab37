//! One value per episode and variable.
//!
//! Every finding of an episode's documents that a variable's [`Policy`] accepts is
//! a candidate. Its weight is the score of its rule times the fit of its anchor
//! times the trust in its kind of document; the policy's preference for early or
//! late sources lowers those further from that end. Candidates of one value add up
//! as independent witnesses do (1 − Π(1 − w)), one per document, a sentence copied
//! from an earlier note counting once. A value that corrects earlier ones removes
//! those it differs from. The best supported value stands; `conflict` says that a
//! source as good as its best one says otherwise.
//!
//! The order of the documents does not matter, and nothing is kept of one patient
//! for the next.

mod choice;
mod context;
mod declared;
mod entailment;
mod policy;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use sillage_clinical::analysis::Analysis;
use sillage_clinical::sentence::sentences;
use sillage_clinical::temporal::{TemporalExpression, temporal_expressions};
use sillage_clinical::text::Text;

use context::{Context, contexts};
pub use entailment::{EntailmentError, Entailments};
pub use policy::{Policy, Prefer};

use crate::derive::derive;
use crate::episode::{AFTER_STAY, DocumentKind, DocumentSummary, Episode, Told, episodes};
use crate::{Anchor, Finding, Value};

/// An emergency note this long before the day of the stay is of a passage before it.
const PASSAGE: TimeDelta = TimeDelta::hours(24);
/// An onset this long after the door is one of the day before.
const LATE: TimeDelta = TimeDelta::hours(3);
/// What a score without a moment counts for in a note of the day after.
const NEXT_DAY: f32 = 0.8;
/// What a bare clock time in a nurse's note of later days counts for as an onset: it heads an entry.
const ENTRY: f32 = 0.3;
/// What a letter of the practitioner after the stay counts for of the time before it.
const LISTED_AFTER: f32 = 0.4;
/// What a value counts for that was written down before the door.
const OUTSIDE: f32 = 0.3;
/// Days after the index date at which a visit is that of three months.
const MONTH_3: (i64, i64) = (45, 135);
/// Days within which a death counts for the three-month outcome.
const OUTCOME: i64 = 120;
/// Variables that the others come after.
const ONSET: &[&str] = &["onset_datetime", "last_seen_well_datetime"];
const DEATH: &str = "in_hospital_death";
const RANKIN: &str = "mrs_3_months";

/// What a document says beside its findings: read once, while its text is at hand.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    told: Told,
    /// Of each finding.
    contexts: Vec<Context>,
}

impl Reading {
    /// Reads an analysed document; `findings` are those extracted from it.
    pub fn new(analysis: &Analysis<'_>, kind: DocumentKind, findings: &[Finding]) -> Reading {
        Reading::of(&analysis.text, &analysis.sentences, || analysis.times().into(), analysis.reference(), kind, findings)
    }

    /// The same from the text alone.
    pub fn of_text(text: &str, time: Option<NaiveDateTime>, kind: DocumentKind, findings: &[Finding]) -> Reading {
        let text = Text::new(text);
        Reading::of(&text, &sentences(&text), || temporal_expressions(&text, time).into(), time, kind, findings)
    }

    fn of<'t>(
        text: &Text<'_>,
        sentences: &[Range<usize>],
        times: impl FnOnce() -> Cow<'t, [TemporalExpression]>,
        time: Option<NaiveDateTime>,
        kind: DocumentKind,
        findings: &[Finding],
    ) -> Reading {
        let told = Told::by(findings, kind, time);
        let told = match kind {
            DocumentKind::Discharge => told.with_stay(text, &times(), time),
            kind if kind.is_follow_up() => {
                let times = times();
                told.with_stroke(text, &times, time).recalling(text, &times, time)
            }
            kind if kind.goes_on() => told.leaving(text, time),
            _ => told,
        };
        Reading { told, contexts: contexts(text, sentences, findings) }
    }
}

/// A document of a patient with what was found in it.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    pub id: &'a str,
    pub encounter: Option<&'a str>,
    pub time: Option<NaiveDateTime>,
    pub kind: DocumentKind,
    /// Of the encounter.
    pub stay_start: Option<NaiveDateTime>,
    pub stay_end: Option<NaiveDateTime>,
    pub findings: &'a [Finding],
    pub reading: &'a Reading,
}

impl<'a> Document<'a> {
    pub fn summary(&self) -> DocumentSummary<'a> {
        DocumentSummary {
            id: self.id,
            encounter: self.encounter,
            time: self.time,
            kind: self.kind,
            stay_start: self.stay_start,
            stay_end: self.stay_end,
            told: self.reading.told,
        }
    }
}

/// What the record states of the patient.
#[derive(Debug, Clone, Copy, Default)]
pub struct Patient {
    pub birth_date: Option<NaiveDate>,
    pub female: Option<bool>,
}

/// Words of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// Position in the documents given.
    pub document: usize,
    /// Bytes of its text.
    pub start: usize,
    pub end: usize,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A document states it.
    Stated,
    /// It follows from another variable.
    Entailed,
    /// It is computed from other variables or the patient's record.
    Derived,
}

/// The value of a variable in an episode.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    pub variable: String,
    pub value: Value,
    /// `None` only for what the patient's record alone states.
    pub evidence: Option<Evidence>,
    pub section: Option<String>,
    pub anchor: Option<Anchor>,
    pub event_time: Option<NaiveDateTime>,
    pub score: f32,
    /// Findings that were weighed, the losing ones included.
    pub candidates: u32,
    pub conflict: bool,
    pub origin: Origin,
    /// Variables that it follows from.
    pub inputs: Vec<String>,
    /// Rule that found it, or name of the conclusion.
    pub method: String,
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The resolved value rests on it.
    Chosen,
    /// It says the same.
    Agrees,
    /// It says otherwise and weighs less.
    Differs,
    /// Another document, or its own sentence, takes it back.
    Corrected,
    /// Its sentence stands in an earlier document, where it means something else.
    Copied,
    /// Its anchor or its document's kind is not accepted.
    Refused,
    /// It is of another time: outside the stay, or no visit of three months.
    OutOfTime,
}

/// A finding and how it was weighed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighed {
    /// Position in the documents given.
    pub document: usize,
    /// Position in the document's findings.
    pub finding: usize,
    pub weight: f32,
    pub verdict: Verdict,
}

/// An episode with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedEpisode {
    pub episode: Episode,
    /// By name of the variable; internal ones left out.
    pub values: Vec<Resolved>,
    /// Durations between resolved times, and the like: variables beyond the dictionary.
    pub derived: Vec<Resolved>,
    /// Every finding of the episode's documents, by document and place.
    pub findings: Vec<Weighed>,
}

/// Gives the policy of each variable.
pub trait Policies {
    /// `None`: the variable is not known.
    fn policy(&self, variable: &str) -> Option<Policy>;
}

/// Settles on the values of every episode of one patient.
pub fn resolve_patient(policies: &impl Policies, documents: &[Document<'_>], patient: Patient) -> Vec<ResolvedEpisode> {
    let summaries: Vec<DocumentSummary<'_>> = documents.iter().map(Document::summary).collect();
    episodes(&summaries).into_iter().map(|episode| resolve_episode(policies, documents, &summaries, patient, episode)).collect()
}

/// A finding on its way to a value.
#[derive(Debug, Clone)]
pub(crate) struct Candidate<'a> {
    pub finding: &'a Finding,
    /// That of the finding, on its right day.
    pub value: Value,
    pub context: Context,
    pub document: usize,
    /// Position in the document's findings.
    pub position: usize,
    /// Position in the episode's documents, by time.
    pub order: usize,
    pub kind: DocumentKind,
    pub time: Option<NaiveDateTime>,
    pub weight: f32,
    pub verdict: Verdict,
}

/// Settles on the values of one episode. `summaries` are those of the documents.
pub fn resolve_episode(
    policies: &impl Policies,
    documents: &[Document<'_>],
    summaries: &[DocumentSummary<'_>],
    patient: Patient,
    episode: Episode,
) -> ResolvedEpisode {
    let mut candidates = candidates(documents, &episode);
    let died_after = deaths_after(&mut candidates, &episode);
    let entered = entered(documents, &episode);
    let door = episode.index.and_then(|index| door(&candidates, index));
    let mut by_variable: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, candidate) in candidates.iter().enumerate() {
        by_variable.entry(&candidate.finding.variable).or_default().push(at);
    }
    let mut values = BTreeMap::new();
    let mut internal = Vec::new();
    for (variable, members) in &by_variable {
        let Some(policy) = policies.policy(variable) else { continue };
        for &at in members {
            weigh(&mut candidates[at], &policy, &episode, entered, door);
        }
        if let Some(resolved) = choice::choose(variable, &policy, members, &mut candidates) {
            values.insert((*variable).to_owned(), resolved);
            internal.extend(policy.internal.then(|| (*variable).to_owned()));
        }
    }
    // A score of 6 that is written says it better.
    let written = values.get(RANKIN).is_some_and(|rankin| rankin.value == Value::Number(6.0));
    if let Some(at) = died_after.filter(|_| !written) {
        let death = &candidates[at];
        values.insert(
            RANKIN.to_owned(),
            Resolved { value: Value::Number(6.0), ..choice::resolved(RANKIN, death, "entailed:dead after discharge") },
        );
    }
    Entailments::built_in().apply(&mut values);
    let derived = derive(&mut values, patient, summaries, &episode);
    for variable in internal {
        values.remove(&variable);
    }
    let mut findings: Vec<Weighed> =
        candidates.iter().map(|c| Weighed { document: c.document, finding: c.position, weight: c.weight, verdict: c.verdict }).collect();
    findings.sort_by_key(|w| (w.document, w.finding));
    ResolvedEpisode { episode, values: values.into_values().collect(), derived, findings }
}

/// Every finding of the episode, in an order that depends on nothing but their content.
fn candidates<'a>(documents: &[Document<'a>], episode: &Episode) -> Vec<Candidate<'a>> {
    let mut found = Vec::new();
    for (order, &document) in episode.documents.iter().enumerate() {
        let Document { findings, reading, kind, time, .. } = documents[document];
        let around = reading.contexts.iter().copied().chain(std::iter::repeat(Context::default()));
        let first = found.len();
        for (position, (finding, context)) in findings.iter().zip(around).enumerate() {
            let value = finding.value.clone();
            found.push(Candidate {
                finding,
                value,
                context,
                document,
                position,
                order,
                kind,
                time,
                weight: 0.0,
                verdict: Verdict::Refused,
            });
        }
        found[first..].sort_by(|a: &Candidate<'_>, b| {
            let key = |c: &Candidate<'_>| (c.finding.start, c.finding.end);
            key(a)
                .cmp(&key(b))
                .then_with(|| a.finding.variable.cmp(&b.finding.variable))
                .then_with(|| canonical(&a.finding.value).cmp(&canonical(&b.finding.value)).then(a.finding.anchor.cmp(&b.finding.anchor)))
        });
    }
    copies(&mut found);
    redate(&mut found, episode);
    found
}

/// A clock time without a date reads as of its document's day. In a document of
/// later days it belongs to the day of the event, or to the night after it.
fn redate(candidates: &mut [Candidate<'_>], episode: &Episode) {
    let Some(index) = episode.index else { return };
    let entered = door(candidates, index);
    let bare = |c: &Candidate<'_>| match (&c.value, c.time) {
        // A code states the date with the time.
        _ if c.finding.is_coded() => false,
        (Value::DateTime(value), Some(time)) => {
            let day = time.date();
            let told = value.date() == day || Some(value.date()) == day.pred_opt();
            let of_event = matches!(c.finding.anchor, Anchor::Admission | Anchor::Stay | Anchor::PreStroke);
            // An onset after the door was told of the day before.
            let late = ONSET.contains(&&*c.finding.variable) && !c.kind.is_follow_up() && entered.is_some_and(|door| *value > door + LATE);
            // Where nobody came to a door near the event, days went by before this one.
            let at_door = c.kind == DocumentKind::Emergency && entered.is_none();
            of_event && !c.context.dated && (told && (day - index).num_days() > 1 && !at_door || late)
        }
        _ => false,
    };
    let start = |c: &Candidate<'_>| match c.value {
        Value::DateTime(value) if ONSET.contains(&&*c.finding.variable) && !bare(c) && episode.in_stay(value) => Some(value),
        _ => None,
    };
    let onset = candidates.iter().filter_map(start).min();
    for candidate in candidates.iter_mut().filter(|c| bare(c)) {
        let Value::DateTime(value) = candidate.value else { continue };
        // "La veille" in a letter at the end of the stay is the day before the door.
        let eve = candidate.kind.tells_of_the_stay() && candidate.time.is_some_and(|t| Some(value.date()) == t.date().pred_opt());
        let day = match entered.filter(|_| eve).and_then(|door| door.date().pred_opt()) {
            Some(eve) => eve.and_time(value.time()),
            // The last hour before the door.
            None if ONSET.contains(&&*candidate.finding.variable) => entered.map_or(index, |door| door.date()).and_time(value.time()),
            None => index.and_time(value.time()),
        };
        let seen = ONSET.contains(&&*candidate.finding.variable);
        let early = !seen && onset.is_some_and(|onset| day < onset);
        // "Vu bien à 22 h 15", of one who came the next morning: of the eve.
        let late = seen && !candidate.kind.is_follow_up() && entered.is_some_and(|door| day > door + LATE);
        candidate.value = Value::DateTime(day + TimeDelta::days(i64::from(early) - i64::from(late)));
    }
}

/// The admission nearest to the index date, as the documents tell it.
fn door(candidates: &[Candidate<'_>], index: NaiveDate) -> Option<NaiveDateTime> {
    let told = candidates.iter().filter(|c| c.finding.variable == "admission_datetime" && c.finding.anchor == Anchor::Admission);
    let days = told.filter_map(|c| match c.value {
        Value::DateTime(value) if (0..=1).contains(&(value.date() - index).num_days()) => Some(value),
        _ => None,
    });
    days.max()
}

/// A sentence of an earlier note means what it meant there: what the copy says
/// beyond that comes of its new date alone.
fn copies(candidates: &mut [Candidate<'_>]) {
    let mut first: BTreeMap<u64, usize> = BTreeMap::new();
    for candidate in candidates.iter() {
        if let Some(sentence) = candidate.context.sentence {
            first.entry(sentence).or_insert(candidate.order);
        }
    }
    let originals: Vec<(u64, &str, Anchor)> = candidates
        .iter()
        .filter_map(|c| Some((c.context.sentence?, c)))
        .filter(|(sentence, c)| first.get(sentence) == Some(&c.order))
        .map(|(sentence, c)| (sentence, &*c.finding.variable, c.finding.anchor))
        .collect();
    let mut known: BTreeMap<(u64, &str), Vec<Anchor>> = BTreeMap::new();
    for (sentence, variable, anchor) in originals {
        known.entry((sentence, variable)).or_default().push(anchor);
    }
    for candidate in candidates.iter_mut() {
        let Some(sentence) = candidate.context.sentence else { continue };
        if first.get(&sentence).is_none_or(|&order| order == candidate.order) {
            continue;
        }
        let meant = known.get(&(sentence, &*candidate.finding.variable));
        if meant.is_none_or(|anchors| !anchors.contains(&candidate.finding.anchor)) {
            candidate.verdict = Verdict::Copied;
        }
    }
}

/// Deaths told after the stay are no deaths in hospital; gives the one that ends the first three months.
fn deaths_after(candidates: &mut [Candidate<'_>], episode: &Episode) -> Option<usize> {
    let mut found = None;
    for (at, candidate) in candidates.iter_mut().enumerate() {
        if candidate.finding.variable != DEATH || candidate.finding.value != Value::Boolean(true) {
            continue;
        }
        let date = candidate.finding.event_time.filter(|t| episode.within(*t, 0, i64::MAX));
        let outside = candidate.kind.is_follow_up() || candidate.kind == DocumentKind::Referral;
        let after = match date {
            Some(date) => episode.end.is_some_and(|end| date.date() > end),
            None => outside && candidate.time.is_none_or(|t| episode.end.is_some_and(|end| t.date() > end)),
        };
        if after {
            candidate.verdict = Verdict::OutOfTime;
            if date.or(candidate.time).is_none_or(|t| episode.within(t, 0, OUTCOME)) && found.is_none() {
                found = Some(at);
            }
        }
    }
    found
}

/// Measured where the patient lived, and written down before the door: a sheet of the house sent along.
fn before_the_door(candidate: &Candidate<'_>, door: Option<NaiveDateTime>) -> bool {
    let house = matches!(candidate.kind, DocumentKind::Nursing | DocumentKind::Other);
    house && matches!(candidate.value, Value::Number(_)) && candidate.time.zip(door).is_some_and(|(time, door)| time < door)
}

/// The first day of the stay by the letter at its end, where somebody received the
/// patient at the door on that day.
fn entered(documents: &[Document<'_>], episode: &Episode) -> Option<NaiveDateTime> {
    let of = || episode.documents.iter().map(|&at| &documents[at]);
    let told = of().filter(|d| d.kind == DocumentKind::Discharge).filter_map(|d| d.reading.told.admission);
    let day = told.min()?.date();
    let door = |d: &&Document<'_>| {
        matches!(d.kind, DocumentKind::Emergency | DocumentKind::Prehospital)
            && d.time.is_some_and(|t| (0..=1).contains(&(t.date() - day).num_days()))
    };
    of().find(door).map(|_| day.and_time(NaiveTime::MIN))
}

/// Weighs a candidate by itself.
fn weigh(candidate: &mut Candidate<'_>, policy: &Policy, episode: &Episode, entered: Option<NaiveDateTime>, door: Option<NaiveDateTime>) {
    let Finding { anchor, event_time, ref method, score, .. } = *candidate.finding;
    if matches!(candidate.verdict, Verdict::Copied | Verdict::OutOfTime) {
        return;
    }
    if candidate.context.refuted || method.contains("+corrected") {
        candidate.verdict = Verdict::Corrected;
        return;
    }
    // Sent home from the emergency ward and back days later: the stay began with the return.
    let passage = candidate.kind == DocumentKind::Emergency
        && entered.zip(candidate.time).is_some_and(|(day, time)| time + PASSAGE <= day)
        && !policy.timeless;
    if passage && !policy.internal && !matches!(anchor, Anchor::PreStroke | Anchor::History) {
        candidate.verdict = Verdict::OutOfTime;
        return;
    }
    let recalled = method.contains("+recalled");
    let timely = |time: Option<NaiveDateTime>| time.is_none_or(|t| episode.within(t, MONTH_3.0, MONTH_3.1));
    let in_time = match (anchor, &candidate.value) {
        _ if policy.internal => true,
        (Anchor::Month3, _) if policy.timeless && !matches!(candidate.value, Value::DateTime(_)) => true,
        (Anchor::Month3, _) => recalled || timely(event_time.or(candidate.time)),
        (Anchor::History | Anchor::PreStroke, _) => true,
        (_, Value::DateTime(value)) => episode.index.is_none() || episode.in_stay(*value),
        _ => true,
    };
    if !in_time {
        candidate.verdict = Verdict::OutOfTime;
        return;
    }
    // An admission or a discharge of a later stay, unless the words go back: that of a
    // rehabilitation ward, and of the notes written there. A consultation has no stay of
    // its own, and what a ward tells of the story is of the stay before.
    let since = candidate.time.zip(episode.end).map(|(time, end)| (time.date() - end).num_days());
    let away = candidate.kind.goes_on() && since.is_some_and(|days| days > AFTER_STAY);
    let story = || matches!(candidate.finding.section.as_deref(), Some("present_illness" | "reason" | "history" | "indication"));
    // Where the patient went to or is now, the rule cannot tell from where he went to then.
    let ruled = candidate.kind.is_follow_up() && method.ends_with("+rule");
    let ward = ruled || candidate.kind == DocumentKind::Rehabilitation && !story();
    let own_stay = (ward || away) && matches!(anchor, Anchor::Admission | Anchor::Day1 | Anchor::Discharge);
    if own_stay && !recalled && !event_time.is_some_and(|t| episode.in_stay(t)) {
        candidate.verdict = Verdict::Refused;
        return;
    }
    let mut fit = policy.fit(anchor);
    // A note of the day after tells the score of 24 hours, whether it says so or not.
    if anchor == Anchor::Stay && (policy.day_after.is_some() || fit < policy.fit(Anchor::Day1) / 2.0) {
        // Of the door, or of the stroke, which may have been on the eve.
        let zeros = [episode.index, door.map(|door| door.date())];
        let next = |time: NaiveDateTime| zeros.iter().flatten().any(|zero| (time.date() - *zero).num_days() == 1);
        let told = candidate.kind.goes_on() && event_time.or(candidate.time).is_some_and(next);
        fit = if told { policy.fit(Anchor::Day1) * policy.day_after.unwrap_or(1.0) * NEXT_DAY } else { 0.0 };
    }
    // What a practitioner lists after the stay is what the stay prescribed.
    let listed = candidate.kind == DocumentKind::Referral && matches!(anchor, Anchor::PreStroke | Anchor::History);
    if listed && since.is_some_and(|days| days > AFTER_STAY) {
        fit *= LISTED_AFTER;
    }
    let entry = candidate.kind == DocumentKind::Nursing
        && ONSET.contains(&&*candidate.finding.variable)
        && !candidate.context.dated
        && candidate.time.zip(episode.index).is_some_and(|(time, index)| (time.date() - index).num_days() > 1);
    if entry {
        fit *= ENTRY;
    }
    candidate.weight = (score * fit * policy.trust(candidate.kind)).clamp(0.0, choice::SUREST);
    if policy.prefer == Prefer::First && before_the_door(candidate, door) {
        candidate.weight *= OUTSIDE;
    }
    candidate.verdict = if candidate.weight > 0.0 { Verdict::Differs } else { Verdict::Refused };
}

/// A value as tables write it.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Boolean(b) => b.to_string(),
        Value::Category(c) => c.to_string(),
        Value::Number(n) => n.to_string(),
        Value::DateTime(t) => t.format("%Y-%m-%dT%H:%M:%S").to_string(),
    }
}

#[cfg(test)]
mod tests;
