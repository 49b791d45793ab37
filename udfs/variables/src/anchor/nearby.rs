//! What stands near a value in its sentence: cues, dates, study days.

use std::ops::Range;

use chrono::{Duration, NaiveDateTime};
use sillage_clinical::is;
use sillage_clinical::lexicon::Label;
use sillage_clinical::temporal::{Precision, TemporalExpression, TemporalKind};
use sillage_clinical::text::Kind;

use super::{Asked, Moment, Moments, Reading};

/// Beyond this cost dates belong to something else.
const FAR: f32 = 14.0;
/// A date this long before the stay is of another event.
const PAST: Duration = Duration::days(20);
/// Most tokens from a bracket to a cue in it.
const BRACKET: usize = 12;
/// As far as an older event reaches.
const OLDER: f32 = 9.0;

impl Moments<'_, '_> {
    /// The nearest cue or date of the sentence that belongs to the span.
    pub(super) fn nearby(&self, span: &Range<usize>, others: &[Range<usize>], asked: Asked) -> Option<Reading> {
        let sentence = self.analysis.sentences.get(self.sentence_of(span.start))?.clone();
        let mut best: Option<(f32, Moment, Option<NaiveDateTime>, &'static str)> = None;
        let mut offer = |cost: f32, moment, time, by| {
            if best.is_none_or(|(least, ..)| cost < least) {
                best = Some((cost, moment, time, by));
            }
        };
        let first = self.found.partition_point(|f| f.tokens.end <= sentence.start);
        for found in self.found[first..].iter().take_while(|f| f.tokens.start < sentence.end) {
            if found.cue.moment == Some(Moment::PreStroke) && asked.measured && !asked.before {
                continue;
            }
            let cost = self.cost(span, &found.tokens, others);
            if cost <= found.cue.reach {
                let (moment, by) = self.meant(found.cue, found.tokens.start);
                offer(cost, moment, None, by);
            }
        }
        let bytes = self.analysis.text.byte_range(sentence.clone());
        let times = self.analysis.times();
        let first = times.partition_point(|t| t.end <= bytes.start);
        let mut nearest_time: Option<(f32, NaiveDateTime)> = None;
        for time in times[first..].iter().take_while(|t| t.start < bytes.end) {
            let tokens = self.tokens_of(time);
            let cost = self.cost(span, &tokens, others);
            if cost > FAR {
                continue;
            }
            let value = self.stay.instant(self.analysis, time, self.document_type);
            if let Some(value) = value.filter(|_| time.precision >= Precision::Hour)
                && nearest_time.is_none_or(|(least, _)| cost < least)
            {
                nearest_time = Some((cost, value));
            }
            if let Some(moment) = self.moment_of(time) {
                // Words that name the moment say more than a date.
                offer(cost + 1.0, moment, time.value, "date");
            }
        }
        let (cost, moment, time, by) = best?;
        Some(Reading { moment, strength: 1.0 - cost / 50.0, time: time.or(nearest_time.map(|(_, t)| t)), by })
    }

    fn tokens_of(&self, time: &TemporalExpression) -> Range<usize> {
        self.analysis.text.token_at(time.start)..self.analysis.text.token_at(time.end - 1) + 1
    }

    /// The value is told of an older stroke of the same sentence.
    pub(super) fn older_event(&self, span: &Range<usize>) -> Option<Reading> {
        let sentence = self.analysis.sentences.get(self.sentence_of(span.start))?.clone();
        let bytes = self.analysis.text.byte_range(sentence.start..span.start.max(sentence.start + 1));
        let entities = self.analysis.entities();
        let first = entities.partition_point(|e| e.end <= bytes.start);
        let stroke = |code: &str| {
            code.starts_with("I6") && !code.starts_with("I65") && !code.starts_with("I66") && !code.starts_with("I67")
                || code.starts_with("G45")
        };
        entities[first..]
            .iter()
            .take_while(|e| e.start < bytes.end)
            .filter(|e| {
                // "thrombectomie en 2019 (mTICI 2b)": its score is as old as the treatment.
                let treatment = || self.analysis.text.fold(self.analysis.text.token_at(e.start)).starts_with("thromb");
                let old = e.qualifiers.historical && !e.qualifiers.negated;
                old && (e.concept.icd10.as_deref().is_some_and(stroke) || e.concept.label == Label::Procedure && treatment())
            })
            .find_map(|e| {
                let tokens = self.analysis.text.token_at(e.start)..self.analysis.text.token_at(e.end - 1) + 1;
                (self.cost(span, &tokens, &[]) <= OLDER).then_some(Reading {
                    moment: Moment::History,
                    strength: 0.8,
                    time: e.event_time,
                    by: "older",
                })
            })
    }

    /// Another value of the variable stands before in the sentence.
    pub(super) fn follows_another(&self, span: &Range<usize>, others: &[Range<usize>]) -> bool {
        let Some(sentence) = self.analysis.sentences.get(self.sentence_of(span.start)) else { return false };
        others.iter().any(|o| o.start >= sentence.start && o.end <= span.start)
    }

    /// How far a cue is from the span: words, and marks that part them.
    fn cost(&self, span: &Range<usize>, cue: &Range<usize>, others: &[Range<usize>]) -> f32 {
        let text = &self.analysis.text;
        let (between, before) = if cue.end <= span.start {
            (cue.end..span.start, true)
        } else if cue.start >= span.end {
            (span.end..cue.start, false)
        } else {
            return 0.0;
        };
        if between.len() > 60 {
            return f32::INFINITY;
        }
        let mut cost = if before { 0.5 } else { 0.25 };
        for at in between.clone() {
            let token = &text.tokens[at];
            if token.lines_before > 0 {
                cost += if token.lines_before > 1 { 12.0 } else { 3.0 };
            }
            cost += match (token.kind, text.fold(at)) {
                (Kind::Mark, ";") => 8.0,
                (Kind::Mark, "." | "?" | "!") => 6.0,
                (Kind::Mark, "," | "→" | ">" | "/" | "+") => 2.5,
                (Kind::Mark, ":" | "(" | ")" | "'" | "-" | "=") => 0.25,
                (Kind::Mark, _) => 0.5,
                (_, "puis" | "et" | "mais" | "contre" | "vs") => 3.0,
                (_, "a" | "de" | "la" | "le" | "l" | "d" | "du" | "est" | "etait") => 0.25,
                (Kind::Number, _) => 2.0,
                _ => 1.0,
            };
        }
        // Past another value of the same kind words belong to that one.
        if let Some(other) = others.iter().find(|o| o.start >= between.start && o.end <= between.end) {
            // "14 -> 15 (J1) -> 11": in a series words stand behind their own value.
            let next = between.start..other.start;
            if !before && next.clone().any(|i| is!(text.key(i), "→" | ">")) && next.len() <= 3 {
                return f32::INFINITY;
            }
            cost += 7.0;
        }
        // "NIHSS initial 14, 9 à J1, 5 ce jour": close behind its value, with a mark before the next.
        let held = between.len() <= 1 && between.clone().all(|at| text.tokens[at].kind == Kind::Word) && is!(text.key(cue.end), "," | ";");
        if !before {
            // The line after the value belongs to what follows it, and so does a cue
            // that another value follows at once where the first cue came first.
            if text.tokens[cue.start].lines_before > 0 {
                cost += 8.0;
            } else if !held && self.opens_with_cue(span, others) && others.iter().any(|o| o.start >= cue.end && o.start - cue.end <= 2) {
                cost += 6.0;
            }
        } else if !self.opens_with_cue(span, others)
            && others.iter().any(|o| o.end <= cue.start && cue.start - o.end <= 2 && !self.arrow(o.end..cue.start))
        {
            cost += 4.0;
        } else if self.in_closed_bracket(cue, &between) {
            return f32::INFINITY;
        }
        // "NIHSS 17 → J1 8": behind an arrow the words open the next value.
        if !before && self.arrow(span.end..cue.start) && others.iter().any(|o| o.start >= cue.end && o.start - cue.end <= 1) {
            return f32::INFINITY;
        }
        cost
    }

    fn arrow(&self, mut tokens: Range<usize>) -> bool {
        tokens.any(|at| is!(self.analysis.text.key(at), "→" | ">"))
    }

    /// "172/88 (190/100 dans le VSAV), FC 84": the words belong to what the bracket says.
    fn in_closed_bracket(&self, cue: &Range<usize>, between: &Range<usize>) -> bool {
        let text = &self.analysis.text;
        let Some(close) = between.clone().find(|at| is!(text.key(*at), ")")) else { return false };
        let opened = (0..cue.start).rev().take(BRACKET).find(|at| is!(text.key(*at), "(" | ")"));
        opened.is_some_and(|open| is!(text.key(open), "(") && (open..cue.start).any(|at| text.tokens[at].kind == Kind::Number))
            && is!(text.key(close + 1), "," | ";" | ".")
    }

    /// In the sentence of the span a cue stands before the first value.
    fn opens_with_cue(&self, span: &Range<usize>, others: &[Range<usize>]) -> bool {
        let Some(sentence) = self.analysis.sentences.get(self.sentence_of(span.start)) else { return false };
        let first = others.iter().filter(|o| o.start >= sentence.start && o.start < sentence.end).map(|o| o.end - 1).min();
        let first = first.unwrap_or(span.end - 1);
        let at = self.found.partition_point(|f| f.tokens.end <= sentence.start);
        self.found.get(at).is_some_and(|f| f.tokens.end <= first)
    }

    /// The moment of a date or study day.
    pub(super) fn moment_of(&self, time: &TemporalExpression) -> Option<Moment> {
        match time.kind {
            TemporalKind::Date | TemporalKind::Relative => {}
            _ => return None,
        }
        let text = &self.analysis.text;
        let token = text.token_at(time.start);
        let word = text.fold(token);
        if time.kind == TemporalKind::Relative && word.starts_with(['j', 'h']) && word.as_bytes().get(1).is_none_or(u8::is_ascii_digit) {
            return study(time.duration_minutes?);
        }
        self.moment_at(time.value?, time.precision)
    }

    /// The moment that a calendar time falls in.
    fn moment_at(&self, value: NaiveDateTime, precision: Precision) -> Option<Moment> {
        let reference = self.analysis.reference();
        if let Some(reference) = reference
            && (reference - value > Duration::days(200) && precision >= Precision::Month || reference - value > Duration::days(500))
        {
            return Some(Moment::History);
        }
        if precision < Precision::Day {
            return None;
        }
        let zero = self.stay.start?;
        if zero - value > PAST {
            return Some(Moment::History);
        }
        if let Some(end) = self.stay.end
            && value.date() == end.date()
            && end - zero > Duration::hours(40)
        {
            return Some(Moment::Discharge);
        }
        let days = (value.date() - zero.date()).num_days();
        let hours = (value - zero).num_hours();
        let timed = precision >= Precision::Hour && zero.time() != chrono::NaiveTime::MIN;
        match days {
            ..=-1 => None,
            0 if timed && hours >= 4 => Some(Moment::Stay),
            0 => Some(Moment::Admission),
            1 if !timed || (14..=36).contains(&hours) => Some(Moment::Day1),
            1..=2 => Some(Moment::Stay),
            60..=135 => Some(Moment::Month3),
            _ if self.stay.end.is_some_and(|end| value > end) => Some(Moment::Later),
            3..=30 => Some(Moment::Stay),
            _ => Some(Moment::Later),
        }
    }
}

/// The moment of a study day or hour, counted in minutes.
fn study(minutes: i64) -> Option<Moment> {
    Some(match minutes {
        ..0 => return None,
        0 => Moment::Admission,
        1..=1079 => Moment::Stay,
        1080..=1800 => Moment::Day1,
        1801..=57_600 => Moment::Stay,
        86_400..=194_400 => Moment::Month3,
        _ => Moment::Later,
    })
}
