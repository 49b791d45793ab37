//! The coded entries in the form in which they travel to the stages.

use chrono::{NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use sillage_schemas::coded;

use super::code::Code;
use super::entry::{CodedEntry, EntryKind, Value};
use super::time::{Moment, Precision};
use super::{Document, Section};

const TIME: &str = "%Y-%m-%dT%H:%M:%S";

impl Document {
    /// What the document states in codes; `None` where it states nothing. Times with
    /// a zone are marked as UTC where the document was read by that clock.
    pub fn coded(&self) -> Option<coded::CodedDocument> {
        if self.templates.is_empty() && self.entries.is_empty() {
            return None;
        }
        Some(coded::CodedDocument {
            templates: self.templates.clone(),
            sections: sections(&self.sections),
            entries: self.entries.iter().map(|entry| self.entry(entry)).collect(),
        })
    }

    fn entry(&self, entry: &CodedEntry) -> coded::Entry {
        let time = entry.time.unwrap_or_default();
        let moment = |moment: Moment| self.moment(moment);
        coded::Entry {
            kind: match entry.kind {
                EntryKind::Observation => coded::Kind::Observation,
                EntryKind::Act => coded::Kind::Act,
                EntryKind::Procedure => coded::Kind::Procedure,
                EntryKind::Medication => coded::Kind::Medication,
                EntryKind::Supply => coded::Kind::Supply,
                EntryKind::Encounter => coded::Kind::Encounter,
                EntryKind::Organizer => coded::Kind::Organizer,
                EntryKind::Criterion => coded::Kind::Criterion,
            },
            section: entry.section,
            parent: entry.parent,
            mood: entry.mood.clone(),
            status: entry.status.clone(),
            templates: entry.templates.clone(),
            code: entry.code.as_ref().map(code),
            values: entry.values.iter().filter_map(|v| self.value(v)).collect(),
            sites: entry.sites.iter().map(code).collect(),
            product: entry.product.as_ref().map(code),
            start: time.low.map(moment),
            end: time.high.map(moment),
            negated: entry.negated,
            span: entry.span.as_ref().map(|span| (span.start, span.end)),
        }
    }

    /// `None` for what is left to the narrative.
    fn value(&self, value: &Value) -> Option<coded::Value> {
        match value {
            Value::Coded(value) => Some(coded::Value::Coded(code(value))),
            Value::Quantity { value, unit } => Some(coded::Value::Number { value: *value, unit: unit.clone() }),
            Value::Integer(value) => Some(coded::Value::Number { value: *value as f64, unit: None }),
            Value::Real(value) => Some(coded::Value::Number { value: *value, unit: None }),
            Value::Boolean(value) => Some(coded::Value::Boolean(*value)),
            Value::Time(moment) => Some(coded::Value::Time(self.moment(*moment))),
            Value::QuantityInterval { .. } | Value::TimeInterval(_) | Value::Ratio { .. } | Value::Text(_) => None,
        }
    }

    fn moment(&self, moment: Moment) -> coded::Moment {
        coded::Moment {
            at: moment.at.format(TIME).to_string(),
            precision: match moment.precision {
                Precision::Year => coded::Precision::Year,
                Precision::Month => coded::Precision::Month,
                Precision::Day => coded::Precision::Day,
                Precision::Hour => coded::Precision::Hour,
                Precision::Minute => coded::Precision::Minute,
                Precision::Second => coded::Precision::Second,
            },
            utc: moment.zoned && self.clock == Tz::UTC,
        }
    }
}

fn sections(sections: &[Section]) -> Vec<coded::Section> {
    let mut open: Vec<usize> = Vec::new();
    let mut found = Vec::with_capacity(sections.len());
    for (index, section) in sections.iter().enumerate() {
        open.truncate(section.depth);
        let loinc = section.code.as_ref().filter(|c| c.system_name == Some("LOINC"));
        found.push(coded::Section {
            code: loinc.and_then(|c| c.code.clone()),
            parent: open.last().copied(),
            start: section.range.start,
            end: section.range.end,
        });
        open.push(index);
    }
    found
}

fn code(code: &Code) -> coded::Code {
    coded::Code {
        system: code.system_name.map(str::to_owned).or_else(|| code.system.clone()),
        code: code.code.clone(),
        display: code.display.clone(),
        qualifiers: code.qualifiers.iter().map(self::code).collect(),
        translations: code.translations.iter().map(self::code).collect(),
    }
}

/// The same by the clock of the site.
pub fn at_site(document: &coded::CodedDocument, site: Tz) -> coded::CodedDocument {
    let mut document = document.clone();
    for entry in &mut document.entries {
        let values = entry.values.iter_mut().filter_map(|value| match value {
            coded::Value::Time(moment) => Some(moment),
            _ => None,
        });
        for moment in values.chain(&mut entry.start).chain(&mut entry.end).filter(|moment| moment.utc) {
            if let Ok(at) = NaiveDateTime::parse_from_str(&moment.at, TIME) {
                moment.at = Utc.from_utc_datetime(&at).with_timezone(&site).format(TIME).to_string();
            }
            moment.utc = false;
        }
    }
    document
}

/// As the column holds it.
pub fn json(document: &coded::CodedDocument) -> Option<String> {
    // Numbers are finite and keys are text: there always is a JSON form.
    serde_json::to_string(document).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::cda::read;

    const XML: &str = "<ClinicalDocument xmlns='urn:hl7-org:v3'><templateId root='1.2.3'/><component><structuredBody>\
        <component><section><code code='29545-1' codeSystem='2.16.840.1.113883.6.1'/><title>Examen</title>\
        <component><section><code code='8716-3' codeSystem='2.16.840.1.113883.6.1'/><title>Constantes</title>\
        <text><content ID='pas'>PAS 150</content></text>\
        <entry><observation moodCode='EVN'><code code='8480-6' codeSystem='2.16.840.1.113883.6.1' displayName='PAS'/><text><reference value='#pas'/></text>\
        <effectiveTime value='20240702083000+0000'/><value type='PQ' value='150' unit='mm[Hg]'/><value type='ST'>de Mme Inventée</value></observation></entry>\
        </section></component></section></component>\
        <component><section><title>Suite</title><text>vue</text></section></component>\
        </structuredBody></component></ClinicalDocument>";

    fn coded(clock: Tz) -> coded::CodedDocument {
        read(XML.as_bytes(), clock).ok().and_then(|d| d.coded()).unwrap_or_default()
    }

    #[test]
    fn an_entry_keeps_what_the_stages_need() {
        let document = coded(Tz::Europe__Paris);
        assert_eq!(document.templates, ["1.2.3"]);
        let parents: Vec<_> = document.sections.iter().map(|s| (s.code.as_deref(), s.parent)).collect();
        assert_eq!(parents, [(Some("29545-1"), None), (Some("8716-3"), Some(0)), (None, None)]);
        let entry = &document.entries[0];
        assert_eq!((entry.section, entry.mood.as_deref()), (1, Some("EVN")));
        assert!(entry.code.as_ref().is_some_and(|c| c.is("LOINC", "8480-6")));
        assert!(entry.values == [coded::Value::Number { value: 150.0, unit: Some("mm[Hg]".into()) }], "free text stays behind");
        assert_eq!(entry.span, Some((19, 26)));
        let json = json(&document).unwrap_or_default();
        assert!(!json.contains("Inventée"), "{json}");
        assert!(serde_json::from_str::<coded::CodedDocument>(&json).is_ok_and(|again| again == document));
    }

    #[test]
    fn an_attachment_read_without_its_site_ends_with_the_same_times() {
        let (at_once, later) = (coded(Tz::Europe__Paris), coded(Tz::UTC));
        assert_eq!(at_once.entries[0].start.as_ref().map(|m| m.at.as_str()), Some("2024-07-02T10:30:00"));
        assert!(later != at_once && at_site(&later, Tz::Europe__Paris) == at_once);
        assert!(at_site(&at_once, Tz::America__Cayenne) == at_once);
    }
}
