//! Times of the clock written with a dot: "14.38 - entrée", "à 13.25".
//!
//! The same figures may be a day (15.02) or a decimal number. They are clock times in a
//! text that opens its lines with them, as the log of a night does, and where a word
//! of time or a day leads to them.

use super::lexicon::{Cue, LEXICON};
use crate::is;
use crate::text::{Kind, Text};

/// Times at the head of a line from which on a text is known to write them so.
const HEADS: usize = 3;
/// The same where words lead to them.
const LED: usize = 2;
/// Tokens before a time in which the name of a score or a vital sign makes a number of it.
const NAME: usize = 3;

/// First token of every clock time with a dot; each has three.
pub fn dotted_clocks(text: &Text<'_>) -> Vec<usize> {
    let pairs: Vec<(usize, u32, u32)> = (0..text.tokens.len()).filter_map(|at| pair(text, at).map(|(h, m)| (at, h, m))).collect();
    if pairs.is_empty() {
        return Vec::new();
    }
    let first: Vec<_> = pairs.iter().filter(|(at, ..)| heads(text, *at)).collect();
    let no_month = |minute: u32| minute == 0 || minute > 12;
    let led = pairs.iter().filter(|(at, hour, minute)| no_month(*minute) && *hour > 6 && leads(text, *at)).count();
    let logged = first.len() >= HEADS && first.iter().filter(|(_, _, m)| no_month(*m)).count() * 2 >= first.len();
    let style = logged || led >= LED;
    let is = |&(at, _, minute): &(usize, u32, u32)| {
        day_behind(text, at) || style && (logged && heads(text, at) || leads(text, at) && (no_month(minute) || logged))
    };
    pairs.iter().filter(|p| is(p)).map(|p| p.0).collect()
}

/// Hour and minute of "14.38".
fn pair(text: &Text<'_>, at: usize) -> Option<(u32, u32)> {
    let figures = |i: usize| {
        let token = text.tokens.get(i).filter(|t| t.kind == Kind::Number)?;
        text.original.get(token.range())?.parse::<u32>().ok().filter(|_| token.range().len() <= 2)
    };
    let glued = |i: usize| text.tokens.get(i).is_some_and(|t| !t.space_before && t.lines_before == 0);
    if text.tokens[at].kind != Kind::Number
        || !is!(text.key(at + 1), ".")
        || !glued(at + 1)
        || !glued(at + 2)
        || text.tokens.get(at + 2)?.range().len() != 2
    {
        return None;
    }
    let (hour, minute) = (figures(at)?, figures(at + 2)?);
    // "14.38.02" and "3.14,5" are one number, "12/14.38" another.
    let goes_on = glued(at + 3)
        && (text.tokens[at + 3].kind != Kind::Mark
            || is!(text.key(at + 3), "." | "," | "/" | "-" | "%") && glued(at + 4) && text.tokens[at + 4].kind != Kind::Mark
            || is!(text.key(at + 3), "%"));
    let tail = at > 0 && glued(at) && !is!(text.key(at - 1), "(" | "|" | "[");
    (hour < 24 && minute < 60 && !goes_on && !tail).then_some((hour, minute))
}

/// At the head of a line, or of the first cell of a row.
fn heads(text: &Text<'_>, at: usize) -> bool {
    let opens = |i: usize| i == 0 || text.tokens[i].lines_before > 0;
    let first = opens(at) || opens(at - 1) && is!(text.key(at - 1), "|" | "-" | "•" | "*" | "(" | "[");
    first && !amount(text, at + 3)
}

fn entry(text: &Text<'_>, at: usize) -> &'static super::lexicon::Word {
    LEXICON.entry(if text.tokens[at].kind == Kind::Word { LEXICON.id(text.fold(at)) } else { 0 })
}

/// A unit or a number makes an amount of what stands before it.
fn amount(text: &Text<'_>, at: usize) -> bool {
    let Some(token) = text.tokens.get(at).filter(|t| t.lines_before == 0) else { return false };
    token.kind == Kind::Number || is!(text.key(at), "%") || entry(text, at).is(Cue::Amount)
}

/// A word of time or a day leads to it, and nothing makes an amount of it.
fn leads(text: &Text<'_>, at: usize) -> bool {
    let Some(before) = at.checked_sub(1).filter(|_| text.tokens[at].lines_before == 0) else { return false };
    let names = |i: usize| {
        entry(text, i).is(Cue::Score) || entry(text, i).is(Cue::Vital) || text.tokens[i].upper && text.tokens[i].range().len() > 1
    };
    let word = is!(text.key(before), "a" | "vers" | "depuis" | "prevu" | "prevue" | "avant" | "apres" | "entre");
    // "19-11-24, 15.00", "20-11 17.25"
    let number = |i: usize| text.tokens[i].kind == Kind::Number;
    let day = |i: usize| i > 1 && number(i) && is!(text.key(i - 1), "-" | "/") && number(i - 2);
    let dated = day(before) || is!(text.key(before), ",") && before > 2 && day(before - 1);
    (word || dated) && !(at.saturating_sub(NAME)..at).any(names) && !amount(text, at + 3)
}

/// "à 7.25 le 11 mars".
fn day_behind(text: &Text<'_>, at: usize) -> bool {
    at > 0
        && is!(text.key(at - 1), "a" | "vers")
        && is!(text.key(at + 3), "le")
        && text.tokens.get(at + 4).is_some_and(|t| t.kind == Kind::Number && t.lines_before == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks(text: &str) -> Vec<&str> {
        let read = Text::new(text);
        dotted_clocks(&read).into_iter().map(|at| &text[read.byte_range(at..at + 3)]).collect()
    }

    #[test]
    fn a_log_and_words_of_time_tell_them() {
        assert_eq!(
            clocks("14.38 - entrée\n14.41 - TA 12/8, dose 1.25\n15.02 - scanner\n- 15.10 : à 13.25, à table"),
            ["14.38", "14.41", "15.02", "15.10", "13.25"]
        );
        assert_eq!(clocks("| heure | fait |\n| 18.30 | repas |\n| 18.50 | sonde |\n| 11.04 | toilette |"), ["18.30", "18.50", "11.04"]);
        assert_eq!(clocks("Lu le 19-11-24, 15.00 par A. Rectifié à 15.25 au téléphone."), ["15.00", "15.25"]);
        assert_eq!(clocks("Amené par sa femme, arrivé à 7.25 le 11 mars."), ["7.25"]);
    }

    #[test]
    fn days_amounts_and_headings_are_none() {
        for text in [
            "Revu le 15.02 et le 12.03.",
            "4.10 Scanner\n4.11 IRM\n4.12 Écho\n4.13 Holter",
            "INR à 2.45 puis à 2.30",
            "Créatinine à 13.25 mg/L, LDL à 10.20 mmol/L",
            "1.12 Bras\n2.14 Jambe\n12.14.30\n13.45 kg de plus à 9.30",
        ] {
            assert_eq!(clocks(text), [""; 0], "{text}");
        }
    }
}
