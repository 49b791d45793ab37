//! From a name to its values: over links, time words and brackets, across one line
//! end, never past another name.

use crate::is;
use crate::text::Kind;

use super::Comparator;
use super::catalog::{Form, Nature, Roles};
use super::number::{self, glued};
use super::scan::Scanner;
use super::value::{Ask, Fit};

/// Words that the catalogue does not know, at most so many between name and value.
const UNKNOWN: u8 = 5;
/// Tokens between name and value.
const STEPS: usize = 28;
/// Words of the name that heads a row of a table.
const ROW_NAME: usize = 4;
/// Tokens of a filled field of a form, its brackets included.
const FIELD: usize = 8;
/// Tokens of options that are not ticked, in one go.
const OPTIONS: usize = 48;

impl Scanner<'_, '_> {
    /// Reads the values after a name whose first byte is `start`; `from` is the place
    /// after the name. Gives the token after the last value.
    pub(super) fn bind(&mut self, form: Form, start: usize, from: (usize, usize)) -> Option<usize> {
        let text = self.text;
        let (first, at) = from;
        let catalog = self.catalog;
        let measure = &catalog.measures[form.measure as usize];
        let mut ask = Ask { form, ..Ask::default() };
        let mut comparator = Comparator::Equal;
        let mut fresh = false;
        let mut token = first;
        for _ in 0..STEPS {
            // Of options the ticked one is the value.
            let options = token;
            while at == 0 && token < options + OPTIONS && (self.boxes.at(token).is_box() || self.boxes.at(token).unticked()) {
                ask.linked = true;
                token += 1;
            }
            let t = text.tokens.get(token)?;
            if t.lines_before > 1 && at == 0 {
                return None;
            }
            fresh |= t.lines_before == 1;
            let word = text.fold(token);
            if t.kind == Kind::Number || at > 0 {
                if at == 0
                    && let Some(after) = number::date_or_clock(catalog, text, token)
                {
                    token = after;
                    ask.linked = false;
                    continue;
                }
                // A day of the month: "le 3 : 14".
                let before = token.checked_sub(1).map_or("", |b| text.fold(b));
                if before == "le" && word.len() <= 2 && token > first && at == 0 {
                    token += 1;
                    ask.linked = false;
                    continue;
                }
                if let Some((fit, second)) = self.fit(form.measure, token, at, &ask) {
                    return Some(self.found(Some(start), fit, second, comparator, &ask));
                }
                if at > 0 {
                    return None;
                }
                if let Some(after) = number::duration(catalog, text, token) {
                    token = after;
                    ask.linked = false;
                    continue;
                }
                let skip = measure.skip?;
                let n = number::number(text, token, 0)?;
                let hit = self.unit_after(&n, false)?;
                let flow = hit.units.contains(&skip) || hit.units.iter().any(|u| catalog.units[*u as usize].code == "L/min");
                if !flow {
                    return None;
                }
                token = hit.next;
                continue;
            }
            if let Some((found, after)) = catalog.comparators.longest(text, word, token + 1, false, |c| c.first().copied()) {
                comparator = found;
                ask.linked = true;
                token = after;
                continue;
            }
            if t.kind == Kind::Mark {
                let (next, linked) = self.over_mark(form, token, first, &mut ask)?;
                token = next;
                ask.linked = linked;
                continue;
            }
            if at == 0
                && let Some(after) = number::time_in_words(catalog, text, token)
            {
                token = after;
                ask.linked = false;
                continue;
            }
            let role = catalog.role(word);
            // Roman, spelled and lettered values.
            if measure.nature != Nature::Quantity
                && let Some((fit, second)) = self.fit(form.measure, token, 0, &ask)
            {
                return Some(self.found(Some(start), fit, second, comparator, &ask));
            }
            if let Some((other, after)) = self.name_at(token).filter(|(f, _)| !f.unit_only) {
                if other.measure != form.measure {
                    return None;
                }
                token = after;
                ask.linked = false;
                continue;
            }
            let scored = measure.nature != Nature::Quantity && measure.nature != Nature::Pressure;
            if role.any(Roles::TARGET) || (role.any(Roles::RANK) && !scored) {
                return None;
            } else if role.any(Roles::BETWEEN) || (word == "de" && !ask.between) {
                ask.between = true;
                ask.linked = true;
            } else if role.any(Roles::LINK) || role.any(Roles::RANK) {
                ask.linked = true;
            } else if role.any(Roles::CHANGE) {
                ask.change = true;
                ask.linked = false;
            } else if number::time_word(text, token) || role.any(Roles::TIME.or(Roles::SIDE).or(Roles::FILL)) {
                ask.linked &= matches!(word, "l" | "la" | "le" | "un" | "une");
            } else if matches!(word, "h" | "j" | "m") && is!(text.key(token + 1), "+" | "-") && glued(text, token + 1) {
                ask.linked = false;
                token += 2;
            } else if matches!(word, "donc" | "alors") && is!(text.key(token - 1), "est" | "etait" | "reste") {
                // "Le Rankin est donc à 2".
            } else if role.any(Roles::STOP) || (fresh && t.capital) {
                return None;
            } else {
                ask.unknown += 1;
                ask.linked = false;
                if ask.unknown > UNKNOWN {
                    return None;
                }
            }
            fresh = false;
            token += 1;
        }
        None
    }

