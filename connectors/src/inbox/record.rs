//! How messages stand in the store: those of one transaction in bundles, one
//! value each, because a store is fast with few large values.

use super::{Kind, Message};

/// A bundle is full with the record that would make it longer. Just under a
/// power of two: the store rounds its pages up.
const BUNDLE: usize = (64 << 10) - 64;
/// Length of the record, sequence, kind, time, length of the place; then the place, then the payload.
const HEAD: usize = 4 + 8 + 1 + 8 + 2;

/// One message of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<'b> {
    pub sequence: u64,
    kind: Kind,
    received_at: i64,
    place: &'b [u8],
    pub payload: &'b [u8],
    /// All of it.
    pub bytes: &'b [u8],
}

impl Record<'_> {
    pub fn message(&self) -> Message {
        Message {
            kind: self.kind,
            place: String::from_utf8_lossy(self.place).into_owned(),
            received_at: self.received_at,
            payload: self.payload.to_vec(),
        }
    }
}

/// Whether a bundle has room for another message.
pub(super) fn has_room(bundle: &[u8], message: &Message) -> bool {
    bundle.is_empty() || bundle.len() + HEAD + message.place.len() + message.payload.len() <= BUNDLE
}

/// Adds a message to a bundle.
pub(super) fn add(bundle: &mut Vec<u8>, sequence: u64, message: &Message) {
    // No place and no message of ours is longer than its length can say.
    let place = message.place.as_bytes();
    let place = &place[..place.len().min(usize::from(u16::MAX))];
    let length = HEAD + place.len() + message.payload.len();
    bundle.reserve(length);
    bundle.extend_from_slice(&(length as u32).to_le_bytes());
    bundle.extend_from_slice(&sequence.to_le_bytes());
    bundle.push(match message.kind {
        Kind::Hl7v2 => 1,
        Kind::Fhir => 2,
        Kind::TooLarge => 3,
        Kind::Row => 4,
    });
    bundle.extend_from_slice(&message.received_at.to_le_bytes());
    bundle.extend_from_slice(&(place.len() as u16).to_le_bytes());
    bundle.extend_from_slice(place);
    bundle.extend_from_slice(&message.payload);
}

/// The messages of a bundle; the last one is `None` where the rest is not one of ours.
pub(super) fn records(mut bundle: &[u8]) -> impl Iterator<Item = Option<Record<'_>>> {
    std::iter::from_fn(move || {
        if bundle.is_empty() {
            return None;
        }
        let record = first(bundle);
        bundle = record.and_then(|record| bundle.get(record.bytes.len()..)).unwrap_or_default();
        Some(record)
    })
}

fn first(bundle: &[u8]) -> Option<Record<'_>> {
    let length = u32::from_le_bytes(bundle.get(..4)?.try_into().ok()?);
    let bytes = bundle.get(..usize::try_from(length).ok()?)?;
    let sequence = u64::from_le_bytes(bytes.get(4..12)?.try_into().ok()?);
    let kind = match bytes.get(12)? {
        1 => Kind::Hl7v2,
        2 => Kind::Fhir,
        3 => Kind::TooLarge,
        4 => Kind::Row,
        _ => return None,
    };
    let received_at = i64::from_le_bytes(bytes.get(13..21)?.try_into().ok()?);
    let place = u16::from_le_bytes(bytes.get(21..HEAD)?.try_into().ok()?);
    let payload = HEAD + usize::from(place);
    Some(Record { sequence, kind, received_at, place: bytes.get(HEAD..payload)?, payload: bytes.get(payload..)?, bytes })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message() -> impl Strategy<Value = Message> {
        let kind = prop::sample::select(vec![Kind::Hl7v2, Kind::Fhir, Kind::TooLarge, Kind::Row]);
        (kind, ".{0,40}", any::<i64>(), any::<Vec<u8>>()).prop_map(|(kind, place, received_at, payload)| Message {
            kind,
            place,
            received_at,
            payload,
        })
    }

    proptest! {
        #[test]
        fn what_was_added_is_there_in_order(messages in prop::collection::vec((any::<u64>(), message()), 0..9)) {
            let mut bundle = Vec::new();
            for (sequence, message) in &messages {
                add(&mut bundle, *sequence, message);
            }
            let there: Option<Vec<_>> = records(&bundle).map(|record| record.map(|r| (r.sequence, r.message()))).collect();
            prop_assert_eq!(there, Some(messages));
            let bytes: Vec<u8> = records(&bundle).flatten().flat_map(|record| record.bytes.to_vec()).collect();
            prop_assert_eq!(bytes, bundle);
        }

        #[test]
        fn what_is_none_of_ours_ends_the_bundle(bundle: Vec<u8>) {
            prop_assert!(records(&bundle).count() <= bundle.len());
            let read: usize = records(&bundle).flatten().map(|record| record.bytes.len()).sum();
            prop_assert!(read <= bundle.len());
        }
    }

    #[test]
    fn a_bundle_holds_one_message_however_large() {
        let large = Message { kind: Kind::Fhir, place: String::new(), received_at: 0, payload: vec![0; 2 * BUNDLE] };
        let mut bundle = Vec::new();
        assert!(has_room(&bundle, &large));
        add(&mut bundle, 1, &large);
        assert!(!has_room(&bundle, &Message { payload: Vec::new(), ..large }));
    }
}
