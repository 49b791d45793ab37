//! What the tagger sees of a token: its form, its neighbours, its place on the line and
//! on the page, and what the rules found around it.
//!
//! Each feature is the hash of a template's number and its parts. The model holds hashes:
//! whoever changes a template, the lexicon's bits or the order of the labels trains it again.

use std::ops::Range;

use chrono::NaiveDate;
use rustc_hash::{FxHashMap, FxHashSet};
use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::calendar::Calendar;
use crate::Label;
use crate::identity::Identity;
use crate::name::knowledge::{role, word};
use crate::name::page::{Page, look};
use crate::proper::known;

/// What the lexica say of a token.
const OWN: u32 = word::GIVEN
    | word::GIVEN_ALSO
    | word::FAMILY
    | word::FAMILY_ALSO
    | word::COMMON
    | word::ACRONYM
    | word::EPONYM
    | word::QUALIFIER
    | word::ELSEWHERE
    | word::PARTICLE
    | look::CLINICAL
    | look::SEEN_LOWER
    | look::IN_CAPITALS
    | look::BODY
    | look::ALONE;
/// What they say of its neighbours.
const NEAR: u32 = word::ANY_NAME | word::COMMON | word::ACRONYM | word::QUALIFIER | word::PARTICLE | look::CLINICAL;
/// What the phrase that ends before it asks for.
const ROLES: u32 = role::TITLE
    | role::PHYSICIAN
    | role::FUNCTION
    | role::KIN
    | role::PERSON_HEAD
    | role::FAMILY_HEAD
    | role::GIVEN_HEAD
    | role::AGENT
    | role::TYPIST
    | role::COPY
    | role::CLOSING
    | role::SPOUSE
    | role::BIRTH;
/// Before the first token and behind the last.
const NOTHING: u64 = 0x9e37_79b9;
/// Tokens to each side that count wherever they stand.
const WINDOW: usize = 6;
/// Tokens to each side in which the nearest label counts.
const LABELLED: usize = 8;
/// Ways in which one place is like another.
const LIKENESSES: usize = 5;

/// A page, read once for all its tokens.
pub(super) struct Features<'s, 'p, 'a> {
    page: &'s Page<'p, 'a>,
    labels: &'s [Option<Label>],
    words: Vec<u64>,
    shapes: Vec<u64>,
    /// Roles of the phrase that ends before each token.
    roles: Vec<u32>,
    /// What towns and the words of shapes a token is.
    towns: Vec<u64>,
    cues: Vec<u64>,
    calendar: Calendar,
    /// How the page is written: with capitals or without.
    style: u64,
    /// Line of each token, and first token of each line.
    lines: Vec<usize>,
    starts: Vec<usize>,
    /// How often a word stands on the page, and how often under a label.
    times: FxHashMap<&'s str, (u32, u32)>,
    /// Letters of those whom the page names.
    initials: FxHashSet<String>,
    /// How often a person stands in a place like this one.
    alike: FxHashMap<u32, u32>,
}

/// Takes up features, each under the next number.
struct Sink<'o> {
    out: &'o mut Vec<u32>,
    template: u64,
}

impl Sink<'_> {
    fn put(&mut self, parts: &[u64]) {
        self.template += 1;
        self.out.push(mix(self.template, parts));
    }
}

/// Where a token stands on its line.
struct Place {
    line: usize,
    start: usize,
    end: usize,
    /// Tokens before and behind it on the line, few.
    before: u64,
    behind: u64,
}

impl<'s, 'p, 'a> Features<'s, 'p, 'a> {
    pub fn new(identity: &Identity, page: &'s Page<'p, 'a>, labels: &'s [Option<Label>], written: Option<NaiveDate>) -> Self {
        let count = page.len();
        let mut roles = vec![0; count + 1];
        for cue in page.cues.iter().flatten() {
            roles[cue.end.min(count)] |= cue.roles & ROLES;
        }
        let (mut lines, mut starts) = (Vec::with_capacity(count), Vec::new());
        let mut times: FxHashMap<&str, (u32, u32)> = FxHashMap::default();
        for (at, label) in labels.iter().enumerate() {
            if at == 0 || page.text.tokens[at].lines_before > 0 {
                starts.push(at);
            }
            lines.push(starts.len() - 1);
            if page.text.tokens[at].kind == Kind::Word {
                let (all, labelled) = times.entry(page.fold(at)).or_default();
                *all += 1;
                *labelled += u32::from(label.is_some());
            }
        }
        let mut features = Features {
            page,
            labels,
            words: (0..count).map(|i| hash(page.fold(i).as_bytes())).collect(),
            shapes: (0..count).map(|i| shape(page, i)).collect(),
            roles,
            towns: identity.shape.town_bits(page.text),
            cues: (0..count).map(|i| identity.shape.cues_of(page.key(i))).collect(),
            calendar: Calendar::new(page, labels, written),
            style: style(page),
            lines,
            starts,
            times,
            initials: initials(page, labels),
            alike: FxHashMap::default(),
        };
        for at in (0..count).filter(|i| person(labels, *i)) {
            for likeness in features.likenesses(at) {
                *features.alike.entry(likeness).or_default() += 1;
            }
        }
        features
    }

