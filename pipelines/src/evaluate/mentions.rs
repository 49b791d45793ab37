//! Clinical mentions: paired greedily by overlap with the same label (DISORDER and
//! SIGN count as one). Codes and qualifiers are scored on paired mentions.

use std::collections::{BTreeMap, HashMap};

use super::gold::{Document, Entity, by_document};
use super::metrics::Counts;
use super::report::Errors;
use super::tables;

/// Qualifiers in the order of [`tables::Entity::flags`], and what their errors are listed under.
pub const FLAGS: [(&str, &str); 4] = [("NEG", "flag_NEG"), ("HYP", "flag_HYP"), ("FAM", "flag_FAM"), ("HIST", "flag_HIST")];

/// Codes of paired mentions that gold gives a code.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Codes {
    pub icd10: usize,
    pub icd10_exact: usize,
    pub icd10_category: usize,
    pub icd10_none: usize,
    pub snomed: usize,
    pub atc: usize,
    pub atc_exact: usize,
}

#[derive(Debug, Default, PartialEq)]
pub struct Score {
    pub exact: Counts,
    pub by_label: BTreeMap<String, Counts>,
    pub codes: Codes,
    pub flags: [Counts; 4],
}

impl Score {
    pub fn overlap(&self) -> Counts {
        self.by_label.values().copied().sum()
    }
}

pub fn score(documents: &[Document], gold: &[Entity], found: &HashMap<String, Vec<tables::Entity>>, errors: &mut Errors) -> Score {
    let gold = by_document(gold, |g| &g.fhir_id);
    let mut score = Score::default();
    for document in documents {
        let gold = gold.get(document.fhir_id.as_str()).map_or(&[][..], Vec::as_slice);
        let found = found.get(&document.fhir_id).map_or(&[][..], Vec::as_slice);
        one(document, gold, found, &mut score, errors);
    }
    score
}

fn disease(label: &str) -> bool {
    matches!(label, "DISORDER" | "SIGN")
}

fn one(document: &Document, gold: &[&Entity], found: &[tables::Entity], score: &mut Score, errors: &mut Errors) {
    let name = &document.document;
    let mut used = vec![false; found.len()];
    for entity in gold {
        let mut best: Option<(usize, i64)> = None;
        for (i, candidate) in found.iter().enumerate() {
            let same = candidate.label == entity.label || disease(&candidate.label) && disease(&entity.label);
            let overlap = candidate.end.min(entity.end) - candidate.start.max(entity.start);
            if !used[i] && same && overlap > best.map_or(0, |(_, o)| o) {
                best = Some((i, overlap));
            }
        }
        let counts = score.by_label.entry(entity.label.clone()).or_default();
        let Some((i, _)) = best else {
            counts.fn_ += 1;
            score.exact.fn_ += 1;
            errors.add("entity_missed", format!("{name} {} {:?}", entity.label, entity.text));
            continue;
        };
        used[i] = true;
        counts.tp += 1;
        let candidate = &found[i];
        score.exact += match (candidate.start, candidate.end) == (entity.start, entity.end) {
            true => Counts { tp: 1, fp: 0, fn_: 0 },
            false => Counts { tp: 0, fp: 1, fn_: 1 },
        };
        codes(name, entity, candidate, &mut score.codes, errors);
        for (f, (flag, cause)) in FLAGS.iter().enumerate() {
            let (got, wanted) = (candidate.flags[f], entity.flags.iter().any(|g| g == flag));
            score.flags[f] += Counts { tp: usize::from(got && wanted), fp: usize::from(got && !wanted), fn_: usize::from(!got && wanted) };
            if got != wanted {
                let context = document.words(entity.start - 60, entity.end + 30);
                errors.add(cause, format!("{name} {:?} gold={wanted} in {context:?}", entity.text));
            }
        }
    }
    for (candidate, _) in found.iter().zip(&used).filter(|(_, used)| !**used) {
        score.by_label.entry(candidate.label.clone()).or_default().fp += 1;
        score.exact.fp += 1;
        errors.add("entity_false", format!("{name} {} {:?}", candidate.label, candidate.text));
    }
}

