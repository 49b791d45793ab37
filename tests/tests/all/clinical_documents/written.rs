//! Clinical documents that nobody ever wrote, in the form of the national ones.

/// Object identifiers of code systems.
pub const LOINC: &str = "2.16.840.1.113883.6.1";
pub const SNOMED: &str = "2.16.840.1.113883.6.96";
pub const ICD10: &str = "2.16.840.1.113883.6.3";
pub const ATC: &str = "2.16.840.1.113883.6.73";
pub const TERMS: &str = "1.2.250.1.213.1.1.4.322";

/// Templates of the four national stroke documents.
pub const ADMISSION: &str = "1.2.250.1.213.1.1.1.15";
pub const EPISODE: &str = "1.2.250.1.213.1.1.1.16";
pub const DISCHARGE: &str = "1.2.250.1.213.1.1.1.17";
pub const FOLLOW_UP: &str = "1.2.250.1.213.1.1.1.25";

/// A document of this template with these sections; `replaces` is the id of another.
pub fn document(template: &str, id: &str, time: &str, replaces: Option<&str>, sections: &[String]) -> String {
    let related = replaces.map_or(String::new(), |id| {
        format!("<relatedDocument typeCode=\"RPLC\"><parentDocument><id root=\"1.2.250.1.999\" extension=\"{id}\"/></parentDocument></relatedDocument>")
    });
    let sections: String = sections.iter().map(|section| format!("<component>{section}</component>")).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ClinicalDocument xmlns=\"urn:hl7-org:v3\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <templateId root=\"1.2.250.1.213.1.1.1.1\"/><templateId root=\"{template}\" extension=\"2022.01\"/><id root=\"1.2.250.1.999\" extension=\"{id}\"/>\
         <code code=\"34133-9\" codeSystem=\"{LOINC}\"/><title>Fiche fictive</title><effectiveTime value=\"{time}\"/>{related}\
         <component><structuredBody>{sections}</structuredBody></component></ClinicalDocument>"
    )
}

/// A section with its narrative and entries.
pub fn section(code: &str, title: &str, narrative: &str, entries: &[String]) -> String {
    let entries: String = entries.iter().map(|entry| format!("<entry>{entry}</entry>")).collect();
    format!("<section><code code=\"{code}\" codeSystem=\"{LOINC}\"/><title>{title}</title><text>{narrative}</text>{entries}</section>")
}

/// Words that an entry can point to.
pub fn line(id: &str, words: &str) -> String {
    format!("<paragraph ID=\"{id}\">{words}</paragraph>")
}

/// `<name code= codeSystem= displayName=>`.
pub fn code(element: &str, system: &str, code: &str, display: &str) -> String {
    let kind = if element == "value" { " xsi:type=\"CD\"" } else { "" };
    format!("<{element}{kind} code=\"{code}\" codeSystem=\"{system}\" displayName=\"{display}\"/>")
}

fn reference(id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("<text><reference value=\"#{id}\"/></text>") }
}

fn time(time: &str) -> String {
    if time.is_empty() { String::new() } else { format!("<effectiveTime><low value=\"{time}\"/></effectiveTime>") }
}

/// An observation: its code, what it points to, when, its value.
pub fn observation(of: &str, words: &str, when: &str, value: &str) -> String {
    format!("<observation classCode=\"OBS\" moodCode=\"EVN\">{of}{}{}{value}</observation>", reference(words), time(when))
}

pub fn number(value: &str, unit: &str) -> String {
    if unit.is_empty() {
        format!("<value xsi:type=\"INT\" value=\"{value}\"/>")
    } else {
        format!("<value xsi:type=\"PQ\" value=\"{value}\" unit=\"{unit}\"/>")
    }
}

pub fn boolean(value: bool) -> String {
    format!("<value xsi:type=\"BL\" value=\"{value}\"/>")
}

/// A diagnosis or an antecedent, or that there is none.
pub fn problem(absent: bool, words: &str, when: &str, value: &str) -> String {
    format!(
        "<act classCode=\"ACT\" moodCode=\"EVN\"><code nullFlavor=\"NA\"/><entryRelationship typeCode=\"SUBJ\">\
         <observation classCode=\"OBS\" moodCode=\"EVN\" negationInd=\"{absent}\"><templateId root=\"1.3.6.1.4.1.19376.1.5.3.1.4.5\"/>{}{}{}{value}</observation>\
         </entryRelationship></act>",
        code("code", SNOMED, "282291009", "interprétation diagnostique"),
        reference(words),
        time(when)
    )
}

/// A symptom that began then.
pub fn symptom(absent: bool, words: &str, when: &str, value: &str) -> String {
    let of = code("code", SNOMED, "418799008", "symptôme rapporté");
    let observation = observation(&of, words, when, value);
    observation.replace("moodCode=\"EVN\">", &format!("moodCode=\"EVN\" negationInd=\"{absent}\">"))
}

