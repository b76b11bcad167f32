//! From nested columns to leaves: which values a leaf has, and at which levels of definition and repetition they stand.
//!
//! A slot is a place where a leaf could have a value: one for each row, and below a list one for each element, or one for a
//! list that is null or empty. A slot is alive as long as all that is around it is there.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};

/// One leaf of some rows.
pub(super) struct LeafSlots<'a> {
    pub(super) array: ArrayRef,
    /// For each slot, how much of what is around the value is there; none when all slots have a value.
    pub(super) definition: Option<Vec<u8>>,
    /// For each slot, at which list it goes on; none outside of lists.
    pub(super) repetition: Option<Vec<u8>>,
    pub(super) slots: usize,
    /// The level of a slot that has a value.
    pub(super) level: u8,
    pub(super) rows: Rows<'a>,
}

/// Which rows of a leaf's array hold its values.
pub(super) enum Rows<'a> {
    /// All of them.
    All,
    Listed(Cow<'a, [u32]>),
}

/// The leaves of a column, or of those of its rows that are listed, in the order of the file.
pub(super) fn leaves_of<'a>(
    field: &Field,
    array: &ArrayRef,
    listed: Option<&'a [u32]>,
) -> Vec<LeafSlots<'a>> {
    let count = listed.map_or(array.len(), <[u32]>::len);
    let rows = listed.map(Cow::Borrowed);
    let slots = Slots { count, rows, definition: None, repetition: None, level: 0, lists: 0 };
    let mut leaves = Vec::new();
    walk(field, array, slots, &mut leaves);
    leaves
}

/// The slots on the way down to a leaf.
#[derive(Clone)]
struct Slots<'a> {
    count: usize,
    /// The row that each slot is in the array that is looked at; none when they are the same.
    rows: Option<Cow<'a, [u32]>>,
    /// Less than `level` for a slot that is not alive; none when all are alive.
    definition: Option<Vec<u8>>,
    repetition: Option<Vec<u8>>,
    level: u8,
    lists: u8,
}

fn walk<'a>(field: &Field, array: &ArrayRef, mut slots: Slots<'a>, leaves: &mut Vec<LeafSlots<'a>>) {
    if field.is_nullable() {
        slots.go_into_optional(array.nulls().filter(|nulls| nulls.null_count() > 0));
    }
    match field.data_type() {
        DataType::Struct(fields) => {
            if let Some(group) = array.as_struct_opt() {
                for (field, column) in fields.iter().zip(group.columns()) {
                    walk(field, column, slots.clone(), leaves);
                }
            }
        }
        DataType::List(element) => {
            if let Some(list) = array.as_list_opt::<i32>() {
                walk(element, list.values(), slots.into_elements(list.value_offsets()), leaves);
            }
        }
        DataType::Map(entry, _) => {
            if let (Some(map), DataType::Struct(fields)) = (array.as_map_opt(), entry.data_type()) {
                let slots = slots.into_elements(map.value_offsets());
                for (field, column) in fields.iter().zip(map.entries().columns()) {
                    walk(field, column, slots.clone(), leaves);
                }
            }
        }
        _ => leaves.push(slots.into_leaf(array.clone())),
    }
}

impl<'a> Slots<'a> {
    fn go_into_optional(&mut self, nulls: Option<&NullBuffer>) {
        let level = self.level;
        self.level += 1;
        let Some(nulls) = nulls else {
            // Who is alive stays so.
            let definition = self.definition.iter_mut().flatten();
            definition.for_each(|d| *d += u8::from(*d == level));
            return;
        };
        match (&mut self.definition, self.rows.as_deref()) {
            (none @ None, None) => {
                let definition = none.insert(Vec::with_capacity(self.count));
                each_valid(nulls, |valid| definition.push(level + u8::from(valid)));
            }
            (none @ None, Some(rows)) => {
                let valid = rows.iter().map(|row| nulls.is_valid(*row as usize));
                *none = Some(valid.map(|valid| level + u8::from(valid)).collect());
            }
            (Some(definition), None) => {
                let mut slots = definition.iter_mut();
                each_valid(nulls, |valid| {
                    if let Some(d) = slots.next() {
                        *d += u8::from(*d == level && valid);
                    }
                });
            }
            (Some(definition), Some(rows)) => {
                let slots = definition.iter_mut().zip(rows);
                slots.for_each(|(d, row)| *d += u8::from(*d == level && nulls.is_valid(*row as usize)));
            }
        }
    }

    /// The slots of the elements of lists that end where `offsets` say.
    fn into_elements(self, offsets: &[i32]) -> Self {
        let level = self.level;
        let mut rows = Vec::with_capacity(self.count);
        let mut definition = Vec::with_capacity(self.count);
        let mut repetition = Vec::with_capacity(self.count);
        for slot in 0..self.count {
            let is_at = self.definition.as_ref().map_or(level, |definition| definition[slot]);
            let begins = self.repetition.as_ref().map_or(0, |repetition| repetition[slot]);
            let row = self.rows.as_ref().map_or(slot, |rows| rows[slot] as usize);
            let (start, end) =
                if is_at == level { (offsets[row] as u32, offsets[row + 1] as u32) } else { (0, 0) };
            if start == end {
                rows.push(0);
                definition.push(is_at);
                repetition.push(begins);
                continue;
            }
            let elements = (end - start) as usize;
            rows.extend(start..end);
            definition.resize(definition.len() + elements, level + 1);
            repetition.push(begins);
            repetition.resize(definition.len(), self.lists + 1);
        }
        Self {
            count: rows.len(),
            rows: Some(rows.into()),
            definition: Some(definition),
            repetition: Some(repetition),
            level: level + 1,
            lists: self.lists + 1,
        }
    }

    fn into_leaf(self, array: ArrayRef) -> LeafSlots<'a> {
        let level = self.level;
        let rows = match (self.rows, &self.definition) {
            (None, None) => Rows::All,
            (Some(rows), None) => Rows::Listed(rows),
            (None, Some(definition)) => {
                let alive = (0_u32..).zip(definition).filter(|(_, d)| **d == level);
                Rows::Listed(alive.map(|(row, _)| row).collect())
            }
            (Some(rows), Some(definition)) => {
                let alive = rows.iter().zip(definition).filter(|(_, d)| **d == level);
                Rows::Listed(alive.map(|(row, _)| *row).collect())
            }
        };
        LeafSlots {
            array,
            definition: self.definition,
            repetition: self.repetition,
            slots: self.count,
            level,
            rows,
        }
    }
}

/// Tells of each row whether it has a value, 64 rows at a time.
#[inline]
fn each_valid(nulls: &NullBuffer, mut take: impl FnMut(bool)) {
    let chunks = nulls.inner().bit_chunks();
    for bits in chunks.iter() {
        (0..u64::BITS).for_each(|row| take(bits >> row & 1 == 1));
    }
    let bits = chunks.remainder_bits();
    (0..chunks.remainder_len()).for_each(|row| take(bits >> row & 1 == 1));
}