    /// Steps over a mark between name and value: the token after, and whether the
    /// mark links.
    fn over_mark(&self, form: Form, token: usize, first: usize, ask: &mut Ask) -> Option<(usize, bool)> {
        let text = self.text;
        let measure = &self.catalog.measures[form.measure as usize];
        let word = text.fold(token);
        let takes = |units: &[u16]| units.iter().copied().find(|u| measure.accepts.iter().any(|a| a.unit == *u || a.loose.contains(u)));
        match word {
            ":" | "=" | "|" | "→" | "≡" => Some((token + 1, true)),
            "(" | "[" => {
                let unit = self.catalog.surfaces.longest(text, text.fold(token + 1), token + 2, false, takes);
                match unit {
                    Some((unit, after)) if is!(text.key(after), ")" | "]") => {
                        ask.header = Some(unit);
                        Some((after + 1, ask.linked))
                    }
                    // A lone number in square brackets is a reference; one with room around it fills in a form.
                    _ => (word == "(" || self.filled_in(token)).then_some((token + 1, ask.linked || ask.unknown == 0)),
                }
            }
            "%" => {
                ask.header = Some(takes(&[self.catalog.known.percent])?);
                Some((token + 1, ask.linked))
            }
            "-" if is!(text.key(token + 1), ">") && glued(text, token + 1) => Some((token + 2, true)),
            "-" | "+" => {
                let sign = text.tokens.get(token + 1).is_some_and(|t| t.kind == Kind::Number) && glued(text, token + 1);
                let apart = !glued(text, token) || token == first;
                ask.negative = word == "-" && sign && apart && measure.signed;
                Some((token + 1, ask.linked))
            }
            ")" | "]" | "\"" | "'" | "*" | "_" | "•" | "°" | "…" | "\\" => Some((token + 1, ask.linked || word == "'")),
            // "Créatinine ; 88 ; µmol/L": a row of a table.
            ";" if token == first && self.heads_row(first) => Some((token + 1, true)),
            "," if token == first => {
                ask.comma = true;
                Some((token + 1, false))
            }
            "." => {
                let dots = is!(text.key(token + 1), ".") || (token > first && is!(text.key(token - 1), "."));
                let abbreviation = token == first && glued(text, token);
                ((dots || abbreviation) && ask.unknown == 0).then_some((token + 1, ask.linked))
            }
            _ => None,
        }
    }

    /// "[ 84 ]", "[2,48 g/L]": a field of a form, not "[7]".
    fn filled_in(&self, bracket: usize) -> bool {
        let text = self.text;
        let close = (bracket + 1..bracket + FIELD).find(|at| is!(text.key(*at), "]"));
        text.tokens.get(bracket + 1).is_some_and(|t| t.kind == Kind::Number)
            && close.is_some_and(|at| !glued(text, bracket + 1) || (bracket + 1..at).any(|i| text.tokens[i].kind == Kind::Word))
    }

    /// Whether the line holds nothing but a few words before this token.
    fn heads_row(&self, end: usize) -> bool {
        let text = self.text;
        let opens = |at: usize| at == 0 || text.tokens[at].lines_before > 0;
        (0..end).rev().take(ROW_NAME).take_while(|at| text.tokens[*at].kind == Kind::Word).any(opens)
    }

    /// Keeps a value and reads on for the next ones of the same name.
    fn found(&mut self, start: Option<usize>, fit: Fit, second: Option<Fit>, comparator: Comparator, ask: &Ask) -> usize {
        let mut next = fit.next;
        let mut comparator = comparator;
        if comparator == Comparator::Equal && is!(self.text.key(next), "environ") {
            comparator = Comparator::Approximate;
        }
        let value = fit.value;
        self.keep(start, &fit, comparator);
        if let Some(second) = &second {
            let start = start.unwrap_or(fit.value_start);
            self.keep(Some(start), second, comparator);
        }
        if start.is_none() {
            return next;
        }
        let mut change = ask.change;
        // "de 14 à 4": falling values are two measurements.
        let falls = |low: Option<f64>, high: Option<f64>| matches!((low, high), (Some(l), Some(h)) if h < l);
        let mut last = value;
        for _ in 0..6 {
            let Some((fit, second)) = self.following(ask.form, next, change, ask.between) else { break };
            if ask.between && !change && !falls(last, fit.value) && is!(self.text.key(next), "a") && fit.unit.is_none() {
                break;
            }
            last = fit.value;
            next = self.found(None, fit, second, Comparator::Equal, ask);
            change = false;
        }
        next
    }

