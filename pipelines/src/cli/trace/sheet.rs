//! A hand-filled table, as spreadsheets write it.

use std::path::Path;

use csv::{ReaderBuilder, Trim};
use sillage_connectors::formats::attachment::charset;
use sillage_variables::trace::Map;

use crate::error::{Error, Result};

const DELIMITERS: [(u8, &str); 3] = [(b';', "semicolons"), (b',', "commas"), (b'\t', "tabs")];

/// Its cells, in the order of the map's columns.
pub(super) struct Sheet {
    pub rows: Vec<Row>,
}

pub(super) struct Row {
    /// Line of the file, as an editor counts.
    line: u64,
    pub patient: String,
    pub cells: Vec<String>,
}

impl Sheet {
    /// Reads what the map names.
    ///
    /// Errors: the file cannot be read, a column is missing or there twice, a row
    /// has more or fewer cells than the header, no row.
    pub fn read(path: &Path, map: &Map) -> Result<Sheet> {
        let wrong = |message: String| Error::Configuration(format!("{}: {message}", path.display()));
        let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
        // Lines are counted at line feeds.
        let text = charset::decode(bytes, None).text.replace("\r\n", "\n");
        Self::parse(&text, map).map_err(wrong)
    }

    fn parse(text: &str, map: &Map) -> std::result::Result<Sheet, String> {
        let names = || std::iter::once(&map.patient).chain(map.columns.iter().map(|c| &c.name));
        let header = |delimiter: u8| -> Vec<String> {
            let mut reader = reader(text, delimiter);
            reader.headers().map(|h| h.iter().map(str::to_owned).collect()).unwrap_or_default()
        };
        // The one that gives the columns looked for, else the most columns; of equal ones the first.
        let known = |header: &[String]| (names().filter(|n| header.contains(n)).count(), header.len());
        let guesses = DELIMITERS.iter().rev().map(|(delimiter, name)| (*delimiter, *name, header(*delimiter)));
        let Some((delimiter, name, header)) = guesses.max_by_key(|(.., header)| known(header)) else {
            return Err("no delimiter".to_owned());
        };
        let there: Vec<&str> = header.iter().map(String::as_str).collect();
        map.fits(&there).map_err(|e| {
            format!("{e}; its columns, read with {name} between them, are {}: write the map's names as there", quoted(&there))
        })?;
        if let Some(twice) = names().find(|n| there.iter().filter(|h| h == n).count() > 1) {
            return Err(format!("there are two columns {twice:?}; rename one"));
        }
        let places: Vec<usize> = names().filter_map(|n| there.iter().position(|h| h == n)).collect();
        let mut rows = Vec::new();
        for record in reader(text, delimiter).records() {
            let record = record.map_err(|e| match e.kind() {
                csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
                    let line = pos.as_ref().map_or(0, csv::Position::line);
                    format!("line {line} has {len} cells, the header {expected_len}; a cell with {name} in it must stand in quotes")
                }
                _ => e.to_string(),
            })?;
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let line = record.position().map_or(0, csv::Position::line);
            let mut cells = places.iter().map(|&at| record.get(at).unwrap_or_default().to_owned());
            rows.push(Row { line, patient: cells.next().unwrap_or_default(), cells: cells.collect() });
        }
        if rows.is_empty() {
            return Err("no row below the header".to_owned());
        }
        Ok(Sheet { rows })
    }

    /// Number of a row for people: the line of the file where it starts.
    pub fn number(&self, row: usize) -> u64 {
        self.rows.get(row).map_or(0, |r| r.line)
    }
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().delimiter(delimiter).trim(Trim::All).from_reader(text.as_bytes())
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sillage_variables::trace::Kind;

    fn map() -> Map {
        let text = "patient = \"N° patient\"\n[columns.\"Score, entrée\"]\nvariable = \"a\"\n[columns.b]\nvariable = \"b\"\n";
        Map::read(text, |_| Some(Kind::Number)).unwrap()
    }

    #[test]
    fn delimiters_are_guessed_by_the_columns_looked_for() {
        for text in [
            "b;N° patient;x,y,z;Score, entrée\n1;P1;;12\n",
            "b,N° patient,x,\"Score, entrée\"\n1,P1,,12\n",
            "b\tN° patient\tx\tScore, entrée\n1\t P1 \t\t12\n\n\t\t\t\n",
        ] {
            let sheet = Sheet::parse(text, &map()).unwrap();
            let cells: Vec<_> = sheet.rows.iter().map(|r| (r.line, r.patient.as_str(), r.cells.clone())).collect();
            assert_eq!(cells, [(2, "P1", vec!["12".to_owned(), "1".to_owned()])], "{text}");
        }
    }

    #[test]
    fn single_byte_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crf.csv");
        std::fs::write(&path, b"N\xb0 patient;\"Score, entr\xe9e\";b\r\nP1;3;4\r\n").unwrap();
        let sheet = Sheet::read(&path, &map()).unwrap();
        assert_eq!((sheet.number(0), sheet.rows[0].cells.as_slice()), (2, ["3".to_owned(), "4".to_owned()].as_slice()));
    }

    #[test]
    fn mistakes_are_named_with_their_remedy() {
        let error = |text: &str| Sheet::parse(text, &map()).err().unwrap();
        let missing = error("N° patient;b\nP1;3\n");
        assert!(missing.contains("\"Score, entrée\"") && missing.contains("\"b\"") && missing.contains("semicolons"), "{missing}");
        assert!(error("N° patient;Score, entrée;b\nP1;3\n").contains("line 2 has 2 cells, the header 3"));
        assert!(error("N° patient;Score, entrée;b;b\nP1;3;4;5\n").contains("two columns \"b\""));
        assert!(error("N° patient;Score, entrée;b\n").contains("no row"));
    }
}
