//! Which source patients have been merged into which.
//!
//! Few patients are ever merged, so every link is in memory. That a patient stands
//! alone is said of all, and of each with every version: that is read from the
//! tables where it matters. The newest statement about a patient counts, whenever
//! it comes.

use std::collections::{HashMap, HashSet};

/// What was last said of a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// The patient that is left; `None`: the patient stands alone again.
    pub into: Option<String>,
    /// Microseconds UTC; `None` where the sender does not say.
    pub at: Option<i64>,
}

/// The links of a site, and what an epoch says beyond them.
#[derive(Debug, Clone, Default)]
pub(super) struct Merges(HashMap<String, Statement>);

impl Merges {
    /// Takes in what the tables say of a patient; who stands alone there costs nothing.
    pub(super) fn stored(&mut self, patient: &str, statement: Statement) {
        match statement.into {
            Some(_) => self.0.insert(patient.to_owned(), statement),
            None => self.0.remove(patient),
        };
    }

    /// Statements in memory.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes in a statement, unless a newer one is known.
    pub(super) fn state(&mut self, patient: &str, statement: Statement) {
        let known = self.0.get(patient);
        // Who stands alone at an unknown time says nothing new.
        if known.is_none() && statement.into.is_none() && statement.at.is_none() {
            return;
        }
        if known.and_then(|k| k.at).zip(statement.at).is_some_and(|(known, new)| new < known) {
            return;
        }
        // Two that are merged into each other: the later statement tells which one is left.
        if let Some(into) = &statement.into
            && self.survivor(into) == patient
        {
            let alone = Statement { into: None, at: statement.at };
            if self.0.get(into).and_then(|k| k.at).zip(statement.at).is_some_and(|(known, new)| new < known) {
                self.0.insert(patient.to_owned(), alone);
                return;
            }
            self.0.insert(into.clone(), alone);
        }
        self.0.insert(patient.to_owned(), statement);
    }

    /// The patient that is left of this one.
    pub(super) fn survivor<'a>(&'a self, patient: &'a str) -> &'a str {
        let mut at = patient;
        // No chain is longer than there are statements.
        for _ in 0..=self.0.len() {
            match self.0.get(at).and_then(|s| s.into.as_deref()) {
                Some(into) if into != at => at = into,
                _ => break,
            }
        }
        at
    }

    /// The last statement about a patient.
    pub(super) fn statement(&self, patient: &str) -> Option<&Statement> {
        self.0.get(patient)
    }

    /// These patients, those left of them, and all others of whom these are left; sorted.
    pub(super) fn families<'a>(&'a self, patients: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        let mut all: HashSet<&str> = patients.into_iter().collect();
        let survivors: HashSet<&str> = all.iter().map(|p| self.survivor(p)).collect();
        all.extend(self.0.keys().map(String::as_str).filter(|p| survivors.contains(self.survivor(p))));
        all.extend(survivors);
        let mut all: Vec<&str> = all.into_iter().collect();
        all.sort_unstable();
        all
    }

    /// Patients of whom another one is left than before.
    pub(super) fn changed<'a>(&'a self, before: &'a Merges) -> Vec<&'a str> {
        self.0.keys().map(String::as_str).filter(|p| self.survivor(p) != before.survivor(p)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn into(patient: &str, at: i64) -> Statement {
        Statement { into: Some(patient.to_owned()), at: Some(at) }
    }

    #[test]
    fn merges_follow_each_other() {
        let mut merges = Merges::default();
        merges.state("a", into("b", 1));
        let before = merges.clone();
        merges.state("b", into("c", 2));
        assert_eq!(merges.survivor("a"), "c");
        assert_eq!(merges.families(["a"]), ["a", "b", "c"]);
        assert_eq!(merges.families(["c", "d"]), ["a", "b", "c", "d"]);
        let mut changed = merges.changed(&before);
        changed.sort_unstable();
        assert_eq!(changed, ["a", "b"]);
    }

    #[test]
    fn a_late_older_statement_does_not_win() {
        let mut merges = Merges::default();
        merges.state("a", into("b", 5));
        merges.state("a", Statement { into: None, at: Some(4) });
        assert_eq!(merges.survivor("a"), "b");
        merges.state("a", Statement { into: None, at: Some(6) });
        assert_eq!(merges.survivor("a"), "a");
        merges.state("a", into("b", 5));
        assert_eq!(merges.survivor("a"), "a");
    }

    #[test]
    fn a_circle_has_one_survivor() {
        let mut merges = Merges::default();
        merges.state("a", into("b", 1));
        merges.state("b", into("a", 2));
        assert_eq!((merges.survivor("a"), merges.survivor("b")), ("a", "a"));
        merges.state("c", into("c", 3));
        assert_eq!(merges.survivor("c"), "c");
    }

    #[test]
    fn an_undone_merge_is_known_before_the_merge() {
        let mut merges = Merges::default();
        merges.state("a", Statement { into: None, at: Some(2) });
        merges.state("a", into("b", 1));
        assert_eq!(merges.survivor("a"), "a");
        merges.state("c", Statement { into: None, at: None });
        assert!(merges.statement("c").is_none(), "who always stood alone costs nothing");
    }
}
