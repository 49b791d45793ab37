use base64::Engine;
use proptest::prelude::*;

use super::*;

const SITE: Tz = Tz::Europe__Paris;

/// An invented report, with the words of its narrative in this order.
const REPORT: &str = include_str!("tests/report.xml");

fn report() -> Document {
    read(REPORT.as_bytes(), SITE).unwrap_or_else(|e| panic!("{e}"))
}

fn body(sections: &str) -> String {
    format!(
        "<ClinicalDocument xmlns='urn:hl7-org:v3'><component><structuredBody>{sections}</structuredBody></component></ClinicalDocument>"
    )
}

fn narrative(text: &str) -> String {
    let xml = body(&format!("<component><section><text>{text}</text></section></component>"));
    read(xml.as_bytes(), SITE).map_or_else(|e| e.to_string(), |d| d.text)
}

fn words_at(document: &Document, span: &Option<Range<usize>>) -> Option<String> {
    span.clone().map(|span| document.text.chars().skip(span.start).take(span.len()).collect())
}

#[test]
fn the_header_says_which_document_it_is() {
    let document = report();
    assert_eq!(document.id.as_deref(), Some("1.2.250.1.999.1.DOC-17"));
    assert_eq!((document.set_id.as_deref(), document.version), (Some("1.2.250.1.999.1.LOT-4"), Some(2)));
    assert_eq!(document.replaces, ["1.2.250.1.999.1.DOC-16"]);
    assert_eq!((document.type_code.as_deref(), document.type_display.as_deref()), (Some("34133-9"), Some("Synthèse d'épisode de soins")));
    assert_eq!(document.title.as_deref(), Some("Fiche de sortie fictive"));
    assert_eq!(document.effective_time.map(|t| t.to_string()).as_deref(), Some("2024-07-05 15:05:00"));
    assert_eq!((document.confidentiality.as_deref(), document.language.as_deref()), (Some("R"), Some("fr-FR")));
    assert_eq!(document.templates, ["1.2.250.1.213.1.1.1.1", "1.2.250.1.213.1.1.1.17"]);
    assert_eq!(document.authors, ["Jean MODÈLE"]);
    assert_eq!(document.custodian.as_deref(), Some("Hôpital de l'Exemple"));
    let stay = document.encounter.unwrap_or_default();
    assert_eq!(stay.id.as_deref(), Some("urn:oid:1.2.250.1.999.3|SEJ-9"));
    assert_eq!(stay.start.map(|t| t.to_string()).as_deref(), Some("2024-07-01 10:30:00"));
    assert_eq!(stay.end, None);
    assert!(document.inner.is_none() && !document.charset_guessed);
}

#[test]
fn the_header_names_the_patient_and_others() {
    let document = report();
    assert_eq!(document.patient_ids, ["urn:oid:1.2.250.1.213.1.4.8|255069912345605", "urn:oid:1.2.250.1.999.2|IPP-3"]);
    let record = document.patient;
    assert_eq!(record.families, ["FICTIVE", "EXEMPLE"]);
    assert_eq!(record.givens, ["LÉA ANNE", "LÉA"]);
    assert_eq!((record.birth_date.as_deref(), record.female), (Some("1955-06-01"), Some(true)));
    assert_eq!(record.lines, ["2 bis Allée des Essais", "4 rue du Modèle"]);
    assert_eq!(
        (record.postal_codes, record.cities),
        (vec!["99999".to_owned(), "98888".into()], vec!["Ville-Test".into(), "Né-Ville".into(), "Autre-Ville".into()])
    );
    assert_eq!((record.phones, record.mails), (vec!["0199000001".to_owned(), "0639980001".into()], vec!["lea@example.org".into()]));
    let identifiers: Vec<_> = record.identifiers.iter().map(|(l, n)| format!("{l} {n}")).collect();
    assert_eq!(identifiers, ["SECU 255069912345605", "IPP IPP-3", "NDA SEJ-9"]);
    assert_eq!(record.others, ["Jean MODÈLE", "Paul EXEMPLE", "Anne MÉDECIN"]);
}

#[test]
fn the_narrative_reads_like_a_report() {
    assert_eq!(
        report().text,
        "Fiche de sortie fictive\n\n\
         Motif\nDéficit brutal de l'hémicorps droit, NIHSS à 12. Seconde phrase < 4h30.\n\n\
         Évaluation\nTest | Score | Date\nScore NIHSS | 4 | 05/07/2024\nRankin : 1\nGlasgow | Date : 04/07/2024\n\n\
         Antécédents\n- HTA (depuis 2010)\n- FA\n  1. paroxystique\n  2. anticoagulée\n\n\
         Examen physique\n\nSignes vitaux\nPoids : 59 kg\nTension : 18/9, puis 14/8\n\n\
         Traitement de sortie\nCompte rendu validé.\nLigne deux."
    );
}

