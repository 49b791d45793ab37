//! The words that token scores count, as each community cuts them.

use std::ops::Range;

/// A way to cut a text into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Runs of letters and digits, as the scripts of the i2b2 de-identification
    /// tasks have it (there for ASCII, here for every alphabet).
    Alphanumeric,
    /// The tokens of EDS-NLP: numbers with one decimal mark, words with the
    /// apostrophe that elides them, every sign and line break by itself.
    Eds,
}

impl Words {
    pub fn definition(self) -> &'static str {
        match self {
            Words::Alphanumeric => "a run of letters and digits",
            Words::Eds => "as EDS-NLP cuts them: words, numbers, each punctuation mark and line break",
        }
    }

    /// Tokens in characters, ascending and disjoint.
    pub fn of(self, text: &[char]) -> Vec<Range<usize>> {
        let (mut words, mut start) = (Vec::new(), 0);
        while start < text.len() {
            let end = match self {
                Words::Alphanumeric => run(text, start, |c| c.is_alphanumeric()),
                Words::Eds => eds(text, start),
            };
            if end > start {
                words.push(start..end);
            }
            start = end.max(start + 1);
            // One blank after a token belongs to it and to no other.
            if self == Words::Eds && text.get(start).is_some_and(|c| blank(*c)) {
                start += 1;
            }
        }
        words
    }
}

fn run(text: &[char], start: usize, holds: impl Fn(char) -> bool) -> usize {
    start + text[start..].iter().take_while(|c| holds(**c)).count()
}

fn blank(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\r' | '\n' | '\t')
}

fn elision(c: char) -> bool {
    matches!(c, '\'' | 'ˊ')
}

/// Letters with their accents, also those written after the letter.
fn letter(c: char) -> bool {
    c.is_alphanumeric() && !c.is_ascii_digit() || matches!(c, '\u{300}'..='\u{36f}')
}

fn eds(text: &[char], start: usize) -> usize {
    let first = text[start];
    if first.is_ascii_digit() {
        let end = run(text, start, |c| c.is_ascii_digit());
        let decimals = |mark: usize| run(text, mark + 1, |c| c.is_ascii_digit());
        return match text.get(end) {
            Some('.' | ',') if decimals(end) > end + 1 => decimals(end),
            _ => end,
        };
    }
    if blank(first) {
        return run(text, start, blank);
    }
    let end = run(text, start, letter);
    if end == start {
        return start + 1;
    }
    let elides = text.get(end).is_some_and(|c| elision(*c)) && text.get(end + 1).is_some_and(|c| c.is_alphabetic());
    end + usize::from(elides)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(words: Words, text: &str) -> Vec<String> {
        let text: Vec<char> = text.chars().collect();
        words.of(&text).into_iter().map(|w| text[w].iter().collect()).collect()
    }

    #[test]
    fn runs_of_letters_and_digits() {
        assert_eq!(cut(Words::Alphanumeric, "l'hôpital, 12/03-ACR5 "), ["l", "hôpital", "12", "03", "ACR5"]);
        assert_eq!(cut(Words::Alphanumeric, " -, "), [""; 0]);
    }

    #[test]
    fn tokens_of_eds_nlp() {
        assert_eq!(cut(Words::Eds, "ACR5 26.5/ l'ami"), ["ACR", "5", "26.5", "/", "l'", "ami"]);
        assert_eq!(cut(Words::Eds, "a\n \n\tb"), ["a", "\n", "\n", "\t", "b"]);
        assert_eq!(cut(Words::Eds, "le 12.03.2019."), ["le", "12.03", ".", "2019", "."]);
        assert_eq!(cut(Words::Eds, "x   y"), ["x", "  ", "y"], "the first blank belongs to the word");
    }
}
