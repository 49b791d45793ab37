//! MDM and ORU messages become document rows.
//!
//! | fact | MDM (chapter 9.6) | ORU (chapter 7.3.1, 7.4) |
//! | --- | --- | --- |
//! | id | TXA-12.1 unique document number | OBX-21, else OBR-3 (OBR-2, ORC-3, ORC-2) with OBX-3.1, OBX-4 and a count |
//! | replaces | TXA-13.1 parent document (T09, T10, OBX-11 = C or D) | the same id: a newer version |
//! | withdrawn | T11, TXA-19 = CA, all OBX-11 = D or W | all OBX-11 = D or W |
//! | superseded | TXA-19 = OB | |
//! | type | TXA-2, OBX-3, OBR-4, the first in LOINC | OBX-3, OBR-4 |
//! | title | OBX-3.2, TXA-16, OBR-4.2 | OBX-3.2, OBR-4.2 |
//! | time | TXA-4 activity, TXA-6 origination, OBX-14, MSH-7 | OBR-7 observation, OBX-14, OBR-22, MSH-7 |
//! | version | TXA-8 edited, EVN-2, MSH-7 | OBR-22 status change, MSH-7 |
//! | authors | TXA-5, 9, 10, 22 | OBR-16, 32, 33 |
//!
//! and for both PRT-5, OBX-16, ORC-12, PV1-7, 8, 9 as authors.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::coded::{Coded, coded};
use super::content::{self, Content, Form, Observation};
use super::defect::Location;
use super::event::DocumentEvent;
use super::identifier;
use super::message::{Segment, Value};
use super::person::{self, add};
use super::{Group, Intake, version};
use crate::formats::attachment::Kind;
use crate::formats::{cda, reason};
use crate::rows::{DocumentRow, Paged, Precedence};

/// Why a document has no row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    pub reason: &'static str,
    pub place: Option<Location>,
}

/// Of two failures the one to tell. Of what is in a type that has no text another
/// form may be there: it comes last.
fn graver(first: Option<Failure>, other: Failure) -> Failure {
    first
        .filter(|first| first.reason != reason::UNSUPPORTED_CONTENT_TYPE || other.reason == reason::UNSUPPORTED_CONTENT_TYPE)
        .unwrap_or(other)
}

/// Where the number of a result should be.
const FILLER: Location = Location { segment: "OBR", ordinal: 1, field: 3 };
/// Lines of so many bytes are a report, not a word about the pages beside them.
const ENOUGH: usize = 300;
/// More documents than one message has.
const MAX_DOCUMENTS: usize = 1000;

/// The segments around a document, and who they name.
struct About<'a, 'm> {
    group: &'a Group<'a, 'm>,
    txa: Option<Segment<'m>>,
    obr: Option<Segment<'m>>,
    authors: Vec<String>,
}

impl<'a, 'm> About<'a, 'm> {
    /// From the segments of its order, or of the whole group.
    fn new(group: &'a Group<'a, 'm>, segments: &[Segment<'m>]) -> Self {
        let named = |name: &str| segments.iter().find(|s| s.name == name).copied();
        About { group, txa: named("TXA"), obr: named("OBR"), authors: authors(group, segments) }
    }
}

/// A document before what the segments around it say.
struct Draft<'a, 'm> {
    id: &'a str,
    content: Option<Content>,
    status: &'static str,
    precedence: Precedence,
    replaces: Vec<String>,
    version: Option<i32>,
    observations: &'a [Observation<'m>],
}

