#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sillage_connectors::fuzzing::hl7v2_batch(data));
