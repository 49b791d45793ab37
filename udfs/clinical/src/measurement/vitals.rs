//! Lists of vital signs in which some have no name: `7:55 - 152/81 - 88/min - FR 16 -
//! 98 % AA - 36,9`. Beside named ones their shape tells what they are.

use std::ops::Range;

use super::catalog::Form;
use super::number;
use super::scan::Scanner;
use super::value::Ask;
use crate::is;
use crate::text::Kind;

/// Named vital signs on a line from which on the others are known by their shape.
const COMPANY: usize = 2;
/// A line of more tokens is no list of vital signs.
const LONGEST: usize = 300;

const VITAL: [&str; 10] = [
    "systolic_blood_pressure",
    "mean_blood_pressure",
    "heart_rate",
    "respiratory_rate",
    "oxygen_saturation",
    "body_temperature",
    "glucose",
    "glasgow",
    "pain_vas",
    "body_weight",
];

impl Scanner<'_, '_> {
    /// Names the vital signs that only stand beside named ones.
    pub(super) fn vital_signs(&mut self) {
        let read = self.out.len();
        if read < COMPANY {
            return;
        }
        let mut added = false;
        let (mut first, mut line) = (0, 0..0);
        while first < read {
            let token = self.text.token_at(self.out[first].value_start);
            if token >= line.end {
                line = self.line_of(token);
            }
            let end = self.text.tokens.get(line.end).map_or(self.text.original.len(), |t| t.start as usize);
            let last = first + self.out[first..read].iter().take_while(|m| m.value_start < end).count();
            added |= self.line_of_vitals(line.clone(), first..last);
            first = last.max(first + 1);
        }
        if added {
            self.out.sort_by_key(|m| m.value_start);
        }
    }

    fn line_of(&self, token: usize) -> Range<usize> {
        let starts = |at: usize| at == 0 || self.text.tokens[at].lines_before > 0;
        let start = (0..=token).rev().find(|at| starts(*at)).unwrap_or(0);
        let end = (token + 1..self.text.tokens.len()).find(|at| starts(*at)).unwrap_or(self.text.tokens.len());
        start..end
    }

    /// Whether something was added behind the measurements of other lines.
    fn line_of_vitals(&mut self, line: Range<usize>, on_line: Range<usize>) -> bool {
        let named = |scanner: &Self, name: &str| scanner.out[on_line.clone()].iter().any(|m| m.name == Some(name));
        if line.len() > LONGEST || VITAL.iter().filter(|name| named(self, name)).count() < COMPANY {
            return false;
        }
        let known = &self.catalog.known;
        let (heart, temperature, weight) = (known.heart_rate, known.temperature, known.weight);
        // Values with a unit that were read without a name.
        for at in on_line.clone() {
            let measure = match (self.out[at].name, self.out[at].unit) {
                (None, Some("/min")) if !named(self, "heart_rate") && self.out[at].value.is_some_and(|v| v >= 30.0) => heart,
                (None, Some("Cel")) if !named(self, "body_temperature") => temperature,
                (None, Some("kg")) if !named(self, "body_weight") => weight,
                _ => continue,
            };
            let Some(measure) = measure.map(|m| &self.catalog.measures[m as usize]) else { continue };
            let found = &mut self.out[at];
            if found.value_high.is_none() && found.value.is_some_and(|v| measure.range[0] <= v && v <= measure.range[1]) {
                (found.name, found.label, found.loinc) =
                    (Some(measure.name.as_str()), Some(measure.label.as_str()), measure.loinc.as_deref());
                (found.canonical_value, found.canonical_unit) = (found.value, found.unit);
            }
        }
        let behind = self.out.len();
        let here = |scanner: &Self, is: &dyn Fn(&super::Measurement) -> bool| {
            scanner.out[on_line.clone()].iter().chain(&scanner.out[behind..]).any(is)
        };
        let covered = |scanner: &Self, token: usize| {
            let byte = scanner.text.tokens[token].start as usize;
            here(scanner, &|m| m.start <= byte && byte < m.end)
        };
        let (mut added, mut token) = (false, line.start);
        while token < line.end {
            if let Some((form, after)) = self.small_name(token).filter(|_| !covered(self, token)) {
                let start = self.text.tokens[token].start as usize;
                let next = self.bind(form, start, (after, 0));
                added |= next.is_some();
                token = next.unwrap_or(after);
                continue;
            }
            let stands = self.text.tokens[token].kind == Kind::Number && self.opens_item(token, line.start) && !covered(self, token);
            let warm = here(self, &|m| m.name == Some("body_temperature"));
            let next = if stands { self.unnamed_vital(token, &line, warm) } else { None };
            added |= next.is_some();
            token = next.unwrap_or(token + 1).max(token + 1);
        }
        added
    }

