//! What belongs to a span though no detector took it: the article of a place, the word that
//! says what kind of place it is, the rest of a compound, the small words between two parts,
//! what is glued to a number.

use std::ops::{Range, RangeInclusive};

use sillage_clinical::text::fold;

use crate::identity::Identity;
use crate::{Label, Span};

/// Most letters of a prefix glued to a number.
const PREFIX: usize = 5;
/// What ties the words of a compound.
const TIES: [char; 3] = ['-', '\'', '’'];
/// Digits of a phone of France.
const PHONE: usize = 10;
/// Most bytes between two parts of an address.
const GAP: usize = 12;
/// Words between two parts of the name of a place.
const LINKS: &[&str] = &[
    "de",
    "du",
    "des",
    "d",
    "la",
    "le",
    "les",
    "l",
    "sur",
    "sous",
    "en",
    "lez",
    "hospitalier",
    "hospitaliere",
    "universitaire",
    "public",
    "prive",
    "privee",
    "regional",
    "medico",
    "social",
    "sud",
    "nord",
    "est",
    "ouest",
    "site",
    "nouvelles",
    "nouvel",
];
/// Towns of which the quarters have numbers.
const NUMBERED: &[&str] = &["paris", "lyon", "marseille"];

/// Widens disjoint, ascending spans over their edges; they stay disjoint and off `mentions`.
pub(super) fn widened(text: &str, spans: Vec<Span>, mentions: &[Range<usize>]) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    let ends: Vec<usize> = spans.iter().skip(1).map(|s| s.start).chain([text.len()]).collect();
    for (mut span, next) in spans.into_iter().zip(ends) {
        let free = out.last().map_or(0, |s| s.end);
        let medicine = |range: Range<usize>| {
            let first = mentions.partition_point(|m| m.end <= range.start);
            mentions.get(first).is_some_and(|m| m.start < range.end)
        };
        let end = span.end + right(&text[span.start..span.end], &text[span.end..next], span.label);
        if !medicine(span.end..end) {
            span.end = end;
        }
        let (bytes, label) = left(&text[free..span.start], &text[span.start..span.end], span.label);
        if !medicine(span.start - bytes..span.start) {
            span.start -= bytes;
            span.label = label;
        }
        let joins = |last: &&mut Span| {
            let between = last.end..span.start;
            joined(&text[between.clone()], last.label, span.label) && !medicine(between)
        };
        if let Some(last) = out.last_mut().filter(joins) {
            if last.label == span.label {
                last.end = span.end;
                continue;
            }
            last.end += text[last.end..span.start].trim_end().len();
        }
        out.push(span);
    }
    out
}

fn is_place(label: Label) -> bool {
    matches!(label, Label::Ville | Label::Hopital | Label::Adresse)
}

fn is_number(label: Label) -> bool {
    matches!(label, Label::Ipp | Label::Nda | Label::Id | Label::Rpps | Label::Secu)
}

fn is_named(label: Label) -> bool {
    matches!(label, Label::Nom | Label::Prenom | Label::Ville | Label::Hopital)
}

/// Bytes that belong to a span at the end of what stands before it, and the label it has with them.
fn left(before: &str, words: &str, label: Label) -> (usize, Label) {
    let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    let mut taken = 0;
    let rest = |taken: usize| &line[..line.len() - taken];
    if is_number(label) {
        let glued = prefix(line);
        return (glued + if glued == 0 { group_before(line, words) } else { 0 }, label);
    }
    if is_named(label) {
        taken += compound_left(line);
    }
    if label == Label::Date && words.starts_with(|c: char| c.is_ascii_digit()) {
        taken += day_before(line);
        return (taken + weekday(rest(taken)), label);
    }
    let capital = words.starts_with(char::is_uppercase);
    if let Some((kind, label)) = kind_of_place(rest(taken), label, capital) {
        return (taken + kind, label);
    }
    let more = match label {
        Label::Nom => particle(rest(taken)),
        Label::Tel if words.len() < PHONE => group_before(line, words),
        Label::Ville => article(rest(taken), true),
        Label::Hopital => article(rest(taken), capital && unnamed(words)),
        _ => 0,
    };
    (taken + more, label)
}

/// The name of a house without the word that says that it is one: "Timone".
fn unnamed(words: &str) -> bool {
    let first = fold(words.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default());
    let letters = words.chars().filter(|c| c.is_alphabetic());
    !words.contains(' ') && letters.clone().any(char::is_lowercase) && first != "hotel" && !Identity::built_in().shape.is_house(&first)
}