#[test]
fn sections_cover_their_text() {
    let document = report();
    let sections: Vec<_> = document.sections.iter().map(|s| (s.depth, s.code.as_ref().and_then(|c| c.code.as_deref()))).collect();
    let codes =
        [(0, Some("42349-1")), (0, Some("47420-5")), (0, Some("11348-0")), (0, Some("29545-1")), (1, Some("8716-3")), (0, Some("10183-2"))];
    assert_eq!(sections, codes);
    for section in &document.sections {
        let text = words_at(&document, &Some(section.range.clone())).unwrap_or_default();
        let title = section.title.as_deref().or(section.code.as_ref().and_then(|c| c.display.as_deref())).unwrap_or_default();
        assert!(text.starts_with(title) && !text.ends_with('\n'), "{title}: {text}");
    }
    assert_eq!(document.sections[5].title, None);
    assert!(
        document.sections[3].range.end == document.sections[4].range.end
            && document.sections[4].range.end < document.sections[5].range.start
    );
}

#[test]
fn entries_lead_back_to_their_words() {
    let document = report();
    let entry = |code: &str| {
        let found = document.entries.iter().position(|e| e.code.as_ref().and_then(|c| c.code.as_deref()) == Some(code));
        found.unwrap_or_else(|| panic!("{code}"))
    };
    let nihss = &document.entries[entry("70182-1")];
    assert_eq!((nihss.kind, nihss.section, nihss.negated), (EntryKind::Observation, 1, false));
    assert_eq!(nihss.values, [Value::Integer(4)]);
    assert_eq!(words_at(&document, &nihss.span).as_deref(), Some("4"));
    assert_eq!(
        nihss.time.and_then(|t| t.low).map(|m| (m.at.to_string(), m.precision)),
        Some(("2024-07-05 00:00:00".to_owned(), Precision::Day))
    );
    assert_eq!((nihss.mood.as_deref(), nihss.status.as_deref()), (Some("EVN"), Some("completed")));
    let part = &document.entries[entry("70184-7")];
    assert_eq!((part.parent, part.relation.as_deref()), (Some(entry("70182-1")), Some("COMP")));

    let diabetes = &document.entries[entry("282291009")];
    assert!(diabetes.negated && diabetes.parent.is_some() && diabetes.relation.as_deref() == Some("SUBJ"));
    let Some(Value::Coded(code)) = diabetes.values.first() else { panic!("{diabetes:?}") };
    assert_eq!((code.code.as_deref(), code.system_name), (Some("E10"), Some("ICD-10")));
    // The id is written with another case and without its mark.
    assert_eq!(words_at(&document, &diabetes.span).as_deref(), Some("HTA (depuis 2010)"));

    let location = &document.entries[entry("39111-0")];
    assert!(location.negated, "said by what binds it to its parent");
    assert_eq!(location.sites[0].qualifiers[0].display.as_deref(), Some("gauche"));

    let drug = document.entries.iter().find(|e| e.kind == EntryKind::Medication).unwrap_or_else(|| panic!());
    assert_eq!(drug.product.as_ref().and_then(|p| p.display.as_deref()), Some("ESSAILOL 20 mg"));
    assert_eq!(drug.product.as_ref().map(|p| p.translations[0].system_name), Some(Some("ATC")));
    assert_eq!(drug.dose, Some(Value::QuantityInterval { low: Some(20.0), high: Some(20.0), unit: Some("mg".into()) }));
    assert_eq!(drug.period, Some(Value::Quantity { value: 1.0, unit: Some("d".into()) }));
    assert_eq!(drug.route.as_ref().and_then(|r| r.display.as_deref()), Some("Voie orale"));
    let criterion = document.entries.iter().find(|e| e.kind == EntryKind::Criterion).unwrap_or_else(|| panic!());
    assert_eq!((criterion.relation.as_deref(), &criterion.values[..]), (Some("PRCN"), &[Value::Boolean(false)][..]));
}

