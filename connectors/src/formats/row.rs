//! A document that a stage could not process: its row of
//! [`incoming_documents`](sillage_schemas::tables::incoming_documents) in JSON, as a
//! dead letter keeps it.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;

use crate::formats::reason;
use crate::rows::{DocumentRow, Paged, Precedence, Rows};

/// Columns that are null are left out by the writer.
#[derive(Deserialize)]
struct Row {
    source_document_id: String,
    document_version: Option<i32>,
    #[serde(default)]
    precedence: i32,
    last_updated: Option<String>,
    #[serde(default)]
    status: String,
    #[serde(default)]
    replaces: Vec<String>,
    source_patient_id: Option<String>,
    source_encounter_id: Option<String>,
    type_code: Option<String>,
    type_display: Option<String>,
    title: Option<String>,
    document_time: Option<String>,
    language: Option<String>,
    content_type: Option<String>,
    #[serde(default)]
    authors: Vec<String>,
    text: Option<String>,
    coded: Option<String>,
    /// In hexadecimal digits.
    #[serde(default)]
    attachments: Vec<String>,
    #[serde(default)]
    attachment_sha256: Vec<String>,
    margins: Option<String>,
}

/// Whether JSON begins like a row.
pub(crate) fn is_row(json: &str) -> bool {
    let head = json.get(..json.len().min(200)).unwrap_or_default();
    head.trim_start_matches('{').trim_start().starts_with("\"source\"") && !head.contains("\"resourceType\"")
}

/// Puts the row back, or a dead letter where it is none.
pub(crate) fn take(payload: &[u8], place: &str, rows: &mut Rows) {
    rows.documents_seen += 1;
    let Ok(row) = serde_json::from_slice::<Row>(payload) else {
        rows.dead_letter(reason::BAD_JSON, place, "row", Some(payload));
        return;
    };
    let status = ["current", "superseded", "entered-in-error"].into_iter().find(|s| *s == row.status).unwrap_or("current");
    let precedence = [Precedence::Original, Precedence::Replacement, Precedence::Withdrawal, Precedence::Deletion];
    let zoned = |text: &String| DateTime::parse_from_rfc3339(text).ok().map(|t| t.with_timezone(&Utc));
    let wall = |text: &String| text.parse::<NaiveDateTime>().ok();
    let attachments: Vec<Vec<u8>> = row.attachments.iter().filter_map(|digits| bytes(digits)).collect();
    rows.document(
        place,
        &DocumentRow {
            id: &row.source_document_id,
            version: row.document_version,
            precedence: usize::try_from(row.precedence).ok().and_then(|p| precedence.get(p).copied()).unwrap_or(Precedence::Original),
            last_updated: row.last_updated.as_ref().and_then(zoned),
            status,
            replaces: &row.replaces,
            patient_id: row.source_patient_id.as_deref(),
            encounter_id: row.source_encounter_id.as_deref(),
            type_code: row.type_code.as_deref(),
            type_display: row.type_display.as_deref(),
            title: row.title.as_deref(),
            time: row.document_time.as_ref().and_then(wall),
            language: row.language.as_deref(),
            content_type: row.content_type.as_deref(),
            authors: &row.authors,
            text: row.text.as_deref(),
            coded: row.coded.as_deref(),
            paged: Paged { attachments: &attachments, sha256: &row.attachment_sha256, margins: row.margins.as_deref() },
        },
    );
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = digits.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Position, SourceError};

    #[test]
    fn a_row_comes_back_as_it_was() -> Result<(), Box<dyn std::error::Error>> {
        let received_at = DateTime::from_timestamp_micros(1_700_000_000_000_000).unwrap_or_default();
        let mut rows = Rows::new("mllp://h:1", received_at);
        let time = NaiveDateTime::parse_from_str("2024-05-02T10:00:00", "%Y-%m-%dT%H:%M:%S").ok();
        let (replaces, authors) = (["d0".to_owned()], ["Dr Inventé".to_owned()]);
        rows.document(
            "connection 1 message 1",
            &DocumentRow {
                id: "d1",
                version: Some(3),
                precedence: Precedence::Replacement,
                last_updated: Some(received_at),
                status: "current",
                replaces: &replaces,
                patient_id: Some("p"),
                encounter_id: None,
                type_code: Some("11490-0"),
                type_display: None,
                title: Some("Compte rendu"),
                time,
                language: None,
                content_type: Some("text/plain"),
                authors: &authors,
                text: Some("AVC."),
                coded: Some("{\"templates\":[\"1.2.3\"]}"),
                paged: Paged { attachments: &[b"%PDF-\xff".to_vec()], sha256: &["ab".to_owned()], margins: Some("CHU") },
            },
        );
        let documents = rows.finish(Position::default())?.documents;
        let mut json = arrow::json::LineDelimitedWriter::new(Vec::new());
        json.write(&documents)?;
        json.finish()?;
        let json = json.into_inner();
        let line = json.trim_ascii();
        assert!(is_row(std::str::from_utf8(line)?));
        let mut again = Rows::new("mllp://h:1", received_at);
        take(line, "connection 1 message 1", &mut again);
        assert_eq!(again.finish(Position::default())?.documents, documents);
        Ok(())
    }

    #[test]
    fn what_is_no_row_is_a_dead_letter() -> Result<(), SourceError> {
        let mut rows = Rows::new("s", DateTime::UNIX_EPOCH);
        take(b"{\"source\":1", "p", &mut rows);
        assert_eq!(rows.finish(Position::default())?.dead_letters.len(), 1);
        Ok(())
    }
}
