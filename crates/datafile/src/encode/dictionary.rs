//! The different values of a column, numbered as they come.

use super::page::Filling;

/// Places of a new dictionary; a power of two.
const PLACES_MIN: usize = 256;

/// So many places are tried. Values that someone has chosen to fall on the same places end the dictionary instead of
/// making it slow.
const TRIES_MAX: usize = 64;

/// Values and their numbers: all of them texts, or all of them numbers of some width.
#[derive(Debug)]
pub(super) struct Dictionary {
    /// A part of the hash, and the number of the value plus one; 0 is a free place.
    places: Vec<u32>,
    texts: Vec<Text>,
    /// The texts as they stand in the file.
    bytes: Vec<u8>,
    /// Numbers, by their bits.
    numbers: Vec<u64>,
    width: usize,
    bytes_max: usize,
    /// Which page is made now.
    page: u32,
    /// Whether there was a value that got no place.
    is_crowded: bool,
}

/// A text: of up to sixteen bytes the first and the last eight and the length are all of it.
#[derive(Clone, Copy, Debug)]
struct Text {
    key: Key,
    start: u32,
    /// The last page that had it.
    page: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Key {
    first: u64,
    last: u64,
    length: u32,
}

/// The number of a value, and whether it is the first time in a page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Numbered {
    pub(super) number: u32,
    pub(super) is_first: bool,
}

/// Where a value is, or could be put.
enum Found {
    Number(u32),
    Free(usize),
}

/// The bits of a place that are of the hash; the others hold a number.
const TAG: u32 = 0xfff0_0000;

/// So many values have a number that fits into a place.
const VALUES_MAX: u32 = !TAG - 1;

