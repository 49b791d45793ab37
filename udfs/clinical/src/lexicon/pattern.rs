//! The small language of lexicon forms, and its expansion to word sequences.
//!
//! `hypertendu(e)` optional letters, `[a/b c/]` alternatives, `...` a gap, `=`
//! case as written, `?form :: cues !! counter-cues` needs context.

use thiserror::Error;

use crate::text::fold;

/// A form that cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PatternError {
    #[error("bracket without its partner")]
    Unbalanced,
    #[error("more than {MAX_EXPANSIONS} expansions")]
    TooMany,
    #[error("longer than {MAX_LENGTH} bytes")]
    TooLong,
    #[error("nothing to match")]
    Empty,
    #[error("a gap at an end of the form")]
    GapAtEnd,
}

/// More would be a mistake of the writer.
const MAX_EXPANSIONS: usize = 20_000;
const MAX_LENGTH: usize = 2_000;

/// One element of an expanded form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Piece {
    /// A folded word, and whether it must be written in capitals.
    Word { fold: String, upper: bool },
    /// Up to a few words of anything.
    Gap,
}

/// What must stand near an ambiguous form, or must not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    pub required: Vec<String>,
    pub refused: Vec<String>,
}

/// A form, expanded.
#[derive(Debug, PartialEq, Eq)]
pub struct Pattern {
    pub forms: Vec<Vec<Piece>>,
    pub context: Option<Context>,
}

/// Reads one form of the lexicon; punctuation separates words and is dropped.
pub fn parse(form: &str) -> Result<Pattern, PatternError> {
    parse_with(form, Marks::Dropped)
}

