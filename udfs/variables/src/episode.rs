//! Which documents tell of one stroke.
//!
//! What a text says counts first: documents that tell of an onset, a treatment or
//! an admission within [`SAME_EVENT`] days of one another tell of one event,
//! whatever their hospital and encounter. Documents of the acute stay that tell
//! no date join by encounter, then by their own time; later ones join the last
//! event that is at most [`FOLLOW_UP`] days old, or any older one that they date.
//! An event to which no document gives a stroke is no episode.
//!
//! # Names that last
//! An episode is named by its patient, the year of the index date and a number
//! within that year (`2024-1`). Anything taken from a document or from the exact
//! date would change whenever an earlier document arrives or an onset is
//! corrected by an hour past midnight; the year does not, and a second stroke of
//! one year almost always arrives second. The name changes only when a document
//! shows an earlier stroke of the same year, or moves the event over New Year.
//!
//! The order of the documents does not matter.

pub(crate) mod stay;

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime};

use sillage_clinical::temporal::TemporalExpression;
use sillage_clinical::text::Text;

use crate::{Anchor, Finding, Value};

/// Days between two told dates that can still mean one event: an onset the evening
/// before, an admission after midnight, a slip of the pen.
const SAME_EVENT: i64 = 3;
/// Days after the index date for which documents follow it up.
const FOLLOW_UP: i64 = 120;
/// Days after the end of the stay within which a transfer arrives.
pub(crate) const AFTER_STAY: i64 = 3;
/// Days before the event at which a letter can already send the patient.
const BEFORE: i64 = 7;
/// Days within which documents of one encounter belong to one event.
const ENCOUNTER: i64 = 60;
/// A date told by a document of the acute stay is at most that old.
const STAY: i64 = 150;
/// Minutes around a document's own time: what reads so is its stamp, no time of the event.
const STAMP: i64 = 10;

/// Kinds of clinical document, by the part they play in a stroke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum DocumentKind {
    /// Sends the patient to hospital, or asks for something afterwards.
    Referral,
    /// Written by those who bring the patient.
    Prehospital,
    Emergency,
    Imaging,
    Procedure,
    Anesthesia,
    Progress,
    Nursing,
    /// Looks back on the acute stay.
    Discharge,
    Rehabilitation,
    Consultation,
    #[default]
    Other,
}

impl DocumentKind {
    pub const ALL: [DocumentKind; 12] = [
        DocumentKind::Referral,
        DocumentKind::Prehospital,
        DocumentKind::Emergency,
        DocumentKind::Imaging,
        DocumentKind::Procedure,
        DocumentKind::Anesthesia,
        DocumentKind::Progress,
        DocumentKind::Nursing,
        DocumentKind::Discharge,
        DocumentKind::Rehabilitation,
        DocumentKind::Consultation,
        DocumentKind::Other,
    ];

    /// As `document_types.toml` writes it.
    pub fn name(self) -> &'static str {
        match self {
            DocumentKind::Referral => "referral",
            DocumentKind::Prehospital => "prehospital",
            DocumentKind::Emergency => "emergency",
            DocumentKind::Imaging => "imaging",
            DocumentKind::Procedure => "procedure",
            DocumentKind::Anesthesia => "anesthesia",
            DocumentKind::Progress => "progress",
            DocumentKind::Nursing => "nursing",
            DocumentKind::Discharge => "discharge",
            DocumentKind::Rehabilitation => "rehabilitation",
            DocumentKind::Consultation => "consultation",
            DocumentKind::Other => "other",
        }
    }

    pub fn from_name(name: &str) -> Option<DocumentKind> {
        DocumentKind::ALL.into_iter().find(|k| k.name() == name)
    }

    /// Written after the acute stay: its own admission and discharge are not those of the stroke.
    pub fn is_follow_up(self) -> bool {
        matches!(self, DocumentKind::Rehabilitation | DocumentKind::Consultation)
    }

    /// Written after the stay or at its end, of all of it.
    pub(crate) fn tells_of_the_stay(self) -> bool {
        matches!(self, DocumentKind::Discharge | DocumentKind::Rehabilitation | DocumentKind::Consultation)
    }

    /// Written days after what it tells, as a rule.
    fn looks_back(self) -> bool {
        matches!(self, DocumentKind::Progress | DocumentKind::Discharge | DocumentKind::Other) || self.is_follow_up()
    }

    /// Notes that are also written long after the stay: a call, a visit.
    pub(crate) fn goes_on(self) -> bool {
        matches!(self, DocumentKind::Progress | DocumentKind::Nursing | DocumentKind::Other)
    }

    fn is_acute(self) -> bool {
        !matches!(self, DocumentKind::Referral | DocumentKind::Rehabilitation | DocumentKind::Consultation | DocumentKind::Other)
    }
}

