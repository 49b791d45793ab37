//! Whether the words at a place are a value of a measure: unit, plausible range,
//! denominator, grade.

use crate::is;
use crate::text::Kind;

use super::catalog::{Form, Measure, Nature, Roles, UnitId};
use super::number::{self, Number, glued};
use super::scan::Scanner;

/// Most tokens from the start of a field to its colon.
const FIELD: usize = 8;

/// A value that fits its measure.
#[derive(Debug, Clone, Default)]
pub(super) struct Fit {
    pub(super) measure: u16,
    pub(super) value: Option<f64>,
    pub(super) high: Option<f64>,
    pub(super) text: Option<String>,
    pub(super) unit: Option<UnitId>,
    pub(super) canonical: Option<f64>,
    pub(super) value_start: usize,
    pub(super) value_end: usize,
    pub(super) end: usize,
    pub(super) next: usize,
}

/// What stands between the name and the place.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ask {
    pub(super) form: Form,
    /// A link word or mark stands directly before the value.
    pub(super) linked: bool,
    /// Words between that the catalogue does not know.
    pub(super) unknown: u8,
    pub(super) comma: bool,
    pub(super) between: bool,
    /// Two values after a word of change are two measurements, never a range.
    pub(super) change: bool,
    pub(super) header: Option<UnitId>,
    pub(super) negative: bool,
}

impl Ask {
    fn allows_bare(&self) -> bool {
        !self.comma && !self.form.unit_only && (self.linked || (self.unknown == 0 && !self.form.strict))
    }
}

/// A unit after a number.
#[derive(Clone, Copy)]
pub(super) struct UnitHit<'c> {
    pub(super) units: &'c [UnitId],
    pub(super) next: usize,
    pub(super) end: usize,
}

fn within(range: [f64; 2], value: f64) -> bool {
    range[0] <= value && value <= range[1]
}

fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

