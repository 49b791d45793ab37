//! What a case answers to the templates: fields, flags and lists of rules.

use std::fmt::Write;

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};

use super::case::{Case, Cause, Destination, Kind, Occlusion, Onset, Side, Smoking, Transformation};
use super::documents::Document;
use super::grammar::Fields;
use super::person::Doctor;

const MONTHS: [&str; 12] =
    ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"];

/// A case seen from one of its documents.
pub struct Words<'a> {
    pub case: &'a Case,
    pub document: &'a Document,
}

fn tenths(value: i64) -> String {
    format!("{},{}", value / 10, value % 10)
}

fn hundredths(value: i64) -> String {
    format!("{},{:02}", value / 100, value % 100)
}

fn doctor(doctor: &Doctor) -> String {
    format!("{} {}", doctor.given, doctor.family.to_uppercase())
}

fn gender(side: Side, feminine: bool) -> &'static str {
    match (side, feminine) {
        (Side::Left, _) => "gauche",
        (Side::Right, true) => "droite",
        (Side::Right, false) => "droit",
    }
}

fn letter(side: Side) -> &'static str {
    if side == Side::Left { "G" } else { "D" }
}

impl Words<'_> {
    fn day(&self, date: NaiveDate) -> String {
        let (year, month, day) = (date.year(), date.month(), date.day());
        match self.document.date_format {
            0 => format!("{day:02}/{month:02}/{year}"),
            1 => format!("{} {} {year}", if day == 1 { "1er".to_owned() } else { day.to_string() }, MONTHS[date.month0() as usize]),
            2 => format!("{day:02}/{month:02}/{:02}", year % 100),
            _ => format!("{day:02}.{month:02}.{year}"),
        }
    }

    fn clock(&self, time: NaiveDateTime) -> String {
        let (hour, minute) = (time.hour(), time.minute());
        match self.document.time_format {
            0 => format!("{hour}h{minute:02}"),
            1 => format!("{hour} h {minute:02}"),
            2 => format!("{hour:02}:{minute:02}"),
            _ => format!("{hour:02}H{minute:02}"),
        }
    }

    fn length(&self, minutes: i64) -> String {
        match (minutes / 60, minutes % 60) {
            (0, rest) => format!("{rest} min"),
            (hours, rest) => format!("{hours}h{rest:02}"),
        }
    }

    /// Dose of the thrombolytic agent in mg: 0.9 mg/kg to 90, or 0.25 mg/kg to 25.
    fn dose(&self) -> i64 {
        let weight = self.case.weight;
        if self.case.tenecteplase { (weight + 2) / 4 } else { (weight * 9 + 5) / 10 }.min(if self.case.tenecteplase { 25 } else { 90 })
    }

    fn aphasia(&self, nihss: i64) -> bool {
        let case = self.case;
        case.side == Side::Left && nihss >= 5 && !matches!(case.occlusion, Occlusion::Basilar | Occlusion::Pca | Occlusion::Lacune)
    }

    /// Signs of a lesion of this severity.
    fn signs(&self, nihss: i64) -> Vec<&'static str> {
        let case = self.case;
        if case.cause == Cause::Migraine {
            return vec!["sx_aura", "sx_headache"];
        }
        if case.cause == Cause::Seizure {
            return vec!["sx_confusion", "sx_mono"];
        }
        if case.kind == Kind::Tia {
            return if case.index.is_multiple_of(2) { vec!["sx_mono", "sx_face"] } else { vec!["sx_dysarthria", "sx_mono"] };
        }
        let mut signs = Vec::new();
        let mut add = |wanted: bool, rule| {
            if wanted {
                signs.push(rule);
            }
        };
        if case.occlusion == Occlusion::Basilar {
            add(nihss >= 9, "sx_quadriparesis");
            add(nihss >= 12, "sx_vigilance");
            add(nihss >= 5, "sx_oculomotor");
            add(nihss >= 1, "sx_dysarthria");
            add((1..9).contains(&nihss), "sx_ataxia");
            return signs;
        }
        if case.occlusion == Occlusion::Pca {
            add(nihss >= 1, "sx_hemianopia");
            add(nihss >= 3, "sx_sensory");
            return signs;
        }
        let aphasia = self.aphasia(nihss);
        let neglect = case.side == Side::Right && nihss >= 7 && case.occlusion != Occlusion::Lacune;
        add(nihss >= 13, "sx_hemiplegia");
        add((4..13).contains(&nihss), "sx_hemiparesis");
        add((1..4).contains(&nihss), "sx_mono");
        add(nihss >= 4, "sx_face");
        add(aphasia, "sx_aphasia");
        add(!aphasia && nihss >= 2, "sx_dysarthria");
        add(neglect, "sx_neglect");
        add(nihss >= 14, "sx_gaze");
        add(nihss >= 17, "sx_hemianopia");
        add((6..17).contains(&nihss), "sx_sensory");
        add(case.kind == Kind::Hemorrhage, "sx_headache");
        signs
    }

    fn background(&self, known: bool) -> Vec<&'static str> {
        let b = &self.case.background;
        let all = [
            (b.hypertension, "hx_hta", "no_hta"),
            (b.diabetes, "hx_diabetes", "no_diabetes"),
            (b.dyslipidemia, "hx_lipids", "no_lipids"),
            (b.smoking == Smoking::Current, "hx_smoker", ""),
            (b.smoking == Smoking::Former, "hx_ex_smoker", ""),
            (b.smoking != Smoking::Never, "", "no_tobacco"),
            (b.atrial_fibrillation, "hx_af", "no_af"),
            (b.coronary, "hx_coronary", "no_coronary"),
            (b.heart_failure, "hx_heart_failure", ""),
            (b.prior_stroke, "hx_stroke", "no_stroke"),
            (b.alcohol, "hx_alcohol", "no_alcohol"),
            (b.sleep_apnea, "hx_apnea", ""),
            (b.copd, "hx_copd", ""),
            (b.hypothyroidism, "hx_thyroid", ""),
            (b.kidney_disease, "hx_kidney", ""),
            (b.cancer, "hx_cancer", ""),
            (b.appendectomy, "hx_appendix", ""),
            (b.hip_prosthesis, "hx_hip", ""),
            (b.cataract, "hx_cataract", ""),
        ];
        let named = all.iter().filter(|(has, ..)| *has == known).map(|&(_, yes, no)| if known { yes } else { no });
        named.filter(|rule| !rule.is_empty()).collect()
    }

    fn anticoagulant(&self) -> &'static str {
        match self.case.background.drug_draw % 4 {
            0 | 1 => "drug_apixaban",
            2 => "drug_rivaroxaban",
            _ => "drug_warfarin",
        }
    }

    fn pressure_drugs(&self) -> &'static [&'static str] {
        match (self.case.background.hypertension, self.case.background.drug_draw / 4 % 5) {
            (false, _) => &[],
            (_, 0) => &["drug_amlodipine"],
            (_, 1) => &["drug_ramipril"],
            (_, 2) => &["drug_perindopril", "drug_amlodipine"],
            (_, 3) => &["drug_irbesartan"],
            _ => &["drug_valsartan", "drug_hydrochlorothiazide"],
        }
    }

    fn other_drugs(&self) -> Vec<&'static str> {
        let b = &self.case.background;
        let mut drugs = self.pressure_drugs().to_vec();
        let mut add = |taken: bool, rule| {
            if taken {
                drugs.push(rule);
            }
        };
        add(b.atrial_fibrillation || b.coronary, "drug_bisoprolol");
        add(b.diabetes, "drug_metformin");
        add(b.diabetes && (b.drug_draw / 20).is_multiple_of(3), "drug_glargine");
        add(b.diabetes && b.drug_draw / 20 % 3 == 1, "drug_gliclazide");
        add(b.heart_failure, "drug_furosemide");
        add(b.hypothyroidism, "drug_levothyroxine");
        add(b.copd, "drug_salbutamol");
        add((b.drug_draw / 60).is_multiple_of(4), "drug_pantoprazole");
        drugs
    }

    fn home_drugs(&self) -> Vec<&'static str> {
        let b = &self.case.background;
        let mut drugs = Vec::new();
        if b.anticoagulant {
            drugs.push(self.anticoagulant());
        }
        if b.antiplatelet {
            drugs.push(if b.prior_stroke && !b.coronary { "drug_clopidogrel" } else { "drug_aspirin" });
        }
        if b.statin {
            drugs.push(if b.drug_draw.is_multiple_of(2) { "drug_rosuvastatin" } else { "drug_atorvastatin" });
        }
        drugs.extend(self.other_drugs());
        drugs
    }

    fn discharge_drugs(&self) -> Vec<&'static str> {
        let case = self.case;
        let mut drugs = Vec::new();
        if matches!(case.kind, Kind::Ischemic | Kind::Tia) {
            match case.cause {
                Cause::Cardioembolic if case.transformation == Transformation::None && case.nihss_discharge < 9 => {
                    drugs.push("drug_apixaban")
                }
                Cause::Cardioembolic => drugs.push("drug_aspirin"),
                _ if case.nihss <= 3 => drugs.extend(["drug_aspirin", "drug_clopidogrel_weeks"]),
                _ => drugs.push("drug_aspirin"),
            }
            drugs.push("drug_atorvastatin_80");
        }
        drugs.extend(self.other_drugs());
        if case.kind == Kind::Hemorrhage && self.pressure_drugs().is_empty() {
            drugs.push("drug_perindopril");
        }
        drugs
    }

    fn complications(&self) -> Vec<&'static str> {
        let case = self.case;
        let mut all = Vec::new();
        match case.transformation {
            Transformation::None => {}
            Transformation::Hi1 | Transformation::Hi2 => all.push("cx_petechiae"),
            Transformation::Ph1 | Transformation::Ph2 => all.push("cx_hematoma"),
        }
        if case.pneumonia {
            all.push("cx_pneumonia");
        }
        if case.urinary_infection {
            all.push("cx_urinary");
        }
        all
    }
}

