//! Mistakes and the lines they are told for.

use super::*;

fn problems(text: &str) -> Vec<(usize, String)> {
    Definitions::check(Knowledge::built_in(), text).into_iter().map(|p| (p.line, p.message)).collect()
}

#[test]
fn mistakes_are_told_by_line() {
    let cases = [
        (
            "[[variable]]\nname = \"a\"\ntype = \"bool\"\n[[variable.rule]]\nphrase = [\"x\"]",
            5,
            "unknown key `phrase`, did you mean `phrases`?",
        ),
        ("[[variable]]\nname = \"a\"\ntype = \"boolean\"", 3, "`type` is one of bool, int, float, category, datetime"),
        (
            "[[variable]]\nname = \"a\"\ntype = \"int\"\ndomain = [5, 1]\n[[variable.rule]]\nmeasurement = \"nihss\"",
            4,
            "`domain` is two numbers, the smaller first",
        ),
        (
            "[[variable]]\nname = \"a\"\ntype = \"int\"\n[[variable.rule]]\nmeasurement = \"nihs\"",
            5,
            "no measurement `nihs`, did you mean `nihss`?",
        ),
        (
            "[[variable]]\nname = \"a\"\ntype = \"bool\"\n[[variable.rule]]\nconcepts = [\"atrial_fibrilation\"]",
            5,
            "no concept `atrial_fibrilation` in the lexicon, did you mean `atrial_fibrillation`?",
        ),
        (
            "[[variable]]\nname = \"a\"\ntype = \"bool\"\nanchors = [\"24h\"]\n[[variable.rule]]\nphrases = [\"x\"]\nanchor = \"discharge\"",
            6,
            "the rule never fires: `a` does not accept the anchor discharge",
        ),
        (
            "[[variable]]\nname = \"a\"\ntype = \"bool\"\n[[variable.rule]]\nphrases = [\"x [y\"]",
            5,
            "\"x [y\": bracket without its partner",
        ),
        (
            "[[variable]]\nname = \"a\"\ntype = \"category\"\nvalues = [\"left\"]\n[[variable.rule]]\nvalue = \"lef\"\nphrases = [\"x\"]",
            6,
            "`lef` is none of the values, did you mean `left`?",
        ),
        (
            "[[variable]]\nname = \"a\"\ntype = \"bool\"\nexamples = [\n  { text = \"rien\", value = true },\n]\n[[variable.rule]]\nphrases = [\"fièvre\"]",
            5,
            "the example should find true, but no rule fires",
        ),
        (
            "[[variable]]\nname = \"a\"\ntype = \"bool\"\nexamples = [{ text = \"pas de fièvre\", value = true }]\n[[variable.rule]]\nphrases = [\"fièvre\"]",
            4,
            "the example should find true, but the rule on line 6 finds false in \"fièvre\"",
        ),
        ("[[variable]]\nname = a", 2, ""),
        ("", 1, "no `[[variable]]`"),
    ];
    for (text, line, message) in cases {
        let found = problems(text);
        assert!(found.iter().any(|(l, m)| *l == line && m.starts_with(message)), "{text}\n{found:?}");
    }
}

#[test]
fn a_user_file_adds_and_replaces() {
    let text = "[[variable]]\nname = \"age\"\ntype = \"int\"\n[[variable.rule]]\nnames = [\"âge\"]\n\n[[variable]]\nname = \"hiccups\"\ntype = \"bool\"\n[[variable.rule]]\nphrases = [\"hoquet\"]\n";
    let built_in = Definitions::built_in().variables.len();
    let definitions = Definitions::with_files(Knowledge::built_in(), &[("mine.toml", text)]).unwrap();
    assert_eq!(definitions.variables.len(), built_in + 1);
    assert!(matches!(definitions.get("age").unwrap().rules[0].find, Find::Names { .. }));
    let wrong = Definitions::with_files(
        Knowledge::built_in(),
        &[("mine.toml", "[[variable]]\nname = \"a\"\ntype = \"bool\"\n[[variable.rule]]\nconcepts = [\"nothing_such\"]")],
    );
    assert!(wrong.err().unwrap().to_string().starts_with("mine.toml:5: no concept `nothing_such`"));
}

#[test]
fn built_in_files_are_right() {
    let knowledge = Knowledge::built_in();
    let mut count = 0;
    for (file, text) in BUILT_IN {
        let problems = Definitions::check(knowledge, text);
        assert!(problems.is_empty(), "{}", problems.iter().map(|p| format!("{file}:{}: {}\n", p.line, p.message)).collect::<String>());
        count += read::read(text, &DocumentTypes::built_in().unwrap()).0.len();
    }
    assert_eq!(count, Definitions::new(knowledge, BUILT_IN).unwrap().variables.len(), "a name twice");
}

#[test]
fn the_page_names_every_key_and_its_example_is_right() {
    let page = include_str!("../../../../docs/variables.md");
    for key in read::VARIABLE_KEYS.iter().chain(read::RULE_KEYS).chain(read::UNIT_KEYS).chain(read::EXAMPLE_KEYS) {
        assert!(*key == "rule" || page.contains(&format!("`{key}`")) || page.contains(&format!("`{key} = ")), "{key}");
    }
    let example = include_str!("../../../../examples/study.toml");
    let problems = Definitions::check(Knowledge::built_in(), example);
    assert!(problems.is_empty(), "{problems:?}");
    // What the page shows of it is in it.
    let shown = page.split("```toml\n").nth(2).and_then(|block| block.split("```").next()).unwrap();
    for line in shown.lines().filter(|l| !l.starts_with("phrases")) {
        assert!(example.contains(line), "{line}");
    }
}