#[test]
fn values_of_every_type() {
    let value = |xml: &str| {
        let entry = format!("<component><section><entry><observation><code code='c'/>{xml}</observation></entry></section></component>");
        read(body(&entry).as_bytes(), SITE).ok().and_then(|mut d| d.entries.pop()?.values.pop())
    };
    let quantity = |value, unit: &str| Some(Value::Quantity { value, unit: (!unit.is_empty()).then(|| unit.to_owned()) });
    assert_eq!(value("<value xsi:type='PQ' value='37,5' unit='Cel'/>"), quantity(37.5, "Cel"));
    assert_eq!(value("<value a:type='hl7:INT' value='+3'/>"), Some(Value::Integer(3)));
    assert_eq!(value("<value xsi:type='INT' value='3.5'/>"), Some(Value::Real(3.5)));
    assert_eq!(value("<value xsi:type='REAL' value='0.94'/>"), Some(Value::Real(0.94)));
    assert_eq!(value("<value xsi:type='BL' value='false'/>"), Some(Value::Boolean(false)));
    assert_eq!(value("<value xsi:type='ST'>Protocole\n XYZ</value>"), Some(Value::Text("Protocole XYZ".into())));
    assert!(matches!(value("<value xsi:type='TS' value='20240705'/>"), Some(Value::Time(m)) if m.precision == Precision::Day));
    assert!(matches!(value("<value xsi:type='IVL_TS'><low value='2024'/></value>"), Some(Value::TimeInterval(i)) if i.high.is_none()));
    assert_eq!(
        value("<value xsi:type='IVL_PQ'><low value='1' unit='g'/></value>"),
        Some(Value::QuantityInterval { low: Some(1.0), high: None, unit: Some("g".into()) })
    );
    assert!(matches!(
        value("<value xsi:type='RTO_PQ_PQ'><numerator value='1' unit='mg'/><denominator value='2' unit='mL'/></value>"),
        Some(Value::Ratio { denominator: 2.0, .. })
    ));
    assert_eq!(value("<value value='12' unit='kg'/>"), quantity(12.0, "kg"));
    assert!(matches!(value("<value code='I10'/>"), Some(Value::Coded(_))));
    for nothing in ["<value xsi:type='PQ' nullFlavor='UNK'/>", "<value xsi:type='PQ' value='inf'/>", "<value xsi:type='CD'/>", "<value/>"] {
        assert_eq!(value(nothing), None, "{nothing}");
    }
}

#[test]
fn tables_read_as_lines() {
    assert_eq!(
        narrative(
            "<table><thead><tr><th>A</th><th>B</th><th>A</th><th>B</th></tr></thead><tbody><tr><td>un</td><td>Non</td><td>deux</td><td>Oui</td></tr></tbody></table>"
        ),
        "A | B | A | B\nun : Non\ndeux : Oui"
    );
    assert_eq!(
        narrative(
            "<table><tr><th>Examen</th><th>J0</th><th>J1</th></tr><tr><td>CRP</td><td/><td>12</td></tr><tr><td rowspan='2'>INR</td><td>1</td><td>2</td></tr><tr><td/><td>3</td></tr></table>"
        ),
        "Examen | J0 | J1\nCRP | J1 : 12\nINR | 1 | 2\nJ1 : 3"
    );
    assert_eq!(
        narrative("<table><tr><td>Tabac ?</td><td>oui</td></tr><tr><td>NIHSS :</td><td>4</td></tr></table>"),
        "Tabac ? oui\nNIHSS : 4"
    );
    assert_eq!(
        narrative("<table><tr><td>Examen</td><td><paragraph>Vigilant.</paragraph><paragraph>Aphasie</paragraph></td></tr></table>"),
        "Examen : Vigilant.\nAphasie"
    );
    assert_eq!(narrative("<table><tr><td>a<br/>b</td><td>c.<br/>d</td><td>e</td></tr></table>"), "a, b | c. d | e");
    assert_eq!(
        narrative(
            "<table><caption>T</caption><tfoot><tr><td>fin</td></tr></tfoot><tbody><tr><td colspan='99999999'>x</td><td>y</td></tr></tbody></table>"
        ),
        "T\nx : y\nfin"
    );
}

#[test]
fn tables_within_tables_end() {
    let deep = format!("{}<tr><td>un</td><td>deux</td></tr>{}", "<table><tr><td>".repeat(25), "</td></tr></table>".repeat(25));
    let text = narrative(&deep);
    assert!(text.contains("un") && text.contains("deux"), "{text}");
}