    /// Features of a token. What the rules said of the tokens in `hidden`, its own span, is not seen.
    pub fn of(&self, at: usize, hidden: &Range<usize>, out: &mut Vec<u32>) {
        out.clear();
        let place = self.place(at);
        let mut sink = Sink { out, template: 0 };
        self.neighbours(at, &mut sink);
        sink.template = 100;
        self.lexica(at, &mut sink);
        sink.template = 200;
        self.labelled(at, &place, hidden, &mut sink);
        sink.template = 300;
        self.line(at, &place, &mut sink);
        sink.template = 400;
        self.whole_page(at, &place, hidden, &mut sink);
        sink.template = 500;
        self.letters(at, &mut sink);
        sink.template = 600;
        self.window(at, &mut sink);
        sink.template = 800;
        self.gazetteers(at, &mut sink);
        sink.template = 900;
        self.days(at, hidden, &mut sink);
    }

    fn word(&self, at: Option<usize>) -> u64 {
        at.and_then(|i| self.words.get(i)).copied().unwrap_or(NOTHING)
    }

    fn shape(&self, at: Option<usize>) -> u64 {
        at.and_then(|i| self.shapes.get(i)).copied().unwrap_or(NOTHING)
    }

    /// A line begins with the token.
    fn opens(&self, at: usize) -> u64 {
        u64::from(self.page.line_ends(at))
    }

    fn neighbours(&self, at: usize, sink: &mut Sink<'_>) {
        let (w, s) = (self.words[at], self.shapes[at]);
        let left = |back: usize| at.checked_sub(back);
        let (w1, w2, w3) = (self.word(left(1)), self.word(left(2)), self.word(left(3)));
        let (v1, v2, v3) = (self.word(Some(at + 1)), self.word(Some(at + 2)), self.word(Some(at + 3)));
        let (s1, s2) = (self.shape(left(1)), self.shape(left(2)));
        let (t1, t2) = (self.shape(Some(at + 1)), self.shape(Some(at + 2)));
        let (opens, ends) = (self.opens(at), self.opens(at + 1));
        sink.put(&[s]);
        sink.put(&[w]);
        sink.put(&[w, s]);
        sink.put(&[w, w1]);
        sink.put(&[w, v1]);
        sink.put(&[w1, opens]);
        sink.put(&[v1, ends]);
        sink.put(&[w1, s, opens]);
        sink.put(&[v1, s, ends]);
        sink.put(&[w1, v1, s]);
        sink.put(&[w2, s]);
        sink.put(&[v2, s]);
        sink.put(&[w3, s]);
        sink.put(&[v3, s]);
        sink.put(&[w2, w1, s]);
        sink.put(&[v1, v2, s]);
        sink.put(&[w3, w2, w1]);
        sink.put(&[v1, v2, v3]);
        sink.put(&[s2, s1, s, opens]);
        sink.put(&[s1, s, t1, opens, ends]);
        sink.put(&[s, t1, t2, ends]);
        let glued = |i: usize| u64::from(self.page.glued(i));
        sink.put(&[s, glued(at), glued(at + 1), s1, t1]);
    }

