//! How far a candidate looks like a name, and which of its words is which.

use std::ops::Range;

use sillage_clinical::is;

use super::knowledge::{likely_common, role, word};
use super::page::{Candidate, Page, Part, PartKind, look};
use crate::Label;

/// What a candidate must weigh, context and shape together.
pub(crate) const ENOUGH: i32 = 20;

/// "Sofia 5F", "Vecta 71 Fr": the size of a catheter stands behind its name.
fn gauge(page: &Page<'_, '_>, at: usize) -> bool {
    let fold = page.fold(at);
    let figures = fold.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let unit = if figures.len() < fold.len() { &fold[figures.len()..] } else { page.fold(at + 1) };
    page.same_line(at)
        && (1..=2).contains(&figures.len())
        && figures.bytes().all(|b| b.is_ascii_digit())
        && matches!(unit, "f" | "fr" | "french" | "ch")
        && (figures.len() < fold.len() || page.same_line(at + 1))
}

/// Weight of the shape of a name alone.
pub(crate) fn shape(page: &Page<'_, '_>, candidate: &Candidate, announced: bool) -> i32 {
    let parts = &candidate.parts;
    if parts.len() == 1 && gauge(page, parts[0].tokens.end) {
        return -ENOUGH;
    }
    let (mut given, mut family, mut unlisted, mut bad, mut eponym, mut initials) = (0, 0, 0, 0, 0, 0);
    let (mut upper, mut mixed) = (false, false);
    for part in parts {
        if part.kind == PartKind::Initial {
            initials += 1;
            continue;
        }
        let first = part.tokens.start;
        let long = page.text.byte_range(part.tokens.clone()).len() >= 4;
        let plain = part.bits & word::EPONYM == 0;
        if part.bits & word::GIVEN != 0 {
            given = given.max(if long { 20 } else { 12 });
        } else if part.bits & word::GIVEN_ALSO != 0 {
            given = given.max(if behind_small_word(page, first) && part.bits & word::ELSEWHERE == 0 { 20 } else { 8 });
        }
        if part.bits & word::FAMILY != 0 && plain {
            family = family.max(if long { 14 } else { 8 });
            if long && (behind_small_word(page, first) || part.upper && page.stands_out(first)) {
                family = family.max(20);
            }
        } else if part.bits & word::FAMILY_ALSO != 0 {
            family = family.max(6);
        }
        if page.unlisted(part) {
            let opens = page.has(first, look::OPENS) && !announced && parts.len() == 1;
            let short = part.upper && page.text.byte_range(part.tokens.clone()).len() < 4;
            unlisted = unlisted.max(if opens || short { 0 } else { 6 });
        } else if part.bits & word::ANY_NAME == 0 {
            if likely_common(page.fold(part.tokens.end - 1)) {
                bad += 10;
            }
            if part.bits & look::SEEN_LOWER != 0 {
                bad += 8;
            }
        }
        // "IADE Thomas": whom a function announces by a given name, whatever a Thomas described.
        let called = announced && parts.len() == 1 && part.bits & word::ANY_GIVEN != 0;
        if part.bits & word::EPONYM != 0 && part.bits & word::GIVEN == 0 && !called {
            eponym += if part.bits & word::FAMILY != 0 { 6 } else { 12 };
        }
        if part.bits & word::COMMON != 0 {
            let behind_given = part.tokens.start > parts[0].tokens.start && parts[0].bits & word::GIVEN != 0;
            bad += if behind_given || part.upper && page.text.byte_range(part.tokens.clone()).len() > 3 { 2 } else { 6 };
        }
        if part.bits & look::CLINICAL != 0 {
            bad += 12;
        }
        upper |= part.upper;
        mixed |= !part.upper;
    }
    let words = parts.len() - initials;
    // "WEBER Aline" is a person, whatever Weber described.
    if given < 20 || words < 2 {
        bad += eponym;
    }
    let mut weight = given + family + unlisted - bad;
    if words > 1 && upper && mixed && bad == 0 {
        // "Nolwenn KERANGAL", but "Anti HAV", "CHUX de Barra".
        let fine = |p: &Part| {
            let long = !p.upper || page.text.byte_range(p.tokens.clone()).len() > 3;
            p.kind == PartKind::Initial || p.bits & word::ANY_NAME != 0 || page.unlisted(p) && long
        };
        weight += if parts.iter().all(fine) { 10 } else { 4 };
    }
    if parts.len() > 1 {
        weight += 4;
    }
    if initials > 0 && words > 0 && bad == 0 {
        // "C. LE GOFF", "J. Martin": a dot stands behind the letter.
        let first = parts[0].kind == PartKind::Initial;
        let listed = parts.iter().any(|p| p.bits & word::ANY_NAME != 0);
        weight += match () {
            () if !first && !listed => 0,
            () if parts.iter().any(|p| p.kind == PartKind::Initial && p.upper) => 10,
            () => 3,
        };
    }
    let start = parts[0].tokens.start;
    if page.behind_eponym_head(start) {
        weight -= 40;
    }
    // "d'un Olivier", "l'Elisa": a thing.
    if !announced
        && parts.len() == 1
        && start > 0
        && page.same_line(start)
        && is!(page.key(start - 1), "un" | "une" | "le" | "la" | "les" | "des" | "du" | "au" | "aux")
    {
        weight -= 12;
    }
    weight
}

