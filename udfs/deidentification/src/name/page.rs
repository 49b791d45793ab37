//! A text as the reader of names sees it: what is known of every token, and the
//! name that can be read from one.

mod family;
mod layout;
mod style;

use std::ops::Range;

use sillage_clinical::analysis::Analysis;
use sillage_clinical::is;
use sillage_clinical::lexicon::Label;
use sillage_clinical::text::{Kind, Text, fold};

use super::knowledge::{CueHit, Names, likely_common, role, word};
use super::lead;
use crate::Span;

/// What a token is, beside the [`word`] bits of its fold.
pub(crate) mod look {
    /// Letters only, at least two, the first a capital.
    pub const CAPITAL: u32 = 1 << 20;
    /// Letters only, at least two, all capitals.
    pub const UPPER: u32 = 1 << 21;
    /// One capital letter.
    pub const SINGLE: u32 = 1 << 22;
    /// Within a clinical mention.
    pub const CLINICAL: u32 = 1 << 23;
    /// The same word stands elsewhere in the text in small letters.
    pub const SEEN_LOWER: u32 = 1 << 24;
    /// Letters only, in small letters.
    pub const LOWER: u32 = 1 << 25;
    /// Starts a line or a sentence.
    pub const OPENS: u32 = 1 << 26;
    /// A cue starts here.
    pub const CUE: u32 = 1 << 27;
    /// In a line, or a whole text, of capitals: they say nothing of a word.
    pub const IN_CAPITALS: u32 = 1 << 28;
    /// A clinical mention of this word alone: a part of the body.
    pub const BODY: u32 = 1 << 29;
    /// A clinical mention of this word alone: a disease, a sign or an act, written out.
    pub const ALONE: u32 = 1 << 30;
}

/// What a part of a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartKind {
    /// "J.", "J.-P.", "JP" before a name.
    Initial,
    Word,
}

/// One word of a name: compounds, particles and apostrophes are one part.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub tokens: Range<usize>,
    pub kind: PartKind,
    /// Bits of its words joined.
    pub bits: u32,
    /// Written all in capitals.
    pub upper: bool,
    pub particle: bool,
}

/// A possible name: parts in order, and the token after it.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub parts: Vec<Part>,
    pub end: usize,
}

/// Most parts of one name.
const PARTS: usize = 6;

/// How much may be taken for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trust {
    /// Nothing announces it: common words and acronyms are out.
    Free,
    /// Announced: family names that are also words are in.
    Announced,
    /// Right behind a title: so are common words and names of a trade.
    Titled,
}

pub(crate) struct Page<'p, 'a> {
    pub names: &'p Names,
    pub text: &'p Text<'a>,
    pub bits: Vec<u32>,
    pub cues: Vec<Option<CueHit>>,
    /// Which rules begin with a token, as [`lead`] bits.
    leads: Vec<u32>,
    /// The first token of the line of each.
    line_starts: Vec<usize>,
}

impl<'p, 'a> Page<'p, 'a> {
    pub fn new(names: &'p Names, analysis: &'p Analysis<'a>) -> Self {
        let text = &analysis.text;
        let seen = style::small_words(text);
        let mut bits: Vec<u32> = Vec::with_capacity(text.tokens.len());
        let mut cues = Vec::with_capacity(text.tokens.len());
        let mut leads = Vec::with_capacity(text.tokens.len());
        let mut line_starts = Vec::with_capacity(text.tokens.len());
        let mut line_start = 0;
        for (i, token) in text.tokens.iter().enumerate() {
            if token.lines_before > 0 {
                line_start = i;
            }
            line_starts.push(line_start);
            let known = names.known(text.key(i));
            let cue = if known.leads & lead::CUE != 0 { names.cue(text, i) } else { None };
            leads.push(known.leads);
            cues.push(cue);
            if token.kind != Kind::Word {
                bits.push(0);
                continue;
            }
            let fold = text.fold(i);
            let mut found = known.bits;
            let letters = !fold.bytes().any(|b| b.is_ascii_digit());
            let length = token.end - token.start;
            if letters && token.capital {
                let single = text.original[token.range()].chars().nth(1).is_none();
                found |= if single { look::SINGLE } else { look::CAPITAL };
                if !single && token.upper {
                    found |= look::UPPER;
                }
                if length > 2 && seen.contains(&text.key(i)) {
                    found |= look::SEEN_LOWER;
                }
            } else if letters && !token.capital {
                found |= look::LOWER;
            }
            let after_initial = i > 1 && is!(text.key(i - 1), ".") && bits[i - 2] & look::SINGLE != 0;
            if token.lines_before > 0 || i == 0 || !after_initial && is!(text.key(i - 1), "." | "!" | "?" | ":" | "•" | "*" | "…") {
                found |= look::OPENS;
            }
            if cue.is_some() {
                found |= look::CUE;
            }
            bits.push(found);
        }
        style::styles(text, &mut bits);
        for entity in analysis.entities() {
            let first = text.token_at(entity.start);
            let end = text.tokens.partition_point(|t| (t.start as usize) < entity.end);
            bits[first..end].iter_mut().for_each(|b| *b |= look::CLINICAL);
            if end == first + 1 {
                bits[first] |= match entity.concept.label {
                    Label::Anatomy => look::BODY,
                    Label::Drug => 0,
                    // "ACFA" is no word.
                    _ if fold(&entity.concept.preferred).contains(text.fold(first)) => look::ALONE,
                    _ => 0,
                };
            }
        }
        Page { names, text, bits, cues, leads, line_starts }
    }