/// Bytes that belong to a span at the start of what stands behind it.
fn right(words: &str, behind: &str, label: Label) -> usize {
    let line = &behind[..behind.find('\n').unwrap_or(behind.len())];
    match label {
        Label::Tel => phone(words, line),
        label if is_number(label) => group_behind(line, words),
        Label::Date if words.ends_with(|c: char| c.is_ascii_digit()) => day_behind(line),
        Label::Ville if NUMBERED.contains(&fold(words).as_str()) => quarter(line),
        label if is_named(label) => compound_right(line),
        _ => 0,
    }
}

/// The end of a line: its last word and the marks behind it.
struct Tail<'a> {
    word: &'a str,
    marks: &'a str,
}

impl<'a> Tail<'a> {
    fn of(line: &'a str) -> Tail<'a> {
        let words = line.trim_end_matches(|c: char| !c.is_alphanumeric());
        let word = words.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        Tail { word, marks: &line[words.len()..] }
    }

    fn len(&self) -> usize {
        self.word.len() + self.marks.len()
    }

    /// Nothing but figures, and so many of them.
    fn figures(&self, count: RangeInclusive<usize>) -> bool {
        count.contains(&self.word.len()) && figures(self.word)
    }
}

/// Nothing but figures.
fn figures(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

fn spaces(marks: &str) -> bool {
    !marks.is_empty() && marks.chars().all(|c| matches!(c, ' ' | '\u{a0}'))
}

/// "la" of "à la Timone". In small letters only where the name has no word that says what it is.
fn article(line: &str, bare: bool) -> usize {
    let tail = Tail::of(line);
    let apart = spaces(tail.marks) && tail.marks.len() <= 2;
    let known = match tail.word {
        "La" | "Le" | "Les" => apart,
        "la" | "les" => bare && apart,
        "L" | "l" => bare && matches!(tail.marks, "'" | "’"),
        _ => false,
    };
    if known { tail.len() } else { 0 }
}

/// "clinique", "12 rue de la": the kind of place, small words between, and the label with it.
fn kind_of_place(line: &str, label: Label, capital: bool) -> Option<(usize, Label)> {
    if !is_named(label) && label != Label::Adresse {
        return None;
    }
    let shape = &Identity::built_in().shape;
    let mut taken = 0;
    for _ in 0..3 {
        let tail = Tail::of(&line[..line.len() - taken]);
        let folded = fold(tail.word);
        if tail.word.is_empty() || !(spaces(tail.marks) || matches!(tail.marks, "'" | "’" | ". ")) {
            return None;
        }
        taken += tail.len();
        let way = shape.is_way(&folded) && (capital || !matches!(folded.as_str(), "place" | "cours" | "pl" | "av"));
        if way {
            let number = Tail::of(&line[..line.len() - taken]);
            return Some((taken + if number.figures(1..=3) { number.len() } else { 0 }, Label::Adresse));
        }
        if shape.is_house(&folded) && matches!(label, Label::Hopital | Label::Ville | Label::Prenom) {
            return (label == Label::Hopital || taken == tail.len()).then_some((taken, label));
        }
        if !matches!(folded.as_str(), "de" | "du" | "des" | "d" | "la" | "le" | "les" | "l") {
            return None;
        }
    }
    None
}

/// "de La" of "Jean-Loup de La Tour", "de" of "interne (de Wailly)".
fn particle(line: &str) -> usize {
    let mut taken = 0;
    for _ in 0..2 {
        let tail = Tail::of(&line[..line.len() - taken]);
        let known = spaces(tail.marks) && matches!(tail.word, "de" | "du" | "De" | "Du" | "des" | "Dos" | "Da" | "La" | "la" | "Le")
            || matches!(tail.marks, "'" | "’") && matches!(tail.word, "D" | "d");
        if !known {
            break;
        }
        taken += tail.len();
    }
    // At the head of a line, behind another span or a mark that opens.
    let head = line[..line.len() - taken].trim_end();
    if head.is_empty() || head.ends_with(['(', ':', '/', ';', '[', '|']) { taken } else { 0 }
}

/// "Mare-à-Vieille-" of "Mare-à-Vieille-Place": what a hyphen ties to the first word.
fn compound_left(line: &str) -> usize {
    if !line.ends_with('-') {
        return 0;
    }
    let chunk = line.rsplit(|c| !in_compound(c)).next().unwrap_or_default();
    if chunk.starts_with(char::is_alphabetic) { chunk.len() } else { 0 }
}

/// "-Camet" of "Dupouy-Camet", "'homme" of "Prud'homme".
fn compound_right(line: &str) -> usize {
    if !line.strip_prefix(TIES).is_some_and(|rest| rest.starts_with(char::is_alphabetic)) {
        return 0;
    }
    line.split(|c| !in_compound(c)).next().unwrap_or_default().trim_end_matches(TIES).len()
}

fn in_compound(c: char) -> bool {
    c.is_alphabetic() || TIES.contains(&c)
}

/// "45 000 " of "45 000 0062": groups of figures, a single space between.
fn group_before(line: &str, words: &str) -> usize {
    if !words.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    let mut rest = line;
    while let Some(groups) = rest.strip_suffix(' ') {
        let tail = Tail::of(groups);
        let head = &groups[..groups.len() - tail.len()];
        if !tail.marks.is_empty() || !tail.figures(2..=4) || head.ends_with(|c: char| !matches!(c, ' ' | ':' | '(')) {
            break;
        }
        rest = head;
    }
    line.len() - rest.len()
}

/// " 0062" of "45 000 0062", where nothing measured can stand.
fn group_behind(line: &str, words: &str) -> usize {
    if !words.ends_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    let Some(number) = line.strip_prefix(' ') else { return 0 };
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    let mut rest = number[digits..].chars();
    let ends = match rest.next() {
        None | Some(')' | ';' | '|') => true,
        Some('.' | ',') => rest.next().is_none_or(char::is_whitespace),
        _ => false,
    };
    if (2..=4).contains(&digits) && ends { 1 + digits } else { 0 }
}

/// "12/" of "12/03", where the month alone was found.
fn day_before(line: &str) -> usize {
    let Some(day) = line.strip_suffix(['/', '-', '.']) else { return 0 };
    let tail = Tail::of(day);
    let apart = !day[..day.len() - tail.len()].ends_with(['/', '-', '.', ',']);
    if tail.marks.is_empty() && tail.figures(1..=2) && apart { tail.len() + 1 } else { 0 }
}

/// "/03" and "/03/25" of "12/03/25", where the day alone was found.
fn day_behind(line: &str) -> usize {
    let mut taken = 0;
    for lengths in [1..=2, 2..=4] {
        let Some(number) = line[taken..].strip_prefix(['/', '-', '.']) else { break };
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        let mut marks = number[digits..].chars();
        let first = marks.next();
        let fraction = first == Some(',') && marks.next().is_some_and(|c| c.is_ascii_digit());
        if !lengths.contains(&digits) || fraction || first.is_some_and(char::is_alphabetic) {
            break;
        }
        taken += 1 + digits;
    }
    taken
}

/// "ve " of "ve 27.12".
fn weekday(line: &str) -> usize {
    let tail = Tail::of(line);
    let short = ["lu", "ma", "me", "je", "ve", "sa", "di", "lun", "mar", "mer", "jeu", "ven", "sam", "dim"];
    if short.contains(&fold(tail.word).as_str()) && matches!(tail.marks, " " | ". ") { tail.len() } else { 0 }
}

/// "S-" of "S-4471902".
fn prefix(line: &str) -> usize {
    let Some(letters) = line.strip_suffix(['-', '_', '/']) else { return 0 };
    let Tail { word, marks } = Tail::of(letters);
    let glued = marks.is_empty() && (1..=PREFIX).contains(&word.len());
    if glued && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) { word.len() + 1 } else { 0 }
}

/// The figures that a phone of ten still lacks.
fn phone(words: &str, line: &str) -> usize {
    let mut digits = words.bytes().filter(u8::is_ascii_digit).count();
    if !words.starts_with('0') || !(PHONE / 2..PHONE).contains(&digits) {
        return 0;
    }
    let mut marks = 0;
    for (at, c) in line.char_indices() {
        match c {
            '0'..='9' => {
                digits += 1;
                marks = 0;
            }
            ' ' | '.' | '-' | '/' if marks < 3 => marks += 1,
            _ => return 0,
        }
        if digits == PHONE {
            let more = line[at + 1..].starts_with(|c: char| c.is_ascii_digit());
            return if more { 0 } else { at + 1 };
        }
    }
    0
}

/// " 18e" of "Paris 18e".
fn quarter(line: &str) -> usize {
    let Some(number) = line.strip_prefix([' ', '\u{a0}']) else { return 0 };
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    let ending = ["ème", "eme", "er", "e"].iter().find(|e| number[digits..].starts_with(**e)).map_or(0, |e| e.len());
    let end = line.len() - number.len() + digits + ending;
    let apart = !line[end..].starts_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '-'));
    if (1..=2).contains(&digits) && apart { end } else { 0 }
}

