//! What a policy does with each level of content, and where content other than
//! direct identifiers says more than it should.
//!
//! Everything comes from a `deid.toml`: the embedded one has the policies `strict`,
//! `research` (the default) and `internal`; a file of the site may add policies or
//! replace the categories. Unknown keys are refused with the nearest known one.

mod category;
mod file;

use std::collections::BTreeMap;

use serde::Deserialize;
use sillage_clinical::analysis::Analysis;
use sillage_schemas::Fault;
use thiserror::Error;

use crate::Label;
use category::Categories;

/// The commented default file.
pub const BUILT_IN: &str = include_str!("../data/deid.toml");

/// The policy of who names none.
pub const DEFAULT: &str = "research";

/// How much content says about who somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Direct,
    Quasi,
    Sensitive,
    General,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Level::Direct => "direct",
            Level::Quasi => "quasi",
            Level::Sensitive => "sensitive",
            Level::General => "general",
        }
    }
}

/// What happens to content of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// A surrogate of the same kind; dates move.
    Replace,
    /// Something broader.
    Generalise,
    Mask,
    Keep,
}

/// How hidden text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mask {
    /// `<NOM>`
    Tag,
    /// `████`, one a character.
    Redact,
}

/// A policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub name: String,
    pub description: String,
    pub direct: Action,
    pub quasi: Action,
    pub sensitive: Action,
    pub general: Action,
    pub mask: Mask,
    /// Labels of direct identifiers that are treated otherwise.
    pub labels: BTreeMap<Label, Action>,
}

impl Policy {
    pub fn action(&self, level: Level) -> Action {
        match level {
            Level::Direct => self.direct,
            Level::Quasi => self.quasi,
            Level::Sensitive => self.sensitive,
            Level::General => self.general,
        }
    }

    pub fn of_label(&self, label: Label) -> Action {
        self.labels.get(&label).copied().unwrap_or(self.direct)
    }

    /// The same policy with every direct identifier hidden.
    pub fn masking(mut self, mask: Mask) -> Policy {
        self.mask = mask;
        self.direct = Action::Mask;
        self.labels.clear();
        self
    }
}

/// A part of a text that belongs to a level and is no direct identifier.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// Bytes of the original.
    pub start: usize,
    pub end: usize,
    pub level: Level,
    /// Name of the category, or of the section.
    pub category: String,
    /// A section as a whole: hidden where the policy masks the level, kept otherwise.
    pub section: bool,
    /// What generalising writes; without it the passage is masked instead.
    pub generalised: Option<String>,
}

impl Passage {
    /// What a policy does with it.
    pub fn action(&self, policy: &Policy) -> Action {
        match policy.action(self.level) {
            Action::Mask => Action::Mask,
            _ if self.section => Action::Keep,
            // There are no surrogates of content: the broader word stands for it.
            Action::Replace | Action::Generalise if self.generalised.is_some() => Action::Generalise,
            Action::Replace | Action::Generalise => Action::Mask,
            Action::Keep => Action::Keep,
        }
    }
}

/// A `deid.toml` that cannot be used.
#[derive(Debug, Error)]
pub enum PolicyError {
    #[error("{message}")]
    Toml { message: String },
    #[error("unknown key `{key}`; the nearest known key is `{nearest}`")]
    UnknownKey { key: String, nearest: String },
    #[error("there is no policy `{name}`; known: {known}")]
    UnknownPolicy { name: String, known: String },
    #[error("category `{category}`: {message}")]
    Category { category: String, message: String },
}

impl PolicyError {
    pub fn fault(&self) -> Fault {
        Fault::Configuration
    }
}

/// The policies of a file and the categories they speak of.
pub struct Policies {
    policies: BTreeMap<String, Policy>,
    categories: Categories,
}

impl Policies {
    /// The embedded file.
    ///
    /// Errors: the place in the file that cannot be used.
    pub fn built_in() -> Result<Policies, PolicyError> {
        let file = file::read(BUILT_IN)?;
        Ok(Policies { policies: file::policies(file.policy)?, categories: Categories::new(file.category, file.section)? })
    }

    /// A file of the site over the embedded one: its policies are added to, its
    /// categories and sections stand in the place of, those of the embedded file.
    ///
    /// Errors: the key or the value that cannot be used.
    pub fn read(text: &str) -> Result<Policies, PolicyError> {
        let (site, base) = (file::read(text)?, file::read(BUILT_IN)?);
        let mut policies = file::policies(base.policy)?;
        policies.extend(file::policies(site.policy)?);
        let category = if site.category.is_empty() { base.category } else { site.category };
        let section = if site.section.is_empty() { base.section } else { site.section };
        Ok(Policies { policies, categories: Categories::new(category, section)? })
    }

