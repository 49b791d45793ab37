//! Sentences of clinical French: full stops that are stops, line ends that are
//! ends, and neither abbreviations nor wrapped lines.

use std::ops::Range;

use crate::is;
use crate::text::{Kind, Text, Token};

/// Words that take a dot and announce a name or a number.
const ANNOUNCING: &[&str] = &[
    "dr", "pr", "mr", "m", "mme", "mlle", "me", "cf", "tel", "st", "ste", "no", "art", "fig", "bd", "av", "ch", "apt", "p", "prof", "dept",
    "arr", "adj", "sgt",
];
/// Words that take a dot without ending a sentence, unless a capital follows.
const ABBREVIATIONS: &[&str] = &[
    "env", "ex", "etc", "min", "max", "sem", "int", "med", "vs", "ext", "resp", "hab", "ttt", "rank", "rk", "adm", "freq", "hospit", "pds",
    "syst", "diast", "ant", "anter",
];

/// Words that no sentence ends on.
const CONTINUING: &[&str] = &[
    "un", "une", "de", "des", "du", "la", "le", "les", "et", "ou", "ni", "avec", "sans", "par", "pour", "en", "au", "aux", "dans", "sur",
    "sous", "que", "qui", "son", "sa", "ses", "cette", "ce",
];

/// A line shorter than this was ended by its writer, not by a wrap.
const WRAP: usize = 55;

/// Full stops before a small letter from which on a text is known to write so.
const SMALL: usize = 3;

/// More tokens than that are no sentence: what looks at all pairs of words of
/// one would take forever.
const LONGEST: usize = 1_000;

/// Token ranges of the sentences, in order, covering every token.
pub fn sentences(text: &Text<'_>) -> Vec<Range<usize>> {
    let tokens = &text.tokens;
    let mut found = Vec::with_capacity(tokens.len() / 12 + 1);
    let small = in_small_letters(text);
    let mut start = 0;
    let mut line_start = tokens.first().map_or(0, |t| t.start as usize);
    for (at, token) in tokens.iter().enumerate().skip(1) {
        let ends = ends_sentence(text, at, line_start, small) || at - start >= LONGEST;
        if token.lines_before > 0 {
            line_start = token.start as usize;
        }
        if ends {
            found.push(start..at);
            start = at;
        }
    }
    if start < tokens.len() {
        found.push(start..tokens.len());
    }
    found
}

/// A full stop before a word of the same line.
fn stops(text: &Text<'_>, at: usize) -> bool {
    let token = &text.tokens[at];
    token.kind == Kind::Word
        && token.space_before
        && token.lines_before == 0
        && is!(text.key(at - 1), ".")
        && !text.tokens[at - 1].space_before
        && !abbreviation(text, at - 1)
}

/// Whether the text begins its sentences without a capital.
fn in_small_letters(text: &Text<'_>) -> bool {
    let (mut small, mut capital) = (0, 0);
    for at in (1..text.tokens.len()).filter(|at| stops(text, *at)) {
        if starts_lower(text, &text.tokens[at]) {
            small += 1;
        } else {
            capital += 1;
        }
    }
    small >= SMALL && small > 2 * capital
}

/// Whether a sentence ends before this token; `small`: a small letter may begin the next one.
fn ends_sentence(text: &Text<'_>, at: usize, line_start: usize, small: bool) -> bool {
    let (before, token) = (&text.tokens[at - 1], &text.tokens[at]);
    if token.lines_before > 1 {
        return true;
    }
    let mark = text.fold(at - 1);
    let stop = before.kind == Kind::Mark && matches!(mark, "." | "!" | "?" | "…");
    if token.lines_before == 1 {
        return stop && !abbreviation(text, at - 1) || breaks_line(text, before, token, at, line_start);
    }
    if before.kind == Kind::Mark && mark == ";" {
        return false;
    }
    if !stop || !token.space_before || (token.kind == Kind::Number || is!(text.key(at), ":")) && leads(text, at) {
        return false;
    }
    match mark {
        "." => {
            let whole = small && at > 1 && stops(text, at) && text.tokens[at - 2].range().len() > 3;
            !abbreviation(text, at - 1) && (token.capital || token.kind != Kind::Word || whole || !starts_lower(text, token))
        }
        "?" => token.capital || token.kind == Kind::Number,
        _ => true,
    }
}