/// What a text tells of the stay and the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// Onset, last seen well, treatment or date of the index event.
    pub event: Option<NaiveDateTime>,
    pub admission: Option<NaiveDateTime>,
    pub discharge: Option<NaiveDateTime>,
    /// Bytes of the words that tell the discharge.
    pub discharge_words: Option<(usize, usize)>,
    /// First and last day of an acute stay that a later document recalls, and its words.
    pub recalled: Option<(NaiveDate, NaiveDate, (usize, usize))>,
    /// It tells of a stroke of the patient, or of what was taken for one.
    pub stroke: bool,
    /// It tells of a stroke that is being treated.
    pub acute: bool,
}

/// A document as far as episodes are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentSummary<'a> {
    pub id: &'a str,
    pub encounter: Option<&'a str>,
    pub time: Option<NaiveDateTime>,
    pub kind: DocumentKind,
    /// Of the encounter.
    pub stay_start: Option<NaiveDateTime>,
    pub stay_end: Option<NaiveDateTime>,
    pub told: Told,
}

/// One stroke of a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// Distinguishes the episodes of a patient; see the module.
    pub key: String,
    pub index: Option<NaiveDate>,
    /// The last sign of the acute stay.
    pub end: Option<NaiveDate>,
    /// Positions in the documents given, by time.
    pub documents: Vec<usize>,
}

/// Variables whose values belong to a stroke, or to what was taken for one.
const OF_A_STROKE: &[&str] = &[
    "stroke_type",
    "stroke_side",
    "vascular_territory",
    "occlusion_site",
    "tandem_occlusion",
    "wake_up_stroke",
    "onset_datetime",
    "last_seen_well_datetime",
    "nihss_admission",
    "nihss_24h",
    "nihss_discharge",
    "mrs_3_months",
    "aspects",
    "dwi_lesion_volume_ml",
    "hemorrhagic_transformation",
    "symptomatic_ich",
    "iv_thrombolysis",
    "thrombolysis_datetime",
    "mechanical_thrombectomy",
    "mtici",
    "toast",
    "index_datetime",
];
/// Variables that date the event, the surest first.
const DATING: &[&str] =
    &["onset_datetime", "index_datetime", "last_seen_well_datetime", "thrombolysis_datetime", "groin_puncture_datetime"];

