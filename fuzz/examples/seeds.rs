//! Writes the seeds of each target into `corpus/`: whole inputs as systems send
//! them, and each with a part doubled, left out, or in another's place. All people
//! are invented.

use std::fs;
use std::path::Path;

const HL7: &[&str] = &[
    "MSH|^~\\&|A|B|C|D|20240305120000+0100||MDM^T02^MDM_T02|1|P|2.6|||||FRA|UNICODE UTF-8|FR\rEVN||20240305\rPID|1||77^^^H&1.2.3&ISO^PI~9^^^ASIP&1.2.250.1.213.1.4.8&ISO^INS||FICTIVE^Léa^Anne^^^^L||19550601|F|||2 allée^^Ville^^99999|||||||A1^^^H^AN\rPV1|1|I|||||||||||||||||V1^^^H^VN\rTXA|1|18748-4|TX|20240305||||20240305|D^AUTRE^Ida|||D1^O|1.2D0^O||||LA||AV\rOBX|1|ED|18748-4^CR^LN||^text^XML^Base64^dnUgw6AgMTBo||||||F\r",
    "MSH|^˜\\&|A|B|C|D|2024||ORU^R01|2|P|2.5|||AL|NE||8859/15\rPID|1||7\rOBR|1|P^A|F^L|11502-2^CR^LN|||202403051000\rOBX|1|TX|a||un˜deux \\.br\\ \\X41\\\\XE9\\ \\F\\||||||F\rOBX|2|FT|b||trois||||||D\rOBX|3|RP|x||p^q\r",
    "MSH|^~\\&|A|B|C|D|2024||ADT^A40|3|P|2.3\rEVN|A40|2024\rPID|1||7^^^H^PI||F^L\rMRG|5^^^H^PI||A1||V1\rPID|2||8^^^H^PI\rMRG|6^^^H\rPV1|1|E\r",
    "MSH#$*/%#A#B#C#D#2024##ADT$A24#5\rPID#1##7\rPID#2##8\rNK1#1#X$Y\r",
];
const FHIR: &[&str] = &[
    r#"{"resourceType":"DocumentReference","id":"d","meta":{"versionId":"3","lastUpdated":"2024-03-05T13:05:00.000+01:00"},"status":"current","type":{"coding":[{"system":"http://loinc.org","code":"11490-0","display":"CR"}]},"subject":{"reference":"Patient/p"},"date":"2024-03-05T13:05:00Z","author":[{"display":"Dr Fictif"}],"relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/c"}}],"content":[{"attachment":{"contentType":"text/plain; charset=UTF-8","data":"RMOpZmljaXQgYnJ1dGFs"}},{"attachment":{"contentType":"text/html","data":"PHA+dnU8L3A+"}}],"context":{"encounter":[{"reference":"Encounter/e"}],"period":{"start":"2024-03-05"}}}"#,
    r#"{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:ipp","value":"1"}],"name":[{"family":"Inventée","given":["Ève"]}],"link":[{"other":{"reference":"Patient/q"},"type":"replaced-by"}]}"#,
    r#"{"resourceType":"Encounter","id":"e","class":{"code":"IMP"},"subject":{"reference":"Patient/p"},"period":{"start":"2024-03-05T10:00:00+01:00"}}"#,
    r#"{"resourceType":"Bundle","type":"history","entry":[{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"p"},"request":{"method":"PUT","url":"Patient/p"}},{"request":{"method":"DELETE","url":"DocumentReference/d"},"response":{"etag":"W/\"4\"","lastModified":"2024-03-05T13:05:00Z"}}]}"#,
    r#"{"resourceType":"Bundle","type":"document","entry":[{"resource":{"resourceType":"Composition","id":"c","status":"final","title":"CR","date":"2024","subject":{"reference":"urn:uuid:2"},"section":[{"title":"Motif","text":{"status":"generated","div":"<div><p>AVC</p></div>"}}]}},{"fullUrl":"urn:uuid:2","resource":{"resourceType":"Patient"}}]}"#,
];
const CDA: &[&str] = &[
    r#"<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.3" extension="d1"/><setId root="1.2.3" extension="s"/><versionNumber value="2"/><code code="11490-0" codeSystem="2.16.840.1.113883.6.1"/><title>CR</title><effectiveTime value="20240305120000+0100"/><recordTarget><patientRole><id root="1.2" extension="7"/><patient><name><family>FICTIVE</family><given>Léa</given></name><birthTime value="19550601"/></patient></patientRole></recordTarget><relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.3" extension="d0"/></parentDocument></relatedDocument><component><structuredBody><component><section><title>Motif</title><text><paragraph>AVC <content ID="a">sylvien</content></paragraph><table><tbody><tr><td>TA</td><td>18/9</td></tr></tbody></table><list><item>HTA</item></list></text></section></component></structuredBody></component></ClinicalDocument>"#,
    r#"<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.3"/><component><nonXMLBody><text mediaType="text/plain" representation="B64">dnU=</text></nonXMLBody></component></ClinicalDocument>"#,
    "<!DOCTYPE a [<!ENTITY b \"c\"><!ENTITY d \"&b;&b;&b;\">]><ClinicalDocument xmlns=\"urn:hl7-org:v3\"><title>&d;</title></ClinicalDocument>",
];
const RTF: &[&str] = &[
    r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset238 X;}}{\*\generator x;}\pard\f0 Compte rendu d\'e9ficit\par\u233?\uc2\u8217??{\b gras}\line\tab\trowd TA\cell 18/9\cell\row{\pict\bin4 abcd}\f1\'e8}",
    r"{\rtf1\mac\{\}\\\~\_\emdash\lquote{\field{\*\fldinst HYPERLINK}{\fldrslt lien}}}",
];
const HTML: &[&str] = &[
    "<!DOCTYPE html><html><head><title>t</title><style>p{}</style></head><body><h1>CR</h1><p>AVC &eacute;&#233;&#x1F600;<br>suite</p><ul><li>un<ol><li>deux</ol></ul><table><tr><td>TA<td>18/9</table><script>x</script><pre>a\n b</pre></body></html>",
];
const MIME: &[&str] = &[
    "MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nd=E9ficit=\r\n suite\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+dnU8L3A+\r\n--b--\r\n",
    "Content-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: multipart/mixed; boundary=y\n\n--y\n\nvu\n--y--\n--x--\n",
];