impl Dictionary {
    /// One that is full with about so many bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            places: vec![0; PLACES_MIN],
            texts: Vec::new(),
            bytes: Vec::new(),
            numbers: Vec::new(),
            width: 0,
            bytes_max,
            page: 1,
            is_crowded: false,
        }
    }

    /// The number of a text.
    #[inline]
    pub(super) fn number_of_text(&mut self, value: &[u8]) -> Numbered {
        let key = Key::of(value);
        let hash = key.hash(value);
        let is_same = |number: u32| {
            let text = &self.texts[number as usize];
            let start = text.start as usize;
            text.key == key && (key.length <= 16 || self.bytes.get(start..start + value.len()) == Some(value))
        };
        match self.find(hash, is_same) {
            Found::Number(number) => {
                let page = &mut self.texts[number as usize].page;
                let is_first = std::mem::replace(page, self.page) != self.page;
                Numbered { number, is_first }
            }
            Found::Free(place) => Numbered { number: self.add_text(key, hash, place, value), is_first: true },
        }
    }

    /// The number of a number, by its bits; it has `width` bytes in the file, like all others.
    #[inline]
    pub(super) fn number_of_bits(&mut self, bits: u64, width: usize) -> u32 {
        let hash = mix(bits ^ FACTOR, !FACTOR);
        match self.find(hash, |number| self.numbers[number as usize] == bits) {
            Found::Number(number) => number,
            Found::Free(place) => self.add_bits(bits, hash, place, width),
        }
    }

    #[inline]
    fn find(&self, hash: u64, is_same: impl Fn(u32) -> bool) -> Found {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        for _ in 0..TRIES_MAX {
            let place = self.places[at];
            if place == 0 {
                return Found::Free(at);
            }
            if (place ^ tag(hash)) & TAG == 0 && is_same((place & !TAG) - 1) {
                return Found::Number((place & !TAG) - 1);
            }
            at = (at + 1) & mask;
        }
        // No place of a value.
        Found::Free(usize::MAX)
    }

    #[inline(never)]
    fn add_text(&mut self, key: Key, hash: u64, place: usize, value: &[u8]) -> u32 {
        let number = self.texts.len() as u32;
        self.bytes.extend_from_slice(&key.length.to_le_bytes());
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(value);
        self.texts.push(Text { key, start, page: self.page });
        self.take_place(hash, place, number);
        number
    }

    #[inline(never)]
    fn add_bits(&mut self, bits: u64, hash: u64, place: usize, width: usize) -> u32 {
        let number = self.numbers.len() as u32;
        self.numbers.push(bits);
        self.width = width;
        self.take_place(hash, place, number);
        number
    }

    fn take_place(&mut self, hash: u64, place: usize, number: u32) {
        match self.places.get_mut(place).filter(|_| number < VALUES_MAX) {
            Some(place) => *place = tag(hash) | (number + 1),
            // The value may come to stand in the dictionary twice, which readers do not mind.
            None => {
                self.is_crowded = true;
                return;
            }
        }
        if self.len() * 2 > self.places.len() {
            self.make_room();
        }
    }

    fn make_room(&mut self) {
        let mut places = vec![0; self.places.len() * 2];
        let mask = places.len() - 1;
        let mut put = |hash: u64, number: u32| {
            let mut at = hash as usize & mask;
            while places[at] != 0 {
                at = (at + 1) & mask;
            }
            places[at] = tag(hash) | number;
        };
        for (number, text) in (1..=VALUES_MAX).zip(&self.texts) {
            let start = text.start as usize;
            let value = self.bytes.get(start..start + text.key.length as usize).unwrap_or_default();
            put(text.key.hash(value), number);
        }
        for (number, bits) in (1..=VALUES_MAX).zip(&self.numbers) {
            put(mix(bits ^ FACTOR, !FACTOR), number);
        }
        self.places = places;
    }

    /// Whether no further values should come.
    pub(super) fn is_full(&self) -> bool {
        self.size_bytes() >= self.bytes_max || self.is_crowded
    }

    /// Another page begins.
    pub(super) fn begin_page(&mut self) {
        self.page = self.page.wrapping_add(1);
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len() + self.numbers.len()
    }

    /// How many bytes they have in the file.
    pub(super) fn size_bytes(&self) -> usize {
        self.bytes.len() + self.numbers.len() * self.width
    }

    /// Puts the values behind what is there, as they stand in the file.
    pub(super) fn put_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes);
        for bits in &self.numbers {
            out.extend_from_slice(bits.to_le_bytes().get(..self.width).unwrap_or_default());
        }
    }

    /// Puts the values with these numbers behind what is there, as they stand in the file.
    pub(super) fn put_values(&self, numbers: &[u32], out: &mut Vec<u8>) {
        for number in numbers {
            let number = *number as usize;
            match (self.texts.get(number), self.numbers.get(number)) {
                (Some(text), _) => {
                    let (start, length) = (text.start as usize, text.key.length as usize);
                    let length_bytes = size_of_val(&text.key.length);
                    out.extend_from_slice(
                        self.bytes.get(start - length_bytes..start + length).unwrap_or_default(),
                    );
                }
                (None, Some(bits)) => {
                    out.extend_from_slice(bits.to_le_bytes().get(..self.width).unwrap_or_default());
                }
                (None, None) => {}
            }
        }
    }

    /// How many bytes the values of a page have, as they stand in the file.
    pub(super) fn plain_bytes(&self, page: &Filling) -> usize {
        match self.texts.is_empty() {
            true => page.values * self.width,
            false => page.values * size_of::<u32>() + page.text_bytes,
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.places.capacity() * size_of::<u32>()
            + self.numbers.capacity() * size_of::<u64>()
            + self.texts.capacity() * size_of::<Text>()
            + self.bytes.capacity()
    }
}

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Key {
    #[inline]
    fn of(value: &[u8]) -> Self {
        let length = value.len() as u32;
        if let (Some(first), Some(last)) = (value.first_chunk::<8>(), value.last_chunk::<8>()) {
            return Self { first: u64::from_le_bytes(*first), last: u64::from_le_bytes(*last), length };
        }
        if let (Some(first), Some(last)) = (value.first_chunk::<4>(), value.last_chunk::<4>()) {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            return Self { first: first.into(), last: last.into(), length };
        }
        let first = value.iter().fold(0, |first, byte| first << 8 | u64::from(*byte));
        Self { first, last: 0, length }
    }

    #[inline]
    fn hash(self, value: &[u8]) -> u64 {
        let mut hash =
            mix(self.first ^ FACTOR, self.last ^ u64::from(self.length).wrapping_mul(FACTOR) ^ !FACTOR);
        if self.length > 16 {
            for eight in value.as_chunks::<8>().0.iter().skip(1) {
                hash = mix(hash ^ u64::from_le_bytes(*eight), FACTOR);
            }
        }
        hash
    }
}

/// The bits of a hash that a place holds; others than those that say which place it is.
#[inline]
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32 & TAG
}

#[inline]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of a list in one row all come in at once.
    #[test]
    fn values_beyond_the_places_still_have_their_numbers() {
        let mut dictionary = Dictionary::new(usize::MAX);
        let values = u64::from(VALUES_MAX) + 5_000;
        let mixed = |n: u64| n.wrapping_mul(FACTOR);
        for n in 0..values {
            assert_eq!(u64::from(dictionary.number_of_bits(mixed(n), 8)), n);
            assert_eq!(dictionary.is_full(), n >= u64::from(VALUES_MAX));
        }
        for n in (0..u64::from(VALUES_MAX)).step_by(997) {
            assert_eq!(u64::from(dictionary.number_of_bits(mixed(n), 8)), n);
        }
        let again = dictionary.number_of_bits(mixed(values - 1), 8);
        let mut out = Vec::new();
        dictionary.put_values(&[5, VALUES_MAX + 7, again], &mut out);
        let expected = [5, u64::from(VALUES_MAX) + 7, values - 1].map(|n| mixed(n).to_le_bytes());
        assert_eq!(out, expected.concat());
    }
}