/// A drug given.
pub fn medication(of: &str, words: &str, when: &str, product: &str) -> String {
    format!(
        "<substanceAdministration classCode=\"SBADM\" moodCode=\"EVN\">{of}{}{}<consumable><manufacturedProduct><manufacturedMaterial>{product}\
         </manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration>",
        reference(words),
        time(when)
    )
}

/// The four national documents of one invented stroke.
pub fn stroke() -> [(&'static str, &'static str, String); 4] {
    let loinc = |number: &str| code("code", LOINC, number, "");
    let icd10 = |number: &str| code("value", ICD10, number, "");
    let admission = document(
        ADMISSION,
        "A",
        "202405021300+0200",
        None,
        &[
            section(
                "11459-5",
                "Transport",
                &line("t", "SMUR"),
                &[format!(
                    "<act classCode=\"ACT\" moodCode=\"EVN\">{}{}<effectiveTime><low value=\"202405020900\"/><high value=\"202405020945\"/></effectiveTime></act>",
                    code("code", TERMS, "ORG-153", "SAMU, SMUR terrestre"),
                    reference("t")
                )],
            ),
            section(
                "42349-1",
                "Motif",
                &[line("m", "Ataxie brutale"), line("s", "Troubles de la vision : non")].concat(),
                &[symptom(false, "m", "202405020810", &icd10("R27.0")), symptom(true, "s", "202405020700", &icd10("H53.9"))],
            ),
            section(
                "11348-0",
                "Antécédents",
                &[line("h", "Tension élevée traitée"), line("f", "Pas d'arythmie"), line("i", "Un premier accident")].concat(),
                &[
                    problem(false, "h", "2010", &icd10("I10")),
                    problem(true, "f", "", &icd10("I48.9")),
                    problem(false, "i", "20180311", &icd10("I63.9")),
                ],
            ),
            section(
                "8716-3",
                "Constantes",
                "<table><tbody><tr><td ID=\"pas\">PAS</td><td>168</td><td>mm[Hg]</td></tr></tbody></table>",
                &[
                    observation(&loinc("8480-6"), "pas", "202405021000", &number("168", "mm[Hg]")),
                    observation(&loinc("2345-7"), "", "202405021000", &number("1.2", "g/L")),
                ],
            ),
            section("70182-1", "Score", &line("n", "Total 14"), &[observation(&loinc("72089-6"), "n", "202405021000", &number("14", ""))]),
            section(
                "57072-1",
                "Traitement",
                &line("th", "Voir feuille"),
                &[medication(
                    &code("code", SNOMED, "233428003", "thrombolyse"),
                    "th",
                    "202405021030",
                    &code("code", ATC, "B01AD11", "ténectéplase"),
                )],
            ),
            section(
                "42545-4",
                "Dispositions",
                "",
                &[observation(&code("code", SNOMED, "43810009", "thrombectomie"), "", "", &boolean(false))],
            ),
        ],
    );
    let episode = document(
        EPISODE,
        "E",
        "202405060900+0200",
        None,
        &[
            section("70182-1", "Score", &line("n", "Total 9"), &[observation(&loinc("72089-6"), "n", "202405031030", &number("9", ""))]),
            section(
                "42545-4",
                "Complications",
                &line("p", "Foyer de la base droite"),
                &[observation(&code("code", ICD10, "J18.9", "Pneumopathie"), "p", "20240505", &boolean(true))],
            ),
        ],
    );
    let discharge = document(
        DISCHARGE,
        "S",
        "202405121100+0200",
        None,
        &[
            section("11535-2", "Diagnostic", &line("d", "Accident constitué"), &[problem(false, "d", "20240502", &icd10("I63.9"))]),
            section(
                "30954-2",
                "Évaluation",
                &[line("n", "Total 3"), line("r", "Stade 2")].concat(),
                &[
                    observation(&loinc("72089-6"), "n", "20240512", &number("3", "")),
                    observation(&loinc("75859-9"), "r", "20240512", &number("2", "")),
                ],
            ),
            section(
                "42545-4",
                "Mode de sortie",
                &line("x", "Unité de suite"),
                &[observation(
                    &code("code", TERMS, "ORG-074", "Modalité de sortie"),
                    "x",
                    "20240512",
                    &code("value", TERMS, "ORG-102", "SSR spécialisé neuro"),
                )],
            ),
        ],
    );
    let follow_up = document(
        FOLLOW_UP,
        "P",
        "202408081400+0200",
        None,
        &[
            section(
                "11450-4",
                "Prévention",
                &line("c", "Bilan lipidique perturbé"),
                &[observation(&code("code", ICD10, "E78.5", "Hyperlipidémie"), "c", "", &boolean(true))],
            ),
            section("47420-5", "Évaluation", &line("r", "Stade 1"), &[observation(&loinc("75859-9"), "r", "20240808", &number("1", ""))]),
        ],
    );
    [
        ("admission", "2024-05-02T13:00:00+02:00", admission),
        ("episode", "2024-05-06T09:00:00+02:00", episode),
        ("discharge", "2024-05-12T11:00:00+02:00", discharge),
        ("follow-up", "2024-08-08T14:00:00+02:00", follow_up),
    ]
}
