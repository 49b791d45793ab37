//! `[pages]` of the pipeline file.

use std::path::PathBuf;

use serde::Deserialize;

/// Limits of an attachment, and where the tools are.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Processes that read attachments; 0: as many as there are cores.
    pub workers: usize,
    pub max_bytes: usize,
    pub max_pages: usize,
    /// Of a picture, or of a page drawn for recognition.
    pub max_pixels: usize,
    pub timeout_seconds: u64,
    /// More for each page that must be recognised.
    pub recognition_seconds: u64,
    /// Of one process, beyond what it has when it starts.
    pub max_memory_bytes: u64,
    /// The PDF library; empty: looked for.
    pub pdfium: PathBuf,
    /// The recognition program; empty: looked for.
    pub tesseract: PathBuf,
    /// Its language packs.
    pub languages: String,
    /// Dots per inch at which pages are drawn for recognition.
    pub resolution: u32,
    /// What the letters, headers and margins of pages are good for: kept apart from
    /// the text (true), or part of it (false).
    pub margins_apart: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            workers: 0,
            max_bytes: 64 << 20,
            max_pages: 500,
            max_pixels: 64 << 20,
            timeout_seconds: 60,
            recognition_seconds: 30,
            max_memory_bytes: 2 << 30,
            pdfium: PathBuf::new(),
            tesseract: PathBuf::new(),
            languages: "fra".to_owned(),
            resolution: 300,
            margins_apart: true,
        }
    }
}
