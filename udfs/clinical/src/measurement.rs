//! Measurements and scores in French clinical text.
//!
//! A measurement is a name (`TA`, `NIHSS`, `glycémie`), a value and a unit, or a value
//! and a unit alone. One pass over the tokens finds names in a trie and walks from each
//! to its values ([`bind`]); what stands there is checked against the units and the
//! plausible ranges of the measure ([`value`]). Names, units, ranges and conversions are
//! data (`data/measurements.toml`, `data/units.toml`).
//!
//! Durations, dates and clock times are not measurements. A value that is aimed at
//! (`objectif TA < 130/80`) or asked for (`PAS > 185 : non`) was not measured and never
//! gets the name; of options to tick the ticked one is the value.

mod bind;
mod catalog;
mod number;
mod scan;
#[cfg(test)]
mod tests;
mod trie;
mod value;
mod vitals;

use crate::form::Form;
use crate::text::Text;

/// How the value written stands to the true one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Approximate,
}

impl Comparator {
    /// As in mathematics: `=`, `<`, `≤`, `>`, `≥`, `~`.
    pub fn symbol(self) -> &'static str {
        match self {
            Comparator::Equal => "=",
            Comparator::Less => "<",
            Comparator::LessOrEqual => "≤",
            Comparator::Greater => ">",
            Comparator::GreaterOrEqual => "≥",
            Comparator::Approximate => "~",
        }
    }
}

/// A value in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// Bytes of the original from the name (or the value, where the name stands
    /// elsewhere) to the end of the unit. Both blood pressures of a pair share them.
    pub start: usize,
    pub end: usize,
    /// Bytes of the number or the grade.
    pub value_start: usize,
    pub value_end: usize,
    /// Canonical name; `None` where only a value and a unit are written.
    pub name: Option<&'static str>,
    /// French display of the name.
    pub label: Option<&'static str>,
    /// LOINC code of the canonical value, where the reference list has one.
    pub loinc: Option<&'static str>,
    pub comparator: Comparator,
    /// The value as written, or the lower end of a range.
    pub value: Option<f64>,
    /// The upper end of a range.
    pub value_high: Option<f64>,
    /// The grade of a score in letters or Roman numerals (`2b`, `III`).
    pub value_text: Option<String>,
    /// UCUM code of the unit written or, by the plausible range, implied.
    pub unit: Option<&'static str>,
    /// The value in the measure's one unit; `None` without a name.
    pub canonical_value: Option<f64>,
    pub canonical_unit: Option<&'static str>,
}

/// All measurements of a text, in the order of their values.
pub fn measurements(text: &Text<'_>) -> Vec<Measurement> {
    measurements_of_form(text, &Form::new(text))
}

/// As [`measurements`], where the boxes of the text are known already.
pub(crate) fn measurements_of_form(text: &Text<'_>, form: &Form) -> Vec<Measurement> {
    scan::Scanner::new(text, form).run()
}
