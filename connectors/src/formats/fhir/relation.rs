//! What a resource says of another that it takes the place of.

use std::io;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::resource::{CodeableConcept, Contained, Identifier, Lenient, List, One, RawReference, Text, tokens, words};
use super::{Key, References, Target, id_of_full_url};

/// `relatesTo`, in the shapes of R4 and R5 and of DocumentReference and Composition.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RelatesTo<'a> {
    /// A code, or a concept since R5.
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    /// Composition since R5.
    #[serde(borrow, rename = "type")]
    type_: Lenient<Text<'a>>,
    #[serde(borrow)]
    target: One<RawReference<'a>>,
    #[serde(borrow, rename = "targetReference")]
    target_reference: One<RawReference<'a>>,
    #[serde(borrow, rename = "targetIdentifier")]
    target_identifier: One<Identifier<'a>>,
    #[serde(borrow, rename = "resourceReference")]
    resource_reference: One<RawReference<'a>>,
}

impl RelatesTo<'_> {
    /// Whether the resource takes the place of the other. One that appends,
    /// transforms or signs leaves the other as it stands.
    fn replaces(&self) -> bool {
        let is = |code: &str| code.eq_ignore_ascii_case("replaces");
        if words(&self.type_.0).is_some_and(is) {
            return true;
        }
        let Some(raw) = self.code else { return false };
        if let Ok(code) = serde_json::from_str::<Text<'_>>(raw.get()) {
            return is(code.0.trim());
        }
        let concept = serde_json::from_str::<CodeableConcept<'_>>(raw.get()).unwrap_or_default();
        concept.coding.0.iter().flat_map(|list| &list.0).filter_map(|c| words(&c.code)).chain(words(&concept.code)).any(is)
    }
}

/// The ids of the documents that a document takes the place of. One that is
/// named by an identifier alone is known by its value.
pub(super) fn replaced(
    relations: &Lenient<List<RelatesTo<'_>>>,
    resource_type: &str,
    contained: &[Contained<'_>],
    references: &mut dyn References,
) -> io::Result<Vec<String>> {
    let mut ids: Vec<String> = Vec::new();
    let mut add = |id: &str| {
        if !id.is_empty() && !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
    };
    for relation in relations.0.iter().flat_map(|list| &list.0).filter(|relation| relation.replaces()) {
        let named = [&relation.target, &relation.target_reference, &relation.resource_reference];
        let identifiers = named.iter().filter_map(|r| r.0.as_ref()).filter_map(|r| r.identifier.0.as_ref());
        let mut tokens: Vec<String> = identifiers.chain(relation.target_identifier.0.as_ref()).filter_map(Identifier::token).collect();
        let mut found = false;
        for reference in named.iter().filter_map(|r| r.0.as_ref()).filter_map(|r| words(&r.reference)) {
            match Target::parse(reference) {
                Target::Resource { resource_type: of, id } if of.is_none_or(|t| t == resource_type) => {
                    let near = references.id_beside(Key::Id { resource_type, id })?;
                    add(near.as_deref().unwrap_or(id));
                    found = true;
                }
                Target::FullUrl(url) => {
                    let near = references.id_beside(Key::FullUrl(url))?;
                    if let Some(id) = near.as_deref().or(id_of_full_url(url)) {
                        add(id);
                        found = true;
                    }
                }
                Target::Contained(id) => {
                    let other = contained.iter().find(|c| words(&c.id) == Some(id));
                    tokens.extend(other.into_iter().flat_map(|c| self::tokens(&c.identifier)));
                }
                Target::Search { query } => tokens.push(Target::searched_token(query)),
                Target::Resource { .. } | Target::Data(_) => {}
            }
        }
        for token in tokens.iter().filter(|_| !found) {
            if let Some(id) = references.id_beside(Key::Identifier { resource_type, token })? {
                add(&id);
                continue;
            }
            let value = token.split_once('|').map_or(token.as_str(), |(_, value)| value);
            add(value);
            // It may be the `fullUrl` that the other came under.
            add(id_of_full_url(value).unwrap_or_default());
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::super::reference::Nowhere;
    use super::*;

    fn of(json: &str) -> Vec<String> {
        let relations = serde_json::from_str(json).unwrap_or_default();
        replaced(&relations, "DocumentReference", &[], &mut Nowhere).unwrap_or_default()
    }

    #[test]
    fn every_way_to_say_replaces() {
        for (json, ids) in [
            (r#"[{"code":"replaces","target":{"reference":"DocumentReference/d0"}}]"#, &["d0"][..]),
            (r#"{"code":"Replaces","target":{"reference":"https://s/fhir/DocumentReference/d0/_history/2"}}"#, &["d0"]),
            (
                r#"[{"code":{"coding":[{"system":"http://hl7.org/fhir/document-relationship-type","code":"replaces"}]},"target":{"reference":"d0"}}]"#,
                &["d0"],
            ),
            (
                r#"[{"code":"replaces","target":{"identifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.3"}}}]"#,
                &["urn:oid:1.2.3", "1.2.3"],
            ),
            (r#"[{"code":"replaces","target":{"reference":"urn:uuid:0c"}}]"#, &["0c"]),
            (r#"[{"code":"replaces","target":{"reference":"DocumentReference?identifier=urn:x%7C7"}}]"#, &["7"]),
            (r#"[{"code":"replaces","targetIdentifier":{"value":"m1"}}]"#, &["m1"]),
            (r#"[{"type":"replaces","resourceReference":{"reference":"DocumentReference/d1"}}]"#, &["d1"]),
            (
                r#"[{"code":"replaces","target":{"reference":"DocumentReference/a"}},{"code":"replaces","target":{"reference":"DocumentReference/b"}},{"code":"replaces","target":{"reference":"DocumentReference/a"}}]"#,
                &["a", "b"],
            ),
            (r#"[{"code":"appends","target":{"reference":"DocumentReference/d0"}}]"#, &[]),
            (r#"[{"code":{"coding":[{"code":"transforms"}]},"target":{"reference":"DocumentReference/d0"}}]"#, &[]),
            (r#"[{"code":"signs","target":{"reference":"DocumentReference/d0"}},{"target":{"reference":"DocumentReference/d0"}}]"#, &[]),
            (r#"[{"code":"replaces","target":{"reference":"Media/m"}},{"code":"replaces"},{"code":7}]"#, &[]),
        ] {
            assert_eq!(of(json), ids, "{json}");
        }
    }
}
