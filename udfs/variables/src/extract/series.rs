//! Scores that go on after their name: "NIHSS à 8 à l'entrée puis à 5 au départ".

use std::ops::Range;

use sillage_clinical::is;
use sillage_clinical::measurement::Measurement;
use sillage_clinical::text::Kind;

use super::number::number;
use super::{Candidate, Extractor};
use crate::Value;
use crate::definition::{Find, Type, Use};

/// Words that lead to the next value of a series.
const LINKS: &[&str] = &["puis", "et", "→", "enfin", ">", "ensuite"];

/// Verbs of the course of a score: "puis s'est stabilisé à 4".
const COURSE: &[&str] = &["stabilis", "remont", "descend", "redescend", "revenu", "tomb", "pass", "amelior", "diminu", "evalu", "cote"];

/// Participles of a value that was counted again: "→ recalculé 14", "rectifiée à 8,9".
const RECOUNTED: &[&str] =
    &["recalcul", "recot", "recompt", "rectifi", "requalifi", "ramen", "corrig", "revis", "reevalu", "reclass", "reten", "retien"];
/// How a value is found that takes the place of the one before it.
pub(super) const CORRECTED: &str = "series+corrects";

impl Extractor<'_, '_> {
    pub(super) fn continued(&self, out: &mut Vec<Candidate>) {
        let text = &self.analysis.text;
        let measurements = self.analysis.measurements();
        for (i, measurement) in measurements.iter().enumerate() {
            let Some(uses) = measurement.name.and_then(|name| self.definitions.compiled.measurements.get(name)) else { continue };
            let (scores, others): (Vec<_>, Vec<_>) = uses.iter().copied().partition(|u| self.rule(*u).0.kind == Type::Integer);
            let others: Vec<_> = others.into_iter().filter(|u| self.as_written(measurement, *u, out)).collect();
            if scores.is_empty() && others.is_empty() {
                continue;
            }
            let from = text.token_at(measurement.end.max(1) - 1) + 1;
            let limit = measurements[i + 1..].iter().find(|m| m.name.is_some()).map_or(usize::MAX, |next| text.token_at(next.start));
            let end = self.sentence(from.saturating_sub(1)).end.min(limit);
            let mut at = from;
            while at < end {
                let own = is!(text.key(at), ",") && self.named_moment(at + 1, end);
                let headed = self.moment_headed(at, end);
                let recounted = RECOUNTED.iter().any(|stem| text.fold(at).starts_with(stem)) || self.read_again(at);
                let to = is!(text.key(at + 1), "a") || recounted && is!(text.key(at + 1), "en" | "de" | ":");
                let link = own
                    || recounted
                    || headed.is_some()
                    || to && (LINKS.contains(&text.fold(at)) || COURSE.iter().any(|stem| text.fold(at).starts_with(stem)))
                    || is!(text.key(at), "puis" | "→");
                let start = headed.unwrap_or(if to { at + 2 } else { at + 1 });
                at += 1;
                if !link || start >= end {
                    continue;
                }
                let whole = |value: f64| value.fract() == 0.0 || recounted && scores.is_empty();
                let Some(found) = number(text, start).filter(|n| n.rest.is_empty() && whole(n.value) && n.next <= end) else {
                    continue;
                };
                // "puis à 5 h": of something else.
                let counted = text.tokens.get(found.next).is_some_and(|t| {
                    t.lines_before == 0
                        && t.kind == Kind::Word
                        && text.fold(found.next).len() <= 3
                        && !is!(
                            text.key(found.next),
                            "a" | "le" | "au" | "la" | "en" | "et" | "l" | "ce" | "de" | "du" | "d" | "des" | "par"
                        )
                });
                let timed = self
                    .analysis
                    .times()
                    .iter()
                    .any(|t| t.start < text.byte_range(start..found.next).end && t.end > text.byte_range(start..found.next).start);
                // "puis une thrombectomie" counts nothing.
                let article = is!(text.key(start), "un" | "une");
                if counted || timed || article {
                    continue;
                }
                let how = if recounted { CORRECTED } else { "series" };
                self.push_number(&scores, how, found.value, start..found.next, out);
                if recounted {
                    self.push_number(&others, how, found.value, start..found.next, out);
                }
                at = found.next;
            }
        }
    }

    /// "doit se lire 8", "à lire 8".
    fn read_again(&self, at: usize) -> bool {
        let text = &self.analysis.text;
        is!(text.key(at), "lire") && at > 0 && is!(text.key(at - 1), "se" | "a" | "faut")
    }

    /// Whether a value of a measurement is the number that was written, in the variable's unit.
    fn as_written(&self, measurement: &Measurement, used: Use, out: &[Candidate]) -> bool {
        let text = &self.analysis.text;
        let tokens = text.token_at(measurement.start)..text.token_at(measurement.end.max(1) - 1) + 1;
        let of_it = |c: &&Candidate| c.variable == used.variable && c.rule == used.rule && tokens.contains(&c.tokens.start);
        let Some(Value::Number(value)) = out.iter().find(of_it).and_then(|c| c.value.as_ref()) else { return false };
        tokens.filter_map(|at| number(text, at)).any(|n| n.value == *value)
    }

    /// "; J5 4 ; sortie 3", "| sortie : 3": where the number behind a mark and the words of
    /// its moment stands.
    fn moment_headed(&self, mark: usize, end: usize) -> Option<usize> {
        let text = &self.analysis.text;
        let parts = |at: usize| is!(text.key(at), ";" | "," | "|" | "/" | "→");
        if !parts(mark) || mark + 1 >= end {
            return None;
        }
        let moment = self.hits_in(mark + 1..mark + 2).iter().filter(|h| self.definitions.compiled.cues[h.value as usize].is_some());
        let behind = moment.map(|h| h.end).max()?;
        let at = behind + usize::from(is!(text.key(behind), ":" | "=" | "a"));
        let number = number(text, at).filter(|n| n.rest.is_empty() && at < end)?;
        let ends = number.next >= end || text.tokens[number.next].lines_before > 0 || parts(number.next) || is!(text.key(number.next), ".");
        (ends && text.tokens[at].lines_before == 0).then_some(at)
    }

    /// A number with words of its moment behind it: "12 à l'arrivée en salle".
    fn named_moment(&self, at: usize, end: usize) -> bool {
        let text = &self.analysis.text;
        let Some(number) = number(text, at).filter(|n| n.rest.is_empty() && n.next < end) else { return false };
        let leads = is!(text.key(number.next), "a" | "au" | "le" | "en" | "lors" | "des" | "ce" | "aujourd" | "actuellement" | "hier");
        let comma = (number.next..end).find(|i| is!(text.key(*i), ",")).unwrap_or(end);
        let near = number.next..(number.next + 6).min(comma);
        leads && self.hits_in(near).iter().any(|h| self.definitions.compiled.cues[h.value as usize].is_some())
    }

    fn push_number(&self, uses: &[Use], how: &'static str, value: f64, tokens: Range<usize>, out: &mut Vec<Candidate>) {
        for used in uses {
            if !matches!(self.rule(*used).1.find, Find::Measurement { .. }) {
                continue;
            }
            out.push(Candidate {
                variable: used.variable,
                rule: used.rule,
                value: Some(Value::Number(value)),
                tokens: tokens.clone(),
                time: None,
                how,
                weight: 0.9,
                historical: false,
                moment: None,
                refused: None,
            });
        }
    }
}