    pub fn len(&self) -> usize {
        self.bits.len()
    }

    /// Tokens of a span; nothing where it holds none.
    pub fn tokens_of(&self, span: &Span) -> Range<usize> {
        let first = self.text.token_at(span.start);
        first..self.text.tokens.partition_point(|t| (t.start as usize) < span.end).max(first)
    }

    /// The label of the span that covers each token.
    pub fn labels(&self, spans: &[Span]) -> Vec<Option<crate::Label>> {
        let mut labels = vec![None; self.len()];
        for span in spans {
            labels[self.tokens_of(span)].fill(Some(span.label));
        }
        labels
    }

    pub fn bits(&self, at: usize) -> u32 {
        self.bits.get(at).copied().unwrap_or(0)
    }

    #[inline]
    pub fn has(&self, at: usize, bits: u32) -> bool {
        self.bits(at) & bits != 0
    }

    /// A rule of these [`lead`] bits begins with the token.
    #[inline]
    pub fn leads(&self, at: usize, bits: u32) -> bool {
        self.leads.get(at).is_some_and(|l| l & bits != 0)
    }

    /// Some rule, or a cue, begins with the token.
    #[inline]
    pub fn leads_on(&self, at: usize) -> bool {
        self.leads(at, u32::MAX)
    }

    #[inline]
    pub fn mark(&self, at: usize) -> bool {
        self.text.tokens.get(at).is_some_and(|t| t.kind == Kind::Mark)
    }

    #[inline]
    pub fn fold(&self, at: usize) -> &str {
        self.text.fold(at)
    }

    #[inline]
    pub fn key(&self, at: usize) -> u64 {
        self.text.key(at)
    }

    /// A title (`Dr`, `Mme`), its dot included: the token after it.
    pub fn title(&self, at: usize) -> Option<usize> {
        let hit = self.cues.get(at).copied().flatten().filter(|c| c.roles & role::TITLE != 0)?;
        let weak = hit.roles & role::WEAK_TITLE != 0 && hit.end == at + 1;
        // "m" alone, "me" are no titles in small letters.
        let dotted = is!(self.key(hit.end), ".") && self.glued(hit.end);
        let in_small_letters =
            dotted && is!(self.key(at), "m") && self.bits(hit.end + 1) & (look::LOWER | look::CAPITAL) == look::LOWER | look::CAPITAL;
        if weak && !self.text.tokens[at].capital && !in_small_letters {
            return None;
        }
        // "M.H." are initials.
        if weak && dotted && self.has(hit.end + 1, look::SINGLE) && self.glued(hit.end + 1) {
            return None;
        }
        Some(if dotted { hit.end + 1 } else { hit.end })
    }

