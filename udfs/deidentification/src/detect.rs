//! One document through every detector.

use chrono::NaiveDate;
use sillage_clinical::analysis::Analysis;
use sillage_clinical::temporal::dotted_clocks;

use crate::identity::Identity;
use crate::name::names;
use crate::name::page::Page;
use crate::proper::proper;
use crate::record::record;
use crate::shape::shapes;
use crate::tagger::{self, Example, tagged};
use crate::{Circumstances, Span};

/// What the detectors find in a document: unsettled, each span with its detector.
///
/// Add what the patient's other documents reveal ([`crate::reveal::propagate`]), then
/// [`crate::vote::settle`].
pub fn detect(identity: &Identity, analysis: &Analysis<'_>, circumstances: Circumstances<'_>) -> Vec<Span> {
    let page = Page::new(&identity.names, analysis);
    let mut spans = rules(identity, analysis, &page, circumstances);
    spans.extend(tagged(identity, &page, analysis.measurements(), written(analysis), &spans));
    off_the_clock(analysis, &mut spans);
    spans
}

/// Takes out what was read into times of the clock: "15.02 - scanner" is no day.
fn off_the_clock(analysis: &Analysis<'_>, spans: &mut Vec<Span>) {
    for at in dotted_clocks(&analysis.text) {
        let clock = analysis.text.byte_range(at..at + 3);
        spans.retain(|s| s.start < clock.start || s.end > clock.end);
    }
}

/// A document as the tagger learns from it: what the rules see, and every token.
pub fn examples(identity: &Identity, analysis: &Analysis<'_>, circumstances: Circumstances<'_>) -> Vec<Example> {
    let page = Page::new(&identity.names, analysis);
    tagger::examples(identity, &page, written(analysis), &rules(identity, analysis, &page, circumstances))
}

/// The day of the document.
fn written(analysis: &Analysis<'_>) -> Option<NaiveDate> {
    analysis.reference().map(|r| r.date())
}

