//! Which label of a community stands for which of ours.

use std::collections::BTreeSet;

use super::formats::Span;

/// A type of the i2b2 2014 corpus: its name, whether HIPAA's list has it, and the
/// class in which it is compared with our labels (none: nothing of ours is like it).
struct Type {
    name: &'static str,
    hipaa: bool,
    class: Option<&'static str>,
}

const fn kind(name: &'static str, hipaa: bool, class: Option<&'static str>) -> Type {
    Type { name, hipaa, class }
}

/// Types and HIPAA subset: README of the task's evaluation scripts; Stubbs, Kotfila,
/// Uzuner, J Biomed Inform 2015;58:S11-S19.
const I2B2: &[Type] = &[
    kind("PATIENT", true, Some("NAME")),
    kind("DOCTOR", false, Some("NAME")),
    kind("USERNAME", false, None),
    kind("PROFESSION", false, None),
    kind("AGE", true, None),
    kind("STREET", true, Some("STREET")),
    kind("CITY", true, Some("CITY")),
    kind("ZIP", true, Some("ZIP")),
    kind("ORGANIZATION", true, None),
    kind("HOSPITAL", false, Some("HOSPITAL")),
    kind("DEPARTMENT", false, None),
    kind("ROOM", false, None),
    kind("STATE", false, None),
    kind("COUNTRY", false, None),
    kind("LOCATION-OTHER", false, None),
    kind("DATE", true, Some("DATE")),
    kind("PHONE", true, Some("PHONE")),
    kind("FAX", true, Some("PHONE")),
    kind("EMAIL", true, Some("EMAIL")),
    kind("URL", false, None),
    kind("IPADDR", false, None),
    kind("SSN", true, Some("ID")),
    kind("MEDICALRECORD", true, Some("ID")),
    kind("HEALTHPLAN", true, Some("ID")),
    kind("ACCOUNT", true, Some("ID")),
    kind("LICENSE", true, Some("ID")),
    kind("VEHICLE", true, Some("ID")),
    kind("DEVICE", true, Some("ID")),
    kind("BIOID", true, Some("ID")),
    kind("IDNUM", true, Some("ID")),
    kind("OTHER", false, None),
];

/// The same classes from our side.
const OURS: &[(&str, &str)] = &[
    ("NOM", "NAME"),
    ("PRENOM", "NAME"),
    ("ADRESSE", "STREET"),
    ("ZIP", "ZIP"),
    ("VILLE", "CITY"),
    ("HOPITAL", "HOSPITAL"),
    ("DATE", "DATE"),
    ("DATE_NAISSANCE", "DATE"),
    ("TEL", "PHONE"),
    ("MAIL", "EMAIL"),
    ("IPP", "ID"),
    ("NDA", "ID"),
    ("SECU", "ID"),
    ("RPPS", "ID"),
    ("ID", "ID"),
];

/// Labels that the EDS-Pseudo corpora have; RPPS and ID are ours alone.
const EDS: &[&str] =
    &["ADRESSE", "DATE", "DATE_NAISSANCE", "HOPITAL", "IPP", "MAIL", "NDA", "NOM", "PRENOM", "SECU", "TEL", "VILLE", "ZIP"];

/// How the labels of a corpus and ours are brought together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    I2b2,
    Eds,
    Ours,
}

impl Scheme {
    /// The class of a true label and whether our labels have it.
    pub fn truth(self, label: &str) -> (String, bool) {
        match self {
            Scheme::I2b2 => match I2B2.iter().find(|t| t.name == label).and_then(|t| t.class) {
                Some(class) => (class.to_owned(), true),
                None => (label.to_owned(), false),
            },
            Scheme::Eds | Scheme::Ours => {
                let upper = label.to_uppercase();
                let known = OURS.iter().any(|(ours, _)| *ours == upper);
                (if known { upper } else { label.to_owned() }, known)
            }
        }
    }

    /// Predicted spans in the classes of the corpus, ascending. What the corpus does
    /// not annotate at all stays out of labelled scores.
    pub fn predicted(self, text: &[char], mut spans: Vec<Span>) -> Vec<Span> {
        spans.sort();
        match self {
            Scheme::Ours => spans,
            Scheme::Eds => spans.into_iter().filter(|s| EDS.contains(&s.label.as_str())).collect(),
            Scheme::I2b2 => {
                for span in &mut spans {
                    if let Some((_, class)) = OURS.iter().find(|(ours, _)| *ours == span.label) {
                        span.label = (*class).to_owned();
                    }
                }
                join_names(text, spans)
            }
        }
    }
}