    /// A policy by name.
    ///
    /// Errors: no such policy; the message lists those there are.
    pub fn policy(&self, name: &str) -> Result<&Policy, PolicyError> {
        self.policies.get(name).ok_or_else(|| PolicyError::UnknownPolicy {
            name: name.to_owned(),
            known: self.policies.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        })
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.policies.keys().map(String::as_str)
    }

    /// Where a text holds quasi-identifiers and sensitive content, ascending; sections
    /// may hold other passages, those are disjoint.
    pub fn passages(&self, analysis: &Analysis<'_>) -> Vec<Passage> {
        self.categories.passages(analysis)
    }
}

#[cfg(test)]
mod tests {
    use sillage_clinical::knowledge::Knowledge;

    use super::*;

    fn found(text: &str) -> Vec<(String, String)> {
        let policies = Policies::built_in().unwrap();
        let analysis = Analysis::new(Knowledge::built_in(), text, None);
        policies.passages(&analysis).into_iter().filter(|p| !p.section).map(|p| (p.category, text[p.start..p.end].to_owned())).collect()
    }

    fn one(category: &str, text: &str) -> Vec<(String, String)> {
        vec![(category.to_owned(), text.to_owned())]
    }

    #[test]
    fn three_policies_ship() {
        let policies = Policies::built_in().unwrap();
        assert_eq!(policies.names().collect::<Vec<_>>(), ["internal", "research", "strict"]);
        let strict = policies.policy("strict").unwrap();
        assert_eq!((strict.of_label(Label::Nom), strict.of_label(Label::Date)), (Action::Mask, Action::Replace));
        assert_eq!(policies.policy(DEFAULT).unwrap().quasi, Action::Generalise);
        let error = policies.policy("reserch").unwrap_err().to_string();
        assert!(error.contains("research"), "{error}");
    }

    #[test]
    fn unknown_keys_name_the_nearest() {
        for (text, nearest) in [
            ("[policy.site]\ndirekt = \"mask\"", "policy.site.direct"),
            ("[polices.site]\ndirect = \"mask\"", "policy"),
            ("[[category]]\nname = \"x\"\nlevl = \"quasi\"", "category.level"),
        ] {
            let Err(error) = Policies::read(text) else { panic!("{text} was read") };
            assert!(error.to_string().contains(&format!("`{nearest}`")), "{error}");
        }
        let Err(error) = Policies::read("[policy.site]\ndirect = \"hide\"\nquasi=\"mask\"\nsensitive=\"keep\"\ngeneral=\"keep\"") else {
            panic!("an unknown action was read")
        };
        assert!(error.to_string().contains("hide"), "{error}");
    }

    #[test]
    fn a_site_adds_a_policy() {
        let text =
            "[policy.site]\ndirect = \"mask\"\nquasi = \"keep\"\nsensitive = \"mask\"\ngeneral = \"keep\"\nlabels = { ZIP = \"keep\" }";
        let policies = Policies::read(text).unwrap();
        assert_eq!(policies.policy("site").unwrap().of_label(Label::Zip), Action::Keep);
        assert!(policies.policy("strict").is_ok());
    }

    #[test]
    fn great_ages_are_quasi_identifiers() {
        assert_eq!(found("Patiente âgée de 93 ans, mère de deux enfants."), one("age_over_89", "93 ans"));
        assert_eq!(found("Patient de 89 ans."), []);
        assert_eq!(found("Il s'agit d'un nonagénaire."), one("age_over_89", "nonagénaire"));
    }

    #[test]
    fn occupations_need_their_context() {
        assert_eq!(found("Ancien boulanger, vit seul."), one("occupation", "boulanger"));
        assert_eq!(found("Maçon à la retraite."), one("occupation", "Maçon"));
        assert_eq!(found("L'infirmière a appelé le médecin."), []);
    }

    #[test]
    fn events_families_and_places() {
        assert_eq!(found("Il a été retrouvé au sol sur le parking."), one("place_of_event", "parking"));
        assert_eq!(found("Le parking de l'hôpital est payant."), []);
        assert_eq!(found("Sa sœur jumelle est suivie."), one("family", "sœur jumelle"));
        assert_eq!(found("Rescapé d'une avalanche.").len(), 2);
    }

    #[test]
    fn sensitive_content_by_code_and_word() {
        assert_eq!(found("Antécédent de schizophrénie.")[0].0, "psychiatry");
        assert_eq!(found("Consommation de cannabis.")[0].0, "addiction");
        assert_eq!(found("Victime de violences conjugales.")[0].0, "violence");
        assert_eq!(found("Hypertension artérielle."), []);
    }
}