impl Scanner<'_, '_> {
    /// The unit after a number; behind a name also in brackets or the next cell.
    pub(super) fn unit_after(&self, number: &Number, named: bool) -> Option<UnitHit<'static>> {
        let text = self.text;
        let surfaces = &self.catalog.surfaces;
        if number.rest.is_some() {
            let (units, next) = surfaces.longest(text, number.rest(text), number.next, false, Some)?;
            return Some(UnitHit { units, next, end: text.tokens[next - 1].end as usize });
        }
        let mut at = number.next;
        let open = is!(text.key(at), "(" | "|" | "[" | ";");
        if open && named {
            at += 1;
        }
        let first = text.tokens.get(at)?;
        if first.lines_before > u8::from(text.fold(at).len() > 1) {
            return None;
        }
        // "T 37,2 G 1,36 g/L": a letter with a number of its own behind is the next name.
        let names = first.upper
            && first.end - first.start == 1
            && first.space_before
            && text.tokens.get(at + 1).is_some_and(|t| t.kind == Kind::Number && t.space_before && t.lines_before == 0);
        if names && self.name_at(at).is_some() {
            return None;
        }
        let (units, next) = surfaces.longest(text, text.fold(at), at + 1, false, Some)?;
        let ends_cell = is!(text.key(next), ";") || text.tokens.get(next).is_none_or(|t| t.lines_before > 0);
        let closed = match text.fold(number.next) {
            "(" => is!(text.key(next), ")"),
            ";" => ends_cell,
            _ => true,
        };
        if open && !(named && closed) {
            return None;
        }
        let next = if open && is!(text.key(next), ")" | "]") { next + 1 } else { next };
        Some(UnitHit { units, next, end: text.tokens[next - 1].end as usize })
    }

    /// A slash between spaces parts two results: "NIHSS 4 / Rankin 2", "NIHSS : 4 / aphasie : non".
    fn parts(&self, at: usize) -> bool {
        let text = self.text;
        is!(text.key(at), "/")
            && !glued(text, at)
            && text.tokens.get(at + 1).is_some_and(|t| t.space_before && t.kind == Kind::Word)
            && (self.name_at(at + 1).is_some() || self.field_at(at + 1))
    }

    /// A field opens here, measure or not: its colon stands near.
    fn field_at(&self, at: usize) -> bool {
        let same_line = |at: &usize| self.text.tokens.get(*at).is_some_and(|t| t.lines_before == 0);
        (at..at + FIELD)
            .take_while(same_line)
            .take_while(|at| !is!(self.text.key(*at), "/" | ";" | "."))
            .any(|at| is!(self.text.key(at), ":"))
    }

    /// Whether a number without a unit may end before this token.
    pub(super) fn bare_end(&self, next: usize) -> bool {
        let text = self.text;
        let Some(token) = text.tokens.get(next) else { return true };
        let word = text.fold(next);
        if token.lines_before > 0 {
            return true;
        }
        if matches!(word, "/" | ":" | "-" | "." | "," | "'" | "+") {
            let number = |at: usize| text.tokens.get(at).is_some_and(|t| t.kind == Kind::Number);
            if self.parts(next) || word == "/" && self.next_item(next) {
                return true;
            }
            return !(glued(text, next) && glued(text, next + 1) && number(next + 1)) && word != "/";
        }
        let role = self.catalog.role(word);
        if token.kind == Kind::Word && role.any(Roles::SIDE) && token.upper {
            return true;
        }
        let unit = self.catalog.surfaces.longest(text, word, next + 1, false, Some);
        !role.any(Roles::DURATION.or(Roles::COUNTED).or(Roles::MONTH)) && unit.is_none()
    }

    /// "FR 18 / 37°9": a stroke between items, where what follows has a unit of its own.
    fn next_item(&self, stroke: usize) -> bool {
        let spaced = |at: usize| self.text.tokens.get(at).is_some_and(|t| t.space_before);
        let unit = |n: Number| n.degree || n.decimals > 0 || self.unit_after(&n, false).is_some();
        spaced(stroke) && spaced(stroke + 1) && number::number(self.text, stroke + 1, 0).is_some_and(unit)
    }

    /// The values of the measure that start at this token.
    pub(super) fn fit(&self, id: u16, token: usize, at: usize, ask: &Ask) -> Option<(Fit, Option<Fit>)> {
        let measure = &self.catalog.measures[id as usize];
        match measure.nature {
            Nature::Pressure => self.pressure(token, at, ask),
            Nature::Quantity => self.quantity(measure, token, at, ask).map(|f| (f, None)),
            Nature::Score => self.score(id, measure, token, at, ask).map(|f| (f, None)),
            Nature::Grade => self.grade(id, measure, token, at, ask).map(|f| (f, None)),
        }
    }

    fn quantity(&self, measure: &Measure, token: usize, at: usize, ask: &Ask) -> Option<Fit> {
        let text = self.text;
        number::thousands(text, token, at)
            .and_then(|n| self.reading(measure, n, ask))
            .or_else(|| number::spaced_infix(text, token, at).and_then(|n| self.reading(measure, n, ask)))
            .or_else(|| {
                number::spaced_decimal(text, token, at)
                    .filter(|n| self.unit_after(n, true).is_some())
                    .and_then(|n| self.reading(measure, n, ask))
            })
            .or_else(|| {
                let heat = measure.accepts.iter().any(|a| a.unit == self.catalog.known.celsius);
                number::spoken_tenth(text, token, at).filter(|_| heat).and_then(|n| self.reading(measure, n, ask))
            })
            .or_else(|| number::number(text, token, at).and_then(|n| self.reading(measure, n, ask)))
    }

    fn reading(&self, measure: &Measure, n: Number, ask: &Ask) -> Option<Fit> {
        let between = |at: usize| self.text.tokens.get(at).is_some_and(|t| t.space_before);
        let listed = is!(self.text.key(n.next), "-") && between(n.next) && between(n.next + 1);
        // "FR 17 - 97 % AA": the hyphen parts items where the two make no range.
        self.value_or_range(measure, n, ask, true).or_else(|| self.value_or_range(measure, n, ask, false).filter(|_| listed))
    }

    fn value_or_range(&self, measure: &Measure, mut n: Number, ask: &Ask, range: bool) -> Option<Fit> {
        if ask.negative {
            n.value = -n.value;
        }
        let known = &self.catalog.known;
        let mut hit = self.unit_after(&n, true);
        let mut high = None;
        let mut last = n;
        let plain = (n.rest.is_none() || hit.is_some()) && n.infix.is_none();
        if range
            && plain
            && let Some(second) = self.range_after(&n, hit.as_ref(), ask)
        {
            hit = self.unit_after(&second, true);
            high = Some(second.value);
            last = second;
        }
        let infix = n.infix.map(|i| if i == b'g' { [known.gram] } else { [known.metre] });
        let degree = [known.celsius];
        let explicit: &[UnitId] = match (&infix, last.degree || n.degree, &hit) {
            (Some(unit), _, _) => unit,
            (None, true, _) => &degree,
            (None, false, Some(hit)) => hit.units,
            _ => &[],
        };
        let header = ask.header.map(|u| [u]);
        // "pupille G 2,5 mm": what one letter names has its full unit.
        let full = ask.form.upper && ask.form.unit_only;
        let takes = |a: &&super::catalog::Accept, units: &[UnitId]| {
            units.iter().any(|u| *u == a.unit || !full && a.loose.contains(u))
                && within(a.range, n.value)
                && high.is_none_or(|h| within(a.range, h))
        };
        let accept = if !explicit.is_empty() {
            measure.accepts.iter().find(|a| takes(a, explicit))?
        } else if last.rest.is_some() {
            return None;
        } else if let Some(unit) = &header {
            measure.accepts.iter().find(|a| takes(a, unit))?
        } else {
            if !ask.allows_bare() || ask.form.weak || (ask.form.decimal && n.decimals == 0) || !self.bare_end(last.next) {
                return None;
            }
            measure
                .accepts
                .iter()
                .find(|a| a.bare.is_some_and(|b| within(b, n.value) && high.is_none_or(|h| within(b, h))) && n.decimals >= a.decimals)?
        };
        let written = if infix.is_some() { None } else { hit.filter(|_| !explicit.is_empty()) };
        let (mut next, mut end) = (last.next, last.end);
        if let Some(hit) = written
            && (!(last.degree || n.degree) || hit.units.contains(&known.celsius))
        {
            (next, end) = (hit.next, hit.end);
        } else if infix.is_some() && is!(self.text.key(next), "/") {
            // 1g80/L
            let rest = self.catalog.surfaces.longest(self.text, "g", next, false, Some);
            if let Some((_, after)) = rest.filter(|(_, after)| *after > next) {
                (next, end) = (after, self.text.tokens[after - 1].end as usize);
            }
        }
        let convert = |v: f64| rounded(v * accept.factor + accept.offset);
        Some(Fit {
            measure: accept.measure,
            value: Some(n.value),
            high,
            text: None,
            unit: Some(accept.unit),
            canonical: Some(convert(n.value)),
            value_start: if ask.negative { self.minus_start(n.start) } else { n.start },
            value_end: last.end,
            end,
            next,
        })
    }

    /// Start of the minus sign before this byte.
    fn minus_start(&self, byte: usize) -> usize {
        self.text.tokens[self.text.token_at(byte).saturating_sub(1)].start as usize
    }

    /// The upper end of a range (`90-100`, `entre 120 et 140`, `8 à 10 mm`).
    pub(super) fn range_after(&self, low: &Number, hit: Option<&UnitHit<'_>>, ask: &Ask) -> Option<Number> {
        let text = self.text;
        let at = hit.map_or(low.next, |h| h.next);
        let sign = text.fold(at);
        if hit.is_some() && !ask.between {
            return None;
        }
        let fits = match sign {
            "-" => true,
            "a" => !ask.change,
            "et" => ask.between,
            _ => false,
        };
        if !fits || text.tokens[at].lines_before > 0 || text.tokens.get(at + 1).is_none_or(|t| t.lines_before > 0) {
            return None;
        }
        let second = number::number(text, at + 1, 0)?;
        let time = number::duration(self.catalog, text, at + 1).is_some() || number::date_or_clock(self.catalog, text, at + 1).is_some();
        let end = self.unit_after(&second, true).is_some() || (second.rest.is_none() && self.bare_end(second.next));
        (second.value > low.value && !time && end).then_some(second)
    }

    /// Two values with a stroke between; one where the name allows.
    pub(super) fn pressure(&self, token: usize, at: usize, ask: &Ask) -> Option<(Fit, Option<Fit>)> {
        let text = self.text;
        let known = &self.catalog.known;
        let (systolic, diastolic) = (known.systolic?, known.diastolic?);
        let is_pressure = |hit: &UnitHit<'_>| hit.units.iter().any(|u| *u == known.mm_hg || *u == known.cm_hg);
        let first = number::number(text, token, at)?;
        if first.infix.is_some() || first.degree {
            return None;
        }
        let first_unit = self.unit_after(&first, true).filter(is_pressure);
        if first.rest.is_some() && first_unit.is_none() {
            return None;
        }
        let mut stroke = first_unit.as_ref().map_or(first.next, |h| h.next);
        let mut high = None;
        if is!(text.key(stroke), "-")
            && let Some(top) = number::number(text, stroke + 1, 0)
            && top.value > first.value
            && is!(text.key(top.next), "/")
        {
            high = Some(top.value);
            stroke = top.next;
        }
        let sign = text.fold(stroke);
        let same_line = |at: usize| text.tokens.get(at).is_some_and(|t| t.lines_before == 0);
        let second = (matches!(sign, "/" | "-" | "\\" | "sur") && same_line(stroke) && same_line(stroke + 1))
            .then(|| number::number(text, stroke + 1, 0))
            .flatten()
            .filter(|s| !s.padded && s.infix.is_none());
        let pair = second.filter(|s| if sign == "-" { s.value < first.value } else { true });
        let Some(low) = pair else {
            return self.lone_pressure(first, first_unit, sign, ask).map(|f| (f, None));
        };
        let mut dia_high = None;
        let mut last = low;
        if is!(text.key(low.next), "-")
            && glued(text, low.next)
            && let Some(top) = number::number(text, low.next + 1, 0)
            && top.value > low.value
        {
            dia_high = Some(top.value);
            last = top;
        }
        let unit = self.unit_after(&last, true).filter(is_pressure);
        let (next, end) = match &unit {
            Some(hit) => (hit.next, hit.end),
            None if last.rest.is_some() || !(self.bare_end(last.next) || last.next >= text.tokens.len()) => return None,
            None => (last.next, last.end),
        };
        if unit.is_none() && (ask.comma || (ask.unknown > 0 && !ask.linked) || (ask.form.strict && !ask.linked)) {
            return None;
        }
        let centi = first.value < 40.0;
        let scale = |v: f64, small: bool| if small { (v * 10.0, known.cm_hg) } else { (v, known.mm_hg) };
        let (top, top_unit) = scale(first.value, centi);
        let (bottom, bottom_unit) = scale(low.value, centi && low.value < 25.0);
        if !within([40.0, 300.0], top) || (sign == "-" && unit.is_none() && bottom < 30.0) {
            return None;
        }
        let fit = |measure, n: Number, high: Option<f64>, unit, canonical| Fit {
            measure,
            value: Some(n.value),
            high,
            text: None,
            unit: Some(unit),
            canonical: Some(rounded(canonical)),
            value_start: n.start,
            value_end: n.end,
            end,
            next,
        };
        let upper = fit(systolic, first, high, top_unit, top);
        let lower = (within([10.0, 200.0], bottom) && bottom < top).then(|| fit(diastolic, low, dia_high, bottom_unit, bottom));
        // 14/3 and the like is a date or a fraction unless its unit says otherwise.
        if lower.is_none() && unit.is_none() && centi {
            return None;
        }
        Some((upper, lower))
    }

    fn lone_pressure(&self, n: Number, unit: Option<UnitHit<'static>>, sign: &str, ask: &Ask) -> Option<Fit> {
        let known = &self.catalog.known;
        if sign == "/" || (unit.is_none() && (ask.form.pair || !ask.allows_bare())) {
            return None;
        }
        let range = self.range_after(&n, unit.as_ref(), ask);
        let last = range.unwrap_or(n);
        let unit = range.and_then(|r| self.unit_after(&r, true)).or(unit);
        if unit.is_none() && (last.rest.is_some() || !self.bare_end(last.next)) {
            return None;
        }
        let centi = n.value < 40.0;
        // One small value in mmHg is a difference or another pressure.
        if centi && unit.as_ref().is_some_and(|u| u.units.contains(&known.mm_hg)) {
            return None;
        }
        let canonical = if centi { n.value * 10.0 } else { n.value };
        if !within([60.0, 290.0], canonical) {
            return None;
        }
        Some(Fit {
            measure: known.systolic?,
            value: Some(n.value),
            high: range.map(|r| r.value),
            text: None,
            unit: Some(if centi { known.cm_hg } else { known.mm_hg }),
            canonical: Some(rounded(canonical)),
            value_start: n.start,
            value_end: last.end,
            end: unit.as_ref().map_or(last.end, |u| u.end),
            next: unit.as_ref().map_or(last.next, |u| u.next),
        })
    }

    fn score(&self, id: u16, measure: &Measure, token: usize, at: usize, ask: &Ask) -> Option<Fit> {
        let text = self.text;
        let plain = number::number(text, token, at);
        let roman =
            if measure.roman && at == 0 && plain.is_none() { roman(text.fold(token)).filter(|_| text.tokens[token].upper) } else { None };
        let (mut value, start, mut value_end, mut next) = match (plain, roman) {
            (Some(n), _) => {
                if (n.decimals > 0 && !measure.decimals)
                    || n.infix.is_some()
                    || n.degree
                    || n.rest.is_some_and(|_| !matches!(n.rest(text), "pts" | "pt"))
                {
                    return None;
                }
                (n.value, n.start, n.end, n.next)
            }
            (None, Some(value)) => (value, text.tokens[token].start as usize, text.tokens[token].end as usize, token + 1),
            (None, None) if at == 0 => {
                let (value, next) = number::in_words(text, token)?;
                // "un" is an article unless the phrase ends with it.
                let ends = |at: usize| {
                    self.catalog.role(text.fold(at)).any(Roles::STOP.or(Roles::SERIES)) || is!(text.key(at), "a" | "au" | "contre")
                };
                let article = is!(text.key(token), "un")
                    && text.tokens.get(next).is_some_and(|t| t.kind == Kind::Word && t.lines_before == 0)
                    && !ends(next);
                // "Rankin zéro": no other number goes without a link.
                if !(ask.linked || is!(text.key(token), "zero")) || article {
                    return None;
                }
                (value, text.tokens[token].start as usize, text.tokens[next - 1].end as usize, next)
            }
            _ => return None,
        };
        let (value_start, first) = if ask.negative {
            value = -value;
            (self.minus_start(start), token.saturating_sub(1))
        } else {
            (start, token)
        };
        debug_assert!(first <= token);
        let mut high = None;
        let mut end = value_end;
        if let Some((after, after_end)) = self.denominator(measure, value, next)? {
            (next, end) = (after, after_end);
        } else {
            if ask.form.weak || !ask.allows_bare() {
                return None;
            }
            let sign = text.fold(next);
            let low = Number { value, start, end: value_end, next, rest: None, decimals: 0, padded: false, infix: None, degree: false };
            if let Some(top) =
                self.range_after(&low, None, ask).filter(|t| t.decimals == 0 && t.rest.is_none() && within(measure.range, t.value))
            {
                high = Some(top.value);
                (next, end, value_end) = (top.next, top.end, top.end);
                if let Some((after, after_end)) = self.denominator(measure, top.value, next)? {
                    (next, end) = (after, after_end);
                }
            } else if roman.is_some() && sign == "-" && glued(text, next) {
                high = self::roman(text.fold(next + 1));
                if high.is_some() {
                    (next, end) = (next + 2, text.tokens[next + 1].end as usize);
                    value_end = end;
                }
            } else if sign == "-"
                && glued(text, next)
                && text.tokens.get(next + 1).is_some_and(|t| t.kind == Kind::Number && !t.space_before)
            {
                return None;
            }
            if is!(text.key(next), "points" | "pts" | "pt" | "point") {
                end = text.tokens[next].end as usize;
                next += 1;
            } else if !self.bare_end(next) {
                return None;
            }
        }
        if !within(measure.range, value) || high.is_some_and(|h| h <= value || !within(measure.range, h)) {
            return None;
        }
        Some(Fit {
            measure: id,
            value: Some(value),
            high,
            text: roman.map(|_| text.original[value_start..value_end].to_owned()),
            unit: None,
            canonical: Some(value),
            value_start,
            value_end,
            end,
            next,
        })
    }

    /// `/42`, `sur 15`: the token and byte after; the outer `None` for a quotient that
    /// does not belong to the measure.
    fn denominator(&self, measure: &Measure, value: f64, next: usize) -> Option<Option<(usize, usize)>> {
        let text = self.text;
        let sign = text.fold(next);
        if !matches!(sign, "/" | "sur") || text.tokens[next].lines_before > 0 || self.parts(next) {
            return Some(None);
        }
        let Some(bottom) = number::number(text, next + 1, 0).filter(|b| text.tokens[next + 1].lines_before == 0 && b.rest.is_none()) else {
            return if sign == "/" { None } else { Some(None) };
        };
        let fits = bottom.decimals == 0 && value <= bottom.value && measure.out_of.iter().any(|o| f64::from(*o) == bottom.value);
        let third = is!(text.key(bottom.next), "/") && glued(text, bottom.next) && glued(text, bottom.next + 1);
        if !fits || third { None } else { Some(Some((bottom.next, bottom.end))) }
    }

    fn grade(&self, id: u16, measure: &Measure, token: usize, at: usize, ask: &Ask) -> Option<Fit> {
        let text = self.text;
        let word = text.fold(token).get(at..)?;
        let t = text.tokens.get(token)?;
        let value_start = number::byte_at(text, token, at);
        let letters = word.find(|c: char| c != 'i').unwrap_or(word.len());
        let numeral = matches!(letters, 1..=3) && measure.roman;
        let mut key = String::with_capacity(4);
        if numeral {
            key.push((b'0' + letters as u8) as char);
            key.push_str(&word[letters..]);
        } else if t.kind == Kind::Number || at > 0 {
            key.push_str(word);
        } else {
            let (value, _) = number::in_words(text, token).filter(|_| ask.linked)?;
            key = format!("{value}");
        }
        let mut next = token + 1;
        if key.len() == 1 && is!(text.key(next), "a" | "b" | "c") && !text.original[text.tokens[next].range()].contains('à') {
            let with = format!("{key}{}", text.fold(next));
            if measure.grades.contains(&with) && text.tokens[next].lines_before == 0 {
                key = with;
                next += 1;
            }
        }
        let value_end = text.tokens[next - 1].end as usize;
        if !measure.grades.contains(&key) || !ask.allows_bare() {
            return None;
        }
        let mut end = value_end;
        if is!(text.key(next), "/" | "sur")
            && let Some(bottom) = number::number(text, next + 1, 0)
            && measure.out_of.iter().any(|o| f64::from(*o) == bottom.value)
            && bottom.rest.is_none()
        {
            (next, end) = (bottom.next, bottom.end);
        }
        // 2b/2c and 2b-3 keep the lower grade.
        if is!(text.key(next), "/" | "-")
            && glued(text, next)
            && glued(text, next + 1)
            && measure.grades.iter().any(|g| g == text.fold(next + 1))
        {
            end = text.tokens[next + 1].end as usize;
            next += 2;
        }
        if !self.bare_end(next) {
            return None;
        }
        Some(Fit {
            measure: id,
            value: key.parse().ok(),
            high: None,
            canonical: key.parse().ok(),
            text: Some(key),
            unit: None,
            value_start,
            value_end,
            end,
            next,
        })
    }
}

/// Roman numerals of clinical classes.
pub(super) fn roman(word: &str) -> Option<f64> {
    Some(match word {
        "i" => 1.0,
        "ii" => 2.0,
        "iii" => 3.0,
        "iv" => 4.0,
        "v" => 5.0,
        _ => return None,
    })
}
