//! Arrow schemas of every table, one constructor a table, and the list of all.
//!
//! Clinical times are `timestamp(us)` without zone (wall clock of the site),
//! machine times are UTC with zone. A column that identifies a person carries
//! the field metadata [`IDENTIFYING`] = `true`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

mod incoming;
mod research;
mod restricted;

pub use incoming::{incoming_documents, incoming_encounters, incoming_page_spans, incoming_patients};
pub use research::{cohort, documents, entities, episode_variables, runs, variables};
pub use restricted::{
    dead_letters, display_disagreements, encounters, identities, page_spans, phi_spans, reidentifications, source_documents,
};

/// Field metadata key of columns that identify a person.
pub const IDENTIFYING: &str = "sillage.identifying";

/// Where a table lives: `DIR/<zone>/<table>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Zone {
    /// Tables that identify nobody.
    Research,
    /// Tables that identify people.
    Restricted,
}

impl Zone {
    pub fn name(self) -> &'static str {
        match self {
            Zone::Research => "research",
            Zone::Restricted => "restricted",
        }
    }
}

/// How an epoch writes a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// The rows of the documents of an epoch replace the earlier rows of these
    /// documents; the column named here says which document.
    Replace { key: &'static str },
    /// Rows are only added.
    Append,
}

/// One table of the store.
pub struct Table {
    pub name: &'static str,
    pub zone: Zone,
    pub write: Write,
    /// Its columns; of an `open` table those that are always there.
    pub schema: fn() -> SchemaRef,
    /// Whether further columns follow, as a run declares them.
    pub open: bool,
    pub description: &'static str,
}

/// Every table that the pipeline writes.
pub const TABLES: &[Table] = &[
    Table {
        name: "documents",
        zone: Zone::Research,
        write: Write::Replace { key: "document_id" },
        schema: documents,
        open: false,
        description: "one row per clinical document, newest version",
    },
    Table {
        name: "entities",
        zone: Zone::Research,
        write: Write::Replace { key: "document_id" },
        schema: entities,
        open: false,
        description: "one row per clinical mention, coded and qualified",
    },
    Table {
        name: "variables",
        zone: Zone::Research,
        write: Write::Replace { key: "document_id" },
        schema: variables,
        open: false,
        description: "one row per value of a declared variable found in one document",
    },
    Table {
        name: "episode_variables",
        zone: Zone::Research,
        write: Write::Replace { key: "patient_id" },
        schema: episode_variables,
        open: false,
        description: "one row per episode and variable: the resolved value, with its evidence",
    },
    Table {
        name: "cohort",
        zone: Zone::Research,
        write: Write::Replace { key: "patient_id" },
        schema: cohort,
        open: true,
        description: "one row per episode, one typed column per variable",
    },
    Table {
        name: "runs",
        zone: Zone::Research,
        write: Write::Replace { key: "run_id" },
        schema: runs,
        open: false,
        description: "one row per run: versions, hashes, counts",
    },
    Table {
        name: "source_documents",
        zone: Zone::Restricted,
        write: Write::Replace { key: "document_id" },
        schema: source_documents,
        open: false,
        description: "the original text of every document",
    },
    Table {
        name: "page_spans",
        zone: Zone::Restricted,
        write: Write::Replace { key: "document_id" },
        schema: page_spans,
        open: false,
        description: "where each word of a text that came from pages stands on them",
    },
    Table {
        name: "identities",
        zone: Zone::Restricted,
        write: Write::Replace { key: "patient_id" },
        schema: identities,
        open: false,
        description: "which source patient a pseudonym stands for",
    },
    Table {
        name: "encounters",
        zone: Zone::Restricted,
        write: Write::Replace { key: "encounter_id" },
        schema: encounters,
        open: false,
        description: "when each stay began and ended, and whose it is",
    },
    Table {
        name: "phi_spans",
        zone: Zone::Restricted,
        write: Write::Replace { key: "document_id" },
        schema: phi_spans,
        open: false,
        description: "what identifies somebody in a text, and what replaces it",
    },
    Table {
        name: "display_disagreements",
        zone: Zone::Restricted,
        write: Write::Replace { key: "document_id" },
        schema: display_disagreements,
        open: false,
        description: "codes of clinical documents whose display says something else",
    },
    Table {
        name: "reidentifications",
        zone: Zone::Restricted,
        write: Write::Append,
        schema: reidentifications,
        open: false,
        description: "who asked for whom behind a pseudonym, when and why",
    },
    Table {
        name: "dead_letters",
        zone: Zone::Restricted,
        write: Write::Append,
        schema: dead_letters,
        open: false,
        description: "input that could not be processed, with place and reason",
    },
];

/// The table of that name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|t| t.name == name)
}

fn schema(fields: Vec<Field>) -> SchemaRef {
    Arc::new(Schema::new(fields))
}
fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}
fn key(name: &str) -> Field {
    Field::new(name, DataType::Utf8, false)
}
fn int(name: &str) -> Field {
    Field::new(name, DataType::Int32, true)
}
fn long(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}
fn float(name: &str) -> Field {
    Field::new(name, DataType::Float32, true)
}
fn double(name: &str) -> Field {
    Field::new(name, DataType::Float64, true)
}
fn flag(name: &str) -> Field {
    Field::new(name, DataType::Boolean, true)
}
/// Wall-clock time of the site.
fn clinical_time(name: &str) -> Field {
    Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, None), true)
}
/// Machine time, UTC.
fn machine_time(name: &str) -> Field {
    Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true)
}
fn list(name: &str, item: DataType) -> Field {
    Field::new(name, DataType::List(Arc::new(Field::new("element", item, true))), true)
}
fn record(fields: Vec<Field>) -> DataType {
    DataType::Struct(Fields::from(fields))
}
fn identifying(field: Field) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.insert(IDENTIFYING.to_owned(), "true".to_owned());
    field.with_metadata(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn table_names_are_unique_and_described() {
        let mut seen = HashSet::new();
        for table in TABLES {
            assert!(seen.insert(table.name), "{} twice", table.name);
            assert!(!table.description.is_empty(), "{} has no description", table.name);
        }
    }

    #[test]
    fn keys_are_columns() {
        for table in TABLES {
            if let Write::Replace { key } = table.write {
                assert!((table.schema)().field_with_name(key).is_ok(), "{} lacks {key}", table.name);
            }
        }
    }

    #[test]
    fn no_research_column_identifies() {
        let mut restricted = 0;
        for table in TABLES {
            for field in (table.schema)().fields() {
                let identifies = field.metadata().get(IDENTIFYING).is_some_and(|v| v == "true");
                assert!(!(identifies && table.zone == Zone::Research), "{}.{}", table.name, field.name());
                restricted += usize::from(identifies);
            }
        }
        assert!(restricted > 5, "the restricted tables mark their identifying columns");
    }
}