/// Seeds, each with a part doubled, left out, and before another's second half.
fn variants(seeds: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut all = seeds.to_vec();
    for (number, seed) in seeds.iter().enumerate() {
        let (third, half) = (seed.len() / 3, seed.len() / 2);
        all.push([&seed[..2 * third], &seed[third..]].concat());
        all.push([&seed[..third], &seed[2 * third..]].concat());
        let other = &seeds[(number + 1) % seeds.len()];
        all.push([&seed[..half], &other[other.len() / 2..]].concat());
    }
    all
}

fn write(target: &str, seeds: Vec<Vec<u8>>) {
    let folder = Path::new("corpus").join(target);
    fs::create_dir_all(&folder).expect("a folder for the seeds");
    let seeds = variants(&seeds);
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed{number:03}")), seed).expect("a seed");
    }
    println!("{target}: {} seeds", seeds.len());
}

fn bytes(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn main() {
    write("hl7v2_message", bytes(HL7));
    let batch = format!("FHS|^~\\&|x\rBHS|^~\\&|x\r{}BTS|4\rFTS|1\r", HL7.concat());
    write("hl7v2_batch", [bytes(HL7), vec![batch.into_bytes()]].concat());
    let framed = |message: &&str| [b"\x07\x40\x01\x03\x0b", message.as_bytes(), b"\x1c\r"].concat();
    let stream = HL7.iter().flat_map(|message| [b"\x0b", message.as_bytes(), b"\x1c"].concat()).collect();
    write("mllp_framer", [HL7.iter().map(framed).collect(), vec![stream]].concat());
    write("fhir_resource", bytes(FHIR));
    let list = format!("[{}]", FHIR.join(","));
    write("fhir_bundle_file", [bytes(FHIR), vec![list.into_bytes()]].concat());
    write("cda", bytes(CDA));
    write("rtf", bytes(RTF));
    write("html", bytes(HTML));
    write("mime", [bytes(MIME), bytes(HTML), bytes(CDA), bytes(RTF)].concat());
    let latin: Vec<u8> = "déficit œdème €".chars().map(|c| u32::from(c) as u8).collect();
    let wide: Vec<u8> = "\u{feff}déficit €".encode_utf16().flat_map(u16::to_le_bytes).collect();
    write("charset", [bytes(&["déficit œdème €", "\u{feff}vu"]), vec![latin, wide]].concat());
}
