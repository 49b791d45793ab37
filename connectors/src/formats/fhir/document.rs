//! DocumentReference: which of its texts to take, and the row that becomes of it.

use std::io;

use super::bundle::Envelope;
use super::resource::{
    Attachment, CodeableConcept, Contained, DocumentReference, HumanName, Lenient, List, Meta, One, RawReference, Text, words,
};
use super::{Intake, Key, References, Target, relation, resource, version};
use crate::formats::attachment::{self, Extracted, Kind, MediaType};
use crate::formats::fhir::time::FhirTime;
use crate::formats::{cda, reason};
use crate::rows::{DocumentRow, Paged, Precedence};

/// Why a resource has no row, and where in it the reason is.
pub(super) struct Failure {
    pub reason: &'static str,
    pub path: String,
}

impl Failure {
    pub fn new(reason: &'static str, path: impl Into<String>) -> Self {
        Failure { reason, path: path.into() }
    }
}

impl Intake<'_> {
    pub(super) fn document(
        &mut self,
        document: &DocumentReference<'_>,
        envelope: &Envelope<'_>,
        place: &str,
        references: &mut dyn References,
    ) -> io::Result<Result<(), Failure>> {
        let Some(id) = document_id(document, envelope) else {
            return Ok(Err(Failure::new(reason::MISSING_ID, "DocumentReference.id")));
        };
        let status = status(document);
        let contained = contained(document.contained);
        let extracted = match self.best_text(document, &contained, references)? {
            Ok(extracted) => Some(extracted),
            // A withdrawal is obeyed whatever became of its text, and servers
            // often empty what they replace.
            Err(_) if status == "entered-in-error" => None,
            Err(failure) if status == "superseded" && failure.reason == reason::MISSING_ATTACHMENT => None,
            Err(failure) => return Ok(Err(failure)),
        };
        let attachment = extracted.as_ref().map(|(index, _)| *index).and_then(|index| attachment_at(document, index));
        let patient_id = self.referred_id(document.subject.0.as_ref(), "Patient", &contained, references)?;
        let encounter_id = self.encounter_of(document, &contained, references)?;
        let (type_code, type_display) = document.type_.0.as_ref().map_or((None, None), loinc);
        let meta = document.meta.0.as_ref();
        let last_updated = self.last_updated(meta, envelope);
        let version = version(meta.and_then(|m| words(&m.version_id)).or(envelope.etag), last_updated);
        let replaces = relation::replaced(&document.relates_to, "DocumentReference", &contained, references)?;
        let authors = authors(&document.author, &contained, references)?;
        if extracted.as_ref().is_some_and(|(_, e)| e.charset_guessed) {
            self.rows.charset_guessed += 1;
        }
        let attachments = || document.content.0.iter().filter_map(|c| c.attachment.as_ref());
        let title = attachment.and_then(|a| words(&a.title)).or_else(|| attachments().find_map(|a| words(&a.title)));
        let coded = extracted.as_ref().and_then(|(_, e)| e.coded.as_deref()).and_then(|c| cda::json(&cda::at_site(c, self.timezone)));
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
                title: words(&document.description.0).or(title),
                time: self.document_time(document, attachment),
                language: attachment.and_then(|a| words(&a.language)).or(words(&document.language.0)),
                content_type: extracted.as_ref().map(|(_, e)| e.kind.media_type()),
                authors: &authors,
                coded: coded.as_deref(),
                text: extracted.as_ref().filter(|(_, e)| !e.text.is_empty() || e.pages.is_empty()).map(|(_, e)| e.text.as_str()),
                paged: Paged { attachments: extracted.as_ref().map_or(&[], |(_, e)| &e.pages), ..Paged::default() },
            },
        );
        Ok(Ok(()))
    }

    /// The best attachment that text can be had of, with its index in `content`.
    /// Of several failures the one of the most promising attachment counts.
    fn best_text(
        &mut self,
        document: &DocumentReference<'_>,
        contained: &[Contained<'_>],
        references: &mut dyn References,
    ) -> io::Result<Result<(usize, Extracted), Failure>> {
        let mut candidates = Vec::new();
        let mut unsupported = None;
        for (index, content) in document.content.0.iter().enumerate() {
            let Some(attachment) = &content.attachment else { continue };
            if words(&attachment.data).is_none() && words(&attachment.url).is_none() {
                continue;
            }
            let declared = MediaType::parse(words(&attachment.content_type).unwrap_or_default());
            match declared.kind {
                Some(kind) => candidates.push((kind, index, attachment, declared)),
                None => unsupported = unsupported.or(Some(index)),
            }
        }
        candidates.sort_by_key(|(kind, index, ..)| (*kind, *index));
        let (mut failure, mut pages) = (None, None);
        for (_, index, attachment, declared) in candidates {
            match self.text_of(index, attachment, declared, contained, references)? {
                // Whatever they are called, pages give way to words.
                Ok(extracted) if extracted.text.is_empty() && !extracted.pages.is_empty() => pages = pages.or(Some((index, extracted))),
                Ok(extracted) => return Ok(Ok((index, extracted))),
                Err(other) => failure = failure.or(Some(other)),
            }
        }
        if let Some(pages) = pages {
            return Ok(Ok(pages));
        }
        Ok(Err(failure.unwrap_or_else(|| match unsupported {
            Some(index) => Failure::new(reason::UNSUPPORTED_CONTENT_TYPE, attachment_path(index, "contentType")),
            None => Failure::new(reason::MISSING_ATTACHMENT, "DocumentReference.content"),
        })))
    }

    fn text_of(
        &mut self,
        index: usize,
        attachment: &Attachment<'_>,
        mut declared: MediaType,
        contained: &[Contained<'_>],
        references: &mut dyn References,
    ) -> io::Result<Result<Extracted, Failure>> {
        let fail = |reason, element| Ok(Err(Failure::new(reason, attachment_path(index, element))));
        let bytes = if let Some(data) = words(&attachment.data) {
            match attachment::base64(data) {
                Some(bytes) => bytes,
                None => return fail(reason::BAD_BASE64, "data"),
            }
        } else {
            let url = words(&attachment.url).unwrap_or_default();
            let fetched;
            let binary = match Target::parse(url) {
                Target::Data(url) => match attachment::data_url(url) {
                    Some((media, bytes)) => {
                        refine(&mut declared, media);
                        return Ok(extracted(bytes, &declared, index));
                    }
                    None => return fail(reason::BAD_BASE64, "url"),
                },
                Target::Contained(id) => contained
                    .iter()
                    .find(|c| words(&c.id) == Some(id))
                    .map(|c| (words(&c.content_type).unwrap_or_default(), words(&c.data).unwrap_or_default())),
                target => {
                    let by_url = references.find(Key::FullUrl(url))?;
                    fetched = match (by_url, target) {
                        (None, Target::Resource { resource_type: None | Some("Binary"), id }) => {
                            references.find(Key::Id { resource_type: "Binary", id })?
                        }
                        (found, _) => found,
                    };
                    let Some(json) = &fetched else { return fail(reason::MISSING_BINARY, "url") };
                    self.rows.bytes_fetched += json.len() as u64;
                    match serde_json::from_slice::<resource::Binary<'_>>(json) {
                        Ok(binary) => {
                            if let Some(media) = words(&binary.content_type) {
                                refine(&mut declared, MediaType::parse(media));
                            }
                            let Some(data) = words(&binary.data).or(words(&binary.content)) else {
                                return fail(reason::MISSING_ATTACHMENT, "url");
                            };
                            return match attachment::base64(data) {
                                Some(bytes) => Ok(extracted(bytes, &declared, index)),
                                None => fail(reason::BAD_BASE64, "url"),
                            };
                        }
                        Err(_) => return fail(reason::MISSING_BINARY, "url"),
                    }
                }
            };
            let Some((media, data)) = binary else { return fail(reason::MISSING_BINARY, "url") };
            refine(&mut declared, MediaType::parse(media));
            match attachment::base64(data) {
                Some(bytes) => bytes,
                None => return fail(reason::BAD_BASE64, "url"),
            }
        };
        Ok(extracted(bytes, &declared, index))
    }

    /// When the document was written, else the care it tells of, else its file.
    fn document_time(&self, document: &DocumentReference<'_>, attachment: Option<&Attachment<'_>>) -> Option<chrono::NaiveDateTime> {
        let contexts = document.context.0.iter().flat_map(|list| &list.0);
        let periods = contexts.filter_map(|c| c.period.0.as_ref()).chain(document.period.0.as_ref());
        let others = document.content.0.iter().filter_map(|c| c.attachment.as_ref());
        let creations = attachment.into_iter().chain(others).filter_map(|a| words(&a.creation));
        let mut times = words(&document.date.0).into_iter().chain(periods.filter_map(|p| words(&p.start))).chain(creations);
        times.find_map(FhirTime::parse).map(|time| time.wall_clock(self.timezone))
    }

    fn encounter_of(
        &mut self,
        document: &DocumentReference<'_>,
        contained: &[Contained<'_>],
        references: &mut dyn References,
    ) -> io::Result<Option<String>> {
        for context in document.context.0.iter().flat_map(|list| &list.0) {
            for reference in context.encounter.0.iter().flat_map(|list| &list.0) {
                if let Some(id) = self.referred_id(Some(reference), "Encounter", contained, references)? {
                    return Ok(Some(id));
                }
            }
            if context.reference.is_some() || context.identifier.0.is_some() {
                let identifier = context.identifier.0.as_ref().map(|i| resource::Identifier {
                    type_: One(None),
                    system: i.system.clone(),
                    value: i.value.clone(),
                });
                let reference = RawReference { reference: context.reference.clone(), identifier: One(identifier), display: None };
                if let Some(id) = self.referred_id(Some(&reference), "Encounter", contained, references)? {
                    return Ok(Some(id));
                }
            }
        }
        Ok(None)
    }

    pub(super) fn last_updated(&self, meta: Option<&Meta<'_>>, envelope: &Envelope<'_>) -> Option<chrono::DateTime<chrono::Utc>> {
        let written = meta.and_then(|m| words(&m.last_updated)).or(envelope.last_modified);
        written.and_then(FhirTime::parse).map(|t| t.instant(self.timezone))
    }
}

/// Takes over what the place of the data says more exactly than the attachment.
fn refine(declared: &mut MediaType, data: MediaType) {
    if matches!(declared.kind, Some(Kind::Unknown)) || data.kind.is_some_and(|kind| kind != Kind::Unknown && kind != Kind::Mime) {
        declared.kind = data.kind;
    }
    declared.charset = data.charset.or(declared.charset.take());
}

fn extracted(bytes: Vec<u8>, declared: &MediaType, index: usize) -> Result<Extracted, Failure> {
    attachment::read(bytes, declared).map_err(|reason| Failure::new(reason, attachment_path(index, "contentType")))
}

fn attachment_at<'d, 'a>(document: &'d DocumentReference<'a>, index: usize) -> Option<&'d Attachment<'a>> {
    document.content.0.get(index).and_then(|content| content.attachment.as_ref())
}

fn attachment_path(index: usize, element: &str) -> String {
    format!("DocumentReference.content[{index}].attachment.{element}")
}

/// Logical id, else the one it is written to, else that of the Bundle entry, else
/// a business identifier. A sender who makes a URN up for each Bundle writes the
/// master identifier the same each time.
pub(super) fn document_id(document: &DocumentReference<'_>, envelope: &Envelope<'_>) -> Option<String> {
    if let Some(id) = words(&document.id) {
        return Some(id.to_owned());
    }
    if let Some(id) = envelope.requested("DocumentReference") {
        return Some(id.into_owned());
    }
    let master = document.master_identifier.0.as_ref().and_then(|i| words(&i.value));
    if let Some(id) = master.filter(|_| envelope.full_url.is_none_or(|url| matches!(Target::parse(url), Target::FullUrl(_)))) {
        return Some(id.to_owned());
    }
    let identifiers = document.identifier.0.iter().flat_map(|list| &list.0);
    envelope.given().or(master).or_else(|| identifiers.into_iter().find_map(|i| words(&i.value))).map(str::to_owned)
}

pub(super) fn status(document: &DocumentReference<'_>) -> &'static str {
    let is = |text: &Lenient<Text<'_>>, word: &str| words(&text.0).is_some_and(|t| t.eq_ignore_ascii_case(word));
    if is(&document.status, "entered-in-error") || is(&document.doc_status, "entered-in-error") {
        "entered-in-error"
    } else if is(&document.status, "superseded") {
        "superseded"
    } else {
        "current"
    }
}

/// The LOINC code and what to call the type.
pub(super) fn loinc<'c>(concept: &'c CodeableConcept<'_>) -> (Option<&'c str>, Option<&'c str>) {
    let codings = || concept.coding.0.iter().flat_map(|list| &list.0);
    let is_loinc = |system: &str| system.contains("loinc.org") || system.ends_with("2.16.840.1.113883.6.1");
    let loinc = codings().find(|c| words(&c.system).is_some_and(is_loinc) && words(&c.code).is_some());
    let display = loinc.and_then(|c| words(&c.display)).or(words(&concept.text)).or_else(|| codings().find_map(|c| words(&c.display)));
    (loinc.and_then(|c| words(&c.code)), display)
}

pub(super) fn authors(
    authors: &Lenient<List<RawReference<'_>>>,
    contained: &[Contained<'_>],
    references: &mut dyn References,
) -> io::Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for author in authors.0.iter().flat_map(|list| &list.0) {
        let name = match (words(&author.display), words(&author.reference)) {
            (Some(name), _) => Some(name.to_owned()),
            (None, Some(reference)) => name_of(reference, contained, references, 2)?,
            (None, None) => None,
        };
        names.extend(name.filter(|name| !names.contains(name)));
    }
    Ok(names)
}

/// The name of a person that came along, or of who has a role that came along.
fn name_of(reference: &str, contained: &[Contained<'_>], references: &mut dyn References, hops: u8) -> io::Result<Option<String>> {
    let key = match Target::parse(reference) {
        Target::Contained(id) => {
            let person = contained.iter().find(|c| words(&c.id) == Some(id));
            return match person {
                Some(person) => named(person, contained, references, hops),
                None => Ok(None),
            };
        }
        Target::Resource { resource_type: Some(resource_type), id } => Key::Id { resource_type, id },
        Target::FullUrl(url) => Key::FullUrl(url),
        _ => return Ok(None),
    };
    let beside = references.beside(key)?;
    match beside.as_deref().and_then(|json| serde_json::from_slice::<Contained<'_>>(json).ok()) {
        Some(person) => named(&person, &[], references, hops),
        None => Ok(None),
    }
}

fn named(person: &Contained<'_>, contained: &[Contained<'_>], references: &mut dyn References, hops: u8) -> io::Result<Option<String>> {
    if let Some(name) = person.name.0.as_ref().and_then(|names| names.0.iter().find_map(full_name)) {
        return Ok(Some(name));
    }
    let Some(practitioner) = person.practitioner.0.as_ref() else { return Ok(None) };
    match (words(&practitioner.display), words(&practitioner.reference)) {
        (Some(name), _) => Ok(Some(name.to_owned())),
        (None, Some(reference)) if hops > 0 => name_of(reference, contained, references, hops - 1),
        _ => Ok(None),
    }
}

pub(super) fn full_name(name: &HumanName<'_>) -> Option<String> {
    if let Some(text) = words(&name.text) {
        return Some(text.to_owned());
    }
    let given = name.given.0.iter().flatten().map(|t| t.0.trim());
    let whole = given.chain(words(&name.family)).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    (!whole.is_empty()).then_some(whole)
}

/// Contained resources, those that can be read.
pub(super) fn contained(raw: Option<&serde_json::value::RawValue>) -> Vec<Contained<'_>> {
    let list = raw.and_then(|raw| serde_json::from_str::<Vec<Lenient<Contained<'_>>>>(raw.get()).ok());
    list.into_iter().flatten().filter_map(|c| c.0).collect()
}
