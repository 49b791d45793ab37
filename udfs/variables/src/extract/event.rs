//! Events and their times.

use std::ops::Range;

use chrono::{Duration, NaiveDateTime, Timelike};
use sillage_clinical::is;
use sillage_clinical::qualifier::Experiencer;
use sillage_clinical::temporal::{Precision, TemporalExpression, TemporalKind};
use sillage_clinical::text::Kind;

use super::number::number;
use super::{Candidate, DISCHARGE, Extractor};
use crate::Value;
use crate::definition::{Direction, Find, Fineness, Meaning, Role, Use};

/// Words of time that are nobody's.
const CONJUNCTIONS: &[&str] = &["lorsque", "lorsqu", "quand"];

/// Most tokens between an event and the time right behind it.
const OWN: usize = 6;

impl Extractor<'_, '_> {
    pub(super) fn timed(&self, out: &mut Vec<Candidate>) {
        let text = &self.analysis.text;
        // Every event of any rule: a time belongs to the nearest one.
        let mut events: Vec<(Use, Range<usize>)> = Vec::new();
        for hit in &self.hits {
            events.extend(self.uses(hit).iter().filter(|u| u.role == Role::Event).map(|u| (*u, hit.start..hit.end)));
        }
        for entity in self.analysis.entities() {
            let Some(uses) = self.definitions.compiled.concepts.get(&entity.concept.id) else { continue };
            let tokens = text.token_at(entity.start)..text.token_at(entity.end - 1) + 1;
            events.extend(uses.iter().filter(|u| u.role == Role::Event).map(|u| (*u, tokens.clone())));
        }
        if events.is_empty() {
            return;
        }
        events.sort_by_key(|(_, tokens)| tokens.start);
        for (used, event) in &events {
            let (_, rule) = self.rule(*used);
            let Find::Events { direction, fineness, reach, .. } = &rule.find else { continue };
            // The time first: most events stand without one.
            let Some((time, tokens)) = self.time_beside(used.variable, event, *direction, *fineness, *reach, &events) else { continue };
            let qualifiers = self.qualifiers(event);
            let whose = !CONJUNCTIONS.contains(&text.fold(event.start));
            let refused = if whose && rule.family != Meaning::Keep && qualifiers.experiencer != Experiencer::Patient {
                Some("said of somebody else")
            } else if qualifiers.negated {
                Some("it is negated")
            } else if qualifiers.hypothetical {
                Some("it is not certain")
            } else {
                None
            };
            let value = self.stay.instant(self.analysis, time, self.document_type).map(|value| self.with_minutes(value, time, &tokens));
            out.push(Candidate {
                variable: used.variable,
                rule: used.rule,
                value: value.map(Value::DateTime),
                tokens: tokens.start.min(event.start)..tokens.end.max(event.end),
                time: value,
                how: "event",
                weight: if time.approximate { 0.9 } else { 1.0 },
                historical: qualifiers.historical,
                moment: None,
                refused,
            });
        }
    }

