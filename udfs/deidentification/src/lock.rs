//! The second lock: what would leave is searched for all that is known of the patient.

use std::ops::Range;

use crate::leak::KnownIdentifiers;
use crate::policy::{Passage, Policy};
use crate::replace::{Replaced, replace};
use crate::surrogate::{SurrogateContext, Surrogates};
use crate::{Label, Span};

/// Most searches of what would leave, each of which hides one thing more.
const ATTEMPTS: usize = 20;
const DETECTOR: &str = "known:lock";

/// Replaces, searches the result, and hides what the search finds where it can; the
/// spans added stand among `spans`.
///
/// What the search would still find in the result must stop the document.
#[expect(clippy::too_many_arguments, reason = "those of `replace`, and what the search needs")]
pub fn replace_locked(
    lists: &Surrogates,
    text: &str,
    spans: &mut Vec<Span>,
    passages: &[Passage],
    policy: &Policy,
    context: &SurrogateContext<'_>,
    identifiers: &KnownIdentifiers,
    mentions: &[Range<usize>],
) -> Replaced {
    let mut tagged: Vec<usize> = Vec::new();
    let mut replaced = replace(lists, text, spans, passages, policy, context);
    for _ in 0..ATTEMPTS {
        let Some(leak) = identifiers.find(&replaced.text) else { return replaced };
        let place = replaced.map.bytes_to_source(leak.start..leak.end);
        if let Some(span) = overlooked(text, place.clone(), leak.label, spans, mentions) {
            let at = spans.partition_point(|s| s.start < span.start);
            spans.insert(at, span);
        } else {
            // A surrogate that happens to be somebody the patient knows, or a part of one.
            let over = |s: &&Span| s.start < place.end && place.start < s.end && !tagged.contains(&s.start);
            let starts: Vec<usize> = spans.iter().filter(over).map(|s| s.start).collect();
            if starts.is_empty() {
                break;
            }
            tagged.extend(starts);
        }
        replaced = replace(lists, text, spans, passages, policy, &SurrogateContext { tagged: &tagged, ..*context });
    }
    replaced
}

/// A known identifier that the detectors passed over, unless it stands in a surrogate
/// or would take a clinical term with it. What is written with a capital and is no more
/// than the identifier is the name: a town called like a bone.
fn overlooked(text: &str, place: Range<usize>, label: Label, found: &[Span], mentions: &[Range<usize>]) -> Option<Span> {
    let apart = |r: &Range<usize>| r.end <= place.start || place.end <= r.start;
    let named = text[place.clone()].starts_with(char::is_uppercase);
    let within = |r: &Range<usize>| named && place.start <= r.start && r.end <= place.end;
    // "rééducation au SMR Les Terrasses": the kind of the house may end a term.
    let ends = |r: &Range<usize>| named && label == Label::Hopital && r.start < place.start && r.end < place.end;
    let free = found.iter().all(|s| apart(&(s.start..s.end))) && mentions.iter().all(|m| apart(m) || within(m) || ends(m));
    (free && !place.is_empty()).then(|| Span { start: place.start, end: place.end, label, detector: DETECTOR.into(), score: 0.9 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use crate::policy::DEFAULT;
    use crate::{Label, Person};

    const CONTEXT: SurrogateContext<'static> = SurrogateContext {
        key: &[7; 32],
        patient: "p",
        shift_days: 40,
        person: None,
        reference: None,
        known: &[],
        avoid: None,
        tagged: &[],
    };

    fn locked(text: &str, mentions: &[Range<usize>]) -> (Replaced, Vec<Span>) {
        let identity = Identity::built_in();
        let policy = identity.policies.policy(DEFAULT).unwrap();
        let person = Person { families: vec!["QUILLIVIC".to_owned()], ..Person::default() };
        let mut spans = Vec::new();
        let identifiers = KnownIdentifiers::of_person(&person);
        let replaced = replace_locked(&identity.surrogates, text, &mut spans, &[], policy, &CONTEXT, &identifiers, mentions);
        (replaced, spans)
    }

    #[test]
    fn what_no_detector_found_is_hidden_all_the_same() {
        let (replaced, spans) = locked("Mme QUILLIVIC va bien. QUILLIVIC sort demain.", &[]);
        assert!(!replaced.text.contains("QUILLIVIC"), "{}", replaced.text);
        assert_eq!(spans.iter().map(|s| (s.label, s.start)).collect::<Vec<_>>(), [(Label::Nom, 4), (Label::Nom, 23)]);
        assert!(spans.iter().all(|s| s.detector == DETECTOR));
    }

    #[test]
    fn a_clinical_term_is_not_taken_along() {
        // More than the identifier, or in small letters.
        for (text, mention) in [("Mme QUILLIVIC va bien.", 0..13), ("Le quillivic va bien.", 3..12)] {
            let (replaced, spans) = locked(text, std::slice::from_ref(&mention));
            assert!(spans.is_empty() && replaced.text == text, "the caller's search stops the document");
        }
    }

    #[test]
    fn a_name_called_like_a_term_is_hidden() {
        let (replaced, spans) = locked("Mme QUILLIVIC va bien.", std::slice::from_ref(&(4..13)));
        assert!(!replaced.text.contains("QUILLIVIC"), "{}", replaced.text);
        assert_eq!(spans.iter().map(|s| s.start).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn where_a_surrogate_is_somebody_known_the_rest_is_still_hidden() {
        let identity = Identity::built_in();
        let policy = identity.policies.policy(DEFAULT).unwrap();
        let text = "KERDONVAL suit Mme QUILLIVIC.";
        let found = Span { start: 0, end: 9, label: Label::Nom, detector: "context:title".into(), score: 0.9 };
        let drawn = replace(&identity.surrogates, text, std::slice::from_ref(&found), &[], policy, &CONTEXT).text;
        let mut identifiers = KnownIdentifiers::default();
        identifiers.add(Label::Nom, drawn.split(' ').next().unwrap_or_default());
        identifiers.add(Label::Nom, "QUILLIVIC");
        let replaced = replace_locked(&identity.surrogates, text, &mut vec![found], &[], policy, &CONTEXT, &identifiers, &[]);
        let (suit, other) = replaced.text.split_at("<NOM> suit Mme ".len());
        assert!(suit == "<NOM> suit Mme " && !other.contains("QUILLIVIC") && !other.contains('<'), "{}", replaced.text);
    }
}
