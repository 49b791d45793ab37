//! The text that research reads, and the exact way back.
//!
//! What the policy hides or changes becomes a replacement; all else stays byte for
//! byte. An offset map leads from the original to the new text and back, in bytes and
//! in characters.

use std::ops::Range;

use sillage_clinical::text::fold;

use crate::policy::{Action, Mask, Passage, Policy};
use crate::surrogate::{SurrogateContext, Surrogates, full_date};
use crate::{Label, Span};

/// What is written where the birth date tells an age that is generalised.
const BORN_LONG_AGO: &str = "[plus de 89 ans]";
const GREAT_AGE: u32 = 90;

/// One change of the text.
#[derive(Clone, PartialEq)]
pub struct Replacement {
    /// Bytes of the original.
    pub source: Range<usize>,
    /// Bytes of the new text.
    pub target: Range<usize>,
    /// The span it comes from, by its place in the list; `None` for a passage.
    pub span: Option<usize>,
    pub action: Action,
}

/// A text after replacement.
#[derive(Clone, PartialEq)]
pub struct Replaced {
    pub text: String,
    /// Ascending and disjoint.
    pub replacements: Vec<Replacement>,
    pub map: OffsetMap,
}

/// What stays the same between two texts, and what was put in the place of what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OffsetMap {
    bytes: Axis,
    chars: Axis,
}

/// Changed pieces in one unit: ascending and disjoint on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Axis {
    changes: Vec<(Range<usize>, Range<usize>)>,
}

/// Where to go within a change.
#[derive(Clone, Copy)]
enum Bound {
    Start,
    End,
}

impl Axis {
    fn at(&self, offset: usize, bound: Bound, from: impl Fn(&(Range<usize>, Range<usize>)) -> (&Range<usize>, &Range<usize>)) -> usize {
        // The last change that starts before, or at, the offset.
        let after = self.changes.partition_point(|c| from(c).0.start <= offset);
        let Some(change) = after.checked_sub(1).map(|i| &self.changes[i]) else { return offset };
        let (here, there) = from(change);
        match bound {
            Bound::End if offset == here.start && !here.is_empty() => there.start,
            Bound::Start if offset < here.end => there.start,
            Bound::End if offset < here.end => there.end,
            _ => there.end + (offset - here.end),
        }
    }

    fn range(&self, range: Range<usize>, from: impl Fn(&(Range<usize>, Range<usize>)) -> (&Range<usize>, &Range<usize>)) -> Range<usize> {
        if range.is_empty() {
            let at = self.at(range.start, Bound::Start, from);
            return at..at;
        }
        let start = self.at(range.start, Bound::Start, &from);
        start..self.at(range.end, Bound::End, &from).max(start)
    }

    fn to_target(&self, range: Range<usize>) -> Range<usize> {
        self.range(range, |(source, target)| (source, target))
    }

    fn to_source(&self, range: Range<usize>) -> Range<usize> {
        self.range(range, |(source, target)| (target, source))
    }
}

impl OffsetMap {
    /// Bytes of the new text for bytes of the original; a range that cuts into a change
    /// takes the whole change.
    pub fn bytes_to_target(&self, source: Range<usize>) -> Range<usize> {
        self.bytes.to_target(source)
    }

    /// Bytes of the original for bytes of the new text.
    pub fn bytes_to_source(&self, target: Range<usize>) -> Range<usize> {
        self.bytes.to_source(target)
    }

    /// As [`Self::bytes_to_target`], in characters.
    pub fn chars_to_target(&self, source: Range<usize>) -> Range<usize> {
        self.chars.to_target(source)
    }

    /// As [`Self::bytes_to_source`], in characters.
    pub fn chars_to_source(&self, target: Range<usize>) -> Range<usize> {
        self.chars.to_source(target)
    }
}

/// A change to be made.
struct Change {
    source: Range<usize>,
    text: String,
    span: Option<usize>,
    action: Action,
}

