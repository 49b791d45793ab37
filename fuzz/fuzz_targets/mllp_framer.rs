#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sillage_connectors::fuzzing::mllp_framer(data));
