//! The letters of those whom metadata names as authors, where people sign: alone on a line,
//! behind a mark or a trade at the end of a phrase, in "(pcl/mv)". There they are
//! somebody's, whatever every ward reads them as.

use rustc_hash::FxHashSet;
use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::Found;
use super::knowledge::role;
use super::page::{Page, look};
use super::slot::{SLOT, vital, writing};
use crate::Label;

/// Finds them; `letters` holds the initials of the authors.
pub(super) fn authors(page: &Page<'_, '_>, letters: &FxHashSet<String>, found: &mut Found) {
    if letters.is_empty() {
        return;
    }
    for at in 0..page.len() {
        if found.covers(at) || !letters.contains(page.fold(at)) || !(2..=4).contains(&page.text.source(at..at + 1).len()) {
            continue;
        }
        if page.has(at, look::UPPER) && signs(page, at) {
            found.push(page, at..at + 1, Label::Nom, SLOT, 20);
        } else if dictated(page, at) {
            found.push(page, at..at + 1, Label::Nom, SLOT, 20);
            found.push(page, at + 2..at + 3, Label::Nom, SLOT, 20);
        }
    }
}

/// "signé PM", "MAO LV" at the end of a phrase, "PM" alone on its line.
fn signs(page: &Page<'_, '_>, at: usize) -> bool {
    let next = at + 1;
    let ends = page.line_ends(next) || is!(page.key(next), ")") || is!(page.key(next), ".") && !page.glued(next + 1);
    let alone = page.line_start(at) == at && page.line_ends(next) && at > 0;
    let Some(before) = at.checked_sub(1).filter(|_| ends && page.same_line(at)) else { return alone };
    let asked = writing(page.fold(before))
        || (0..4).any(|back| {
            let cue = before.checked_sub(back).and_then(|i| page.cues[i]);
            cue.is_some_and(|c| c.end == at && c.roles & (role::FUNCTION | role::TYPIST) != 0)
        });
    // A dash, and what is no measure: "- PM".
    let marked = is!(page.key(before), "-" | "–" | "|" | "(") && !page.glued(before) && !page.has(at, look::CLINICAL);
    asked || marked && !vital(page, at)
}

/// "(pcl/mv)": who dictated and who typed, in small letters both.
fn dictated(page: &Page<'_, '_>, at: usize) -> bool {
    let typist = at + 2;
    let plain = |i: usize| page.has(i, look::LOWER) && page.text.tokens[i].kind == Kind::Word && matches!(page.fold(i).len(), 2 | 3);
    let opened = at > 0 && is!(page.key(at - 1), "(" | "-" | "–" | "[");
    typist < page.len()
        && opened
        && plain(at)
        && is!(page.key(at + 1), "/")
        && page.glued(at + 1)
        && page.glued(typist)
        && plain(typist)
        && (page.line_ends(typist + 1) || is!(page.key(typist + 1), ")" | "]") && page.line_ends(typist + 2))
}

#[cfg(test)]
mod tests {
    use sillage_clinical::analysis::Analysis;
    use sillage_clinical::knowledge::Knowledge;

    use crate::Circumstances;
    use crate::identity::Identity;
    use crate::name::names;
    use crate::name::page::Page;

    /// What is found in a text of this author, letters of more than four left out.
    fn letters<'a>(author: &str, text: &'a str) -> Vec<&'a str> {
        let analysis = Analysis::new(Knowledge::built_in(), text, None);
        let circumstances = Circumstances { person: None, staff: &[author] };
        let spans = names(&Page::new(&Identity::built_in().names, &analysis), circumstances);
        spans.iter().map(|s| &text[s.start..s.end]).filter(|w| w.len() < 5).collect()
    }

    #[test]
    fn the_letters_of_the_author_sign_whatever_they_mean_elsewhere() {
        assert_eq!(letters("Dr Paul MERCIER", "Pose d'un PM, PM double chambre.\n\nSecrétariat - signé PM\n"), ["PM"]);
        assert_eq!(letters("Irène LEMOINE", "IL DORT.\n\nIL\n\nAdd. : il dort."), ["IL"]);
        assert_eq!(letters("Dr Pierre-Yves GUERIN", "Il va bien.\n\nDicté, non relu (pyg/ml)"), ["pyg", "ml"]);
        assert_eq!(letters("Dr Tanguy AUBRY", "TA 12/8\nSurveillance - TA\nPrise de TA."), Vec::<&str>::new());
    }
}
