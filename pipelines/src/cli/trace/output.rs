//! The files of a trace. Cells and words identify people: only their owner may read them.

use std::collections::{BTreeSet, HashMap};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayBuilder, ArrayRef, Float32Builder, Int32Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use sillage_clinical::text::CharOffsets;
use sillage_schemas::tables::IDENTIFYING;
use sillage_variables::resolve::canonical;
use sillage_variables::trace::{Map, Relation, Span, Traced, weak_labels};

use super::dossier::{Dossier, TracedRow};
use super::sheet::Sheet;
use crate::error::{Error, Result};

/// Rows that are held before they are written.
const BATCH: usize = 16 * 1024;
/// Outcome of the cells of a row that is of no patient of the run.
const NOBODY: &str = "patient_not_found";

const TRACE: [(&str, DataType, bool, &str); 14] = [
    ("row", DataType::Int32, false, "Line of the table's file"),
    ("patient", DataType::Utf8, true, "Patient as the table names them"),
    ("column", DataType::Utf8, false, "Column of the table"),
    ("variable", DataType::Utf8, false, "Variable that the column holds"),
    ("cell", DataType::Utf8, true, "What is written in the cell"),
    ("outcome", DataType::Utf8, false, "supported, disputed, contradicted, unsupported, missing, unreadable or patient_not_found"),
    ("resolved", DataType::Utf8, true, "What the documents come to; dates are the original ones"),
    ("relation", DataType::Utf8, false, "What the words say of the cell: supports, contradicts, elsewhere, occurs; null where no words do"),
    ("source_document_id", DataType::Utf8, true, "Document that the words stand in, as its source names it"),
    ("document_id", DataType::Utf8, false, "The same in the tables of the run"),
    ("start", DataType::Int32, false, "First character of the words in the original text, from 0"),
    ("end", DataType::Int32, false, "End of the words, exclusive"),
    ("text", DataType::Utf8, true, "The words"),
    ("score", DataType::Float32, false, "Weight of the words, 0 to 1"),
];

const LABELS: [(&str, DataType, bool, &str); 5] = [
    ("source_document_id", DataType::Utf8, true, "Document, as its source names it"),
    ("start", DataType::Int32, false, "First character of the token in the original text, from 0"),
    ("end", DataType::Int32, false, "End of the token, exclusive"),
    ("token", DataType::Utf8, true, "The token"),
    ("label", DataType::Utf8, false, "B-VARIABLE, I-VARIABLE or O"),
];

/// Columns by name, type, whether they identify somebody, description.
fn schema(columns: &[(&str, DataType, bool, &str)], about: &str) -> SchemaRef {
    let field = |(name, kind, identifies, description): &(&str, DataType, bool, &str)| {
        let mut metadata = HashMap::from([("description".to_owned(), (*description).to_owned())]);
        if *identifies {
            metadata.insert(IDENTIFYING.to_owned(), "true".to_owned());
        }
        Field::new(*name, kind.clone(), true).with_metadata(metadata)
    };
    let metadata = HashMap::from([("description".to_owned(), about.to_owned()), ("sillage.zone".to_owned(), "restricted".to_owned())]);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()).with_metadata(metadata))
}

/// Text columns of a file by position, and the rest by position.
struct Columns {
    schema: SchemaRef,
    texts: Vec<(usize, StringBuilder)>,
    numbers: Vec<(usize, Int32Builder)>,
    scores: Vec<(usize, Float32Builder)>,
    writer: ArrowWriter<File>,
    name: String,
}

impl Columns {
    fn create(folder: &Path, name: &str, schema: SchemaRef) -> Result<Columns> {
        let path = folder.join(name);
        let failed = |e: datafusion::parquet::errors::ParquetError| Error::Internal(format!("{name}: {e}"));
        let level = ZstdLevel::try_new(3).map_err(failed)?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        let writer = ArrowWriter::try_new(private(&path)?, schema.clone(), Some(properties)).map_err(failed)?;
        let (mut texts, mut numbers, mut scores) = (Vec::new(), Vec::new(), Vec::new());
        for (at, field) in schema.fields().iter().enumerate() {
            match field.data_type() {
                DataType::Int32 => numbers.push((at, Int32Builder::new())),
                DataType::Float32 => scores.push((at, Float32Builder::new())),
                _ => texts.push((at, StringBuilder::new())),
            }
        }
        Ok(Columns { schema, texts, numbers, scores, writer, name: name.to_owned() })
    }

