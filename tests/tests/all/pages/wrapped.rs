//! Pages inside of what hospitals send them in: mails, archives, HL7 v2 messages and
//! clinical documents; forms, passwords, fax files.

use std::io::{Read, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::super::command::{succeeds, text, value};
use super::pdf::{LETTER, LOCKED, Line, OPEN, file, form};
use super::{document, has_library, has_recognition, patient, run};

/// The score that the letter gives, of the document with that number.
fn admission(out: &Path, id: &str) -> String {
    let of = "from variables v join source_documents s using (document_id) where v.variable = 'nihss_admission'";
    value(out, &format!("select max(v.value) {of} and s.source_document_id = '{id}'"))
}

fn words_on_pages(out: &Path, id: &str) -> u32 {
    let of = "from page_spans w join source_documents s using (document_id)";
    value(out, &format!("select count(*) {of} where s.source_document_id = '{id}'")).parse().unwrap()
}

/// An archive of one file, stored as it is.
fn zip(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    let common = |out: &mut Vec<u8>| {
        out.extend([20, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        out.extend(crc.sum().to_le_bytes());
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend((name.len() as u16).to_le_bytes());
        out.extend([0, 0]);
    };
    let mut out = b"PK\x03\x04".to_vec();
    common(&mut out);
    out.extend(name.bytes().chain(bytes.iter().copied()));
    let directory = out.len() as u32;
    out.extend(b"PK\x01\x02\x14\x00");
    common(&mut out);
    out.extend([0; 14]);
    out.extend(name.bytes());
    let length = out.len() as u32 - directory;
    out.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    out.extend(length.to_le_bytes().into_iter().chain(directory.to_le_bytes()).chain([0, 0]));
    out
}

fn mail(pdf: &[u8]) -> String {
    format!(
        "From: secretariat@example.org\r\nSubject: Compte rendu\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"partie\"\r\n\r\n\
         --partie\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nVeuillez trouver le compte rendu en pièce jointe.\r\n\
         --partie\r\nContent-Type: application/pdf; name=\"cr.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--partie--\r\n",
        STANDARD.encode(pdf)
    )
}

fn clinical_document(pdf: &[u8]) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3"><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
        <id root="1.2.250.1.9" extension="cda1"/><code code="11490-0" codeSystem="2.16.840.1.113883.6.1"/><title>Compte rendu</title>
        <effectiveTime value="20240502100000+0200"/><component><nonXMLBody><text mediaType="application/pdf" representation="B64">{}</text></nonXMLBody>
        </component></ClinicalDocument>"#,
        STANDARD.encode(pdf)
    )
}

fn message(pdf: &[u8]) -> String {
    format!(
        "MSH|^~\\&|DPI|HOP|SILLAGE|HOP|20240502101500||MDM^T02^MDM_T02|M1|P|2.5|||||FRA|UNICODE UTF-8\rEVN|T02|20240502101500\r\
         PID|1||700345612^^^HOP^PI||FARGUEBOIS^Zélie||19500101|F\rTXA|1|CR|application/pdf|20240502101500||||||||dmessage||||||AU\r\
         OBX|1|ED|11490-0^Compte rendu^LN||^application^pdf^Base64^{}||||||F\r",
        STANDARD.encode(pdf)
    )
}

#[test]
fn pages_are_read_in_whatever_they_are_sent() {
    if !has_library() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let letter = file(&[LETTER], 0);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&letter).unwrap();
    let source = folder.path().join("source");
    std::fs::create_dir_all(&source).unwrap();
    std::fs::write(source.join("m.hl7"), message(&letter)).unwrap();
    let lines = [
        patient(),
        document("dmail", 1, "current", "multipart/mixed; boundary=partie", mail(&letter).as_bytes()),
        document("dzip", 1, "current", "application/zip", &zip("cr.pdf", &letter)),
        document("dgzip", 1, "current", "application/gzip", &packed.finish().unwrap()),
        document("dcda", 1, "current", "text/xml", clinical_document(&letter).as_bytes()),
        document("dnested", 1, "current", "application/zip", &zip("cr.xml", clinical_document(&letter).as_bytes())),
    ];
    let out = run(folder.path(), "a", &lines);
    assert_eq!(value(&out, "select count(*) from dead_letters"), "0");
    let ids = value(&out, "select string_agg(source_document_id, ' ' order by source_document_id) from source_documents");
    assert_eq!(ids.split(' ').count(), 6, "{ids}");
    for id in ids.split(' ') {
        assert_eq!(admission(&out, id), "14", "{id}");
        assert!(words_on_pages(&out, id) > 50, "{id} leads back to its page");
    }
    let first = value(&out, "select text from source_documents where source_document_id = 'dmail'");
    assert!(first.contains("pièce jointe") && first.contains("NIHSS"), "a mail says both: {first}");
}