    /// Reads the name that starts at this token.
    pub fn read(&self, at: usize, trust: Trust) -> Option<Candidate> {
        let mut parts: Vec<Part> = Vec::new();
        let mut end = at;
        while parts.len() < PARTS {
            let Some(next) = self.next_start(end, &parts) else { break };
            // A title speaks for the word behind it, and for the one behind a given name;
            // behind "Madame H." a sentence may begin.
            let speaks = match parts.last() {
                None => true,
                Some(last) if last.kind == PartKind::Word => parts.iter().all(|p| p.bits & word::GIVEN != 0),
                Some(_) => self.has(next, word::ANY_FAMILY) && !self.has(next, word::COMMON),
            };
            let trusted = if trust == Trust::Titled && !speaks { Trust::Announced } else { trust };
            let Some(part) = self.part(next, trusted, &parts) else { break };
            end = part.tokens.end;
            parts.push(part);
            if parts.len() < PARTS
                && let Some((inner, close)) = self.bracket(end, trust)
            {
                end = close;
                parts.push(inner);
            }
        }
        while parts.last().is_some_and(|p| p.kind == PartKind::Initial && !p.upper && !self.closes(p.tokens.end)) {
            parts.pop();
        }
        let end = parts.last()?.tokens.end;
        Some(Candidate { parts, end })
    }

    /// Where the next part may start: here, on the same line unless the line was wrapped.
    fn next_start(&self, at: usize, parts: &[Part]) -> Option<usize> {
        let token = self.text.tokens.get(at)?;
        if parts.is_empty() {
            return Some(at);
        }
        // "Dr Kerdonval      Signature": behind a gap only a listed name goes on.
        let gap = token.start - self.text.tokens[at - 1].end > 2 && token.lines_before == 0;
        if gap && !self.has(at, word::GIVEN | word::FAMILY) && self.has(at, look::CAPITAL) {
            return None;
        }
        // "IDE: K.R.  Vu ce jour", "IDE K.R. Pose": whole initials are somebody.
        let last = &parts[parts.len() - 1];
        let whole = last.kind == PartKind::Initial
            && last.tokens.len() > 3
            && !last.tokens.clone().any(|i| is!(self.key(i), "-"))
            && (!self.has(at, word::ANY_NAME) || self.fold(at).len() < 4)
            && (!self.has(at, look::UPPER) || self.fold(at).len() < 4 || self.has(at, look::CLINICAL | word::ACRONYM | look::CUE));
        if whole {
            return None;
        }
        match token.lines_before {
            0 => Some(at),
            1 if self.wrapped(at) && !self.has(at, word::COMMON | word::ACRONYM) && self.wrapped_name(at, parts) => Some(at),
            _ => None,
        }
    }

    /// A name that goes on in the next line is listed, or in capitals beside small letters.
    fn wrapped_name(&self, at: usize, parts: &[Part]) -> bool {
        let long = self.fold(at).len() > 3;
        self.has(at, word::GIVEN | word::FAMILY)
            || long && self.has(at, look::UPPER) && parts.iter().all(|p| !p.upper || p.kind == PartKind::Initial)
    }

    /// Nothing follows that a lone letter could belong to.
    fn closes(&self, at: usize) -> bool {
        let sex = at > 0 && is!(self.key(at - 1), "h" | "f" | "m");
        self.line_ends(at) || !sex && self.text.tokens[at].kind != Kind::Word && !is!(self.key(at), "'")
    }

