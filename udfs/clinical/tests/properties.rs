//! What holds for any text whatever: no parser panics, spans stand where they
//! say, and time grows with the text and not with its square.
//!
//! Each parser reads `SILLAGE_CASES` damaged texts (5,000 unless told otherwise).

// A panic is how a test fails.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "properties/mutate.rs"]
mod mutate;
#[path = "properties/time.rs"]
mod time;

use std::ops::Range;

use chrono::{NaiveDate, NaiveDateTime};
use mutate::{Random, holds};
use sillage_clinical::analysis::Analysis;
use sillage_clinical::knowledge::Knowledge;
use sillage_clinical::lexicon::pattern::{Piece, parse, parse_cue};
use sillage_clinical::measurement::measurements;
use sillage_clinical::mention::mentions;
use sillage_clinical::sentence::sentences;
use sillage_clinical::temporal::temporal_expressions;
use sillage_clinical::text::{CharOffsets, Kind, Text, fold};

fn reference() -> Option<NaiveDateTime> {
    NaiveDate::from_ymd_opt(2024, 4, 12)?.and_hms_opt(15, 0, 0)
}

macro_rules! must {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}

/// The span can be cut out of the text and is not empty.
fn cuts(text: &str, span: &Range<usize>) -> Result<(), String> {
    must!(span.start < span.end && text.get(span.clone()).is_some(), "{span:?} cannot be cut from {} bytes", text.len());
    Ok(())
}

/// The span begins and ends with tokens, and holds what the text says it does.
fn tokens_of(text: &Text<'_>, span: Range<usize>) -> Result<Range<usize>, String> {
    cuts(text.original, &span)?;
    let tokens = text.token_at(span.start)..text.token_at(span.end - 1) + 1;
    must!(text.byte_range(tokens.clone()) == span, "{span:?} cuts a token");
    must!(text.source(tokens.clone()) == &text.original[span.clone()], "{span:?} holds other words");
    Ok(tokens)
}

#[test]
fn tokens_stand_for_every_character() {
    holds("tokens", Random::text, |original| {
        let text = Text::new(original);
        let skipped = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}');
        let mut end = 0;
        for (i, token) in text.tokens.iter().enumerate() {
            cuts(original, &token.range())?;
            must!(token.range().start >= end, "token {i} begins before {end}");
            must!(original[end..token.range().start].chars().all(skipped), "letters lost before token {i}");
            end = token.range().end;
            must!(text.byte_range(i..i + 1) == token.range() && text.token_at(token.range().start) == i, "token {i} is not found again");
            if token.kind != Kind::Mark {
                let letters: String = original[token.range()]
                    .chars()
                    .filter(|c| !c.is_whitespace() && !matches!(c, '\u{ad}' | '-' | '\u{2010}' | '\u{2011}'))
                    .collect();
                must!(text.fold(i) == fold(&letters), "token {i} is folded otherwise than its letters");
            }
        }
        must!(original[end..].chars().all(skipped), "letters lost at the end");
        must!(text.fold(text.tokens.len()).is_empty() && text.byte_range(text.tokens.len()..usize::MAX).is_empty(), "tokens past the end");
        Ok(())
    });
}

#[test]
fn character_offsets_are_those_of_python() {
    holds("character offsets", Random::text, |original| {
        let boundaries: Vec<usize> = original.char_indices().map(|(i, _)| i).chain([original.len()]).collect();
        let mut offsets = CharOffsets::new(original);
        for (count, at) in boundaries.iter().enumerate() {
            must!(offsets.at(*at) == count, "byte {at} is not character {count}");
        }
        let mut random = Random::new(original, 0);
        for _ in 0..20 {
            let at = boundaries[random.below(boundaries.len())];
            must!(offsets.at(at) == original[..at].chars().count(), "byte {at} after a step back");
        }
        Ok(())
    });
}

#[test]
fn every_token_is_in_one_sentence() {
    holds("sentences", Random::text, |original| {
        let text = Text::new(original);
        let mut next = 0;
        for sentence in sentences(&text) {
            must!(sentence.start == next && sentence.end > next, "{sentence:?} after {next}");
            cuts(original, &text.byte_range(sentence.clone()))?;
            next = sentence.end;
        }
        must!(next == text.tokens.len(), "{next} of {} tokens", text.tokens.len());
        Ok(())
    });
}

