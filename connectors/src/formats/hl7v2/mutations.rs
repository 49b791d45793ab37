//! Damaged messages: no panic, an end in good time, rows in proportion.
//!
//! `SILLAGE_CASES` of each kind (2,000 unless told otherwise).

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::{Outcome, acknowledgement, inspect, take};
use crate::rows::Rows;
use crate::source::Position;

const SEEDS: &[&str] = &[
    "MSH|^~\\&|A|B|C|D|20240305120000+0100||MDM^T02^MDM_T02|1|P|2.6|||||FRA|UNICODE UTF-8|FR\rEVN||20240305\rPID|1||77^^^H&1.2.3&ISO^PI~9^^^ASIP&1.2.250.1.213.1.4.8&ISO^INS||FICTIVE^Léa^Anne^^^^L||19550601|F|||2 allée^^Ville^^99999~^^^^^^BDL||0199^PRN^PH~^NET^Internet^l@example.org|||||A1^^^H^AN|1|\rPV1|1|I|||||D^ESSAI^Guy||||||||||||V1^^^H^VN|||||||||||||||||||||||||20240301|\rTXA|1|18748-4|TX|20240305||||20240305|D^AUTRE^Ida|||D1^O|1.2D0^O||||LA||AV\rOBX|1|ED|18748-4^CR^LN||^text^XML^Base64^dnUgw6AgMTBo||||||F\rPRT||UC||SB|8^X^Y^^^^^^^^^^INS\rOBX|2|CWE|MASQUE_PS^x^MetaDMPMSS||N||||||F\r",
    "MSH|^˜\\&|A|B|C|D|2024||ORU^R01|2|P|2.5|||AL|NE||8859/15\rPID|1||7\rPV1|1|O\rORC|RE|P|F\rOBR|1|P^A|F^L|11502-2^CR^LN|||202403051000||||||||||||||||202403051100|||C|||||||L&B&J\rOBX|1|TX|a||un˜deux \\.br\\ \\X41\\\\XE9\\ \\F\\||||||F\rOBX|2|FT|b||trois||||||D\rOBR|2||G\rOBX|1|ED|x|1|^application^pdf^Base64^JVBERi0=||||||F\rOBX|2|ED|x|2|^text^html^Hex^3C703E76||||||F\rOBX|3|RP|x||p^q\r",
    "MSH|^~\\&|A|B|C|D|2024||ADT^A40|3|P|2.3\rEVN|A40|2024\rPID|1||7^^^H^PI||F^L\rMRG|5^^^H^PI||A1|||V1\rPID|2||8^^^H^PI\rMRG|6^^^H\rPV1|1|E\r",
    "FHS|^~\\&|x\rBHS|^~\\&|x\rMSH|^~\\&|||||2024||ADT^A45|4|P|2.4\rPID|1||7\rMRG|5||A1||V1\rBTS|1\rFTS|1\r",
    "MSH#$*/%#A#B#C#D#2024##ADT$A24#5\rPID#1##7\rPID#2##8\rNK1#1#X$Y\r",
];
const PIECES: &[&str] = &[
    "|",
    "^",
    "~",
    "\\",
    "&",
    "\r",
    "\n",
    "\r\n",
    "\u{b}",
    "\u{1c}\r",
    "MSH|^~\\&|",
    "MSH",
    "PID|",
    "OBX|1|TX|||",
    "OBR|",
    "MRG|",
    "\"\"",
    "\\X",
    "\\.sp99\\",
    "\\XC3\\",
    "é",
    "\u{0}",
    "^Base64^",
    "A",
    "====",
    "||||||||||",
    "^^^^^^^^",
    "&&&&",
    "~~~~~~",
    "\\\\\\\\",
];

/// Changes of a message: kind, where, how much.
type Changes = Vec<(u8, usize, usize, u8)>;

fn damaged(mut bytes: Vec<u8>, changes: &Changes) -> Vec<u8> {
    for (kind, at, size, byte) in changes {
        let at = at % (bytes.len() + 1);
        let end = (at + size % 40).min(bytes.len());
        match kind % 5 {
            0 => bytes.truncate(at.max(60)),
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, PIECES[size % PIECES.len()].bytes())),
            3 => drop(bytes.splice(at..(at + 1).min(bytes.len()), [*byte])),
            _ => {
                let copy = bytes[at..end].to_vec();
                let to = size.wrapping_mul(31) % (bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
        }
    }
    bytes
}

