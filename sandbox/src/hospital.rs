//! A simulated hospital: a FHIR Bulk Data export of invented stroke patients.
//!
//! The feed is deterministic: the same count and seed give the same bytes. It
//! has what a real export has: gzip beside plain files, three character sets
//! and HTML, texts inline and in Binary resources, documents sent again after a
//! correction, one withdrawn, and a line that a full disk cut short.

pub(crate) mod case;
pub(crate) mod documents;
mod grammar;
pub(crate) mod layout;
pub(crate) mod person;
pub(crate) mod random;
pub(crate) mod resources;
mod words;

use std::path::Path;

use case::Case;
use documents::Document;
use random::Random;
use resources::{Encoding, Status};

pub use crate::feed::Error;
use crate::feed::NdjsonFile;

/// What a feed holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    pub patients: usize,
    /// Documents whose last version stands.
    pub documents: usize,
    /// Versions that replace an earlier one, the withdrawal left out.
    pub corrections: usize,
    /// Documents that were withdrawn (`entered-in-error`).
    pub withdrawn: usize,
    /// Lines that are no JSON.
    pub broken_lines: usize,
    /// Size of the feed before compression.
    pub bytes: u64,
}

struct Files {
    patients: NdjsonFile,
    encounters: NdjsonFile,
    documents: NdjsonFile,
    binaries: NdjsonFile,
}

/// Writes the export of a hospital with this many stroke patients, a patient at
/// a time: memory does not grow with the count.
///
/// Errors: the folder cannot be written.
pub fn write_feed(folder: &Path, patients: usize, seed: u64) -> Result<Summary, Error> {
    let mut files = Files {
        patients: NdjsonFile::create(folder, "Patient.ndjson")?,
        encounters: NdjsonFile::create(folder, "Encounter.ndjson.gz")?,
        documents: NdjsonFile::create(folder, "DocumentReference.ndjson")?,
        binaries: NdjsonFile::create(folder, "Binary.ndjson.gz")?,
    };
    let mut summary = Summary { patients, ..Summary::default() };
    for index in 0..patients {
        write_dossier(&mut files, patients, seed, index, &mut summary)?;
    }
    let Files { patients, encounters, documents, binaries } = files;
    for file in [patients, encounters, documents, binaries] {
        summary.bytes += file.finish()?;
    }
    Ok(summary)
}

fn write_dossier(files: &mut Files, patients: usize, seed: u64, index: usize, summary: &mut Summary) -> Result<(), Error> {
    let case = Case::draw(documents::grammar(), seed, index);
    let mut random = Random::new(seed, (index as u64) << 8 | 1);
    files.patients.resource(&resources::patient(&case))?;
    files.encounters.resource(&resources::encounter(&case))?;
    let planned = documents::plan(&case, &mut random);
    // Every feed shows each kind of trouble once, however small it is.
    let corrected = (index == patients / 3 || random.chance(4)).then(|| random.below(planned.len()));
    let broken = index == patients / 2;
    for document in &planned {
        let number = document.number;
        let mut random = Random::new(seed, (index as u64) << 8 | (number as u64 + 2));
        let raw = documents::write(&case, document, &mut random);
        let encoding = random.weighted((62, Encoding::Utf8), &[(16, Encoding::Latin1), (7, Encoding::Windows1252), (15, Encoding::Html)]);
        summary.documents += 1;
        if corrected == Some(number) {
            summary.corrections += 1;
            let draft = format!("{raw}\n(document provisoire, non relu)\n");
            let versions = [(1, draft.as_str()), (2, raw.as_str())];
            // Order of arrival is not order of truth: some exports send the newest first.
            let newest_first = random.chance(30);
            for turn in 0..2 {
                let (version, text) = versions[if newest_first { 1 - turn } else { turn }];
                // The same layout twice: only the words changed.
                write_document(files, &case, document, version, text, encoding, &mut random.clone())?;
            }
        } else {
            write_document(files, &case, document, 1, &raw, encoding, &mut random)?;
        }
        if broken && number == 0 {
            let whole = resources::document_reference(&case, document, 3, Status::Current, "text/plain", Ok(raw.as_bytes())).to_string();
            files.documents.raw(whole.get(..whole.len() / 2).unwrap_or_default().as_bytes())?;
            summary.broken_lines += 1;
        }
    }
    if index + 1 == patients {
        withdraw(files, &case, &planned, seed)?;
        summary.withdrawn += 1;
    }
    Ok(())
}

fn write_document(
    files: &mut Files,
    case: &Case,
    document: &Document,
    version: u32,
    raw: &str,
    encoding: Encoding,
    random: &mut Random,
) -> Result<(), Error> {
    let (bytes, content_type) = resources::attachment(raw, document, encoding, random);
    let reference = if random.chance(25) {
        let id = format!("bin-{:06}-{}-{version}", case.index, document.number);
        files.binaries.resource(&resources::binary(&id, content_type, &bytes))?;
        resources::document_reference(case, document, version, Status::Current, content_type, Err(&id))
    } else {
        resources::document_reference(case, document, version, Status::Current, content_type, Ok(&bytes))
    };
    files.documents.resource(&reference)
}

/// A letter filed under the wrong patient, and its withdrawal.
fn withdraw(files: &mut Files, case: &Case, planned: &[Document], seed: u64) -> Result<(), Error> {
    let Some(last) = planned.last() else { return Ok(()) };
    let document = Document { number: planned.len(), ..last.clone() };
    let mut random = Random::new(seed, (case.index as u64) << 8 | 0xFF);
    // Another patient's letter: nobody of this feed, and so nothing to find twice.
    let other = Case::draw(documents::grammar(), seed ^ 0x5EED, case.index);
    let raw = documents::write(&other, &document, &mut random);
    for (version, status) in [(1, Status::Current), (2, Status::EnteredInError)] {
        files.documents.resource(&resources::document_reference(
            case,
            &document,
            version,
            status,
            "text/plain; charset=UTF-8",
            Ok(raw.as_bytes()),
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