fn rules(identity: &Identity, analysis: &Analysis<'_>, page: &Page<'_, '_>, circumstances: Circumstances<'_>) -> Vec<Span> {
    let mut spans = shapes(identity, analysis);
    spans.extend(names(page, circumstances));
    if let Some(person) = circumstances.person {
        spans.extend(record(page, person));
    }
    spans.extend(proper(identity, page, circumstances.staff, &spans));
    off_the_clock(analysis, &mut spans);
    spans
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use sillage_clinical::knowledge::Knowledge;

    use super::*;
    use crate::leak::KnownIdentifiers;
    use crate::policy::DEFAULT;
    use crate::replace::replace;
    use crate::reveal::{propagate, revealed};
    use crate::surrogate::SurrogateContext;
    use crate::vote::settle;
    use crate::{Label, Person};

    const LETTER: &str = "\
CENTRE HOSPITALIER DE QUIMPERLÉ - Service de neurologie
Tél. 02 98 41 07 63

Quimperlé, le 4 juin 2024

Cher Confrère,
J'ai vu Mme Maryvonne BERTHOMIER, née QUILLIVIC le 17/05/1944, IPP 80412277, demeurant 12 rue des Korrigans à Bannalec,
accompagnée de sa fille Gaëlle (06 71 44 20 18), pour un infarctus sylvien gauche du 28 mai 2024 avec aphasie de Broca.
Pas de maladie de Parkinson. Score de Rankin à 2. Traitement : apixaban 5 mg deux fois par jour.

Dr Ronan ANSQUER
";
    const NOTE: &str = "Appel de Gaelle ce matin : Mme Bertomier va bien, pas de céphalée. RDV dr Ansquer.";

    /// Settled spans of a document of 1 June 2024.
    fn read(text: &str) -> Vec<Span> {
        let reference = NaiveDate::from_ymd_opt(2024, 6, 1).and_then(|r| r.and_hms_opt(10, 0, 0));
        let analysis = Analysis::new(Knowledge::built_in(), text, reference);
        settle(&analysis, detect(Identity::built_in(), &analysis, Circumstances::default()))
    }

    const LETTERS: &str = include_str!("../data/letter_sentences.txt");

    /// `⟦words⟧` must be covered, and nothing else.
    #[test]
    fn letters_and_notes_as_hospitals_write_them() {
        let (mut lines, mut wrong) = (0, Vec::new());
        for line in LETTERS.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let line = line.replace("\\n", "\n").replace("\\t", "\t");
            let (mut text, mut gold) = (String::new(), Vec::new());
            for part in line.split_inclusive(['⟦', '⟧']) {
                let words = part.trim_end_matches(['⟦', '⟧']);
                gold.extend(std::iter::repeat_n(part.ends_with('⟧'), words.chars().filter(|c| c.is_alphanumeric()).count()));
                text += words;
            }
            let spans = read(&text);
            let letters = text.char_indices().filter(|(_, c)| c.is_alphanumeric());
            let found: Vec<bool> = letters.map(|(i, _)| spans.iter().any(|s| s.start <= i && i < s.end)).collect();
            lines += 1;
            if found != gold {
                let shown: Vec<String> = spans.iter().map(|s| format!("{} [{}]", &text[s.start..s.end], s.detector)).collect();
                wrong.push(format!("{line}\n   found {shown:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
        assert!(lines > 200, "{lines}");
    }

    #[test]
    fn what_a_house_and_a_town_are_called_in_short_is_found_in_the_other_documents() {
        let first = "CHOB - Service de neurologie\nTransférée au CHOB, elle habite Mûr-de-Bretagne.";
        let second = "Thrombolyse faite CHOB hier. Elle pleure quand on parle de Mûr.";
        let known = revealed(first, &read(first));
        let analysis = Analysis::new(Knowledge::built_in(), second, None);
        let mut spans = detect(Identity::built_in(), &analysis, Circumstances::default());
        propagate(&analysis, &known, &mut spans);
        let words: Vec<&str> = settle(&analysis, spans).iter().map(|s| &second[s.start..s.end]).collect();
        assert_eq!(words, ["CHOB", "Mûr"]);
    }

    #[test]
    fn the_letters_of_a_hospital_named_in_full_are_found_in_the_other_documents() {
        let first = "Centre Hospitalier de Valmont\nService de neurologie, avis pris hier soir.";
        let second = "Avis neurologique du CHV hier, CRP 12.";
        let known = revealed(first, &read(first));
        let analysis = Analysis::new(Knowledge::built_in(), second, None);
        let mut spans = detect(Identity::built_in(), &analysis, Circumstances::default());
        propagate(&analysis, &known, &mut spans);
        let words: Vec<&str> = settle(&analysis, spans).iter().map(|s| &second[s.start..s.end]).filter(|w| w.starts_with('C')).collect();
        assert_eq!(words, ["CHV"]);
    }

    #[test]
    fn two_documents_of_a_patient_from_end_to_end() {
        let person = Person {
            families: vec!["BERTHOMIER".to_owned(), "QUILLIVIC".to_owned()],
            givens: vec!["Maryvonne".to_owned()],
            birth_date: NaiveDate::from_ymd_opt(1944, 5, 17),
            female: Some(true),
            lines: vec!["12 rue des Korrigans".to_owned()],
            cities: vec!["Bannalec".to_owned()],
            identifiers: vec![(Label::Ipp, "80412277".to_owned())],
            ..Person::default()
        };
        let identity = Identity::built_in();
        let reference = NaiveDate::from_ymd_opt(2024, 6, 4);
        let analyses = [LETTER, NOTE].map(|t| Analysis::new(Knowledge::built_in(), t, reference.and_then(|r| r.and_hms_opt(9, 0, 0))));
        let circumstances = Circumstances { person: Some(&person), staff: &["Dr Ronan ANSQUER"] };
        let mut found = analyses.each_ref().map(|a| detect(identity, a, circumstances));
        let mut known = Vec::new();
        for (analysis, spans) in analyses.iter().zip(&found) {
            known.extend(revealed(analysis.text.original, &settle(analysis, spans.clone())));
        }
        let mut lock = KnownIdentifiers::of_person(&person);
        let mut settled = Vec::new();
        for (analysis, spans) in analyses.iter().zip(&mut found) {
            propagate(analysis, &known, spans);
            let spans = settle(analysis, std::mem::take(spans));
            for span in &spans {
                lock.add(span.label, &analysis.text.original[span.start..span.end]);
            }
            settled.push(spans);
        }
        let context = SurrogateContext {
            key: b"a key of the tests",
            patient: "0123",
            shift_days: 40,
            person: Some(&person),
            reference,
            known: &known,
            avoid: Some(lock.words()),
            tagged: &[],
        };
        let Ok(policy) = identity.policies.policy(DEFAULT) else { panic!("the default policy is missing") };
        let texts: Vec<String> = analyses
            .iter()
            .zip(&settled)
            .map(|(a, spans)| replace(&identity.surrogates, a.text.original, spans, &identity.policies.passages(a), policy, &context).text)
            .collect();
        for text in &texts {
            assert_eq!(lock.find(text), None, "{text}");
            for name in [
                "BERTHOMIER",
                "Bertomier",
                "QUILLIVIC",
                "Korrigans",
                "Bannalec",
                "Gaëlle",
                "Gaelle",
                "ANSQUER",
                "Ansquer",
                "1944-05",
                "80412277",
            ] {
                assert!(!text.contains(name), "{name} in {text}");
            }
        }
        for words in [
            "infarctus sylvien gauche",
            "aphasie de Broca",
            "Parkinson",
            "Score de Rankin à 2",
            "apixaban 5 mg",
            "26/06/1944",
            "7 juillet 2024",
        ] {
            assert!(texts[0].contains(words), "{words} not in {}", texts[0]);
        }
        // The same person under the same name in both.
        let surname = texts[0].lines().last().and_then(|l| l.rsplit(' ').next()).unwrap_or_default();
        assert!(texts[1].to_lowercase().contains(&surname.to_lowercase()), "{surname} not in {}", texts[1]);
    }
}
