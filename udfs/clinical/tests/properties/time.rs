//! Time grows with the text: a megabyte of anything is read in seconds.

use std::time::{Duration, Instant};

use sillage_clinical::analysis::Analysis;
use sillage_clinical::knowledge::Knowledge;
use sillage_clinical::lexicon::pattern::{parse, parse_cue};
use sillage_clinical::measurement::measurements;
use sillage_clinical::mention::mentions;
use sillage_clinical::sentence::sentences;
use sillage_clinical::temporal::temporal_expressions;
use sillage_clinical::text::{CharOffsets, Text};

const MEGABYTE: usize = 1 << 20;
/// Far above what linear time takes on a busy machine, far below the square.
const LIMIT: Duration = Duration::from_secs(10);

/// What a megabyte is made of.
#[rustfmt::skip]
const REPEATED: &[&str] = &[
    "pas de ", "pas de toux ", "toux ", "toux, ", "toux\n", "ou ", "(", "(toux ", "?", "toux ? ", "ni ", "ni toux ", "sans ", "12/", "12 ", "1", "12/03/24 ",
    "de la de la ", ",", ".", ". ", "-", "- ", "a-\n", "\n", "\r\n", " ", "\u{301}", "\u{ad}", "é", "😀", "\u{0}", "AVC 2009 ", "AVC, 2009, ", "hier ", "le 12 ", "vingt ",
    "quatre-vingt-", "il y a ", "J2 ", "TA ", "TA 12/8 ", "TA : ", "NIHSS 4 ", "entre 3 et ", "12 x ", "000 ", "insuff. ", "insuff. card. ", "ATCD : ", "ATCD ", "HTA, ",
    "infarctus cérébral ", "de l'", "père ", "père AVC ", "antécédents de ", "patient ", "si ", "Examen : toux. ", "non ", "AVC ? ", "douleur ", "hémiplégie gauche ",
    "céphalées, ni toux ou ", "aspirine 75 mg ", "sous aspirine ", "? (", "à 9h ", "du 3 au ", "Dr. ", "bras ", "déficit moteur du bras ", "h", "0,", "g/",
    "FC 80 FR 12 120/80 - 36,5 - ", "FC 80 - FR 12 - 120/80 - 36,5\n", "EXAM  ",
];

/// Reads growing texts, so that the square shows before it costs an hour.
fn quick(name: &str, read: impl Fn(&str)) {
    let mut slow = Vec::new();
    for piece in REPEATED {
        for size in [MEGABYTE / 256, MEGABYTE / 64, MEGABYTE / 16, MEGABYTE / 4, MEGABYTE] {
            let text = piece.repeat(size / piece.len());
            let begun = Instant::now();
            read(&text);
            let taken = begun.elapsed();
            if taken > LIMIT / 8 && size < MEGABYTE || taken > LIMIT {
                slow.push(format!("{} KiB of {piece:?} take {taken:?}", size >> 10));
                break;
            }
        }
    }
    assert!(slow.is_empty(), "{name}:\n{}", slow.join("\n"));
}

#[test]
fn tokens_and_sentences_take_linear_time() {
    quick("tokens and sentences", |original| {
        let text = Text::new(original);
        let mut offsets = CharOffsets::new(original);
        assert!(sentences(&text).iter().all(|s| offsets.at(text.byte_range(s.clone()).end) > 0));
    });
}

#[test]
fn temporal_expressions_take_linear_time() {
    let reference = super::reference();
    quick("temporal expressions", |original| assert!(temporal_expressions(&Text::new(original), reference).len() <= original.len()));
}

#[test]
fn measurements_take_linear_time() {
    quick("measurements", |original| assert!(measurements(&Text::new(original)).len() <= original.len()));
}

#[test]
fn mentions_take_linear_time() {
    let knowledge = Knowledge::built_in();
    quick("mentions", |original| {
        let text = Text::new(original);
        let words = knowledge.vocabulary.read(&text);
        assert!(mentions(knowledge, &text, &words).len() <= words.len());
    });
}

#[test]
fn analysis_takes_linear_time() {
    let knowledge = Knowledge::built_in();
    let reference = super::reference();
    quick("analysis", |original| {
        let analysis = Analysis::new(knowledge, original, reference);
        assert!(analysis.entities().len() <= analysis.text.tokens.len());
        let _ = analysis.qualifiers(original.len() / 2, original.len() / 2 + 3);
    });
}

/// Forms that would open into more than memory holds.
#[test]
fn lexicon_forms_that_explode_are_refused() {
    let deep = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
    let wide = format!("[{}a]", "b/".repeat(190));
    let begun = Instant::now();
    for form in [deep, "a(b)".repeat(40), format!("{wide} {wide} {wide}"), "abc-def ".repeat(60), "abc(-def) ".repeat(30)] {
        assert!(parse(&form).is_err() && parse_cue(&form).is_err(), "{} bytes are accepted", form.len());
    }
    assert!(parse(&format!("{}a{}", "(".repeat(900), ")".repeat(900))).is_ok());
    assert!(begun.elapsed() < LIMIT);
}
