//! What the functions know: the clinical lexicon, the declared variables, what
//! identifies people.

use std::sync::Arc;

use sillage_clinical::knowledge::Knowledge;
use sillage_deidentification::identity::Identity;
use sillage_variables::definition::Definitions;

/// Knowledge that every function shares.
#[derive(Clone)]
pub struct Library {
    pub knowledge: Arc<Knowledge>,
    pub definitions: Arc<Definitions>,
    pub identity: &'static Identity,
}
