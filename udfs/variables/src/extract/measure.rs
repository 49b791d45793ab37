//! Numbers: measurements by their canonical name, and names that a rule brings.

use std::borrow::Cow;
use std::ops::Range as Tokens;

use sillage_clinical::is;
use sillage_clinical::measurement::{Comparator, Measurement};
use sillage_clinical::temporal::{Precision, TemporalKind};
use sillage_clinical::text::Kind;

use super::number::{Number, grade, number};
use super::{Candidate, Extractor};
use crate::Value;
use crate::definition::{Definition, Find, Range, Role, Type, Use};

impl Extractor<'_, '_> {
    /// Measurements that the text library found.
    pub(super) fn measured(&self, out: &mut Vec<Candidate>) {
        let analysis = self.analysis;
        for measurement in analysis.measurements() {
            let Some(uses) = measurement.name.and_then(|name| self.definitions.compiled.measurements.get(name)) else { continue };
            let tokens = analysis.text.token_at(measurement.start)..analysis.text.token_at(measurement.end.max(1) - 1) + 1;
            if !self.part_of_number(measurement, &tokens) {
                self.push_measurement(measurement, uses, tokens, "measurement", out);
            }
        }
    }

    /// A measurement of the text, for every rule that wants it.
    pub(super) fn push_measurement(
        &self,
        measurement: &Measurement,
        uses: &[Use],
        tokens: Tokens<usize>,
        how: &'static str,
        out: &mut Vec<Candidate>,
    ) {
        for used in uses {
            let (definition, rule) = self.rule(*used);
            let Find::Measurement { range, .. } = rule.find else { continue };
            let (value, weight) = measured_value(definition, measurement, range);
            out.push(Candidate {
                variable: used.variable,
                rule: used.rule,
                value,
                tokens: tokens.clone(),
                time: None,
                how,
                weight,
                historical: false,
                moment: None,
                refused: None,
            });
        }
    }

