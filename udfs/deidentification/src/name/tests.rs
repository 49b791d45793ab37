//! Sentences with the names in them marked: `[NOM|Kermarrec]`.

use proptest::prelude::*;
use sillage_clinical::analysis::Analysis;
use sillage_clinical::knowledge::Knowledge;

use super::names;
use crate::Circumstances;
use crate::identity::Identity;
use crate::name::page::Page;

/// Takes the marks out: the plain text, and `LABEL:text` of every mark.
fn unmarked(marked: &str) -> (String, Vec<String>) {
    let (mut plain, mut expected) = (String::new(), Vec::new());
    let mut rest = marked;
    while let Some((before, after)) = rest.split_once('[') {
        let (inside, after) = after.split_once(']').expect("closed");
        let (label, text) = inside.split_once('|').expect("labelled");
        plain.push_str(before);
        plain.push_str(text);
        expected.push(format!("{label}:{text}"));
        rest = after;
    }
    plain.push_str(rest);
    (plain, expected)
}

fn found(text: &str, staff: &[&str]) -> Vec<String> {
    let analysis = Analysis::new(Knowledge::built_in(), text, None);
    let spans = names(&Page::new(&Identity::built_in().names, &analysis), Circumstances { person: None, staff });
    assert!(spans.windows(2).all(|w| w[0].end <= w[1].start), "ascending and disjoint");
    spans.iter().map(|s| format!("{}:{}", s.label.name(), &text[s.start..s.end])).collect()
}

/// Names by title.
const TITLES: &[&str] = &[
    "Vu par le Dr [NOM|Kermarrec] ce matin.",
    "Avis du Pr [PRENOM|Jean-Loup] [NOM|de Kersabiec], chef de service.",
    "Mme [NOM|PETIT] [PRENOM|Paulette] est transférée.",
    "M. [NOM|Charpentier] marche sans aide.",
    "M. [NOM|BLANC] et Mme [NOM|MARIN] ont été vus.",
    "Drs [NOM|Abgrall] et [NOM|Quelmet] prévenus.",
    "Les Drs [NOM|Ferrec], [NOM|Oulmane] et [NOM|Tissandier] sont d'accord.",
    "Merci au Dr. [PRENOM|J.-P.] [NOM|Martin] de son accueil.",
    "Dr [PRENOM|M.] [NOM|C.]",
    "Mme [NOM|P.] se plaint de douleurs.",
    "Madame le Docteur [NOM|Le Tallec] a été appelée.",
    "Pr Dr [NOM|Steinbrück]",
    "avis dr [NOM|kerouredan] : pas de chirurgie",
    "mme [NOM|lefebvre] agitée cette nuit",
    "Monsieur [PRENOM|Fernand] [NOM|D'Almeida] sort demain.",
    "Mme [NOM|EL AMRANI] [PRENOM|Fatiha], 71 ans",
    "Me [NOM|Duroselle], notaire, a appelé.",
    "Résultat transmis au Dr [NOM|FONTVIEILLE] à 11h20.",
    "Mlle [NOM|Rose] est suivie en ville.",
    "Courrier au Dr [PRENOM|Ng.] [NOM|PHAN]",
];

/// Names by function, before and behind.
const FUNCTIONS: &[&str] = &[
    "Opératrice : Dr [PRENOM|Goulven] [NOM|QUILLIVIC], externe : [PRENOM|Leïla] [NOM|DELPECH]",
    "IDE [PRENOM|Nawal], pas de chute.",
    "IDE : [PRENOM|S.] [NOM|BENALI]",
    "[PRENOM|Marion] [NOM|GOURMELON], IDE",
    "Appel du régulateur [NOM|Vasseur]",
    "L'interne de garde [NOM|Roudaut] est passée.",
    "Cadre de santé : [PRENOM|Nadège] [NOM|Thévenot]",
    "[PRENOM|Katia] (ASH) a trouvé le patient au sol.",
    "Kiné [PRENOM|Paul] : marche 20 m.",
    "Médecin traitant : [NOM|Kerbrat]",
    "[PRENOM|L.] [NOM|BRISSET] (interne)",
    "orthophoniste [PRENOM|Ludivine] [NOM|Acker] : textures mixées",
    "ide [PRENOM|nawal] au lit du patient",
    "IDE de nuit [PRENOM|Aminata]",
];

