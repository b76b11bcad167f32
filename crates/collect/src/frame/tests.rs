use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::json::Reject;

/// A window as `zstd --long` takes it.
const WINDOW_BYTES_MAX: u64 = 128 << 20;
const BOUNDS: Bounds = Bounds { window_bytes_max: WINDOW_BYTES_MAX, text_bytes_max: None };

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn given(format: Option<Format>) -> Given {
    Given { format, ..Given::default() }
}

fn text_of(bytes: &[u8], format: Option<Format>) -> Result<(Compression, Vec<u8>), FrameError> {
    let read = |buffer_bytes| {
        let mut framed = open(Cursor::new(bytes.to_vec()), &given(format), buffer_bytes, BOUNDS)?;
        let mut text = Vec::new();
        framed.text.read_to_end(&mut text).map_err(|error| read_error(framed.compression, error))?;
        Ok((framed.compression, text))
    };
    let at_once = read(BUFFER_BYTES);
    assert_eq!(format!("{:?}", read(7)), format!("{at_once:?}"));
    at_once
}

fn binary_kind(bytes: &[u8]) -> Option<&'static str> {
    match text_of(bytes, None) {
        Err(FrameError::Binary { kind }) => Some(kind),
        _ => None,
    }
}

/// `byte_offset line_number text` of each line.
fn lines_of(text: &[u8], chunk_bytes: usize, line_bytes_max: usize) -> Vec<(u64, u64, Vec<u8>)> {
    let mut lines = Lines::new(text, 0, cutting(chunk_bytes, line_bytes_max));
    let mut all = Vec::new();
    while let Some(chunk) = lines.next_chunk().unwrap() {
        all.extend(chunk.lines().map(|line| (line.byte_offset, line.line_number, line.bytes.to_vec())));
        for reject in chunk.rejects {
            let text = format!("{} of {}", reject.record.len(), bytes_in(&reject.reason));
            all.push((reject.byte_offset, reject.line_number, text.into_bytes()));
        }
    }
    all
}

fn cutting(chunk_bytes: usize, line_bytes_max: usize) -> Cutting {
    let (buffers, ending) = (Buffers::new(chunk_bytes), Ending::default());
    Cutting { chunk_bytes, line_bytes_max, buffers, ending }
}

/// The first number of a reason: how long the record is.
fn bytes_in(reason: &str) -> u64 {
    reason.split(' ').find_map(|word| word.parse().ok()).unwrap()
}

#[test]
fn content_tells_the_compression() {
    let text = b"{\"a\":1}\n{\"a\":2}\n".to_vec();
    let two_members = [gzip(&text), gzip(&text)].concat();
    let frame = zstd::encode_all(text.as_slice(), 1).unwrap();
    let two_frames = [frame.clone(), frame.clone()].concat();
    let twice = [text.clone(), text.clone()].concat();
    assert_eq!(text_of(&text, None).unwrap(), (Compression::None, text.clone()));
    assert_eq!(text_of(&two_members, None).unwrap(), (Compression::Gzip, twice.clone()));
    assert_eq!(text_of(&two_frames, None).unwrap(), (Compression::Zstd, twice));
    let padded = [gzip(&text), vec![0; 1000]].concat();
    assert_eq!(text_of(&padded, None).unwrap(), (Compression::Gzip, text.clone()));
    assert_eq!(text_of(&gzip(b""), None).unwrap(), (Compression::Gzip, Vec::new()));
    assert_eq!(text_of(b"", None).unwrap(), (Compression::None, Vec::new()));
}

#[test]
fn a_byte_order_mark_is_skipped_and_other_encodings_are_named() {
    let framed = open(&b"\xef\xbb\xbf{}\n"[..], &Given::default(), BUFFER_BYTES, BOUNDS).unwrap();
    assert_eq!(framed.skipped_bytes, 3);
    assert_eq!(text_of(&gzip(b"\xef\xbb\xbf{}\n"), None).unwrap().1, b"{}\n");
    for (bytes, name) in [(&b"\xff\xfe{\0}\0"[..], "UTF-16"), (b"\xfe\xff\0{\0}", "UTF-16")] {
        match text_of(bytes, None) {
            Err(FrameError::Encoding { encoding }) => assert_eq!(encoding, name),
            other => panic!("{other:?}"),
        }
    }
}

fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn numbered(count: u32) -> Vec<u8> {
    (0..count).flat_map(|n| format!("{{\"n\":{n}}}\n").into_bytes()).collect()
}

