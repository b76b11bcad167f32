//! The different values of a column, numbered as they come.

/// Places of a new dictionary; a power of two.
const PLACES_MIN: usize = 256;

/// So many places are tried. Values that someone has chosen to fall on the same places end the dictionary instead of
/// making it slow.
const TRIES_MAX: usize = 64;

/// Values and their numbers.
#[derive(Debug)]
pub(super) struct Dictionary {
    /// A part of the hash, and the number of the value plus one; 0 is a free place.
    places: Vec<u64>,
    entries: Vec<Entry>,
    /// The values as they stand in the file.
    bytes: Vec<u8>,
    bytes_max: usize,
    /// Which page is made now.
    page: u32,
    has_collisions: bool,
}

/// A value: of up to sixteen bytes the first and the last eight and the length are all of it.
#[derive(Clone, Copy, Debug)]
struct Entry {
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

impl Dictionary {
    /// One that is full with about so many bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        let places = vec![0; PLACES_MIN];
        Self { places, entries: Vec::new(), bytes: Vec::new(), bytes_max, page: 1, has_collisions: false }
    }

    /// The number of a value of bytes, which has its length before it in the file.
    #[inline]
    pub(super) fn number_of_bytes(&mut self, value: &[u8]) -> Numbered {
        let key = Key::of(value);
        let hash = key.hash(value);
        self.number(
            key,
            hash,
            |bytes, start| bytes.get(start..start + value.len()) == Some(value),
            |bytes| {
                bytes.extend_from_slice(&key.length.to_le_bytes());
                let start = bytes.len();
                bytes.extend_from_slice(value);
                start
            },
        )
    }

    /// The number of a number, by its bits; it has `width` bytes in the file.
    #[inline]
    pub(super) fn number_of_bits(&mut self, bits: u64, width: usize) -> Numbered {
        let key = Key { first: bits, last: 0, length: 0 };
        self.number(
            key,
            key.hash(&[]),
            |_, _| true,
            |bytes| {
                bytes.extend_from_slice(bits.to_le_bytes().get(..width).unwrap_or_default());
                0
            },
        )
    }

    #[inline]
    fn number(
        &mut self,
        key: Key,
        hash: u64,
        is_same: impl Fn(&[u8], usize) -> bool,
        put: impl FnOnce(&mut Vec<u8>) -> usize,
    ) -> Numbered {
        let tag = hash & 0xffff_ffff_0000_0000;
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        for _ in 0..TRIES_MAX {
            let place = self.places[at];
            if place == 0 {
                return self.add(key, tag, at, put);
            }
            if place & 0xffff_ffff_0000_0000 == tag {
                let number = place as u32 - 1;
                let entry = &mut self.entries[number as usize];
                if entry.key == key && (key.length <= 16 || is_same(&self.bytes, entry.start as usize)) {
                    let is_first = std::mem::replace(&mut entry.page, self.page) != self.page;
                    return Numbered { number, is_first };
                }
            }
            at = (at + 1) & mask;
        }
        // The value may stand in the dictionary twice, which readers do not mind.
        self.has_collisions = true;
        self.add(key, tag, at, put)
    }

    #[inline(never)]
    fn add(&mut self, key: Key, tag: u64, at: usize, put: impl FnOnce(&mut Vec<u8>) -> usize) -> Numbered {
        let number = self.entries.len() as u32;
        let start = put(&mut self.bytes) as u32;
        self.entries.push(Entry { key, start, page: self.page });
        self.places[at] = tag | u64::from(number + 1);
        if self.entries.len() * 2 > self.places.len() {
            self.make_room();
        }
        Numbered { number, is_first: true }
    }

    fn make_room(&mut self) {
        let mut places = vec![0; self.places.len() * 4];
        let mask = places.len() - 1;
        for (number, entry) in (1_u64..).zip(&self.entries) {
            let start = entry.start as usize;
            let value = self.bytes.get(start..start + entry.key.length as usize).unwrap_or_default();
            let hash = entry.key.hash(value);
            let mut at = hash as usize & mask;
            while places[at] != 0 {
                at = (at + 1) & mask;
            }
            places[at] = hash & 0xffff_ffff_0000_0000 | number;
        }
        self.places = places;
    }

    /// Whether no further values should come.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= self.bytes_max || self.has_collisions
    }

    /// Another page begins.
    pub(super) fn begin_page(&mut self) {
        self.page = self.page.wrapping_add(1);
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The values as they stand in the file.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.places.capacity() * size_of::<u64>()
            + self.entries.capacity() * size_of::<Entry>()
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

#[inline]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}