fn codes(document: &str, gold: &Entity, found: &tables::Entity, codes: &mut Codes, errors: &mut Errors) {
    if gold.code.is_empty() {
        return;
    }
    if disease(&gold.label) {
        let (a, b) = (found.icd10.replace('.', ""), gold.code.replace('.', ""));
        codes.icd10 += 1;
        codes.icd10_exact += usize::from(a == b);
        codes.icd10_category += usize::from(a.chars().take(3).eq(b.chars().take(3)));
        codes.icd10_none += usize::from(a.is_empty());
        codes.snomed += usize::from(!found.snomed.is_empty());
        if a != b {
            errors.add("icd10", format!("{document} {:?}: gold {} got {}", gold.text, gold.code, found.icd10));
        }
    } else if gold.label == "DRUG" {
        codes.atc += 1;
        codes.atc_exact += usize::from(found.atc == gold.code);
        if found.atc != gold.code {
            errors.add("atc", format!("{document} {:?}: gold {} got {}", gold.text, gold.code, found.atc));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(label: &str, start: i64, end: i64) -> tables::Entity {
        let (icd10, flags) = ("I63.9".to_owned(), [true, false, false, false]);
        tables::Entity { label: label.to_owned(), start, end, icd10, flags, ..Default::default() }
    }

    fn gold(label: &str, start: i64, end: i64, flags: &[&str]) -> Entity {
        Entity {
            fhir_id: "d".to_owned(),
            label: label.to_owned(),
            code: "I63.9".to_owned(),
            flags: flags.iter().map(|f| (*f).to_owned()).collect(),
            start,
            end,
            text: String::new(),
        }
    }

    fn scored(gold: &[Entity], found: Vec<tables::Entity>) -> (Score, Errors) {
        let document = Document { document: "d".to_owned(), fhir_id: "d".to_owned(), text: String::new(), chars: Vec::new() };
        let mut errors = Errors::default();
        let score = score(&[document], gold, &HashMap::from([("d".to_owned(), found)]), &mut errors);
        (score, errors)
    }

    #[test]
    fn pairs_by_overlap_and_counts_the_rest() {
        let gold = [gold("DISORDER", 0, 5, &["NEG"]), gold("DRUG", 10, 15, &[])];
        let (score, errors) = scored(&gold, vec![found("SIGN", 2, 5), found("DISORDER", 30, 33)]);
        assert_eq!(score.overlap(), Counts { tp: 1, fp: 1, fn_: 1 });
        assert_eq!(score.flags[0], Counts { tp: 1, fp: 0, fn_: 0 });
        assert_eq!((score.codes.icd10, score.codes.icd10_exact), (1, 1));
        assert_eq!(score.exact, Counts { tp: 0, fp: 2, fn_: 2 });
        assert_eq!(errors.causes().map(|(cause, _)| cause).collect::<Vec<_>>(), ["entity_missed", "entity_false"]);
    }

    #[test]
    fn codes_are_compared_without_the_dot_and_by_category() {
        let (score, _) = scored(
            &[gold("DISORDER", 0, 5, &[]), gold("SIGN", 6, 9, &[]), gold("DRUG", 10, 15, &[])],
            vec![
                tables::Entity { icd10: "I639".to_owned(), snomed: "422504002".to_owned(), ..found("DISORDER", 0, 5) },
                tables::Entity { icd10: "I63.4".to_owned(), ..found("SIGN", 6, 9) },
                tables::Entity { atc: "B01AC06".to_owned(), ..found("DRUG", 10, 15) },
            ],
        );
        let expected = Codes { icd10: 2, icd10_exact: 1, icd10_category: 2, icd10_none: 0, snomed: 1, atc: 1, atc_exact: 0 };
        assert_eq!(score.codes, expected);
        assert_eq!(score.exact, Counts { tp: 3, fp: 0, fn_: 0 });
    }
}