#[test]
fn bzip2_is_known_and_read_stream_after_stream() {
    let text = numbered(1000);
    let two_streams = [bzip2(&text), bzip2(&text)].concat();
    let twice = [text.clone(), text].concat();
    assert_eq!(text_of(&two_streams, None).unwrap(), (Compression::Bzip2, twice));
    assert_eq!(text_of(&bzip2(b""), None).unwrap(), (Compression::Bzip2, Vec::new()));
    assert_eq!(binary_kind(&gzip(&bzip2(b"{}"))), Some("compressed twice, bzip2 inside"));
}

#[test]
fn damaged_compressed_data_is_an_error() {
    let text = numbered(100_000);
    let whole = gzip(&text);
    let garbage = [whole.clone(), b"no gzip".to_vec()].concat();
    let late_garbage = [whole.clone(), vec![0; 10], b"x".to_vec()].concat();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let bzip2_garbage = [bzip2(&text), b"no bzip2".to_vec()].concat();
    let mut bzip2_flipped = bzip2(&text);
    let middle = bzip2_flipped.len() / 2;
    *bzip2_flipped.get_mut(middle).unwrap() ^= 1;
    for bytes in [garbage, late_garbage, flipped, bzip2_garbage, bzip2_flipped] {
        match text_of(&bytes, None) {
            Err(FrameError::Damaged { .. }) => {}
            other => panic!("{:?}", other.map(|(_, text)| text.len())),
        }
    }
}

/// The texts of the records of a source, and what was rejected of it.
fn records_of(bytes: &[u8], chunk_bytes: usize) -> (Vec<Vec<u8>>, Vec<Reject>) {
    let framed = open(Cursor::new(bytes.to_vec()), &Given::default(), BUFFER_BYTES, BOUNDS).unwrap();
    let mut chunks = framed.chunks(chunk_bytes, 16 << 20, Buffers::new(chunk_bytes), None);
    let (mut records, mut rejects) = (Vec::new(), Vec::new());
    while let Some(chunk) = chunks.next_chunk().unwrap() {
        records.extend(chunk.lines().map(|line| line.bytes.to_vec()));
        rejects.extend(chunk.rejects);
    }
    (records, rejects)
}

#[test]
fn compressed_data_that_is_cut_off_keeps_what_came_before() {
    let text = numbered(100_000);
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let (gzip, zstd, bzip2) = (gzip(&text), zstd::encode_all(text.as_slice(), 1).unwrap(), bzip2(&text));
    for (name, whole) in [("gzip", gzip), ("zstd", zstd), ("bzip2", bzip2)] {
        for cut in [whole.len() / 2, whole.len() - 1] {
            let (records, rejects) = records_of(whole.get(..cut).unwrap(), 4000);
            assert!(
                lines.starts_with(&records.iter().map(Vec::as_slice).collect::<Vec<_>>()),
                "{name} {cut}"
            );
            assert!(name == "bzip2" || !records.is_empty(), "{name} {cut}");
            let [reject] = rejects.as_slice() else { panic!("{rejects:?}") };
            assert!(
                reject.reason.contains(&format!("the {name} data ends early, at byte {cut}")),
                "{reject:?}"
            );
            let read: usize = records.iter().map(|record| record.len() + 1).sum();
            assert_eq!((reject.byte_offset, reject.line_number), (read as u64, records.len() as u64 + 1));
            assert!(text[read..].starts_with(&reject.record), "{reject:?}");
        }
    }
}

#[test]
fn zeros_may_follow_compressed_data_and_nothing_else() {
    let text = numbered(10);
    let zstd = || zstd::encode_all(text.as_slice(), 1).unwrap();
    let magics =
        [(gzip(&text), &b"\x1f\x8b\x08"[..]), (zstd(), b"\x28\xb5\x2f\xfd"), (bzip2(&text), b"BZh9")];
    for (whole, magic) in magics {
        let compression = compression_of(&whole);
        let behind = |bytes: &[u8]| text_of(&[whole.as_slice(), bytes].concat(), None);
        for length in [0, 1, 2, 3, 4, 5, 20, 512, 10_000] {
            assert_eq!(
                behind(&vec![0; length]).unwrap(),
                (compression, text.clone()),
                "{compression} {length}"
            );
        }
        for garbage in [
            &b"x"[..],
            b"\n",
            b"\0x",
            b"\0\0\0\0\0\0x",
            b"BZ4",
            b"(\xb5x",
            b"\x1fx",
            b"PKx",
            b"{}\n",
            b"\xff\xff",
        ] {
            for length in garbage.len()..=20 {
                let garbage = [garbage, &vec![b'x'; length - garbage.len()]].concat();
                let told = behind(&garbage);
                assert!(
                    matches!(told, Err(FrameError::Damaged { .. })),
                    "{compression} {garbage:?} {told:?}"
                );
            }
        }
        // A member that has only begun was cut off.
        for length in 1..=magic.len() {
            let cut = [whole.as_slice(), &magic[..length]].concat();
            let (records, rejects) = records_of(&cut, 4000);
            assert_eq!((records.len(), rejects.len()), (10, 1), "{compression} {length}");
        }
        let twice = behind(&[whole.as_slice(), &[0; 7]].concat()).unwrap();
        assert_eq!(twice, (compression, [text.clone(), text.clone()].concat()));
    }
}

