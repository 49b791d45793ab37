//! The national stroke documents that their authors published (read by path, not
//! ours to keep).

use std::path::PathBuf;

use super::{astray, attached, lines, none, run};
use crate::command::value;

fn sample(name: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/feeds/cda").join(name);
    let xml = std::fs::read_to_string(&path).ok();
    if xml.is_none() {
        println!("SKIPPED: {} is missing", path.display());
    }
    xml
}

#[test]
fn an_admission_and_a_discharge_of_the_national_profile() {
    let (Some(admission), Some(discharge)) = (sample("AVC-AUNV.xml"), sample("AVC-SUNV.xml")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let feed = [
        attached("admission", 1, "2018-09-23T23:20:00+02:00", "current", &admission, none()),
        attached("discharge", 1, "2018-10-03T11:17:00+02:00", "current", &discharge, none()),
    ];
    let out = run(folder.path(), "a", &feed);
    assert_eq!(lines(&out, "select kind from documents order by document_time"), ["emergency", "discharge"]);
    let stated = |variable: &str| {
        let sql = format!(
            "select distinct value || ' ' || coalesce(unit, '') from variables where method = 'cda-entry' and variable = '{variable}' order by 1"
        );
        lines(&out, &sql).into_iter().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join(", ")
    };
    for (variable, expected) in [
        ("nihss_admission", "4 {score}"),
        ("gcs_admission", "15 {score}"),
        ("sbp_admission", "145 mm[Hg]"),
        ("dbp_admission", "85 mm[Hg]"),
        ("heart_rate_admission", "60 /min"),
        ("oxygen_saturation_admission", "100 %"),
        ("temperature_admission", "37.5 Cel"),
        ("weight_kg", "59 kg"),
        ("glucose_admission", "6.66 mmol/L, 9.99 mmol/L"),
        ("inr", "0.94 {INR}"),
        ("iv_thrombolysis", "true"),
        ("mechanical_thrombectomy", "false"),
        ("thrombolytic_agent", "tenecteplase"),
        ("transport_mode", "samu"),
        ("hypertension", "false"),
        ("diabetes", "true"),
        ("atrial_fibrillation", "true"),
        ("smoking", ""),
        ("mrs_pre_stroke", "0 {score}"),
        ("mrs_discharge", "0 {score}"),
        ("nihss_discharge", ""),
        ("toast", "large_artery"),
        ("discharge_destination", "other_hospital"),
    ] {
        assert_eq!(stated(variable), expected, "{variable}");
    }
    let minutes = |variable: &str| {
        let sql = format!(
            "select cast((date_part('epoch', v.value_datetime) - date_part('epoch', v.document_time)) / 60 as bigint) from variables v \
             where v.method = 'cda-entry' and v.variable = '{variable}'"
        );
        value(&out, &sql)
    };
    assert_eq!(minutes("onset_datetime"), "-170", "20:30 in a document of 23:20");
    assert_eq!(minutes("thrombolysis_datetime"), "-410", "16:30");
    let wrong = lines(&out, "select distinct code || ' ' || display from restricted.display_disagreements order by 1");
    assert!(wrong.contains(&"24028007 gauche".to_owned()), "{wrong:?}");
    assert_eq!(astray(&out), "0 0");
}