    /// The time of the sentence that belongs to the event.
    fn time_beside(
        &self,
        variable: u16,
        event: &Range<usize>,
        direction: Direction,
        fineness: Fineness,
        reach: usize,
        events: &[(Use, Range<usize>)],
    ) -> Option<(&TemporalExpression, Range<usize>)> {
        let text = &self.analysis.text;
        let sentence = self.sentence(event.start);
        let bytes = text.byte_range(sentence.clone());
        let times = self.analysis.times();
        let first = times.partition_point(|t| t.end <= bytes.start);
        let least = if fineness == Fineness::Hour { Precision::Hour } else { Precision::Day };
        let mut best: Option<(f32, &TemporalExpression, Range<usize>)> = None;
        // "Levé à 6 h, il s'effondre devant son fils à 6 h 40": the time right behind is its own.
        let own = |time: &TemporalExpression| {
            let at = text.token_at(time.start);
            time.value.is_some()
                && time.precision >= Precision::Hour
                && at >= event.end
                && at - event.end <= OWN
                && (event.end..at).all(|i| text.tokens[i].kind != Kind::Mark || is!(text.key(i), "'" | "-"))
        };
        let owned = direction == Direction::Before && times[first..].iter().take_while(|t| t.start < bytes.end).any(own);
        for time in times[first..].iter().take_while(|t| t.start < bytes.end) {
            let kind = matches!(time.kind, TemporalKind::Date | TemporalKind::Time | TemporalKind::Relative | TemporalKind::Period);
            if !kind || time.value.is_none() || time.precision < least {
                continue;
            }
            let tokens = text.token_at(time.start)..text.token_at(time.end - 1) + 1;
            // "H0 = 7h20": the name of the moment is no time of its own.
            if time.kind == TemporalKind::Relative && tokens.start >= event.start && tokens.end <= event.end {
                continue;
            }
            let (between, before) = if tokens.end <= event.start {
                (tokens.end..event.start, true)
            } else if tokens.start >= event.end {
                (event.end..tokens.start, false)
            } else {
                (event.start..event.start, false)
            };
            if between.len() > reach || before && direction == Direction::After || !before && direction == Direction::Before {
                continue;
            }
            if before && owned && between.clone().any(|at| is!(text.key(at), ",")) {
                continue;
            }
            // "Entré le 3 mai, sorti le 9 à 10 h": the hour is that of the leaving.
            let leaving = |(other, range): &(Use, Range<usize>)| {
                other.variable != variable
                    && range.start >= between.start
                    && range.end <= between.end
                    && self.rule(*other).0.name == DISCHARGE
                    && !before
            };
            if events.iter().any(leaving) {
                continue;
            }
            let mut cost = if before { 1.0 } else { 0.0 };
            for at in between.clone() {
                let lines = text.tokens[at].lines_before;
                cost += if lines > 0 { 6.0 } else { 0.0 };
                cost += match (text.tokens[at].kind, text.fold(at)) {
                    // "reperm. finale 14h02": a word cut short.
                    (Kind::Mark, ".")
                        if text.tokens.get(at + 1).is_some_and(|t| t.lines_before == 0 && t.kind == Kind::Word && !t.capital) =>
                    {
                        0.25
                    }
                    (Kind::Mark, ";" | "." | "|") => 8.0,
                    (Kind::Mark, ",") => 3.0,
                    (Kind::Mark, _) => 0.25,
                    (_, "puis" | "et" | "avant" | "apres") => 3.0,
                    _ => 0.6,
                };
            }
            for (other, range) in events {
                if other.variable != variable && range.start >= between.start && range.end <= between.end && !between.is_empty() {
                    cost += 6.0;
                }
            }
            if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                best = Some((cost, time, tokens));
            }
        }
        if best.is_none() && direction != Direction::Before {
            return self.time_below(event, least);
        }
        best.map(|(_, time, tokens)| (time, tokens))
    }

    /// "14 h" at the end of a line and its minutes on the next one.
    fn with_minutes(&self, value: NaiveDateTime, time: &TemporalExpression, tokens: &Range<usize>) -> NaiveDateTime {
        let text = &self.analysis.text;
        let ends = time.precision == Precision::Hour && text.fold(tokens.end - 1).ends_with('h');
        // Or "14", and "h 22" on the next one.
        let wrapped = (tokens.start + 1..=tokens.end).any(|i| text.tokens.get(i).is_some_and(|t| t.lines_before == 1));
        let minutes = text.tokens.get(tokens.end).filter(|t| ends && wrapped && t.range().len() == 2);
        let minutes = minutes.and_then(|_| text.fold(tokens.end).parse::<i64>().ok()).filter(|m| *m < 60);
        // "minuit vingt", "midi 10".
        let minutes = minutes.or_else(|| {
            let noon = value.minute() == 0 && is!(text.key(tokens.end - 1), "minuit" | "midi");
            let read = number(text, tokens.end).filter(|n| noon && n.rest.is_empty() && n.value < 60.0 && n.value.fract() == 0.0)?;
            let counted =
                text.tokens.get(read.next).is_some_and(|t| t.kind == Kind::Word && t.lines_before == 0 && text.fold(read.next).len() < 4)
                    && !is!(text.key(read.next), "par" | "via" | "en" | "au" | "a" | "et" | "le" | "la" | "sur" | "de" | "du" | "dr");
            (!counted).then_some(read.value as i64)
        });
        minutes.map_or(value, |minutes| value + Duration::minutes(minutes))
    }

    /// A table flattened to text: the event ends its line, the time opens the next one.
    fn time_below(&self, event: &Range<usize>, least: Precision) -> Option<(&TemporalExpression, Range<usize>)> {
        let text = &self.analysis.text;
        let end = event.end + usize::from(is!(text.key(event.end), ":" | "|"));
        let below = text.tokens.get(end).filter(|t| t.lines_before == 1)?;
        let times = self.analysis.times();
        let time = times.get(times.partition_point(|t| t.end <= below.start as usize))?;
        let fits = time.start == below.start as usize && time.value.is_some() && time.precision >= least;
        fits.then(|| (time, end..text.token_at(time.end - 1) + 1))
    }
}
