//! A text, its normalised form and its tokens, with exact ways back.
//!
//! Normalisation folds case, accents, ligatures, apostrophes and dashes, and
//! joins words that a line end cut in two (`trans-⏎formation`). Punctuation that a
//! dictation says aloud counts as written. Every token knows the bytes of the
//! original it stands for; [`CharOffsets`] turns bytes into Unicode scalar offsets,
//! the unit of all our tables.

mod spoken;

use std::ops::Range;

/// What a token is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Letters, possibly with digits (`avc`, `m1`, `dt2`).
    Word,
    /// Starts with a digit (`12`, `13h05`, `2b`).
    Number,
    /// One character that is neither letter, digit nor space, or the dots that lead
    /// from a label to its value, which read as a colon.
    Mark,
}

/// A word, a number or a punctuation mark.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// First byte in the original.
    pub start: u32,
    /// Byte after the last one in the original.
    pub end: u32,
    fold_start: u32,
    fold_end: u32,
    /// [`key`] of its normalised form.
    key: u64,
    pub kind: Kind,
    /// Line ends between the token before and this one (2 and more: blank line).
    pub lines_before: u8,
    /// Whether white space stands before.
    pub space_before: bool,
    /// Written all in capitals (digits aside), with at least one letter.
    pub upper: bool,
    /// Starts with a capital.
    pub capital: bool,
}

impl Token {
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Bytes of a word that fit into its key.
const KEY_BYTES: usize = 8;

/// A word as one number: its bytes where they are few, a hash of them beyond. Rules compare
/// tokens with hundreds of words; numbers cost a fraction of what strings do.
pub const fn key(word: &str) -> u64 {
    let bytes = word.as_bytes();
    let (mut key, mut at) = (0_u64, 0);
    if bytes.len() <= KEY_BYTES {
        while at < bytes.len() {
            key = key << 8 | bytes[at] as u64;
            at += 1;
        }
        return key;
    }
    while at < bytes.len() {
        key = (key ^ bytes[at] as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        at += 1;
    }
    // Never that of a short word in ASCII.
    key | 1 << 63
}

/// Whether a [`key`](crate::text::key) is that of one of these words, all known when compiled.
#[macro_export]
macro_rules! is {
    ($key:expr, $($word:literal)|+) => {{
        let key: u64 = $key;
        $( key == const { $crate::text::key($word) } )||+
    }};
}

/// Fewest dots that lead from a label to its value.
const LEADER: usize = 4;

/// A text with its tokens.
pub struct Text<'a> {
    pub original: &'a str,
    folded: String,
    pub tokens: Vec<Token>,
}

impl<'a> Text<'a> {
    /// Reads a text: one pass, no failure, offsets exact for any input.
    pub fn new(original: &'a str) -> Self {
        Reader::new(original).read()
    }

    /// Normalised form of a token: lower case, no accents, ligatures opened.
    #[inline]
    pub fn fold(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |t| &self.folded[t.fold_start as usize..t.fold_end as usize])
    }

    /// [`key`] of a token's normalised form, to compare with words by [`is!`](crate::is).
    #[inline]
    pub fn key(&self, index: usize) -> u64 {
        self.tokens.get(index).map_or(0, |t| t.key)
    }

    /// Original words from the first token of the range to its last.
    #[inline]
    pub fn source(&self, tokens: Range<usize>) -> &'a str {
        &self.original[self.byte_range(tokens)]
    }

    /// Bytes of the original that a range of tokens covers.
    #[inline]
    pub fn byte_range(&self, tokens: Range<usize>) -> Range<usize> {
        match (self.tokens.get(tokens.start), tokens.end.checked_sub(1).and_then(|i| self.tokens.get(i))) {
            (Some(first), Some(last)) if tokens.start < tokens.end => first.start as usize..last.end as usize,
            _ => 0..0,
        }
    }

    /// Index of the first token that ends after this byte.
    pub fn token_at(&self, byte: usize) -> usize {
        self.tokens.partition_point(|t| t.end as usize <= byte)
    }
}

