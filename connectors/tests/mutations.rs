//! Damaged lines, Bundles, compression, attachments and clinical documents: no
//! panic, an end in good time, and every line accounted for.
//!
//! `SILLAGE_CASES` damaged inputs of each kind (10,000 lines, a hundred files
//! and 5,000 attachments unless told otherwise).

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use proptest::prelude::*;
use sillage_connectors::formats::attachment::{MediaType, base64, charset, data_url, extract, html, percent_decode};
use sillage_connectors::formats::cda;
use sillage_connectors::{Position, Until};

const SEEDS: &[&str] = &[
    r#"{"resourceType":"DocumentReference","id":"d","meta":{"versionId":"3","lastUpdated":"2024-03-05T13:05:00.000+01:00"},"status":"current","docStatus":"final","type":{"coding":[{"system":"http://loinc.org","code":"11490-0","display":"CR"}]},"subject":{"reference":"Patient/p"},"date":"2024-03-05T13:05:00Z","author":[{"display":"Dr Fictif"}],"description":"Compte rendu","content":[{"attachment":{"contentType":"text/plain; charset=UTF-8","data":"RMOpZmljaXQgYnJ1dGFs"}},{"attachment":{"contentType":"text/html","data":"PHA+dnU8L3A+"}}],"context":{"encounter":[{"reference":"Encounter/e"}],"period":{"start":"2024-03-05"}}}"#,
    r#"{"resourceType":"DocumentReference","id":"x","contained":[{"resourceType":"Binary","id":"b","data":"YQ=="}],"masterIdentifier":{"system":"s","value":"v"},"subject":{"identifier":{"system":"s","value":"v"}},"content":[{"attachment":{"contentType":"application/pdf","url":"Binary/b1"}},{"attachment":{"url":"urn:uuid:1"}},{"attachment":{"url":"data:text/plain;base64,YQ=="}}]}"#,
    r#"{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:ipp","value":"1"}],"name":[{"family":"Inventée","given":["Ève"]}]}"#,
    r#"{"resourceType":"Encounter","id":"e","class":{"code":"IMP"},"subject":{"reference":"Patient/p"},"period":{"start":"2024-03-05T10:00:00+01:00"}}"#,
    r#"{"resourceType":"Binary","id":"b1","contentType":"text/plain","data":"YWJj"}"#,
];
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    ":",
    ",",
    "null",
    "1e999",
    "é",
    "\\ud800",
    "\u{0}",
    "#",
    "urn:",
    "<p>",
    "[[[[[[[[",
    "\"content\":",
    "-1",
    "==",
];

#[derive(Debug, Clone)]
enum Change {
    Cut(usize),
    Remove(usize, usize),
    Insert(usize, usize),
    Byte(usize, u8),
    Copy(usize, usize, usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        any::<usize>().prop_map(Change::Cut),
        (any::<usize>(), 1..20usize).prop_map(|(at, n)| Change::Remove(at, n)),
        (any::<usize>(), 0..PIECES.len()).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        (any::<usize>(), any::<usize>(), 1..60usize).prop_map(|(from, to, n)| Change::Copy(from, to, n)),
    ];
    prop::collection::vec(change, 1..4)
}

fn mutate(seed: &str, changes: &[Change]) -> Vec<u8> {
    let mut line = seed.as_bytes().to_vec();
    for change in changes {
        let length = line.len().max(1);
        match *change {
            Change::Cut(at) => line.truncate(at % length),
            Change::Remove(at, n) => drop(line.drain((at % length).min(line.len())..(at % length + n).min(line.len()))),
            Change::Insert(at, piece) => {
                drop(line.splice((at % length).min(line.len())..(at % length).min(line.len()), PIECES[piece].bytes()))
            }
            Change::Byte(at, byte) => {
                if let Some(old) = line.get_mut(at % length) {
                    *old = byte;
                }
            }
            Change::Copy(from, to, n) => {
                let piece = line[(from % length).min(line.len())..(from % length + n).min(line.len())].to_vec();
                let at = (to % length).min(line.len());
                line.splice(at..at, piece);
            }
        }
    }
    line.retain(|byte| *byte != b'\n');
    line
}

/// Rows, ignored resources and dead letters of a file with these bytes.
fn account(name: &str, bytes: &[u8]) -> (u64, u64) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    let mut source = sillage_connectors::open(&sillage_connectors::Opening {
        uri: &folder.path().display().to_string(),
        timezone: Tz::Europe__Paris,
        settings: &sillage_connectors::Settings::default(),
    })
    .unwrap();
    let mut position = Position::default();
    let (mut total, mut letters) = (0, 0);
    while let Some(epoch) = source.read(&position, Until::Limits { max_documents: 40, max_bytes: 1 << 16 }).unwrap() {
        let rows = epoch.documents.num_rows() + epoch.patients.num_rows() + epoch.encounters.num_rows();
        total += rows as u64 + epoch.ignored + epoch.dead_letters.len() as u64;
        letters += epoch.dead_letters.len() as u64;
        position = epoch.position;
    }
    (total, letters)
}

