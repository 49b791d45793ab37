//! The names of the relatives of a text: who is called "sa sœur Odile" once is "Odile" further on.

use std::ops::Range;

use super::{Cue, CueKind};
use crate::is;
use crate::mention::Mention;
use crate::text::{Kind, Text};

/// Fewest letters of a name.
const SHORTEST: usize = 3;

/// The tokens in which a relative is called by the given name that the text has told before, ascending.
pub(crate) fn called(text: &Text<'_>, mentions: &[Mention]) -> Vec<usize> {
    let mut names: Vec<u64> = Vec::new();
    let mut others: Vec<u64> = Vec::new();
    let mut places = Vec::new();
    for at in (1..text.tokens.len()).filter(|at| is_name(text, *at)) {
        let key = text.key(at);
        if introduced(text, at) {
            let within = mentions.partition_point(|m| m.end <= at);
            if mentions.get(within).is_none_or(|m| m.start > at) {
                names.push(key);
            }
        } else if titled(text, at) {
            others.push(key);
        } else {
            places.push(at);
        }
    }
    places.retain(|at| names.contains(&text.key(*at)) && !others.contains(&text.key(*at)));
    places
}

/// Takes the names of a sentence for what they are, among its cues.
pub(crate) fn add(cues: &mut Vec<Cue>, called: &[usize], sentence: &Range<usize>) {
    let from = called.partition_point(|at| *at < sentence.start);
    let here = called[from..].iter().take_while(|at| **at < sentence.end);
    let before = cues.len();
    cues.extend(here.map(|at| Cue { start: *at, end: at + 1, words: 1, kind: CueKind::Kin }));
    if cues.len() > before {
        cues.sort_by_key(|c| c.start);
    }
}

/// A word with a capital, not in capitals.
fn is_name(text: &Text<'_>, at: usize) -> bool {
    let token = &text.tokens[at];
    token.kind == Kind::Word && token.capital && !token.upper && text.fold(at).len() >= SHORTEST
}

/// "sa sœur Odile", "son fils, Jean".
fn introduced(text: &Text<'_>, at: usize) -> bool {
    if text.tokens[at].lines_before > 0 {
        return false;
    }
    let comma = is!(text.key(at - 1), ",");
    let Some(kin) = (at - 1).checked_sub(usize::from(comma)) else { return false };
    // Fewer than the relatives of the cues: a capital behind "famille" or "enfants" is no given name.
    let relative = is!(
        text.key(kin),
        "frere"
            | "soeur"
            | "fils"
            | "fille"
            | "oncle"
            | "tante"
            | "cousin"
            | "cousine"
            | "neveu"
            | "niece"
            | "pere"
            | "mere"
            | "epouse"
            | "epoux"
            | "mari"
            | "femme"
            | "conjoint"
            | "conjointe"
            | "compagnon"
            | "compagne"
            | "jumeau"
            | "jumelle"
            | "gendre"
    );
    // "Femme, Marseille": behind a comma only of somebody's.
    let owned = !comma || kin > 0 && is!(text.key(kin - 1), "sa" | "son" | "la" | "le" | "leur" | "ma" | "mon");
    relative && owned
}

/// "Mme Odile Kervella", "Dr Odile": somebody else, or the patient.
fn titled(text: &Text<'_>, at: usize) -> bool {
    let dot = usize::from(is!(text.key(at - 1), ".") && at > 1);
    is!(
        text.key(at - 1 - dot),
        "mme"
            | "madame"
            | "m"
            | "mr"
            | "monsieur"
            | "mlle"
            | "dr"
            | "docteur"
            | "pr"
            | "professeur"
            | "ide"
            | "patient"
            | "patiente"
            | "rue"
            | "saint"
            | "sainte"
    )
}
