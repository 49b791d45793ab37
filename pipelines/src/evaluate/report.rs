//! How scores are shown: a page for people, JSON for programs, errors by cause.

use serde_json::{Map, Value, json};

use super::benchmark::{self, Conventions};
use super::metrics::{Counts, Redaction, ratio};
use super::{Scores, mentions, phi, variables};

/// Examples of what went wrong, by cause, in the order in which the causes came.
#[derive(Debug, Default)]
pub struct Errors {
    causes: Vec<(&'static str, Vec<String>)>,
}

impl Errors {
    pub fn add(&mut self, cause: &'static str, example: String) {
        match self.causes.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, examples)) => examples.push(example),
            None => self.causes.push((cause, vec![example])),
        }
    }

    pub fn causes(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        self.causes.iter().map(|(cause, examples)| (*cause, examples.as_slice()))
    }

    /// How many there are of each cause, and up to `most` of them.
    pub fn page(&self, most: usize) -> String {
        let mut out = String::new();
        for (cause, examples) in self.causes() {
            out.push_str(&format!("\n== {cause} ({})\n", examples.len()));
            examples.iter().take(most).for_each(|e| out.push_str(&format!("   {e}\n")));
        }
        out
    }

    pub fn json(&self, most: usize) -> Value {
        let of = |examples: &[String]| json!({"count": examples.len(), "examples": examples.iter().take(most).collect::<Vec<_>>()});
        self.causes().map(|(cause, examples)| (cause.to_owned(), of(examples))).collect::<Map<_, _>>().into()
    }
}

fn counts(counts: Counts) -> Value {
    json!({"p": counts.precision(), "r": counts.recall(), "f1": counts.f1(), "tp": counts.tp, "fp": counts.fp, "fn": counts.fn_})
}

fn each<'a, K: ToString + 'a, V: 'a>(items: impl IntoIterator<Item = (&'a K, &'a V)>, value: impl Fn(&V) -> Value) -> Value {
    items.into_iter().map(|(k, v)| (k.to_string(), value(v))).collect::<Map<_, _>>().into()
}

/// Scores of a run under the names of the project's reference scorer.
pub fn scores_json(scores: &Scores) -> Value {
    let (gold, found, equal) = scores.documents;
    let mut out = json!({"documents": {"gold": gold, "found": found, "text_equal": equal}, "notices": scores.notices});
    if let Some(score) = &scores.phi {
        let share = |(part, whole): (usize, usize)| ratio(part, whole);
        out["phi"] = json!({
            "char": counts(score.characters),
            "label_agreement": (score.label.1 > 0).then(|| share(score.label)),
            "docs_without_any_leak": score.without_leak(),
            "docs_without_direct_leak": score.without_direct_leak(),
            "span_recall": each(&score.spans, |(found, all)| format!("{found}/{all}").into()),
            "direct_span_recall": share(score.direct()),
            "span_recall_all": share(score.all()),
            "clinical_terms_kept": score.terms.filter(|(_, all)| *all > 0).map(share),
        });
    }
    if let Some(score) = &scores.mentions {
        let codes = score.codes;
        out["entities"] = json!({
            "overlap": counts(score.overlap()),
            "exact": counts(score.exact),
            "by_label": each(&score.by_label, |c| counts(*c)),
            "icd10_exact": ratio(codes.icd10_exact, codes.icd10),
            "icd10_3char": ratio(codes.icd10_category, codes.icd10),
            "icd10_none": ratio(codes.icd10_none, codes.icd10),
            "icd10_n": codes.icd10,
            "snomed_coverage": ratio(codes.snomed, codes.icd10),
            "atc_exact": ratio(codes.atc_exact, codes.atc),
            "atc_n": codes.atc,
            "flags": each(mentions::FLAGS.iter().zip(&score.flags).map(|((name, _), c)| (name, c)), |c| counts(*c)),
        });
    }
    if let Some(score) = &scores.variables {
        out["variables"] = json!({
            "micro": counts(score.micro()),
            "accuracy_where_gold": score.accuracy(),
            "n": score.gold,
            "evidence_right": ratio(score.evidence.0, score.evidence.1),
            "by_variable": each(&score.by_variable, |c| counts(*c)),
            "episodes_per_patient": score.episodes_per_patient(),
        });
    }
    out
}

const WIDTH: usize = 26;

fn heading(title: &str) -> String {
    format!("\n{title:<WIDTH$} {:>9} {:>9} {:>9}\n", "precision", "recall", "F1")
}

