//! Names that mean something else as well, where their place leaves no other reading: behind
//! a title or a function, up to the end of the phrase.

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::Found;
use super::context::link;
use super::free::telephone;
use super::knowledge::{CueHit, likely_common, role, word};
use super::lead;
use super::page::{Page, look};
use crate::calendar::weekday;
use crate::proper::known;
use crate::{Label, leak};

/// Detector of names whose place says more than the word.
const PLACE: &str = "context:slot-title";

/// Finds what titles and functions announce although the word is one of every day, of
/// medicine, or an abbreviation.
pub(super) fn positions(page: &Page<'_, '_>, found: &mut Found) {
    for at in 0..page.len() {
        if is!(page.key(at), "(") {
            beside_phone(page, at, found);
        }
        if !page.leads_on(at) {
            continue;
        }
        if page.leads(at, lead::WARD) {
            ward_physician(page, at, found);
        }
        let Some(hit) = page.cues[at] else { continue };
        if let Some(name) = page.title(at).filter(|name| page.same_line(*name)) {
            lettered(page, at, name, hit, found);
            if called(page, at) {
                shouted(page, name, found);
            }
            eponym(page, at, name, hit, found);
            small_eponym(page, at, name, hit, found);
            pair(page, name, found);
            worded(page, at, name, hit, found);
        }
        if hit.roles & role::FUNCTION != 0 {
            let name = link(page, at, hit.end, role::FUNCTION).at;
            if page.same_line(name) && !page.glued(name) {
                pair(page, name, found);
                shouted(page, name, found);
                lettered_name(page, name, found);
                alone(page, at, name, found);
            }
        }
    }
}

/// "Destinataires : Dr X, réa MONNIER,": who is meant by a ward in a list of people.
fn ward_physician(page: &Page<'_, '_>, ward: usize, found: &mut Found) {
    let name = ward + 1;
    let listed = ward > 0 && is!(page.key(ward - 1), "," | ";" | ":" | "/" | "-" | "–" | "&" | "et") && page.same_line(ward);
    let family = page.stands_out(name) && page.has(name, word::ANY_FAMILY) && page.fold(name).len() > 2;
    let thing = page.has(name, look::CLINICAL | word::ACRONYM | look::CUE | word::QUALIFIER);
    let people = (1..=24).take_while(|back| ward >= *back && page.same_line(ward + 1 - back)).any(|back| {
        let i = ward - back;
        page.title(i).is_some() || page.cues[i].is_some_and(|c| c.roles & role::COPY != 0)
    });
    if listed && family && !thing && people && page.same_line(name) && ends(page, name + 1) && !found.covers(name) {
        found.push(page, name..name + 1, Label::Nom, PLACE, 22);
    }
}

/// The phrase ends before this token.
fn ends(page: &Page<'_, '_>, at: usize) -> bool {
    page.line_ends(at) || is!(page.key(at), "." | "," | ":" | ";" | ")" | "(" | "|" | "/" | "-" | "–") && !page.glued(at + 1)
}

/// "(Constance 06 12 …)", "poste 4412 (Juin)": in brackets beside a number stands somebody.
fn beside_phone(page: &Page<'_, '_>, open: usize, found: &mut Found) {
    let name = open + 1;
    if !page.has(name, look::CAPITAL) || page.has(name, look::CLINICAL | look::CUE | word::ACRONYM) || found.covers(name) {
        return;
    }
    let called = page.has(name, word::ANY_GIVEN) && telephone(page, name + 1);
    let number = |at: usize| (4..=5).contains(&page.fold(at).len()) && page.fold(at).bytes().all(|b| b.is_ascii_digit());
    let post = open > 1 && number(open - 1) && is!(page.key(open - 2), "poste" | "dect" | "bip" | "tel" | "telephone" | "au");
    if called || post && page.has(name, word::ANY_NAME) && is!(page.key(name + 1), ")") {
        let label = if page.has(name, word::ANY_GIVEN) { Label::Prenom } else { Label::Nom };
        found.push(page, name..name + 1, label, PLACE, 24);
    }
}

