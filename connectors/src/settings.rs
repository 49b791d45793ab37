//! Settings of the sources that speak over a network; a part each in the pipeline file.

use serde::Deserialize;

/// The settings of every kind of source.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub mllp: crate::mllp::Settings,
    pub fhir: crate::fhir_rest::Settings,
    pub subscription: crate::subscription::Settings,
}
