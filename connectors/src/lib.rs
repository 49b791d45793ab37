//! Ingestion: bytes from outside become the batches of
//! [`sillage_schemas::tables::incoming_documents`] and its siblings.
//!
//! A **transport** ([`files`]) knows where bytes are and how far it has read; a
//! **format** ([`formats`]) knows what the bytes mean. Formats never know
//! transports. [`SOURCES`] is the one list of what can be opened.

pub mod erasure;
pub mod fhir_rest;
pub mod files;
pub mod formats;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod inbox;
pub mod mllp;
mod network;
mod replay;
mod rows;
pub mod seal;
pub mod settings;
pub mod source;
pub mod subscription;

use chrono_tz::Tz;

pub use replay::{REPLAY, kind_of, replay};
pub use seal::Seal;
pub use settings::Settings;
pub use source::{DeadLetter, Epoch, Position, Source, SourceError, Start, Until};

/// What a source is opened with.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// The whole URI.
    pub uri: &'a str,
    /// Of the site: clinical times are its wall clock.
    pub timezone: Tz,
    pub settings: &'a Settings,
}

/// Opens the source that a URI names.
pub type Opener = fn(&Opening<'_>) -> Result<Box<dyn Source>, SourceError>;

/// One kind of source.
pub struct Registration {
    /// Schemes of the URI; the empty one is a plain path.
    pub schemes: &'static [&'static str],
    pub summary: &'static str,
    pub example: &'static str,
    /// Opens what the URI names. Nothing is listened on or asked before [`Source::start`].
    pub open: Opener,
}

/// Every kind of source.
pub const SOURCES: &[Registration] = &[
    Registration {
        schemes: &["", "file"],
        summary: "a file, or a folder with its subfolders, of FHIR R4 NDJSON (.ndjson, .jsonl), Bundles or single resources (.json), or HL7 v2 messages (.hl7), gzipped (.gz) or not",
        example: "--source export/",
        open: files::open,
    },
    Registration {
        schemes: &["fhir+https", "fhir+http"],
        summary: "a FHIR R4 server, by its base URL: asked again and again by search (parameters after ? limit what documents are asked for) or by Bulk Data export; credentials in [fhir]",
        example: "--source 'fhir+https://fhir.example.org/r4?type=http://loinc.org|11490-0'",
        open: fhir_rest::open,
    },
    Registration {
        schemes: &["mllp", "mllps"],
        summary: "a listener for HL7 v2 messages over MLLP, acknowledged once they are durable; limits and certificates in [mllp]",
        example: "--source mllp://0.0.0.0:2575",
        open: mllp::open,
    },
    Registration {
        schemes: &["fhir-subscription+https", "fhir-subscription+http"],
        summary: "an endpoint that FHIR servers and interface engines send notifications (rest-hook, R4 and the R5 backport), resources and Bundles to, acknowledged once they are durable; secrets, limits and certificates in [subscription]",
        example: "--source fhir-subscription+http://127.0.0.1:8090/fhir",
        open: subscription::open,
    },
];

/// Opens a source by its URI.
///
/// # Errors
/// [`SourceError::UnknownScheme`] names the schemes that exist; the others are
/// those of the source itself.
pub fn open(opening: &Opening<'_>) -> Result<Box<dyn Source>, SourceError> {
    let scheme = scheme(opening.uri);
    let Some(registration) = SOURCES.iter().find(|s| s.schemes.contains(&scheme)) else {
        let known = SOURCES.iter().flat_map(|s| s.schemes).map(|s| if s.is_empty() { "a path" } else { s }).collect::<Vec<_>>();
        return Err(SourceError::UnknownScheme { scheme: scheme.to_owned(), known: known.join(", ") });
    };
    (registration.open)(opening)
}

/// The scheme of a URI, empty for a path.
fn scheme(uri: &str) -> &str {
    if uri.starts_with("file:") {
        return "file";
    }
    match uri.split_once("://") {
        Some((scheme, _)) if !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) => scheme,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn schemes_are_unique_and_described() {
        let mut seen = HashSet::new();
        for source in SOURCES {
            assert!(!source.summary.is_empty() && !source.example.is_empty());
            for scheme in source.schemes {
                assert!(seen.insert(scheme), "{scheme} twice");
            }
        }
        assert!(seen.contains(&""));
    }

    #[test]
    fn an_unknown_scheme_names_the_known_ones() {
        let opening = Opening { uri: "gopher://host/x", timezone: Tz::Europe__Paris, settings: &Settings::default() };
        let error = open(&opening).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(error.contains("gopher") && error.contains("file"), "{error}");
    }

    #[test]
    fn a_path_with_a_colon_is_a_path() {
        assert_eq!(scheme("exports/12:00/x.ndjson"), "");
        assert_eq!(scheme("fhir+https://host/x"), "fhir+https");
        assert_eq!(scheme("file:///x"), "file");
    }
}
