//! One pass over the tokens: names and their values, then numbers with units.

use crate::form;
use crate::is;
use crate::text::{Kind, Text};

use super::catalog::{Catalog, Form, Roles, UnitId, catalog};
use super::number::{self, glued};
use super::value::{Ask, Fit, UnitHit, roman};
use super::{Comparator, Measurement};

pub(super) struct Scanner<'t, 'a> {
    pub(super) catalog: &'static Catalog,
    pub(super) text: &'t Text<'a>,
    pub(super) boxes: &'t form::Form,
    pub(super) out: Vec<Measurement>,
}

impl<'t, 'a> Scanner<'t, 'a> {
    pub(super) fn new(text: &'t Text<'a>, boxes: &'t form::Form) -> Self {
        Scanner { catalog: catalog(), text, boxes, out: Vec::new() }
    }

    pub(super) fn run(mut self) -> Vec<Measurement> {
        let mut token = 0;
        while let Some(t) = self.text.tokens.get(token) {
            let next = match t.kind {
                Kind::Word => self.word(token),
                Kind::Number => self.unnamed(token),
                Kind::Mark => None,
            };
            token = next.filter(|n| *n > token).unwrap_or(token + 1);
        }
        self.vital_signs();
        if !self.boxes.is_empty() {
            for measurement in &mut self.out {
                if self.boxes.at(self.text.token_at(measurement.value_start)).criterion() {
                    (measurement.name, measurement.label, measurement.loinc) = (None, None, None);
                    (measurement.canonical_value, measurement.canonical_unit) = (None, None);
                }
            }
        }
        self.out
    }

    /// The measure named here and the token after its name.
    pub(super) fn name_at(&self, token: usize) -> Option<(Form, usize)> {
        let text = self.text;
        let upper = text.tokens.get(token)?.upper;
        self.catalog
            .names
            .longest(text, text.fold(token), token + 1, true, |forms| forms.iter().copied().find(|f| !f.glued && (!f.upper || upper)))
    }

    /// A name with its value glued on (`NIHSS14`, `G15`) and the place of the value.
    fn glued_name(&self, token: usize) -> Option<(Form, usize)> {
        let text = self.text;
        let word = text.fold(token);
        if !word.as_bytes().last()?.is_ascii_digit() {
            return None;
        }
        let at = word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let t = text.tokens.get(token)?;
        // "t12" is a vertebra; decimals or a plausible range decide later.
        let found = self.catalog.names.longest(text, &word[..at], usize::MAX, false, |forms| {
            forms.iter().copied().find(|f| !f.strict && (!f.upper || t.upper) && (at > 1 || f.glued || f.decimal))
        })?;
        Some((found.0, at))
    }

    fn word(&mut self, token: usize) -> Option<usize> {
        let text = self.text;
        let start = text.tokens[token].start as usize;
        if let Some((form, after)) = self.name_at(token) {
            if self.aimed_at(token) {
                return Some(after);
            }
            return self.bind(form, start, (after, 0)).or(Some(after));
        }
        if let Some((form, at)) = self.glued_name(token) {
            let form = Form { glued: false, weak: false, ..form };
            return self.bind(form, start, (token, at));
        }
        let word = text.fold(token);
        if word.len() <= 6 && word.starts_with(['y', 'e']) {
            return self.glasgow_parts(token);
        }
        if self.catalog.role(word).any(Roles::RANK) {
            return self.rank_before_name(token);
        }
        None
    }

    /// Whether an aim, a norm or a gain is spoken of just before the name.
    fn aimed_at(&self, token: usize) -> bool {
        let target = |at: usize| self.catalog.role(self.text.fold(at)).any(Roles::TARGET);
        // "Cible : transit", and a value on the next line: the aim was of its own line.
        let said = |at: usize| self.text.tokens[at + 1].lines_before > 0 && !is!(self.text.key(at), ":") && !target(at);
        let words = (1..=3).map_while(|back| token.checked_sub(back));
        let words = words.take_while(|at| !is!(self.text.key(*at), "." | ";") && !said(*at));
        words.map(|at| self.catalog.role(self.text.fold(at))).any(|role| role.any(Roles::TARGET.or(Roles::GAIN)))
    }