/// Applies a policy to a text.
///
/// `spans` are settled ([`crate::vote::settle`]), `passages` come from
/// [`crate::policy::Policies::passages`]. Where both claim the same place the span is
/// replaced; a hidden section takes all it holds.
pub fn replace(
    lists: &Surrogates,
    text: &str,
    spans: &[Span],
    passages: &[Passage],
    policy: &Policy,
    context: &SurrogateContext<'_>,
) -> Replaced {
    let mut changes = of_passages(text, spans, passages, policy);
    let surrogates = lists.of(context, text, spans);
    for (index, (span, surrogate)) in spans.iter().zip(surrogates).enumerate() {
        let source = span.start..span.end;
        let new = match policy.of_label(span.label) {
            Action::Keep => continue,
            Action::Mask => masked(&text[source.clone()], span.label.name(), policy.mask),
            _ if context.tagged.contains(&span.start) => masked("", span.label.name(), Mask::Tag),
            _ if span.label == Label::DateNaissance && great_age(policy, context, &text[source.clone()]) => BORN_LONG_AGO.to_owned(),
            Action::Generalise => generalised(span.label, &surrogate),
            Action::Replace => {
                changes.extend(elision(text, span, &surrogate));
                surrogate
            }
        };
        changes.push(Change { source, text: new, span: Some(index), action: policy.of_label(span.label) });
    }
    changes.sort_by_key(|c| (c.source.start, std::cmp::Reverse(c.source.end)));
    apply(text, changes)
}

fn of_passages(text: &str, spans: &[Span], passages: &[Passage], policy: &Policy) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for passage in passages {
        let action = passage.action(policy);
        let new = match (action, &passage.generalised) {
            (Action::Mask, _) => masked(&text[passage.start..passage.end], &passage.category.to_uppercase(), policy.mask),
            (Action::Generalise, Some(new)) => new.clone(),
            _ => continue,
        };
        let over = |s: &&Span| s.start < passage.end && passage.start < s.end;
        let mut touched = spans.iter().filter(over);
        // A name within a word of the passage: the name is what must go.
        if !passage.section && touched.next().is_some() {
            continue;
        }
        changes.push(Change { source: passage.start..passage.end, text: new, span: None, action });
    }
    changes
}

/// "d'octobre" before a month with a consonant, "de mars" before one with a vowel.
fn elision(text: &str, span: &Span, surrogate: &str) -> Option<Change> {
    if !matches!(span.label, Label::Nom | Label::Prenom | Label::Ville | Label::Date) {
        return None;
    }
    let first = fold(surrogate).chars().next().filter(|c| c.is_alphabetic() && *c != 'h' && *c != 'y')?;
    let vowel = "aeiou".contains(first);
    let before = &text[..span.start];
    let link = ["d'", "d’", "D'", "D’"].into_iter().find(|l| before.ends_with(l)).filter(|_| !vowel);
    let link = link.or_else(|| ["de ", "De ", "DE "].into_iter().find(|l| before.ends_with(l)).filter(|_| vowel))?;
    let start = span.start - link.len();
    // "mid'", "grande ": the end of another word.
    if text[..start].ends_with(char::is_alphanumeric) {
        return None;
    }
    let new = match (vowel, link.starts_with('D')) {
        (true, false) => "d'",
        (true, true) => "D'",
        (false, false) => "de ",
        (false, true) => "De ",
    };
    Some(Change { source: start..span.start, text: new.to_owned(), span: None, action: Action::Replace })
}

/// The birth date of somebody whose age the policy does not tell.
fn great_age(policy: &Policy, context: &SurrogateContext<'_>, written: &str) -> bool {
    let hidden = matches!(policy.quasi, Action::Generalise | Action::Mask | Action::Replace);
    let Some(reference) = context.reference.filter(|_| hidden) else { return false };
    let birth = full_date(written, Some(reference)).or(context.person.and_then(|p| p.birth_date));
    birth.and_then(|b| reference.years_since(b)).is_some_and(|age| age >= GREAT_AGE)
}

fn masked(written: &str, name: &str, mask: Mask) -> String {
    match mask {
        Mask::Tag => format!("<{name}>"),
        Mask::Redact => written.chars().map(|c| if c.is_whitespace() { c } else { '█' }).collect(),
    }
}

/// Less than a surrogate: the year of a date, the department of a code.
fn generalised(label: Label, surrogate: &str) -> String {
    let digits = || surrogate.split(|c: char| !c.is_ascii_digit());
    match label {
        Label::Date | Label::DateNaissance => digits().find(|d| d.len() == 4).map_or_else(|| "[date]".to_owned(), str::to_owned),
        Label::Zip => digits().find(|d| d.len() >= 2).map_or_else(|| "<ZIP>".to_owned(), |d| d[..2].to_owned()),
        label => format!("<{}>", label.name()),
    }
}