#[test]
fn what_is_not_text_is_left_out() {
    assert_eq!(
        narrative(
            "Vu<sup>1</sup> <content revised='delete'>non</content>et<footnoteRef IDREF='f'/> <renderMultiMedia referencedObject='i'><caption>Image</caption></renderMultiMedia>H<sub>2</sub>O"
        ),
        "Vu1 et\nImage\nH2O"
    );
    assert_eq!(narrative("un\n\n\n  deux\u{a0}\u{2003}trois\n"), "un\n\ndeux trois");
    assert_eq!(narrative("<paragraph>un\n  deux</paragraph>trois"), "un deux\ntrois");
}

#[test]
fn a_document_without_structure_gives_what_it_holds() {
    let level_1 = |attributes: &str, content: &str| {
        let xml = format!(
            "<ClinicalDocument><title>T</title><component><nonXMLBody><text {attributes}>{content}</text></nonXMLBody></component></ClinicalDocument>"
        );
        read(xml.as_bytes(), SITE)
    };
    let held = |document: Result<Document, CdaError>| document.map(|d| (d.text, d.inner.map(|i| (i.media_type, i.bytes.len()))));
    assert_eq!(
        held(level_1("mediaType='application/pdf' representation='B64'", "JVBE\nRi0x")),
        Ok((String::new(), Some(("application/pdf".into(), 6))))
    );
    assert_eq!(held(level_1("mediaType='text/plain' representation='B64'", "w6l0w6k=")).map(|h| h.0).as_deref(), Ok("été"));
    assert_eq!(held(level_1("mediaType='text/html' representation='B64'", "PHA+dnU8L3A+")).map(|h| h.0).as_deref(), Ok("vu"));
    assert_eq!(held(level_1("mediaType='text/rtf' representation='B64'", "e1xydGYxIHZ1fQ==")).map(|h| h.0).as_deref(), Ok("vu"));
    assert_eq!(held(level_1("mediaType='text/plain; charset=iso-8859-1'", "été\n&amp;")).map(|h| h.0).as_deref(), Ok("été\n&"));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, "été".as_bytes()).unwrap_or_default();
    let gzip = base64::engine::general_purpose::STANDARD.encode(gzip.finish().unwrap_or_default());
    let compressed = level_1("mediaType='text/plain' representation='B64' compression='GZ'", &gzip);
    assert_eq!(held(compressed).map(|h| h.0).as_deref(), Ok("été"));
    assert_eq!(held(level_1("mediaType='application/pdf' representation='B64'", "é!")), Err(CdaError::BadInner));
    assert_eq!(held(level_1("mediaType='application/pdf' representation='B64' compression='GZ'", "JVBERi0x")), Err(CdaError::BadInner));
    assert_eq!(held(level_1("mediaType='application/pdf'", "<reference value='file:///etc/hostname'/>")), Err(CdaError::InnerElsewhere));
}

#[test]
fn a_document_within_documents_ends() {
    let mut bytes = b"vu".to_vec();
    for _ in 0..12 {
        let inner = base64::engine::general_purpose::STANDARD.encode(&bytes);
        bytes = format!("<ClinicalDocument><component><nonXMLBody><text mediaType='text/xml' representation='B64'>{inner}</text></nonXMLBody></component></ClinicalDocument>").into_bytes();
    }
    assert_eq!(read(&bytes, SITE).map(|d| d.text).as_deref(), Ok(""));
}

#[test]
fn character_sets_declared_rightly_and_wrongly() {
    let document = |encoding: &str| {
        format!("<?xml version=\"1.0\" encoding='{encoding}'?><ClinicalDocument><title>Été — cœur</title></ClinicalDocument>")
    };
    let title = |bytes: &[u8]| read(bytes, SITE).map(|d| (d.title.unwrap_or_default(), d.charset_guessed));
    let right = |guessed| Ok(("Été — cœur".to_owned(), guessed));
    let windows = encoding_rs::WINDOWS_1252.encode(&document("windows-1252")).0.into_owned();
    assert_eq!(title(&windows), right(false));
    let latin = encoding_rs::WINDOWS_1252.encode(&document("ISO-8859-1")).0.into_owned();
    assert_eq!(title(&latin), right(false));
    assert_eq!(title(document("ISO-8859-1").as_bytes()), right(true));
    assert_eq!(title(document("UTF-16").as_bytes()), right(false));
    assert_eq!(title(&encoding_rs::WINDOWS_1252.encode(&document("UTF-8")).0), right(true));
    let mut marked = b"\xef\xbb\xbf".to_vec();
    marked.extend(document("utf-8").bytes());
    assert_eq!(title(&marked), right(false));
    for big in [false, true] {
        let units = document("UTF-16").encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect::<Vec<_>>();
        assert_eq!(title(&units), right(false));
        let mark: &[u8] = if big { b"\xfe\xff" } else { b"\xff\xfe" };
        assert_eq!(title(&[mark, &units].concat()), right(false));
    }
}

