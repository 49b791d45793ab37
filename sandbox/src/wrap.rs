//! Real texts in FHIR clothes: every line of a JSONL file becomes a
//! DocumentReference of an invented patient, in Bulk Data layout.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value, json};

use crate::feed::{Error, NdjsonFile};

/// Which fields of a line hold what.
#[derive(Debug, Clone)]
pub struct Fields {
    pub text: String,
    /// Optional in a line: its number stands in.
    pub id: String,
    /// Optional in a line; a date that starts with `yyyy-mm-dd`.
    pub date: String,
    /// Optional in a line: the title of the document.
    pub title: String,
}

impl Default for Fields {
    fn default() -> Fields {
        Fields { text: "text".to_owned(), id: "id".to_owned(), date: "date".to_owned(), title: "title".to_owned() }
    }
}

/// A line as far as this program reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub id: String,
    pub text: String,
    pub date: Option<NaiveDate>,
    pub title: Option<String>,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    pub documents: usize,
    /// Bytes of text.
    pub text_bytes: u64,
}

/// Reads a JSONL file, gzip where its name ends in `.gz`, a line at a time.
///
/// Errors: an unreadable file; a line that is no object, has no text or an
/// unreadable date, with its number.
pub fn lines<'a>(input: &'a Path, fields: &'a Fields) -> Result<impl Iterator<Item = Result<Line, Error>> + 'a, Error> {
    let fail = |source| Error::Read { path: input.to_owned(), source };
    let file = File::open(input).map_err(fail)?;
    let gzip = input.extension().is_some_and(|e| e == "gz");
    let reader: Box<dyn Read> = if gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let numbered = BufReader::with_capacity(1 << 18, reader).lines().enumerate();
    let filled = numbered.filter(|(_, line)| line.as_ref().map_or(true, |l| !l.trim().is_empty()));
    Ok(filled.map(move |(index, line)| match line {
        Ok(line) => read(input, fields, index + 1, &line),
        // Bytes that are no UTF-8.
        Err(error) if error.kind() == ErrorKind::InvalidData => Err(Error::Json { path: input.to_owned(), line: index + 1 }),
        Err(error) => Err(fail(error)),
    }))
}

fn read(path: &Path, fields: &Fields, line: usize, content: &str) -> Result<Line, Error> {
    let object: Map<String, Value> = serde_json::from_str(content).map_err(|_| Error::Json { path: path.to_owned(), line })?;
    let string = |field: &str| object.get(field).and_then(Value::as_str).filter(|s| !s.is_empty());
    let Some(text) = string(&fields.text) else {
        return Err(Error::Field { path: path.to_owned(), line, field: fields.text.clone() });
    };
    let date = match string(&fields.date) {
        None => None,
        Some(written) => match written.get(..10).and_then(|d| d.parse().ok()) {
            Some(date) => Some(date),
            None => return Err(Error::Date { path: path.to_owned(), line, field: fields.date.clone() }),
        },
    };
    let id = match object.get(&fields.id) {
        Some(Value::String(id)) if !id.is_empty() => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => format!("line-{line}"),
    };
    Ok(Line { id: resource_id(&id, line), text: text.to_owned(), date, title: string(&fields.title).map(str::to_owned) })
}

/// What FHIR allows in an id: letters, digits, `-` and `.`, 64 at most. An id
/// that has to change takes the number of its line, so that no two become one.
fn resource_id(id: &str, line: usize) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    if id.chars().all(allowed) && id.len() <= 48 {
        return id.to_owned();
    }
    let kept: String = id.chars().map(|c| if allowed(c) { c } else { '-' }).take(36).collect();
    format!("{kept}-{line}")
}

/// Writes `Patient.ndjson` and `DocumentReference.ndjson` into a folder.
///
/// Errors: those of [`lines`]; a folder that cannot be written.
pub fn wrap(input: &Path, fields: &Fields, folder: &Path) -> Result<Summary, Error> {
    let lines = lines(input, fields)?;
    let mut patients = NdjsonFile::create(folder, "Patient.ndjson")?;
    let mut documents = NdjsonFile::create(folder, "DocumentReference.ndjson")?;
    let mut summary = Summary::default();
    for line in lines {
        let line = line?;
        let patient = format!("patient-{}", line.id);
        patients.resource(&json!({ "resourceType": "Patient", "id": patient, "active": true }))?;
        documents.resource(&reference(&line, &patient))?;
        summary.documents += 1;
        summary.text_bytes += line.text.len() as u64;
    }
    patients.finish()?;
    documents.finish()?;
    Ok(summary)
}

