//! Facts of the patient's record, where the text states them.

use chrono::{Datelike, NaiveDate};
use sillage_clinical::temporal::{Precision, TemporalKind};

use super::{Candidate, Extractor};
use crate::Value;
use crate::definition::{Fact, Find};

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
                                    push(Value::Number(known), time.start, time.end, 0.5);
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
                Fact::Sex => {}
            }
        }
    }
}

/// Whole years from a birth to a day.
fn age(birth: NaiveDate, at: NaiveDate) -> Option<f64> {
    let years = at.year() - birth.year() - i32::from((at.month(), at.day()) < (birth.month(), birth.day()));
    (years >= 0).then(|| f64::from(years))
}