    /// `Y3 V3 M6`, `E4V5M6`.
    fn glasgow_parts(&mut self, token: usize) -> Option<usize> {
        let known = &self.catalog.known;
        let measures = [known.eye?, known.verbal?, known.motor?];
        let text = self.text;
        let (mut at, mut byte) = (token, 0);
        let mut fits = Vec::with_capacity(3);
        for (measure, letters) in measures.into_iter().zip(["ye", "v", "m"]) {
            while byte == 0 && !fits.is_empty() && is!(text.key(at), "," | "-" | "/" | "+") && at < token + 6 {
                at += 1;
            }
            let word = text.fold(at).as_bytes();
            let (letter, digit) = (*word.get(byte)?, *word.get(byte + 1)?);
            if !letters.as_bytes().contains(&letter) || !digit.is_ascii_digit() || !text.original[text.tokens[at].range()].is_ascii() {
                return None;
            }
            let value = f64::from(digit - b'0');
            let range = self.catalog.measures[measure as usize].range;
            if !(range[0]..=range[1]).contains(&value) {
                return None;
            }
            let start = text.tokens[at].start as usize + byte;
            let end = start + 2;
            fits.push((
                start,
                Fit {
                    measure,
                    value: Some(value),
                    canonical: Some(value),
                    value_start: start + 1,
                    value_end: end,
                    end,
                    next: at + 1,
                    ..Fit::default()
                },
            ));
            byte += 2;
            if byte == word.len() {
                (at, byte) = (at + 1, 0);
            }
        }
        if byte != 0 {
            return None;
        }
        for (start, fit) in fits {
            self.keep(Some(start), &fit, Comparator::Equal);
        }
        Some(at)
    }

    /// `stade III de la NYHA`, `classe 2 NYHA`.
    fn rank_before_name(&mut self, token: usize) -> Option<usize> {
        let text = self.text;
        let mut at = token + 1;
        let numeral = |at: usize| roman(text.fold(at)).filter(|_| text.tokens[at].upper);
        let value = numeral(at).or_else(|| number::number(text, at, 0).filter(|n| n.rest.is_none() && n.decimals == 0).map(|n| n.value))?;
        let first = at;
        let mut high = None;
        if is!(text.key(at + 1), "-") && glued(text, at + 1) {
            high = numeral(at + 2);
            at += if high.is_some() { 2 } else { 0 };
        }
        let value_end = text.tokens[at].end as usize;
        at = self.joint(at + 1).0;
        let (form, after) = self.name_at(at)?;
        let measure = &self.catalog.measures[form.measure as usize];
        if !measure.roman || value < measure.range[0] || value > measure.range[1] {
            return None;
        }
        let value_start = text.tokens[first].start as usize;
        let fit = Fit {
            measure: form.measure,
            value: Some(value),
            high,
            text: numeral(first).map(|_| text.original[value_start..value_end].to_owned()),
            canonical: Some(value),
            value_start,
            value_end,
            end: text.tokens[after - 1].end as usize,
            ..Fit::default()
        };
        self.keep(Some(text.tokens[token].start as usize), &fit, Comparator::Equal);
        Some(after)
    }

    /// Steps over `au score de`, `d'`, `de la`; whether a preposition was among them.
    fn joint(&self, from: usize) -> (usize, bool) {
        let mut at = from;
        let mut joined = false;
        while at < from + 6 && self.text.tokens.get(at).is_some_and(|t| t.lines_before == 0) {
            match self.text.fold(at) {
                "au" | "de" | "d" | "du" | "sur" | "selon" => joined = true,
                "la" | "le" | "l" | "'" | "score" | "echelle" | "classification" | "(" => {}
                _ => break,
            }
            at += 1;
        }
        (at, joined)
    }