/// Relatives.
const KIN: &[&str] = &[
    "Vit avec sa fille [PRENOM|Servane] et son gendre.",
    "Son épouse ([PRENOM|Rozenn]) signale une chute.",
    "Son mari, [PRENOM|Fernand], est prévenu.",
    "Fils : [PRENOM|Marc] 06 12 34 56 78",
    "Personne de confiance : [PRENOM|Solenn] [NOM|Kerbiriou] (fille)",
    "Deux enfants ([PRENOM|Luc] et [PRENOM|Rachel])",
    "[PRENOM|Armand] (mari) est joignable.",
    "[PRENOM|Gildas], son époux, est présent.",
    "sa fille [PRENOM|servane] appelle",
    "Sa sœur [PRENOM|Huguette] a fait un AVC.",
    "La voisine, Mme [NOM|Rigaud], a donné l'alerte.",
];

/// Headers, maiden names.
const HEADERS: &[&str] = &[
    "Patient : [NOM|TEYSSIER] [PRENOM|Daniel]",
    "Nom : [NOM|LE GALL] Prénom : [PRENOM|Josette] Nom de naissance : [NOM|ROPARS]",
    "NOM : [NOM|PETIT]\nPRENOM : [PRENOM|Rose]",
    "Mme [NOM|TEYSSIER] née [NOM|GRANDJEAN] le 3 mars 1944",
    "Madame [PRENOM|Josette] [NOM|MARCHAL], née [NOM|LE CORRE] le 9 mai 1938",
    "[NOM|DUVERNOY] [PRENOM|Céleste] née le 09/05/1938",
    "Mme [NOM|MARTEL] épouse [NOM|GUÉNOLÉ]",
    "[NOM|GOURMELON] [PRENOM|Marion]",
    "[PRENOM|Marion] [NOM|GOURMELON]",
    "Patiente : [NOM|CORDIER] ([NOM|LE CORRE]) [PRENOM|Josette]",
];

/// Who did it, signatures, copies, initials.
const SIGNATURES: &[&str] = &[
    "Validé par [NOM|Lestienne] à 12h30",
    "Signé : [PRENOM|Tanguy] [NOM|KERMOAL]",
    "Compte rendu dicté par [PRENOM|Leïla] [NOM|BENNANI]",
    "Bien confraternellement,\nDr [PRENOM|S.] [NOM|LE DANTEC]\n[NOM|SLD]/[NOM|mh]",
    "Apyrétique.\n[NOM|PJ]",
    "Apyrétique.\n[PRENOM|K.] [NOM|A.]",
    "Dictée [NOM|IB] / frappe [NOM|CL]",
    "frappe : [NOM|cl]",
    "Copies : Dr [NOM|TANGUY] (cardiologue) ; [NOM|Favennec], [PRENOM|C.] [NOM|LE GOFF]",
    "Copie à :\n- Dr [NOM|Ferrec]\n- [PRENOM|Blandine] [NOM|Quéré]",
    "Relu par [PRENOM|J.] [NOM|Martin]",
    "Validé [NOM|PJ]",
    "Dr [NOM|KERMOAL] ([NOM|NF]/[NOM|ab])",
    "relu [NOM|W.O.]/[NOM|S.D.]",
    "frappe [NOM|cv]",
    "tapé par [NOM|md]",
    "Demandé par int [PRENOM|M.] [NOM|DUHALDE]",
];

/// Alone in the text.
const FREE: &[&str] = &[
    "[PRENOM|Nawal] l'a relevé vers 6 h.",
    "Le patient reconnaît [PRENOM|Rozenn] et sourit.",
    "Dr [NOM|Quelmet] prévenu.\nPassage de [NOM|Quelmet] à 8 h.",
    "Vu par le Dr [NOM|Quelmet]. Demain [NOM|quelmet] repasse.",
];