#[test]
fn a_clinical_document_is_known_by_its_root() {
    let start = "\u{feff}<?xml version='1.0'?>\n<?xml-stylesheet href='x>y'?><!-- <feed> -->\n";
    assert!(is_clinical_document(format!("{start}<n:ClinicalDocument xmlns:n='urn:hl7-org:v3'>").as_bytes()));
    assert!(is_clinical_document(b"<!DOCTYPE a [<!ENTITY b 'c'>]><ClinicalDocument/>"));
    for other in ["<feed><ClinicalDocument/></feed>", "ClinicalDocument", "", "<!-- ClinicalDocument", "<ClinicalDocuments/>"] {
        assert!(!is_clinical_document(format!("{start}{other}").as_bytes()), "{other}");
    }
}

#[test]
fn every_error_has_a_word_of_the_list() {
    use CdaError::{BadInner, BadXml, Entity, InnerElsewhere, NotCda, TooDeep, TooLarge, Truncated};
    for error in [BadXml, Entity, TooDeep, TooLarge, Truncated, NotCda, BadInner, InnerElsewhere] {
        assert!(crate::formats::reason::ALL.contains(&error.reason()), "{error}");
        assert_eq!(error.fault(), Fault::Input);
    }
}

const PIECES: &[&str] = &[
    "<",
    ">",
    "</",
    "/>",
    "&",
    "&lol;",
    "&#x0;",
    "<!DOCTYPE a>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "\"",
    "'",
    "=",
    "<a>",
    "</section>",
    "<section>",
    "<table><tr><td>",
    "colspan='9999'",
    "rowspan='9999'",
    "ID='n'",
    "value='1e999'",
    "xmlns='u'",
    "\u{0}",
    "é",
    "<entry>",
    "encoding='utf-16'",
];

proptest! {
    #[test]
    fn damage_does_no_harm(changes in prop::collection::vec((any::<prop::sample::Index>(), 0..60usize, any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = REPORT.as_bytes().to_vec();
        for (at, length, piece, byte) in changes {
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            match byte % 4 {
                0 => bytes.truncate(at.max(1)),
                1 => bytes[at] = byte,
                2 => drop(bytes.splice(at..end, PIECES[piece.index(PIECES.len())].bytes())),
                _ => {
                    let copy = bytes[at..end].to_vec();
                    let to = piece.index(bytes.len());
                    drop(bytes.splice(to..to, copy));
                }
            }
        }
        if let Ok(document) = read(&bytes, SITE) {
            prop_assert!(document.text.len() <= bytes.len() * 8);
            let length = document.text.chars().count();
            for span in document.sections.iter().map(|s| &s.range).chain(document.entries.iter().filter_map(|e| e.span.as_ref())) {
                prop_assert!(span.start <= span.end && span.end <= length);
            }
            for (index, entry) in document.entries.iter().enumerate() {
                prop_assert!(entry.section < document.sections.len() && entry.parent.is_none_or(|parent| parent < index));
            }
        }
        is_clinical_document(&bytes);
    }

    #[test]
    fn every_word_of_a_narrative_is_in_the_text(pieces in prop::collection::vec((0..11usize, "[a-zé]{1,6}"), 0..24)) {
        let mut xml = String::new();
        let mut open = Vec::new();
        for (kind, word) in &pieces {
            let element = ["paragraph", "list", "item", "table", "tr", "td", "th", "content", "thead"].get(*kind);
            match element {
                Some(element) => {
                    xml.push_str(&format!("<{element} ID='{word}'>{word} "));
                    open.push(*element);
                }
                None => xml.push_str(&open.pop().map_or_else(|| "<br/>".to_owned(), |element| format!("</{element}>{word} "))),
            }
        }
        open.iter().rev().for_each(|element| xml.push_str(&format!("</{element}>")));
        let mut expected: Vec<&str> = Vec::new();
        let plain = xml.split('<').map(|part| part.split_once('>').map_or("", |(_, text)| text.trim())).filter(|w| !w.is_empty());
        expected.extend(plain);
        let text = narrative(&xml);
        let mut found: Vec<&str> = text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).collect();
        for word in expected {
            let at = found.iter().position(|f| *f == word);
            prop_assert!(at.is_some(), "{} is lost from {} in {}", word, xml, text);
            at.map(|at| found.swap_remove(at));
        }
    }
}
