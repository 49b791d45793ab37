//! The terminology files, embedded: the lexicon's chapters and the code lists.

/// A file of the terminology folder.
pub struct File {
    pub name: &'static str,
    pub content: &'static str,
}

macro_rules! file {
    ($name:literal) => {
        File { name: $name, content: include_str!(concat!("../terminology/", $name)) }
    };
}

/// The chapters of the lexicon.
pub const LEXICON: &[File] = &[
    file!("lexicon/cerebrovascular.csv"),
    file!("lexicon/neurology.csv"),
    file!("lexicon/neurological_signs.csv"),
    file!("lexicon/general_disorders.csv"),
    file!("lexicon/general_signs.csv"),
    file!("lexicon/procedures.csv"),
    file!("lexicon/drugs.csv"),
    file!("lexicon/anatomy.csv"),
];

/// SNOMED CT codes of the Global Patient Set (CC BY 4.0).
pub const SNOMED_GLOBAL_PATIENT_SET: File = file!("snomed_global_patient_set.csv");

/// Other SNOMED CT codes: served only where the configuration states a licence.
pub const SNOMED_LICENSED: File = file!("snomed_licensed.csv");

/// ICD-10 codes that change when what they name is past.
pub const HISTORICAL_CODES: File = file!("historical_codes.csv");

/// What codes are called that no single concept of the lexicon stands for.
pub const CODE_NAMES: File = file!("code_names.csv");
