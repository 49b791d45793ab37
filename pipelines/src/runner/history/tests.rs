use super::*;

const A: &str = "000102030405060708090a0b0c0d0e0f";
const B: &str = "ffffffffffffffffffffffffffffffff";

fn history() -> History {
    History::empty(std::env::temp_dir(), None).unwrap()
}

fn set(ids: &[&str]) -> HashSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn text(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(values.iter().copied().collect::<StringArray>())
}

/// Version, precedence, replaced, patient of document A.
fn document(version: i32, precedence: i32, replaced: bool, patient: Option<&str>) -> RecordBatch {
    let fields = vec![
        Field::new("document_id", DataType::Utf8, false),
        Field::new("document_version", DataType::Int32, false),
        Field::new("precedence", DataType::Int32, false),
        Field::new("replaced", DataType::Boolean, false),
        Field::new("patient_id", DataType::Utf8, true),
    ];
    let columns: Vec<ArrayRef> = vec![
        text(&[Some(A)]),
        Arc::new(Int32Array::from(vec![version])),
        Arc::new(Int32Array::from(vec![precedence])),
        Arc::new(BooleanArray::from(vec![replaced])),
        text(&[patient]),
    ];
    batch(fields, columns).unwrap()
}

/// Patient, record, whom the patient was merged into (nobody: stands alone) and when.
fn patient(patient: &str, record: Option<&str>, merged: Option<(&str, i64)>) -> RecordBatch {
    let mut lists = texts_builder();
    lists.append_option(record.map(|_| [Some("s|1")]));
    let lists: ArrayRef = Arc::new(lists.finish());
    let fields = vec![
        Field::new("patient_id", DataType::Utf8, false),
        Field::new("source_patient_id", DataType::Utf8, false),
        Field::new("identifiers", lists.data_type().clone(), true),
        Field::new("record", DataType::Utf8, true),
        Field::new("revealed", lists.data_type().clone(), true),
        Field::new("merged_into", DataType::Utf8, true),
        Field::new("merged_at", machine_time(), true),
        Field::new("last_updated", machine_time(), true),
    ];
    let at = |at: Option<i64>| Arc::new(TimestampMicrosecondArray::from(vec![at]).with_timezone("UTC")) as ArrayRef;
    let columns: Vec<ArrayRef> = vec![
        text(&[Some(patient)]),
        text(&[Some(&patient[..1])]),
        lists.clone(),
        text(&[record]),
        lists,
        text(&[merged.map(|(into, _)| into).filter(|into| !into.is_empty())]),
        at(merged.map(|(_, at)| at)),
        at(Some(7)),
    ];
    batch(fields, columns).unwrap()
}

#[test]
fn the_newest_version_stays() {
    let mut history = history();
    history.add_documents(&document(3, 0, false, Some(B))).unwrap();
    history.add_documents(&document(2, 1, false, None)).unwrap();
    assert_eq!(history.stored_versions(set(&[A, B])).unwrap(), document(3, 0, false, Some(B)));
    assert_eq!(history.not_replaced(vec![A.to_owned(), B.to_owned()]).unwrap(), [A]);
    history.add_documents(&document(3, 2, true, Some(B))).unwrap();
    assert_eq!(history.stored_versions(set(&[A])).unwrap(), document(3, 2, true, Some(B)));
    assert!(history.not_replaced(vec![A.to_owned()]).unwrap().is_empty());
    assert_eq!(history.documented(vec![A.to_owned(), B.to_owned()]).unwrap(), [B]);
}

#[test]
fn the_last_record_stays() {
    let mut history = history();
    history.add_patients(&patient(A, None, None)).unwrap();
    history.add_patients(&patient(A, Some("{}"), None)).unwrap();
    let stored = history.stored_identities(set(&[A, B])).unwrap();
    assert_eq!(stored.num_rows(), 1);
    assert_eq!(value(&strings(&stored, "record").unwrap(), 0).as_deref(), Some("{}"));
    assert_eq!(time(&times(&stored, "last_updated").unwrap(), 0), Some(7));
    assert_eq!(history.known("patient_id", vec![A.to_owned(), B.to_owned()]).unwrap(), [A]);
}

#[test]
fn merges_are_remembered() {
    let mut history = history();
    history.add_patients(&patient(A, None, Some(("f", 5)))).unwrap();
    assert_eq!(history.merges().survivor("0"), "f");
}

#[test]
fn who_stands_alone_is_known_and_costs_no_memory() {
    let mut history = history();
    history.add_patients(&patient(A, None, Some(("", 5)))).unwrap();
    history.add_patients(&patient(B, None, Some(("0", 6)))).unwrap();
    assert_eq!(history.merges().len(), 1);
    assert_eq!((history.alone_since(A).unwrap(), history.alone_since(B).unwrap()), (Some(5), None));
    let stored = history.stored_identities(set(&[A])).unwrap();
    assert_eq!(time(&times(&stored, "merged_at").unwrap(), 0), Some(5));
    history.add_patients(&patient(B, None, Some(("", 7)))).unwrap();
    assert_eq!((history.merges().len(), history.merges().survivor("f")), (0, "f"));
}

#[test]
fn encounters_are_remembered() {
    let mut history = history();
    let clinical = || Field::new("start", DataType::Timestamp(TimeUnit::Microsecond, None), true);
    let names = ["encounter_id", "source_encounter_id", "source_patient_id", "moved_to", "class"];
    let mut numbers = texts_builder();
    numbers.append_value([Some("v1"), Some("a1")]);
    let numbers = numbers.finish();
    let mut fields: Vec<Field> = names.iter().map(|n| Field::new(*n, DataType::Utf8, true)).collect();
    fields.insert(4, Field::new("moved_at", machine_time(), true));
    fields.insert(5, Field::new("identifiers", numbers.data_type().clone(), true));
    fields.extend([clinical(), clinical().with_name("end"), Field::new("last_updated", machine_time(), true)]);
    let time = |at| Arc::new(TimestampMicrosecondArray::from(vec![at])) as ArrayRef;
    let machine = |at| Arc::new(TimestampMicrosecondArray::from(vec![Some(at)]).with_timezone("UTC")) as ArrayRef;
    let mut columns: Vec<ArrayRef> = [Some(A), Some("v1"), Some("p1"), Some("p2"), None].iter().map(|v| text(&[*v])).collect();
    columns.insert(4, machine(8));
    columns.insert(5, Arc::new(numbers));
    columns.extend([time(Some(1)), time(None), machine(9)]);
    let row = batch(fields, columns).unwrap();
    history.add_encounters(&row).unwrap();
    let stored = history.stored_encounters(&set(&[A, B])).unwrap();
    assert_eq!(Some(&stored), row.project(&[1, 2, 3, 4, 5, 6, 7, 8, 9]).ok().as_ref());
    let moved = history.moved(&set(&[A])).unwrap();
    assert_eq!(moved, (vec!["p2".to_owned(), "p1".to_owned()], vec!["v1".to_owned(), "a1".to_owned()]));
}

#[test]
fn what_is_no_pseudonym_is_an_error() {
    assert!(id("d1").is_err());
    assert_eq!(pseudonym(&id(A).unwrap()), A);
}