#[test]
fn what_is_filled_into_a_form_is_read() {
    if !has_library() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let form = form("NIHSS à l'admission :", "17");
    let out = run(folder.path(), "a", &[patient(), document("d1", 1, "current", "application/pdf", &form)]);
    assert_eq!(admission(&out, "d1"), "17", "{}", value(&out, "select text from source_documents"));
}

#[test]
fn a_password_is_a_dead_letter_and_a_lock_against_changes_is_none() {
    if !has_library() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let open = |sealed: &str| STANDARD.decode(sealed).unwrap();
    let lines = [
        patient(),
        document("dlocked", 1, "current", "application/pdf", &open(LOCKED)),
        document("dopen", 1, "current", "application/pdf", &open(OPEN)),
    ];
    let out = run(folder.path(), "a", &lines);
    assert_eq!(value(&out, "select text from source_documents where source_document_id = 'dopen'"), "NIHSS : 7.");
    assert_eq!(value(&out, "select reason from dead_letters"), "encrypted");
    let detail = value(&out, "select detail from dead_letters");
    assert!(detail.contains("a.ndjson") && detail.contains("password"), "{detail}");
}

/// Pages of a picture in a fax file, each packed by itself.
fn tiff(pages: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"II*\0\0\0\0\0".to_vec();
    let mut link = 4;
    for png in pages {
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        let (width, height) = (number(16) as usize, number(20) as usize);
        let data = png.windows(4).position(|name| name == b"IDAT").unwrap();
        let mut rows = Vec::new();
        ZlibDecoder::new(&png[data + 4..]).read_to_end(&mut rows).unwrap();
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
        for row in rows.chunks_exact(1 + 3 * width) {
            assert_eq!(row[0], 0, "rows come unfiltered");
            packed.write_all(&row[1..]).unwrap();
        }
        let (strip, packed) = (out.len() as u32, packed.finish().unwrap());
        out.extend(&packed);
        out.extend(vec![0; packed.len() % 2]);
        let bits = out.len() as u32;
        out.extend([8, 0, 8, 0, 8, 0]);
        let page = out.len() as u32;
        out[link..link + 4].copy_from_slice(&page.to_le_bytes());
        let fields: [(u16, u16, u32, u32); 9] = [
            (256, 4, 1, width as u32),
            (257, 4, 1, height as u32),
            (258, 3, 3, bits),
            (259, 3, 1, 8),
            (262, 3, 1, 2),
            (273, 4, 1, strip),
            (277, 3, 1, 3),
            (278, 4, 1, height as u32),
            (279, 4, 1, packed.len() as u32),
        ];
        out.extend((fields.len() as u16).to_le_bytes());
        for (tag, kind, count, value) in fields {
            out.extend(tag.to_le_bytes().into_iter().chain(kind.to_le_bytes()).chain(count.to_le_bytes()).chain(value.to_le_bytes()));
        }
        link = out.len();
        out.extend([0; 4]);
    }
    out
}

#[test]
fn a_fax_of_two_pages_is_recognised() {
    if !has_library() || !has_recognition() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let second: &[Line] = &[Line(60.0, 700.0, 12.0, "Rankin à trois mois : 1."), Line(60.0, 680.0, 12.0, "Pas de récidive.")];
    let pdf = file(&[LETTER, second], 0);
    let out = run(folder.path(), "a", &[patient(), document("d1", 1, "current", "application/pdf", &pdf)]);
    let pages: Vec<Vec<u8>> = ["sylvien gauche", "récidive"]
        .iter()
        .map(|words| {
            let png = folder.path().join("page.png");
            let start = value(&out, &format!("select strpos(text, '{words}') - 1 from source_documents"));
            let span = format!("{start}:{}", start.parse::<usize>().unwrap() + 5);
            succeeds(&["show", "d1", "--out", text(&out), "--png", text(&png), "--span", &span]);
            std::fs::read(&png).unwrap()
        })
        .collect();
    let out = run(folder.path(), "b", &[document("dfax", 1, "current", "image/tiff", &tiff(&pages))]);
    assert_eq!(admission(&out, "dfax"), "14");
    let last = "select max(w.page) from page_spans w join source_documents s using (document_id) where s.source_document_id = 'dfax'";
    assert_eq!(value(&out, last), "2");
    let text = value(&out, "select text from source_documents where source_document_id = 'dfax'");
    assert!(text.contains("Rankin") && text.contains("mois : 1"), "{text}");
}