/// How many inputs, `SILLAGE_CASES` or so many; `batch` of them make a case.
fn config(default: u32, batch: u32) -> ProptestConfig {
    let cases = std::env::var("SILLAGE_CASES").map_or(default, |cases| cases.replace('_', "").parse().unwrap());
    ProptestConfig { cases: cases.div_ceil(batch), max_shrink_iters: 500, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(10_000, 100))]

    #[test]
    fn every_line_is_accounted_for(batch in prop::collection::vec((0..SEEDS.len(), changes()), 100)) {
        let lines: Vec<Vec<u8>> = batch.iter().map(|(seed, changes)| mutate(SEEDS[*seed], changes)).collect();
        let expected = lines.iter().filter(|line| !line.trim_ascii().is_empty()).count() as u64;
        let mut bytes = lines.join(&b'\n');
        // A first line that begins as another format would be another test.
        bytes.insert(0, b'\n');
        bytes.push(b'\n');
        let (total, letters) = account("lines.ndjson", &bytes);
        prop_assert_eq!(total, expected);
        prop_assert!(letters > 0, "mutations do damage");
    }
}

proptest! {
    // Each case is a file of its own: most of the time goes to the disk.
    #![proptest_config(config(100, 1))]

    #[test]
    fn damaged_bundles_end(seeds in prop::collection::vec(0..SEEDS.len(), 1..6), changes in changes()) {
        let entries: Vec<String> = seeds.iter().map(|seed| format!(r#"{{"fullUrl":"urn:uuid:{seed}","resource":{}}}"#, SEEDS[*seed])).collect();
        let bundle = format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#, entries.join(","));
        let bytes = mutate(&bundle, &changes);
        prop_assume!(!bytes.is_empty());
        account("bundle.json", &bytes);
    }

    #[test]
    fn damaged_compression_ends(lines in prop::collection::vec(0..SEEDS.len(), 1..30), changes in changes()) {
        use std::io::Write;
        let text: String = lines.iter().map(|seed| format!("{}\n", SEEDS[*seed])).collect();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        let mut bytes = encoder.finish().unwrap();
        for change in &changes {
            let at = match *change { Change::Cut(at) => { bytes.truncate(at % bytes.len().max(1)); continue } Change::Remove(at, _) | Change::Insert(at, _) | Change::Byte(at, _) | Change::Copy(at, ..) => at };
            if let Some(byte) = (!bytes.is_empty()).then(|| at % bytes.len()).and_then(|at| bytes.get_mut(at)) { *byte ^= 0x55 }
        }
        prop_assume!(!bytes.is_empty());
        account("lines.ndjson.gz", &bytes);
    }
}

const CONTENT_TYPES: &[&str] = &[
    "text/plain; charset=UTF-8",
    "text/html;charset=\"iso-8859-1\"",
    "application/xhtml+xml; charset='windows-1252'",
    "text/plain charset=utf-16le",
    "charset=shift_jis",
    "text/plain; charset=gb18030; format=flowed",
    "text/html; charset=utf-7",
    "application/octet-stream",
    "text/plain; charset=iso-2022-jp",
    "text/plain; charset=x-user-defined",
    "text/plain; charset=replacement",
    "",
];
const PAGES: &[&str] = &[
    "<!DOCTYPE html><html><head><meta charset=\"iso-8859-15\"><title>CR</title><style>p{}</style></head><body><h1>Motif</h1><p>Déficit&nbsp;brutal &eacute;t&#233; &#x1F600; &amp &lt;</p><ul><li>HTA<ol><li>FA</ol></ul></body></html>",
    "<table><tr><th>Examen<th>Valeur</tr><tr><td><p>TA</p><td>18/9</table><pre>x  y\r\n  z</pre><br/><br>fin",
    "<?xml version=\"1.0\" encoding=\"windows-1252\"?><html xmlns='http://www.w3.org/1999/xhtml'><head><script src='x'/></head><body>vu</body></html>",
    "Texte simple, œdème à 37°2 : 5 < 6 & 7 > 3\r\nsuite",
    "<script>if (a < b) {</script><!-- note --><p hidden>caché<![CDATA[x]]><textarea>t</textarea>",
];
const MARKUP: &[&str] = &[
    "<",
    ">",
    "</",
    "/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<!",
    "<?",
    "&",
    "&#",
    "&#x",
    "&#x110000;",
    "&#0;",
    "&#xd800;",
    "&notin",
    "&amp",
    ";",
    "\"",
    "'",
    "=",
    "<p",
    "<p>",
    "<td>",
    "<li>",
    "<ol>",
    "<table>",
    "</table>",
    "</table>",
    "<tr>",
    "<pre>",
    "</pre>",
    "<script>",
    "</scrip",
    "</script>",
    "<title>",
    "<plaintext>",
    "<a b c=d e='f' g=\"h\">",
    "\u{0}",
    "\r",
    "\r\n",
    "\n",
    "\t",
    "\u{a0}",
    "\u{feff}",
    "é",
    "😀",
    "\u{202e}",
    "<svg><style><a>",
    "<br>",
    "<xmp>",
    "<iframe>",
];

/// Changes at the places given: bytes and pieces in, pieces out.
fn change(mut bytes: Vec<u8>, changes: &[Change], pieces: &[&str]) -> Vec<u8> {
    for change in changes {
        let at = |at: usize, bytes: &[u8]| at % (bytes.len() + 1);
        match *change {
            Change::Cut(to) => bytes.truncate(at(to, &bytes)),
            Change::Remove(from, n) => {
                let from = at(from, &bytes);
                bytes.drain(from..(from + n).min(bytes.len()));
            }
            Change::Insert(to, piece) => {
                let to = at(to, &bytes);
                bytes.splice(to..to, pieces[piece.wrapping_mul(31).wrapping_add(to) % pieces.len()].bytes());
            }
            Change::Byte(to, byte) => {
                let to = at(to, &bytes);
                bytes.insert(to, byte);
            }
            Change::Copy(from, to, n) => {
                let (from, to) = (at(from, &bytes), at(to, &bytes));
                let piece = bytes[from..(from + n).min(bytes.len())].to_vec();
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(config(5_000, 1))]

    #[test]
    fn damaged_attachments_become_text_or_nothing(
        page in 0..PAGES.len(), kind in 0..CONTENT_TYPES.len(), inside in changes(), outside in changes(), latin in any::<bool>(), damage_type in any::<bool>(),
    ) {
        let bytes = if latin { PAGES[page].chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect() } else { PAGES[page].as_bytes().to_vec() };
        let bytes = change(bytes, &inside, MARKUP);
        let content_type = match damage_type {
            true => String::from_utf8_lossy(&change(CONTENT_TYPES[kind].into(), &outside, PIECES)).into_owned(),
            false => CONTENT_TYPES[kind].to_owned(),
        };
        let (length, media) = (bytes.len(), MediaType::parse(&content_type));
        prop_assert_eq!(media.kind, MediaType::parse(&format!(" {content_type} ")).kind);
        if let Some(extracted) = extract(bytes, &media) {
            // Every byte may become one character of three bytes, a list item its indentation.
            prop_assert!(extracted.text.len() <= length * 24 + 64, "{} bytes of {}", extracted.text.len(), length);
        }
    }

    #[test]
    fn damaged_base64_is_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80), changes in changes()) {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
        prop_assert_eq!(self::base64(&text), Some(bytes));
        let damaged = String::from_utf8_lossy(&change(text.into_bytes(), &changes, PIECES)).into_owned();
        if let Some(decoded) = self::base64(&damaged) {
            prop_assert!(decoded.len() <= damaged.len());
        }
        for url in [format!("data:text/plain;base64,{damaged}"), format!("data:{damaged},{damaged}"), damaged] {
            if let Some((_, decoded)) = data_url(&url) {
                prop_assert!(decoded.len() <= url.len());
            }
            prop_assert!(percent_decode(&url).len() <= url.len());
        }
    }

    #[test]
    fn any_character_set_may_be_named(bytes in prop::collection::vec(any::<u8>(), 0..80), name in 0..CONTENT_TYPES.len(), changes in changes(), plain in ".{0,12}") {
        let label = CONTENT_TYPES[name].rsplit('=').next().unwrap().trim_matches(['"', '\'']);
        let damaged = String::from_utf8_lossy(&change(label.into(), &changes, PIECES)).into_owned();
        for label in [None, Some(label), Some(damaged.as_str()), Some(plain.as_str())] {
            let decoded = charset::decode(bytes.clone(), label);
            prop_assert!(decoded.text.len() <= bytes.len() * 3 + 3);
        }
    }
}

/// An invented clinical document, with entries of every kind.
const DOCUMENT: &str = include_str!("../src/formats/cda/tests/report.xml");
/// What damage puts into one.
const ENTRIES: &[&str] = &[
    "<entry>",
    "</entry>",
    "<observation>",
    "</observation>",
    "<entryRelationship negationInd='true'>",
    "<entryRelationship><observation><entryRelationship><observation>",
    "<component><section>",
    "</section></component>",
    "<code code='I10' codeSystem='2.16.840.1.113883.6.3'>",
    "<value xsi:type='INT' value='999999999999999999999'/>",
    "<value xsi:type='PQ' value='1e999' unit='g/L'/>",
    "<value xsi:type='CD'/>",
    "<effectiveTime value='99999999999999.999+9999'/>",
    "<reference value='#'/>",
    "<templateId root=''/>",
    " ID='nihss'",
    " nullFlavor='NA'",
    "<qualifier><value code='7771000'/></qualifier>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]>",
    "&b;",
    "]]>",
    "<![CDATA[",
    "<!--",
    "\u{202e}",
    "é",
];

proptest! {
    #![proptest_config(config(2_000, 1))]

    #[test]
    fn damaged_clinical_documents_are_read_or_refused(damage in changes()) {
        let bytes = change(DOCUMENT.as_bytes().to_vec(), &damage, ENTRIES);
        let read = cda::read(&bytes, Tz::Europe__Paris);
        if let Ok(document) = &read {
            let length = document.text.chars().count();
            prop_assert!(length <= bytes.len() * 8 + 64);
            let coded = document.coded().unwrap_or_default();
            prop_assert_eq!(coded.entries.len(), document.entries.len(), "no entry is lost on the way");
            for (index, section) in coded.sections.iter().enumerate() {
                prop_assert!(section.parent.is_none_or(|parent| parent < index));
                prop_assert!(section.start <= section.end && section.end <= length);
            }
            for (index, entry) in coded.entries.iter().enumerate() {
                prop_assert!(entry.section < coded.sections.len() && entry.parent.is_none_or(|parent| parent < index));
                prop_assert!(entry.span.is_none_or(|(start, end)| start < end && end <= length));
            }
            let json = cda::json(&cda::at_site(&coded, Tz::Europe__Paris)).unwrap();
            prop_assert!(serde_json::from_str::<sillage_schemas::coded::CodedDocument>(&json).is_ok_and(|again| again == coded));
        }
        // As an attachment it is text with the same entries, or the reason is said.
        let extracted = sillage_connectors::formats::attachment::read(bytes, &MediaType::parse("text/xml"));
        match (&read, &extracted) {
            (Ok(document), Ok(extracted)) => {
                prop_assert_eq!(extracted.coded.as_ref().map(|c| c.entries.len()), document.coded().map(|c| c.entries.len()));
            }
            (Ok(document), Err(_)) => prop_assert!(document.text.is_empty()),
            (Err(_), Ok(extracted)) => prop_assert!(extracted.coded.is_none(), "read as something else"),
            (Err(_), Err(reason)) => prop_assert!(!reason.is_empty()),
        }
    }
}

proptest! {
    #![proptest_config(config(200, 20))]

    #[test]
    fn no_damaged_clinical_document_is_lost(batch in prop::collection::vec(changes(), 20)) {
        use base64::Engine;
        let line = |(index, damage): (usize, &Vec<Change>)| {
            let data = base64::engine::general_purpose::STANDARD.encode(change(DOCUMENT.as_bytes().to_vec(), damage, ENTRIES));
            format!(r#"{{"resourceType":"DocumentReference","id":"d{index}","status":"current","content":[{{"attachment":{{"contentType":"text/xml","data":"{data}"}}}}]}}"#)
        };
        let lines: Vec<String> = batch.iter().enumerate().map(line).collect();
        let (total, _) = account("lines.ndjson", lines.join("\n").as_bytes());
        prop_assert_eq!(total, 20);
    }
}

/// Bytes of a hostile page: without optimisation a byte takes some thirty times as long.
const PAGE: usize = if cfg!(debug_assertions) { 1 << 15 } else { 1 << 20 };

/// A megabyte of anything is a page in seconds.
#[test]
fn hostile_pages_take_linear_time() {
    let mut slow = Vec::new();
    for piece in MARKUP
        .iter()
        .chain(PAGES)
        .copied()
        .chain(["a=", "a='b' ", "&a", "<x y", "<tr><td>", "<td><td>", "<ul><li>", "--", "</script", "\u{a0}\n"])
    {
        for before in ["", "<", "<p ", "<!--", "<pre>", "<script>", "<table><tr>", "&"] {
            let page = format!("{before}{}", piece.repeat(PAGE / piece.len()));
            let begun = Instant::now();
            html::to_text(&page);
            let taken = begun.elapsed();
            if taken > Duration::from_secs(10) {
                slow.push(format!("{before:?} and {piece:?}: {taken:?}"));
            }
        }
    }
    // The tokenizer compares the names of a tag's attributes with one another:
    // so many take a second, ten times as many would take minutes.
    let page = format!("<p {}>vu", (0..PAGE / 50).map(|i| format!("a{i} ")).collect::<String>());
    let begun = Instant::now();
    assert_eq!(html::to_text(&page), "vu");
    if begun.elapsed() > Duration::from_secs(20) {
        slow.push(format!("20,000 attributes: {:?}", begun.elapsed()));
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}
