//! Numbers in words, as letters write and dictations spell them.

use crate::is;
use crate::text::{Kind, Text};

const WORDS: &[(&str, f64)] = &[
    ("zero", 0.0),
    ("un", 1.0),
    ("une", 1.0),
    ("deux", 2.0),
    ("trois", 3.0),
    ("quatre", 4.0),
    ("cinq", 5.0),
    ("six", 6.0),
    ("sept", 7.0),
    ("huit", 8.0),
    ("neuf", 9.0),
    ("dix", 10.0),
    ("onze", 11.0),
    ("douze", 12.0),
    ("treize", 13.0),
    ("quatorze", 14.0),
    ("quinze", 15.0),
    ("seize", 16.0),
    ("vingt", 20.0),
    ("trente", 30.0),
    ("quarante", 40.0),
    ("cinquante", 50.0),
    ("soixante", 60.0),
    ("cent", 100.0),
];

/// The number in words that starts at a token, and the token after it: `quatorze`,
/// `vingt et un`, `quatre-vingt-douze`, `cent dix`, `un virgule deux`.
pub fn spelled(text: &Text<'_>, at: usize) -> Option<(f64, usize)> {
    let (value, next) = whole(text, at)?;
    // The mark that was spoken, not the one that was meant.
    let comma = is!(text.key(next), "," | "virgule") && text.tokens[next].range().len() == "virgule".len();
    let part = (comma && value < 100.0).then(|| decimals(text, next + 1)).flatten();
    Some(part.map_or((value, next), |(part, next)| (value + part, next)))
}

/// What a word counts.
pub fn word(text: &Text<'_>, at: usize) -> Option<f64> {
    let fold = text.fold(at);
    WORDS.iter().find(|(w, _)| *w == fold).map(|(_, value)| *value)
}

/// "vingt-deux", "vingt et un", "soixante-dix-huit", "quatre-vingt-douze", "cent dix".
fn whole(text: &Text<'_>, at: usize) -> Option<(f64, usize)> {
    let joined = |i: usize| (i..i + 4).find(|i| !is!(text.key(*i), "-" | "et")).unwrap_or(i);
    let (mut value, mut next) = (word(text, at)?, at + 1);
    let mut hundreds = 0.0;
    let times = if value < 10.0 && is!(text.key(next), "cent" | "cents") { Some(value) } else { None };
    if value == 100.0 || times.is_some() {
        hundreds = times.unwrap_or(1.0) * 100.0;
        next += usize::from(times.is_some());
        let rest = joined(next);
        let Some(part) = word(text, rest).filter(|part| (1.0..100.0).contains(part)) else { return Some((hundreds, next)) };
        (value, next) = (part, rest + 1);
    }
    let score = joined(next);
    if value == 4.0 && is!(text.key(score), "vingt" | "vingts") {
        (value, next) = (80.0, score + 1);
    }
    // Sixty and eighty count on to nineteen, ten from seventeen on.
    let fits = |value: f64, part: f64| match value {
        20.0 | 30.0 | 40.0 | 50.0 => (1.0..10.0).contains(&part),
        60.0 | 80.0 => (1.0..17.0).contains(&part),
        10.0 | 70.0 | 90.0 => (7.0..10.0).contains(&part),
        _ => false,
    };
    while let Some(part) = word(text, joined(next)).filter(|part| fits(value, *part)) {
        (value, next) = (value + part, joined(next) + 1);
    }
    Some((hundreds + value, next))
}

/// "zéro", "deux", "zéro cinq", "vingt-cinq" behind "virgule"; where a noun follows
/// the mark parted two sentences: "virgule deux passages".
fn decimals(text: &Text<'_>, at: usize) -> Option<(f64, usize)> {
    let mut next = at;
    let mut scale = 1.0;
    while word(text, next) == Some(0.0) {
        (next, scale) = (next + 1, scale / 10.0);
    }
    let last = word(text, next).filter(|v| *v > 0.0).and_then(|_| whole(text, next)).filter(|(v, _)| *v < 100.0);
    let (part, next) = match last {
        Some((part, next)) => (part * scale / if part < 10.0 { 10.0 } else { 100.0 }, next),
        None => (0.0, next),
    };
    let noun = text.tokens.get(next).is_some_and(|t| t.lines_before == 0 && t.kind == Kind::Word && t.range().len() > 4);
    (next > at && !is!(text.key(at), "une") && !noun).then_some((part, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<f64> {
        spelled(&Text::new(text), 0).map(|(value, _)| (value * 1000.0).round() / 1000.0)
    }

    #[test]
    fn whole_numbers() {
        let words = ["quatorze", "vingt et un", "vingt-et-un", "soixante-dix-huit", "quatre-vingt-douze", "quatre vingts", "dix-sept"];
        assert_eq!(words.map(read), [14.0, 21.0, 21.0, 78.0, 92.0, 80.0, 17.0].map(Some));
        assert_eq!(["cent", "cent quatre-vingt-quatre", "deux cent dix"].map(read), [100.0, 184.0, 210.0].map(Some));
        assert_eq!(["deux trois", "quatre-deux", "dix deux"].map(read), [2.0, 4.0, 10.0].map(Some));
        assert_eq!(read("gauche"), None);
    }

    #[test]
    fn decimals_are_said_behind_virgule() {
        let said = ["un virgule zéro point", "trente-six virgule huit", "un virgule zéro cinq", "un virgule vingt-cinq"];
        assert_eq!(said.map(read), [1.0, 36.8, 1.05, 1.25].map(Some));
        assert_eq!(["quinze virgule deux passages", "un virgule une", "un, deux"].map(read), [15.0, 1.0, 1.0].map(Some));
    }
}