    /// "fr 22", "t 36,4": letters that name a vital sign in capitals, and small ones only
    /// where a number follows them among others.
    fn small_name(&self, token: usize) -> Option<(Form, usize)> {
        let text = self.text;
        if text.tokens[token].upper || text.tokens.get(token + 1)?.kind != Kind::Number {
            return None;
        }
        let vital = |form: &Form| VITAL.contains(&self.catalog.measures[form.measure as usize].name.as_str());
        self.catalog.names.longest(text, text.fold(token), token + 1, true, |forms| {
            forms.iter().copied().find(|f| f.upper && !f.glued && !f.weak && vital(f))
        })
    }

    /// Whether an item of a list begins here: behind a mark, a wide gap, or the side
    /// on which a pressure was taken.
    fn opens_item(&self, token: usize, line: usize) -> bool {
        let Some(before) = token.checked_sub(1).filter(|b| *b >= line) else { return true };
        let gap = self.text.tokens[token].start as usize - self.text.tokens[before].end as usize;
        let sign = self.text.fold(before);
        gap > 1
            || gap == 1
                && matches!(sign, "-" | "–" | "/" | ";" | "," | "|" | ":" | "•" | "·" | "*" | "+" | ">" | "→" | "~" | "." | "(" | "[")
            || matches!(sign, "|" | ":" | ";" | "(")
            || matches!(sign, "g" | "d" | "gauche" | "droit" | "droite") && gap == 1
    }

    /// A pressure, or a temperature where none is named (`warm`); the token behind it.
    fn unnamed_vital(&mut self, token: usize, line: &Range<usize>, warm: bool) -> Option<usize> {
        let text = self.text;
        let known = &self.catalog.known;
        let n = number::number(text, token, 0)?;
        let form = Form { measure: known.pressure?, pair: true, ..Form::default() };
        if is!(text.key(n.next), "/") && n.decimals == 0 && (60.0..=280.0).contains(&n.value) && n.next < line.end {
            let (top, bottom) = self.pressure(token, 0, &Ask { form, linked: true, ..Ask::default() })?;
            let bottom = bottom?;
            let plausible = bottom.value.is_some_and(|low| (25.0..=160.0).contains(&low) && low + 8.0 < n.value);
            // "120/80/15" and "130/12/2023" are something else.
            if !plausible || is!(text.key(bottom.next), "/") && self.glued_to(bottom.next) {
                return None;
            }
            for fit in [&top, &bottom] {
                self.keep(Some(top.value_start), fit, super::Comparator::Equal);
            }
            return Some(bottom.next.max(top.next));
        }
        // "36°9", "37,6°": read like the one that is named.
        let degrees = n.degree || is!(text.key(n.next), "°") && self.glued_to(n.next);
        if degrees
            && !warm
            && let Some(measure) = known.temperature
            && let Some((fit, None)) = self.fit(
                measure,
                token,
                0,
                &Ask { form: Form { measure, ..Form::default() }, linked: true, change: true, ..Ask::default() },
            )
            && fit.value.is_some_and(|v| (34.0..=41.9).contains(&v))
        {
            self.keep(None, &fit, super::Comparator::Equal);
            return Some(fit.next);
        }
        let closes = n.next >= line.end || !self.glued_to(n.next) && text.tokens[n.next].kind == Kind::Mark;
        if closes && !warm && n.decimals == 1 && n.rest.is_none() && (34.0..=41.9).contains(&n.value) {
            let measure = known.temperature?;
            let form = Form { measure, ..Form::default() };
            let (fit, _) = self.fit(measure, token, 0, &Ask { form, linked: true, change: true, ..Ask::default() })?;
            self.keep(None, &fit, super::Comparator::Equal);
            return Some(fit.next);
        }
        None
    }

    fn glued_to(&self, at: usize) -> bool {
        self.text.tokens.get(at).is_some_and(|t| !t.space_before && t.lines_before == 0)
    }
}