fn row(name: &str, counts: Counts) -> String {
    format!("  {name:<24} {:>9.3} {:>9.3} {:>9.3}\n", counts.precision(), counts.recall(), counts.f1())
}

/// One block per part.
pub fn scores_page(scores: &Scores) -> String {
    let (gold, found, equal) = scores.documents;
    let mut out = format!("documents: {found} of {gold} found, {equal} with equal text\n");
    scores.phi.iter().for_each(|score| out.push_str(&phi_page(score)));
    scores.mentions.iter().for_each(|score| out.push_str(&mentions_page(score)));
    scores.variables.iter().for_each(|score| out.push_str(&variables_page(score)));
    out
}

fn phi_page(score: &phi::Score) -> String {
    let mut out = heading("de-identification");
    out.push_str(&row("characters", score.characters));
    let share = |(part, whole): (usize, usize)| format!("{:.3} ({part} of {whole})", ratio(part, whole));
    out.push_str(&format!("  spans wholly found        direct {}, all {}\n", share(score.direct()), share(score.all())));
    let (direct, any) = (score.without_direct_leak(), score.without_leak());
    out.push_str(&format!("  documents without leak    direct {direct:.3}, any {any:.3}\n"));
    if let Some(terms) = score.terms {
        out.push_str(&format!("  clinical terms kept       {}\n", share(terms)));
    }
    out.push_str(&format!("  label agreement           {:.3}\n", ratio(score.label.0, score.label.1)));
    let missed = score.spans.iter().filter(|(_, (found, all))| found < all);
    let missed: Vec<String> = missed.map(|(label, (found, all))| format!("{label} {}", all - found)).collect();
    if !missed.is_empty() {
        out.push_str(&format!("  spans with a letter left  {}\n", missed.join(", ")));
    }
    out
}

fn mentions_page(score: &mentions::Score) -> String {
    let mut out = heading("clinical mentions");
    out.push_str(&row("overlap", score.overlap()));
    out.push_str(&row("exact", score.exact));
    score.by_label.iter().for_each(|(label, counts)| out.push_str(&row(&format!("  {label}"), *counts)));
    for (name, counts) in ["negation", "hypothesis", "family", "history"].iter().zip(score.flags) {
        out.push_str(&row(name, counts));
    }
    let codes = score.codes;
    let (exact, category) = (ratio(codes.icd10_exact, codes.icd10), ratio(codes.icd10_category, codes.icd10));
    out.push_str(&format!("  ICD-10                    exact {exact:.3}, three characters {category:.3} (n = {})\n", codes.icd10));
    out.push_str(&format!("  ATC                       exact {:.3} (n = {})\n", ratio(codes.atc_exact, codes.atc), codes.atc));
    out
}

fn variables_page(score: &variables::Score) -> String {
    let mut out = heading("variables of the episode");
    out.push_str(&row("all", score.micro()));
    out.push_str(&format!("  evidence right            {:.3} of the right values\n", ratio(score.evidence.0, score.evidence.1)));
    out.push_str(&format!("  episodes per patient      {:.3}\n", score.episodes_per_patient()));
    let mut weakest: Vec<_> = score.by_variable.iter().filter(|(_, c)| c.fp + c.fn_ > 0).collect();
    weakest.sort_by_key(|(name, c)| (std::cmp::Reverse(c.fp + c.fn_), name.as_str()));
    for (name, counts) in weakest.into_iter().take(8) {
        out.push_str(&row(&format!("  {name}"), *counts));
    }
    out
}

fn redaction(of: Redaction, documents: usize) -> Value {
    json!({"redacted": of.share(), "hidden": of.hidden, "tokens": of.tokens, "documents_complete": of.complete(documents)})
}

pub fn benchmark_json(format: &str, conventions: &Conventions, score: &benchmark::Score) -> Value {
    let metrics = |of: &std::collections::BTreeMap<super::metrics::Metric, Counts>| {
        let one = |(metric, c): (&super::metrics::Metric, &Counts)| {
            let mut value = counts(*c);
            value["definition"] = conventions.definition(*metric).into();
            (metric.name().to_owned(), value)
        };
        of.iter().map(one).collect::<Map<_, _>>()
    };
    let mut out = json!({
        "format": format,
        "documents": score.documents,
        "gold_spans": score.spans,
        "predicted_spans": score.predicted,
        "token": conventions.words.definition(),
        "all": metrics(&score.all),
        "redaction": redaction(score.redaction, score.documents),
        "by_label": each(&score.labels, |l| json!({
            "gold_spans": l.spans, "token": counts(l.tokens), "redaction": redaction(l.redaction, score.documents)
        })),
        "redaction_by_gold_label": each(&score.types, |r| redaction(*r, score.documents)),
        "gold_labels_without_ours": score.other,
        "gold_spans_with_other_words": score.drifted,
    });
    if !score.hipaa.is_empty() {
        out["hipaa"] = metrics(&score.hipaa).into();
    }
    out
}

