//! Numbers behind a name: digits, decimals, words, ranges.

use sillage_clinical::is;
use sillage_clinical::number::spelled;
use sillage_clinical::text::{Kind, Text};

/// A number in the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number<'t> {
    pub value: f64,
    pub high: Option<f64>,
    /// Letters written against the digits: `12ml`.
    pub rest: &'t str,
    /// Token after it.
    pub next: usize,
    pub comparator: bool,
}

/// The number that starts at this token.
pub(super) fn number<'t>(text: &'t Text<'_>, at: usize) -> Option<Number<'t>> {
    let mut first = at;
    let comparator = is!(text.key(first), "<" | ">" | "≤" | "≥" | "~" | "±");
    if comparator {
        first += 1;
    }
    let mut number = one(text, first)?;
    number.comparator = comparator;
    // "14-15", "14 à 15"
    if number.rest.is_empty()
        && is!(text.key(number.next), "-" | "a")
        && text.tokens.get(number.next + 1).is_some_and(|t| t.lines_before == 0 && t.kind == Kind::Number)
        && let Some(high) = one(text, number.next + 1)
        && high.value > number.value
    {
        number.high = Some(high.value);
        number.rest = high.rest;
        number.next = high.next;
    }
    Some(number)
}

fn one<'t>(text: &'t Text<'_>, at: usize) -> Option<Number<'t>> {
    let token = text.tokens.get(at)?;
    let fold = text.fold(at);
    match token.kind {
        Kind::Mark => None,
        Kind::Word => {
            let (value, next) = spelled(text, at)?;
            Some(Number { value, high: None, rest: "", next, comparator: false })
        }
        Kind::Number => {
            let digits = fold.bytes().take_while(u8::is_ascii_digit).count();
            let (whole, rest) = fold.split_at(digits);
            let mut value: f64 = whole.parse().ok()?;
            let (mut rest, mut next) = (rest, at + 1);
            let glued = |i: usize| text.tokens.get(i).is_some_and(|t| !t.space_before);
            if rest.is_empty() && is!(text.key(next), "," | ".") && glued(next) && glued(next + 1) {
                let decimals = text.fold(next + 1);
                let length = decimals.bytes().take_while(u8::is_ascii_digit).count();
                if length > 0 {
                    let (part, tail) = decimals.split_at(length);
                    value = format!("{whole}.{part}").parse().ok()?;
                    (rest, next) = (tail, next + 2);
                }
            }
            Some(Number { value, high: None, rest, next, comparator: false })
        }
    }
}

/// A grade of letters and digits as declarations write it: `IIb` is `2b`.
pub(super) fn grade(fold: &str) -> String {
    let letters = fold.trim_start_matches(['i', 'v']);
    let roman = &fold[..fold.len() - letters.len()];
    let digit = match roman {
        "i" => "1",
        "ii" => "2",
        "iii" => "3",
        "iv" => "4",
        "v" => "5",
        _ => return fold.to_owned(),
    };
    if letters.len() > 1 { fold.to_owned() } else { format!("{digit}{letters}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_words_ranges() {
        let read = |text: &str| {
            let text = Text::new(text);
            number(&text, 0).map(|n| (n.value, n.high, n.rest.to_owned()))
        };
        assert_eq!(read("12,5 mL"), Some((12.5, None, String::new())));
        assert_eq!(read("12ml"), Some((12.0, None, "ml".to_owned())));
        assert_eq!(read("14-15"), Some((14.0, Some(15.0), String::new())));
        assert_eq!(read("vingt et un"), Some((21.0, None, String::new())));
        assert_eq!(read("quatorze"), Some((14.0, None, String::new())));
        assert_eq!(read("gauche"), None);
        assert_eq!([grade("iib"), grade("2c"), grade("iii"), grade("visible")], ["2b", "2c", "3", "visible"]);
    }
}
