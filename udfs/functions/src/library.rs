//! What the functions know: the clinical lexicon, the declared variables, what
//! identifies people, the learned models.

use std::sync::Arc;

use sillage_clinical::knowledge::Knowledge;
use sillage_deidentification::identity::Identity;
use sillage_inference::Models;
use sillage_variables::definition::Definitions;

use crate::hybrid::Hybrid;

/// Knowledge that every function shares.
#[derive(Clone)]
pub struct Library {
    pub knowledge: Arc<Knowledge>,
    pub definitions: Arc<Definitions>,
    pub identity: &'static Identity,
    /// Model folders, loaded when a query names one.
    pub models: Arc<Models>,
    /// Models that vote beside the rules, where the pipeline names any.
    pub hybrid: Option<Arc<Hybrid>>,
}