#[test]
fn a_text_may_be_so_long() {
    let text = numbered(1000);
    let long = text.len() as u64;
    let zstd = || zstd::encode_all(text.as_slice(), 1).unwrap();
    for whole in [gzip(&text), zstd(), bzip2(&text)] {
        let read = |text_bytes_max| {
            let bounds = Bounds { text_bytes_max: Some(text_bytes_max), ..BOUNDS };
            let raw = Cursor::new(whole.clone());
            let mut framed = open(raw, &Given::default(), BUFFER_BYTES, bounds)?;
            let read = framed.text.read_to_end(&mut Vec::new());
            read.map_err(|error| read_error(framed.compression, error))
        };
        assert_eq!(read(long).unwrap() as u64, long);
        match read(long - 1) {
            Err(FrameError::TooLong(told)) => {
                let stored_bytes = whole.len() as u64;
                assert_eq!(told, TextTooLong { stored_bytes, text_bytes_max: long - 1 });
            }
            other => panic!("{other:?}"),
        }
    }
    // What is not compressed becomes nothing.
    let bounds = Bounds { text_bytes_max: Some(1), ..BOUNDS };
    let mut framed = open(Cursor::new(text.clone()), &Given::default(), BUFFER_BYTES, bounds).unwrap();
    assert_eq!(framed.text.read_to_end(&mut Vec::new()).unwrap() as u64, long);
    assert_eq!(BOUNDS.text_bytes_max(10 << 20), 10 << 30);
    assert_eq!(BOUNDS.text_bytes_max(1 << 30), 200 << 30);
}

#[test]
fn binaries_are_known_by_magic_or_nul() {
    assert_eq!(binary_kind(b"PARE\x15\x04"), Some("an encrypted Parquet file"));
    assert_eq!(binary_kind(&gzip(b"PAR1\x15\x04")), Some("a Parquet file inside compressed data"));
    assert_eq!(binary_kind(b"\x89PNG\r\n\x1a\n\0\0"), Some("a PNG picture"));
    assert_eq!(binary_kind(b"ORC\x0a\x03\0\0"), Some("an ORC file"));
    assert_eq!(binary_kind(b"\x04\x22\x4d\x18\x64"), Some("LZ4 data"));
    assert_eq!(binary_kind(b"RIFF\x10\0\0\0WEBPVP8 "), Some("a WebP picture"));
    assert_eq!(binary_kind(b"abc\0def"), Some("a binary file"));
    assert_eq!(binary_kind(b"{\0\"\0a\0"), Some("a binary file"));
    assert_eq!(binary_kind(&gzip(&gzip(b"{}"))), Some("compressed twice, gzip inside"));
    let mut tar = vec![0; 600];
    tar.get_mut(257..262).unwrap().copy_from_slice(b"ustar");
    assert_eq!(binary_kind(&gzip(&tar)), Some("a tar archive"));
}

#[test]
fn everything_else_is_lines() {
    for text in [
        &b"ORCHARD of apples\n"[..],
        b"BZh is no event\n",
        b"{\"a\":1}\nbroken \0 line\n",
        b"\xff\xffnot UTF-8\n",
        b"plain words\n",
        b"{",
    ] {
        assert_eq!(text_of(text, None).unwrap().1, text);
    }
    // The head ends within an object.
    let long = [b"{\"a\":\"".to_vec(), vec![b'x'; 9000], b"\"}\n\0\n".to_vec()].concat();
    let with_nul = [b"\0\n".to_vec(), long].concat();
    assert_eq!(text_of(&with_nul, None).unwrap().1, with_nul);
}