/// "Dr CAS, 4 12 60", "Mme TOC a appelé": letters that are also an abbreviation, never the
/// ward that somebody works in.
fn lettered(page: &Page<'_, '_>, title: usize, at: usize, hit: CueHit, found: &mut Found) {
    let ward = is!(
        page.key(at),
        "sau"
            | "samu"
            | "smur"
            | "rea"
            | "urg"
            | "usi"
            | "usic"
            | "uhcd"
            | "chu"
            | "chi"
            | "chic"
            | "ehpad"
            | "orl"
            | "irm"
            | "had"
            | "eeg"
    );
    let written = page.stands_out(at)
        && page.fold(at).len() > 2
        && page.has(at, word::ACRONYM)
        && !page.has(at, word::QUALIFIER | look::CLINICAL | look::CUE)
        && page.fold(at).bytes().skip(1).any(|b| matches!(b, b'a' | b'e' | b'i' | b'o' | b'u'));
    let titled = hit.roles & role::WEAK_TITLE == 0 && !page.has(title, look::UPPER | look::LOWER);
    if written && titled && !ward && (ends(page, at + 1) || page.has(at + 1, look::LOWER)) {
        found.push(page, at..at + 1, Label::Nom, PLACE, 24);
    }
}

/// "Mme SOIR Lucie", "sa nièce, Mme Soir, rappelle", "Dr Soir (neurologue)", "MME SOIR LUCIE":
/// behind a title a word of every day is a name as well.
fn worded(page: &Page<'_, '_>, title: usize, at: usize, hit: CueHit, found: &mut Found) {
    let counted = title > 0 && page.text.tokens[title - 1].kind == Kind::Number;
    // "M. Calme" is how he is.
    let dotted = is!(page.key(at - 1), ".") && !counted && page.has(at, word::ANY_NAME | word::QUALIFIER);
    let sure = hit.roles & role::WEAK_TITLE == 0 || dotted;
    let trade = page.cues[at].is_some_and(|c| c.roles & (role::FUNCTION | role::TITLE | role::KIN | role::PERSON_HEAD) != 0);
    let thing = page.has(at, look::CLINICAL | word::ACRONYM | word::PARTICLE) || page.fold(at).len() < 3;
    let physician = hit.roles & role::PHYSICIAN != 0;
    if thing || page.fold(at).len() < 4 && !physician {
        return;
    }
    if !sure || !page.has(title, look::CAPITAL | look::SINGLE) || trade || found.covers(at) || page.glued(at) {
        return;
    }
    let given = at + 1;
    let named = page.same_line(given) && page.has(given, look::CAPITAL) && page.has(given, word::ANY_GIVEN) && !found.covers(given);
    let shouted = page.has(title, look::UPPER | look::IN_CAPITALS) || page.has(at, look::IN_CAPITALS);
    let written = if shouted {
        let asked = physician && leak::everyday(page.fold(at)) && !told_of_physician(page.fold(at)) && asks_for(page, title);
        // "RDV DR LUNDI 14H" is a day.
        let asked = asked && (!weekday(page.fold(at)) || ends(page, given) && (title == 0 || !is!(page.key(title - 1), "rdv")));
        page.has(at, look::UPPER) && (named && page.has(given, word::GIVEN) && !likely_common(page.fold(at)) || asked)
    } else {
        let closed = ends(page, given) || is!(page.key(given), "(");
        page.has(given, look::LOWER) || closed || page.stands_out(at) && named
    };
    if page.has(at, look::CAPITAL) && written {
        found.push(page, at..given, Label::Nom, PLACE, 24);
        if named {
            found.push(page, given..given + 1, Label::Prenom, PLACE, 24);
        }
    }
}

