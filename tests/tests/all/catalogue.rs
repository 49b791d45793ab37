//! Generated pages are what the code says. `UPDATE_PAGES=1` writes them anew.

use std::path::Path;

#[test]
fn functions_page_is_current() {
    let library = sillage::session::built_in().unwrap();
    let functions = sillage_functions::all(&library);
    let names: std::collections::BTreeSet<_> = functions.iter().map(|f| f.name().to_owned()).collect();
    assert_eq!(names.len(), functions.len(), "names are unique");
    for function in &functions {
        let documentation = function.documentation().expect("every function is documented");
        assert!(
            !documentation.description.is_empty() && documentation.sql_example.is_some(),
            "{} has a description and an example",
            function.name()
        );
    }
    let page = sillage_functions::catalogue(&functions);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../FUNCTIONS.md");
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert!(std::fs::read_to_string(&path).unwrap_or_default() == page, "FUNCTIONS.md has drifted: run the tests with UPDATE_PAGES=1");
}
