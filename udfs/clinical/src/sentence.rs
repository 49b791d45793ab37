//! Sentences of clinical French: full stops that are stops, line ends that are
//! ends, and neither abbreviations nor wrapped lines.

use std::ops::Range;

use crate::text::{Kind, Text, Token};

/// Words that take a dot without ending a sentence.
const ABBREVIATIONS: &[&str] = &[
    "dr", "pr", "mr", "m", "mme", "mlle", "me", "cf", "env", "ex", "etc", "tel", "st", "ste", "no", "art", "fig", "min", "max", "sem", "dept", "bd", "av", "ch", "apt", "int", "med", "vs", "p", "ext", "prof", "resp", "arr", "hab", "ttt",
];

/// A line shorter than this was ended by its writer, not by a wrap.
const WRAP: usize = 55;

/// Token ranges of the sentences, in order, covering every token.
pub fn sentences(text: &Text<'_>) -> Vec<Range<usize>> {
    let tokens = &text.tokens;
    let mut found = Vec::with_capacity(tokens.len() / 12 + 1);
    let mut start = 0;
    let mut line_start = tokens.first().map_or(0, |t| t.start as usize);
    for at in 1..tokens.len() {
        let token = &tokens[at];
        let ends = ends_sentence(text, at, line_start);
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

/// Whether a sentence ends before this token.
fn ends_sentence(text: &Text<'_>, at: usize, line_start: usize) -> bool {
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
    if !stop || !token.space_before {
        return false;
    }
    match mark {
        "." => !abbreviation(text, at - 1) && (token.capital || token.kind != Kind::Word || !starts_lower(text, token)),
        "?" => token.capital || token.kind == Kind::Number,
        _ => true,
    }
}

fn starts_lower(text: &Text<'_>, token: &Token) -> bool {
    text.original[token.start as usize..].chars().next().is_some_and(char::is_lowercase)
}

/// A dot right after a short form or an initial.
fn abbreviation(text: &Text<'_>, dot: usize) -> bool {
    let Some(word) = dot.checked_sub(1) else { return false };
    let token = &text.tokens[word];
    if text.fold(dot) != "." || text.tokens[dot].space_before || token.kind != Kind::Word {
        return false;
    }
    let fold = text.fold(word);
    (fold.len() == 1 && token.upper) || ABBREVIATIONS.contains(&fold)
}

/// Whether the line end before this token was meant.
fn breaks_line(text: &Text<'_>, before: &Token, token: &Token, at: usize, line_start: usize) -> bool {
    if token.kind == Kind::Mark && matches!(text.fold(at), "-" | "*" | "•" | "·" | "+" | "►" | "→" | ">" | "○" | "▪" | "") {
        return true;
    }
    let length = before.end as usize - line_start;
    let joins = before.kind == Kind::Mark && matches!(text.fold(at - 1), "," | "(" | "-" | "/");
    if joins && length >= WRAP / 2 {
        return false;
    }
    if token.kind == Kind::Word && starts_lower(text, token) && length >= WRAP {
        return false;
    }
    length < WRAP || token.capital || token.kind == Kind::Number && !joins
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        let read = Text::new(text);
        sentences(&read).into_iter().map(|r| read.source(r).to_owned()).collect()
    }

    #[test]
    fn stops_are_not_abbreviations() {
        assert_eq!(split("Vu par le Dr. Roux et M. Petit. TA 13/8 à 9h. Pas d'AVC."), ["Vu par le Dr. Roux et M. Petit.", "TA 13/8 à 9h.", "Pas d'AVC."]);
        assert_eq!(split("Créat. 12 mg/L, env. 3.5 kg"), ["Créat.", "12 mg/L, env. 3.5 kg"]);
    }

    #[test]
    fn lines_end_sentences_unless_wrapped() {
        assert_eq!(split("HTA\nDiabète\n- AVC"), ["HTA", "Diabète", "- AVC"]);
        let wrapped = "Patient hospitalisé pour une faiblesse du bras gauche apparue\nau réveil ce matin.";
        assert_eq!(split(wrapped), [wrapped]);
    }

    #[test]
    fn every_token_is_in_one_sentence() {
        let text = Text::new("a. B\n\nc ? D; e\r\nf");
        let ranges = sentences(&text);
        assert_eq!(ranges.iter().map(|r| r.len()).sum::<usize>(), text.tokens.len());
        assert!(ranges.windows(2).all(|w| w[0].end == w[1].start));
    }
}