/// In capitals, what precedes a title asks for the physician: "PAR DR X", "AVIS DU DR X", "- DR X".
fn asks_for(page: &Page<'_, '_>, title: usize) -> bool {
    let Some(before) = title.checked_sub(1).filter(|_| page.same_line(title)) else { return true };
    let asks = is!(
        page.key(before),
        "par" | "avec" | "au" | "du" | "avis" | "le" | "appel" | "tel" | "chez" | "accord" | "staff" | "rdv" | "vu" | "vue" | "selon"
    );
    asks || page.text.tokens[before].kind == Kind::Mark
}

/// When a physician comes and what one works as, of the words that are names as well.
fn told_of_physician(fold: &str) -> bool {
    matches!(
        fold,
        "nuit"
            | "jour"
            | "matin"
            | "soir"
            | "midi"
            | "minuit"
            | "service"
            | "retour"
            | "accord"
            | "place"
            | "conseil"
            | "unite"
            | "bloc"
            | "trouve"
            | "general"
            | "aime"
            | "marche"
            | "parent"
            | "voisin"
    )
}

/// "IAO S. MONTAGNE 09h45": behind a function a letter with a dot and a word in capitals.
fn lettered_name(page: &Page<'_, '_>, letter: usize, found: &mut Found) {
    let (dot, name) = (letter + 1, letter + 2);
    let written = page.has(letter, look::SINGLE) && is!(page.key(dot), ".") && page.glued(dot) && page.same_line(name);
    let word = page.stands_out(name) && page.fold(name).len() > 3 && !page.has(name, look::CLINICAL | word::ACRONYM | look::CUE);
    let hour = page.text.tokens.get(name + 1).is_some_and(|t| t.kind == Kind::Number) && page.fold(name + 1).contains('h');
    if written && word && (hour || ends(page, name + 1)) && !found.covers(letter) && !found.covers(name) {
        found.push(page, letter..dot, Label::Prenom, PLACE, 24);
        found.push(page, name..name + 1, Label::Nom, PLACE, 24);
    }
}

/// A function, a relative or "avec" stands right before a title: who is called, not whom
/// the note is about.
fn called(page: &Page<'_, '_>, title: usize) -> bool {
    title.checked_sub(1).filter(|_| page.same_line(title)).is_some_and(|before| {
        page.cues[before].is_some_and(|c| c.roles & (role::FUNCTION | role::KIN) != 0)
            || is!(page.key(before), "ortho" | "ergo" | "diet" | "psy" | "avec" | "par" | "chez")
    })
}

/// "KINE MME YVETTE SONNETTE.", "AS YVETTE SONNETTE :" in a line of capitals: behind a given
/// name the last word of a phrase is a family name; of a patient it may say how she is.
fn shouted(page: &Page<'_, '_>, given: usize, found: &mut Found) {
    let name = given + 1;
    let capitals = page.has(given, look::IN_CAPITALS) && page.has(name, look::IN_CAPITALS) && page.has(name, look::UPPER);
    let sure = page.has(given, word::GIVEN) && !page.has(given, word::ANY_FAMILY);
    let fold = page.fold(name);
    let told = likely_common(fold)
        || known::deed(fold)
        || page.has(name, look::CLINICAL | look::CUE | word::ACRONYM | word::QUALIFIER | word::KIN_QUALIFIER);
    if capitals && sure && page.same_line(name) && fold.len() > 3 && !told && ends(page, name + 1) {
        found.push(page, name..name + 1, Label::Nom, PLACE, 22);
    }
}

/// A name that medicine has taken as well.
fn of_medicine(page: &Page<'_, '_>, at: usize) -> bool {
    page.has(at, word::EPONYM) || leak::eponym(page.fold(at)).is_some()
}