#[test]
fn sections_are_ascending_and_disjoint() {
    let knowledge = Knowledge::built_in();
    holds("sections", Random::text, |original| {
        let analysis = Analysis::new(knowledge, original, None);
        let mut next = 0;
        for section in &analysis.sections {
            must!(section.tokens.start >= next && section.tokens.end <= analysis.text.tokens.len(), "{:?} after {next}", section.tokens);
            must!(
                section.title.start == section.tokens.start
                    && section.title.start < section.title.end
                    && section.title.end <= section.tokens.end,
                "title {:?} of {:?}",
                section.title,
                section.tokens
            );
            must!(!analysis.section_name(section).is_empty(), "no name");
            cuts(original, &analysis.text.byte_range(section.tokens.clone()))?;
            next = section.tokens.end;
        }
        Ok(())
    });
}

#[test]
fn mentions_are_ascending_and_disjoint() {
    let knowledge = Knowledge::built_in();
    holds("mentions", Random::text, |original| {
        let text = Text::new(original);
        let words = knowledge.vocabulary.read(&text);
        let mut next = 0;
        for mention in mentions(knowledge, &text, &words) {
            must!(mention.start >= next && mention.start < mention.end, "{mention:?} after {next}");
            must!((mention.concept as usize) < knowledge.lexicon.concepts.len(), "{mention:?} names nothing");
            tokens_of(&text, text.byte_range(mention.start..mention.end))?;
            next = mention.end;
        }
        Ok(())
    });
}

#[test]
fn entities_and_their_qualifiers_are_exact() {
    let knowledge = Knowledge::built_in();
    holds("entities", Random::text, |original| {
        let analysis = Analysis::new(knowledge, original, reference());
        let mut next = 0;
        for entity in analysis.entities() {
            let tokens = tokens_of(&analysis.text, entity.start..entity.end)?;
            must!(entity.start >= next, "{:?} after {next}", entity.start..entity.end);
            must!(analysis.sentences.iter().any(|s| s.contains(&tokens.start)), "an entity outside the sentences");
            must!(!(entity.qualifiers.negated && entity.qualifiers.hypothetical), "negated and hypothetical");
            next = entity.end;
        }
        Ok(())
    });
}

#[test]
fn any_span_can_be_qualified() {
    let knowledge = Knowledge::built_in();
    holds("qualifiers", Random::text, |original| {
        let analysis = Analysis::new(knowledge, original, reference());
        let mut random = Random::new(original, 1);
        for _ in 0..4 {
            let (start, end) = (random.below(original.len() + 2), random.below(original.len() + 2));
            let inside = start < end && end <= original.len();
            must!(inside || analysis.qualifiers(start, end).is_none(), "{start}..{end} is qualified");
            let empty = analysis.text.tokens.is_empty() || analysis.text.token_at(start) >= analysis.text.tokens.len();
            must!(!inside || empty || analysis.qualifiers(start, end).is_some(), "{start}..{end} is not qualified");
        }
        must!(analysis.qualifiers(0, usize::MAX).is_none(), "more than there is");
        Ok(())
    });
}

#[test]
fn temporal_expressions_are_ascending_and_disjoint() {
    holds("temporal expressions", Random::text, |original| {
        let text = Text::new(original);
        let number = original.len() as i64;
        let written = NaiveDate::from_ymd_opt(2024, 2, 29)
            .and_then(|d| d.and_hms_opt(23, 59, 0))
            .map(|d| d - chrono::Duration::days(number * 7 % 40_000));
        let mut next = 0;
        for time in temporal_expressions(&text, written.filter(|_| number % 5 != 0)) {
            tokens_of(&text, time.start..time.end)?;
            must!(time.start >= next, "{:?} after {next}", time.start..time.end);
            must!(time.age_years.is_none_or(f32::is_finite), "an age that is no number");
            next = time.end;
        }
        Ok(())
    });
}

