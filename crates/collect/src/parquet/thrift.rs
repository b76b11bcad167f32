//! A look at Thrift's compact protocol before the reader of Parquet believes it.
//!
//! That reader asks for as much memory as a list or a text says it needs, and a file may say anything. So what is read
//! as Thrift (the footer and the headers of pages) is walked through first, and refused when it claims more elements
//! or bytes than there are bytes left. Of a page's header the sizes are told, so that they can be bounded, too.

/// Structs and lists stand in each other no deeper than this; Parquet's own need about ten levels.
const DEPTH_MAX: usize = 64;

/// Why bytes are no Thrift struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// They end before the struct does.
    Short,
    /// They say what cannot be.
    Broken,
}

/// What the header of a page claims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PageClaims {
    /// Bytes of the header itself.
    pub header_bytes: usize,
    pub uncompressed_bytes: i64,
    pub values: i64,
    /// The checksum of the page as it is stored, where it has one: CRC-32, with a sign.
    pub checksum: Option<i64>,
}

/// Walks through one struct at the beginning of `bytes`.
pub(super) fn check(bytes: &[u8]) -> Result<(), Refused> {
    Walk { rest: bytes, claims: None }.structure(0, Within::Anything)
}

/// Walks through the header of a page at the beginning of `bytes`.
pub(super) fn page(bytes: &[u8]) -> Result<PageClaims, Refused> {
    let mut walk = Walk { rest: bytes, claims: Some(PageClaims::default()) };
    walk.structure(0, Within::Page)?;
    let header_bytes = bytes.len() - walk.rest.len();
    Ok(PageClaims { header_bytes, ..walk.claims.unwrap_or_default() })
}

struct Walk<'b> {
    rest: &'b [u8],
    claims: Option<PageClaims>,
}

/// Which struct is walked through.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Page,
    /// The part of a page's header that counts its values: of a data page, a dictionary page, or a data page of version 2.
    PagePart,
    Anything,
}

impl Walk<'_> {
    fn structure(&mut self, depth: usize, within: Within) -> Result<(), Refused> {
        if depth > DEPTH_MAX {
            return Err(Refused::Broken);
        }
        let mut id = 0i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            id = match head >> 4 {
                0 => zigzag(self.varint()?),
                delta => id + i64::from(delta),
            };
            let inside = match (within, id) {
                (Within::Page, 5 | 7 | 8) => Within::PagePart,
                _ => Within::Anything,
            };
            let number = self.value(head & 0x0f, depth, inside, true)?;
            if let (Some(claims), Some(number)) = (&mut self.claims, number) {
                match (within, id) {
                    (Within::Page, 2) => claims.uncompressed_bytes = number,
                    (Within::Page, 4) => claims.checksum = Some(number),
                    (Within::PagePart, 1) => claims.values = number,
                    _ => {}
                }
            }
        }
    }

    /// Goes behind a value, and tells it when it is an integer. Booleans of structs have their value in their type.
    fn value(
        &mut self,
        kind: u8,
        depth: usize,
        within: Within,
        in_struct: bool,
    ) -> Result<Option<i64>, Refused> {
        match kind {
            1 | 2 if in_struct => Ok(None),
            1..=3 => self.byte().map(|_| None),
            4..=6 => self.varint().map(|number| Some(zigzag(number))),
            7 => self.skip(8).map(|()| None),
            8 => {
                let length = self.varint()?;
                self.skip(length).map(|()| None)
            }
            9 | 10 => self.list(depth).map(|()| None),
            11 => self.map(depth).map(|()| None),
            12 => self.structure(depth + 1, within).map(|()| None),
            _ => Err(Refused::Broken),
        }
    }

    fn list(&mut self, depth: usize) -> Result<(), Refused> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.varint()?,
            count => u64::from(count),
        };
        self.elements(count)?;
        for _ in 0..count {
            self.value(head & 0x0f, depth + 1, Within::Anything, false)?;
        }
        Ok(())
    }

    fn map(&mut self, depth: usize) -> Result<(), Refused> {
        let count = self.varint()?;
        if count == 0 {
            return Ok(());
        }
        let kinds = self.byte()?;
        self.elements(count)?;
        for _ in 0..count {
            self.value(kinds >> 4, depth + 1, Within::Anything, false)?;
            self.value(kinds & 0x0f, depth + 1, Within::Anything, false)?;
        }
        Ok(())
    }

    /// Each element takes a byte at least.
    fn elements(&self, count: u64) -> Result<(), Refused> {
        if count > self.rest.len() as u64 { Err(Refused::Short) } else { Ok(()) }
    }

    fn byte(&mut self) -> Result<u8, Refused> {
        let (first, rest) = self.rest.split_first().ok_or(Refused::Short)?;
        self.rest = rest;
        Ok(*first)
    }

    fn skip(&mut self, count: u64) -> Result<(), Refused> {
        let count = usize::try_from(count).map_err(|_| Refused::Short)?;
        self.rest = self.rest.get(count..).ok_or(Refused::Short)?;
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, Refused> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Refused::Broken)
    }
}

#[allow(clippy::cast_possible_wrap, reason = "the sign is in the lowest bit")]
fn zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_pages_are_told_and_claims_beyond_the_bytes_refused() {
        // type 0, 100 bytes, 50 compressed, a data page's header with 7 values.
        let header = [0x15, 0, 0x15, 200, 1, 0x15, 100, 0x2c, 0x15, 14, 0, 0];
        let claims = PageClaims { header_bytes: 12, uncompressed_bytes: 100, values: 7, checksum: None };
        assert_eq!(page(&header), Ok(claims));
        assert_eq!(page(&header[..7]), Err(Refused::Short));
        // A list of 2^31 structs in three bytes.
        assert_eq!(check(&[0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0]), Err(Refused::Short));
        // A text of 2^40 bytes.
        assert_eq!(check(&[0x18, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 1, 0]), Err(Refused::Short));
        assert_eq!(check(&[0x1c; 1000]), Err(Refused::Broken), "too deep");
        assert_eq!(check(&[0x1d, 0]), Err(Refused::Broken), "no such type");
        assert_eq!(check(&[0]), Ok(()));
    }
}
