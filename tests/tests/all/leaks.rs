//! No identifier of a patient leaves the restricted zone, however it is written and
//! wherever it stands.

use std::path::Path;

use base64::Engine;

use super::command::{sillage, stderr, succeeds, text, value};

/// The record: what the feed knows of an invented person.
const PATIENT: &str = r#"{"resourceType":"Patient","id":"p1","name":[{"use":"official","family":"KERVADÉCHAIN-BOULUSTEIX","given":["Maïlys","Ombeline"]},{"use":"maiden","family":"TRÉVIDOUX"}],"gender":"female","birthDate":"1951-03-07","identifier":[{"type":{"coding":[{"code":"PI"}]},"system":"urn:ipp","value":"8041277356"},{"type":{"coding":[{"code":"INS-NIR"}]},"value":"251039912345684"}],"address":[{"line":["14 rue des Korriganets"],"postalCode":"29391","city":"Plougarneuf"}],"telecom":[{"system":"phone","value":"06 39 98 41 72"},{"system":"email","value":"mailys.trevidoux@exemple.fr"}]}"#;

/// Ten ways to write each of them.
const PLANTED: &[(&str, &[&str])] = &[
    (
        "family name",
        &[
            "KERVADÉCHAIN-BOULUSTEIX",
            "KERVADECHAIN-BOULUSTEIX",
            "Kervadéchain-Boulusteix",
            "Kervadechain Boulusteix",
            "KERVADÉCHAIN BOULUSTEIX",
            "KERVADÉCHAIN",
            "Kervadéchian-Boulusteix",
            "KERVADECHAINBOULUSTEIX",
            "BOULUSTEIX-KERVADÉCHAIN",
            "KERVADÉCHAIN-\nBOULUSTEIX",
        ],
    ),
    (
        "maiden name",
        &[
            "TRÉVIDOUX",
            "TREVIDOUX",
            "Trévidoux",
            "Trevidoux",
            "TRÉVIDOUXX",
            "TREVIDOUS",
            "Trevidoux-Kervadéchain",
            "TRÉVIDOUX Maïlys",
            "née Trévidoux",
            "née\nTRÉVIDOUX",
        ],
    ),
    (
        "given name",
        &[
            "Maïlys",
            "Mailys",
            "MAÏLYS",
            "MAILYS",
            "Maylis",
            "Maïlys-Ombeline",
            "Ombeline",
            "OMBELINE",
            "Mailys Ombeline",
            "M. O. KERVADÉCHAIN",
        ],
    ),
    (
        "birth date",
        &[
            "07/03/1951",
            "07/03/51",
            "7/3/1951",
            "07.03.1951",
            "07-03-1951",
            "1951-03-07",
            "7 mars 1951",
            "07 MARS 1951",
            "sept mars 1951",
            "7 mars\n1951",
        ],
    ),
    (
        "telephone",
        &[
            "06 39 98 41 72",
            "0639984172",
            "06.39.98.41.72",
            "06-39-98-41-72",
            "+33 6 39 98 41 72",
            "+33639984172",
            "0033 6 39 98 41 72",
            "06 39 984 172",
            "(0)6 39 98 41 72",
            "06/39/98/41/72",
        ],
    ),
    (
        "hospital number",
        &[
            "8041277356",
            "80 41 27 73 56",
            "8041 277 356",
            "804-1277-356",
            "80.41.27.73.56",
            "IPP8041277356",
            "8041277 356",
            "n°8041277356",
            "8041277356/1",
            "804127 7356",
        ],
    ),
    (
        "health number",
        &[
            "251039912345684",
            "2 51 03 99 123 456 84",
            "2510399123456",
            "2 51 03 99 123 456",
            "251 03 99 123 456 84",
            "2-51-03-99-123-456-84",
            "25103 99123 45684",
            "2.51.03.99.123.456.84",
            "INS 251039912345684",
            "2510399123456 84",
        ],
    ),
    (
        "address",
        &[
            "14 rue des Korriganets",
            "14, rue des Korriganets",
            "14 RUE DES KORRIGANETS",
            "14 r. des Korriganets",
            "rue des Korriganets",
            "14 bis rue des Korriganets",
            "14 rue Korriganets",
            "14 rue des\nKorriganets",
            "Korriganets",
            "14 rue des Korriganet",
        ],
    ),
    (
        "town",
        &[
            "Plougarneuf",
            "PLOUGARNEUF",
            "29391 Plougarneuf",
            "Plougarnneuf",
            "29391 PLOUGARNEUF",
            "plougarneuf",
            "Plougarneuf (29)",
            "à Plougarneuf",
            "Plougarneuf,",
            "mairie de Plougarneuf",
        ],
    ),
    (
        "mail",
        &[
            "mailys.trevidoux@exemple.fr",
            "MAILYS.TREVIDOUX@EXEMPLE.FR",
            "Mailys.Trevidoux@exemple.fr",
            "mailys.trevidoux @exemple.fr",
            "<mailys.trevidoux@exemple.fr>",
            "mailto:mailys.trevidoux@exemple.fr",
            "mailys_trevidoux@exemple.fr",
            "mailys.trevidoux@exemple.fr.",
            "m.trevidoux@exemple.fr",
            "mailys.trevidoux(at)exemple.fr",
        ],
    ),
];