    fn lexica(&self, at: usize, sink: &mut Sink<'_>) {
        let s = self.shapes[at];
        let own = u64::from(self.page.bits(at) & OWN);
        let near = |i: Option<usize>| u64::from(i.map_or(0, |i| self.page.bits(i) & NEAR));
        let before = at.checked_sub(1);
        let role = u64::from(self.roles[at]);
        sink.put(&[own, s]);
        sink.put(&[own, self.word(before)]);
        sink.put(&[own, self.word(Some(at + 1))]);
        sink.put(&[own, role]);
        sink.put(&[own, self.opens(at), self.opens(at + 1)]);
        sink.put(&[s, role]);
        sink.put(&[s, u64::from(before.map_or(0, |i| self.roles[i])), self.shape(before)]);
        sink.put(&[s, near(before)]);
        sink.put(&[s, near(Some(at + 1))]);
        let (kind, kind_before, kind_behind) = (self.kind(Some(at)), self.kind(before), self.kind(Some(at + 1)));
        sink.put(&[s, kind]);
        sink.put(&[own, kind]);
        sink.put(&[s, kind_before, self.opens(at)]);
        sink.put(&[s, kind_behind, self.opens(at + 1)]);
        sink.put(&[kind, self.word(before)]);
        sink.put(&[kind, kind_before, kind_behind]);
        sink.put(&[kind, self.opens(at), self.opens(at + 1), self.shape(before), self.shape(Some(at + 1))]);
    }

    /// What the lists of wards and words say of a token.
    fn kind(&self, at: Option<usize>) -> u64 {
        let Some(at) = at.filter(|i| self.page.text.tokens.get(*i).is_some_and(|t| t.kind == Kind::Word)) else { return 0 };
        known::kinds(self.page.key(at), self.page.fold(at)) << 1 | 1
    }

    fn labelled(&self, at: usize, place: &Place, hidden: &Range<usize>, sink: &mut Sink<'_>) {
        let label = |at: Option<usize>| match at {
            Some(i) if i < self.labels.len() && !hidden.contains(&i) => self.labels[i].map_or(1, |l| l as u64 + 2),
            _ => 0,
        };
        let s = self.shapes[at];
        let own = u64::from(self.page.bits(at) & OWN);
        let (one, two) = (at.checked_sub(1), at.checked_sub(2));
        let (l1, l2, r1, r2) = (label(one), label(two), label(Some(at + 1)), label(Some(at + 2)));
        let (w1, v1) = (self.word(one), self.word(Some(at + 1)));
        sink.put(&[s, l1, self.opens(at)]);
        sink.put(&[s, r1, self.opens(at + 1)]);
        sink.put(&[s, l2, w1]);
        sink.put(&[s, r2, v1]);
        sink.put(&[own, l1, r1]);
        sink.put(&[own, l2, w1]);
        sink.put(&[own, r2, v1]);
        let known = |i: usize| Some(label(Some(i))).filter(|l| *l > 1);
        let left = (place.start..at).rev().take(LABELLED).find_map(known).unwrap_or(0);
        let right = (at + 1..place.end).take(LABELLED).find_map(known).unwrap_or(0);
        sink.put(&[s, left, right]);
    }

    fn place(&self, at: usize) -> Place {
        let line = self.lines[at];
        let start = self.starts[line];
        let end = self.starts.get(line + 1).copied().unwrap_or(self.page.len());
        Place { line, start, end, before: (at - start).min(4) as u64, behind: (end - at - 1).min(4) as u64 }
    }

    fn line(&self, at: usize, place: &Place, sink: &mut Sink<'_>) {
        let (s, s1) = (self.shapes[at], self.shape(at.checked_sub(1)));
        let first = self.words[place.start];
        // What begins the next line: the figures of the next entry.
        let next = self.shape(Some(place.end));
        let blank = u64::from(self.page.text.tokens[at].lines_before.min(3));
        let short = u64::from(place.end - place.start <= 3);
        sink.put(&[s, self.opens(at), self.opens(at + 1)]);
        sink.put(&[s, blank]);
        sink.put(&[s, place.before, place.behind]);
        sink.put(&[s, place.before, first]);
        sink.put(&[s, first]);
        sink.put(&[s, first, place.behind]);
        sink.put(&[s, self.shapes[place.start], place.behind, s1]);
        sink.put(&[s, place.behind, s1]);
        sink.put(&[s, place.behind, next]);
        sink.put(&[s, place.behind, next, s1, self.word(at.checked_sub(1))]);
        sink.put(&[s, short, self.shape(place.start.checked_sub(1))]);
    }