    fn part(&self, at: usize, trust: Trust, before: &[Part]) -> Option<Part> {
        if let Some(end) = self.initial(at, trust, before) {
            // A dot or a dash makes sure of it.
            let sure = (at + 1..end).any(|i| is!(self.key(i), "." | "-"));
            return Some(Part { tokens: at..end, kind: PartKind::Initial, bits: 0, upper: sure, particle: false });
        }
        let mut first = at;
        // "de la Tour", "Le Goff", "D'Angelo", "El-Amrani".
        let mut particle = false;
        while self.has(first, word::PARTICLE) && first < at + 6 && (first == at || self.same_line(first)) {
            let mut next = first + 1;
            if is!(self.key(next), "'" | "-" | ".") && self.glued(next) {
                next += 1;
            }
            // A particle that is itself the whole name: "M. Saint".
            if !self.same_line(next) || !self.has(next, look::CAPITAL | word::PARTICLE) {
                break;
            }
            particle = true;
            first = next;
        }
        // Nothing else begins a word of a name.
        if !self.has(first, look::CAPITAL | look::SINGLE) {
            return None;
        }
        let small = particle && self.has(at, look::LOWER);
        if small && before.is_empty() && trust == Trust::Free {
            return None;
        }
        // "Capucine OCTOBRE": behind a first name a word in capitals is its family name.
        let capitals = self.has(first, look::UPPER) && self.fold(first).len() > 3;
        let after_given =
            capitals && before.last().is_some_and(|p| p.bits & word::ANY_GIVEN != 0 && !p.upper || p.kind == PartKind::Initial && p.upper);
        let clinical = self.has(first, look::CLINICAL) && !self.has(first, word::ANY_FAMILY);
        // "Mr LE SAGE": capitals behind a particle within small letters.
        let after_particle = capitals && particle && trust >= Trust::Announced && self.stands_out(first);
        let common_initial = self.has(first, word::COMMON) && before.first().is_some_and(|p| p.kind == PartKind::Initial);
        let other = if after_given && particle && self.stands_out(first) { word::ACRONYM } else { word::ACRONYM | look::CUE };
        let lenient = (after_given && !common_initial || after_particle) && !clinical && !self.has(first, other);
        let lenient = lenient || self.surname(first, before) || self.body_name(first, trust, before);
        // "MME ROLLAND POSE SA CANNE": in capitals only listed words go on.
        let sure = self.has(first, word::GIVEN | word::FAMILY) && !self.has(first, word::COMMON);
        if self.has(first, look::IN_CAPITALS)
            && !sure
            && before.iter().any(|p| p.kind == PartKind::Word)
            && !self.shouted_family(first, before)
            && !self.body_name(first, trust, before)
        {
            return None;
        }
        let mut part = self.name_word(first, trust, lenient)?;
        if particle {
            // "Le Scanner", "La Fille": the particle makes nothing of a common word.
            let saint = is!(self.key(at), "saint" | "sainte" | "st" | "ste");
            if part.bits & word::COMMON != 0 && part.bits & word::ANY_NAME == 0 && !lenient || saint && trust == Trust::Free {
                return None;
            }
            part.upper &= !small && (at..first).all(|i| !self.has(i, look::CAPITAL) || self.has(i, look::UPPER));
            part.tokens.start = at;
            part.particle = true;
        }
        Some(part)
    }

    /// "Jean-Loup", "Floc'h", "DUPONT-MOREL", "O'Brien".
    fn name_word(&self, at: usize, trust: Trust, lenient: bool) -> Option<Part> {
        if self.apostrophe(at) && (lenient || self.may_be_name(at + 2, trust)) {
            let bits = self.bits[at + 2];
            return Some(Part { tokens: at..at + 3, kind: PartKind::Word, bits, upper: self.has(at + 2, look::UPPER), particle: false });
        }
        if !self.has(at, look::CAPITAL) || !lenient && !self.may_be_name(at, trust) {
            return None;
        }
        let (mut end, mut bits, mut upper) = (at + 1, self.bits[at], self.has(at, look::UPPER));
        loop {
            let mark = self.fold(end);
            let next = end + 1;
            let apostrophe = mark == "'" && self.glued(end) && self.glued(next);
            let dash = mark == "-" && self.same_line(next) && self.text.tokens[end].space_before == self.text.tokens[next].space_before;
            if apostrophe
                && self.has(next, look::CAPITAL | look::LOWER | look::SINGLE)
                && (self.has(next, look::CAPITAL)
                    || self.text.fold(next).len() < 4
                    || self.fold(next).starts_with('h') && self.fold(end - 1).ends_with('c'))
            {
                end = next + 1;
            } else if dash
                && (!self.text.tokens[end].space_before || upper && self.stands_out(next) && trust >= Trust::Announced)
                && self.has(next, look::CAPITAL)
                && self.may_join(next)
            {
                bits |= self.bits[next];
                upper &= self.has(next, look::UPPER);
                end = next + 1;
            } else if dash && !self.text.tokens[end].space_before && self.has(next, word::PARTICLE) && self.has(next + 1, look::CAPITAL) {
                end = next + 2;
            } else {
                break;
            }
        }
        Some(Part { tokens: at..end, kind: PartKind::Word, bits, upper, particle: false })
    }

    fn may_join(&self, at: usize) -> bool {
        !self.has(at, word::ACRONYM | word::COMMON | look::CLINICAL) || self.has(at, word::ANY_NAME)
    }

