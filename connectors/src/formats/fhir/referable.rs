//! The resources that others refer to, for the indexes of those who answer.

use std::borrow::Cow;

use super::bundle::{Bundle, Entry, Envelope};
use super::document::document_id;
use super::resource::{Contained, DocumentReference, Identifier, tokens, words};
use super::{MAX_BUNDLES, MAX_DEPTH, Shape, exceeds_depth, leading_type, resource_type};

/// What an index keeps of a resource that others may refer to.
#[derive(Debug, Default)]
pub(crate) struct Referable {
    pub resource_type: String,
    pub id: Option<String>,
    pub full_url: Option<String>,
    pub identifiers: Vec<String>,
    /// Where the resource is in the bytes given.
    pub range: std::ops::Range<usize>,
}

/// What documents refer to in any source.
const FAR: &[&str] = &["Binary", "Patient", "Encounter"];
/// What they refer to in the Bundle that they come in.
pub(super) const BESIDE: &[&str] = &["Binary", "Patient", "Encounter", "DocumentReference", "Practitioner", "PractitionerRole"];

/// The resources in a piece of JSON that documents refer to: Binary, and those
/// Patients and Encounters that are known by a `fullUrl` or identifiers.
pub(crate) fn referable(json: &[u8], shape: Shape, found: &mut dyn FnMut(Referable)) {
    let Ok(text) = std::str::from_utf8(json) else { return };
    if !exceeds_depth(json, MAX_DEPTH) {
        let mut search = Search { whole: text, types: FAR, found };
        match shape {
            Shape::Resource => search.resource(text, &Envelope::default(), 0),
            Shape::Entry => search.entry(text, 0),
        }
    }
}

/// The resources in a Bundle that others in it refer to.
pub(super) fn beside(bundle: &str, level: usize, found: &mut dyn FnMut(Referable)) {
    Search { whole: bundle, types: BESIDE, found }.resource(bundle, &Envelope::default(), level);
}

struct Search<'s> {
    whole: &'s str,
    types: &'static [&'static str],
    found: &'s mut dyn FnMut(Referable),
}

impl Search<'_> {
    fn entry(&mut self, json: &str, level: usize) {
        let Ok(entry) = serde_json::from_str::<Entry<'_>>(json) else { return };
        if let Some(resource) = entry.resource {
            self.resource(resource.get(), &entry.envelope(level), level);
        }
    }

    fn resource(&mut self, json: &str, envelope: &Envelope<'_>, level: usize) {
        let wanted = |name: &str| name == "Bundle" || self.types.contains(&name);
        if leading_type(json).is_some_and(|name| !wanted(name)) {
            return;
        }
        let Ok(Some(name)) = resource_type(json) else { return };
        match &*name {
            "Bundle" if level < MAX_BUNDLES => {
                for entry in serde_json::from_str::<Bundle<'_>>(json).ok().and_then(|b| b.entry).unwrap_or_default() {
                    self.entry(entry.get(), level + 1);
                }
                return;
            }
            name if !self.types.contains(&name) => return,
            _ => {}
        }
        let (id, identifiers) = if name == "DocumentReference" {
            let Ok(document) = serde_json::from_str::<DocumentReference<'_>>(json) else { return };
            let master = document.master_identifier.0.iter().filter_map(Identifier::token);
            (document_id(&document, envelope), master.chain(tokens(&document.identifier)).collect())
        } else {
            let Ok(head) = serde_json::from_str::<Contained<'_>>(json) else { return };
            let identifiers = if name == "Binary" { Vec::new() } else { tokens(&head.identifier) };
            (envelope.id_of(words(&head.id), &name).map(Cow::into_owned), identifiers)
        };
        let start = json.as_ptr() as usize - self.whole.as_ptr() as usize;
        (self.found)(Referable {
            id,
            full_url: envelope.full_url.map(str::to_owned),
            identifiers,
            range: start..start + json.len(),
            resource_type: name.into_owned(),
        });
    }
}
