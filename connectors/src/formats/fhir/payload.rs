//! A payload that came in one piece: what its resources refer to is looked for
//! in the Bundle that holds them.

use std::collections::HashMap;
use std::io;
use std::ops::Range;

use chrono_tz::Tz;

use super::referable::{self, Referable};
use super::reference::Nowhere;
use super::{Intake, Key, References, Shape};
use crate::rows::Rows;

/// Takes one payload: a resource, or a Bundle of any type.
pub(crate) fn take(payload: &[u8], place: &str, rows: &mut Rows, timezone: Tz) {
    // Nothing outside the payload is read, so nothing can fail.
    let _ = Intake::new(rows, timezone).take(payload, Shape::Resource, place, &mut Nowhere);
}

/// The resources of a Bundle, before those that are known outside it.
pub(super) struct Payload<'p> {
    json: &'p str,
    level: usize,
    /// Made when something is first looked for.
    index: Option<Index>,
    outside: &'p mut dyn References,
}

#[derive(Default)]
struct Index {
    found: Vec<(Option<String>, Range<usize>)>,
    by_id: HashMap<(String, String), usize>,
    by_url: HashMap<String, usize>,
    by_identifier: HashMap<(String, String), usize>,
}

impl<'p> Payload<'p> {
    pub fn inside(json: &'p str, level: usize, outside: &'p mut dyn References) -> Self {
        Payload { json, level, index: None, outside }
    }

    fn position(&mut self, key: Key<'_>) -> Option<(&Index, usize)> {
        let index = self.index.get_or_insert_with(|| Index::of(self.json, self.level));
        let at = match key {
            Key::Id { resource_type, id } => index.by_id.get(&(resource_type.to_owned(), id.to_owned())),
            Key::FullUrl(url) => index.by_url.get(url),
            Key::Identifier { resource_type, token } => index.by_identifier.get(&(resource_type.to_owned(), token.to_owned())),
        };
        at.copied().map(|at| (&*index, at))
    }
}

impl Index {
    /// Of several resources of one key the first counts.
    fn of(json: &str, level: usize) -> Self {
        let mut index = Index::default();
        referable::beside(json, level, &mut |resource: Referable| {
            let at = index.found.len();
            if let Some(id) = &resource.id {
                index.by_id.entry((resource.resource_type.clone(), id.clone())).or_insert(at);
            }
            if let Some(url) = resource.full_url {
                index.by_url.entry(url).or_insert(at);
            }
            for token in resource.identifiers {
                index.by_identifier.entry((resource.resource_type.clone(), token)).or_insert(at);
            }
            index.found.push((resource.id, resource.range));
        });
        index
    }
}

impl References for Payload<'_> {
    fn find(&mut self, key: Key<'_>) -> io::Result<Option<Vec<u8>>> {
        let range = self.position(key).map(|(index, at)| index.found[at].1.clone());
        match range {
            Some(range) => Ok(self.json.get(range).map(|json| json.as_bytes().to_vec())),
            None => self.outside.find(key),
        }
    }

    fn id(&mut self, key: Key<'_>) -> io::Result<Option<String>> {
        match self.id_beside(key)? {
            Some(id) => Ok(Some(id)),
            None => self.outside.id(key),
        }
    }

    fn id_beside(&mut self, key: Key<'_>) -> io::Result<Option<String>> {
        match self.position(key).and_then(|(index, at)| index.found[at].0.clone()) {
            Some(id) => Ok(Some(id)),
            None => self.outside.id_beside(key),
        }
    }

    fn beside(&mut self, key: Key<'_>) -> io::Result<Option<Vec<u8>>> {
        let range = self.position(key).map(|(index, at)| index.found[at].1.clone());
        match range {
            Some(range) => Ok(self.json.get(range).map(|json| json.as_bytes().to_vec())),
            None => self.outside.beside(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn one_payload_may_be_anything() -> Result<(), crate::source::SourceError> {
        for (payload, rows_expected, letters) in [
            (r#"{"resourceType":"Patient","id":"p"}"#, 1, 0),
            (
                r#"{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resourceType":"Patient","id":"p"}},{"resource":{"resourceType":"Patient","id":"q"}}]}"#,
                2,
                0,
            ),
            ("nonsense", 0, 1),
            ("", 0, 1),
        ] {
            let mut rows = Rows::new("s", DateTime::UNIX_EPOCH);
            take(payload.as_bytes(), "m 1", &mut rows, Tz::Europe__Paris);
            let epoch = rows.finish(crate::source::Position::default())?;
            assert_eq!((epoch.patients.num_rows(), epoch.dead_letters.len()), (rows_expected, letters), "{payload}");
        }
        Ok(())
    }

    #[test]
    fn the_first_of_a_key_and_what_is_outside() -> io::Result<()> {
        struct Outside;
        impl References for Outside {
            fn find(&mut self, key: Key<'_>) -> io::Result<Option<Vec<u8>>> {
                Ok(matches!(key, Key::Id { id: "far", .. }).then(|| br#"{"id":"far"}"#.to_vec()))
            }
        }
        let json = r#"{"resourceType":"Bundle","entry":[{"fullUrl":"http://s/Binary/b","resource":{"resourceType":"Binary","id":"b","data":"QQ=="}},{"resource":{"resourceType":"Binary","id":"b","data":"Qg=="}}]}"#;
        let mut outside = Outside;
        let mut payload = Payload::inside(json, 0, &mut outside);
        let by_id = payload.find(Key::Id { resource_type: "Binary", id: "b" })?.unwrap_or_default();
        assert!(by_id.starts_with(b"{") && by_id.ends_with(br#""data":"QQ=="}"#));
        assert_eq!(payload.find(Key::FullUrl("http://s/Binary/b"))?, Some(by_id));
        assert!(payload.find(Key::Id { resource_type: "Patient", id: "b" })?.is_none());
        assert_eq!(payload.id(Key::Id { resource_type: "Patient", id: "far" })?.as_deref(), Some("far"));
        assert_eq!(payload.id_beside(Key::Id { resource_type: "Patient", id: "far" })?, None);
        Ok(())
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(json in "([{}\\[\\]:, a1]|\"entry\":\\[|\"resourceType\":\"(Bundle|Patient|DocumentReference|Composition)\",|\"type\":\"(document|message)\",|\"resource\":\\{|\"request\":\\{\"method\":\"DELETE\"|\"url\":\"DocumentReference/x\"){0,25}") {
            let mut rows = Rows::new("s", DateTime::UNIX_EPOCH);
            take(json.as_bytes(), "m", &mut rows, Tz::Europe__Paris);
            let _ = super::super::inspect::inspect(json.as_bytes());
            proptest::prop_assert!(rows.finish(crate::source::Position::default()).is_ok());
        }
    }
}
