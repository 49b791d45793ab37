//! What a FHIR reference leads to.

use std::io;

use super::resource::{Head, words};
use crate::formats::attachment::percent_decode;

/// A reference, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// `Type/id`, relative or at the end of an absolute URL, version dropped;
    /// without a type where only an id was written.
    Resource { resource_type: Option<&'a str>, id: &'a str },
    /// `urn:uuid:…`, `urn:oid:…`, or a URL that ends otherwise.
    FullUrl(&'a str),
    /// `#id`.
    Contained(&'a str),
    /// `data:…`.
    Data(&'a str),
    /// `Type?identifier=system|value`.
    Search { query: &'a str },
}

impl<'a> Target<'a> {
    pub fn parse(reference: &'a str) -> Self {
        let reference = reference.trim();
        let begins = |scheme: &str| reference.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme));
        if let Some(id) = reference.strip_prefix('#') {
            return Target::Contained(id);
        }
        if begins("data:") {
            return Target::Data(reference);
        }
        if begins("urn:") {
            return Target::FullUrl(reference);
        }
        if let Some((_, query)) = reference.split_once("?identifier=") {
            return Target::Search { query };
        }
        let path = reference.split(['?', '#']).next().unwrap_or(reference).trim_end_matches('/');
        let path = path.split_once("/_history").map_or(path, |(path, _)| path);
        let mut segments = path.rsplit('/');
        let id = segments.next().unwrap_or_default();
        match segments.next() {
            Some(name) if name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(|b| b.is_ascii_alphabetic()) => {
                Target::Resource { resource_type: Some(name), id }
            }
            None => Target::Resource { resource_type: None, id },
            Some(_) => Target::FullUrl(reference),
        }
    }

    /// The `system|value` searched for.
    pub fn searched_token(query: &str) -> String {
        let value = query.split('&').next().unwrap_or(query);
        let token = String::from_utf8_lossy(&percent_decode(value)).into_owned();
        if token.contains('|') { token } else { format!("|{token}") }
    }
}

/// What to look a resource up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key<'k> {
    /// By type and logical id.
    Id { resource_type: &'k str, id: &'k str },
    /// By the `fullUrl` of its Bundle entry.
    FullUrl(&'k str),
    /// By one of its identifiers, as `system|value`.
    Identifier { resource_type: &'k str, token: &'k str },
}

/// Finds other resources of the same source. Implemented by transports.
pub trait References {
    /// The JSON of the resource, `None` where the source has none such.
    ///
    /// # Errors
    /// The source cannot be read; another try may succeed.
    fn find(&mut self, key: Key<'_>) -> io::Result<Option<Vec<u8>>>;

    /// The id of the resource, `None` where the source has none such, or has it without an id.
    ///
    /// # Errors
    /// As for [`References::find`].
    fn id(&mut self, key: Key<'_>) -> io::Result<Option<String>> {
        let found = self.find(key)?;
        let head = found.as_deref().and_then(|json| serde_json::from_slice::<Head<'_>>(json).ok());
        Ok(head.as_ref().and_then(|head| words(&head.id)).map(str::to_owned))
    }

    /// The resource, of any type, if it came in one piece with the one that
    /// refers to it. Never a search through the whole source.
    ///
    /// # Errors
    /// As for [`References::find`].
    fn beside(&mut self, _key: Key<'_>) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    /// The id that [`References::beside`]'s resource is known by here.
    ///
    /// # Errors
    /// As for [`References::find`].
    fn id_beside(&mut self, _key: Key<'_>) -> io::Result<Option<String>> {
        Ok(None)
    }
}

/// No other resource is known.
pub struct Nowhere;

impl References for Nowhere {
    fn find(&mut self, _key: Key<'_>) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(resource_type: &'static str, id: &'static str) -> Target<'static> {
        Target::Resource { resource_type: Some(resource_type), id }
    }

    #[test]
    fn every_way_to_refer() {
        assert_eq!(Target::parse("Patient/p1"), resource("Patient", "p1"));
        assert_eq!(Target::parse("https://server/fhir/R4/Patient/p1/_history/3"), resource("Patient", "p1"));
        assert_eq!(Target::parse("/Binary/b.1?_format=json"), resource("Binary", "b.1"));
        assert_eq!(Target::parse("p1"), Target::Resource { resource_type: None, id: "p1" });
        assert_eq!(Target::parse("urn:uuid:0c"), Target::FullUrl("urn:uuid:0c"));
        assert_eq!(Target::parse("https://dms/doc/12"), Target::FullUrl("https://dms/doc/12"));
        assert_eq!(Target::parse("#a"), Target::Contained("a"));
        assert_eq!(Target::parse("data:,x"), Target::Data("data:,x"));
        let query = "urn:oid:1.2%7C42";
        assert_eq!(Target::parse("Patient?identifier=urn:oid:1.2%7C42"), Target::Search { query });
        assert_eq!(Target::searched_token(query), "urn:oid:1.2|42");
    }
}
