//! `sillage variables`: the data dictionary, files of declarations, sentences to try.

use std::path::Path;

use super::command::{sillage, stderr, stdout, succeeds, text};

/// A variable that does not ship with Sillage; `%` is what its example should find.
const STUDY: &str = r#"[[variable]]
name = "sedation_depth"
description = "Depth of sedation on arrival"
type = "int"
domain = [0, 5]
anchors = "any"
examples = [{ text = "Profondeur de sédation à 3.", value = % }]

[[variable.rule]]
names = ["profondeur de sédation"]
"#;

#[test]
fn data_dictionary_is_current() {
    let page = succeeds(&["variables", "list", "--format", "markdown"]);
    assert!(page.matches("\n## ").count() > 60 && page.contains("\n## nihss_admission\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/data-dictionary.md");
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == page,
        "docs/data-dictionary.md has drifted: run the tests with UPDATE_PAGES=1"
    );
}

#[test]
fn a_file_of_declarations_is_checked_listed_and_tried() {
    let folder = tempfile::tempdir().unwrap();
    let (right, wrong) = (folder.path().join("right.toml"), folder.path().join("wrong.toml"));
    std::fs::write(&right, STUDY.replace('%', "3")).unwrap();
    std::fs::write(&wrong, STUDY.replace('%', "4")).unwrap();

    let page = succeeds(&["variables", "check", text(&right)]);
    assert!(page.contains("1 variable, no mistake") && page.contains("sedation_depth (int): 1 rule, 1 example"), "{page}");
    let output = sillage(&["variables", "check", text(&wrong), text(&right)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stdout(&output).starts_with(&format!("{}:7: the example should find 4", wrong.display())), "{}", stdout(&output));
    std::fs::write(&wrong, STUDY.replace('%', "3").replace("domain", "domian").replace("type = \"int\"", "type = \"whole\"")).unwrap();
    let output = sillage(&["variables", "check", text(&wrong)]);
    let page = stdout(&output);
    assert_eq!(output.status.code(), Some(2));
    for line in [4, 5] {
        assert!(page.contains(&format!("wrong.toml:{line}: ")), "each mistake has its line: {page}");
    }

    let list = succeeds(&["variables", "list", "--file", text(&right)]);
    assert!(list.lines().any(|l| l.starts_with("sedation_depth") && l.contains("0 to 5")), "{list}");
    let tried = succeeds(&["variables", "try", "Profondeur de sédation à 2.", "--file", text(&right), "--variable", "sedation_depth"]);
    let row = tried.lines().find(|l| l.starts_with("sedation_depth")).unwrap_or_else(|| panic!("{tried}"));
    assert!(row.contains(" 2 ") && row.contains("right.toml:") && row.ends_with("found"), "{tried}");
}

#[test]
fn a_sentence_shows_what_fires_and_why() {
    let page = succeeds(&["variables", "try", "À l'arrivée NIHSS 14.", "--type-code", "34111-5", "--time", "2024-05-02T09:00"]);
    let rows: Vec<&str> = page.lines().filter(|l| l.starts_with("nihss_")).collect();
    assert!(rows[0].starts_with("nihss_admission") && rows[0].contains("14") && rows[0].ends_with("found"), "{page}");
    assert!(rows.iter().any(|r| r.starts_with("nihss_24h") && r.contains("refused: ")), "{page}");
    assert!(page.contains("of type emergency (by its code 34111-5)"), "{page}");
    let output = sillage(&["variables", "try", "x", "--variable", "nihss_admision"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("the nearest is nihss_admission"), "{}", stderr(&output));
}