/// A small word of the running text stands right before: no title, no list.
pub(crate) fn behind_small_word(page: &Page<'_, '_>, at: usize) -> bool {
    at > 0 && page.same_line(at) && page.has(at - 1, look::LOWER)
}

/// The words of a candidate with their labels, words of one label joined.
pub(crate) fn labelled(page: &Page<'_, '_>, candidate: &Candidate, roles: u32) -> Vec<(Range<usize>, Label)> {
    let labels = labels(candidate, roles);
    let mut out: Vec<(Range<usize>, Label)> = Vec::new();
    for (part, label) in candidate.parts.iter().zip(labels) {
        match out.last_mut() {
            Some((tokens, last)) if *last == label && tokens.end == part.tokens.start && page.same_line(part.tokens.start) => {
                tokens.end = part.tokens.end;
            }
            _ => out.push((part.tokens.clone(), label)),
        }
    }
    out
}

fn labels(candidate: &Candidate, roles: u32) -> Vec<Label> {
    let parts = &candidate.parts;
    if let [part] = parts.as_slice() {
        return vec![single(part, roles)];
    }
    let upper = parts.iter().any(|p| p.kind == PartKind::Word && p.upper);
    let mixed = parts.iter().any(|p| p.kind == PartKind::Word && !p.upper);
    if upper && mixed {
        return parts
            .iter()
            .map(|p| if p.kind == PartKind::Word && (p.upper || p.particle) { Label::Nom } else { Label::Prenom })
            .collect();
    }
    let words = parts.iter().filter(|p| p.kind == PartKind::Word).count();
    if words == 0 {
        let last = parts.len() - 1;
        return (0..parts.len()).map(|i| if i == last { Label::Nom } else { Label::Prenom }).collect();
    }
    if words < parts.len() {
        // "Josette M." is a first name with an initial, "Cordier Y." a family name with one.
        let given_only = |p: &Part| p.bits & word::ANY_GIVEN != 0 && p.bits & word::ANY_FAMILY == 0;
        let ends_on_initial = parts.last().is_some_and(|p| p.kind == PartKind::Initial);
        let given = ends_on_initial && given_only(&parts[0]);
        return parts.iter().map(|p| if (p.kind == PartKind::Word) == given { Label::Prenom } else { Label::Nom }).collect();
    }
    let likely = |p: &Part| {
        let (given, family) = (p.bits & word::ANY_GIVEN != 0, p.bits & word::ANY_FAMILY != 0);
        match (given, family) {
            _ if p.particle => Some(Label::Nom),
            (true, false) => Some(Label::Prenom),
            (false, true) => Some(Label::Nom),
            _ => None,
        }
    };
    let first_given = parts.iter().position(|p| likely(p) == Some(Label::Prenom));
    let mut out = Vec::with_capacity(parts.len());
    for (i, part) in parts.iter().enumerate() {
        out.push(likely(part).unwrap_or(match first_given {
            Some(_) => Label::Nom,
            None if i == 0 && part.bits & word::ANY_GIVEN != 0 => Label::Prenom,
            None if i == 0
                && roles & (role::PERSON_HEAD | role::FAMILY_HEAD) == 0
                && likely(&parts[parts.len() - 1]) == Some(Label::Nom) =>
            {
                Label::Prenom
            }
            None => Label::Nom,
        }));
    }
    if out.iter().all(|l| *l == Label::Nom)
        && roles & (role::PERSON_HEAD | role::FAMILY_HEAD | role::BIRTH) == 0
        && !parts[0].upper
        && !parts[0].particle
    {
        out[0] = Label::Prenom;
    }
    out
}

fn single(part: &Part, roles: u32) -> Label {
    let (given, family) = (part.bits & word::ANY_GIVEN != 0, part.bits & word::ANY_FAMILY != 0);
    let maiden = roles & (role::FAMILY_HEAD | role::BIRTH) != 0 || roles & role::SPOUSE != 0 && part.upper;
    if maiden || part.kind == PartKind::Initial || part.particle {
        return Label::Nom;
    }
    let titled = roles & role::TITLE != 0;
    let announced = roles & role::GIVEN_HEAD != 0 || roles & role::KIN != 0 && (given || !family);
    // "Mme Rozenn" by her first name; "Mme ALMEIRA", "Mme Martin" by the other.
    let by_itself = given && !(titled && (family || part.upper));
    if announced || by_itself { Label::Prenom } else { Label::Nom }
}