/// Names that no list holds.
const UNLISTED: &[&str] = &[
    "[PRENOM|Wervic] [NOM|TRALOUNEC] est passé.",
    "[NOM|KRALUNDOT] [PRENOM|Brungia] 09/11/1938",
    "Accueil : 05 49 11 72 60 ([PRENOM|Maïwenn])",
    "Fin du séjour.\n[NOM|TRALOUNEC]",
    "Box 3 - [NOM|KRALUNDOT] - 7120943358",
    "Scanner relu ([PRENOM|J.] [NOM|SKOVEC]).",
    "int. [PRENOM|Pleurva] [NOM|GRONGUIS]",
    "son infirmière [PRENOM|Capucine] [NOM|OCTOBRE]",
    "Mr [NOM|LE SAGE] box 3",
    "Cordialement,\n[PRENOM|Wervic] [NOM|Tralounec]",
];

/// Places that only a person fills.
const SLOTS: &[&str] = &[
    "03/02 22h ([NOM|PV]) : dort par intermittence.",
    "04/02 07h ([NOM|AC]) toilette au lit.\nRevue à 9 h ([NOM|AC]).",
    "J2 visite [NOM|MP] / [NOM|AC]   lun 3 fév",
    "Marche 20 m.\n                  [NOM|GdV] / [NOM|TL]\n",
    "Le 3 mars, dictée [NOM|AC] / frappe [NOM|PVT]",
    "De : Secrétariat\nCc : [NOM|PV], [NOM|MP]\nObjet : sortie",
    "De : [NOM|AC]\nObjet : sortie",
    "Tapé par [NOM|CI]",
    "Relu par [NOM|AC] le 12/03/2024",
    "Il faudra rappeler le laboratoire.\n[PRENOM|G.]",
    "Amitiés, [PRENOM|G.]",
    "Édité le 12/03/2024 à 09:55 par [ID|gtralounec2]",
    "imprimé par [ID|s.kermoal] le 12/03/2024",
    "Utilisateur : [ID|TRALOU07]",
    "Validé le 12/03/2024 à 10h20 par [NOM|TRALOUNEC]",
    "transport en ambu privee [NOM|Tralounec] demain",
    "Lit médicalisé livré par les Ets [NOM|Gronguis]",
    "pompes funèbres [NOM|Kerdolan] prévenues",
    "Ets [NOM|Pleurvat] Trégarantec 02 98 00 00 00",
    "retour en taxi [NOM|Pleurvat]",
    "Ordonnance faxée à la pharmacie [NOM|Skovec].",
];

/// Other ways to write the same.
const MORE_SLOTS: &[&str] = &[
    "Dr [PRENOM|Marc] [NOM|LAVIGNOLLE]\n[NOM|ML]/[NOM|sd]\n",
    "[NOM|GT]/[NOM|pr] - validé le 03/02/2024",
    "[NOM|GT]/[NOM|PV]      Ville, le 3 mars 2024\nCher confrère,",
    "AVC/AIT      sans argument",
    "(visas [NOM|SE] = int.)\nJ2 24/03 [NOM|SE]   stable",
    "Dr [NOM|LAVIGNOLLE]\np.o. [NOM|VG], interne",
    "Transmissions du 19 ([NOM|NLB]) : nuit calme",
    "Dr [PRENOM|Marie] [NOM|LAVIGNOLLE – ML]/[NOM|OS]",
    "vu par Dr [PRENOM|F.] [NOM|SPANIOL] / ext. [NOM|HB] - DECT 5418",
    "tri 2 - IAO [NOM|RB]\nTA 120/70",
    "Pas de plainte. [NOM|LV] (nuit)\nbon réveil",
    "IDE : [NOM|PV]",
    "IDE nuit : [NOM|MP]",
    "Dictée : [NOM|AC] - Frappe : [NOM|tl]",
    "Dictée : [NOM|FC]/[NOM|ta]",
    "Signé [NOM|CI]",
    "Visa : [NOM|PA]",
    "cc [NOM|RC], [NOM|TM]",
    "Transmis à Dr [NOM|AC] à 8 h",
    "Cdlt,\n[PRENOM|S.]",
    "Sortie demain à la maison avec sa tante.\n[NOM|PL]\n",
    "Document généré le 03/04/2024 14:20:11 par [PRENOM|Solenn] [NOM|KERMOAL]",
    "Dernière modification : 03/04/2024 14:20 par [ID|tralounec_g]",
];

