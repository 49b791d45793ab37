//! The generated `FUNCTIONS.md`.

use std::fmt::Write;

use datafusion::logical_expr::ScalarUDF;

pub(crate) const CLINICAL_TEXT: &str = "Clinical text";
pub(crate) const MODELS: &str = "Models";
pub(crate) const TERMINOLOGY: &str = "Terminology";
pub(crate) const VARIABLES: &str = "Variables";
pub(crate) const DEIDENTIFICATION: &str = "De-identification";
pub(crate) const STAGES: &str = "Stages";

/// Markdown of every documented function, by section, in order of name.
pub fn catalogue(functions: &[ScalarUDF]) -> String {
    let mut out = String::from("# Functions\n\nGenerated from the functions' own documentation; `SHOW FUNCTIONS` shows the same in SQL.\n");
    let mut functions: Vec<_> = functions.iter().filter_map(|f| f.documentation().map(|d| (d.doc_section.label, f, d))).collect();
    functions.sort_by_key(|(section, function, _)| (*section, function.name().to_owned()));
    let mut current = "";
    for (section, function, documentation) in functions {
        if section != current {
            let _ = write!(out, "\n## {section}\n");
            current = section;
        }
        let _ = write!(out, "\n### `{}`\n\n{}\n\n", documentation.syntax_example, documentation.description);
        for (name, description) in documentation.arguments.iter().flatten() {
            let _ = writeln!(out, "- `{name}`: {description}");
        }
        if let Some(returns) = returned(function) {
            let _ = write!(out, "\nReturns {returns}.\n");
        }
        if let Some(example) = &documentation.sql_example {
            let _ = write!(out, "\n```sql\n{example};\n```\n");
        }
    }
    out
}

fn returned(function: &ScalarUDF) -> Option<String> {
    use arrow::datatypes::DataType;
    let fields = |fields: &arrow::datatypes::Fields| fields.iter().map(|f| format!("`{}`", f.name())).collect::<Vec<_>>().join(", ");
    match function.return_type(&[]).ok()? {
        DataType::List(item) => match item.data_type() {
            DataType::Struct(inner) => Some(format!("a list of structs: {}", fields(inner))),
            _ => None,
        },
        DataType::Struct(inner) => Some(format!("a struct: {}", fields(&inner))),
        DataType::Utf8 => Some("text".to_owned()),
        _ => None,
    }
}
