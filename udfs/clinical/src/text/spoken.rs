//! What a dictation spells out: punctuation said aloud ("virgule", "point à la
//! ligne") and letters said one by one ("N I H S S").

use std::ops::Range;

use super::{fold, is_word};

/// A punctuation mark that is said.
pub(super) struct Said {
    pub end: usize,
    pub mark: &'static str,
    /// It ends a line.
    pub line: bool,
}

/// What nobody writes who does not dictate.
const COMMANDS: &[(&[&str], &str, bool)] = &[
    (&["point", "a", "la", "ligne"], ".", true),
    (&["point", "nouveau", "paragraphe"], ".", true),
    (&["ouvrez", "la", "parenthese"], "(", false),
    (&["ouvrir", "la", "parenthese"], "(", false),
    (&["ouvre", "la", "parenthese"], "(", false),
    (&["fermez", "la", "parenthese"], ")", false),
    (&["fermer", "la", "parenthese"], ")", false),
    (&["ferme", "la", "parenthese"], ")", false),
    (&["ouvrez", "les", "guillemets"], "\"", false),
    (&["fermez", "les", "guillemets"], "\"", false),
    (&["point", "virgule"], ";", false),
];
/// What is said only in a text that is dictated throughout.
const MARKS: &[(&[&str], &str, bool)] = &[
    (&["a", "la", "ligne"], ".", true),
    (&["nouveau", "paragraphe"], ".", true),
    (&["deux", "points"], ":", false),
    (&["point", "d", "interrogation"], "?", false),
    (&["point"], ".", false),
];
/// Marks of a text before it counts as dictated throughout.
const DICTATED: usize = 2;
/// Behind these a comma is a shape: "un hypersignal en virgule".
const SHAPES: &[&str] = &["en", "une", "la", "de", "d", "forme"];
/// Behind these points are counted, or are places.
const COUNTED: &[&str] = &[
    "un",
    "le",
    "les",
    "ce",
    "ces",
    "au",
    "aux",
    "du",
    "de",
    "des",
    "en",
    "a",
    "chaque",
    "premier",
    "dernier",
    "tout",
    "ne",
    "n",
    "meme",
    "quel",
    "quelques",
    "plusieurs",
    "par",
    "avec",
    "gagne",
    "perd",
    "perdu",
    "plus",
    "moins",
];
/// Before these too: "un point de NIHSS", "point sur les aides".
const OF: &[&str] = &["de", "d", "du", "des", "sur", "par"];

/// Of each thing that is said, what its words share: most texts hold none of it.
const SIGNS: &[&str] =
    &["irgule", "IRGULE", "arenth", "ARENTH", " la ligne", " LA LIGNE", "paragraphe", "PARAGRAPHE", "guillemets", "GUILLEMETS"];

/// Whether a text says its punctuation throughout; nothing where it says none.
pub(super) fn dictated(text: &str) -> Option<bool> {
    SIGNS.iter().any(|sign| text.contains(sign)).then(|| says_its_marks(text))
}

fn says_its_marks(text: &str) -> bool {
    let mut found = 0;
    for (at, _) in text.match_indices(['v', 'V', 'p', 'P', 'o', 'O', 'f', 'F']) {
        let begins = text[..at].chars().next_back().is_none_or(|c| !is_word(c));
        if begins && (command(text, at).is_some() || comma(text, at, None).is_some()) {
            found += 1;
            if found == DICTATED {
                return true;
            }
        }
    }
    false
}

/// The mark that is said where a word starts; `before` is the word before it on its line.
pub(super) fn said(text: &str, at: usize, before: Option<&str>, dictated: bool) -> Option<Said> {
    if !matches!(text.as_bytes().get(at)?.to_ascii_lowercase(), b'v' | b'p' | b'o' | b'f' | b'd' | b'n' | b'a' | 0xc3) {
        return None;
    }
    command(text, at).or_else(|| comma(text, at, before)).or_else(|| dictated.then(|| mark(text, at, before)).flatten())
}

fn command(text: &str, at: usize) -> Option<Said> {
    COMMANDS.iter().find_map(|(words, mark, line)| Some(Said { end: phrase(text, at, words)?, mark, line: *line }))
}

fn comma(text: &str, at: usize, before: Option<&str>) -> Option<Said> {
    let end = phrase(text, at, &["virgule"])?;
    let before = before.map_or_else(|| last_word(&text[..at]), str::to_owned);
    (!SHAPES.contains(&before.as_str())).then_some(Said { end, mark: ",", line: false })
}

fn mark(text: &str, at: usize, before: Option<&str>) -> Option<Said> {
    let (words, end, mark, line) = MARKS.iter().find_map(|(words, mark, line)| Some((words, phrase(text, at, words)?, *mark, *line)))?;
    if before.is_some_and(|before| COUNTED.contains(&before)) {
        return None;
    }
    let next = text[end..].trim_start_matches([' ', '\u{a0}']);
    let word = &next[..next.find(|c| !is_word(c)).unwrap_or(next.len())];
    let counted = words.len() < 3 && OF.contains(&word);
    (!counted).then_some(Said { end, mark, line })
}

/// End of these words where they start here.
fn phrase(text: &str, at: usize, words: &[&str]) -> Option<usize> {
    let mut end = at;
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            let rest = text[end..].trim_start_matches([' ', '\u{a0}', '\n', '\r', '\'', '’']);
            if rest.len() == text[end..].len() {
                return None;
            }
            end = text.len() - rest.len();
        }
        let length = text[end..].find(|c| !is_word(c)).unwrap_or(text.len() - end);
        if length < word.len() || length > 2 * word.len() || fold(&text[end..end + length]) != *word {
            return None;
        }
        end += length;
    }
    Some(end)
}

fn last_word(text: &str) -> String {
    let text = text.trim_end_matches([' ', '\u{a0}', '\'', '’']);
    let start = text.char_indices().rev().find(|(_, c)| !is_word(*c)).map_or(0, |(at, c)| at + c.len_utf8());
    fold(&text[start..])
}

/// Letters of a word that is spelled from here on: at least three capitals, a space between each two.
pub(super) fn spelled(text: &str, word: Range<usize>) -> Option<usize> {
    let letter = |at: usize| text[at..].chars().next().filter(|c| c.is_uppercase()).map(|c| at + c.len_utf8());
    let alone = |end: usize| text[end..].chars().next().is_none_or(|c| !is_word(c) && !matches!(c, '.' | '\'' | '’' | '-' | '/'));
    if letter(word.start) != Some(word.end) || !alone(word.end) {
        return None;
    }
    let (mut end, mut letters) = (word.end, 1);
    while text[end..].starts_with(' ')
        && let Some(next) = letter(end + 1)
        && alone(next)
    {
        (end, letters) = (next, letters + 1);
    }
    // Columns of sides are no word.
    let sides = text[word.start..end].chars().all(|c| matches!(c, 'D' | 'G' | ' '));
    (letters >= 3 && !sides).then_some(end)
}