    fn whole_page(&self, at: usize, place: &Place, hidden: &Range<usize>, sink: &mut Sink<'_>) {
        let s = self.shapes[at];
        let own = u64::from(self.page.bits(at) & OWN);
        let (above, below) = (place.line.min(4) as u64, (self.starts.len() - place.line - 1).min(5) as u64);
        sink.put(&[s, above, below]);
        sink.put(&[s, above, place.before, place.behind]);
        sink.put(&[s, below, place.before, place.behind]);
        let fold = self.page.fold(at);
        let (times, labelled) = self.times.get(fold).copied().unwrap_or_default();
        let hidden_times = hidden.clone().filter(|i| self.page.fold(*i) == fold).count() as u32;
        sink.put(&[s, u64::from(times.min(3)), own]);
        sink.put(&[s, u64::from(labelled > hidden_times)]);
        let letters = u64::from(self.initials.contains(fold));
        sink.put(&[s, letters]);
        sink.put(&[s, letters, self.word(at.checked_sub(1))]);
        sink.put(&[s, letters, place.before, place.behind]);
        // How the others on the page sign.
        let own_places: Vec<[u32; LIKENESSES]> = hidden.clone().filter(|i| person(self.labels, *i)).map(|i| self.likenesses(i)).collect();
        let mut like = 0;
        for (way, likeness) in self.likenesses(at).iter().enumerate() {
            let mine = own_places.iter().filter(|o| o[way] == *likeness).count() as u32;
            let others = self.alike.get(likeness).copied().unwrap_or(0).saturating_sub(mine).min(2);
            sink.put(&[s, u64::from(others)]);
            like |= u64::from(others.min(1)) << way;
        }
        sink.put(&[s, like]);
        sink.put(&[own, like]);
    }

    /// What makes one place like another.
    fn likenesses(&self, at: usize) -> [u32; LIKENESSES] {
        let place = self.place(at);
        let before = at.checked_sub(1);
        let (s, s1, t1) = (self.shapes[at], self.shape(before), self.shape(Some(at + 1)));
        let (opens, ends) = (self.opens(at), self.opens(at + 1));
        [
            mix(1, &[self.word(before), opens]),
            mix(2, &[self.word(Some(at + 1)), ends]),
            mix(3, &[s, s1, t1, opens, ends]),
            mix(4, &[s, place.before, place.behind, self.shape(Some(place.end))]),
            mix(5, &[s, place.before, self.shapes[place.start]]),
        ]
    }

    fn letters(&self, at: usize, sink: &mut Sink<'_>) {
        let (s, fold) = (self.shapes[at], self.page.fold(at).as_bytes());
        if self.page.text.tokens[at].kind == Kind::Word && fold.len() > 3 {
            sink.put(&[hash(&fold[..3]), s]);
            for ending in 2..=4 {
                sink.put(&[hash(&fold[fold.len() - ending..]), s]);
            }
        }
    }

    /// Towns, and words that speak of places and numbers.
    fn gazetteers(&self, at: usize, sink: &mut Sink<'_>) {
        let (s, style) = (self.shapes[at], self.style);
        let own = u64::from(self.page.bits(at) & OWN);
        let of = |list: &[u64], at: Option<usize>| at.and_then(|i| list.get(i)).copied().unwrap_or(0);
        let (before, second) = (at.checked_sub(1), at.checked_sub(2));
        let (town, town_before, town_behind) = (self.towns[at], of(&self.towns, before), of(&self.towns, Some(at + 1)));
        let (cue, cue_before, cue_behind) = (self.cues[at], of(&self.cues, before), of(&self.cues, Some(at + 1)));
        let (w1, v1, role) = (self.word(before), self.word(Some(at + 1)), u64::from(self.roles[at]));
        sink.put(&[s, town, own]);
        sink.put(&[town, w1]);
        sink.put(&[town, v1]);
        sink.put(&[town, cue_before, self.opens(at)]);
        sink.put(&[s, town_before, w1]);
        sink.put(&[s, town_behind, v1]);
        sink.put(&[s, cue]);
        sink.put(&[s, cue_before]);
        sink.put(&[s, cue_behind]);
        sink.put(&[s, cue_before, of(&self.cues, second)]);
        sink.put(&[style, s, own]);
        sink.put(&[style, s, role]);
        sink.put(&[style, town, own, cue_before]);
        sink.put(&[style, s, w1]);
    }