/// "Ponction ... 16 h 49", "Arrivée ...... : 9 h": dots apart from the word before lead to what starts here.
fn leads(text: &Text<'_>, at: usize) -> bool {
    let dot = |i: &usize| text.tokens[*i].kind == Kind::Mark && is!(text.key(*i), "." | "…");
    (0..at).rev().take_while(dot).last().is_some_and(|first| first > 0 && text.tokens[first].space_before)
}

/// "mRS" begins a sentence as well as a capital does.
fn starts_lower(text: &Text<'_>, token: &Token) -> bool {
    let mut letters = text.original[token.range()].chars();
    letters.next().is_some_and(char::is_lowercase) && !letters.next().is_some_and(char::is_uppercase)
}

/// A dot right after a short form, an initial or the number of an item.
fn abbreviation(text: &Text<'_>, dot: usize) -> bool {
    let Some(word) = dot.checked_sub(1) else { return false };
    let token = &text.tokens[word];
    if !is!(text.key(dot), ".") || text.tokens[dot].space_before {
        return false;
    }
    if token.kind == Kind::Number {
        // "1. HTA": the number of an item.
        return (word == 0 || token.lines_before > 0) && token.end - token.start < 3;
    }
    if token.kind != Kind::Word {
        return false;
    }
    let fold = text.fold(word);
    // "1,40 g/L." ends, "Vu par J. Martin" goes on.
    let unit = word > 0 && is!(text.key(word - 1), "/") && !token.space_before;
    (fold.len() == 1 && token.upper && !unit)
        || ANNOUNCING.contains(&fold)
        || ABBREVIATIONS.contains(&fold) && !text.tokens.get(dot + 1).is_some_and(|t| t.capital)
}

/// Whether the line end before this token was meant.
fn breaks_line(text: &Text<'_>, before: &Token, token: &Token, at: usize, line_start: usize) -> bool {
    if token.kind == Kind::Mark && is!(text.key(at), "-" | "*" | "•" | "·" | "+" | "►" | "→" | ">" | "○" | "▪" | "" | "|") {
        return true;
    }
    // "[09:05] Arrivée": an entry of a log.
    if is!(text.key(at), "[") && text.tokens.get(at + 1).is_some_and(|t| t.kind == Kind::Number && !t.space_before) {
        return true;
    }
    // A word wrapped within the line must not count more under Windows.
    let length = text.original.as_bytes()[line_start..before.end as usize].iter().filter(|b| **b != b'\r').count();
    // A line that ends on a small word or within a bracket goes on, however short.
    if length >= WRAP / 2 && (before.kind == Kind::Word && CONTINUING.contains(&text.fold(at - 1)) || open_bracket(text, at, line_start)) {
        return false;
    }
    let joins = before.kind == Kind::Mark && is!(text.key(at - 1), "," | "(" | "-" | "/");
    if joins && (length >= WRAP / 2 || is!(text.key(at - 1), ",") && starts_lower(text, token)) {
        return false;
    }
    if token.kind == Kind::Word && starts_lower(text, token) && length >= WRAP {
        return false;
    }
    length < WRAP || token.capital || token.kind == Kind::Number && !joins
}

