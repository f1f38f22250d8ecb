//! Replays the seeds on any toolchain, without a fuzzer.

use std::{fs, path::Path};

/// Each target accepts each of its seeds, and each prefix of one.
#[test]
fn seeds_pass_their_targets() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for (name, check) in ws_framed_fuzz::TARGETS {
        let files: Vec<_> = fs::read_dir(seeds.join(name)).unwrap().collect();
        assert!(!files.is_empty(), "no seeds for {name}");
        for file in files {
            let path = file.unwrap().path();
            println!("{}", path.display());
            let seed = fs::read(path).unwrap();
            check(&seed);
            // A connection may end anywhere.
            for end in 0..seed.len().min(200) {
                check(&seed[..end]);
            }
        }
    }
}