/// A person is one span in i2b2, first and family name are two in ours.
fn join_names(text: &[char], spans: Vec<Span>) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        if let Some(last) = joined.last_mut()
            && last.label == "NAME"
            && span.label == "NAME"
            && text.get(last.end..span.start).is_some_and(|gap| gap.len() <= 3 && gap.iter().all(|c| !c.is_alphanumeric() && *c != '\n'))
        {
            last.end = span.end;
            continue;
        }
        joined.push(span);
    }
    joined
}

/// The HIPAA subset of a document: true spans of these types, and the predictions
/// that can be of these types. Our classes do not tell a patient from a doctor: a
/// prediction that meets only true spans outside of the subset counts neither way.
pub fn hipaa(types: &[Span], truth: &[Span], predicted: &[Span]) -> (Vec<Span>, Vec<Span>) {
    let listed: BTreeSet<&str> = I2B2.iter().filter(|t| t.hipaa).map(|t| t.name).collect();
    let classes: BTreeSet<&str> = I2B2.iter().filter(|t| t.hipaa).filter_map(|t| t.class).collect();
    let inside: Vec<bool> = types.iter().map(|t| listed.contains(t.label.as_str())).collect();
    let kept = truth.iter().zip(&inside).filter(|(_, inside)| **inside).map(|(span, _)| span.clone()).collect();
    let counts = |p: &&Span| {
        let meets = |wanted: bool| truth.iter().zip(&inside).any(|(t, i)| *i == wanted && t.start < p.end && p.start < t.end);
        classes.contains(p.label.as_str()) && (meets(true) || !meets(false))
    };
    (kept, predicted.iter().filter(counts).cloned().collect())
}

#[cfg(test)]
mod tests {
    use sillage_deidentification::Label;

    use super::*;

    fn span(start: usize, end: usize, label: &str) -> Span {
        Span { start, end, label: label.to_owned() }
    }

    #[test]
    fn every_label_of_ours_has_a_class_that_i2b2_has() {
        for label in Label::ALL {
            let class = OURS.iter().find(|(ours, _)| *ours == label.name()).map(|(_, class)| *class);
            assert!(I2B2.iter().any(|t| t.class.is_some() && t.class == class), "{} {class:?}", label.name());
        }
        assert_eq!((I2B2.len(), I2B2.iter().filter(|t| t.hipaa).count()), (31, 19));
        assert!(EDS.iter().all(|l| Label::from_name(l).is_some()));
    }

    #[test]
    fn first_and_family_name_become_one_person() {
        let text: Vec<char> = "Odile KERVADEC vue le 3 mai".chars().collect();
        let predicted = Scheme::I2b2.predicted(&text, vec![span(6, 14, "NOM"), span(0, 5, "PRENOM"), span(22, 27, "DATE_NAISSANCE")]);
        assert_eq!(predicted, [span(0, 14, "NAME"), span(22, 27, "DATE")]);
        let lines: Vec<char> = "Odile\nKERVADEC".chars().collect();
        assert_eq!(
            Scheme::I2b2.predicted(&lines, vec![span(0, 5, "PRENOM"), span(6, 14, "NOM")]).len(),
            2,
            "a line break parts two people"
        );
    }

    #[test]
    fn hipaa_keeps_patients_and_forgives_doctors() {
        let types = [span(0, 5, "PATIENT"), span(10, 15, "DOCTOR"), span(20, 25, "HOSPITAL")];
        let truth = [span(0, 5, "NAME"), span(10, 15, "NAME"), span(20, 25, "HOSPITAL")];
        let predicted = [span(0, 5, "NAME"), span(10, 15, "NAME"), span(20, 25, "HOSPITAL"), span(30, 35, "NAME")];
        let (kept, counted) = hipaa(&types, &truth, &predicted);
        assert_eq!(kept, [span(0, 5, "NAME")]);
        assert_eq!(counted, [span(0, 5, "NAME"), span(30, 35, "NAME")], "an invented name is still an error");
    }

    #[test]
    fn labels_are_compared_whatever_their_case() {
        assert_eq!(Scheme::Ours.truth("nom"), ("NOM".to_owned(), true));
        assert_eq!(Scheme::Ours.truth("Maladie"), ("Maladie".to_owned(), false));
        assert_eq!(Scheme::I2b2.truth("FAX"), ("PHONE".to_owned(), true));
        assert_eq!(Scheme::I2b2.truth("AGE"), ("AGE".to_owned(), false));
        assert!(Scheme::Eds.predicted(&[], vec![span(0, 3, "RPPS")]).is_empty());
    }
}
