//! The few elements we read of the few resources we read, leniently: unknown
//! elements are skipped, elements of the wrong shape count as absent unless we
//! cannot do without, a single object may stand for a list.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::relation::RelatesTo;

/// A primitive, borrowed where JSON allows; numbers and booleans as written.
#[derive(Clone, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a primitive")
            }
            fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(value)))
            }
            fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(value.to_owned())))
            }
            fn visit_string<E: Error>(self, value: String) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(value)))
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(value.to_string())))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(value.to_string())))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(value.to_string())))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(value.to_string())))
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// The words of a primitive, `None` where it is absent or blank.
pub fn words<'t>(text: &'t Option<Text<'_>>) -> Option<&'t str> {
    text.as_ref().map(|text| text.0.trim()).filter(|text| !text.is_empty())
}

/// An element that we can do without: absent when its shape is wrong.
#[derive(Debug, Clone)]
pub struct Lenient<T>(pub Option<T>);

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Lenient(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        Ok(Lenient(serde_json::from_str(raw.get()).ok()))
    }
}

/// An object that we can do without, or the first of a list of them.
#[derive(Debug, Clone)]
pub struct One<T>(pub Option<T>);

impl<T> Default for One<T> {
    fn default() -> Self {
        One(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for One<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Lenient(list) = Lenient::<List<T>>::deserialize(deserializer)?;
        Ok(One(list.and_then(|list| list.0.into_iter().next())))
    }
}

/// Zero or more, whether written as a list, alone or as null.
#[derive(Debug, Clone)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        List(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of objects")
            }
            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(List::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element::<Option<T>>()? {
                    items.extend(item);
                }
                Ok(List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|item| List(vec![item]))
            }
        }
        deserializer.deserialize_any(ListVisitor(std::marker::PhantomData))
    }
}

/// What every resource begins with, and what marks a Bulk Data manifest.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Head<'a> {
    #[serde(borrow, rename = "resourceType")]
    pub resource_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    #[serde(rename = "transactionTime")]
    pub transaction_time: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Meta<'a> {
    #[serde(borrow, rename = "versionId")]
    pub version_id: Option<Text<'a>>,
    #[serde(borrow, rename = "lastUpdated")]
    pub last_updated: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Coding<'a> {
    #[serde(borrow)]
    pub system: Option<Text<'a>>,
    #[serde(borrow)]
    pub code: Option<Text<'a>>,
    #[serde(borrow)]
    pub display: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CodeableConcept<'a> {
    #[serde(borrow)]
    pub coding: Lenient<List<Coding<'a>>>,
    #[serde(borrow)]
    pub text: Option<Text<'a>>,
    /// Where a Coding stands in the place of a concept.
    #[serde(borrow)]
    pub code: Option<Text<'a>>,
    #[serde(borrow)]
    pub display: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Identifier<'a> {
    #[serde(borrow, rename = "type")]
    pub type_: One<CodeableConcept<'a>>,
    #[serde(borrow)]
    pub system: Option<Text<'a>>,
    #[serde(borrow)]
    pub value: Option<Text<'a>>,
}

impl Identifier<'_> {
    /// `system|value`; `|value` without a system.
    pub fn token(&self) -> Option<String> {
        let value = words(&self.value)?;
        Some(format!("{}|{value}", words(&self.system).unwrap_or_default()))
    }
}

/// The `system|value` pairs of a list of identifiers.
pub fn tokens(identifiers: &Lenient<List<Identifier<'_>>>) -> Vec<String> {
    identifiers.0.iter().flat_map(|list| &list.0).filter_map(Identifier::token).collect()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RawReference<'a> {
    #[serde(borrow)]
    pub reference: Option<Text<'a>>,
    #[serde(borrow)]
    pub identifier: One<Identifier<'a>>,
    #[serde(borrow)]
    pub display: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Period<'a> {
    #[serde(borrow)]
    pub start: Option<Text<'a>>,
    #[serde(borrow)]
    pub end: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct HumanName<'a> {
    #[serde(borrow)]
    pub text: Option<Text<'a>>,
    #[serde(borrow)]
    pub family: Option<Text<'a>>,
    #[serde(borrow)]
    pub given: Lenient<Vec<Text<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Address<'a> {
    #[serde(borrow)]
    pub line: Lenient<Vec<Text<'a>>>,
    #[serde(borrow, rename = "postalCode")]
    pub postal_code: Option<Text<'a>>,
    #[serde(borrow)]
    pub city: Option<Text<'a>>,
}

