//! Small numbers as Parquet packs them: runs of the same number, and eights of numbers of so many bits each (its
//! "RLE/bit-packing hybrid").

/// From so many on, a run takes less room than packed bits, and splits fewer of them.
const RUN_MIN: usize = 8;

/// The bits that the greatest of numbers up to `max` takes.
pub(super) fn bits_of(max: u32) -> u32 {
    u32::BITS - max.leading_zeros()
}

/// Puts numbers of up to `bits` bits behind what is there.
pub(super) fn pack<N: Copy + PartialEq + Into<u32>>(numbers: &[N], bits: u32, out: &mut Vec<u8>) {
    let (mut packed_from, mut at) = (0, 0);
    while at < numbers.len() {
        let run = run_length(&numbers[at..]);
        // Only whole eights may be packed before a run.
        if run >= RUN_MIN {
            put_packed(&numbers[packed_from..at], bits, out);
            put_run(numbers[at].into(), run, bits, out);
            at += run;
            packed_from = at;
        } else {
            at = (at + 8).min(numbers.len());
        }
    }
    put_packed(&numbers[packed_from..], bits, out);
}

/// How often the first number comes in a row.
#[inline]
fn run_length<N: Copy + PartialEq>(numbers: &[N]) -> usize {
    let Some(first) = numbers.first().copied() else { return 0 };
    let sixteens = numbers.chunks_exact(16).take_while(|chunk| chunk.iter().all(|n| *n == first)).count();
    let start = sixteens * 16;
    start + numbers[start..].iter().take_while(|number| **number == first).count()
}

fn put_run(number: u32, count: usize, bits: u32, out: &mut Vec<u8>) {
    put_varint((count as u64) << 1, out);
    out.extend_from_slice(&number.to_le_bytes()[..bits.div_ceil(8) as usize]);
}

fn put_packed<N: Copy + Into<u32>>(numbers: &[N], bits: u32, out: &mut Vec<u8>) {
    if numbers.is_empty() {
        return;
    }
    let eights = numbers.len().div_ceil(8);
    put_varint((eights as u64) << 1 | 1, out);
    let end = out.len() + eights * bits as usize;
    out.reserve(eights * bits as usize + 4);
    if bits == 1 {
        return put_bits(numbers, out);
    }
    let (mut held, mut held_bits) = (0_u64, 0);
    for number in numbers {
        let number: u32 = (*number).into();
        held |= u64::from(number) << held_bits;
        held_bits += bits;
        if held_bits >= 32 {
            out.extend_from_slice(&(held as u32).to_le_bytes());
            held >>= 32;
            held_bits -= 32;
        }
    }
    out.extend_from_slice(&(held as u32).to_le_bytes());
    // The last eight is filled with zeros.
    out.resize(end, 0);
}

/// A bit for each number, the first one the lowest; the last byte is filled with zeros.
pub(super) fn put_bits<N: Copy + Into<u32>>(numbers: &[N], out: &mut Vec<u8>) {
    let bit = |number: &N| -> u32 { (*number).into() };
    let pack = |eight: &[N]| eight.iter().rev().fold(0, |byte, number| byte << 1 | bit(number) as u8);
    out.extend(numbers.chunks(8).map(pack));
}

/// Seven bits a byte, the lowest first.
pub(super) fn put_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
