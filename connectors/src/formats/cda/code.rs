//! Coded values: the code, where it is from, and what the sender calls it.

use super::tree::Element;

/// A code of HL7 version 3 (CD, CE, CV, CO).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Code {
    pub code: Option<String>,
    /// What the sender calls it. The code decides where both disagree.
    pub display: Option<String>,
    /// Object identifier of the code system.
    pub system: Option<String>,
    /// The usual name of the code system, known by its identifier or, without
    /// one, by the name that the sender gives.
    pub system_name: Option<&'static str>,
    /// The words it was coded from, where they are written with it.
    pub original_text: Option<String>,
    /// Where the narrative says it: `#id`.
    pub(super) reference: Option<String>,
    pub qualifiers: Vec<Code>,
    pub translations: Vec<Code>,
}

impl Code {
    /// `None` where the element says nothing.
    pub(super) fn read(element: &Element) -> Option<Self> {
        let owned = |name| element.attribute(name).map(str::to_owned);
        let original = element.child("originalText");
        let system = owned("codeSystem");
        let code = Code {
            code: owned("code"),
            display: owned("displayName"),
            system_name: match &system {
                Some(oid) => name_of(oid),
                None => element.attribute("codeSystemName").and_then(name_as_sent),
            },
            system,
            original_text: original.and_then(Element::words),
            reference: original.and_then(reference),
            qualifiers: element.path(&["qualifier", "value"]).into_iter().filter_map(Code::read).collect(),
            translations: element.all("translation").filter_map(Code::read).collect(),
        };
        (code != Code { system: code.system.clone(), system_name: code.system_name, ..Code::default() }).then_some(code)
    }
}

/// What `reference` in a text points to.
pub(super) fn reference(text: &Element) -> Option<String> {
    text.child("reference").and_then(|r| r.attribute("value")).map(str::to_owned)
}

const SYSTEMS: &str = include_str!("code_systems.csv");

fn systems() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let rows = SYSTEMS.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.filter_map(|row| {
        let mut fields = row.split(',');
        Some((fields.next()?, fields.next()?, fields.next()?))
    })
}

fn name_of(oid: &str) -> Option<&'static str> {
    let oid = oid.strip_prefix("urn:oid:").unwrap_or(oid);
    systems().find(|(known, ..)| *known == oid).map(|(_, name, _)| name)
}

fn name_as_sent(name: &str) -> Option<&'static str> {
    let plain = |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let sent = plain(name);
    systems().find(|(_, known, others)| plain(known) == sent || others.split('|').any(|other| plain(other) == sent)).map(|(_, n, _)| n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::cda::tree::parse;

    fn read(xml: &str) -> Option<Code> {
        let root = parse(&format!("<ClinicalDocument>{xml}</ClinicalDocument>")).ok()?;
        root.elements().next().and_then(Code::read)
    }

    #[test]
    fn systems_are_known_by_their_identifier() {
        let name = |attributes: &str| read(&format!("<code code='x' {attributes}/>")).and_then(|c| c.system_name);
        assert_eq!(name("codeSystem='2.16.840.1.113883.6.96' codeSystemName='LOINC'"), Some("SNOMED CT"));
        assert_eq!(name("codeSystem='2.16.840.1.113883.6.1'"), Some("LOINC"));
        assert_eq!(name("codeSystem='2.16.840.1.113883.6.3'"), Some("ICD-10"));
        assert_eq!(name("codeSystem='2.16.840.1.113883.6.73'"), Some("ATC"));
        assert_eq!(name("codeSystem='1.2.3'"), None);
        assert_eq!(name("codeSystemName='CIM 10'"), Some("ICD-10"));
        assert_eq!(name("codeSystemName='ATC Code'"), Some("ATC"));
    }

    #[test]
    fn every_system_has_an_identifier_of_its_own() {
        let mut oids: Vec<_> = systems().map(|s| s.0).collect();
        assert!(oids.len() >= 10 && oids.iter().all(|oid| oid.bytes().all(|b| b.is_ascii_digit() || b == b'.')), "{oids:?}");
        oids.sort_unstable();
        oids.dedup();
        assert_eq!(oids.len(), systems().count());
    }

    #[test]
    fn a_code_that_says_nothing_is_none() {
        assert_eq!(read("<code nullFlavor='NA' codeSystem='2.16.840.1.113883.6.1'/>"), None);
        let code = read(
            "<value code='I10' displayName='HTA' codeSystem='2.16.840.1.113883.6.3'><originalText>hyper\n tension<reference value='#a'/></originalText>\
             <qualifier><value code='7771000' displayName='gauche'/></qualifier><translation code='38341003'/></value>",
        )
        .unwrap_or_default();
        assert_eq!((code.original_text.as_deref(), code.reference.as_deref()), (Some("hyper tension"), Some("#a")));
        assert_eq!((code.qualifiers.len(), code.translations.len()), (1, 1));
        let uncoded = read("<value nullFlavor='OTH'><originalText>boiterie</originalText></value>");
        assert_eq!(uncoded.and_then(|c| c.original_text).as_deref(), Some("boiterie"));
    }
}