fn apply(text: &str, changes: Vec<Change>) -> Replaced {
    let mut replaced =
        Replaced { text: String::with_capacity(text.len() + text.len() / 8), replacements: Vec::new(), map: OffsetMap::default() };
    let (mut at, mut source_chars, mut target_chars) = (0, 0, 0);
    for change in changes {
        // Within a change that was made: gone with it.
        if change.source.start < at || change.source.is_empty() || text.get(change.source.clone()).is_none() {
            continue;
        }
        let between = &text[at..change.source.start];
        let kept = between.chars().count();
        replaced.text.push_str(between);
        let start = replaced.text.len();
        replaced.text.push_str(&change.text);
        let target = start..replaced.text.len();
        (source_chars, target_chars) = (source_chars + kept, target_chars + kept);
        let (source_end, target_end) =
            (source_chars + text[change.source.clone()].chars().count(), target_chars + change.text.chars().count());
        replaced.map.bytes.changes.push((change.source.clone(), target.clone()));
        replaced.map.chars.changes.push((source_chars..source_end, target_chars..target_end));
        (source_chars, target_chars) = (source_end, target_end);
        at = change.source.end;
        replaced.replacements.push(Replacement { source: change.source, target, span: change.span, action: change.action });
    }
    replaced.text.push_str(&text[at..]);
    replaced
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;
    use sillage_clinical::analysis::Analysis;
    use sillage_clinical::knowledge::Knowledge;

    use super::*;
    use crate::identity::Identity;
    use crate::policy::Policies;

    fn context() -> SurrogateContext<'static> {
        SurrogateContext {
            key: b"a key of the tests",
            patient: "0123",
            shift_days: 10,
            person: None,
            reference: NaiveDate::from_ymd_opt(2024, 5, 2),
            known: &[],
            avoid: None,
            tagged: &[],
        }
    }

    fn spans(text: &str, marked: &[(Label, &str)]) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for (label, words) in marked {
            let from = spans.last().map_or(0, |s| s.end);
            let start = from + text[from..].find(words).unwrap();
            spans.push(Span { start, end: start + words.len(), label: *label, detector: "test".into(), score: 1.0 });
        }
        spans
    }

    fn research(policy: &str, text: &str, marked: &[(Label, &str)]) -> Replaced {
        let policies = Policies::built_in().unwrap();
        let analysis = Analysis::new(Knowledge::built_in(), text, None);
        let passages = policies.passages(&analysis);
        replace(&Identity::built_in().surrogates, text, &spans(text, marked), &passages, policies.policy(policy).unwrap(), &context())
    }

    const LETTER: &str = "Mme Ansquer, 93 ans, vue le 12 mars 2024 à Lorient.";
    const MARKED: [(Label, &str); 3] = [(Label::Nom, "Ansquer"), (Label::Date, "12 mars 2024"), (Label::Ville, "Lorient")];

    #[test]
    fn research_reads_as_medicine() {
        let replaced = research("research", LETTER, &MARKED);
        let text = &replaced.text;
        assert!(text.contains("plus de 89 ans, vue le 22 mars 2024") && !text.contains("Ansquer") && !text.contains("Lorient"), "{text}");
        assert_eq!(replaced.replacements.len(), 4);
        assert!(research("internal", LETTER, &MARKED).text.contains("93 ans"));
    }

    #[test]
    fn strict_hides_and_keeps_intervals() {
        assert_eq!(research("strict", LETTER, &MARKED).text, "Mme <NOM>, <AGE_OVER_89>, vue le 22 mars 2024 à <VILLE>.");
    }

    #[test]
    fn masks_of_both_kinds() {
        let policies = Policies::built_in().unwrap();
        let policy = policies.policy("internal").unwrap().clone();
        let of = |policy: &Policy| replace(&Identity::built_in().surrogates, LETTER, &spans(LETTER, &MARKED), &[], policy, &context()).text;
        assert_eq!(of(&policy.clone().masking(Mask::Tag)), "Mme <NOM>, 93 ans, vue le <DATE> à <VILLE>.");
        assert_eq!(of(&policy.masking(Mask::Redact)), "Mme ███████, 93 ans, vue le ██ ████ ████ à ███████.");
    }

    #[test]
    fn birth_dates_do_not_tell_great_ages() {
        let text = "Née le 02/03/1931, opérée le 02/03/2024.";
        let marked = [(Label::DateNaissance, "02/03/1931"), (Label::Date, "02/03/2024")];
        assert_eq!(research("research", text, &marked).text, "Née le [plus de 89 ans], opérée le 12/03/2024.");
        assert_eq!(research("internal", text, &marked).text, "Née le 12/03/1931, opérée le 12/03/2024.");
    }

    #[test]
    fn articles_go_with_what_follows() {
        let marked = [(Label::Date, "octobre 2024"), (Label::Date, "mars 2024")];
        let replaced = research("internal", "AVC d'octobre 2024, IRM de mars 2024, grande forme", &marked);
        assert_eq!(replaced.text, "AVC d'octobre 2024, IRM de mars 2024, grande forme");
        let far = SurrogateContext { shift_days: 30, ..context() };
        let policies = Policies::built_in().unwrap();
        let text = "AVC d'octobre 2024, IRM de mars 2024";
        let lists = &Identity::built_in().surrogates;
        let replaced = replace(lists, text, &spans(text, &marked), &[], policies.policy("internal").unwrap(), &far);
        assert_eq!(replaced.text, "AVC de novembre 2024, IRM d'avril 2024");
        let at = text.find("octobre 2024").unwrap();
        assert_eq!(&replaced.text[replaced.map.bytes_to_target(at..at + 12)], "novembre 2024");
    }

    #[test]
    fn offsets_lead_both_ways() {
        let replaced = research("research", LETTER, &MARKED);
        for words in ["vue le", "Mme", "."] {
            let start = LETTER.find(words).unwrap();
            let target = replaced.map.bytes_to_target(start..start + words.len());
            assert_eq!(&replaced.text[target.clone()], words);
            assert_eq!(replaced.map.bytes_to_source(target), start..start + words.len());
        }
        let name = LETTER.find("Ansquer").unwrap();
        let target = replaced.map.bytes_to_target(name + 2..name + 4);
        assert_eq!(target, replaced.replacements[0].target);
        assert_eq!(replaced.map.bytes_to_source(target), name..name + 7);
    }

    proptest! {
        #[test]
        fn what_is_kept_is_found_again(text in "[a-zé€ 𝄞0-9]{0,60}", cuts in proptest::collection::vec((0usize..60, 1usize..6, 0usize..15), 0..6), probe in 0usize..60, length in 0usize..8) {
            let at: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
            let byte = |n: usize| at[n.min(at.len() - 1)];
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut spans: Vec<Span> = Vec::new();
            for (start, length, label) in cuts {
                let (start, end) = (byte(start), byte(start + length));
                if start < end && spans.last().is_none_or(|s| s.end <= start) {
                    spans.push(Span { start, end, label: Label::ALL[label], detector: "test".into(), score: 1.0 });
                }
            }
            let policies = Policies::built_in().unwrap();
            let replaced = replace(&Identity::built_in().surrogates, &text, &spans, &[], policies.policy("internal").unwrap(), &context());
            // Every kept character, in bytes and in characters, there and back.
            for (n, c) in text.chars().enumerate() {
                let source = at[n]..at[n + 1];
                if spans.iter().any(|s| s.start < source.end && source.start < s.end) {
                    continue;
                }
                let target = replaced.map.bytes_to_target(source.clone());
                prop_assert_eq!(&replaced.text[target.clone()], c.to_string());
                prop_assert_eq!(replaced.map.bytes_to_source(target.clone()), source);
                let chars = replaced.map.chars_to_target(n..n + 1);
                prop_assert_eq!(replaced.text.chars().nth(chars.start), Some(c));
                prop_assert_eq!(replaced.text[..target.start].chars().count(), chars.start);
                prop_assert_eq!(replaced.map.chars_to_source(chars), n..n + 1);
            }
            // Any range lies within its way there and back.
            let range = byte(probe)..byte(probe + length);
            let target = replaced.map.bytes_to_target(range.clone());
            prop_assert!(replaced.text.get(target.clone()).is_some());
            if !target.is_empty() && !range.is_empty() {
                let back = replaced.map.bytes_to_source(target);
                prop_assert!(back.start <= range.start && back.end >= range.end);
            }
        }
    }
}