/// Reads one cue: as a form, but a word made of marks alone (`:`, `->`) counts.
pub fn parse_cue(form: &str) -> Result<Pattern, PatternError> {
    parse_with(form, Marks::Kept)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Marks {
    Dropped,
    Kept,
}

fn parse_with(form: &str, marks: Marks) -> Result<Pattern, PatternError> {
    if form.len() > MAX_LENGTH {
        return Err(PatternError::TooLong);
    }
    let (form, context) = split_context(form.trim());
    let (form, upper) = match form.trim().strip_prefix('=') {
        Some(rest) if marks == Marks::Dropped || !rest.starts_with(' ') => (rest, true),
        _ => (form.trim(), false),
    };
    let mut forms = Vec::new();
    for expansion in expand(form)? {
        for pieces in words(&expansion, upper, marks)? {
            if matches!(pieces.first(), Some(Piece::Gap)) || matches!(pieces.last(), Some(Piece::Gap)) {
                return Err(PatternError::GapAtEnd);
            }
            forms.push(pieces);
        }
    }
    if forms.is_empty() {
        return Err(PatternError::Empty);
    }
    forms.sort();
    forms.dedup();
    if forms.len() > MAX_EXPANSIONS {
        return Err(PatternError::TooMany);
    }
    Ok(Pattern { forms, context })
}

fn split_context(form: &str) -> (&str, Option<Context>) {
    let Some(form) = form.strip_prefix('?') else { return (form, None) };
    let list = |s: &str| s.split(',').map(|w| fold(w.trim())).filter(|w| !w.is_empty()).collect();
    let (head, refused) = match form.split_once("!!") {
        Some((head, tail)) => (head, list(tail.split("::").next().unwrap_or(tail))),
        None => (form, Vec::new()),
    };
    let (head, required) = match head.split_once("::") {
        Some((head, tail)) => (head, list(tail)),
        None => (head, form.split_once("!!").and_then(|(_, t)| t.split_once("::")).map_or_else(Vec::new, |(_, t)| list(t))),
    };
    (head.trim(), Some(Context { required, refused }))
}

/// Opens brackets: every combination of alternatives, in order.
fn expand(form: &str) -> Result<Vec<String>, PatternError> {
    let mut done = vec![String::new()];
    let mut rest = form;
    while let Some(at) = rest.find(['[', '(', ']', ')']) {
        let (plain, tail) = rest.split_at(at);
        let close = match tail.as_bytes()[0] {
            b'[' => closing(tail, b'[', b']')?,
            b'(' => closing(tail, b'(', b')')?,
            _ => return Err(PatternError::Unbalanced),
        };
        let inner = &tail[1..close];
        let mut options = Vec::new();
        if tail.starts_with('[') {
            for option in split_top(inner) {
                options.extend(expand(option)?);
                if options.len() > MAX_EXPANSIONS {
                    return Err(PatternError::TooMany);
                }
            }
        } else {
            options.push(String::new());
            options.extend(expand(inner)?);
        }
        if done.len() * options.len() > MAX_EXPANSIONS {
            return Err(PatternError::TooMany);
        }
        let mut next = Vec::with_capacity(done.len() * options.len());
        for head in &done {
            for option in &options {
                next.push(format!("{head}{plain}{option}"));
            }
        }
        done = next;
        rest = &tail[close + 1..];
    }
    for head in &mut done {
        head.push_str(rest);
    }
    Ok(done)
}

fn closing(text: &str, open: u8, close: u8) -> Result<usize, PatternError> {
    let mut depth = 0;
    for (i, b) in text.bytes().enumerate() {
        if b == open {
            depth += 1;
        } else if b == close {
            depth -= 1;
            if depth == 0 {
                return Ok(i);
            }
        }
    }
    Err(PatternError::Unbalanced)
}

/// Splits at the slashes outside inner brackets.
fn split_top(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0, 0);
    for (i, b) in text.bytes().enumerate() {
        match b {
            b'[' | b'(' => depth += 1,
            b']' | b')' => depth -= 1,
            b'/' if depth == 0 => {
                parts.push(&text[from..i]);
                from = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

/// Words of an expanded form; a hyphenated compound counts apart and glued.
fn words(form: &str, upper: bool, marks: Marks) -> Result<Vec<Vec<Piece>>, PatternError> {
    let mut all: Vec<Vec<Piece>> = vec![Vec::new()];
    for chunk in form.split_whitespace() {
        if chunk == "..." || chunk == "…" {
            for pieces in &mut all {
                pieces.push(Piece::Gap);
            }
            continue;
        }
        if marks == Marks::Kept && !chunk.contains(char::is_alphanumeric) {
            for pieces in &mut all {
                pieces.extend(chunk.chars().map(|c| Piece::Word { fold: fold(&c.to_string()), upper: false }));
            }
            continue;
        }
        let parts: Vec<&str> =
            chunk.split(|c: char| !(c.is_alphanumeric() || c == '\u{301}' || c == '\u{300}')).filter(|p| !p.is_empty()).collect();
        let word = |p: &str| Piece::Word {
            fold: fold(p),
            upper: upper && p.chars().any(char::is_alphabetic) && !p.chars().any(char::is_lowercase),
        };
        let glue =
            parts.len() > 1 && chunk.contains('-') && !chunk.contains(['\'', '/', '’', '.']) && parts.iter().all(|p| p.chars().count() > 2);
        let glued = glue.then(|| word(&parts.concat()));
        if glued.is_some() && all.len() * 2 > MAX_EXPANSIONS {
            return Err(PatternError::TooMany);
        }
        let mut next = Vec::with_capacity(all.len() * 2);
        for pieces in all {
            if let Some(glued) = &glued {
                let mut with = pieces.clone();
                with.push(glued.clone());
                next.push(with);
            }
            let mut with = pieces;
            with.extend(parts.iter().map(|p| word(p)));
            next.push(with);
        }
        all = next;
    }
    all.retain(|pieces| !pieces.is_empty());
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(form: &str) -> Vec<String> {
        parse(form)
            .unwrap()
            .forms
            .into_iter()
            .map(|pieces| {
                pieces
                    .into_iter()
                    .map(|p| match p {
                        Piece::Word { fold, upper: true } => fold.to_uppercase(),
                        Piece::Word { fold, .. } => fold,
                        Piece::Gap => "...".to_owned(),
                    })
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    }

    #[test]
    fn opens_alternatives_and_options() {
        assert_eq!(plain("hypertendu(e)"), ["hypertendu", "hypertendue"]);
        assert_eq!(
            plain("insuffisance [cardiaque/ventriculaire gauche/]"),
            ["insuffisance", "insuffisance cardiaque", "insuffisance ventriculaire gauche"]
        );
        assert_eq!(plain("[[a b/c] d/e]"), ["a b d", "c d", "e"]);
    }

    #[test]
    fn compounds_count_apart_and_glued() {
        assert_eq!(plain("infarctus cardio-embolique"), ["infarctus cardio embolique", "infarctus cardioembolique"]);
        assert_eq!(plain("perte d'urines"), ["perte d urines"]);
    }

    #[test]
    fn case_gap_and_context() {
        assert_eq!(plain("=FA permanente"), ["FA permanente"]);
        assert_eq!(plain("bras ... [pend/tombe]"), ["bras ... pend", "bras ... tombe"]);
        let pattern = parse("?=IM :: valve, Écho !! mg").unwrap();
        let context = pattern.context.unwrap();
        assert_eq!(context.required, ["valve", "echo"]);
        assert_eq!(context.refused, ["mg"]);
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(parse("a [b"), Err(PatternError::Unbalanced));
        assert_eq!(parse("a b]"), Err(PatternError::Unbalanced));
        assert_eq!(parse("... a"), Err(PatternError::GapAtEnd));
        assert_eq!(parse("- /"), Err(PatternError::Empty));
        assert_eq!(parse(&"(a)".repeat(40)), Err(PatternError::TooMany));
        assert_eq!(parse(&"abc-def ".repeat(60)), Err(PatternError::TooMany));
        assert_eq!(parse(&"(".repeat(5_000)), Err(PatternError::TooLong));
    }
}