    /// The next value in a series: `14 à l'entrée, 10 à H24, puis 4`.
    fn following(&self, form: Form, from: usize, change: bool, between: bool) -> Option<(Fit, Option<Fit>)> {
        let text = self.text;
        let catalog = self.catalog;
        let pressure = catalog.measures[form.measure as usize].nature == Nature::Pressure;
        let mut signal = change;
        let mut token = from;
        let mut ask = Ask { form: Form { strict: false, ..form }, linked: true, change: true, ..Ask::default() };
        for _ in 0..14 {
            let t = text.tokens.get(token)?;
            if t.lines_before > 1 {
                return None;
            }
            let word = text.fold(token);
            let before = token.checked_sub(1).map_or("", |b| text.fold(b));
            if t.kind == Kind::Number {
                let time = number::date_or_clock(catalog, text, token).or_else(|| number::duration(catalog, text, token));
                if let Some(after) = time {
                    signal = true;
                    token = after;
                    continue;
                }
                if before == "le" && word.len() <= 2 {
                    signal = true;
                    token += 1;
                    continue;
                }
                let (fit, second) = self.fit(form.measure, token, 0, &ask)?;
                let pair = pressure && second.is_some() && (between || before == "et" || before == ",");
                let falling = between && before == "a";
                let explicit =
                    catalog.measures[form.measure as usize].nature == Nature::Quantity && fit.end > fit.value_end && before == "et";
                if !(signal || pair || falling || explicit || self.dated(fit.next)) || (pressure && second.is_none()) {
                    return None;
                }
                return self.value_stands(&fit).then_some((fit, second));
            }
            if t.kind == Kind::Mark {
                match word {
                    // "NIHSS 2 (MSG 1, extinction 1)": the items of the score.
                    "(" if !pressure && self.limb(token + 1) => return None,
                    "-" | "=" if is!(text.key(token + 1), ">") => {
                        signal = true;
                        token += 1;
                    }
                    "," | "(" | ")" | ":" | "=" | "'" | "|" | "/" => {}
                    "-" | "•" if t.lines_before == 1 => {}
                    "→" | ">" => signal = true,
                    _ => return None,
                }
                ask.linked = true;
                token += 1;
                continue;
            }
            if self.name_at(token).is_some_and(|(f, _)| !f.unit_only) {
                return None;
            }
            if let Some(after) = number::time_in_words(catalog, text, token) {
                signal = true;
                token = after;
                continue;
            }
            let role = catalog.role(word);
            if number::time_word(text, token)
                || role.any(Roles::TIME.or(Roles::SIDE).or(Roles::CHANGE))
                || matches!(word, "puis" | "ensuite" | "enfin" | "contre")
            {
                signal = true;
            } else if matches!(word, "h" | "j" | "m") && is!(text.key(token + 1), "+") && glued(text, token + 1) {
                signal = true;
                token += 2;
            } else if !(role.any(Roles::SERIES.or(Roles::LINK))
                || matches!(word, "l" | "la" | "le" | "les" | "au" | "du" | "des" | "en" | "lors" | "aux"))
            {
                return None;
            }
            token += 1;
        }
        None
    }

    /// A word of a side or limb stands here, and a number right behind it.
    fn limb(&self, at: usize) -> bool {
        let number = self.text.tokens.get(at + 1).is_some_and(|t| t.kind == Kind::Number);
        number && self.catalog.role(self.text.fold(at)).any(Roles::SIDE)
    }

    /// Whether a time or a side follows: `10 à H24`.
    fn dated(&self, from: usize) -> bool {
        let text = self.text;
        let mut token = from;
        while is!(text.key(token), "a" | "l" | "'" | "la" | "le" | "au" | "en" | "(" | "du" | "de") && token < from + 5 {
            token += 1;
        }
        let role = self.catalog.role(text.fold(token));
        number::time_word(text, token)
            || role.any(Roles::TIME.or(Roles::SIDE))
            || number::duration(self.catalog, text, token).is_some()
            || number::date_or_clock(self.catalog, text, token).is_some()
            || number::time_in_words(self.catalog, text, token).is_some()
    }

    /// A later value without a unit must not count something else.
    fn value_stands(&self, fit: &Fit) -> bool {
        if fit.end > fit.value_end {
            return true;
        }
        let text = self.text;
        let Some(t) = text.tokens.get(fit.next) else { return true };
        let role = self.catalog.role(text.fold(fit.next));
        t.kind == Kind::Mark
            || t.lines_before > 0
            || number::time_word(text, fit.next)
            || self.name_at(fit.next).is_some()
            || role.any(Roles::LINK.or(Roles::FILL).or(Roles::TIME).or(Roles::SIDE).or(Roles::SERIES).or(Roles::STOP))
    }
}
