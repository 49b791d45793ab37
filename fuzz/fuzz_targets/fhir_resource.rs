#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sillage_connectors::fuzzing::fhir_resource(data));