#[test]
fn a_format_that_is_given_is_believed() {
    let plain = Format::parse("ndjson").unwrap();
    assert_eq!(text_of(b"PAR1", plain).unwrap(), (Compression::None, b"PAR1".to_vec()));
    let gz = Format::parse("NDJSON.gz").unwrap();
    assert!(matches!(text_of(b"{}", gz), Err(FrameError::Damaged { .. })));
    assert_eq!(Format::parse("auto"), Ok(None));
    assert!(Format::parse("xml").unwrap_err().to_string().contains("`xml`"));
    for name in ["ndjson", "ndjson.gz", "ndjson.zst", "ndjson.bz2"] {
        assert_eq!(name.parse::<Format>().unwrap().to_string(), name);
    }
}

#[test]
fn lines_have_their_places() {
    let text = b"one\r\n\n  \t\r\ntwo\nlast";
    let expected = [(0, 1, b"one".to_vec()), (11, 4, b"two".to_vec()), (15, 5, b"last".to_vec())].to_vec();
    for chunk_bytes in [1, 2, 3, 7, 100] {
        assert_eq!(lines_of(text, chunk_bytes, 100), expected, "{chunk_bytes}");
    }
}

#[test]
fn a_line_that_is_too_long_keeps_its_head_and_place() {
    let text = [b"a\n".to_vec(), vec![b'x'; 1000], b"\r\nb\n".to_vec(), vec![b'y'; 11]].concat();
    for chunk_bytes in [1, 3, 10] {
        let lines = lines_of(&text, chunk_bytes, 10);
        let texts: Vec<_> = lines
            .iter()
            .map(|(at, line, text)| format!("{at} {line} {}", String::from_utf8_lossy(text)))
            .collect();
        assert_eq!(texts, ["0 1 a", "2 2 10 of 1000", "1004 3 b", "1006 4 10 of 11"], "{chunk_bytes}");
    }
    // Exactly the limit is fine, whatever ends it.
    for text in [&b"0123456789"[..], b"0123456789\n", b"0123456789\r\n"] {
        assert_eq!(lines_of(text, 4, 10), [(0, 1, b"0123456789".to_vec())]);
    }
}

/// Gives so many bytes at a time at most.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.1);
        self.0.read(&mut buffer[..length])
    }
}

proptest! {
    #[test]
    fn chunks_are_the_text(
        text in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'a'), Just(b' ')], 0..200),
        chunk_bytes in 1_usize..30,
        line_bytes_max in 30_usize..300,
        read_bytes_max in 1_usize..40,
    ) {
        let cutting = cutting(chunk_bytes, line_bytes_max);
        let buffers = cutting.buffers.clone();
        let slow = Slow(&text, read_bytes_max);
        let mut lines = Lines::new(slow, 0, cutting);
        let mut all: Vec<u8> = Vec::new();
        while let Some(chunk) = lines.next_chunk().unwrap() {
            prop_assert_eq!(chunk.byte_offset, all.len() as u64);
            prop_assert_eq!(chunk.line_number, 1 + all.iter().filter(|byte| **byte == b'\n').count() as u64);
            match chunk.rejects.first() {
                None => {
                    all.extend(&chunk.bytes);
                    buffers.give_back(chunk.bytes);
                }
                Some(reject) => {
                    let line = text[all.len()..].split(|byte| *byte == b'\n').next().unwrap();
                    let ended = text.len() > all.len() + line.len();
                    let content = if ended { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
                    prop_assert!(content.len() > line_bytes_max);
                    prop_assert_eq!(bytes_in(&reject.reason), content.len() as u64);
                    let whole = text[all.len()..].split_inclusive(|byte| *byte == b'\n').next().unwrap();
                    all.extend(whole);
                }
            }
        }
        prop_assert_eq!(&all, &text);
    }
}

#[test]
fn a_window_that_is_too_large_is_no_damage() {
    let frame = |window_log: u8| {
        [b"\x28\xb5\x2f\xfd\0".as_slice(), &[(window_log - 10) << 3], &[0x19, 0, 0], b"{}\n"].concat()
    };
    assert_eq!(text_of(&frame(27), None).unwrap(), (Compression::Zstd, b"{}\n".to_vec()));
    let told = |bytes: &[u8]| match text_of(bytes, None) {
        Err(FrameError::Window(too_large)) => too_large,
        other => panic!("{other:?}"),
    };
    let (window_bytes, bytes_max) = (Some(1 << 31), WINDOW_BYTES_MAX);
    assert_eq!(told(&frame(31)), WindowTooLarge { window_bytes, bytes_max });
    // Of a later frame only that it is too large is known.
    let second = [frame(20), frame(28)].concat();
    assert_eq!(told(&second), WindowTooLarge { window_bytes: None, bytes_max });
    let cut = &frame(27)[..8];
    assert_eq!(text_of(cut, None).unwrap(), (Compression::Zstd, Vec::new()));
}
