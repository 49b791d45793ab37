//! Dependencies point one way: schemas ← connectors, udfs ← pipelines ← tests, sandbox.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What each crate of ours may depend on, and nothing else of ours.
const ALLOWED: &[(&str, &[&str])] = &[
    ("sillage-schemas", &[]),
    ("sillage-clinical", &["sillage-schemas"]),
    ("sillage-deidentification", &["sillage-clinical", "sillage-schemas"]),
    ("sillage-variables", &["sillage-clinical", "sillage-schemas"]),
    ("sillage-connectors", &["sillage-schemas"]),
    ("sillage-pages", &["sillage-schemas"]),
    ("sillage-inference", &["sillage-clinical", "sillage-schemas"]),
    ("sillage-functions", &["sillage-clinical", "sillage-deidentification", "sillage-inference", "sillage-schemas", "sillage-variables"]),
    ("sillage-sandbox", &["sillage-clinical", "sillage-schemas"]),
    // The demo command plays the sandbox's hospital.
    (
        "sillage",
        &[
            "sillage-clinical",
            "sillage-connectors",
            "sillage-deidentification",
            "sillage-functions",
            "sillage-inference",
            "sillage-pages",
            "sillage-sandbox",
            "sillage-schemas",
            "sillage-variables",
        ],
    ),
    (
        "sillage-tests",
        &[
            "sillage",
            "sillage-clinical",
            "sillage-connectors",
            "sillage-deidentification",
            "sillage-functions",
            "sillage-pages",
            "sillage-sandbox",
            "sillage-schemas",
            "sillage-variables",
        ],
    ),
];

/// Libraries that the text libraries must do without: they know no engine.
const ENGINES: &[&str] = &["arrow", "datafusion", "tokio", "async-trait", "deltalake", "parquet"];

fn manifests() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let workspace: toml::Table = std::fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let mut found = BTreeMap::new();
    for member in members {
        let manifest: toml::Table =
            std::fs::read_to_string(root.join(member.as_str().unwrap()).join("Cargo.toml")).unwrap().parse().unwrap();
        let mut dependencies = BTreeSet::new();
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            if let Some(table) = manifest.get(kind).and_then(|t| t.as_table()) {
                dependencies.extend(table.keys().cloned());
            }
        }
        found.insert(manifest["package"]["name"].as_str().unwrap().to_owned(), dependencies);
    }
    found
}

#[test]
fn arrows_point_one_way() {
    let manifests = manifests();
    assert_eq!(
        manifests.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        ALLOWED.iter().map(|(name, _)| *name).collect(),
        "every crate is listed here"
    );
    for (name, allowed) in ALLOWED {
        let ours: Vec<_> = manifests[*name].iter().filter(|d| d.starts_with("sillage")).collect();
        for dependency in ours {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn one_crate_knows_onnx_runtime() {
    for (name, dependencies) in manifests() {
        let knows = ["ort", "tokenizers"].iter().any(|d| dependencies.contains(*d));
        assert_eq!(knows, name == "sillage-inference", "{name}");
    }
}

#[test]
fn the_text_libraries_know_no_engine() {
    let manifests = manifests();
    for library in ["sillage-clinical", "sillage-deidentification", "sillage-variables", "sillage-inference"] {
        for engine in ENGINES {
            assert!(!manifests[library].contains(*engine), "{library} depends on {engine}");
        }
    }
}