    /// A number that no name claimed: pressure, dimensions, a value before its name,
    /// or a value with a unit.
    fn unnamed(&mut self, token: usize) -> Option<usize> {
        let text = self.text;
        if glued(text, token)
            && is!(text.key(token.checked_sub(1).unwrap_or(usize::MAX)), "/")
            && token > 1
            && text.tokens[token - 2].kind == Kind::Number
        {
            return None;
        }
        // "0, 5": the digits belong to the number before.
        if token > 1 && is!(text.key(token - 1), "," | ".") && glued(text, token - 1) && is!(text.key(token - 2), "0") {
            return None;
        }
        if let Some(after) = number::date_or_clock(self.catalog, text, token) {
            return Some(after);
        }
        let plain = number::number(text, token, 0);
        let spaced = number::thousands(text, token, 0).filter(|n| self.unit_after(n, false).is_some());
        let first = spaced.or(plain)?;
        let hit = self.unit_after(&first, false);
        if hit.is_none() && first.rest.is_none() && !first.degree && !self.may_go_on(&first) {
            return Some(first.next);
        }
        self.pressure_alone(token, &first)
            .or_else(|| self.dimensions(token))
            .or_else(|| self.before_name(token, &first, hit.as_ref()))
            .or_else(|| self.in_air(token, &first, hit.as_ref()))
            .or_else(|| self.with_unit(token, &first, hit))
            .or(Some(first.next))
    }

    /// Whether what follows can make a measurement of a number without a unit.
    fn may_go_on(&self, n: &number::Number) -> bool {
        is!(self.text.key(n.next), "/" | "-" | "x" | "×" | "*" | "a" | "et" | "au" | "aa" | "en" | "d" | "de" | "du" | "sur")
            || n.infix.is_some()
    }

    fn pressure_alone(&mut self, token: usize, first: &number::Number) -> Option<usize> {
        let known = &self.catalog.known;
        if !is!(self.text.key(first.next), "/" | "-" | "mmhg" | "mm") {
            return None;
        }
        let form = Form { measure: known.pressure?, pair: true, ..Form::default() };
        let (top, bottom) = self.pressure(token, 0, &Ask { form, linked: true, ..Ask::default() })?;
        let bottom = bottom.filter(|b| b.end > b.value_end)?;
        let comparator = self.comparator_before(token);
        let aimed = (1..=5).map_while(|back| token.checked_sub(back)).any(|at| self.catalog.role(self.text.fold(at)).any(Roles::TARGET));
        for fit in [&top, &bottom] {
            if let (true, Some(value), Some(unit)) = (aimed, fit.value, fit.unit) {
                self.push(top.value_start, fit.end, fit.value_start..fit.value_end, comparator, value, fit.high, unit);
            } else {
                self.keep(Some(top.value_start), fit, comparator);
            }
        }
        Some(top.next)
    }

    /// `12 x 8 mm`: one measurement a dimension, all with the same span.
    fn dimensions(&mut self, token: usize) -> Option<usize> {
        let text = self.text;
        let mut parts = [number::number(text, token, 0)?; 3];
        let mut count = 1;
        let hit = loop {
            let last = parts[count - 1];
            let (at, byte) = match last.rest {
                Some((at, byte)) if text.fold(at).as_bytes().get(byte) == Some(&b'x') && text.fold(at).len() > byte + 1 => (at, byte + 1),
                Some((at, byte)) if text.fold(at).get(byte..) == Some("x") => (at + 1, 0),
                _ => {
                    let hit = self.unit_after(&last, false);
                    let after = hit.as_ref().map_or(last.next, |h| h.next);
                    if last.rest.is_some() && hit.is_none() {
                        return None;
                    }
                    let sign = text.fold(after);
                    match sign {
                        "x" | "×" | "*" => (after + 1, 0),
                        _ if sign.len() > 1 && sign.starts_with('x') && sign.as_bytes()[1].is_ascii_digit() => (after, 1),
                        _ => break hit?,
                    }
                }
            };
            if count == 3 {
                return None;
            }
            parts[count] = number::number(text, at, byte)?;
            count += 1;
        };
        let unit = hit.units.iter().copied().find(|u| self.catalog.known.lengths.contains(u))?;
        if count == 1 {
            return None;
        }
        let comparator = self.comparator_before(token);
        let start = parts[0].start;
        for part in &parts[..count] {
            self.push(start, hit.end, part.start..part.end, comparator, part.value, None, unit);
        }
        Some(hit.next)
    }