impl Told {
    /// What the findings of a document tell.
    pub fn by(findings: &[Finding], kind: DocumentKind, time: Option<NaiveDateTime>) -> Told {
        let best = |variable: &str| {
            let of = findings.iter().filter(|f| f.variable == variable && f.anchor != Anchor::History);
            let dated = of.filter_map(|f| match f.value {
                Value::DateTime(value) => Some((f, value)),
                _ => None,
            });
            // The end of a stay is told on its day.
            dated
                .filter(|(_, value)| variable == "discharge_datetime" || plausible(*value, kind, time))
                .max_by(|(a, x), (b, y)| a.score.total_cmp(&b.score).then(b.start.cmp(&a.start)).then(y.cmp(x)))
        };
        let time = |variable: &str| best(variable).map(|(_, value)| value);
        let discharge = best("discharge_datetime");
        let event = DATING.iter().find_map(|variable| time(variable));
        let current = |f: &&Finding| f.anchor != Anchor::History;
        let treats = |f: &Finding| match &*f.variable {
            "nihss_admission" => true,
            "iv_thrombolysis" | "mechanical_thrombectomy" => f.value == Value::Boolean(true),
            _ => false,
        };
        Told {
            event,
            admission: time("admission_datetime"),
            discharge: discharge.map(|(_, value)| value),
            discharge_words: discharge.map(|(finding, _)| (finding.start, finding.end)),
            recalled: None,
            stroke: findings.iter().filter(current).any(|f| OF_A_STROKE.contains(&&*f.variable)),
            acute: findings.iter().filter(current).any(treats),
        }
    }
}

impl Told {
    /// Adds what the words of a letter at the end of the stay tell of its dates.
    pub(crate) fn with_stay(mut self, text: &Text<'_>, times: &[TemporalExpression], time: Option<NaiveDateTime>) -> Told {
        let (first, last) = stay::told_stay(text, times, time);
        self.admission = self.admission.or(first.map(|(day, ..)| day.and_time(NaiveTime::MIN)));
        if self.discharge.is_none()
            && let Some((day, start, end)) = last
        {
            self.discharge = Some(day.and_time(NaiveTime::MIN));
            self.discharge_words = Some((start, end));
        }
        self
    }

    /// Adds the stroke that a later document dates.
    pub(crate) fn with_stroke(mut self, text: &Text<'_>, times: &[TemporalExpression], time: Option<NaiveDateTime>) -> Told {
        let told = || stay::told_stroke(text, times, time).map(|day| day.and_time(NaiveTime::MIN));
        self.event = self.event.or_else(told);
        self
    }

    /// Adds the stay that a later document recalls.
    pub(crate) fn recalling(mut self, text: &Text<'_>, times: &[TemporalExpression], time: Option<NaiveDateTime>) -> Told {
        self.recalled = stay::recalled_stay(text, times, time);
        self
    }

    /// Adds the end of the stay where a note is of that day.
    pub(crate) fn leaving(mut self, text: &Text<'_>, time: Option<NaiveDateTime>) -> Told {
        if self.discharge.is_none()
            && let Some(time) = time
            && let Some(words) = stay::leaves_today(text)
        {
            self.discharge = Some(time.date().and_time(NaiveTime::MIN));
            self.discharge_words = Some(words);
        }
        self
    }
}

/// Whether a document of that kind and time can date the event so.
fn plausible(value: NaiveDateTime, kind: DocumentKind, time: Option<NaiveDateTime>) -> bool {
    let Some(time) = time else { return true };
    // A clock time without a date reads as of the document's day, which in what
    // looks back is not that of the event.
    let bare = kind.looks_back() && value.date() >= time.date().pred_opt().unwrap_or(time.date());
    let age = (time - value).num_days();
    let stamp = kind.goes_on() && (time - value).num_minutes().abs() <= STAMP;
    !bare && !stamp && age >= -2 && (age <= STAY || !kind.is_acute())
}

