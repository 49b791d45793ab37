//! The words of forms: answers, links, thresholds, titles.

use std::ops::Range;

use crate::is;
use crate::text::{Kind, Text};

/// Most tokens looked through for the colon of a field.
const FIELD: usize = 16;

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Polarity {
    Yes,
    No,
    /// Not known, not told.
    Open,
    /// No answer but a choice.
    #[default]
    Neutral,
}

impl Polarity {
    pub fn decides(self) -> bool {
        self != Polarity::Neutral
    }
}

/// The answer that this word is.
pub(super) fn answer_at(text: &Text<'_>, at: usize) -> Option<Polarity> {
    let token = text.tokens.get(at).filter(|t| t.kind == Kind::Word)?;
    match text.fold(at) {
        "oui" | "yes" | "present" | "presente" | "presents" | "presentes" | "positif" | "positive" | "vrai" => Some(Polarity::Yes),
        "fait" | "faite" | "realise" | "realisee" => Some(Polarity::Yes),
        "o" | "y" if token.upper => Some(Polarity::Yes),
        "non" | "no" | "absent" | "absente" | "absents" | "absentes" | "aucun" | "aucune" | "aucuns" | "aucunes" | "neant" | "negatif"
        | "negative" | "faux" | "jamais" => Some(Polarity::No),
        "n" if token.upper => Some(Polarity::No),
        "nsp" | "nr" | "nc" | "inconnu" | "inconnue" | "inconnus" | "indetermine" | "indeterminee" => Some(Polarity::Open),
        _ => None,
    }
}

/// Words of an option that deny what its question names: "[x] contre-indiquée".
pub(super) fn denial_at(text: &Text<'_>, at: usize) -> Option<usize> {
    let denies = |word: &str| {
        ["contreindique", "recuse", "refuse", "annule", "decline"].iter().any(|start| word.starts_with(start)) && !word.ends_with("ation")
    };
    let first = text.fold(at);
    let end = match first {
        "contre" if is!(text.key(at + 1), "-") && text.fold(at + 2).starts_with("indiqu") => at + 3,
        "contre" if text.fold(at + 1).starts_with("indiqu") => at + 2,
        "sans" if is!(text.key(at + 1), "objet" | "indication") => at + 2,
        "ci" if text.tokens[at].upper => at + 1,
        "refus" => at + 1,
        "pas" if is!(text.key(at + 1), "indique" | "indiquee" | "fait" | "faite" | "realise" | "realisee") => at + 2,
        "pas" if is!(text.key(at + 1), "d") && is!(text.key(at + 3), "indication") => at + 4,
        word if denies(word) => at + 1,
        _ => return None,
    };
    Some(end)
}

/// "non fait", "non connu": still the answer.
pub(super) fn completes(text: &Text<'_>, at: usize) -> bool {
    is!(
        text.key(at),
        "fait"
            | "faite"
            | "faits"
            | "faites"
            | "realise"
            | "realisee"
            | "pratique"
            | "pratiquee"
            | "effectue"
            | "effectuee"
            | "connu"
            | "connue"
            | "connus"
            | "renseigne"
            | "renseignee"
            | "precise"
            | "precisee"
            | "determine"
            | "determinee"
            | "evaluable"
            | "applicable"
            | "disponible"
            | "documente"
            | "documentee"
            | "retrouve"
            | "retrouvee"
            | "indique"
            | "indiquee"
            | "concerne"
            | "concernee"
    )
}

/// "non renseigné" is not "non".
pub(super) fn refined(text: &Text<'_>, words: Range<usize>, polarity: Polarity) -> Polarity {
    let unknown = |at: usize| {
        let word = text.fold(at);
        ["renseign", "precis", "determin", "evaluable", "applicable", "disponible"].iter().any(|start| word.starts_with(start))
    };
    if words.len() > 1 && unknown(words.start + 1) { Polarity::Open } else { polarity }
}