    /// `24/30 au MMS`, `8,5 g d'Hb`, `14 au NIHSS`.
    fn before_name(&mut self, token: usize, first: &number::Number, hit: Option<&UnitHit<'_>>) -> Option<usize> {
        let text = self.text;
        let mut after = hit.map_or(first.next, |h| h.next);
        if hit.is_none() && is!(text.key(after), "/" | "sur") && number::number(text, after + 1, 0).is_some() {
            after += 2;
        }
        let (at, joined) = self.joint(after);
        if !joined || number::duration(self.catalog, text, token).is_some() {
            return None;
        }
        let (form, end) = self.name_at(at)?;
        // The name may have a value of its own.
        if form.unit_only || form.pair || text.tokens.get(end).is_some_and(|t| t.kind == Kind::Number || is!(text.key(end), ":" | "=")) {
            return None;
        }
        // "4 g de fibrinogène" is a dose; of haemoglobin, it is said for g/dL.
        let known = &self.catalog.known;
        if hit.is_some_and(|h| h.units.contains(&known.gram)) && known.hemoglobin != Some(form.measure) {
            return None;
        }
        let score = hit.is_none() && !self.catalog.measures[form.measure as usize].out_of.is_empty();
        if hit.is_none() && !score {
            return None;
        }
        // The preposition follows the value here and does not disqualify it.
        let ask = Ask { form: Form { strict: false, weak: false, ..form }, linked: true, change: true, ..Ask::default() };
        let (mut fit, second) = self.fit(form.measure, token, 0, &ask)?;
        if second.is_some() || self.aimed_at(token) {
            return None;
        }
        fit.end = text.tokens[end - 1].end as usize;
        let comparator = self.comparator_before(token);
        self.keep(None, &fit, comparator);
        Some(end)
    }

    /// `92 AA`, `96 % sous 2 L`: nothing but the oxygen saturation is said so.
    fn in_air(&mut self, token: usize, first: &number::Number, hit: Option<&UnitHit<'_>>) -> Option<usize> {
        let text = self.text;
        let percent = hit.filter(|h| h.units.contains(&self.catalog.known.percent));
        if (hit.is_some() || first.rest.is_some()) && percent.is_none() {
            return None;
        }
        let after = percent.map_or(first.next, |h| h.next);
        let word = |n: usize| text.fold(after + n);
        let at = usize::from(matches!(word(0), "en" | "sous"));
        let quote = matches!((word(0), word(1), word(2)), ("a", "l", "'"));
        let air = (word(at) == "aa" && text.tokens[after + at].upper)
            || (word(at) == "air" && word(at + 1) == "ambiant")
            || (quote && word(3) == "air" && matches!(word(4), "ambiant" | "libre"));
        let oxygen = word(0) == "sous"
            && percent.is_some()
            && (matches!(word(1), "o2" | "oxygene" | "lunettes" | "masque" | "mhc")
                || number::number(text, after + 1, 0).and_then(|n| self.unit_after(&n, false)).is_some_and(|h| {
                    h.units.iter().any(|u| *u == self.catalog.known.litre || self.catalog.units[*u as usize].code == "L/min")
                }));
        if !(air || oxygen) || !(50.0..=100.0).contains(&first.value) {
            return None;
        }
        let measure = self.catalog.known.saturation?;
        let form = Form { measure, ..Form::default() };
        let (fit, _) = self.fit(measure, token, 0, &Ask { form, linked: true, change: true, ..Ask::default() })?;
        let comparator = self.comparator_before(token);
        self.keep(None, &fit, comparator);
        Some(fit.next)
    }

