//! Annotated documents in the formats of the de-identification communities.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

mod brat;
mod eds_pseudo;
mod i2b2;

/// A labelled stretch of a text, in characters, end exclusive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub start: usize,
    pub end: usize,
    pub label: String,
}

/// A text with its true spans, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub name: String,
    pub text: String,
    pub spans: Vec<Span>,
    /// Spans whose quoted words are not those of the text: offsets that drifted.
    pub drifted: usize,
}

/// An annotation as its file states it: offsets not checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Annotation {
    span: Span,
    /// The words, where the format repeats them.
    quote: Option<String>,
}

impl Document {
    fn new(name: String, text: String, annotations: Vec<Annotation>) -> Result<Document, String> {
        let chars: Vec<char> = text.chars().collect();
        let (mut spans, mut drifted) = (Vec::with_capacity(annotations.len()), 0);
        for Annotation { span, quote } in annotations {
            let Some(words) = chars.get(span.start..span.end) else {
                return Err(format!("{} {}..{} lies outside of the text of {} characters", span.label, span.start, span.end, chars.len()));
            };
            if quote.is_some_and(|q| !same_words(&q, &words.iter().collect::<String>())) {
                drifted += 1;
            }
            if span.start < span.end {
                spans.push(span);
            }
        }
        spans.sort();
        spans.dedup();
        Ok(Document { name, text, spans, drifted })
    }
}

fn same_words(a: &str, b: &str) -> bool {
    a.split_whitespace().eq(b.split_whitespace())
}

/// The formats that are read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    I2b2,
    EdsPseudo,
    Brat,
}

impl Kind {
    fn extension(self) -> &'static str {
        match self {
            Kind::I2b2 => "xml",
            Kind::EdsPseudo => "jsonl",
            Kind::Brat => "ann",
        }
    }
}

/// Documents of a file, or of every such file below a folder, in the order of their names.
///
/// Errors: a file that is not of the format, with its place.
pub fn read(kind: Kind, path: &Path) -> Result<Vec<Document>> {
    let mut files = Vec::new();
    collect(path, kind.extension(), &mut files)?;
    if files.is_empty() {
        return Err(Error::Configuration(format!("{}: no .{} file", path.display(), kind.extension())));
    }
    files.sort();
    let mut documents = Vec::new();
    for file in files {
        let content = text_of(&file)?;
        let name = || file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let wrong = |message: String| Error::Configuration(format!("{}: {message}", file.display()));
        match kind {
            Kind::I2b2 => documents.push(i2b2::document(name(), &content).map_err(wrong)?),
            Kind::Brat => documents.push(brat::document(name(), text_of(&file.with_extension("txt"))?, &content).map_err(wrong)?),
            Kind::EdsPseudo => documents.extend(eds_pseudo::documents(&name(), &content).map_err(wrong)?),
        }
    }
    Ok(documents)
}

fn text_of(file: &Path) -> Result<String> {
    let bytes = std::fs::read(file).map_err(|e| Error::Configuration(format!("{}: {e}", file.display())))?;
    String::from_utf8(bytes).map_err(|_| Error::Configuration(format!("{}: not UTF-8", file.display())))
}

fn collect(path: &Path, extension: &str, files: &mut Vec<PathBuf>) -> Result<()> {
    let wrong = |e: std::io::Error| Error::Configuration(format!("{}: {e}", path.display()));
    if std::fs::metadata(path).map_err(wrong)?.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.is_dir() || path.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension)) {
            collect(&path, extension, files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_with_what_is_below_it_by_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("more")).unwrap();
        for (name, content) in
            [("b.txt", "Léa"), ("b.ann", "T1\tPRENOM 0 3\tLéa\n"), ("more/c.txt", "rien"), ("more/c.ann", ""), ("notes.md", "x")]
        {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let documents = read(Kind::Brat, folder.path()).unwrap();
        assert_eq!(documents.iter().map(|d| (d.name.as_str(), d.spans.len())).collect::<Vec<_>>(), [("b", 1), ("c", 0)]);
        let none = read(Kind::I2b2, folder.path()).unwrap_err();
        assert!(none.to_string().contains("no .xml file"), "{none}");
    }

    #[test]
    fn offsets_outside_of_the_text_are_refused_and_drift_is_counted() {
        let annotation =
            |start, end, quote: &str| Annotation { span: Span { start, end, label: "NOM".to_owned() }, quote: Some(quote.to_owned()) };
        let document = |of| Document::new("d".to_owned(), "Mme Le\nGoff".to_owned(), of);
        assert_eq!(document(vec![annotation(4, 11, "Le Goff")]).unwrap().drifted, 0, "a line break is quoted as a blank");
        assert_eq!(document(vec![annotation(3, 10, "Le Goff")]).unwrap().drifted, 1);
        assert!(document(vec![annotation(4, 12, "Le Goff")]).unwrap_err().contains("outside"));
        assert!(document(vec![annotation(6, 4, "")]).is_err());
    }
}