/// The word behind a title or a given name, whatever it means elsewhere.
const ANY_WORD: &[&str] = &[
    "Demande du Dr [NOM|Sergent] ce jour.",
    "Opératrice : Dr [PRENOM|Solenn] [NOM|CAPITAINE]",
    "Présents : Pr [NOM|de Kersabiec], Dr [PRENOM|Gildas] [NOM|N'GOURAN].",
    "Le Dr [NOM|N'Gouran] reverra la patiente",
    "les clichés ont été montrés à [PRENOM|Gildas] [NOM|Voisin] hier",
    "Vu par le Dr [NOM|Fontaine], puis par Mme [NOM|Table].",
    "Mme [NOM|Bonjour] est calme.",
    "M. [NOM|Voisin] marche seul.",
    "Avis du Dr [PRENOM|G.] [NOM|Sergent] demandé.",
    "M. [NOM|TRALOUNEC] [PRENOM|Gildas]   Chambre 12",
    "Selon Madame [NOM|H.] Un mois plus tard, rechute.",
    "Contact : nièce [PRENOM|Marie-Paule] [NOM|GRONGUIS]",
    "Vit avec sa sœur [PRENOM|Marie-Paule].",
];

/// The same letters where they are no people.
const LETTERS: &[&str] = &[
    "FC 80, TA 13/8, SR / AC au scope.",
    "IDE : TA 13/8\nInterne : FC / FR",
    "14h (IV) paracétamol 1 g.",
    "Visite TA / FC stables.",
    "Relu IRM : pas de saignement.",
    "TDM / IRM\n",
    "IRM (AG) prévue, intubation (CI).",
    "08h (IDE) : pansement.",
    "Édité par le logiciel du service.",
    "Retour en ambulance ce jour. Ambulances prévenues, pharmacie hospitalière.",
    "Hépatite A.\nVitamine B.\n\nSuite",
    "SORTIE PRÉVUE, TAXI COULOIR B",
    "Dr Interne de garde prévenu.",
    "Madame, Monsieur,",
    "signé électroniquement le 12/03/2024 à 10h20",
    "PATIENT_ID = 12\nBIRTH = 1944\nREFERRER = aucun",
    "EXPORT DPI. Patient DCD. Séquence 3D TOF.",
];

/// No name in these: medicine, eponyms, places of the text, common words.
const NONE: &[&str] = &[
    "Babinski positif au pied gauche, Hoffmann absent.",
    "Aphasie de Broca, puis aphasie de Wernicke.",
    "Polygone de Willis sans anomalie, syndrome de Wallenberg.",
    "Rankin antérieur à 1, Glasgow 15, Fazekas 2, NIHSS 4.",
    "Maladie de Parkinson traitée, maladie de Horton ancienne.",
    "Syndrome de Claude Bernard-Horner gauche.",
    "Syndrome de Guillain-Barré en 2009.",
    "Manœuvre de Mingazzini tenue, Barré tenu, Romberg négatif.",
    "Score de Hunt et Hess à 2, Fisher 3.",
    "Doppler des TSA et Holter ECG sur 24 heures.",
    "Clairance selon Cockcroft à 45 mL/min.",
    "Petit infarctus cortical. Gros cœur.",
    "Kardegic 75 mg, Eliquis 5 mg, Tahor 40 mg.",
    "Patient agité. Dame de 82 ans, veuve, autonome.",
    "ANTECEDENTS\nHTA\nFIBRILLATION ATRIALE",
    "Mère : AVC à 71 ans. Père : IDM.",
    "Madame, Monsieur,",
    "Née le 3 mars 1944.",
    "Chers confrères, bonne réception de ces clichés.",
    "Dr de garde prévenu. IDE de nuit présente.",
    "Le fils dit que la mère est tombée. La fille refuse.",
    "Validé par le sénior. Signé électroniquement.",
    "EXAMEN NEUROLOGIQUE\nConscience normale",
    "Mars 2024 : chute. En avril, récidive. Mai : RAS.",
    "TA 13/8, FC 80, SpO2 97 % AA.",
    "Suivi par le SSIAD, vu par l'ophtalmologiste.",
    "E. coli dans les urines, S. aureus aux hémocultures.",
    "Occlusion M1 gauche. M. de garde absente.",
    "Hypoesthésie. Vitamine B. Puis kinésithérapie.",
    "Stents en Y. Trevolux posé. Urée 6 mmol/L. GAZO faite.",
    "Circuit UX. Drains retirés. Anti HAV positif.",
    "Broche de Kirschner, voie d'abord postéro-externe de Moore.",
    "Chute d'un olivier, rupture du tendon d'Achille.",
    "mme agitée, mr retrouvé au sol, dr de garde appelé",
];

