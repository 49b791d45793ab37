//! Document Bundles: the narrative of the Composition is the text of a document.

use std::borrow::Cow;
use std::io;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::bundle::{Bundle, Envelope};
use super::document::{Failure, authors, contained, loinc};
use super::relation::{self, RelatesTo};
use super::resource::{CodeableConcept, Identifier, Lenient, List, Meta, One, RawReference, Text, words};
use super::time::FhirTime;
use super::{Intake, References, misshapen, version};
use crate::formats::attachment::{Kind, html};
use crate::formats::{reason, version_at};
use crate::rows::{DocumentRow, Paged, Precedence};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Composition<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    meta: One<Meta<'a>>,
    #[serde(borrow)]
    language: Lenient<Text<'a>>,
    #[serde(borrow)]
    contained: Option<&'a RawValue>,
    #[serde(borrow)]
    identifier: One<Identifier<'a>>,
    #[serde(borrow)]
    status: Lenient<Text<'a>>,
    #[serde(borrow, rename = "type")]
    type_: One<CodeableConcept<'a>>,
    #[serde(borrow)]
    subject: One<RawReference<'a>>,
    #[serde(borrow)]
    encounter: One<RawReference<'a>>,
    #[serde(borrow)]
    date: Lenient<Text<'a>>,
    #[serde(borrow)]
    author: Lenient<List<RawReference<'a>>>,
    #[serde(borrow)]
    title: Lenient<Text<'a>>,
    #[serde(borrow, rename = "relatesTo")]
    relates_to: Lenient<List<RelatesTo<'a>>>,
    #[serde(borrow)]
    text: One<Narrative<'a>>,
    #[serde(borrow)]
    section: List<Section<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Section<'a> {
    #[serde(borrow)]
    title: Lenient<Text<'a>>,
    #[serde(borrow)]
    text: One<Narrative<'a>>,
    #[serde(borrow)]
    section: List<Section<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Narrative<'a> {
    #[serde(borrow)]
    div: Option<Text<'a>>,
}

impl Intake<'_> {
    /// The row of a document Bundle.
    pub(super) fn composition(
        &mut self,
        bundle: &Bundle<'_>,
        json: &str,
        envelope: &Envelope<'_>,
        place: &str,
        references: &mut dyn References,
    ) -> io::Result<Result<(), Failure>> {
        self.rows.documents_seen += 1;
        let composition = match serde_json::from_str::<Composition<'_>>(json) {
            Ok(composition) => composition,
            Err(error) => return Ok(Err(misshapen(&error, "Composition"))),
        };
        let Some(id) = id(bundle, &composition, envelope) else {
            return Ok(Err(Failure::new(reason::MISSING_ID, "Composition.identifier")));
        };
        let status = match words(&composition.status.0).map(str::to_ascii_lowercase).as_deref() {
            Some("entered-in-error" | "cancelled") => "entered-in-error",
            Some("deprecated") => "superseded",
            _ => "current",
        };
        let text = narrative(&composition);
        if text.is_empty() && status == "current" {
            return Ok(Err(Failure::new(reason::MISSING_NARRATIVE, "Composition.section")));
        }
        let contained = contained(composition.contained);
        let patient_id = self.referred_id(composition.subject.0.as_ref(), "Patient", &contained, references)?;
        let encounter_id = self.referred_id(composition.encounter.0.as_ref(), "Encounter", &contained, references)?;
        let replaces = relation::replaced(&composition.relates_to, "Composition", &contained, references)?;
        let authors = authors(&composition.author, &contained, references)?;
        let (type_code, type_display) = composition.type_.0.as_ref().map_or((None, None), loinc);
        let meta = bundle.meta.0.as_ref().or(composition.meta.0.as_ref());
        let time = words(&composition.date.0).and_then(FhirTime::parse);
        // Each assembly of a document is a Bundle of its own, so that the number of
        // its versions says less than the time.
        let assembled = words(&bundle.timestamp.0).and_then(FhirTime::parse).map(|t| t.instant(self.timezone));
        let last_updated = assembled.or_else(|| self.last_updated(meta, envelope)).or(time.map(|t| t.instant(self.timezone)));
        let version = last_updated.map_or_else(|| version(meta.and_then(|m| words(&m.version_id)), None), version_at);
        self.rows.document(
            place,
            &DocumentRow {
                id: &id,
                version: Some(version),
                precedence: if status == "entered-in-error" { Precedence::Withdrawal } else { Precedence::Original },
                last_updated,
                status,
                replaces: &replaces,
                patient_id: patient_id.as_deref(),
                encounter_id: encounter_id.as_deref(),
                type_code,
                type_display,
                title: words(&composition.title.0),
                time: time.map(|t| t.wall_clock(self.timezone)),
                language: words(&composition.language.0).or(words(&bundle.language.0)),
                content_type: (!text.is_empty()).then_some(Kind::Xhtml.media_type()),
                authors: &authors,
                text: (!text.is_empty()).then_some(text.as_str()),
                coded: None,
                paged: Paged::default(),
            },
        );
        Ok(Ok(()))
    }
}

/// The identifier that all versions of the document share, else that of the
/// Bundle, else the logical id.
fn id<'c>(bundle: &'c Bundle<'_>, composition: &'c Composition<'_>, envelope: &Envelope<'c>) -> Option<Cow<'c, str>> {
    let value = |identifier: &'c One<Identifier<'_>>| identifier.0.as_ref().and_then(|i| words(&i.value));
    let identifier = value(&composition.identifier).or_else(|| value(&bundle.identifier));
    identifier.map(Cow::Borrowed).or_else(|| envelope.id_of(words(&composition.id), "Composition"))
}