/// Small words alone: "Ravine des Cabris", "Hôpital de Prades"; little, within an address.
fn joined(between: &str, first: Label, second: Label) -> bool {
    if !is_place(first) || !is_place(second) {
        return false;
    }
    if first == Label::Adresse && second == Label::Adresse {
        return between.len() <= GAP && !between.contains('\n');
    }
    if !between.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '\'' | '’' | '\u{a0}' | '.')) {
        return false;
    }
    let folded = fold(between);
    let mut words = folded.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).peekable();
    let initial = |w: &str| w.len() == 1 && between.contains('.');
    words.peek().is_some() && words.all(|w| LINKS.contains(&w) || initial(w))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `⟦words|LABEL⟧` of a text, widened.
    fn wide(marked: &str) -> Vec<String> {
        let (mut text, mut spans) = (String::new(), Vec::new());
        for part in marked.split_inclusive(['⟦', '⟧']) {
            let Some((words, label)) = part.strip_suffix('⟧').and_then(|p| p.split_once('|')) else {
                text += part.trim_end_matches('⟦');
                continue;
            };
            let (start, label) = (text.len(), Label::from_name(label).unwrap_or_else(|| panic!("{label}")));
            text += words;
            spans.push(Span { start, end: text.len(), label, detector: "x".into(), score: 1.0 });
        }
        widened(&text, spans, &[]).iter().map(|s| text[s.start..s.end].to_owned()).collect()
    }

    #[test]
    fn the_article_is_part_of_a_name() {
        assert_eq!(wide("fermeture à la ⟦Timone|HOPITAL⟧, Marseille"), ["la Timone"]);
        assert_eq!(wide("vient de l'⟦Étang-Salé|VILLE⟧"), ["l'Étang-Salé"]);
        assert_eq!(wide("vu à La\u{a0}⟦Ravine|VILLE⟧"), ["La\u{a0}Ravine"]);
        assert_eq!(wide("à la ⟦clinique Belledonne|HOPITAL⟧"), ["clinique Belledonne"]);
        assert_eq!(wide("la\n⟦Timone|HOPITAL⟧"), ["Timone"]);
        assert_eq!(wide("voilà ⟦Redon|VILLE⟧"), ["Redon"]);
    }

    #[test]
    fn a_place_has_its_kind() {
        assert_eq!(wide("vu à la polyclinique de la ⟦Clarence|HOPITAL⟧"), ["polyclinique de la Clarence"]);
        assert_eq!(wide("Mail ⟦Pierre|PRENOM⟧ ⟦Charlot|NOM⟧"), ["Mail Pierre", "Charlot"]);
        assert_eq!(wide("Montélimar, quartier ⟦Beausseret|NOM⟧, 26200"), ["quartier Beausseret"]);
        assert_eq!(wide("6 rue de la ⟦Gare|ADRESSE⟧"), ["6 rue de la Gare"]);
        assert_eq!(wide("sonde en place ⟦martin|PRENOM⟧"), ["martin"]);
        assert_eq!(wide("au centre de ⟦Redon|VILLE⟧"), ["Redon"]);
    }

    #[test]
    fn compounds_are_whole() {
        assert_eq!(wide("fille marie-⟦rose|PRENOM⟧ dort"), ["marie-rose"]);
        assert_eq!(wide("⟦Consoli|NOM⟧-Reyt, ⟦Prud|NOM⟧'homme"), ["Consoli-Reyt", "Prud'homme"]);
        assert_eq!(wide("monte de Mare-à-⟦Vieille-Place|VILLE⟧"), ["Mare-à-Vieille-Place"]);
        assert_eq!(wide("- ⟦Martin|NOM⟧ - interne"), ["Martin"]);
        assert_eq!(wide("⟦Jean-Loup|PRENOM⟧ de La ⟦Tour|NOM⟧, (de ⟦Wailly|NOM⟧)"), ["Jean-Loup", "de La Tour", "de Wailly"]);
        assert_eq!(wide("appel de ⟦Martin|NOM⟧"), ["Martin"]);
        assert_eq!(wide("notaire, ⟦Paris|VILLE⟧ 19. ⟦Paris|VILLE⟧ 12/04"), ["Paris 19", "Paris"]);
    }

    #[test]
    fn two_parts_of_a_place_and_the_words_between() {
        assert_eq!(wide("école de ⟦La Ravine|VILLE⟧ des ⟦Cabris|VILLE⟧."), ["La Ravine des Cabris"]);
        assert_eq!(wide("⟦Biocorse|HOPITAL⟧ de ⟦Lucciana|VILLE⟧"), ["Biocorse de", "Lucciana"]);
        assert_eq!(wide("⟦Hôpital Fondation|HOPITAL⟧ A. de ⟦Rothschild|HOPITAL⟧"), ["Hôpital Fondation A. de Rothschild"]);
        assert_eq!(wide("⟦Clinique Belledonne|HOPITAL⟧. ⟦Redon|VILLE⟧"), ["Clinique Belledonne", "Redon"]);
        assert_eq!(wide("⟦Biocorse|HOPITAL⟧ à ⟦Lucciana|VILLE⟧"), ["Biocorse", "Lucciana"]);
        assert_eq!(wide("⟦Biocorse|HOPITAL⟧, de ⟦Lucciana|VILLE⟧"), ["Biocorse", "Lucciana"]);
        assert_eq!(wide("⟦33 Camille Groult|ADRESSE⟧, digicode ⟦27A4|ADRESSE⟧"), ["33 Camille Groult, digicode 27A4"]);
    }

    #[test]
    fn numbers_are_whole() {
        assert_eq!(wide("ch. 9 - S-⟦4471902|IPP⟧"), ["S-4471902"]);
        assert_eq!(wide("dossier-⟦4471902|IPP⟧, -⟦4471903|IPP⟧"), ["4471902", "4471903"]);
        assert_eq!(wide("⟦03 84 98|TEL⟧ 3 1 6 0, ⟦03 84 98 31 60|TEL⟧ 12"), ["03 84 98 3 1 6 0", "03 84 98 31 60"]);
        assert_eq!(wide("⟦03 84 98|TEL⟧ 3 1 612"), ["03 84 98"]);
        assert_eq!(wide("Tél salle 65 ⟦230|TEL⟧, fax 11 ⟦02 98 41 07 63|TEL⟧"), ["65 230", "02 98 41 07 63"]);
        assert_eq!(wide("(tube 24 ⟦256 40093|ID⟧), n° ⟦450 000|RPPS⟧ 146."), ["24 256 40093", "450 000 146"]);
        assert_eq!(wide("IPP ⟦80012345|IPP⟧ 72 ans, Hb 11,2 ⟦80012345|IPP⟧ 12,5"), ["80012345", "80012345"]);
    }

    #[test]
    fn dates_are_whole() {
        assert_eq!(wide("frappé ⟦30|DATE⟧/9, 12/⟦03|DATE⟧, ⟦6|DATE⟧-3-25 et 12.⟦1.25|DATE⟧"), ["30/9", "12/03", "6-3-25", "12.1.25"]);
        assert_eq!(wide("visite ve ⟦27.12|DATE⟧, lit 14, 1,4/⟦3|DATE⟧"), ["ve 27.12", "3"]);
    }

    #[test]
    fn a_clinical_mention_is_left_alone() {
        let span = Span { start: 7, end: 11, label: Label::Hopital, detector: "x".into(), score: 1.0 };
        let start = |mentions: &[Range<usize>]| widened("centre Mars", vec![span.clone()], mentions)[0].start;
        assert_eq!((start(&[0..3, 4..6]), start(&[])), (7, 0));
        let address = |start, end| Span { start, end, label: Label::Adresse, detector: "x".into(), score: 1.0 };
        let parts = || vec![address(0, 9), address(15, 20)];
        let whole = |mentions: &[Range<usize>]| widened("6 rue Mar, AVC 29200", parts(), mentions).len();
        assert_eq!((whole(&[11..14, 30..31]), whole(&[])), (2, 1));
    }
}
