//! Why an attachment gives no text.

use sillage_schemas::Fault;

/// Why an attachment gives no text. Messages say what to do and never quote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error(
        "no PDF library; install pypdfium2 (pip install pypdfium2) or set SILLAGE_PDFIUM to a libpdfium, then send the dead letters again"
    )]
    NoLibrary,
    #[error("pages without a text layer, and no tesseract; install tesseract-ocr and tesseract-ocr-fra, then send the dead letters again")]
    NoRecognition,
    #[error("encrypted with a password; ask the sender for an open copy")]
    Encrypted,
    #[error("damaged beyond repair")]
    Damaged,
    #[error("neither text nor a picture on any page")]
    Empty,
    #[error("larger than attachments may be (pages.max_bytes, pages.max_pixels)")]
    TooLarge,
    #[error("more pages than an attachment may have (pages.max_pages)")]
    TooManyPages,
    #[error("took longer than an attachment may (pages.timeout_seconds)")]
    TimedOut,
    #[error("its reader died, for lack of memory (pages.max_memory_bytes) or because of damage")]
    Crashed,
    #[error("its reader cannot be started")]
    NoWorker,
}

impl Failure {
    /// All of them, in the order of their numbers on the wire.
    pub const ALL: [Failure; 10] = [
        Failure::NoLibrary,
        Failure::NoRecognition,
        Failure::Encrypted,
        Failure::Damaged,
        Failure::Empty,
        Failure::TooLarge,
        Failure::TooManyPages,
        Failure::TimedOut,
        Failure::Crashed,
        Failure::NoWorker,
    ];

    /// The word for the dead letter.
    pub fn reason(self) -> &'static str {
        match self {
            Failure::NoLibrary => "pdf_library_missing",
            Failure::NoRecognition => "recognition_missing",
            Failure::Encrypted => "encrypted",
            Failure::Damaged => "damaged_pages",
            Failure::Empty => "empty_pages",
            Failure::TooLarge => "attachment_too_large",
            Failure::TooManyPages => "too_many_pages",
            Failure::TimedOut => "attachment_timeout",
            Failure::Crashed => "attachment_crash",
            Failure::NoWorker => "no_worker",
        }
    }

    pub fn fault(self) -> Fault {
        match self {
            Failure::NoLibrary | Failure::NoRecognition | Failure::NoWorker => Fault::Environment,
            _ => Fault::Input,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn reasons_are_unique() {
        let reasons: HashSet<_> = Failure::ALL.iter().map(|f| f.reason()).collect();
        assert_eq!(reasons.len(), Failure::ALL.len());
    }
}