/// What every number means stands beside it.
pub fn benchmark_page(format: &str, conventions: &Conventions, score: &benchmark::Score) -> String {
    let mut out = format!("{format}: {} documents, {} gold spans, {} predicted\n", score.documents, score.spans, score.predicted);
    for (title, of) in [("all labels", &score.all), ("HIPAA types", &score.hipaa)].iter().filter(|(_, of)| !of.is_empty()) {
        out.push_str(&heading(title));
        for metric in conventions.metrics {
            let line = row(&metric.name().replace('_', " "), of.get(metric).copied().unwrap_or_default());
            out.push_str(&format!("{}   {}\n", line.trim_end(), conventions.definition(*metric)));
        }
    }
    out.push_str(&format!(
        "\n{:<WIDTH$} {:>9} {:>9} {:>9} {:>9} {:>9}\n",
        "by label, tokens", "precision", "recall", "F1", "redacted", "documents"
    ));
    let line = |name: &str, tokens: Option<Counts>, of: Redaction| {
        let measures = tokens.map_or([f64::NAN; 3], |t| [t.precision(), t.recall(), t.f1()]);
        let measures = measures.map(|m| if m.is_nan() { format!("{:>9}", "") } else { format!("{m:>9.3}") }).join(" ");
        format!("  {name:<24} {measures} {:>9.3} {:>9.3}\n", of.share(), of.complete(score.documents))
    };
    for (label, of) in &score.labels {
        out.push_str(&line(label, Some(of.tokens), of.redaction));
    }
    for (label, of) in score.types.iter().filter(|(label, _)| !score.labels.contains_key(*label)) {
        out.push_str(&line(&format!("  {label}"), None, *of));
    }
    out.push_str(&line("any label", None, score.redaction));
    out.push_str(&format!("\ntoken: {}\n", conventions.words.definition()));
    out.push_str("redacted: gold tokens wholly covered by predictions of any label\n");
    out.push_str("documents: share of all documents in which no such token is left\n");
    if !score.hipaa.is_empty() {
        out.push_str(
            "NAME joins first and family names, DATE birth dates, ID every number; our labels do not tell patients from doctors,\n",
        );
        out.push_str("so in the HIPAA types a name found on a doctor counts neither way\n");
    }
    if !score.other.is_empty() {
        let other: Vec<String> = score.other.iter().map(|(label, n)| format!("{label} {n}")).collect();
        let verdict =
            if score.other.keys().any(|l| score.types.contains_key(l)) { "counted as gold, never as right" } else { "not scored" };
        out.push_str(&format!("gold labels without one of ours ({verdict}): {}\n", other.join(", ")));
    }
    if score.drifted > 0 {
        out.push_str(&format!("warning: {} gold spans quote other words than their offsets hold\n", score.drifted));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_listed_by_cause() {
        let mut errors = Errors::default();
        for (cause, example) in [("missed", "a"), ("false", "b"), ("missed", "c")] {
            errors.add(cause, example.to_owned());
        }
        assert_eq!(errors.page(1), "\n== missed (2)\n   a\n\n== false (1)\n   b\n");
        assert_eq!(errors.json(1)["missed"], json!({"count": 2, "examples": ["a"]}));
    }

    #[test]
    fn a_page_has_a_block_for_each_part_that_is_scored() {
        let mut scores = Scores { documents: (2, 1, 1), phi: Some(phi::Score::default()), ..Scores::default() };
        scores.variables = Some(variables::Score {
            by_variable: [("nihss".to_owned(), Counts { tp: 1, fp: 1, fn_: 0 })].into(),
            gold: 1,
            evidence: (1, 1),
            episodes: (1, 1),
        });
        let page = scores_page(&scores);
        assert!(page.starts_with("documents: 1 of 2 found") && page.contains("de-identification") && page.contains("nihss"), "{page}");
        assert!(!page.contains("clinical mentions"), "{page}");
        let json = scores_json(&scores);
        assert!(json["entities"].is_null() && json["phi"]["label_agreement"].is_null());
        assert_eq!(json["variables"]["by_variable"]["nihss"]["p"], 0.5);
    }
}