impl DocumentSummary<'_> {
    /// By time, the undated last; of one moment in the order in which a stay writes them.
    fn in_time(&self) -> (bool, Option<NaiveDateTime>, DocumentKind, &str) {
        (self.time.is_none(), self.time, self.kind, self.id)
    }

    /// The date of the event as the text tells it.
    fn told_date(&self) -> Option<NaiveDate> {
        let admission = self.told.admission.filter(|_| self.kind.is_acute());
        self.told.event.or(admission).map(|t| t.date())
    }

    /// The date of the event as the encounter or the document's own time suggest it.
    fn own_date(&self) -> Option<NaiveDate> {
        let time = self.time.map(|t| t.date());
        let start = self.stay_start.map(|t| t.date());
        start.filter(|s| time.is_none_or(|t| (0..=ENCOUNTER).contains(&days(*s, t)))).or(time)
    }

    fn is_acute(&self) -> bool {
        let soon = || Some(days(self.told.event?.date(), self.time?.date()) <= SAME_EVENT);
        self.kind.is_acute() || soon() == Some(true)
    }

    /// The last day on which this document shows the patient in the acute stay.
    fn last_day(&self) -> Option<NaiveDate> {
        if !self.is_acute() {
            return None;
        }
        let told = self.told.discharge.or(self.stay_end);
        told.or(self.time).map(|t| t.date())
    }

    /// The last day of the stay of that event, as this later document recalls it.
    pub(crate) fn recalled_end(&self, index: NaiveDate) -> Option<(NaiveDate, (usize, usize))> {
        let (first, last, words) = self.told.recalled?;
        (days(index, first).abs() <= SAME_EVENT).then_some((last, words))
    }
}

/// Days from one date to the other.
fn days(from: NaiveDate, to: NaiveDate) -> i64 {
    (to - from).num_days()
}

/// Documents put together so far.
#[derive(Default)]
struct Event {
    members: Vec<usize>,
    /// Dates of the event and how many documents tell each; suggested ones count when none is told.
    told: BTreeMap<NaiveDate, usize>,
    suggested: Option<NaiveDate>,
    /// An onset or a treatment is told, not an admission alone.
    onset: bool,
    acute: bool,
}

impl Event {
    /// The date that most documents tell, the earliest of them.
    fn index(&self) -> Option<NaiveDate> {
        let most = self.told.values().max();
        self.told.iter().find(|(_, n)| Some(*n) == most).map(|(date, _)| *date).or(self.suggested)
    }

