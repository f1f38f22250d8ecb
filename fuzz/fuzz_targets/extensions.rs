#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ws_framed_fuzz::extensions(input));