impl<'a, 'm> Draft<'a, 'm> {
    fn new(id: &'a str, observations: &'a [Observation<'m>]) -> Self {
        Draft { id, content: None, status: "current", precedence: Precedence::Original, replaces: vec![], version: None, observations }
    }

    fn withdrawn(self) -> Self {
        Draft { status: "entered-in-error", precedence: Precedence::Withdrawal, content: None, ..self }
    }
}

impl Intake<'_> {
    /// The document of an MDM message.
    pub(super) fn document(&mut self, event: DocumentEvent, group: &Group<'_, '_>) -> Result<(), Failure> {
        let missing = |field| Failure { reason: reason::MISSING_ID, place: Some(Location { segment: "TXA", ordinal: 1, field }) };
        let held: Vec<_> = group.observations.iter().copied().filter(|o| o.form != Form::Value).collect();
        let txa = group.segment("TXA");
        let availability = txa.map(|txa| txa.code(19)).unwrap_or_default();
        let deleted = !held.is_empty() && held.iter().all(Observation::is_withdrawn);
        let withdrawn = event.cancels || availability == "CA" || deleted;
        let obsolete = availability == "OB";
        if !event.content && held.is_empty() && !withdrawn && !obsolete && !event.replaces {
            // Told of, not sent: the text comes with another message.
            self.rows.ignored += 1;
            return Ok(());
        }
        self.rows.documents_seen += 1;
        let txa = txa.ok_or(missing(1))?;
        let id = txa.words(12).ok_or(missing(12))?;
        let corrected = held.iter().any(|o| o.status() == "C");
        let replaces = event.replaces || (!event.adds && (deleted || corrected));
        let parents = if replaces { parents(&txa, &id) } else { Vec::new() };
        let about = About::new(group, group.segments);
        if event.replaces && !event.content && held.is_empty() && !withdrawn {
            // What takes the place comes with another message.
            self.rows.ignored += u64::from(parents.is_empty());
            for parent in &parents {
                let version = Some(version(self.event_time));
                let draft = Draft { status: "superseded", precedence: Precedence::Replacement, version, ..Draft::new(parent, &[]) };
                self.write(draft, &about);
            }
            return Ok(());
        }
        let edited = txa.field(8).repetitions().filter_map(|t| self.clock.instant(&t.component(1).words()?)).max();
        let draft = Draft { replaces: parents, ..Draft::new(&id, &held) };
        if withdrawn {
            // Younger than the last edit of what it withdraws.
            let version = edited.max(self.event_time).map(|time| version(Some(time)));
            self.write(Draft { version, ..draft }.withdrawn(), &about);
            return Ok(());
        }
        let content = match best(&held, self.charset, self.timezone) {
            Ok(content) => Some(content),
            Err(failure) if obsolete && failure.reason == reason::MISSING_ATTACHMENT => None,
            Err(failure) => return Err(failure),
        };
        let corrects = event.corrects || replaces || corrected || obsolete;
        let draft = Draft {
            content,
            status: if obsolete { "superseded" } else { "current" },
            precedence: if corrects { Precedence::Replacement } else { Precedence::Original },
            version: Some(version(edited.or(self.event_time))),
            ..draft
        };
        self.write(draft, &about);
        Ok(())
    }