    /// Figures as days.
    fn days(&self, at: usize, hidden: &Range<usize>, sink: &mut Sink<'_>) {
        if self.page.text.tokens[at].kind != Kind::Number {
            return;
        }
        let day = self.calendar.day(self.page, at, hidden);
        let (before, behind) = (at.checked_sub(1), Some(at + 1));
        let (s, w1, v1) = (self.shapes[at], self.word(before), self.word(behind));
        let (s1, t1) = (self.shape(before), self.shape(behind));
        sink.put(&[s, day.alone, day.named]);
        sink.put(&[day.alone, day.named, w1]);
        sink.put(&[day.alone, day.named, v1]);
        sink.put(&[day.alone, day.named, s1, t1, self.opens(at), self.opens(at + 1)]);
        sink.put(&[s, day.paired]);
        sink.put(&[day.paired, day.named]);
        sink.put(&[day.paired, w1, v1]);
        sink.put(&[day.paired, self.word(at.checked_sub(3)), self.opens(at)]);
        sink.put(&[day.paired, s1, t1, self.shape(Some(at + 3)), self.opens(at), self.opens(at + 1)]);
    }

    fn window(&self, at: usize, sink: &mut Sink<'_>) {
        let s = self.shapes[at];
        let word = |i: &usize| self.page.text.tokens[*i].kind == Kind::Word;
        let (left, right) = (at.saturating_sub(WINDOW)..at, at + 1..(at + 1 + WINDOW).min(self.page.len()));
        for (side, tokens) in [(700, left), (701, right)] {
            sink.out.extend(tokens.filter(word).map(|i| mix(side, &[self.words[i], s])));
        }
    }
}

/// How many of the sentences begin with a small letter: few, some, most.
fn style(page: &Page<'_, '_>) -> u64 {
    let opening = |bit: u32| (0..page.len()).filter(|i| page.has(*i, look::OPENS) && page.has(*i, bit)).count();
    let (small, capital) = (opening(look::LOWER), opening(look::CAPITAL));
    match small * 100 / (small + capital).max(1) {
        0..20 => 0,
        20..65 => 1,
        _ => 2,
    }
}

fn person(labels: &[Option<Label>], at: usize) -> bool {
    matches!(labels.get(at), Some(Some(Label::Nom | Label::Prenom)))
}

/// Letters of those whom the page names: "rk" and "kr" of Ronan Kerdonval.
fn initials(page: &Page<'_, '_>, labels: &[Option<Label>]) -> FxHashSet<String> {
    let mut found = FxHashSet::default();
    let mut at = 0;
    while at < page.len() {
        if !person(labels, at) {
            at += 1;
            continue;
        }
        let start = at;
        let joined = |i: usize| is!(page.key(i), "-" | "'") && person(labels, i + 1);
        while at < page.len() && (person(labels, at) || joined(at)) && (at == start || page.same_line(at)) {
            at += 1;
        }
        let letters: String = (start..at).filter_map(|i| page.fold(i).chars().next().filter(char::is_ascii_lowercase)).collect();
        if (2..=4).contains(&letters.len()) {
            let (first, rest) = letters.split_at(1);
            let last = &rest[rest.len() - 1..];
            found.extend([format!("{rest}{first}"), format!("{first}{last}"), format!("{last}{first}")]);
            found.insert(letters);
        }
    }
    found
}

/// The form of a token: letters by case and number, figures by number, marks as they are.
fn shape(page: &Page<'_, '_>, at: usize) -> u64 {
    let token = &page.text.tokens[at];
    let source = page.text.source(at..at + 1);
    match token.kind {
        // "7h45", "1b2", "4L"
        Kind::Word if source.bytes().any(|b| b.is_ascii_digit()) => {
            let mut form: Vec<u8> = page.fold(at).bytes().map(|b| if b.is_ascii_digit() { b'9' } else { b }).collect();
            form.dedup();
            200_000 + hash(&form) % 1_000_000
        }
        Kind::Word => {
            let length = source.chars().count().min(6) as u64;
            let case = if token.upper { 1 } else { u64::from(token.capital) * 2 };
            10 + length + case * 10
        }
        Kind::Number => {
            let figures = source.bytes().filter(u8::is_ascii_digit).count().min(12) as u64;
            let other = source.bytes().find(|b| !b.is_ascii_digit()).map_or(0, u64::from);
            1000 + figures + other * 16
        }
        Kind::Mark => 100_000 + hash(source.as_bytes()) % 100_000,
    }
}

/// FNV-1a: the same on every machine.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

fn mix(template: u64, parts: &[u64]) -> u32 {
    let mut mixed = template.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for part in parts {
        mixed = (mixed.rotate_left(23) ^ part).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    (mixed ^ (mixed >> 32)) as u32
}