/// A word that its writer cut short: "insuff. cardiaque : non".
pub(super) fn cut_short(fold: &str) -> bool {
    matches!(
        fold,
        "insuff" | "insuf" | "tr" | "pb" | "art" | "hemi" | "dev" | "syst" | "dep" | "syndr" | "synd" | "mal" | "fib" | "cardio" | "resp"
    )
}

/// What a tab is in spaces.
const COLUMN: usize = 8;

/// Spaces before a token; a tab is a column.
pub(super) fn gap_before(text: &Text<'_>, at: usize) -> usize {
    let Some(token) = text.tokens.get(at).filter(|t| t.space_before && t.lines_before == 0 && at > 0) else { return 0 };
    let gap = &text.original[text.tokens[at - 1].end as usize..token.start as usize];
    if gap.contains('\t') { COLUMN } else { gap.chars().count() }
}

/// The answer here is tied to what stands before it in the line.
pub(super) fn linked(text: &Text<'_>, at: usize) -> bool {
    // Only a plain yes or no: "coagulation : négative" says how a test came out.
    let cell = is!(text.key(at), "o" | "n") && text.tokens[at].upper && gap_before(text, at) >= COLUMN;
    if !(cell || is!(text.key(at), "oui" | "non")) || at == 0 {
        return false;
    }
    is!(text.key(at - 1), ":" | "=" | "?" | "→" | "…" | "_")
        || emphasised(text, at)
        || is!(text.key(at - 1), ".") && at > 1 && is!(text.key(at - 2), ".")
        || is!(text.key(at - 1), ">") && at > 1 && is!(text.key(at - 2), "-" | "=")
        || gap_before(text, at) >= 2
}

/// "(oui)", "[N]", "(O, en 2019)": an answer within brackets of its own.
pub(super) fn bracketed(text: &Text<'_>, at: usize) -> bool {
    at > 1
        && is!(text.key(at - 1), "(" | "[")
        && text.tokens[at - 1].lines_before == 0
        && text.tokens.get(at + 1).is_some_and(|t| t.lines_before == 0)
        && is!(text.key(at + 1), ")" | "]" | "," | ";" | ":")
}

/// A capital O or N by which a form may answer: in brackets, or alone behind its question.
pub(super) fn letter(text: &Text<'_>, at: usize) -> Option<char> {
    let letter = match text.fold(at) {
        "o" => 'O',
        "n" => 'N',
        _ => return None,
    };
    let token = &text.tokens[at];
    if !token.upper || token.lines_before > 0 || at == 0 {
        return None;
    }
    let next = text.tokens.get(at + 1).filter(|t| t.lines_before == 0);
    let ends = next.is_none_or(|t| {
        is!(text.key(at + 1), "," | ";" | ":" | "(" | "/")
            || gap_before(text, at + 1) > 1
            || t.space_before && t.kind == Kind::Word && !t.capital
    });
    let question = text.tokens[at - 1].kind == Kind::Word && text.tokens[at - 1].end - text.tokens[at - 1].start > 1;
    let alone = token.space_before && (question || is!(text.key(at - 1), ":" | "?" | ")")) && ends;
    (bracketed(text, at) || alone).then_some(letter)
}

/// A text that answers by letters says both of them, and more than once.
pub(super) fn lettered(text: &Text<'_>) -> bool {
    let (mut yes, mut no) = (0, 0);
    for at in 0..text.tokens.len() {
        match letter(text, at) {
            Some('O') => yes += 1,
            Some(_) => no += 1,
            None => {}
        }
    }
    yes > 0 && no > 0 && yes + no > 3
}