    /// The documents of an ORU message, order by order. Of several failures the
    /// first is told.
    pub(super) fn results(&mut self, group: &Group<'_, '_>) -> Result<(), Failure> {
        let mut ids = Vec::new();
        let mut failure = None;
        let mut after = group.first_obx;
        let orders = orders(group.segments);
        if orders.is_empty() {
            self.rows.ignored += 1;
        }
        for segments in orders {
            let first = after;
            after += segments.iter().filter(|s| s.name == "OBX").count();
            let [from, to] = [first, after].map(|end| group.observations.partition_point(|o| o.ordinal < end));
            let observations = &group.observations[from..to];
            if let Err(other) = self.order(group, segments, observations, &mut ids) {
                failure = failure.or(Some(other));
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// The documents of one order: each encapsulated one, else the text that the lines make.
    fn order(
        &mut self,
        group: &Group<'_, '_>,
        segments: &[Segment<'_>],
        observations: &[Observation<'_>],
        ids: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let named = |name: &str| segments.iter().find(|s| s.name == name).copied();
        let (obr, orc) = (named("OBR"), named("ORC"));
        let about = About { txa: None, ..About::new(group, segments) };
        let numbers = [(obr, 3), (obr, 2), (orc, 3), (orc, 2)];
        let order = numbers.into_iter().find_map(|(segment, field)| identifier::entity(segment?.field(field).first()));
        let changed = obr.and_then(|obr| self.clock.instant(&obr.words(22)?));
        let corrected = obr.is_some_and(|obr| obr.code(25) == "C");

        let mut failure = None;
        let mut written = 0;
        let encapsulated = || observations.iter().filter(|o| o.form == Form::Encapsulated);
        let prose: Vec<_> = observations.iter().filter(|o| o.form == Form::Text).copied().collect();
        let told = content::joined(&prose).is_ok_and(|lines| lines.text.len() >= ENOUGH);
        for observation in encapsulated() {
            if ids.len() >= MAX_DOCUMENTS {
                return self.unseen(observation.failure(reason::TOO_LARGE));
            }
            // Counted before it is read, so that the same one has the same id in each message.
            let id = instance(&observation.segment, order.as_deref()).map(|id| unused(id, ids));
            let content = match content::encapsulated(observation.segment.field(5), self.charset, self.timezone) {
                _ if observation.is_withdrawn() => None,
                Ok(content) if told && content.text.is_empty() => continue,
                Ok(content) => Some(content),
                Err(reason) => {
                    failure = Some(graver(failure, observation.failure(reason)));
                    continue;
                }
            };
            let own = || content.as_ref()?.header.as_ref()?.id.clone();
            let Some(id) = id.or_else(own) else {
                failure = Some(graver(failure, Failure { reason: reason::MISSING_ID, place: Some(FILLER) }));
                continue;
            };
            written += 1;
            self.rows.documents_seen += 1;
            self.result(Draft { content, ..Draft::new(&id, &[*observation]) }, changed, corrected, &about);
        }
        if written > 0 {
            return failure.filter(|f| f.reason != reason::UNSUPPORTED_CONTENT_TYPE).map_or(Ok(()), |failure| self.unseen(failure));
        }
        let lines: Vec<_> = observations.iter().filter(|o| matches!(o.form, Form::Text | Form::Word)).copied().collect();
        // Words beside numbers are results, not prose.
        let prose = lines.iter().any(|o| o.form == Form::Text) || !observations.iter().any(|o| o.form == Form::Value);
        if !lines.is_empty() && prose {
            let withdrawn = lines.iter().all(Observation::is_withdrawn);
            match content::joined(&lines) {
                Ok(content) => return self.prose(Some(content), order, &lines, ids, (changed, corrected), &about),
                Err(_) if withdrawn => return self.prose(None, order, &lines, ids, (changed, corrected), &about),
                Err(failed) => failure = failure.or(Some(failed)),
            }
        }
        let pointer = observations.iter().find(|o| o.form == Form::Pointer).map(|o| o.failure(reason::POINTER));
        match failure.or(pointer) {
            Some(failure) => self.unseen(failure),
            None => {
                self.rows.ignored += 1;
                Ok(())
            }
        }
    }

    fn prose(
        &mut self,
        content: Option<Content>,
        order: Option<String>,
        lines: &[Observation<'_>],
        ids: &mut Vec<String>,
        (changed, corrected): (Option<DateTime<Utc>>, bool),
        about: &About<'_, '_>,
    ) -> Result<(), Failure> {
        let place = Some(FILLER);
        if ids.len() >= MAX_DOCUMENTS {
            return self.unseen(Failure { reason: reason::TOO_LARGE, place });
        }
        self.rows.documents_seen += 1;
        let mut id = order.ok_or(Failure { reason: reason::MISSING_ID, place })?;
        if ids.contains(&id) {
            // One number for several examinations.
            id = [&id, "#", &about.obr.and_then(|obr| obr.words(4)).unwrap_or_default()].concat();
        }
        let id = unused(id, ids);
        self.result(Draft { content, ..Draft::new(&id, lines) }, changed, corrected, about);
        Ok(())
    }

    fn unseen(&mut self, failure: Failure) -> Result<(), Failure> {
        self.rows.documents_seen += 1;
        Err(failure)
    }

    /// A document of a result: current, a correction, or withdrawn where it has no content.
    fn result(&mut self, draft: Draft<'_, '_>, changed: Option<DateTime<Utc>>, corrected: bool, about: &About<'_, '_>) {
        let corrected = corrected || draft.observations.iter().any(|o| o.status() == "C");
        let draft = if draft.content.is_none() {
            let version = changed.max(self.event_time).map(|time| version(Some(time)));
            Draft { version, ..draft }.withdrawn()
        } else {
            let precedence = if corrected { Precedence::Replacement } else { Precedence::Original };
            Draft { precedence, version: Some(version(changed.or(self.event_time))), ..draft }
        };
        self.write(draft, about);
    }

    fn write(&mut self, draft: Draft<'_, '_>, about: &About<'_, '_>) {
        let header = draft.content.as_ref().and_then(|c| c.header.as_deref());
        let first = draft.observations.first().map(|o| o.segment);
        // Lines of several sections: none of their names is that of the document.
        let one = draft.observations.iter().all(|o| first.is_some_and(|first| o.segment.words(3) == first.words(3)));
        let observed = first.filter(|_| one).map(|obx| obx.field(3).first());
        let declared = about.txa.map(|txa| txa.field(2).first());
        let ordered = about.obr.map(|obr| obr.field(4).first());
        let kinds: Vec<Coded> = [declared, observed, ordered].into_iter().flatten().map(coded).collect();
        let type_code = kinds.iter().find_map(|k| k.loinc.clone()).or_else(|| header.and_then(|h| h.type_code.clone()));
        let name = |k: &Coded| k.name.clone().filter(|_| type_code.is_none() || k.loinc == type_code);
        let type_display = kinds.iter().find_map(name).or_else(|| kinds.iter().find_map(|k| k.name.clone()));
        let text = |value: Option<Value<'_>>| value.and_then(|v| v.component(2).words()).map(String::from);
        let title = text(observed)
            .or_else(|| about.txa.and_then(|txa| txa.words(16)).map(String::from))
            .or_else(|| text(ordered))
            .or_else(|| header.and_then(|h| h.title.clone()));
        let times = [(about.txa, 4), (about.txa, 6), (about.obr, 7), (first, 14), (about.obr, 22)];
        let time = times.into_iter().find_map(|(segment, field)| self.clock.wall_clock(&segment?.words(field)?));
        let time = time.or_else(|| header.and_then(|h| h.effective_time)).or_else(|| self.clock.wall_clock(self.message_time.as_deref()?));
        if draft.content.as_ref().is_some_and(|c| c.guessed || self.guessed) {
            self.rows.charset_guessed += 1;
        }
        let mut replaces = draft.replaces;
        for parent in header.into_iter().flat_map(|h| &h.replaces).filter(|parent| *parent != draft.id) {
            add(&mut replaces, parent);
        }
        let mut authors = about.authors.clone();
        for author in header.into_iter().flat_map(|h| &h.authors) {
            add(&mut authors, author);
        }
        let coded = header.and_then(cda::Document::coded).and_then(|coded| cda::json(&coded));
        self.rows.document(
            self.place,
            &DocumentRow {
                id: draft.id,
                version: draft.version,
                precedence: draft.precedence,
                last_updated: self.event_time,
                status: draft.status,
                replaces: &replaces,
                patient_id: about.group.patient_id.as_deref(),
                encounter_id: about.group.encounter_id.as_deref(),
                type_code: type_code.as_deref(),
                type_display: type_display.as_deref().or(header.and_then(|h| h.type_display.as_deref())),
                title: title.as_deref(),
                time,
                language: header.and_then(|h| h.language.as_deref()).or(self.language.as_deref()),
                content_type: draft.content.as_ref().map(|c| c.kind.media_type()),
                authors: &authors,
                coded: coded.as_deref(),
                text: draft.content.as_ref().filter(|c| !c.text.is_empty() || c.pages.is_empty()).map(|c| c.text.as_str()),
                paged: Paged { attachments: draft.content.as_ref().map_or(&[], |c| &c.pages), ..Paged::default() },
            },
        );
    }
}

/// The parent documents of a TXA. The examples of the French profile leave out
/// the dot between the root and the extension in TXA-13, though not in TXA-12,
/// and so do those who followed them: both are meant.
fn parents(txa: &Segment<'_>, id: &str) -> Vec<String> {
    let mut parents = Vec::new();
    for parent in txa.field(13).repetitions().filter_map(|ei| ei.component(1).words()) {
        let letter = parent.find(|c: char| !(c.is_ascii_digit() || c == '.'));
        let dotted = letter.filter(|at| *at > 0 && parent[..*at].contains('.') && !parent[..*at].ends_with('.'));
        let dotted = dotted.filter(|at| parent[*at..].starts_with(|c: char| c.is_ascii_alphabetic()));
        let dotted = dotted.map(|at| format!("{}.{}", &parent[..at], &parent[at..]));
        for parent in [Some(parent.into_owned()), dotted].into_iter().flatten().filter(|parent| parent != id) {
            add(&mut parents, &parent);
        }
    }
    parents
}

/// The id of an encapsulated result: its own (OBX-21, 2.7 and sometimes before),
/// else made of the order's, OBX-3 and OBX-4.
fn instance(obx: &Segment<'_>, order: Option<&str>) -> Option<String> {
    if let Some(own) = identifier::entity(obx.field(21).first()) {
        return Some(own);
    }
    let mut id = format!("{}#{}", order?, obx.words(3).unwrap_or_default());
    if let Some(part) = obx.words(4) {
        id = format!("{id}/{part}");
    }
    Some(id)
}

/// That id, or with a count where the message has had it before.
fn unused(id: String, ids: &mut Vec<String>) -> String {
    let count = ids.iter().filter(|known| **known == id).count();
    ids.push(id.clone());
    if count > 0 { format!("{id}#{}", count + 1) } else { id }
}

/// The segments of each order: ORC, OBR and what follows.
fn orders<'s, 'm>(segments: &'s [Segment<'m>]) -> Vec<&'s [Segment<'m>]> {
    let mut starts = vec![0];
    let mut has_request = true;
    for (at, segment) in segments.iter().enumerate() {
        match segment.name {
            "ORC" => {
                starts.push(at);
                has_request = false;
            }
            "OBR" => {
                if has_request {
                    starts.push(at);
                }
                has_request = true;
            }
            _ => {}
        }
    }
    starts.push(segments.len());
    let ranges = starts.windows(2).map(|pair| &segments[pair[0]..pair[1]]);
    ranges.filter(|order| order.iter().any(|s| matches!(s.name, "OBX" | "OBR"))).collect()
}

/// The text of several observations that are one document.
fn best(held: &[Observation<'_>], charset: Option<&str>, timezone: Tz) -> Result<Content, Failure> {
    let mut failure = None;
    let mut contents: Vec<Content> = Vec::new();
    for observation in held.iter().filter(|o| o.form == Form::Encapsulated && !o.is_withdrawn()) {
        match content::encapsulated(observation.segment.field(5), charset, timezone) {
            Ok(content) => contents.push(content),
            Err(reason) => failure = failure.or(Some(observation.failure(reason))),
        }
    }
    // Of several forms the best; several of that form are its parts.
    contents.sort_by_key(|content| content.kind);
    // A text in lines beside pages says the same, and needs no reading of pages.
    if contents.first().is_some_and(|c| c.text.is_empty())
        && let Some(lines) = content::joined(held).ok().filter(|lines| lines.text.len() >= ENOUGH)
    {
        return Ok(lines);
    }
    let mut contents = contents.into_iter();
    if let Some(mut first) = contents.next() {
        for part in contents.filter(|part| part.kind == Kind::Plain && first.kind == Kind::Plain) {
            if part.text != first.text {
                first.text = [first.text.as_str(), "\n", &part.text].concat();
                first.guessed |= part.guessed;
            }
        }
        return Ok(first);
    }
    let lines = content::joined(held);
    let pointer = held.iter().find(|o| o.form == Form::Pointer).map(|o| o.failure(reason::POINTER));
    lines.map_err(|none| failure.or(pointer).unwrap_or(none))
}

/// How a name is read from a value.
type Naming = fn(Value<'_>) -> Option<String>;

/// Names of those who wrote, signed or asked for it, or look after the patient.
fn authors(group: &Group<'_, '_>, segments: &[Segment<'_>]) -> Vec<String> {
    let visit = group.segments.iter().find(|s| s.name == "PV1");
    let mut names = Vec::new();
    for segment in segments.iter().filter(|s| s.name != "PV1").chain(visit) {
        let (fields, name): (&[usize], Naming) = match segment.name {
            "TXA" => (&[9, 10, 22, 5], person::professional),
            "OBR" => (&[32, 33, 16], person::interpreter),
            "OBX" => (&[16], person::professional),
            "ORC" => (&[12], person::professional),
            "PV1" => (&[7, 8, 9], person::professional),
            // Who only gets a copy (RCT) is no author: table 0912.
            "PRT" if segment.code(4) != "RCT" => (&[5], person::professional),
            _ => continue,
        };
        let values = fields.iter().flat_map(|field| segment.field(*field).repetitions());
        for value in values.filter(|value| !person::is_patient(*value, group.pid.as_ref())) {
            add(&mut names, &name(value).unwrap_or_default());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::message::Message;
    use super::*;

    #[test]
    fn parents_are_named_with_the_dot_that_is_missing() {
        let text = "MSH|^~\\&|\rTXA|1|||||||||||1.2.34.A2|1.2.34A1^Org~77~1.2.34.A2\r";
        let Ok(message) = Message::parse(text) else { panic!("not read") };
        assert_eq!(parents(&message.segments[1], "1.2.34.A2"), ["1.2.34A1", "1.2.34.A1", "77"]);
    }

    #[test]
    fn orders_begin_with_orc_or_obr() {
        let text = "MSH|^~\\&|\rPID|1\rORC|a\rOBR|1\rOBX|1\rOBR|2\rOBX|1\rOBX|2\rORC|b\rOBR|3\r";
        let Ok(message) = Message::parse(text) else { panic!("not read") };
        let names = |order: &[Segment<'_>]| order.iter().map(|s| s.name).collect::<Vec<_>>().join(" ");
        assert_eq!(orders(&message.segments).into_iter().map(names).collect::<Vec<_>>(), ["ORC OBR OBX", "OBR OBX OBX", "ORC OBR"]);
        let bare = "MSH|^~\\&|\rPID|1\rOBX|1\r";
        let Ok(message) = Message::parse(bare) else { panic!("not read") };
        assert_eq!(orders(&message.segments).into_iter().map(names).collect::<Vec<_>>(), ["MSH PID OBX"]);
    }
}