/// Titles and narratives of the sections in their order; the narrative of the
/// whole where no section has one.
fn narrative(composition: &Composition<'_>) -> String {
    let mut text = String::new();
    let told = sections(&composition.section.0, &mut text);
    match composition.text.0.as_ref().and_then(|n| words(&n.div)) {
        Some(div) if !told => html::to_text(div).trim().to_owned(),
        _ if told => text,
        _ => String::new(),
    }
}

/// Whether there was more than titles.
fn sections(sections: &[Section<'_>], text: &mut String) -> bool {
    let mut told = false;
    for section in sections {
        let own = section.text.0.as_ref().and_then(|n| words(&n.div)).map(html::to_text).unwrap_or_default();
        let own = own.trim();
        if let Some(title) = words(&section.title.0) {
            separate(text, "\n\n");
            text.push_str(title);
        }
        if !own.is_empty() {
            separate(text, "\n");
            text.push_str(own);
            told = true;
        }
        told |= self::sections(&section.section.0, text);
    }
    told
}

fn separate(text: &mut String, with: &str) {
    if !text.is_empty() {
        text.push_str(with);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{get, letter, list, number, take, time};

    fn bundle(members: &str, composition: &str) -> String {
        format!(
            r#"{{"resourceType":"Bundle","type":"document","identifier":{{"system":"urn:ietf:rfc:3986","value":"urn:uuid:b1"}},{members}"entry":[
            {{"fullUrl":"urn:uuid:c","resource":{{"resourceType":"Composition",{composition}"type":{{"coding":[{{"system":"http://loinc.org","code":"11490-0","display":"CR"}}]}},
              "subject":{{"reference":"urn:uuid:p"}},"encounter":{{"reference":"Encounter/e1"}},"date":"2024-07-05T10:00:00Z","title":"Lettre de liaison","author":[{{"reference":"Practitioner/x"}}],
              "relatesTo":[{{"code":"replaces","targetIdentifier":{{"value":"old"}}}}],
              "section":[{{"title":"Motif","text":{{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Déficit &amp; chute</p></div>"}}}},
                {{"title":"Examen","section":[{{"title":"Neurologique","text":{{"div":"<div><ul><li>NIHSS 12</li></ul></div>"}}}}]}}]}}}},
            {{"fullUrl":"urn:uuid:p","resource":{{"resourceType":"Patient","id":"p1"}}}},
            {{"fullUrl":"http://s/Practitioner/x","resource":{{"resourceType":"Practitioner","id":"x","name":[{{"text":"Dr Imaginaire"}}]}}}}]}}"#
        )
    }

    #[test]
    fn narratives_are_a_document() {
        let epoch = take(&bundle(r#""timestamp":"2024-07-05T12:00:00Z","#, r#""status":"final","language":"fr","#));
        assert_eq!(epoch.dead_letters, []);
        let d = &epoch.documents;
        for (column, value) in [
            ("source_document_id", "urn:uuid:b1"),
            ("place", "f:1"),
            ("status", "current"),
            ("source_patient_id", "p1"),
            ("source_encounter_id", "e1"),
            ("type_code", "11490-0"),
            ("title", "Lettre de liaison"),
            ("language", "fr"),
            ("content_type", "application/xhtml+xml"),
            ("text", "Motif\nDéficit & chute\n\nExamen\n\nNeurologique\n- NIHSS 12"),
        ] {
            assert_eq!(get(d, column).as_deref(), Some(value), "{column}");
        }
        assert_eq!((list(d, "authors"), list(d, "replaces")), (vec!["Dr Imaginaire".to_owned()], vec!["old".to_owned()]));
        assert_eq!(
            (time(d, "document_time").as_deref(), time(d, "last_updated").as_deref()),
            (Some("2024-07-05 12:00:00"), Some("2024-07-05 12:00:00"))
        );
        assert_eq!((epoch.documents_seen, epoch.patients.num_rows()), (1, 1));
    }

    #[test]
    fn the_identifier_that_versions_share_comes_first() {
        let identified = r#""identifier":{"value":"c1"},"status":"amended","#;
        let first = take(&bundle(r#""timestamp":"2024-07-05T12:00:00Z","meta":{"versionId":"1"},"#, identified));
        let second = take(&bundle(r#""timestamp":"2024-07-06T12:00:00Z","meta":{"versionId":"1"},"#, identified));
        assert_eq!(get(&first.documents, "source_document_id").as_deref(), Some("c1"));
        assert!(number(&first.documents, "document_version") < number(&second.documents, "document_version"));
        let alone = bundle("", r#""id":"k","status":"final","#)
            .replace(r#""identifier":{"system":"urn:ietf:rfc:3986","value":"urn:uuid:b1"},"#, "");
        assert_eq!(get(&take(&alone).documents, "source_document_id").as_deref(), Some("k"));
    }

    #[test]
    fn one_in_error_is_withdrawn() {
        let epoch = take(&bundle("", r#""status":"entered-in-error","#));
        assert_eq!(
            (get(&epoch.documents, "status").as_deref(), number(&epoch.documents, "precedence")),
            (Some("entered-in-error"), Some(2))
        );
    }

    #[test]
    fn without_narrative_it_is_told() {
        let json = r#"{"resourceType":"Bundle","type":"document","identifier":{"value":"b"},"entry":[{"resource":{"resourceType":"Composition","section":[{"title":"Motif"}]}}]}"#;
        assert_eq!(letter(&take(json)), ("missing_narrative", "f:1 Composition.section".into()));
        let whole = json.replace(r#""section""#, r#""text":{"div":"<div>Tout</div>"},"section""#);
        assert_eq!(get(&take(&whole).documents, "text").as_deref(), Some("Tout"));
    }
}