impl Fields for Words<'_> {
    fn field(&self, name: &str, out: &mut String) -> bool {
        let case = self.case;
        let person = &case.person;
        let female = person.female;
        let pick = |f: &str, m: &str| if female { f.to_owned() } else { m.to_owned() };
        let evt = case.thrombectomy.as_ref();
        let value = match name {
            "family" => person.family.to_uppercase(),
            "given" => person.given.clone(),
            "maiden" => person.maiden.as_deref().unwrap_or_default().to_uppercase(),
            "birth" => self.day(person.birth),
            "age" => case.age().to_string(),
            "age_now" => person.age_on(self.document.time.date()).to_string(),
            "street" => person.street.clone(),
            "zip" => person.zip.clone(),
            "town" => person.town.clone(),
            "phone" => person.phone.clone(),
            "ipp" => person.ipp.clone(),
            "nir" => person.nir.clone(),
            "nda" => format!("{}{:06}", case.admission.year() % 100, case.index),
            "relative" => person.relative.clone(),
            "spouse" => pick("mari", "épouse"),
            "of_spouse" => pick("du mari", "de l'épouse"),
            "e" => pick("e", ""),
            "he" => pick("elle", "il"),
            "the" => pick("la", "le"),
            "ne" => pick("née", "né"),
            "civil" => pick("Mme", "M."),
            "civility" => pick("Madame", "Monsieur"),
            "person" => pick("femme", "homme"),
            "patient" => pick("patiente", "patient"),
            "sexe" => pick("F", "M"),
            "gp" => doctor(&person.doctor),
            "gp_family" => person.doctor.family.to_uppercase(),
            "neurologist" => doctor(&case.neurologist),
            "emergency_doctor" => doctor(&case.emergency_doctor),
            "radiologist" => doctor(&case.radiologist),
            "interventionalist" => doctor(&case.interventionalist),
            "neurologist_rpps" => case.neurologist.rpps.clone(),
            "site" => case.site.name.clone(),
            "site_town" => case.site.town.clone(),
            "site_zip" => case.site.zip.clone(),
            "site_phone" => case.site.phone.clone(),
            "d_onset" => self.day(case.seen_well.date()),
            "t_onset" => self.clock(case.seen_well),
            "t_found" => self.clock(case.found),
            "d_adm" => self.day(case.admission.date()),
            "t_adm" => self.clock(case.admission),
            "t_img" => self.clock(case.imaging),
            "d_img" => self.day(case.imaging.date()),
            "t_ivt" => case.thrombolysis.map(|t| self.clock(t)).unwrap_or_default(),
            "t_puncture" => evt.map(|t| self.clock(t.puncture)).unwrap_or_default(),
            "t_recan" => evt.map(|t| self.clock(t.recanalization)).unwrap_or_default(),
            "d_evt" => evt.map(|t| self.day(t.puncture.date())).unwrap_or_default(),
            "d_day" => self.day((case.admission + chrono::TimeDelta::days(1)).date()),
            "d_dis" => self.day(case.discharge.date()),
            "d_doc" => self.day(self.document.time.date()),
            "t_doc" => self.clock(self.document.time),
            "delay" => self.length((case.admission - case.seen_well).num_minutes()),
            "needle" => case.thrombolysis.map(|t| (t - case.admission).num_minutes().to_string()).unwrap_or_default(),
            "procedure_minutes" => evt.map(|t| (t.recanalization - t.puncture).num_minutes().to_string()).unwrap_or_default(),
            "los" => (case.discharge.date() - case.admission.date()).num_days().to_string(),
            "nihss" => case.nihss.to_string(),
            "nihss_day" => case.nihss_day.to_string(),
            "nihss_dis" => case.nihss_discharge.to_string(),
            "gcs" => case.glasgow.to_string(),
            "mrs_pre" => case.background.rankin.to_string(),
            "mrs_dis" => case.rankin_discharge.to_string(),
            "mrs_visit" => case.rankin_visit.to_string(),
            "aspects" => case.aspects.to_string(),
            "volume" => case.volume.to_string(),
            "hematoma" => case.hematoma.to_string(),
            "ta" => format!("{}/{}", case.systolic, case.diastolic),
            "sbp" => case.systolic.to_string(),
            "dbp" => case.diastolic.to_string(),
            "hr" => case.heart_rate.to_string(),
            "rr" => case.respiratory_rate.to_string(),
            "sat" => case.saturation.to_string(),
            "temp" => tenths(case.temperature),
            "pre_ta" => format!("{}/{}", case.systolic + 9, case.diastolic + 4),
            "pre_hr" => (case.heart_rate + 6).to_string(),
            "pre_sat" => (case.saturation - 1).to_string(),
            "pre_glucose" => hundredths(case.glucose + 7),
            "mri_e" => if case.mri { "e" } else { "" }.to_owned(),
            "relative_e" => if female { "" } else { "e" }.to_owned(),
            "glucose" => hundredths(case.glucose),
            "glucose_mmol" => tenths(case.glucose * 555 / 1000),
            "weight" => case.weight.to_string(),
            "inr" => hundredths(case.inr),
            "creat" => case.creatinine.to_string(),
            "platelets" => case.platelets.to_string(),
            "ldl" => hundredths(case.ldl),
            "ldl_mmol" => tenths(case.ldl * 2586 / 10_000),
            "hba1c" => tenths(case.hba1c),
            "dose" => self.dose().to_string(),
            "bolus_dose" => (self.dose() / 10).to_string(),
            "passes" => evt.map(|t| t.passes.to_string()).unwrap_or_default(),
            "mtici" => evt.map(|t| t.mtici.to_uppercase()).unwrap_or_default(),
            "pack_years" => case.background.pack_years.to_string(),
            "tia_minutes" => (10 + case.index % 5 * 10).to_string(),
            "side_m" => gender(case.side, false).to_owned(),
            "side_f" => gender(case.side, true).to_owned(),
            "side_a" => letter(case.side).to_owned(),
            "def_m" => gender(case.side.other(), false).to_owned(),
            "def_f" => gender(case.side.other(), true).to_owned(),
            "def_a" => letter(case.side.other()).to_owned(),
            "year_before" => (case.admission.year() - 2 - (case.background.drug_draw % 9) as i32).to_string(),
            "year_long_ago" => (case.admission.year() - 11 - (case.background.drug_draw % 9) as i32).to_string(),
            _ => return false,
        };
        // A String takes every write.
        let _ = out.write_str(&value);
        true
    }

    fn flag(&self, name: &str) -> Option<bool> {
        let case = self.case;
        let b = &case.background;
        let mtici = case.thrombectomy.as_ref().map(|t| t.mtici);
        Some(match name {
            "female" => case.person.female,
            "maiden" => case.person.maiden.is_some(),
            "ischemic" => case.kind == Kind::Ischemic,
            "hemorrhage" => case.kind == Kind::Hemorrhage,
            "control_known" => matches!(case.kind, Kind::Ischemic | Kind::Hemorrhage),
            "tia" => case.kind == Kind::Tia,
            "mimic" => case.kind == Kind::Mimic,
            "icat" => case.occlusion == Occlusion::IcaT,
            "m1" => case.occlusion == Occlusion::M1,
            "m2" => case.occlusion == Occlusion::M2,
            "distal" => case.occlusion == Occlusion::Distal,
            "pca" => case.occlusion == Occlusion::Pca,
            "basilar" => case.occlusion == Occlusion::Basilar,
            "lacune" => case.occlusion == Occlusion::Lacune,
            "mca" => matches!(case.occlusion, Occlusion::IcaT | Occlusion::M1 | Occlusion::M2 | Occlusion::Distal),
            "occluded" => !matches!(case.occlusion, Occlusion::None | Occlusion::Lacune),
            "tandem" => case.tandem,
            "wakeup" => case.onset == Onset::WakeUp,
            "mri" => case.mri,
            "smur" => case.smur,
            "ivt" => case.thrombolysis.is_some(),
            "tnk" => case.tenecteplase,
            "evt" => case.thrombectomy.is_some(),
            "reperfused" => matches!(mtici, Some("2b" | "2c" | "3")),
            "ga" => case.thrombectomy.as_ref().is_some_and(|t| t.general_anesthesia),
            "radial" => case.thrombectomy.as_ref().is_some_and(|t| t.radial),
            "one_pass" => case.thrombectomy.as_ref().is_some_and(|t| t.passes == 1),
            "late" => case.onset == Onset::Witnessed && (case.imaging - case.seen_well).num_minutes() > 240,
            "ht" => case.transformation != Transformation::None,
            "hi1" => case.transformation == Transformation::Hi1,
            "hi2" => case.transformation == Transformation::Hi2,
            "ph1" => case.transformation == Transformation::Ph1,
            "ph2" => case.transformation == Transformation::Ph2,
            "sich" => case.symptomatic,
            "worse" => case.nihss_day > case.nihss,
            "better" => case.nihss_day < case.nihss,
            "pneumonia" => case.pneumonia,
            "urinary" => case.urinary_infection,
            "died" => case.destination == Destination::Death,
            "home" => case.destination == Destination::Home,
            "rehab" => case.destination == Destination::Rehabilitation,
            "nursing" => case.destination == Destination::NursingHome,
            "cardioembolic" => case.cause == Cause::Cardioembolic,
            "large_artery" => case.cause == Cause::LargeArtery,
            "small_vessel" => case.cause == Cause::SmallVessel,
            "dissection" => case.cause == Cause::Dissection,
            "undetermined" => case.cause == Cause::Undetermined,
            "hypertensive" => case.cause == Cause::Hypertensive,
            "amyloid" => case.cause == Cause::Amyloid,
            "on_anticoagulant" => case.cause == Cause::Anticoagulant,
            "migraine" => case.cause == Cause::Migraine,
            "seizure" => case.cause == Cause::Seizure,
            "af" => b.atrial_fibrillation,
            "af_permanent" => b.drug_draw.is_multiple_of(3),
            "af_found" => case.fibrillation_found,
            "coronary" => b.coronary,
            "diabetes" => b.diabetes,
            "hta" => b.hypertension,
            "smoker" => b.smoking == Smoking::Current,
            "ex_smoker" => b.smoking == Smoking::Former,
            "alcohol" => b.alcohol,
            "stroke_before" => b.prior_stroke,
            "family_stroke" => b.family_stroke,
            "family_mi" => b.family_infarction,
            "allergy" => b.allergy,
            "independent" => b.rankin == 0,
            "dependent" => b.rankin >= 3,
            "anticoagulated" => b.anticoagulant,
            "warfarin" => b.anticoagulant && case.vitamin_k_antagonist(),
            "antiplatelet" => b.antiplatelet,
            "statin" => b.statin,
            "aphasia" => self.aphasia(case.nihss) && case.kind != Kind::Tia && case.kind != Kind::Mimic,
            "dense" => case.nihss >= 13,
            "minor" => case.nihss < 5,
            "coma" => case.glasgow < 13,
            "recovered" => case.nihss_discharge == 0,
            "excellent" => case.rankin_visit <= 1,
            "fever" => case.temperature >= 375,
            _ => return None,
        })
    }

    fn list(&self, name: &str) -> Option<Vec<&'static str>> {
        Some(match name {
            "background" => self.background(true),
            "absent" => self.background(false).into_iter().take(5).collect(),
            "home_drugs" => self.home_drugs(),
            "discharge_drugs" => self.discharge_drugs(),
            "signs" => self.signs(self.case.nihss),
            "signs_left" => self.signs(self.case.nihss_discharge).into_iter().filter(|s| *s != "sx_headache").collect(),
            "complications" => self.complications(),
            _ => return None,
        })
    }
    fn seed(&self) -> u64 {
        (self.case.index as u64) << 10 | self.case.background.drug_draw as u64
    }
}