fn reference(line: &Line, patient: &str) -> Value {
    let mut attachment = json!({
        "contentType": "text/plain; charset=utf-8", "language": "fr", "data": STANDARD.encode(line.text.as_bytes()),
    });
    if let Some(title) = &line.title {
        attachment["title"] = json!(title);
    }
    let mut reference = json!({
        "resourceType": "DocumentReference",
        "id": line.id,
        "meta": { "versionId": "1" },
        "status": "current",
        // Nothing is known of the texts but that they are clinical.
        "type": { "coding": [{ "system": "http://loinc.org", "code": "34109-9", "display": "Note" }] },
        "subject": { "reference": format!("Patient/{patient}") },
        "content": [{ "attachment": attachment }],
    });
    if let Some(date) = line.date {
        reference["date"] = json!(format!("{date}T12:00:00Z"));
    }
    reference
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use sillage_schemas::Fault;

    use super::*;

    const TEXTS: [&str; 3] =
        ["Une aphasie d'installation brutale.\r\nŒdème ; 37°2 — « stable ».", "é\u{301}\tTA 18/9 \"entre guillemets\"", "𝄞 fin"];

    fn wrapped(content: &[u8], name: &str, fields: &Fields) -> Result<(Vec<Value>, Summary), Error> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), content).unwrap();
        let out = folder.path().join("out");
        let summary = wrap(&folder.path().join(name), fields, &out)?;
        let written = std::fs::read_to_string(out.join("DocumentReference.ndjson")).unwrap();
        Ok((written.lines().map(|l| serde_json::from_str(l).unwrap()).collect(), summary))
    }

    fn jsonl() -> String {
        TEXTS
            .iter()
            .enumerate()
            .map(|(n, t)| json!({ "id": format!("É/{n}"), "text": t, "date": "2019-11-05T10:00" }).to_string() + "\n")
            .collect()
    }

    #[test]
    fn texts_come_back_byte_for_byte() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(jsonl().as_bytes()).unwrap();
        let packed = gzip.finish().unwrap();
        for (content, name) in [(jsonl().into_bytes(), "a.jsonl"), (packed, "a.jsonl.gz")] {
            let (documents, summary) = wrapped(&content, name, &Fields::default()).unwrap();
            let texts: Vec<String> = documents
                .iter()
                .map(|d| String::from_utf8(STANDARD.decode(d["content"][0]["attachment"]["data"].as_str().unwrap()).unwrap()).unwrap())
                .collect();
            assert_eq!(texts, TEXTS);
            assert_eq!(summary, Summary { documents: 3, text_bytes: TEXTS.iter().map(|t| t.len() as u64).sum() });
            assert_eq!(documents[1]["id"], "--1-2");
            assert_eq!(documents[1]["date"], "2019-11-05T12:00:00Z");
        }
    }

    #[test]
    fn other_field_names_and_missing_ones() {
        let fields = Fields { text: "corps".to_owned(), ..Fields::default() };
        let (documents, _) = wrapped(b"{\"corps\":\"fi\xC3\xA8vre\",\"id\":7}\n\n{\"corps\":\"toux\"}", "a.jsonl", &fields).unwrap();
        assert_eq!((&documents[0]["id"], &documents[1]["id"]), (&json!("7"), &json!("line-3")));
        assert!(documents[0].get("date").is_none());
    }

    #[test]
    fn bad_lines_are_placed_and_not_quoted() {
        for content in [
            "{\"text\":\"secret\"}\nsecret",
            "{\"text\":\"x\"}\n{\"body\":\"secret\"}",
            "{\"text\":\"x\"}\n{\"text\":\"secret\",\"date\":\"secret\"}",
        ] {
            let Err(error) = wrapped(content.as_bytes(), "a.jsonl", &Fields::default()) else { panic!("{content} was read") };
            assert_eq!(error.fault(), Fault::Input);
            assert!(error.to_string().contains("line 2") && !error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_real_corpus_is_wrapped_whole() {
        let corpus = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus/pamj_fr.jsonl.gz"));
        if !corpus.exists() {
            eprintln!("SKIPPED: {} is not here", corpus.display());
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let summary = wrap(corpus, &Fields::default(), folder.path()).unwrap();
        assert_eq!(summary.documents, 1520);
        assert!(summary.text_bytes > 3_000_000);
    }
}