    fn end(&self, documents: &[DocumentSummary<'_>]) -> Option<NaiveDate> {
        let index = self.index()?;
        let letter = self.members.iter().filter(|&&m| documents[m].kind == DocumentKind::Discharge);
        let letter = letter.filter_map(|&m| documents[m].last_day()).max();
        // A call of the nurse weeks after the letter is no longer of the stay.
        let over = |m: usize, day: NaiveDate| documents[m].kind.goes_on() && letter.is_some_and(|l| days(l, day) > AFTER_STAY);
        let own = |m: usize| documents[m].last_day().filter(|day| !over(m, *day));
        let last = self.members.iter().filter_map(|&m| own(m).or_else(|| Some(documents[m].recalled_end(index)?.0)));
        let last = last.filter(|d| (0..=FOLLOW_UP).contains(&days(index, *d)));
        Some(last.max().unwrap_or(index).max(index))
    }

    fn add(&mut self, at: usize, document: &DocumentSummary<'_>) {
        self.members.push(at);
        self.acute |= document.is_acute();
        if let Some(date) = document.told_date() {
            *self.told.entry(date).or_default() += 1;
            self.onset |= document.told.event.is_some();
        } else if document.is_acute() {
            self.suggested = match (self.suggested, document.own_date()) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }

    fn absorb(&mut self, other: Event) {
        self.members.extend(other.members);
        for (date, n) in other.told {
            *self.told.entry(date).or_default() += n;
        }
        self.suggested = match (self.suggested, other.suggested) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.onset |= other.onset;
        self.acute |= other.acute;
    }
}

/// Puts the documents of one patient together, an episode a stroke, by date.
pub fn episodes(documents: &[DocumentSummary<'_>]) -> Vec<Episode> {
    let mut order: Vec<usize> = (0..documents.len()).collect();
    order.sort_by_key(|&at| documents[at].in_time());

    let mut events = told_events(documents, &order);
    merge(&mut events, documents);
    let rest: Vec<usize> = order.iter().copied().filter(|at| documents[*at].told_date().is_none()).collect();
    let (acute, later): (Vec<usize>, Vec<usize>) = rest.into_iter().partition(|&at| documents[at].kind.is_acute());
    for at in acute {
        place_acute(&mut events, documents, at);
    }
    merge(&mut events, documents);
    place_later(&mut events, documents, &later);

    events.retain(|event| event.members.iter().any(|&m| documents[m].told.stroke));
    named(events, documents)
}

/// Events that the texts date.
fn told_events(documents: &[DocumentSummary<'_>], order: &[usize]) -> Vec<Event> {
    let mut dated: Vec<(NaiveDate, usize)> = order.iter().filter_map(|&at| Some((documents[at].told_date()?, at))).collect();
    // A stable sort: documents of one date stay in the order of their times.
    dated.sort_by_key(|(date, _)| *date);
    let mut events: Vec<Event> = Vec::new();
    let mut last = None;
    for (date, at) in dated {
        if last.is_none_or(|last| days(last, date) > SAME_EVENT) {
            events.push(Event::default());
        }
        last = Some(date);
        if let Some(event) = events.last_mut() {
            event.add(at, &documents[at]);
        }
    }
    // A date that only a follow-up tells, while it follows up an event it can be
    // part of, is a date of something else ("chute le 3 mai"); so is that of a note
    // alone that treats no stroke (a call at three months).
    let new = |m: &usize| !documents[*m].kind.goes_on() && documents[*m].is_acute() || documents[*m].told.acute;
    let (strong, weak): (Vec<Event>, Vec<Event>) = events.into_iter().partition(|e| e.acute && e.members.iter().any(new));
    let mut events = strong;
    for event in weak {
        let followed = |m: &usize| {
            let time = documents[*m].time?.date();
            latest(&events, |index, _| index <= time && days(index, time) <= FOLLOW_UP)
        };
        let homes: Vec<Option<usize>> = event.members.iter().map(followed).collect();
        if homes.iter().all(Option::is_some) {
            for (member, home) in event.members.into_iter().zip(homes.into_iter().flatten()) {
                events[home].members.push(member);
            }
        } else {
            events.push(event);
        }
    }
    events.sort_by_key(|e| (e.index(), e.members.first().copied()));
    events
}

/// The latest event that the condition holds for.
fn latest(events: &[Event], holds: impl Fn(NaiveDate, &Event) -> bool) -> Option<usize> {
    let dated = events.iter().enumerate().filter_map(|(at, e)| Some((e.index()?, at)));
    dated.filter(|(index, at)| holds(*index, &events[*at])).max().map(|(_, at)| at)
}

fn same_encounter(event: &Event, documents: &[DocumentSummary<'_>], document: &DocumentSummary<'_>) -> bool {
    document.encounter.is_some() && event.members.iter().any(|&m| documents[m].encounter == document.encounter)
}

/// Joins events that are one: of one encounter, or the second within the stay of the first.
fn merge(events: &mut Vec<Event>, documents: &[DocumentSummary<'_>]) {
    events.sort_by_key(|e| (e.index().is_none(), e.index()));
    let mut at = 1;
    while at < events.len() {
        let into = (0..at).rev().find(|&before| one(&events[before], &events[at], documents));
        if let Some(into) = into {
            let event = events.remove(at);
            events[into].absorb(event);
            // The longer stay can reach an event that was too far before.
            at = into + 1;
        } else {
            at += 1;
        }
    }
}

fn one(first: &Event, second: &Event, documents: &[DocumentSummary<'_>]) -> bool {
    let (Some(index), Some(end), Some(next)) = (first.index(), first.end(documents), second.index()) else { return false };
    let gap = days(index, next);
    if gap <= SAME_EVENT {
        return true;
    }
    if !first.acute || !second.acute {
        return false;
    }
    let encounter = || second.members.iter().any(|&m| same_encounter(first, documents, &documents[m]));
    // A letter that tells no onset ends the stay that it follows.
    let letters = || second.members.iter().all(|&m| documents[m].kind == DocumentKind::Discharge);
    let reach = if second.onset { 0 } else { AFTER_STAY };
    gap <= ENCOUNTER && (encounter() || days(end, next) <= reach || !second.onset && letters())
}

/// Finds the event of a document of the acute stay that dates nothing.
fn place_acute(events: &mut Vec<Event>, documents: &[DocumentSummary<'_>], at: usize) {
    let document = &documents[at];
    let Some(date) = document.own_date() else {
        let home = events.iter().position(|e| same_encounter(e, documents, document));
        if let Some(home) = home.or((events.len() == 1).then_some(0)) {
            events[home].members.push(at);
        }
        return;
    };
    let near = |index: NaiveDate| days(index, date).abs() <= ENCOUNTER;
    let during = |index: NaiveDate, event: &Event| {
        let end = event.end(documents).unwrap_or(index);
        event.acute && days(date, index) <= SAME_EVENT && days(end, date) <= AFTER_STAY
    };
    // One that treats a stroke long after the stay treats another.
    let fresh = document.told.acute && matches!(document.kind, DocumentKind::Emergency | DocumentKind::Procedure);
    let home = latest(events, |index, event| near(index) && same_encounter(event, documents, document))
        .or_else(|| latest(events, during))
        .or_else(|| latest(events, |index, e| !fresh && (0..=FOLLOW_UP).contains(&days(index, date)) && (e.acute || index == date)));
    if let Some(home) = home {
        // Its own time says nothing of the event's date.
        events[home].members.push(at);
        return;
    }
    let mut event = Event::default();
    event.add(at, document);
    events.push(event);
}

/// Finds the events of what was written before or after the stay and dates nothing.
fn place_later(events: &mut Vec<Event>, documents: &[DocumentSummary<'_>], later: &[usize]) {
    let mut orphans = Event::default();
    for &at in later {
        let document = &documents[at];
        let by_encounter = events.iter().position(|e| same_encounter(e, documents, document));
        let home = match document.time.map(|t| t.date()) {
            Some(time) => latest(events, |index, _| {
                let before = if document.kind == DocumentKind::Referral { BEFORE } else { 1 };
                (-before..=FOLLOW_UP).contains(&days(index, time))
            }),
            None => by_encounter.or((events.len() == 1).then_some(0)),
        };
        if let Some(home) = home {
            events[home].members.push(at);
        } else if events.is_empty() {
            orphans.members.push(at);
        }
    }
    if !orphans.members.is_empty() {
        events.push(orphans);
    }
}

fn named(mut events: Vec<Event>, documents: &[DocumentSummary<'_>]) -> Vec<Episode> {
    events.sort_by_key(|e| (e.index().is_none(), e.index()));
    let mut years: BTreeMap<Option<i32>, usize> = BTreeMap::new();
    let mut found = Vec::with_capacity(events.len());
    for mut event in events {
        let index = event.index();
        let number = years.entry(index.map(|i| i.year())).or_default();
        *number += 1;
        let key = match index {
            Some(index) => format!("{}-{number}", index.year()),
            None => format!("undated-{number}"),
        };
        let end = event.end(documents);
        event.members.sort_by_key(|&m| documents[m].in_time());
        found.push(Episode { key, index, end, documents: event.members });
    }
    found
}

impl Episode {
    /// Whether a time lies within these days after the index date.
    pub fn within(&self, time: NaiveDateTime, first: i64, last: i64) -> bool {
        self.index.is_some_and(|index| (first..=last).contains(&days(index, time.date())))
    }

    /// Whether a time lies in the acute stay, a day either side left to hurried clocks.
    pub fn in_stay(&self, time: NaiveDateTime) -> bool {
        let (Some(index), Some(end)) = (self.index, self.end) else { return false };
        let from = index.checked_sub_days(Days::new(1)).unwrap_or(index);
        let to = end.checked_add_days(Days::new(1)).unwrap_or(end);
        (from..=to).contains(&time.date())
    }
}

#[cfg(test)]
mod tests;