    /// "N'DIAYE", "M'Baye", "O'Brien": one letter and a capital behind its apostrophe.
    fn apostrophe(&self, at: usize) -> bool {
        // "K/Bidan" is Breton for Kerbidan.
        let breton = is!(self.key(at), "k") && is!(self.key(at + 1), "/" | "'") && self.fold(at + 2).len() > 2;
        self.has(at, look::SINGLE)
            && (is!(self.key(at + 1), "'") || breton)
            && self.glued(at + 1)
            && self.glued(at + 2)
            && self.has(at + 2, look::CAPITAL)
            && (!self.has(at, look::IN_CAPITALS) || breton)
            && !is!(self.key(at), "l" | "d" | "j" | "c" | "s" | "t" | "q")
    }

    /// Whether a capitalised word can be part of a name.
    fn may_be_name(&self, at: usize, trust: Trust) -> bool {
        let bits = self.bits[at];
        if self.title(at).is_some() {
            return false;
        }
        let cue = self.cues[at].is_some_and(|c| {
            c.roles & (role::FUNCTION | role::KIN | role::FAMILY_HEAD | role::GIVEN_HEAD | role::BIRTH | role::SPOUSE) != 0
        });
        let named = bits & word::ANY_NAME != 0;
        // "Marie-Odile": one word is a name where it joins another.
        let mixed = bits & (look::UPPER | look::CLINICAL) == 0;
        if bits & word::ANY_GIVEN != 0 && mixed && is!(self.key(at + 1), "-") && self.glued(at + 1) && self.glued(at + 2) {
            let joined = self.bits(at + 2);
            if joined & word::ANY_GIVEN != 0 && joined & look::CAPITAL != 0 {
                return true;
            }
        }
        match trust {
            Trust::Announced => {
                let refused =
                    cue || bits & word::COMMON != 0 || bits & word::ACRONYM != 0 && bits & look::UPPER != 0 || bits & look::CLINICAL != 0;
                !refused || named && (!cue || bits & look::UPPER != 0)
            }
            Trust::Titled => {
                let acronym = bits & word::ACRONYM != 0 && bits & look::UPPER != 0;
                let word = cue || acronym || bits & (word::QUALIFIER | look::CLINICAL | look::IN_CAPITALS) != 0 && bits & word::COMMON != 0;
                !word && bits & look::CLINICAL == 0 || named && !acronym || named && !cue
            }
            Trust::Free => {
                let acronym = bits & look::UPPER != 0 && bits & word::ACRONYM != 0;
                let refused = cue || acronym || bits & (word::COMMON | look::CLINICAL | word::QUALIFIER) != 0;
                !refused || bits & (word::GIVEN | word::FAMILY) != 0 && !cue && !acronym && bits & look::CLINICAL == 0
            }
        }
    }

    /// End of an initial: "J.", "J.-P.", "J-P", "Ch.", "JP", each before or behind a name.
    fn initial(&self, at: usize, trust: Trust, before: &[Part]) -> Option<usize> {
        let named_next = |i: usize| {
            self.same_line(i) && (self.has(i, look::CAPITAL) || self.has(i, word::PARTICLE) && self.has(i, look::LOWER | look::SINGLE))
        };
        if self.has(at, look::SINGLE) {
            // "M. Durand" has a title, "À Lyon" a preposition.
            let elided = self.has(at, word::PARTICLE) && is!(self.key(at + 1), "'") && self.glued(at + 1);
            if elided
                || self.apostrophe(at)
                || !self.text.original[self.text.tokens[at].range()].is_ascii()
                || before.is_empty() && trust == Trust::Free && self.title(at).is_some()
            {
                return None;
            }
            let mut end = at + 1;
            while end < at + 7 {
                let dot = usize::from(is!(self.key(end), ".") && self.glued(end));
                let dash = usize::from(is!(self.key(end + dot), "-") && self.glued(end + dot));
                let next = end + dot + dash;
                if dot + dash > 0 && self.has(next, look::SINGLE) && self.glued(next) {
                    end = next + 1;
                } else {
                    break;
                }
            }
            let dotted = is!(self.key(end), ".") && self.glued(end);
            let compound = end > at + 1;
            let end = end + usize::from(dotted);
            // A lone letter needs a name beside it: "P Durand", "Durand P".
            if self.has(at, look::IN_CAPITALS) && !dotted && !compound {
                return None;
            }
            let beside = match trust {
                Trust::Announced | Trust::Titled => named_next(end) || !before.is_empty(),
                Trust::Free => {
                    !before.is_empty()
                        || !is!(self.key(at), "a")
                            && named_next(end)
                            && self.has(end, look::UPPER | word::GIVEN | word::FAMILY | word::PARTICLE)
                }
            };
            return (dotted || compound || beside).then_some(end);
        }
        let fold = self.fold(at);
        let short = self.has(at, look::CAPITAL) && fold.len() < 4;
        let dotted = is!(self.key(at + 1), ".") && self.glued(at + 1);
        // "Ch. Durand", "Fr. Durand".
        if short
            && dotted
            && !self.has(at, look::UPPER)
            && !self.has(at, word::ANY_NAME | look::CUE)
            && named_next(at + 2)
            && before.is_empty()
        {
            return Some(at + 2);
        }
        // "JP Durand", "MC. DURAND".
        let letters = self.has(at, look::UPPER)
            && fold.len() == 2
            && !self.has(at, word::ACRONYM | word::ANY_NAME | look::CUE | word::PARTICLE | word::COMMON);
        let end = at + 1 + usize::from(dotted);
        (letters && before.is_empty() && named_next(end)).then_some(end)
    }

