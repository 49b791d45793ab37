//! Clinical documents in HL7 v2 messages: one that replaces another (RPLC in its own
//! header) takes the place of what the codes of that one said.

use std::time::Duration;

use base64::Engine;
use sillage_sandbox::day::players::Progress;
use sillage_sandbox::day::players::mllp::{self, Outgoing};

use super::super::clinical_documents::written::{ADMISSION, LOINC, code, document, line, number, observation, section};
use super::super::command::value;
use super::running::{Pipeline, free_port, ready};

/// A message with an admission of this NIHSS.
fn message(number_: usize, id: &str, replaces: Option<&str>, nihss: &str) -> Vec<u8> {
    let score = observation(&code("code", LOINC, "72089-6", "Score total NIHSS"), "n", "202405020930+0000", &number(nihss, ""));
    let xml = document(ADMISSION, id, "202405021300+0200", replaces, &[section("70182-1", "Score", &line("n", "Total"), &[score])]);
    let data = base64::engine::general_purpose::STANDARD.encode(xml);
    format!(
        "MSH|^~\\&|RIS|HOP|PFI|HOP|2024050214000{number_}||MDM^T02^MDM_T02|{number_}|P|2.6|||||FRA|UNICODE UTF-8\r\
         EVN||2024050214000{number_}\r\
         PID|||7001^^^HOP&1.2.250.1.999.2&ISO^PI||IMAGINAIRE^LÉA||19510307|F\r\
         PV1|1|I\r\
         TXA|1|34133-9|TEXT|202405021300||||||||1.2.250.1.999.{id}||||||LA\r\
         OBX|1|ED|34133-9^Fiche^LN||^text^XML^Base64^{data}||||||F\r"
    )
    .into_bytes()
}

#[test]
fn a_document_that_replaces_another_changes_what_codes_say() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let pipeline = Pipeline::new(folder.path(), "cda", &[&format!("mllp://127.0.0.1:{port}")], "");
    let mut run = pipeline.start();
    ready(&mut run, &pipeline);
    let messages = [message(1, "A1", None, "12"), message(2, "A2", Some("A1"), "15")];
    let progress = Progress::default();
    let options = mllp::Options { connections: 1, ..mllp::Options::new(format!("127.0.0.1:{port}")) };
    let make = |index: usize| Outgoing { id: (index + 1).to_string(), bytes: messages[index].clone() };
    mllp::send(&|index| (index < messages.len()).then_some(Duration::ZERO), &make, &options, &progress).unwrap();
    assert_eq!(progress.report().acknowledged, 2, "{}", pipeline.log());
    run.terminate(&pipeline);
    pipeline.once();
    assert_eq!(value(&pipeline.out, "select string_agg(status, ',' order by status) from source_documents"), "\"current,superseded\"");
    let coded = "select string_agg(value, ',') from variables where variable = 'nihss_admission' and method = 'cda-entry'";
    assert_eq!(value(&pipeline.out, coded), "15");
    assert_eq!(value(&pipeline.out, "select kind from documents where status = 'current'"), "emergency");
    // 9:30 by Greenwich is 11:30 in Paris, an hour and a half before the document.
    let minutes = "select cast((date_part('epoch', event_time) - date_part('epoch', document_time)) / 60 as bigint) from variables where method = 'cda-entry'";
    assert_eq!(value(&pipeline.out, minutes), "-90");
}