/// Turns ascending byte offsets into character offsets in one pass.
pub struct CharOffsets<'a> {
    text: &'a str,
    ascii: bool,
    byte: usize,
    chars: usize,
}

impl<'a> CharOffsets<'a> {
    pub fn new(text: &'a str) -> Self {
        CharOffsets { text, ascii: text.is_ascii(), byte: 0, chars: 0 }
    }

    /// Character offset of a byte offset; cheap when offsets ascend.
    pub fn at(&mut self, byte: usize) -> usize {
        if self.ascii {
            return byte.min(self.text.len());
        }
        if byte < self.byte {
            self.byte = 0;
            self.chars = 0;
        }
        let bytes = self.text.as_bytes();
        let end = byte.min(bytes.len());
        self.chars += bytes[self.byte..end].iter().filter(|b| (**b as i8) >= -0x40).count();
        self.byte = end;
        self.chars
    }
}

/// Normalises one character: lower case, accent off, ligature opened.
///
/// Calls `push` with each resulting character; combining marks yield none.
pub fn fold_char(c: char, mut push: impl FnMut(char)) {
    match c {
        'a'..='z' | '0'..='9' => push(c),
        'A'..='Z' => push(c.to_ascii_lowercase()),
        'à' | 'â' | 'ä' | 'á' | 'ã' | 'å' | 'À' | 'Â' | 'Ä' | 'Á' | 'Ã' | 'Å' => push('a'),
        'é' | 'è' | 'ê' | 'ë' | 'É' | 'È' | 'Ê' | 'Ë' => push('e'),
        'î' | 'ï' | 'í' | 'ì' | 'Î' | 'Ï' | 'Í' | 'Ì' => push('i'),
        'ô' | 'ö' | 'ó' | 'ò' | 'õ' | 'Ô' | 'Ö' | 'Ó' | 'Ò' | 'Õ' => push('o'),
        'ù' | 'û' | 'ü' | 'ú' | 'Ù' | 'Û' | 'Ü' | 'Ú' => push('u'),
        'ÿ' | 'Ÿ' | 'ý' | 'Ý' => push('y'),
        'ç' | 'Ç' => push('c'),
        'ñ' | 'Ñ' => push('n'),
        'œ' | 'Œ' => {
            push('o');
            push('e');
        }
        'æ' | 'Æ' => {
            push('a');
            push('e');
        }
        'ß' => {
            push('s');
            push('s');
        }
        'µ' | 'μ' => push('µ'),
        _ => {
            use unicode_normalization::UnicodeNormalization;
            for d in std::iter::once(c).nfkd() {
                if unicode_normalization::char::is_combining_mark(d) {
                    continue;
                }
                for l in d.to_lowercase() {
                    push(l);
                }
            }
        }
    }
}

/// Normalises a string word by word, as the tokens of a text are: for keys,
/// cues and lexicon forms.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        fold_char(c, |f| out.push(f));
    }
    out
}

fn is_word(c: char) -> bool {
    // U+02BC is a letter to Unicode; in French it is an apostrophe.
    c.is_ascii_alphanumeric() || (!c.is_ascii() && c != 'ʼ' && (c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c)))
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}' | '\u{ad}')
}

