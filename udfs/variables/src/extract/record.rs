//! Facts of the patient's record, where the text states them.

use std::borrow::Cow;
use std::ops::Range;

use chrono::{Datelike, NaiveDate};
use sillage_clinical::is;
use sillage_clinical::temporal::{Precision, TemporalExpression, TemporalKind};
use sillage_clinical::text::Kind;

use super::{Candidate, Extractor};
use crate::Value;
use crate::definition::{Fact, Find};

/// Most tokens between the letter of the sex and an age or a birth.
const PARTING: usize = 4;

impl Extractor<'_, '_> {
    pub(super) fn recorded(&self, out: &mut Vec<Candidate>) {
        let text = &self.analysis.text;
        for used in &self.definitions.compiled.facts {
            let (_, rule) = self.rule(*used);
            let Find::Fact(fact) = rule.find else { continue };
            let mut push = |value: Value, start: usize, end: usize, weight: f32| {
                out.push(Candidate {
                    variable: used.variable,
                    rule: used.rule,
                    value: Some(value),
                    tokens: text.token_at(start)..text.token_at(end - 1) + 1,
                    time: None,
                    how: "record",
                    weight,
                    historical: false,
                    moment: None,
                    refused: None,
                });
            };
            match fact {
                Fact::Age => {
                    let at = self.facts.stay_start.or(self.facts.time).map(|t| t.date());
                    let known = self.facts.birth_date.zip(at).and_then(|(birth, at)| age(birth, at));
                    let mut first = true;
                    for time in self.analysis.times() {
                        let age = time.age_years.filter(|_| time.kind == TemporalKind::Age && time.precision == Precision::Year);
                        match (known, age) {
                            (Some(known), Some(age)) if (known - f64::from(age)).abs() <= 1.0 => {
                                push(Value::Number(known), time.start, time.end, 1.0)
                            }
                            // Without a record the first age of a text is the patient's.
                            (None, Some(age)) if first => push(Value::Number(f64::from(age).floor()), time.start, time.end, 0.7),
                            _ => {
                                if let (Some(known), Some(birth), Some(value)) = (known, self.facts.birth_date, time.value)
                                    && value.date() == birth
                                    && time.precision == Precision::Day
                                {
                                    // The words of the age say it better.
                                    push(Value::Number(known), time.start, time.end, 0.4);
                                }
                            }
                        }
                        first &= age.is_none();
                    }
                }
                Fact::StayStart | Fact::StayEnd => {
                    let known = if fact == Fact::StayStart { self.facts.stay_start } else { self.facts.stay_end };
                    let Some(known) = known else { continue };
                    for time in self.analysis.times() {
                        if time.value.is_some_and(|v| v.date() == known.date()) && time.kind == TemporalKind::Date {
                            push(Value::DateTime(known), time.start, time.end, 1.0);
                        }
                    }
                }
                Fact::Sex => {
                    for time in self.analysis.times() {
                        let birth = || time.value.map(|v| v.date()) == self.facts.birth_date && time.precision == Precision::Day;
                        if time.kind != TemporalKind::Age && !(self.facts.birth_date.is_some() && birth()) {
                            continue;
                        }
                        let Some((female, letter)) = self.sex_beside(time) else { continue };
                        if self.facts.female.is_none_or(|known| known == female) {
                            let value = Value::Category(Cow::Borrowed(if female { "female" } else { "male" }));
                            // The letter says it, and an age goes with it: "F 81 ans".
                            let shown = if time.kind == TemporalKind::Age {
                                time.start.min(letter.start)..time.end.max(letter.end)
                            } else {
                                letter
                            };
                            push(value, shown.start, shown.end, 1.0);
                        }
                    }
                }
            }
        }
    }
}

impl Extractor<'_, '_> {
    /// The letter of the sex beside an age or a date of birth, and its bytes: "F 81 ans",
    /// "(62 a, H)", "DUPONT Jean  H  né le 02/03/1956".
    fn sex_beside(&self, time: &TemporalExpression) -> Option<(bool, Range<usize>)> {
        let text = &self.analysis.text;
        let (first, last) = (text.token_at(time.start), text.token_at(time.end - 1));
        let letter = |at: usize| {
            let token = text.tokens.get(at).filter(|t| t.kind == Kind::Word && t.upper)?;
            let female = match text.fold(at) {
                "f" => true,
                "h" | "m" => false,
                _ => return None,
            };
            Some((female, token.range()))
        };
        // Marks may part them, and the words of a birth.
        let passes = |at: &usize| {
            text.tokens[*at].kind == Kind::Mark && !is!(text.key(*at), ".")
                || is!(text.key(*at), "ne" | "nee" | "le" | "ddn" | "dn" | "date" | "de" | "naissance")
        };
        let before = (first.saturating_sub(PARTING)..first).rev();
        let before = before.take_while(|at| text.tokens[*at + 1].lines_before == 0).find(|at| !passes(at)).and_then(letter);
        let after = (last + 1..text.tokens.len().min(last + 1 + PARTING)).take_while(|at| text.tokens[*at].lines_before == 0);
        before.or_else(|| after.clone().find(|at| !passes(at)).and_then(letter))
    }
}

/// Whole years from a birth to a day.
fn age(birth: NaiveDate, at: NaiveDate) -> Option<f64> {
    let years = at.year() - birth.year() - i32::from((at.month(), at.day()) < (birth.month(), birth.day()));
    (years >= 0).then(|| f64::from(years))
}