    /// A name in brackets within a name: "CORDIER (LE CORRE) Josette".
    fn bracket(&self, at: usize, trust: Trust) -> Option<(Part, usize)> {
        if !is!(self.key(at), "(") || !self.same_line(at) {
            return None;
        }
        let inner = self.part(at + 1, trust, &[]).filter(|p| p.kind == PartKind::Word && (p.upper || p.bits & word::ANY_NAME != 0))?;
        let close = inner.tokens.end;
        (is!(self.key(close), ")") && self.has(close + 1, look::CAPITAL) && self.same_line(close + 1)).then_some((inner, close + 1))
    }

    /// A noun that takes eponyms stands before: "signe de …", "score …".
    pub fn behind_eponym_head(&self, at: usize) -> bool {
        let mut i = at;
        for _ in 0..6 {
            let Some(before) = i.checked_sub(1) else { return false };
            if !self.same_line(i) && self.text.tokens[i].lines_before > 1 {
                return false;
            }
            let singular = self.fold(before).strip_suffix('s').map_or(0, |s| self.names.word(s));
            // "signé H. Durand" is no sign.
            let signed = is!(self.key(before), "signe") && self.text.source(before..before + 1).ends_with(['é', 'É']);
            if !signed && (self.bits(before) | singular) & word::EPONYM_HEAD != 0 {
                return true;
            }
            match self.fold(before) {
                "de" | "d" | "du" | "des" | "'" | "-" | "la" | "le" | "selon" | "modifie" | "modifiee" | "en" | "et" | "i" | "ii"
                | "iii" | "iv" | "v" => i = before,
                // "signe de X et de Y": the first of the two.
                _ if i < at && self.has(before, look::CAPITAL) && is!(self.key(i), "et") => i = before,
                _ if self.text.tokens[before].kind == Kind::Number => i = before,
                _ => return false,
            }
        }
        false
    }

    /// Letters that can be read aloud: a vowel and a consonant.
    pub fn pronounceable(&self, tokens: Range<usize>) -> bool {
        tokens.filter(|i| self.has(*i, look::CAPITAL)).all(|i| {
            let fold = self.fold(i);
            let vowels = fold.bytes().filter(|b| matches!(b, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')).count();
            vowels > 0 && vowels < fold.len()
        })
    }

    /// Capitals that stand out of small letters.
    pub fn stands_out(&self, at: usize) -> bool {
        self.has(at, look::UPPER) && !self.has(at, look::IN_CAPITALS)
    }

    /// Unlisted, without the ending of a common word, never in small letters.
    pub fn unlisted(&self, part: &Part) -> bool {
        let listed = word::ANY_NAME | word::EPONYM | look::SEEN_LOWER | word::COMMON | word::QUALIFIER | look::IN_CAPITALS;
        let last = part.tokens.end - 1;
        part.kind == PartKind::Word && part.bits & listed == 0 && !likely_common(self.fold(last)) && self.pronounceable(part.tokens.clone())
    }
}