struct Reader<'a> {
    text: &'a str,
    folded: String,
    tokens: Vec<Token>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Reader { text, folded: String::with_capacity(text.len()), tokens: Vec::with_capacity(text.len() / 5 + 1) }
    }

    fn read(mut self) -> Text<'a> {
        let dictated = spoken::dictated(self.text);
        let mut at = 0;
        let mut lines: u8 = 0;
        let mut space = true;
        while let Some(c) = self.text[at..].chars().next() {
            let next = at + c.len_utf8();
            if c == '\n' || (c == '\r' && !self.text[next..].starts_with('\n')) || c == '\u{2028}' || c == '\u{2029}' || c == '\u{c}' {
                lines = lines.saturating_add(1);
                space = true;
                at = next;
                continue;
            }
            if c.is_whitespace() || c.is_control() || c == '\u{feff}' || c == '\u{200b}' {
                space = true;
                at = next;
                continue;
            }
            if lines == 0
                && let Some(end) = self.leader_end(at)
            {
                let text = self.text;
                match self.tokens.last_mut().filter(|t| &text[t.range()] == ":") {
                    // "Bolus : ______": the dots belong to the colon.
                    Some(colon) => colon.end = end as u32,
                    None => self.push(at, end, c, lines, space),
                }
                space = true;
                at = end;
                continue;
            }
            if let Some(dictated) = dictated.filter(|_| is_word(c))
                && let Some(said) = spoken::said(self.text, at, self.word_before(lines), dictated)
            {
                let number = self.number_behind(said.end).filter(|_| said.mark == ",");
                self.push_mark(at, said.end, said.mark, lines, space && number.is_none());
                at = number.unwrap_or(said.end);
                lines = u8::from(said.line);
                space = number.is_none();
                continue;
            }
            let end = if is_word(c) { spoken::spelled(self.text, at..next).unwrap_or_else(|| self.word_end(at)) } else { next };
            self.push(at, end, c, lines, space);
            at = end;
            lines = 0;
            space = false;
        }
        Text { original: self.text, folded: self.folded, tokens: self.tokens }
    }

    /// Where decimals begin behind a comma that is said after a number.
    fn number_behind(&self, comma: usize) -> Option<usize> {
        let digits = self.text[comma..].trim_start_matches([' ', '\u{a0}']);
        let decimal = digits.starts_with(|c: char| c.is_ascii_digit()) && self.tokens.last().is_some_and(|t| t.kind == Kind::Number);
        decimal.then_some(self.text.len() - digits.len())
    }

    /// The last word, where it stands on this line.
    fn word_before(&self, lines: u8) -> Option<&str> {
        let last = self.tokens.last().filter(|_| lines == 0)?;
        Some(&self.folded[last.fold_start as usize..last.fold_end as usize])
    }

    /// End of the dots or underscores that start here and lead from a label to its
    /// value on the same line: "Ponction ........ 13 h 05".
    fn leader_end(&self, start: usize) -> Option<usize> {
        let rest = &self.text[start..];
        let sign = rest.chars().next().filter(|c| matches!(c, '.' | '…' | '_' | '·'))?;
        // Within the brackets of a box they are its emptiness.
        if self.tokens.last().is_none_or(|t| matches!(&self.text[t.range()], "[" | "(" | "{" | "." | "…" | "_" | "·")) {
            return None;
        }
        let (mut end, mut count, mut blank) = (start, 0, false);
        let mut value = None;
        for (at, c) in rest.char_indices() {
            if c == sign {
                (end, count, blank) = (start + at + c.len_utf8(), count + 1, false);
            } else if matches!(c, ' ' | '\t' | '\u{a0}') && !(blank && count < LEADER) {
                blank = true;
            } else {
                value = Some(c);
                break;
            }
        }
        let least = if sign == '…' { 2 } else { LEADER };
        (count >= least && value.is_some_and(|c| !c.is_control() && !matches!(c, ']' | ')' | '}' | ':'))).then_some(end)
    }

    /// End of the word that starts here, cut halves joined.
    fn word_end(&self, start: usize) -> usize {
        let mut end = self.run_end(start);
        while let Some(half) = self.wrapped_half(start, end) {
            end = self.run_end(half);
        }
        end
    }

    fn run_end(&self, start: usize) -> usize {
        self.text[start..].char_indices().find(|(_, c)| !is_word(*c) && *c != '\u{ad}').map_or(self.text.len(), |(i, _)| start + i)
    }

    /// Start of the second half when a dash and a line end cut the word.
    fn wrapped_half(&self, start: usize, end: usize) -> Option<usize> {
        let mut rest = self.text[end..].chars();
        let word = &self.text[start..end];
        let before = word.trim_end_matches('\u{ad}').chars().next_back()?;
        let mut at = end;
        // A soft hyphen is part of the word already.
        if !word.ends_with('\u{ad}') {
            at += rest.next().filter(|c| is_dash(*c))?.len_utf8();
        }
        let mut lines = 0;
        for c in rest {
            match c {
                '\n' => lines += 1,
                '\r' | ' ' | '\t' | '\u{a0}' => {}
                _ => return (lines == 1 && before.is_lowercase() && c.is_lowercase()).then_some(at),
            }
            at += c.len_utf8();
        }
        None
    }

    /// A mark that stands for other words.
    fn push_mark(&mut self, start: usize, end: usize, mark: &str, lines_before: u8, space_before: bool) {
        let fold_start = self.folded.len() as u32;
        self.folded.push_str(mark);
        let (start, end, fold_end) = (start as u32, end as u32, self.folded.len() as u32);
        let (upper, capital, key) = (false, false, key(mark));
        self.tokens.push(Token { start, end, fold_start, fold_end, key, kind: Kind::Mark, lines_before, space_before, upper, capital });
    }

    fn push(&mut self, start: usize, end: usize, first: char, lines_before: u8, space_before: bool) {
        let fold_start = self.folded.len();
        let (mut letters, mut lower) = (false, false);
        let leads = end - start > first.len_utf8() && !is_word(first);
        if leads {
            self.folded.push(':');
        }
        for c in self.text[start..end].chars().filter(|_| !leads) {
            if c.is_whitespace() || c == '\u{ad}' || (is_dash(c) && start + c.len_utf8() < end) {
                continue;
            }
            letters |= c.is_alphabetic();
            lower |= c.is_lowercase();
            match c {
                '’' | '‘' | 'ʼ' | '`' | '´' => self.folded.push('\''),
                '–' | '—' | '−' | '‐' | '‑' => self.folded.push('-'),
                '«' | '»' | '“' | '”' => self.folded.push('"'),
                _ => {
                    let folded = &mut self.folded;
                    fold_char(c, |f| folded.push(f));
                }
            }
        }
        let kind = if !is_word(first) {
            Kind::Mark
        } else if first.is_ascii_digit() {
            Kind::Number
        } else {
            Kind::Word
        };
        self.tokens.push(Token {
            start: start as u32,
            end: end as u32,
            fold_start: fold_start as u32,
            fold_end: self.folded.len() as u32,
            key: key(&self.folded[fold_start..]),
            kind,
            lines_before,
            space_before,
            upper: letters && !lower,
            capital: first.is_uppercase(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folds(text: &str) -> Vec<String> {
        let text = Text::new(text);
        (0..text.tokens.len()).map(|i| text.fold(i).to_owned()).collect()
    }

    #[test]
    fn folds_case_accents_and_ligatures() {
        assert_eq!(folds("Œdème CÉRÉBRAL, e\u{301}voqué"), ["oedeme", "cerebral", ",", "evoque"]);
    }

    #[test]
    fn joins_words_cut_at_a_line_end() {
        assert_eq!(folds("une trans-\r\n  formation hémor\u{ad}ragique"), ["une", "transformation", "hemorragique"]);
        assert_eq!(folds("hémor\u{ad}\nragique, trans\u{ad}\n\nformation"), ["hemorragique", ",", "trans", "formation"]);
        assert_eq!(folds("M1-\nM2"), ["m1", "-", "m2"]);
    }

    #[test]
    fn apostrophes_and_dashes_become_one_kind() {
        assert_eq!(folds("l’AVC – d'allure"), ["l", "'", "avc", "-", "d", "'", "allure"]);
        assert_eq!(folds("lʼAVC"), ["l", "'", "avc"]);
    }

    #[test]
    fn dots_that_lead_to_a_value_are_a_colon() {
        assert_eq!(folds("Bolus ....... 11 h 20"), ["bolus", ":", "11", "h", "20"]);
        assert_eq!(folds("Bolus : ______ 11h20"), ["bolus", ":", "11h20"]);
        assert_eq!(folds("Bolus . . . . . 11h20"), ["bolus", ":", "11h20"]);
        assert_eq!(folds("Bolus …… 11h20"), ["bolus", ":", "11h20"]);
        // An ellipsis, a box, a blank nobody filled in.
        assert_eq!(folds("il hésite... puis"), ["il", "hesite", ".", ".", ".", "puis"]);
        assert_eq!(folds("[____] oui"), ["[", "_", "_", "_", "_", "]", "oui"]);
        assert_eq!(folds("Né ....\nLe"), ["ne", ".", ".", ".", ".", "le"]);
        let text = Text::new("Bolus ....... 11 h 20");
        assert_eq!(text.tokens[1].range(), 6..13);
    }

    #[test]
    fn punctuation_said_aloud_is_punctuation() {
        assert_eq!(folds("Température 36 virgule 6 virgule pouls 80"), ["temperature", "36", ",", "6", ",", "pouls", "80"]);
        let said =
            "Bilan deux points INR 1 virgule 2 ouvrez la parenthèse stable fermez la parenthèse point à la ligne\nEvolution point Sortie";
        assert_eq!(folds(said), ["bilan", ":", "inr", "1", ",", "2", "(", "stable", ")", ".", "evolution", ".", "sortie"]);
        let text = Text::new("Température 36 virgule 6");
        assert_eq!(text.source(1..4), "36 virgule 6");
        assert!(!text.tokens[2].space_before && !text.tokens[3].space_before);
        // A shape, what is counted, places.
        assert_eq!(folds("image en virgule"), ["image", "en", "virgule"]);
        assert_eq!(
            folds("Il gagne deux points. Point sur les aides"),
            ["il", "gagne", "deux", "points", ".", "point", "sur", "les", "aides"]
        );
        let counted = folds("fatigue virgule gagne deux points virgule un point de NIHSS");
        assert_eq!(counted, ["fatigue", ",", "gagne", "deux", "points", ",", "un", "point", "de", "nihss"]);
    }

    #[test]
    fn letters_said_one_by_one_are_a_word() {
        assert_eq!(folds("N I H S S à 8"), ["nihss", "a", "8"]);
        assert_eq!(folds("C O N C L U S I O N :"), ["conclusion", ":"]);
        assert_eq!(
            folds("M. A B, J P-M, D G D, E. F G"),
            ["m", ".", "a", "b", ",", "j", "p", "-", "m", ",", "d", "g", "d", ",", "e", ".", "f", "g"]
        );
    }

    #[test]
    fn a_key_is_that_of_one_word() {
        let words = ["a", "aa", "avc", "ava", "µ", "g", "thrombol", "thrombolyse", "thrombolyses", "thrombectomie", ""];
        for (i, word) in words.iter().enumerate() {
            assert!(words[i + 1..].iter().all(|other| key(other) != key(word)), "{word}");
        }
        let text = Text::new("Thrombolyse IV à 10h05, ≤ 4,5 h");
        assert!((0..text.tokens.len()).all(|i| text.key(i) == key(text.fold(i))));
        assert!(is!(text.key(0), "thrombectomie" | "thrombolyse") && !is!(text.key(1), "im" | "i"));
        assert!(is!(text.key(5), "≤") && is!(text.key(99), ""));
    }

    #[test]
    fn char_offsets_count_scalars() {
        let mut offsets = CharOffsets::new("é€a");
        assert_eq!([offsets.at(0), offsets.at(2), offsets.at(5), offsets.at(6)], [0, 1, 2, 3]);
        assert_eq!(offsets.at(2), 1);
    }
}
