//! The coded entries of a clinical document (CDA R2), as they travel as JSON from
//! the connectors to the stages, in columns marked as identifying: what a sender
//! writes beside a code can name anybody.

use serde::{Deserialize, Serialize};

/// What a clinical document states in codes.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodedDocument {
    /// Object identifiers of the templates that the document claims to follow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<Section>,
    /// Those within others after them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<Entry>,
}

/// A section of the narrative.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Section {
    /// LOINC code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The section it is in: an index into the sections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<usize>,
    /// In characters of the text.
    pub start: usize,
    pub end: usize,
}

/// What kind of statement an entry is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Observation,
    Act,
    Procedure,
    /// A drug given, taken or prescribed.
    Medication,
    Supply,
    Encounter,
    /// A group: the parts of a score, a battery of results.
    Organizer,
    /// A condition of an act, such as a contraindication that was checked.
    Criterion,
}

/// A statement.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Entry {
    pub kind: Kind,
    /// The section it stands in: an index into the sections.
    pub section: usize,
    /// The entry it belongs to: an index into the entries, always a lower one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<usize>,
    /// `EVN` for what happened; others for what is planned, asked or wished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mood: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Moment>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub negated: bool,
    /// The words of the narrative that it points to, in characters of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<(usize, usize)>,
}

/// A code with the code system's usual name, its object identifier where the
/// name is not known.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Code {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the sender calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub qualifiers: Vec<Code>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub translations: Vec<Code>,
}

impl Code {
    /// Whether it is this code of this system.
    pub fn is(&self, system: &str, code: &str) -> bool {
        self.system.as_deref() == Some(system) && self.code.as_deref() == Some(code)
    }

    /// The code and its translations.
    pub fn all(&self) -> impl Iterator<Item = &Code> {
        std::iter::once(self).chain(&self.translations)
    }
}

/// A value. Intervals, ratios and free text are left to the narrative.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    Coded(Code),
    Number { value: f64, unit: Option<String> },
    Boolean(bool),
    Time(Moment),
}

/// How exactly a moment is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// A point in time by the clock of the site; what is not known of it is its first
/// possible value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// `YYYY-MM-DDThh:mm:ss`.
    pub at: String,
    pub precision: Precision,
    /// `at` is in UTC still: who reads an attachment does not know the site.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub utc: bool,
}

/// Prints how much there is, never what: it can be free text.
macro_rules! silent {
    ($($kind:ident($this:ident) => $amount:expr),+ $(,)?) => {
        $(impl std::fmt::Debug for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let $this = self;
                write!(f, concat!(stringify!($kind), "({})"), $amount)
            }
        })+
    };
}

silent! {
    CodedDocument(d) => format_args!("{} sections, {} entries", d.sections.len(), d.entries.len()),
    Section(s) => format_args!("{}..{}", s.start, s.end),
    Entry(e) => format_args!("{:?}, {} values", e.kind, e.values.len()),
    Code(c) => format_args!("{} bytes", c.code.as_deref().unwrap_or_default().len()),
    Value(v) => match v {
        Value::Coded(_) => "code",
        Value::Number { .. } => "number",
        Value::Boolean(_) => "boolean",
        Value::Time(_) => "time",
    },
    Moment(m) => format_args!("{:?}", m.precision),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_says_nothing_of_what_is_in_it() {
        let code = Code { code: Some("I10".into()), display: Some("HTA de Mme Inventée".into()), ..Code::default() };
        let entry = Entry { code: Some(code), values: vec![Value::Boolean(true)], ..Entry::default() };
        let document = CodedDocument { entries: vec![entry.clone()], ..CodedDocument::default() };
        let said = format!("{document:?} {entry:?} {:?} {:?}", entry.code, entry.values);
        assert_eq!(said, "CodedDocument(0 sections, 1 entries) Entry(Observation, 1 values) Some(Code(3 bytes)) [Value(boolean)]");
    }
}