/// Reads what may be anything; the number of documents and dead letters.
fn survive(bytes: &[u8]) -> usize {
    let before = Instant::now();
    let outcome = inspect(bytes).map_or_else(Outcome::Refused, |_| Outcome::Accepted);
    let answer = acknowledgement(bytes, outcome, &DateTime::<Utc>::UNIX_EPOCH, "S1");
    assert!(answer.starts_with(b"MSH") && answer.len() < 6000);
    let mut rows = Rows::new("s", DateTime::UNIX_EPOCH);
    take(bytes, "m", &mut rows, Tz::Europe__Paris);
    // Nothing is passed over in silence.
    assert!(!rows.is_empty());
    let Ok(epoch) = rows.finish(Position::default()) else { panic!("no epoch") };
    let documents = epoch.documents.num_rows() + epoch.dead_letters.len();
    assert!(before.elapsed() < Duration::from_secs(20), "{} bytes took {:?}", bytes.len(), before.elapsed());
    documents
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("SILLAGE_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn damaged_messages(seed: usize, latin: bool, changes in proptest::collection::vec(any::<(u8, usize, usize, u8)>(), 1..12)) {
        let seed = SEEDS[seed % SEEDS.len()];
        let bytes = if latin { seed.chars().map(|c| c as u8).collect() } else { seed.as_bytes().to_vec() };
        survive(&damaged(bytes, &changes));
    }

    #[test]
    fn any_bytes(head: bool, bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        survive(&if head { [b"MSH|^~\\&|||||2024||MDM^T02|1\r", &bytes[..]].concat() } else { bytes });
    }

    #[test]
    fn nothing_but_delimiters(event in 0..6usize, pieces in proptest::collection::vec(0..PIECES.len(), 0..120)) {
        let event = ["MDM^T02", "MDM^T10", "ORU^R01", "ADT^A40", "ADT^A45", "ADT^A24"][event];
        let mut text = format!("MSH|^~\\&|||||2024||{event}|1|P|2.5\r");
        pieces.iter().for_each(|piece| text.push_str(PIECES[*piece]));
        survive(text.as_bytes());
    }
}

#[test]
fn the_seeds_are_read() {
    assert_eq!(SEEDS.iter().map(|seed| survive(seed.as_bytes())).collect::<Vec<_>>(), [1, 3, 0, 0, 0]);
}

/// Each is a megabyte of one thing, which a reader that looks again and again
/// would not end with.
#[test]
fn large_messages_of_little_sense_end() {
    let head = |event: &str| format!("MSH|^~\\&|||||2024||{event}|1|P|2.5\rPID|1||7\rTXA|1|DS||||||||||D1\r");
    for (event, piece) in [
        ("ORU^R01", "OBR|1||F\rOBX|1|TX|a||b\r"),
        ("ORU^R01", "OBX|1|ED|a||^text^plain^A^b||||||F\r"),
        ("ORU^R01", "MSH|^~\\&|||||2024||ORU^R01|1\r"),
        ("ORU^R01", "PID|1||7\r"),
        ("ADT^A40", "MRG|5^^^H\r"),
        ("ADT^A45", "MRG|5||||9\r"),
        ("MDM^T02", "PRT||||SB|1^X^Y~2^Z^T\r"),
        ("MDM^T02", "OBX|1|TX|a||b\\\\.sp9\\X41\\~\r"),
        ("MDM^T02", "NK1|1|A^B~C^D\r"),
        ("MDM^T02", "OBX|1|ED|a||^text^plain^Base64^AAAA\n"),
        ("MDM^T02", "\\"),
        ("MDM^T02", "|"),
        ("MDM^T02", "~1"),
        ("MDM^T02", "\n"),
    ] {
        survive([head(event), piece.repeat((1 << 20) / piece.len())].concat().as_bytes());
    }
    for piece in ["|", "^", "~", "MSH", "MSH|", " ", "\\X41\\"] {
        survive(["MSH|^~\\&|", &piece.repeat((1 << 20) / piece.len())].concat().as_bytes());
        survive(piece.repeat((1 << 20) / piece.len()).as_bytes());
    }
}

/// The samples of the profile, damaged, where they are.
#[test]
fn damaged_samples() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/feeds/hl7v2");
    let Ok(files) = std::fs::read_dir(folder) else {
        eprintln!("SKIPPED: {folder} is missing, its samples were not damaged");
        return;
    };
    let files = files.filter_map(|file| std::fs::read(file.ok()?.path()).ok());
    let samples: Vec<Vec<u8>> = files.filter(|bytes| bytes.len() < 10_000).collect();
    assert!(!samples.is_empty());
    let changes = proptest::collection::vec(any::<(u8, usize, usize, u8)>(), 1..12);
    proptest!(cases(), |(sample: usize, changes in changes)| {
        survive(&damaged(samples[sample % samples.len()].clone(), &changes));
    });
}