/// A telephone number or a mail address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ContactPoint<'a> {
    #[serde(borrow)]
    pub system: Option<Text<'a>>,
    #[serde(borrow)]
    pub value: Option<Text<'a>>,
}

/// Somebody close to the patient.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PatientContact<'a> {
    #[serde(borrow)]
    pub name: One<HumanName<'a>>,
    #[serde(borrow)]
    pub telecom: Lenient<List<ContactPoint<'a>>>,
}

/// A resource inside another, of any type.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Contained<'a> {
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    #[serde(borrow)]
    pub identifier: Lenient<List<Identifier<'a>>>,
    #[serde(borrow)]
    pub name: Lenient<List<HumanName<'a>>>,
    #[serde(borrow, rename = "contentType")]
    pub content_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub data: Option<Text<'a>>,
    /// Whose role it is.
    #[serde(borrow)]
    pub practitioner: One<RawReference<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct DocumentReference<'a> {
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    #[serde(borrow)]
    pub meta: One<Meta<'a>>,
    #[serde(borrow)]
    pub language: Lenient<Text<'a>>,
    #[serde(borrow)]
    pub contained: Option<&'a RawValue>,
    #[serde(borrow, rename = "masterIdentifier")]
    pub master_identifier: One<Identifier<'a>>,
    #[serde(borrow)]
    pub identifier: Lenient<List<Identifier<'a>>>,
    #[serde(borrow)]
    pub status: Lenient<Text<'a>>,
    #[serde(borrow, rename = "docStatus")]
    pub doc_status: Lenient<Text<'a>>,
    #[serde(borrow, rename = "type")]
    pub type_: One<CodeableConcept<'a>>,
    #[serde(borrow)]
    pub subject: One<RawReference<'a>>,
    #[serde(borrow)]
    pub date: Lenient<Text<'a>>,
    #[serde(borrow)]
    pub author: Lenient<List<RawReference<'a>>>,
    #[serde(borrow)]
    pub description: Lenient<Text<'a>>,
    #[serde(borrow)]
    pub content: List<Content<'a>>,
    #[serde(borrow)]
    pub context: Lenient<List<Context<'a>>>,
    #[serde(borrow, rename = "relatesTo")]
    pub(super) relates_to: Lenient<List<RelatesTo<'a>>>,
    /// R5 moved it out of the context.
    #[serde(borrow)]
    pub period: One<Period<'a>>,
}

/// R4: one context with encounters; R5: a list of references to encounters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Context<'a> {
    #[serde(borrow)]
    pub encounter: Lenient<List<RawReference<'a>>>,
    #[serde(borrow)]
    pub period: One<Period<'a>>,
    #[serde(borrow)]
    pub reference: Option<Text<'a>>,
    #[serde(borrow)]
    pub identifier: One<Identifier<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Content<'a> {
    #[serde(borrow)]
    pub attachment: Option<Attachment<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Attachment<'a> {
    #[serde(borrow, rename = "contentType")]
    pub content_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub language: Option<Text<'a>>,
    #[serde(borrow)]
    pub data: Option<Text<'a>>,
    #[serde(borrow)]
    pub url: Option<Text<'a>>,
    #[serde(borrow)]
    pub title: Option<Text<'a>>,
    #[serde(borrow)]
    pub creation: Option<Text<'a>>,
}