#[test]
fn measurements_hold_their_values() {
    holds("measurements", Random::text, |original| {
        let text = Text::new(original);
        let mut next = 0;
        for m in measurements(&text) {
            cuts(original, &(m.start..m.end))?;
            cuts(original, &(m.value_start..m.value_end))?;
            must!(m.start <= m.value_start && m.value_end <= m.end, "{m:?}");
            must!(m.value_start >= next, "{m:?} after {next}");
            must!(m.value.is_some() || m.value_text.is_some(), "{m:?} has no value");
            must!([m.value, m.value_high, m.canonical_value].into_iter().flatten().all(f64::is_finite), "{m:?} is no number");
            let value = &original[m.value_start..m.value_end];
            must!(value.chars().any(char::is_alphanumeric), "{m:?} has no figure");
            must!(value.chars().next().is_some_and(|c| !c.is_whitespace()), "{m:?} begins with a space");
            next = m.value_start;
        }
        Ok(())
    });
}

#[test]
fn lexicon_forms_are_read_or_refused() {
    holds("lexicon forms", Random::form, |form| {
        for pattern in [parse(form), parse_cue(form)].into_iter().flatten() {
            must!(!pattern.forms.is_empty(), "accepted without a form");
            for pieces in &pattern.forms {
                must!(!matches!(pieces.first(), None | Some(Piece::Gap)) && !matches!(pieces.last(), Some(Piece::Gap)), "{pieces:?}");
            }
        }
        Ok(())
    });
}

#[test]
fn any_term_may_be_asked_for() {
    let knowledge = Knowledge::built_in();
    holds("concepts of terms", Random::term, |term| {
        let id = |term: &str| knowledge.concept_of(term).map(|c| c.id.clone());
        must!(id(term) == id(&format!("  {term} \u{a0}")), "spaces around change the concept");
        must!(id(term).is_none_or(|id| knowledge.lexicon.concept(&id).is_some()), "a concept that is not listed");
        Ok(())
    });
}

/// All that is found in a text, line ends and places aside.
fn found(knowledge: &Knowledge, original: &str) -> Vec<String> {
    let plain = |range: Range<usize>| original[range].replace('\r', "");
    let analysis = Analysis::new(knowledge, original, reference());
    let entities = analysis
        .entities()
        .iter()
        .map(|e| format!("{} {:?} {:?} {:?} {:?}", plain(e.start..e.end), e.concept.id, e.section, e.qualifiers, e.event_time));
    let times = temporal_expressions(&analysis.text, reference());
    let times = times.into_iter().map(|t| format!("{} {:?} {:?} {:?}", plain(t.start..t.end), t.kind, t.value, t.until));
    let values =
        measurements(&analysis.text).into_iter().map(|m| format!("{} {:?} {:?} {:?}", plain(m.start..m.end), m.name, m.value, m.unit));
    entities.chain(times).chain(values).collect()
}

#[test]
fn line_ends_of_either_kind_say_the_same() {
    let knowledge = Knowledge::built_in();
    let lines = |random: &mut Random| random.text().replace("\r\n", "\n").replace('\r', "\n");
    holds("line ends", lines, |text| {
        let (unix, windows) = (found(knowledge, text), found(knowledge, &text.replace('\n', "\r\n")));
        must!(unix == windows, "\n{unix:#?}\n{windows:#?}");
        Ok(())
    });
}

#[test]
fn trailing_spaces_change_nothing() {
    let knowledge = Knowledge::built_in();
    holds("trailing spaces", Random::text, |text| {
        let (bare, padded) = (found(knowledge, text), found(knowledge, &format!("{text}   ")));
        must!(bare == padded, "\n{bare:#?}\n{padded:#?}");
        Ok(())
    });
}

#[test]
fn line_ends_inside_a_word_do_not_count() {
    let knowledge = Knowledge::built_in();
    for text in [
        "trans-\nformation hémor\u{ad}ragique : En cas de récidive\u{2028},AVC",
        "EXAMEN NEUROLOGIQU\nM\n\ntrans-\nformation hémor\u{ad}ragique\u{a0}trans-\nformation hémor\u{ad}ragique ou",
    ] {
        assert_eq!(found(knowledge, text), found(knowledge, &text.replace('\n', "\r\n")), "{text:?}");
    }
}