    /// A value with a unit, or two as a range.
    fn with_unit(&mut self, token: usize, first: &number::Number, hit: Option<UnitHit<'static>>) -> Option<usize> {
        let text = self.text;
        // 5/10 mg is one product, not a value.
        if hit.is_none() && is!(text.key(first.next), "/") && glued(text, first.next) {
            return number::number(text, first.next + 1, 0).map(|n| n.next);
        }
        let mut last = *first;
        let mut hit = hit;
        let mut high = None;
        if hit.is_none() && first.rest.is_none() && first.infix.is_none() {
            let before = token.checked_sub(1).map_or("", |b| text.fold(b));
            let ask = Ask { between: matches!(before, "entre" | "de"), ..Ask::default() };
            last = self.range_after(first, None, &ask)?;
            hit = self.unit_after(&last, false);
            high = Some(last.value);
        }
        if first.infix == Some(b'm') && hit.is_none() {
            self.push(first.start, first.end, first.start..first.end, Comparator::Equal, first.value, None, self.catalog.known.metre);
            return Some(first.next);
        }
        if first.degree {
            let range = first.start..first.end;
            self.push(
                first.start,
                hit.as_ref().map_or(first.end, |h| h.end),
                range,
                Comparator::Equal,
                first.value,
                None,
                self.catalog.known.celsius,
            );
            return Some(hit.map_or(first.next, |h| h.next));
        }
        let hit = hit?;
        let unit = self.stands_alone(&hit, &last)?;
        let comparator = self.comparator_before(token);
        self.push(first.start, hit.end, first.start..last.end, comparator, first.value, high, unit);
        Some(hit.next)
    }

    /// The unit that a value without a name has.
    fn stands_alone(&self, hit: &UnitHit<'_>, number: &number::Number) -> Option<UnitId> {
        let text = self.text;
        let source = text.original.get(number.end..hit.end)?.trim_start();
        let capital = source.starts_with(|c: char| c.is_uppercase());
        // "2 G" is a side or a grade.
        if source == "G" && number.rest.is_none() {
            return None;
        }
        let units = || hit.units.iter().copied();
        let unit = |u: &UnitId| &self.catalog.units[*u as usize];
        let metre = self.catalog.known.metre;
        units()
            .find(|u| unit(u).capital == capital && unit(u).alone)
            .or_else(|| units().find(|u| unit(u).alone))
            .or_else(|| units().find(|u| *u == metre && number.decimals > 0))
    }

    /// A comparator that ends just before this token.
    fn comparator_before(&self, token: usize) -> Comparator {
        let text = self.text;
        for back in (1..=5).rev() {
            let Some(from) = token.checked_sub(back) else { continue };
            let found = self.catalog.comparators.longest(text, text.fold(from), from + 1, false, |c| c.first().copied());
            if let Some((comparator, end)) = found
                && end == token
            {
                return comparator;
            }
        }
        Comparator::Equal
    }

    pub(super) fn keep(&mut self, start: Option<usize>, fit: &Fit, comparator: Comparator) {
        let measure = &self.catalog.measures[fit.measure as usize];
        let code = |u: UnitId| self.catalog.units[u as usize].code.as_str();
        self.out.push(Measurement {
            start: start.unwrap_or(fit.value_start),
            end: fit.end,
            value_start: fit.value_start,
            value_end: fit.value_end,
            name: Some(&measure.name),
            label: Some(&measure.label),
            loinc: measure.loinc.as_deref(),
            comparator,
            value: fit.value,
            value_high: fit.high,
            value_text: fit.text.clone(),
            unit: fit.unit.map(code),
            canonical_value: fit.canonical,
            canonical_unit: measure.unit.map(code),
        });
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a value without a name")]
    fn push(
        &mut self,
        start: usize,
        end: usize,
        value: std::ops::Range<usize>,
        comparator: Comparator,
        low: f64,
        high: Option<f64>,
        unit: UnitId,
    ) {
        self.out.push(Measurement {
            start,
            end,
            value_start: value.start,
            value_end: value.end,
            name: None,
            label: None,
            loinc: None,
            comparator,
            value: Some(low),
            value_high: high,
            value_text: None,
            unit: Some(&self.catalog.units[unit as usize].code),
            canonical_value: None,
            canonical_unit: None,
        });
    }
}
