//! The inputs that fuzzing begins with and has kept (`fuzz/corpus`, see `fuzz/README.md`): each goes through the checks of its
//! target, and so does the JSON of the samples, cut and changed by chance.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::agree;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn kept(target: &str) -> Vec<Vec<u8>> {
    let folder = project().join("fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let inputs: Vec<Vec<u8>> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(inputs.len() >= 20, "{} inputs in {}", inputs.len(), folder.display());
    inputs
}

#[test]
fn both_ways_of_decoding_agree_on_what_was_kept() {
    kept("decoder").iter().for_each(|input| agree::decoding(input));
}

#[test]
fn inference_holds_for_what_was_kept() {
    kept("inference").iter().for_each(|input| agree::inference(input));
}

#[test]
fn framing_holds_for_what_was_kept() {
    kept("framing").iter().for_each(|input| agree::framing(input));
}

/// Lines of the samples, and what a byte of them may become.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let samples = ["game-events.ndjson", "cloudtrail.ndjson", "wrong-lines.ndjson"];
    let texts = samples.map(|name| fs::read(project().join("sample-data").join(name)).unwrap());
    let lines: Vec<Vec<u8>> = texts
        .iter()
        .flat_map(|text| text.split(|byte| *byte == b'\n').take(40))
        .map(<[u8]>::to_vec)
        .collect();
    let byte = prop_oneof![
        proptest::sample::select(b"{}[]\",:\\0123456789-+.eEtrufalsn \t\x0c\0\xff\xed\xa0".to_vec()),
        any::<u8>(),
    ];
    let change = (any::<proptest::sample::Index>(), 0_u8..4, byte);
    let line = (proptest::sample::select(lines), proptest::collection::vec(change, 0..4)).prop_map(
        |(mut line, changes)| {
            for (at, kind, byte) in changes {
                if line.is_empty() {
                    break;
                }
                let at = at.index(line.len());
                match kind {
                    0 => line[at] = byte,
                    1 => line.insert(at, byte),
                    2 => drop(line.remove(at)),
                    _ => line.truncate(at),
                }
            }
            line
        },
    );
    proptest::collection::vec(line, 1..8).prop_map(|lines| lines.join(&b'\n'))
}

proptest! {
    #[test]
    fn both_ways_agree_on_samples_that_were_changed(text in mutated()) {
        agree::decoding(&text);
    }

    #[test]
    fn framing_holds_for_samples_that_were_changed(how in b'0'..b'8', text in mutated()) {
        agree::framing(&[&[how], text.as_slice()].concat());
    }

    #[test]
    fn inference_holds_for_samples_that_were_changed(text in mutated()) {
        agree::inference(&text);
    }
}
