//! Holds a property of a parser against the samples in `testing/fuzz/corpus/TARGET`, and against some hundred mutations of them.
//!
//! `testing/fuzz/run` holds the same properties against whatever libFuzzer comes up with. A text that broke one becomes a sample, and
//! is tried by each `cargo test` from then on.
#![forbid(unsafe_code)]

use std::{fs, path::PathBuf};

pub use proptest;
use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{Config, RngSeed, TestError, TestRunner},
};

/// What has broken parsers before.
const NASTY: [&[u8]; 14] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"#",
    b";",
    b"-1",
    b"99999999999999999999",
    b"\x1b[2J",
    b"\xff",
    "\u{202e}ä🦀".as_bytes(),
];

/// Holds `property` against texts. See [`bytes`].
///
/// # Panics
/// When one breaks it.
pub fn texts(target: &str, property: impl Fn(&str)) {
    bytes(target, |bytes| property(&String::from_utf8_lossy(bytes)));
}

/// Holds `property`, which panics when it is broken, against the samples of `target` and mutations of them: 256, or as many
/// as `PROPTEST_CASES` says.
///
/// # Panics
/// When one breaks it. The smallest that still does is kept as a sample, so that the next run begins with it.
pub fn bytes(target: &str, property: impl Fn(&[u8])) {
    let dir = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../corpus")).join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(&dir).expect("samples").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let samples: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    for (file, sample) in files.iter().zip(&samples) {
        eprintln!("trying {}", file.display());
        property(sample);
    }
    let broken = TestRunner::new(config()).run(&mutations(samples), |bytes| {
        property(&bytes);
        Ok(())
    });
    match broken {
        Err(TestError::Fail(why, bytes)) => {
            let found = dir.join("found");
            fs::write(&found, &bytes).expect("the sample is written");
            panic!("{why}\n{} has the text that broke it, and the next run tries it first", found.display());
        }
        Err(error) => panic!("{error}"),
        Ok(()) => {}
    }
}

/// The configuration of a property test: the cases are the same in every run, unless `PROPTEST_RNG_SEED` says otherwise.
pub fn config() -> Config {
    let config = Config { failure_persistence: None, ..Config::default() };
    match config.rng_seed {
        RngSeed::Random => Config { rng_seed: RngSeed::Fixed(1), ..config },
        RngSeed::Fixed(_) => config,
    }
}

/// Some bytes from here on are replaced by these.
#[derive(Debug, Clone)]
struct Splice {
    at: Index,
    gone: usize,
    new: Vec<u8>,
}

fn mutations(samples: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let piece = (0..samples.len(), any::<Index>(), 0..24usize);
    let all = samples.clone();
    let new = prop_oneof![
        prop::sample::select(NASTY.to_vec()).prop_map(<[u8]>::to_vec),
        prop::collection::vec(any::<u8>(), 0..4),
        // a piece of another sample
        piece.prop_map(move |(of, from, length)| {
            let sample = &all[of];
            let from = from.index(sample.len() + 1);
            sample[from..(from + length).min(sample.len())].to_vec()
        }),
    ];
    let splice = (any::<Index>(), 0..6usize, new).prop_map(|(at, gone, new)| Splice { at, gone, new });
    (0..samples.len(), prop::collection::vec(splice, 0..6)).prop_map(move |(of, splices)| {
        let mut bytes = samples[of].clone();
        for Splice { at, gone, new } in splices {
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..(at + gone).min(bytes.len()), new);
        }
        bytes
    })
}