/// The line before this token opens a bracket that it does not close.
fn open_bracket(text: &Text<'_>, at: usize, line_start: usize) -> bool {
    let line = (0..at).rev().take_while(|i| text.tokens[*i].start as usize >= line_start);
    line.filter(|i| text.tokens[*i].kind == Kind::Mark).map(|i| text.fold(i)).find(|m| matches!(*m, "(" | ")")) == Some("(")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        let read = Text::new(text);
        sentences(&read).into_iter().map(|r| read.source(r).to_owned()).collect()
    }

    /// Texts with `|` where a sentence ends.
    const CASES: &[&str] = &[
        "Vu par le Dr. Roux et M. Petit. |TA 13/8 à 9h. |Pas d'AVC.",
        "Créat. |12 mg/L, env. 3.5 kg",
        "Ponction fémorale D ... 16 h 49",
        "Arrivée ....... : 10/03/2025",
        "Recanalisation finale . 17 h 36. |Fermeture.",
        "Attend... |12 points de moins",
        "Dextro 1,40 g/L. |NIHSS 4. |Vu par J. Martin.",
        "Apyrétique. |Pas de toux. |Sort demain.",
        "Aphasie ? |Non retrouvée.",
        "Récidive ! |Appel du neurologue.",
        "HTA ; diabète ; FA.",
        "Température à 38.5 ce jour. |Toux.",
        "NIHSS 4. |12 points de moins.",
        "Le 12.03.2024, aphasie. |Puis récupération.",
        "Mme. Durand est sortie. |Elle marche.",
        "J. Martin, interne. |Visite du soir.",
        "Prof. Blanc prévenu. |Accord.",
        "Clairance 45 ml/min. |Pas d'injection.",
        "cf. compte rendu joint. |Merci.",
        "Toux, fièvre, etc. puis dyspnée.",
        "Vu à 8h30. |Examiné à 9h.",
        "Œdème... |Amélioration lente.",
        "AVC ischémique M1 gauche ? thrombectomie ?",
        "Appel du SAMU : hémiplégie gauche, début 8 h. |Départ en hélicoptère.",
        "Insuff. rénale et hypoesth. du bras. |Toux.",
        "Fait tout comme avant.| mRS 1.| NIHSS 1.",
        "pas de chute.| marche seul.| va bien.| revu dans un mois.",
    ];

    const LINES: &[&str] = &[
        "HTA\n|Diabète\n|- AVC",
        "- HTA\n|- diabète\n|- tabac",
        "* HTA\n|* FA",
        "• HTA\n|• FA",
        "ATCD :\n|HTA\n|FA",
        "Motif\n\n|Aphasie",
        "Aphasie\r\n|Hémiplégie",
        "TA 12/8\n|FC 80\n|T 37",
        "Patient hospitalisé pour une faiblesse du bras gauche apparue\nau réveil ce matin.",
        "Le scanner réalisé à l'arrivée ne montre pas de saignement, ni\nd'effet de masse.",
        "Le scanner réalisé à l'arrivée ne montre pas de saignement.\n|Thrombolyse débutée.",
        "Traitement habituel par bisoprolol, ramipril, atorvastatine,\nmetformine et paracétamol.",
        "kardegic 75 mg\n|bisoprolol 2,5 mg",
        "Toux depuis deux jours,\nfièvre.",
        "La patiente est transférée dans le service de neurologie pour suite\n\n|de la prise en charge.",
        "1. HTA\n|2. FA",
        "8h : aphasie\n|9h : récupération",
        "Examen\n|Conscient, aphasique\n|Pas de déficit moteur",
        "→ IRM\n|→ Holter",
        "Dr Lemoine\n|Service de neurologie",
        "+ HTA\n|+ tabac",
        "[08:35] SMUR sur place : NIHSS 11, TA 191/104, dextro 1,40 de nouveau\n|[09:05] Arrivée.",
        "Il existe une occlusion de l'artère cérébrale moyenne droite (segment\nM1) avec une bonne collatéralité.",
    ];

    fn check(cases: &[&str]) {
        for case in cases {
            let text = case.replace('|', "");
            let expected: Vec<&str> = case.split('|').map(str::trim).collect();
            assert_eq!(split(&text), expected, "{case:?}");
        }
    }

    #[test]
    fn stops_are_not_abbreviations() {
        assert_eq!(CASES.len(), 27);
        check(CASES);
    }

    #[test]
    fn lines_end_sentences_unless_wrapped() {
        assert_eq!(LINES.len(), 23);
        check(LINES);
    }

    #[test]
    fn every_token_is_in_one_sentence() {
        let text = Text::new("a. B\n\nc ? D; e\r\nf");
        let ranges = sentences(&text);
        assert_eq!(ranges.iter().map(|r| r.len()).sum::<usize>(), text.tokens.len());
        assert!(ranges.windows(2).all(|w| w[0].end == w[1].start));
    }
}