    /// A longer number, of a record or a telephone: `24-5-10770`.
    fn part_of_number(&self, measurement: &Measurement, tokens: &Tokens<usize>) -> bool {
        let text = &self.analysis.text;
        let behind = text.original.get(measurement.value_end..measurement.end).unwrap_or_default();
        if behind.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 3) {
            return true;
        }
        let glued = |at: usize| text.tokens.get(at).is_some_and(|t| !t.space_before && t.lines_before == 0);
        is!(text.key(tokens.end), "-" | "/")
            && glued(tokens.end)
            && glued(tokens.end + 1)
            && text.tokens[tokens.end + 1].kind == Kind::Number
            && text.tokens[tokens.end + 1].range().len() > 2
    }

    /// Names of the rules with the number beside them.
    pub(super) fn named(&self, out: &mut Vec<Candidate>) {
        for hit in &self.hits {
            for used in self.uses(hit).iter().filter(|u| u.role == Role::Name) {
                let (definition, rule) = self.rule(*used);
                let Find::Names { before, reach, range, .. } = &rule.find else { continue };
                let name = hit.start..hit.end;
                let found =
                    if *before { self.number_before(definition, &name, *reach) } else { self.number_after(definition, &name, *reach) };
                let Some((value, tokens)) = found.and_then(|f| f.value(definition, *range)) else { continue };
                let span = tokens.start.min(name.start)..tokens.end.max(name.end);
                let qualifiers = self.qualifiers(&span);
                out.push(Candidate {
                    variable: used.variable,
                    rule: used.rule,
                    value: Some(value),
                    tokens: span,
                    time: None,
                    how: "name",
                    weight: 1.0,
                    historical: qualifiers.historical,
                    moment: None,
                    refused: None,
                });
            }
        }
    }

    fn number_after(&self, definition: &Definition, name: &Tokens<usize>, reach: usize) -> Option<Written> {
        let text = &self.analysis.text;
        let sentence = self.sentence(name.start);
        let mut words = 0;
        let mut at = name.end;
        while at < text.tokens.len() && words <= reach {
            let token = &text.tokens[at];
            // A table flattened to text: the value stands alone on the next line.
            let next_cell = token.lines_before == 1 && at == name.end && token.kind == Kind::Number;
            if at >= sentence.end && !next_cell {
                return None;
            }
            // Of options the ticked one is the value.
            let part = self.analysis.form.at(at);
            if part.is_box() || part.unticked() {
                at += 1;
                continue;
            }
            // "Pesé 09/08 : 71 kg": a date is no value.
            if !definition.units.is_empty()
                && let Some(end) = self.date_end(at)
            {
                (at, words) = (end, words + 1);
                continue;
            }
            if definition.kind == Type::Category {
                let grade = grade(text.fold(at));
                if definition.values.contains(&grade) {
                    return Some(Written { tokens: at..at + 1, number: None, grade: Some(grade), unit: None });
                }
            } else if let Some(found) = number(text, at).filter(|_| !self.in_date(at))
                && let Some(written) = self.with_unit(definition, at, &found)
            {
                return Some(written);
            }
            match (token.kind, text.fold(at)) {
                (Kind::Mark, ";" | ".") => return None,
                (Kind::Mark, _) => {}
                _ => words += 1,
            }
            at += 1;
        }
        None
    }

    /// The 9 of "Séjour : 09/05/2024".
    fn in_date(&self, at: usize) -> bool {
        let byte = self.analysis.text.tokens[at].start as usize;
        let times = self.analysis.times();
        let before = times.partition_point(|t| t.start <= byte).checked_sub(1).map(|i| &times[i]);
        before.is_some_and(|t| byte < t.end && matches!(t.kind, TemporalKind::Date | TemporalKind::Period) && t.precision >= Precision::Day)
    }

    fn number_before(&self, definition: &Definition, name: &Tokens<usize>, reach: usize) -> Option<Written> {
        let text = &self.analysis.text;
        let sentence = self.sentence(name.start);
        let first = name.start.saturating_sub(reach + 1).max(sentence.start);
        (first..name.start).rev().find_map(|at| {
            // "71,5 kg": the decimals are no number of their own.
            let glued = |i: usize| i < text.tokens.len() && !text.tokens[i].space_before && text.tokens[i].lines_before == 0;
            let decimals = at >= sentence.start + 2
                && is!(text.key(at - 1), "," | ".")
                && glued(at)
                && glued(at - 1)
                && text.tokens[at - 2].kind == Kind::Number;
            let at = if decimals { at - 2 } else { at };
            let found = number(text, at).filter(|n| n.next <= name.start)?;
            self.with_unit(definition, at, &found)
        })
    }

    /// The token after a written date that starts here.
    fn date_end(&self, at: usize) -> Option<usize> {
        let text = &self.analysis.text;
        let token = text.tokens.get(at).filter(|t| t.kind == Kind::Number)?;
        let times = self.analysis.times();
        let time = times.get(times.partition_point(|t| t.end <= token.start as usize))?;
        let dated = time.kind == TemporalKind::Date && time.start == token.start as usize && time.precision >= Precision::Day;
        dated.then(|| text.token_at(time.end - 1) + 1)
    }

    /// The number in one of the variable's units; without a unit where it may be.
    fn with_unit(&self, definition: &Definition, at: usize, found: &Number<'_>) -> Option<Written> {
        let text = &self.analysis.text;
        let written = |end: usize, factor: f64, offset: f64| {
            let scaled = |v: f64| ((v * factor + offset) * 1e6).round() / 1e6;
            Written {
                tokens: at..end,
                number: Some((scaled(found.value), found.high.map(scaled))),
                grade: None,
                unit: Some(found.comparator),
            }
        };
        if definition.units.is_empty() {
            return found.rest.is_empty().then(|| written(found.next, 1.0, 0.0));
        }
        let mut best: Option<(usize, &crate::definition::Unit)> = None;
        for unit in &definition.units {
            for form in &unit.forms {
                if let Some(end) = unit_end(text, found, form)
                    && best.is_none_or(|(least, _)| end > least)
                {
                    best = Some((end, unit));
                }
            }
        }
        if let Some((end, unit)) = best {
            return Some(written(end, unit.factor, unit.offset));
        }
        if !found.rest.is_empty() {
            return None;
        }
        let bare = definition.units.iter().find(|u| u.bare.is_some_and(|[low, high]| (low..=high).contains(&found.value)))?;
        // Another unit stands there.
        let follows = text.tokens.get(found.next).filter(|t| t.lines_before == 0 && !t.space_before && t.kind != Kind::Mark);
        follows.is_none().then(|| written(found.next, bare.factor, bare.offset))
    }
}