/// "M. FABRY va bien", "Pr Sylvius": behind a title with its dot nothing but a person is meant.
fn eponym(page: &Page<'_, '_>, title: usize, at: usize, hit: CueHit, found: &mut Found) {
    let dotted = hit.roles & role::WEAK_TITLE == 0 || is!(page.key(at - 1), ".");
    let written = page.has(at, look::CAPITAL) && !page.has(title, look::IN_CAPITALS | look::UPPER) && page.fold(at).len() > 3;
    let counted = title > 0 && page.text.tokens[title - 1].kind == Kind::Number;
    let goes_on = ends(page, at + 1) || page.has(at + 1, look::LOWER);
    if written && dotted && goes_on && !counted && of_medicine(page, at) && !page.behind_eponym_head(title) {
        found.push(page, at..at + 1, Label::Nom, PLACE, 24);
    }
}

/// "avis dr basedow", "8h40 dr basedow unv": in small letters "dr" is a side as well.
fn small_eponym(page: &Page<'_, '_>, title: usize, at: usize, hit: CueHit, found: &mut Found) {
    let eponym = page.has(at, look::LOWER) && of_medicine(page, at);
    // What is worn and recorded is no physician.
    let device = is!(page.key(at), "doppler" | "holter" | "foley" | "redon" | "glasgow" | "rankin");
    if !eponym || device || hit.roles & role::PHYSICIAN == 0 || page.fold(at).len() < 4 {
        return;
    }
    let before = title.checked_sub(1).filter(|_| page.same_line(title)).map_or("", |b| page.fold(b));
    let asked = matches!(
        before,
        "" | "par" | "avec" | "au" | "avis" | "le" | "du" | "appel" | "tel" | "chez" | "accord" | "staff" | "rdv" | "vu" | "cs" | "teleavc"
    );
    let clock = before.starts_with(|c: char| c.is_ascii_digit()) && before.contains('h');
    let sign = is!(page.key(at + 1), "+" | "++" | "positif" | "negatif" | "indifferent" | "en" | "bilateral" | "present" | "absent");
    if (asked || clock) && !sign && !page.behind_eponym_head(title) {
        found.push(page, at..at + 1, Label::Nom, PLACE, 24);
    }
}

/// "IDE Mai MERCIER", "interne Solenn BASEDOW (bip 12)": a name and capitals behind it,
/// whatever the two mean elsewhere.
fn pair(page: &Page<'_, '_>, first: usize, found: &mut Found) {
    let name = first + 1;
    let capitals = page.stands_out(name) && page.fold(name).len() > 3 && page.same_line(name) && !page.column(name) && !found.covers(name);
    let mixed = page.has(first, look::CAPITAL) && !page.has(first, look::UPPER | look::CLINICAL);
    let fits = if of_medicine(page, name) {
        page.has(first, word::ANY_GIVEN)
    } else {
        page.has(first, word::ANY_NAME) && !page.has(name, look::CLINICAL)
    };
    let thing = page.has(name, word::ACRONYM | look::CUE) && !page.has(name, word::ANY_FAMILY);
    if capitals && mixed && fits && !thing && page.title(first).is_none() {
        found.push(page, first..name, Label::Prenom, PLACE, 24);
        found.push(page, name..name + 1, Label::Nom, PLACE, 24);
    }
}

/// "interne LEBLANC" that is also a word, "IADE Thivaux |" that ends like one, up to the end
/// of the phrase.
fn alone(page: &Page<'_, '_>, cue: usize, at: usize, found: &mut Found) {
    if !page.has(at, look::CAPITAL) || !ends(page, at + 1) || page.has(at, look::CLINICAL | word::ACRONYM | look::CUE | word::QUALIFIER) {
        return;
    }
    let fold = page.fold(at);
    let month = matches!(fold, "mars" | "avril" | "juin" | "juillet" | "aout" | "octobre" | "janvier");
    let family = page.stands_out(at) && fold.len() > 3 && (page.has(at, word::ANY_FAMILY) || month);
    let unexplained = page.has(cue, look::UPPER)
        && !page.has(at, look::UPPER | look::IN_CAPITALS | look::SEEN_LOWER | word::COMMON | word::EPONYM)
        && likely_common(fold)
        && !known::explained(fold);
    if family || unexplained {
        found.push(page, at..at + 1, Label::Nom, PLACE, 22);
    }
}
