//! EDS-Pseudo: JSON lines with `note_id`, `note_text` and `entities` of `start`,
//! `end` (characters, end exclusive) and `label`.

use serde::Deserialize;

use super::{Annotation, Document, Span};

/// Other fields (note class, dates, structured context) are not needed here.
#[derive(Deserialize)]
struct Note {
    #[serde(default)]
    note_id: serde_json::Value,
    note_text: Option<String>,
    entities: Option<Vec<Entity>>,
}

#[derive(Deserialize)]
struct Entity {
    start: usize,
    end: usize,
    label: String,
}

/// Notes of a file; a note without an identifier is named by file and line.
pub fn documents(file: &str, content: &str) -> Result<Vec<Document>, String> {
    let mut documents = Vec::new();
    for (number, line) in content.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let place = |message: String| format!("line {}: {message}", number + 1);
        let note: Note = serde_json::from_str(line).map_err(|e| place(shape(&e)))?;
        let name = match note.note_id {
            serde_json::Value::String(id) => id,
            serde_json::Value::Null => format!("{file}:{}", number + 1),
            id => id.to_string(),
        };
        let entities = note.entities.unwrap_or_default().into_iter();
        let annotations = entities.map(|e| Annotation { span: Span { start: e.start, end: e.end, label: e.label }, quote: None }).collect();
        documents.push(Document::new(name, note.note_text.unwrap_or_default(), annotations).map_err(place)?);
    }
    Ok(documents)
}

/// What is wrong, without the words of the note that serde would quote.
fn shape(error: &serde_json::Error) -> String {
    format!("not a note with note_text and entities of start, end, label (column {})", error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read() {
        let content = concat!(
            r#"{"note_id": "cr-1", "note_text": "Vu à Étel", "note_class_source_value": "CR", "entities": [{"start": 5, "end": 9, "label": "VILLE", "note": 1}]}"#,
            "\n\n",
            r#"{"note_text": null, "entities": null}"#,
            "\n",
            r#"{"note_id": 7, "note_text": "Rien"}"#,
        );
        let documents = documents("test", content).unwrap();
        assert_eq!(documents.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["cr-1", "test:3", "7"]);
        assert_eq!(documents[0].spans, [Span { start: 5, end: 9, label: "VILLE".to_owned() }]);
        assert!(documents[1].text.is_empty() && documents[2].spans.is_empty());
    }

    #[test]
    fn a_broken_note_is_named_and_not_quoted() {
        let error = documents("test", "{\"note_text\": \"ok\"}\n{\"note_text\": 3, \"secret\": \"Kergo\"}").unwrap_err();
        assert!(error.starts_with("line 2") && !error.contains("Kergo"), "{error}");
        let outside = documents("test", r#"{"note_text": "abc", "entities": [{"start": 0, "end": 9, "label": "NOM"}]}"#).unwrap_err();
        assert!(outside.starts_with("line 1: NOM 0..9"), "{outside}");
    }
}