/// `content` is what STU3 called `data`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Binary<'a> {
    #[serde(borrow, rename = "contentType")]
    pub content_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub data: Option<Text<'a>>,
    #[serde(borrow)]
    pub content: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Patient<'a> {
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    #[serde(borrow)]
    pub meta: One<Meta<'a>>,
    #[serde(borrow)]
    pub identifier: Lenient<List<Identifier<'a>>>,
    #[serde(borrow)]
    pub name: Lenient<List<HumanName<'a>>>,
    #[serde(borrow)]
    pub gender: Lenient<Text<'a>>,
    #[serde(borrow, rename = "birthDate")]
    pub birth_date: Lenient<Text<'a>>,
    #[serde(borrow)]
    pub address: Lenient<List<Address<'a>>>,
    #[serde(borrow)]
    pub telecom: Lenient<List<ContactPoint<'a>>>,
    #[serde(borrow)]
    pub contact: Lenient<List<PatientContact<'a>>>,
    #[serde(borrow, rename = "generalPractitioner")]
    pub general_practitioner: Lenient<List<RawReference<'a>>>,
    #[serde(borrow)]
    pub active: Lenient<Text<'a>>,
    #[serde(borrow)]
    pub link: Lenient<List<PatientLink<'a>>>,
}

/// Another record of the same person.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PatientLink<'a> {
    #[serde(borrow)]
    pub other: One<RawReference<'a>>,
    #[serde(borrow, rename = "type")]
    pub type_: Lenient<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Encounter<'a> {
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    #[serde(borrow)]
    pub meta: One<Meta<'a>>,
    #[serde(borrow)]
    pub identifier: Lenient<List<Identifier<'a>>>,
    /// R4 a Coding, R5 a list of concepts.
    #[serde(borrow)]
    pub class: Lenient<List<CodeableConcept<'a>>>,
    #[serde(borrow)]
    pub subject: One<RawReference<'a>>,
    #[serde(borrow)]
    pub contained: Option<&'a RawValue>,
    #[serde(borrow)]
    pub period: One<Period<'a>>,
    #[serde(borrow, rename = "actualPeriod")]
    pub actual_period: One<Period<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    type R = Result<(), serde_json::Error>;

    #[test]
    fn strings_are_borrowed_unless_escaped() -> R {
        let head: Head<'_> = serde_json::from_str(r#"{"resourceType":"Patient","id":"a\/b","name":[{}]}"#)?;
        assert!(matches!(&head.resource_type, Some(Text(Cow::Borrowed("Patient")))));
        assert_eq!(words(&head.id), Some("a/b"));
        Ok(())
    }

    #[test]
    fn optional_elements_of_the_wrong_shape_are_absent() -> R {
        let document: DocumentReference<'_> = serde_json::from_str(
            r#"{"id":7,"meta":"x","subject":true,"author":{"display":"Dr A"},"date":{"a":1},"content":{"attachment":{"size":"7"}},"context":null}"#,
        )?;
        assert_eq!(words(&document.id), Some("7"));
        assert!(document.meta.0.is_none() && document.subject.0.is_none() && document.date.0.is_none());
        assert_eq!(document.author.0.map(|a| a.0.len()), Some(1));
        assert_eq!(document.content.0.len(), 1);
        let listed: DocumentReference<'_> = serde_json::from_str(r#"{"subject":[{"reference":"Patient/p"}]}"#)?;
        assert_eq!(listed.subject.0.as_ref().and_then(|s| words(&s.reference)), Some("Patient/p"));
        Ok(())
    }

    #[test]
    fn needed_elements_of_the_wrong_shape_are_an_error() {
        assert!(serde_json::from_str::<DocumentReference<'_>>(r#"{"content":"none"}"#).is_err());
        assert!(serde_json::from_str::<DocumentReference<'_>>(r#"{"content":[{"attachment":3}]}"#).is_err());
    }

    #[test]
    fn debug_prints_lengths() -> R {
        let head: Head<'_> = serde_json::from_str(r#"{"id":"secret"}"#)?;
        assert!(!format!("{head:?}").contains("secret"));
        Ok(())
    }
}
