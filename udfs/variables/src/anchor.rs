//! The moment of the story that a value belongs to.
//!
//! Words near the value decide ("à l'entrée", "H24", "antérieur"), then dates and
//! study days near it, then what the line, the paragraph or the section opened
//! with, then the type of the document.

mod cues;
mod nearby;
mod standing;
mod stay;

use std::ops::Range;

use chrono::NaiveDateTime;
use sillage_clinical::analysis::Analysis;

use crate::Anchor;
pub(crate) use cues::{Cue, Found, built_in as built_in_cues};
pub(crate) use stay::Stay;

/// An anchor, or a moment before or after those of the stay that a value must not
/// be mistaken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Moment {
    PreStroke,
    /// Between the onset and the door: SAMU, practitioner.
    Prehospital,
    Admission,
    Day1,
    Stay,
    Discharge,
    /// After the stay, but not at three months.
    Later,
    Month3,
    History,
}

impl Moment {
    pub const ALL: [Moment; 9] = [
        Moment::PreStroke,
        Moment::Prehospital,
        Moment::Admission,
        Moment::Day1,
        Moment::Stay,
        Moment::Discharge,
        Moment::Later,
        Moment::Month3,
        Moment::History,
    ];

    /// As declarations write it.
    pub fn name(self) -> &'static str {
        match self {
            Moment::Prehospital => "prehospital",
            Moment::Later => "later",
            _ => self.anchor().name(),
        }
    }

    pub fn from_name(name: &str) -> Option<Moment> {
        Moment::ALL.into_iter().find(|m| m.name() == name)
    }

    /// The anchor that tables show.
    pub fn anchor(self) -> Anchor {
        match self {
            Moment::PreStroke => Anchor::PreStroke,
            Moment::Admission => Anchor::Admission,
            Moment::Day1 => Anchor::Day1,
            Moment::Discharge => Anchor::Discharge,
            Moment::Month3 => Anchor::Month3,
            Moment::Stay | Moment::Prehospital | Moment::Later => Anchor::Stay,
            Moment::History => Anchor::History,
        }
    }
}

/// A moment and what told it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    pub moment: Moment,
    /// How sure, 0 to 1.
    pub strength: f32,
    /// The time beside the value, where one is written.
    pub time: Option<NaiveDateTime>,
    /// `near`, `date`, `heading`, `section`, `document`, `older`, `order`, `copy`.
    pub by: &'static str,
}

/// What is asked of a moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asked {
    /// The value is a number that was measured at one time.
    pub measured: bool,
    /// The variable may be of the time before the stroke; else words of that time
    /// speak of something else.
    pub before: bool,
}

/// Reads moments in one document.
pub struct Moments<'d, 'a> {
    analysis: &'d Analysis<'a>,
    stay: &'d Stay,
    document_type: &'d str,
    /// Cues of the whole text, ascending.
    found: Vec<Found>,
    /// By sentence: what the lines above opened with.
    standing: Vec<Option<standing::Standing>>,
    /// By sentence: the day that the lines above opened with.
    days: Vec<Option<NaiveDateTime>>,
}

impl<'d, 'a> Moments<'d, 'a> {
    /// `found`: the cues of the whole text, ascending and disjoint.
    pub(crate) fn new(found: Vec<Found>, analysis: &'d Analysis<'a>, stay: &'d Stay, document_type: &'d str) -> Self {
        let mut moments = Moments { analysis, stay, document_type, found, standing: Vec::new(), days: Vec::new() };
        (moments.standing, moments.days) = moments.read_standing();
        moments
    }

    /// The moment of a span of tokens. `others` are the spans of the same variable:
    /// what stands beyond one of them belongs to it.
    pub(crate) fn of(&self, span: Range<usize>, others: &[Range<usize>], asked: Asked) -> Reading {
        let measured = asked.measured;
        let near = self.nearby(&span, others, asked);
        if measured
            && near.is_none_or(|n| n.moment != Moment::PreStroke)
            && let Some(reading) = self.older_event(&span)
        {
            return reading;
        }
        if let Some(reading) = near {
            return reading;
        }
        let sentence = self.sentence_of(span.start);
        // "mRS antérieur 0, NIHSS 9": what opens with the time before does not go on with a score of now.
        let before = |s: &standing::Standing| s.moment == Moment::PreStroke && measured && !asked.before;
        let mut reading = match self.standing.get(sentence).copied().flatten().filter(|s| !before(s)) {
            _ if measured && self.told_to_the_end(sentence) => {
                Reading { moment: Moment::Discharge, strength: 0.5, time: None, by: "order" }
            }
            Some(standing) => Reading { moment: standing.moment, strength: 0.8, time: standing.time, by: "heading" },
            None => self.by_document(span.start, asked),
        };
        // "NIHSS 14, puis 6": the second value comes later.
        if measured && reading.moment == Moment::Admission && self.follows_another(&span, others) {
            reading = Reading { moment: Moment::Stay, strength: 0.4, time: reading.time, by: "order" };
        }
        // "11/02 8h30 : NIHSS 6": which day of the stay that is, the other documents tell.
        if measured && reading.time.is_none() && matches!(self.document_type, "progress" | "nursing") {
            reading.time = self.days.get(sentence).copied().flatten();
        }
        reading
    }

    /// "NIHSS 12 à l'entrée, 4 à la sortie. Rankin 2.": the sentence before, on the same
    /// line, told the stay to its end.
    fn told_to_the_end(&self, sentence: usize) -> bool {
        let sentences = &self.analysis.sentences;
        let Some(before) = sentence.checked_sub(1).and_then(|i| sentences.get(i)) else { return false };
        let same_line = self.analysis.text.tokens.get(before.end).is_some_and(|t| t.lines_before == 0);
        if self.document_type != "discharge" || !same_line {
            return false;
        }
        let end = self.found.partition_point(|f| f.tokens.start < before.end);
        let told = self.found[..end].iter().rev().take_while(|f| f.tokens.start >= before.start);
        let mut moments = told.filter_map(|f| f.cue.moment);
        moments.next() == Some(Moment::Discharge) && moments.next().is_some()
    }

    fn sentence_of(&self, token: usize) -> usize {
        self.analysis.sentences.partition_point(|s| s.end <= token)
    }

    /// What a cue means in this document.
    fn meant(&self, cue: Cue, token: usize) -> (Moment, &'static str) {
        let Some(moment) = cue.moment else { return (self.now(token), "near") };
        let away = matches!(self.document_type, "rehabilitation");
        // "Transfert en SMR, mRS 3": a letter at the end of a stay knows nothing of later.
        if moment == Moment::Later && self.document_type == "discharge" {
            return (Moment::Discharge, "near");
        }
        if cue.door && away && !self.tells_story(token) {
            return (Moment::Later, "near");
        }
        (moment, "near")
    }

    /// The section tells what was before.
    fn tells_story(&self, token: usize) -> bool {
        matches!(self.section(token), Some("present_illness" | "reason" | "history" | "indication"))
    }

    fn section(&self, token: usize) -> Option<&'a str> {
        let byte = self.analysis.text.tokens.get(token).map_or(0, |t| t.start as usize);
        self.analysis.section_at_byte(byte)
    }
}