    /// One row: its texts, whole numbers and scores, each in the order of the columns.
    fn push(&mut self, texts: &[Option<&str>], numbers: &[Option<usize>], score: Option<f32>) -> Result<()> {
        self.texts.iter_mut().zip(texts).for_each(|((_, builder), text)| builder.append_option(*text));
        let whole = |n: Option<usize>| n.and_then(|n| i32::try_from(n).ok());
        self.numbers.iter_mut().zip(numbers).for_each(|((_, builder), number)| builder.append_option(whole(*number)));
        self.scores.iter_mut().for_each(|(_, builder)| builder.append_option(score));
        if self.texts.first().is_some_and(|(_, b)| b.len() >= BATCH) { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let mut columns: Vec<(usize, ArrayRef)> = Vec::new();
        columns.extend(self.texts.iter_mut().map(|(at, b)| (*at, Arc::new(b.finish()) as ArrayRef)));
        columns.extend(self.numbers.iter_mut().map(|(at, b)| (*at, Arc::new(b.finish()) as ArrayRef)));
        columns.extend(self.scores.iter_mut().map(|(at, b)| (*at, Arc::new(b.finish()) as ArrayRef)));
        columns.sort_by_key(|(at, _)| *at);
        let columns = columns.into_iter().map(|(_, c)| c).collect();
        let failed = |e: String| Error::Internal(format!("{}: {e}", self.name));
        let batch = RecordBatch::try_new(self.schema.clone(), columns).map_err(|e| failed(e.to_string()))?;
        self.writer.write(&batch).map_err(|e| failed(e.to_string()))
    }

    fn finish(mut self) -> Result<String> {
        self.flush()?;
        self.writer.close().map_err(|e| Error::Internal(format!("{}: {e}", self.name)))?;
        Ok(self.name)
    }
}

/// The two Parquet files while they are written.
pub(super) struct Output {
    trace: Columns,
    labels: Columns,
}

impl Output {
    /// Starts the files; earlier ones of the same folder go.
    pub fn create(folder: &Path, map: &Map) -> Result<Output> {
        if !folder.is_dir() {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(folder).map_err(Error::io(folder))?;
        }
        let variables: Vec<&str> = map.columns.iter().map(|c| c.variable.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
        let about =
            format!("Cells of a hand-filled table and the words of the documents that say something of them: {}", variables.join(", "));
        let labels = "Weak labels (BIO) of the documents in which words support a cell";
        Ok(Output {
            trace: Columns::create(folder, "trace.parquet", schema(&TRACE, &about))?,
            labels: Columns::create(folder, "labels.parquet", schema(&LABELS, labels))?,
        })
    }

    /// Writes the rows of one patient.
    pub fn push(&mut self, map: &Map, sheet: &Sheet, dossier: &Dossier, rows: &[TracedRow]) -> Result<()> {
        let mut supporting: Vec<Vec<(&str, Span)>> = vec![Vec::new(); dossier.documents.len()];
        for row in rows {
            for cell in &row.cells {
                self.cell(map, sheet, dossier, row.row, cell)?;
                let variable = map.columns[cell.column].variable.as_str();
                for span in cell.spans.iter().filter(|s| s.relation == Relation::Supports) {
                    supporting[span.document].push((variable, *span));
                }
            }
        }
        for (document, spans) in dossier.documents.iter().zip(supporting).filter(|(_, spans)| !spans.is_empty()) {
            let mut offsets = CharOffsets::new(&document.text);
            for token in weak_labels(&document.text, &spans) {
                let words = document.text.get(token.start..token.end);
                let place = [Some(offsets.at(token.start)), Some(offsets.at(token.end))];
                self.labels.push(&[Some(&document.source_document_id), words, Some(&token.label)], &place, None)?;
            }
        }
        Ok(())
    }

    fn cell(&mut self, map: &Map, sheet: &Sheet, dossier: &Dossier, row: usize, cell: &Traced) -> Result<()> {
        let column = &map.columns[cell.column];
        let number = Some(sheet.number(row) as usize);
        let (written, resolved) = (sheet.rows[row].cells[cell.column].as_str(), cell.resolved.as_ref().map(canonical));
        let of =
            [Some(sheet.rows[row].patient.as_str()), Some(&column.name), Some(&column.variable), Some(written), Some(cell.outcome.name())];
        let [patient, name, variable, written, outcome] = of;
        if cell.spans.is_empty() {
            let texts = [patient, name, variable, written, outcome, resolved.as_deref(), None, None, None, None];
            return self.trace.push(&texts, &[number, None, None], None);
        }
        for span in &cell.spans {
            let document = &dossier.documents[span.document];
            let mut offsets = CharOffsets::new(&document.text);
            let texts = [
                patient,
                name,
                variable,
                written,
                outcome,
                resolved.as_deref(),
                Some(span.relation.name()),
                Some(document.source_document_id.as_str()),
                Some(document.document_id.as_str()),
                document.text.get(span.start..span.end),
            ];
            let place = [number, Some(offsets.at(span.start)), Some(offsets.at(span.end))];
            self.trace.push(&texts, &place, Some(span.score))?;
        }
        Ok(())
    }

    /// Writes the cells of rows that are of nobody.
    pub fn without_patient(&mut self, map: &Map, sheet: &Sheet, rows: &[usize]) -> Result<()> {
        for &row in rows {
            for (column, written) in map.columns.iter().zip(&sheet.rows[row].cells) {
                let of = [Some(sheet.rows[row].patient.as_str()), Some(&column.name), Some(&column.variable), Some(written), Some(NOBODY)];
                let texts = [of.as_slice(), &[None; 5]].concat();
                self.trace.push(&texts, &[Some(sheet.number(row) as usize), None, None], None)?;
            }
        }
        Ok(())
    }

    /// Closes the files; gives their names.
    pub fn finish(self) -> Result<[String; 2]> {
        Ok([self.trace.finish()?, self.labels.finish()?])
    }
}

/// A new file that only its owner can read.
fn private(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(Error::io(path))
}

pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    private(path)?.write_all(bytes).map_err(Error::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_identifies_is_marked() {
        let schema = schema(&TRACE, "about");
        let marked: Vec<&str> =
            schema.fields().iter().filter(|f| f.metadata().contains_key(IDENTIFYING)).map(|f| f.name().as_str()).collect();
        assert_eq!(marked, ["patient", "cell", "resolved", "source_document_id", "text"]);
    }
}