fn check(cases: &[&str]) {
    let mut wrong = Vec::new();
    for case in cases {
        let (plain, expected) = unmarked(case);
        let got = found(&plain, &[]);
        if got != expected {
            wrong.push(format!("{case:?}\n   found {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn by_title() {
    check(TITLES);
}

#[test]
fn by_function() {
    check(FUNCTIONS);
}

#[test]
fn of_relatives() {
    check(KIN);
}

#[test]
fn in_headers() {
    check(HEADERS);
}

#[test]
fn in_signatures() {
    check(SIGNATURES);
}

#[test]
fn alone() {
    check(FREE);
}

#[test]
fn unlisted() {
    check(UNLISTED);
}

/// Texts without capitals, and texts of nothing else.
const ONE_CASE: &[&str] = &[
    "nuit calme\nvu par dr [PRENOM|martiniana] [NOM|kerbrat]\nappel de [PRENOM|solenn] à 8 h\npansement refait",
    "entrée ce jour\n[NOM|kerbrat] [PRENOM|s.] installée\ndr [PRENOM|g.] [NOM|tanguy] prévenu",
    "arrivée 10 h\nm. [NOM|kerbrat] agité\nsurveillance",
    "MME [NOM|KERBRAT] POSE SA CANNE ET S’ASSOIT. LE MARI REFUSE LA SORTIE.\nELLE NE RÉPOND PAS. PR APPENDICITE ANCIENNE OPEREE.",
    "TRANSMISSIONS DU MATIN\nMR [NOM|LE GOFF] [PRENOM|RONAN] VU PAR LE DR [NOM|QUELMET]. NE MANGE PAS SEUL.\nFILLE [PRENOM|SERVANE] PREVENUE PAR TELEPHONE",
];

#[test]
fn in_slots() {
    check(SLOTS);
}

#[test]
fn in_more_slots() {
    check(MORE_SLOTS);
}

#[test]
fn behind_titles_any_word() {
    check(ANY_WORD);
}

#[test]
fn letters_are_no_people() {
    check(LETTERS);
}

#[test]
fn in_one_case() {
    check(ONE_CASE);
}

#[test]
fn medicine_is_no_name() {
    let marked: Vec<String> = NONE.iter().map(|s| (*s).to_owned()).collect();
    let wrong: Vec<_> = marked.iter().map(|s| (s, found(s, &[]))).filter(|(_, f)| !f.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn of_the_metadata() {
    let staff = ["Dr Quitterie KERZHERO"];
    assert_eq!(found("Kerzhero a vu le patient avec quitterie.", &staff), ["NOM:Kerzhero", "PRENOM:quitterie"]);
    assert_eq!(found("Revu ce soir QK.", &staff), ["NOM:QK"]);
}

proptest! {
    #[test]
    fn any_text_is_read(text in "([A-Z]\\.|Dr |Mme |née |[A-Z][a-z']{1,6}[ -]|LE |d'|[éÉœ,;:/()\\n. -]|fille |copie : |12 ){0,30}") {
        let analysis = Analysis::new(Knowledge::built_in(), &text, None);
        let spans = names(&Page::new(&Identity::built_in().names, &analysis), Circumstances { person: None, staff: &[&text] });
        let mut last = 0;
        for span in spans {
            prop_assert!(span.start >= last && span.end > span.start);
            prop_assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
            last = span.end;
        }
    }
}
