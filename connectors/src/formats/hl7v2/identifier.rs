//! Identifiers: data types HD, CX and EI (chapter 2.A.33, 2.A.14, 2.A.28) as
//! `authority|value`, the shape that FHIR identifiers have here.

use super::message::{Segment, Value};
use crate::formats::NATIONAL_IDENTITY;

/// What an identifier is of, by its type (table 0203 with its French extension) or authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Given by the hospital, and said so: PI.
    Internal,
    /// Of the hospital, by another type or none.
    Record,
    /// Of a stay or an account.
    Stay,
    Other,
    /// National or social security.
    National,
}

/// The class of a CX.
pub(super) fn class(cx: Value<'_>) -> Class {
    let kind = cx.component(5).words().unwrap_or_default().to_ascii_uppercase();
    let authority = cx.component(4);
    if kind.starts_with("INS")
        || matches!(kind.as_str(), "NIR" | "NIA" | "NH" | "SS" | "SNS" | "NI")
        || authority.text.contains(NATIONAL_IDENTITY)
    {
        return Class::National;
    }
    match kind.as_str() {
        "PI" => Class::Internal,
        "" | "MR" | "PT" | "PN" => Class::Record,
        "AN" | "VN" | "FI" => Class::Stay,
        _ => Class::Other,
    }
}

/// The authority that an HD names, by its universal id where it has one.
fn authority(namespace: Value<'_>, universal: Value<'_>, kind: Value<'_>) -> Option<String> {
    let Some(id) = universal.words() else { return namespace.words().map(String::from) };
    let kind = kind.words().unwrap_or_default().to_ascii_uppercase();
    let is_oid = id.contains('.') && id.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    Some(match kind.as_str() {
        "ISO" | "" if is_oid => format!("urn:oid:{id}"),
        "UUID" | "GUID" => format!("urn:uuid:{}", id.to_ascii_lowercase()),
        _ => id.into_owned(),
    })
}

fn joined(authority: Option<String>, value: &str) -> String {
    authority.map_or_else(|| value.to_owned(), |authority| format!("{authority}|{value}"))
}

/// A CX as `authority|value`.
pub(super) fn token(cx: Value<'_>) -> Option<String> {
    let value = cx.component(1).words()?;
    let hd = cx.component(4);
    Some(joined(authority(hd.subcomponent(1), hd.subcomponent(2), hd.subcomponent(3)), &value))
}

/// An EI as `authority|value`.
pub(super) fn entity(ei: Value<'_>) -> Option<String> {
    let value = ei.component(1).words()?;
    Some(joined(authority(ei.component(2), ei.component(3), ei.component(4)), &value))
}

/// The one identifier of several that is the patient's id: the hospital's own,
/// else any that is not national, else the national one.
pub(super) fn patient_id(field: Value<'_>) -> Option<String> {
    let rank = |cx: &Value<'_>| match class(*cx) {
        Class::Internal => 0,
        Class::Record => 1,
        Class::Other | Class::Stay => 2,
        Class::National => 3,
    };
    let named = field.repetitions().filter(|cx| cx.component(1).words().is_some());
    named.min_by_key(rank).and_then(token)
}

/// The patient of a PID: PID-3, or PID-2 where only that is written (2.3 and before).
pub(super) fn patient_of(pid: &Segment<'_>) -> Option<String> {
    patient_id(pid.field(3)).or_else(|| patient_id(pid.field(2)))
}

/// The ids of MRG-1 that the patient had before (3.4.9), other than those of now.
pub(super) fn prior(mrg: &Segment<'_>, current: &[String]) -> Vec<String> {
    let old = mrg.field(1).repetitions().filter(|cx| class(*cx) != Class::Stay).filter_map(token);
    old.filter(|old| !current.contains(old)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::message::Message;
    use super::*;

    fn id(pid: &str) -> Option<String> {
        let text = format!("MSH|^~\\&|\rPID|{pid}\r");
        let message = Message::parse(&text).ok()?;
        patient_of(&message.segment("PID")?)
    }

    #[test]
    fn the_hospitals_own_comes_first() {
        let ins = "299999999999999^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS";
        assert_eq!(id(&format!("||{ins}")).as_deref(), Some("urn:oid:1.2.250.1.213.1.4.8|299999999999999"));
        assert_eq!(id(&format!("||{ins}~77^^^HOP")).as_deref(), Some("HOP|77"));
        assert_eq!(id(&format!("||{ins}~77^^^HOP^MR~88^^^HOP&1.2.3&ISO^PI")).as_deref(), Some("urn:oid:1.2.3|88"));
        assert_eq!(id("||55^^^X&120456789&M^PI").as_deref(), Some("120456789|55"));
        assert_eq!(id("||^^^HOP^PI~9").as_deref(), Some("9"));
        assert_eq!(id("|8|\"\"|").as_deref(), Some("8"));
        assert_eq!(id("||").as_deref(), None);
    }

    #[test]
    fn entities() {
        let text = "MSH|^~\\&|\rOBR|1||1001^labo|^x|5^lab^1.2.3^ISO\r";
        let Ok(message) = Message::parse(text) else { panic!("not read") };
        let obr = message.segments[1];
        assert_eq!(entity(obr.field(3)).as_deref(), Some("labo|1001"));
        assert_eq!(entity(obr.field(4)), None);
        assert_eq!(entity(obr.field(5)).as_deref(), Some("urn:oid:1.2.3|5"));
    }
}