/// A document that says `form` in its header, a section title, a sentence, a table row and its title.
fn document(id: &str, form: &str) -> String {
    let flat = form.replace('\n', " ");
    let body = format!(
        "CENTRE HOSPITALIER - Neurologie\nPatiente : Mme {form}\n\nHISTOIRE DE {}\nMme {form} a présenté une aphasie de Broca le 3 mai. Signe de Babinski à droite.\nContact | {flat} | vu\nConclusion : AVC ischémique sylvien gauche chez {form}, Rankin 2.\n",
        flat.to_uppercase()
    );
    let data = base64::engine::general_purpose::STANDARD.encode(body);
    serde_json::json!({
        "resourceType": "DocumentReference", "id": id, "status": "current", "subject": {"reference": "Patient/p1"},
        "date": "2024-05-03T10:00:00+02:00", "description": format!("Compte rendu {flat}"),
        "type": {"coding": [{"system": "http://loinc.org", "code": "34111-5", "display": "Urgences"}]},
        "content": [{"attachment": {"contentType": "text/plain; charset=utf-8", "data": data}}]
    })
    .to_string()
}

/// Letters and digits alone, small, without accents: what an eye would recognise.
fn skeleton(text: &str) -> String {
    sillage_clinical::text::fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Every string of the research zone, row by row, and all that the command said.
fn leaving(folder: &Path) -> Vec<String> {
    // The name of the feed names the person, too.
    let (feed, out, files) = (folder.join("KERVADECHAIN-BOULUSTEIX"), folder.join("tables"), folder.join("files"));
    std::fs::create_dir_all(&feed).unwrap();
    std::fs::write(feed.join("Patient.ndjson"), PATIENT).unwrap();
    let forms = PLANTED.iter().flat_map(|(_, forms)| forms.iter());
    let mut lines: Vec<String> = forms.enumerate().map(|(i, form)| document(&format!("d{i}"), form)).collect();
    lines.push("{\"resourceType\":\"DocumentReference\",\"id\":\"KERVADECHAIN-BOULUSTEIX\",\"content\":3}".to_owned());
    std::fs::write(feed.join("DocumentReference_Plougarneuf.ndjson"), lines.join("\n")).unwrap();
    let run = sillage(&["run", "--source", text(&feed), "--out", text(&out), "--once", "--log-format", "json"]);
    assert!(run.status.success(), "{}", stderr(&run));
    succeeds(&["export", "--out", text(&out), "--to", text(&files), "--format", "csv"]);
    let arrived: usize = value(&out, "select count(*) from documents where text like '%Babinski%'").parse().unwrap();
    assert!(arrived >= 95, "{arrived} of 100 documents reach research: the second lock is not what hides identifiers");
    let mut strings: Vec<String> = stderr(&run).lines().filter(|l| !l.contains("pseudonym")).map(str::to_owned).collect();
    for entry in std::fs::read_dir(&files).unwrap() {
        strings.push(std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    strings
}

#[test]
fn no_planted_identifier_leaves_the_restricted_zone() {
    let folder = tempfile::tempdir().unwrap();
    let strings = leaving(folder.path());
    assert!(
        strings.iter().any(|s| s.contains("Babinski")) && strings.iter().any(|s| s.contains("AVC ischémique sylvien gauche")),
        "medicine stays"
    );
    let skeletons: Vec<String> = strings.iter().map(|s| skeleton(s)).collect();
    let mut found = Vec::new();
    for (what, forms) in PLANTED {
        assert_eq!(forms.len(), 10, "{what}");
        for form in *forms {
            let wanted = skeleton(form);
            if strings.iter().any(|s| s.contains(form)) || wanted.len() > 7 && skeletons.iter().any(|s| s.contains(&wanted)) {
                found.push(format!("{what} as {form:?}"));
            }
        }
    }
    assert!(found.is_empty(), "{} of 100 forms are in the research zone or in the logs:\n{}", found.len(), found.join("\n"));
}