/// "effet de masse NON ;": an answer in capitals behind words that are not, at the end of its field.
fn emphasised(text: &Text<'_>, at: usize) -> bool {
    let small = |i: usize| {
        text.tokens[i].kind == Kind::Word && !text.tokens[i].capital && text.fold(i).len() > 2 && text.tokens[i].lines_before == 0
    };
    let next = text.tokens.get(at + 1).filter(|t| t.lines_before == 0);
    text.tokens[at].upper
        && text.tokens[at].lines_before == 0
        && text.tokens[at - 1].kind == Kind::Word
        && (at.saturating_sub(FIELD)..at).rev().take_while(|i| text.tokens[*i + 1].lines_before == 0).any(small)
        && next.is_none_or(|t| t.kind == Kind::Mark && is!(text.key(at + 1), ";" | "," | "|" | "/" | "." | ")"))
}

/// The answer ends here: no word goes on with it ("non fluente").
pub(super) fn closes(text: &Text<'_>, at: usize, end: usize) -> bool {
    let mut next = at + 1;
    while next < end && completes(text, next) {
        next += 1;
    }
    let Some(token) = text.tokens.get(next).filter(|t| next < end && t.lines_before == 0) else { return true };
    match token.kind {
        Kind::Mark if is!(text.key(next), "/") && next == at + 1 && emphasised(text, at) => gap_before(text, next) > 0,
        Kind::Mark => !is!(text.key(next), "'" | "/" | "%") && (token.space_before || !is!(text.key(next), "-")),
        _ => gap_before(text, next) > 1 || token.capital && !text.tokens[at].upper,
    }
}

/// A slash between two fields: "HTA : non / diabète : oui", not "oui / non" nor "0 / 20".
pub(super) fn parts_fields(text: &Text<'_>, at: usize, line: &Range<usize>) -> bool {
    let slash = |i: usize| is!(text.key(i), "/") && gap_before(text, i) > 0 && gap_before(text, i + 1) > 0;
    if !slash(at) || at == line.start || at + 1 >= line.end || text.tokens[at + 1].kind != Kind::Word {
        return false;
    }
    if answer_at(text, at + 1).is_some() {
        return false;
    }
    let named = |i: usize| is!(text.key(i), ":" | "=") || i > 0 && is!(text.key(i), "oui" | "non") && emphasised(text, i);
    let before = (line.start..at).rev().take(FIELD).take_while(|i| !slash(*i)).any(named);
    before && (at + 1..line.end).take(FIELD).take_while(|i| !slash(*i)).any(named)
}

/// A threshold is given here.
pub(super) fn comparator_at(text: &Text<'_>, at: usize) -> bool {
    let number = |i: usize| text.tokens.get(i).is_some_and(|t| t.kind == Kind::Number && t.lines_before == 0);
    match text.fold(at) {
        "<" | ">" | "≤" | "≥" => number(at + 1) || is!(text.key(at + 1), "=") && number(at + 2),
        "superieur" | "superieure" | "superieurs" | "superieures" | "inferieur" | "inferieure" | "inferieurs" | "inferieures" | "sup"
        | "inf" | "depassant" | "excedant" => (at + 1..at + 4).any(number),
        "plus" | "moins" => is!(text.key(at + 1), "de") && number(at + 2),
        _ => false,
    }
}

/// A line that is the title of a checklist; `true` where it opens a list of criteria
/// itself, whatever follows.
pub(super) fn list_title(text: &Text<'_>, line: &Range<usize>) -> Option<bool> {
    if line.len() > 16 {
        return None;
    }
    let named = line.clone().any(|at| match text.fold(at) {
        "indications" | "indication" => at > line.start && is!(text.key(at - 1), "contre" | "-"),
        "contreindications" | "contreindication" | "criteres" | "checklist" => true,
        "list" | "liste" => at > line.start + 1 && is!(text.key(at - 1), "-"),
        _ => false,
    });
    if !named {
        return None;
    }
    let last = text.fold(line.end - 1);
    let plural = line.clone().any(|at| is!(text.key(at), "indications" | "contreindications" | "criteres"));
    if last == "." {
        return None;
    }
    Some(last == ":" || last == ")" || plural && text.tokens[line.clone()].iter().all(|t| t.kind != Kind::Word || t.upper))
}