/// Token after a unit's form written behind the number.
fn unit_end(text: &sillage_clinical::text::Text<'_>, found: &Number<'_>, form: &str) -> Option<usize> {
    let mut rest = form;
    if !found.rest.is_empty() {
        rest = rest.strip_prefix(found.rest)?;
    }
    let mut at = found.next;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            // "m" is not the start of "mm".
            return Some(at);
        }
        let token = text.tokens.get(at).filter(|t| t.lines_before == 0)?;
        let _ = token;
        rest = rest.strip_prefix(text.fold(at)).filter(|_| !text.fold(at).is_empty())?;
        at += 1;
    }
}

/// A number or grade as written.
struct Written {
    tokens: Tokens<usize>,
    number: Option<(f64, Option<f64>)>,
    grade: Option<String>,
    unit: Option<bool>,
}

impl Written {
    fn value(self, definition: &Definition, range: Range) -> Option<(Value, Tokens<usize>)> {
        let _ = self.unit;
        if let Some(grade) = self.grade {
            return Some((Value::Category(Cow::Owned(grade)), self.tokens));
        }
        let (low, high) = self.number?;
        let value = of_range(low, high, range)?;
        Some((typed(definition, value)?, self.tokens))
    }
}

fn of_range(low: f64, high: Option<f64>, range: Range) -> Option<f64> {
    match (high, range) {
        (None, _) | (_, Range::Low) => Some(low),
        (Some(high), Range::High) => Some(high),
        (Some(high), Range::Mean) => Some(f64::midpoint(low, high)),
        (Some(_), Range::Drop) => None,
    }
}

/// A number as the variable's type has it.
pub(super) fn typed(definition: &Definition, value: f64) -> Option<Value> {
    match definition.kind {
        Type::Integer | Type::Float => Some(Value::Number(value)),
        Type::Category => {
            let name = value.to_string();
            definition.values.contains(&name).then_some(Value::Category(Cow::Owned(name)))
        }
        _ => None,
    }
}

/// The value of a measurement, and how far it is to be believed.
fn measured_value(definition: &Definition, measurement: &Measurement, range: Range) -> (Option<Value>, f32) {
    let weight = match measurement.comparator {
        Comparator::Equal => 1.0,
        Comparator::Approximate => 0.9,
        _ => 0.5,
    };
    if definition.kind == Type::Category {
        let text = measurement.value_text.clone().or_else(|| measurement.value.map(|v| v.to_string()));
        let grade = text.map(|t| grade(&t.to_lowercase()));
        return (grade.map(|g| Value::Category(Cow::Owned(g))), weight);
    }
    let scale = |written: f64| match (measurement.value, measurement.canonical_value) {
        (Some(low), Some(canonical)) if low != 0.0 && written != low => canonical * written / low,
        (_, Some(canonical)) => canonical,
        _ => written,
    };
    let Some(low) = measurement.value else { return (None, weight) };
    let weight = if measurement.value_high.is_some() { weight * 0.8 } else { weight };
    (of_range(scale(low), measurement.value_high.map(scale), range).and_then(|v| typed(definition, v)), weight)
}
