//! Words with which the rules of [`slot`](super::slot), [`typist`](super::typist), [`entry`](super::entry),
//! [`parting`](super::parting), [`field`](super::field), [`letters`](super::letters) and
//! [`position`](super::position) begin, as bits that the page notes once for each token: most words lead nowhere.

/// A cue may begin here.
pub(super) const CUE: u32 = 1;
/// What an account is called by: "utilisateur : …".
pub(super) const ACCOUNT: u32 = 1 << 1;
/// What people do to a text: "relu par …".
pub(super) const WRITING: u32 = 1 << 2;
/// What a machine prints before who did it: "impression … par …".
pub(super) const MADE: u32 = 1 << 3;
pub(super) const BUSINESS: u32 = 1 << 4;
pub(super) const ASSISTS: u32 = 1 << 5;
pub(super) const GREETS: u32 = 1 << 6;
/// What several do together: "visite QM / VD".
pub(super) const VISIT: u32 = 1 << 7;
/// A trade beside which letters are somebody.
pub(super) const TRADE: u32 = 1 << 8;
/// What somebody in brackets tells: "Transmissions du 19 (NLB) :".
pub(super) const TELLS: u32 = 1 << 9;
pub(super) const DUTY: u32 = 1 << 10;
pub(super) const TYPES: u32 = 1 << 11;
pub(super) const DICTATED: u32 = 1 << 12;
/// What was left undone: "non relu".
pub(super) const UNREAD: u32 = 1 << 13;
/// Where one types.
pub(super) const OFFICE: u32 = 1 << 14;
pub(super) const REACHES: u32 = 1 << 15;
/// A thing is done again: "double lecture".
pub(super) const AGAIN: u32 = 1 << 16;
pub(super) const BY: u32 = 1 << 17;
/// What is sent: "amitiés à …".
pub(super) const SENDS: u32 = 1 << 18;
pub(super) const SALUTES: u32 = 1 << 19;
/// Whom a request is about.
pub(super) const ABOUT: u32 = 1 << 20;
/// What one does with somebody: "appel QV".
pub(super) const DEALS: u32 = 1 << 21;
/// Part of a day that somebody works.
pub(super) const SHIFT: u32 = 1 << 22;
pub(super) const REFERENCE: u32 = 1 << 23;
/// The name of a field of duty that is no cue.
pub(super) const FIELD: u32 = 1 << 24;
pub(super) const FIELD_TYPES: u32 = 1 << 25;
/// Who types, where a mark follows.
pub(super) const TYPIST: u32 = 1 << 26;
/// What people do together: "revu avec …".
pub(super) const SHARES: u32 = 1 << 27;
/// One hands over to another.
pub(super) const RELAY: u32 = 1 << 28;
/// A ward that stands for its physician.
pub(super) const WARD: u32 = 1 << 29;
/// A small letter that means something before a dot: "p.o.", "m. trubert", "N/R".
pub(super) const LETTER: u32 = 1 << 30;

/// What people do to a text.
pub(super) const WRITTEN: &[&str] = &[
    "dictee",
    "dicte",
    "frappe",
    "tape",
    "tapee",
    "dactylo",
    "saisi",
    "saisie",
    "relu",
    "relue",
    "relecture",
    "redige",
    "redigee",
    "transcrit",
    "transcrite",
    "ecrit",
    "signe",
    "signee",
    "signature",
    "visa",
    "paraphe",
    "valide",
    "validee",
    "verifie",
    "contresigne",
    "cosigne",
    "cosignee",
    "cosignature",
    "imprime",
    "edite",
    "cree",
    "modifie",
    "enregistre",
    "genere",
    "extrait",
    "exporte",
    "consulte",
    "numerise",
    "scanne",
    "indexe",
    "archive",
    "integre",
    "importe",
    "depose",
];

/// The words of each of the others.
pub(super) const WORDS: &[(u32, &str)] = &[
    (ACCOUNT, "utilisateur utilisatrice user login username compte session operateur"),
    (MADE, "modification creation impression edition validation connexion"),
    (
        BUSINESS,
        "ets etablissements amb ambu ambus ambulance ambulances pharmacie taxi taxis vsl sarl opticien optique marbrerie funerarium \
         prothesiste audioprothesiste transports pompes service services maison chambre pf laboratoire labo cabinet societe ste \
         entreprise garage boulangerie menuiserie",
    ),
    (
        ASSISTS,
        "int ext cca phc interne externe sociale orthophoniste psychologue junior secretaire aide aides panseuse instrumentiste \
         circulante iade ibode merm manip",
    ),
    (GREETS, "cher chere bonjour"),
    (VISIT, "visite contrevisite tour binome scripteurs staff presents participants"),
    (TRADE, "ext int interne externe iao ioa ide iade as ipa ffi cca circulante treuilliste"),
    (TELLS, "transmission transmissions relais tour visite note"),
    (
        DUTY,
        "equipe circulante instrumentiste panseuse treuilliste scripteur secr secretaire secretariat operateur prescripteur garde \
         astreinte vacation",
    ),
    (TYPES, "frappe frappee tape tapee saisi saisie dactylo"),
    (DICTATED, "dicte dictee relu relue transcrit transcrite corrige corrigee"),
    (UNREAD, "relu relue signe signee valide validee"),
    (OFFICE, "sec secr secretariat secretaire"),
    (REACHES, "contacter contactez appeler appelez rappeler rappelez joindre prevenir biper"),
    (AGAIN, "double seconde deuxieme troisieme 2e 2eme 3e contre"),
    (BY, "par"),
    (SENDS, "amities amitie bises bisous bonjour salutations souvenir souvenirs pensees hommages choses"),
    (SALUTES, "merci coucou hello bonjour bonsoir @ embrasse embrassez salue saluez remercie remerciez salut"),
    (ABOUT, "patient patiente pt pte malade dossier cas dame homme femme concerne concernant"),
    (DEALS, "tel appel mail msg sms message reprise vu vue revu revue relu relue approuve numerique vocale @"),
    (SHIFT, "matin apm nuit soir jour midi"),
    (REFERENCE, "ref refs reference references nref vref"),
    (
        FIELD,
        "sec secr secretaire secretariat dactylographie executant executante realisation validation redaction merm mer manip manips \
         manipulatrices manipulateurs operateurs aide aides referent referente initiales",
    ),
    (FIELD_TYPES, "frappe frappee tape tapee dactylo dactylographie saisie saisi transcription dictee typographie"),
    (TYPIST, "secretaire secr dact"),
    (SHARES, "vu vue vus vues revu revue discute discutee staffe staffee relu relue evoque parle valide validee"),
    (RELAY, "transm transmission transmissions trans releve passation binome equipe"),
    (LETTER, "m p r"),
    (WARD, "rea neuro cardio neurochir neuroradio ortho gastro"),
];
