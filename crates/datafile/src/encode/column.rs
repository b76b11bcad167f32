//! One column of one row group: slots and values in, pages out.
//!
//! What Parquet's own writer does for the types that most columns have, made for many files that are open at a time: a column
//! holds its finished pages, its dictionary, the page it has begun, those that wait for what becomes of the dictionary, and nothing
//! else. Encodings are those that all readers know: plain values, and dictionaries where they pay and as long as they are small.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int32Type, Int64Type, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampNanosecondType,
};
use parquet::basic::{BoundaryOrder, Encoding, LogicalType, Type as Physical};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, LevelHistogram, OffsetIndexBuilder};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor};

use super::bounds::{self, Bounds, Cut};
use super::chunk::Chunk;
use super::dictionary::Dictionary;
use super::hybrid;
use super::levels::{LeafSlots, Rows};
use super::page::{self, Filling, Kind, Press};
use super::totals::Totals;
use super::trial::Trial;
use super::values::{Number, Selected, Texts};

/// Limits are looked at after so many slots.
const SLOTS_AT_A_TIME: usize = 1024;

/// A page of so many slots or bytes is finished when its rows are in; smaller ones wait for more.
const SETTLED_SLOTS_MIN: usize = 8 * 1024;
const SETTLED_BYTES_MIN: usize = 256 << 10;

/// Deeper columns are left to Parquet's own writer.
const LEVEL_MAX: i16 = 200;

/// Encodes a column of a row group.
pub(super) struct ColumnEncoder {
    column: ColumnDescPtr,
    properties: Properties,
    /// None where there is to be none, or no more values are to come into it.
    dictionary: Option<Dictionary>,
    /// Pages that wait until it is known whether the dictionary pays; none once that is known.
    trial: Option<Trial>,
    chunk: Chunk,
    page: Filling,
    index: ColumnIndexBuilder,
    offsets: OffsetIndexBuilder,
    totals: Totals,
}

/// What the file's properties say of a column.
struct Properties {
    compression: parquet::basic::Compression,
    page_bytes_max: usize,
    page_rows_max: usize,
    cut_in_index: Cut,
    cut_in_statistics: Cut,
}

/// Whether a column of this type is encoded here.
pub(super) fn is_known(
    data_type: &DataType,
    column: &ColumnDescriptor,
    properties: &WriterProperties,
) -> bool {
    let path = column.path();
    let has_type = matches!(
        data_type,
        DataType::Boolean
            | DataType::Int32
            | DataType::Int64
            | DataType::Float32
            | DataType::Float64
            | DataType::Date32
            | DataType::Time64(TimeUnit::Microsecond)
            | DataType::Timestamp(TimeUnit::Microsecond | TimeUnit::Nanosecond, _)
            | DataType::Utf8
            | DataType::Binary
    );
    has_type
        && page::is_known(properties.compression(path))
        && properties.bloom_filter_properties(path).is_none()
        && properties.encoding(path).is_none()
        && column.max_def_level() <= LEVEL_MAX
}

impl ColumnEncoder {
    pub(super) fn new(column: ColumnDescPtr, properties: &WriterProperties) -> Self {
        let path = column.path();
        let is_text = column.logical_type_ref() == Some(&LogicalType::String);
        let has_dictionary =
            properties.dictionary_enabled(path) && column.physical_type() != Physical::BOOLEAN;
        let totals = Totals::of(&column);
        Self {
            dictionary: has_dictionary
                .then(|| Dictionary::new(properties.column_dictionary_page_size_limit(path))),
            trial: has_dictionary.then(Trial::default),
            properties: Properties {
                compression: properties.compression(path),
                page_bytes_max: properties.column_data_page_size_limit(path),
                page_rows_max: properties.data_page_row_count_limit(),
                cut_in_index: Cut { bytes_max: properties.column_index_truncate_length(), is_text },
                cut_in_statistics: Cut { bytes_max: properties.statistics_truncate_length(), is_text },
            },
            chunk: Chunk::default(),
            page: Filling::default(),
            index: ColumnIndexBuilder::new(column.physical_type()),
            offsets: OffsetIndexBuilder::new(),
            totals,
            column,
        }
    }

    /// Adds slots and their values.
    pub(super) fn write(&mut self, leaf: &LeafSlots, press: &mut Press) -> Result<()> {
        if i16::from(leaf.level) != self.column.max_def_level()
            || leaf.repetition.is_some() != (self.column.max_rep_level() > 0)
        {
            return Err(ParquetError::General("the levels of a batch are not those of the file".into()));
        }
        if self.page.memory_bytes() == 0 {
            self.page = std::mem::take(&mut press.idle);
        }
        let (mut slot, mut value) = (0, 0);
        while slot < leaf.slots {
            let slots_max = SLOTS_AT_A_TIME.min(self.properties.page_rows_max.max(1));
            let mut end = leaf.slots.min(slot + slots_max);
            if let Some(repetition) = &leaf.repetition {
                // A row is not torn apart.
                end += repetition[end..].iter().take_while(|level| **level != 0).count();
            }
            let values = self.put_slots(leaf, slot, end);
            self.put_values(leaf, value, value + values)?;
            (slot, value) = (end, value + values);
            if self.page.rows >= self.properties.page_rows_max
                || self.page_bytes() >= self.properties.page_bytes_max
            {
                self.finish_page(press)?;
            }
            if self.dictionary.as_ref().is_some_and(Dictionary::is_full) {
                self.finish_page(press)?;
                self.end_trial(press, false)?;
                self.finish_dictionary(press)?;
            }
        }
        Ok(())
    }

    /// What was written together is at its end.
    pub(super) fn settle(&mut self, press: &mut Press) -> Result<()> {
        if self.page.slots >= SETTLED_SLOTS_MIN || self.page_bytes() >= SETTLED_BYTES_MIN {
            self.finish_page(press)?;
        }
        if self.page.slots == 0 && self.page.memory_bytes() > 0 {
            press.idle = std::mem::take(&mut self.page);
        }
        Ok(())
    }

    /// Takes slots, and tells how many have a value.
    fn put_slots(&mut self, leaf: &LeafSlots, start: usize, end: usize) -> usize {
        let (page, slots) = (&mut self.page, end - start);
        let values = match &leaf.definition {
            None => {
                if self.column.max_def_level() > 0 {
                    page.definition.resize(page.definition.len() + slots, leaf.level);
                }
                slots
            }
            Some(definition) => {
                let levels = &definition[start..end];
                page.definition.extend_from_slice(levels);
                count_of(levels, leaf.level)
            }
        };
        page.rows += match &leaf.repetition {
            None => slots,
            Some(repetition) => {
                let levels = &repetition[start..end];
                page.repetition.extend_from_slice(levels);
                count_of(levels, 0)
            }
        };
        page.slots += slots;
        page.values += values;
        values
    }

    /// Takes the values of those slots, from one to another of those that the leaf has.
    fn put_values(&mut self, leaf: &LeafSlots, start: usize, end: usize) -> Result<()> {
        let rows = match &leaf.rows {
            Rows::All => Selected::Range(start..end),
            Rows::Listed(rows) => Selected::Listed(&rows[start..end]),
        };
        let array = &leaf.array;
        match array.data_type() {
            DataType::Int32 => self.put_numbers(array.as_primitive::<Int32Type>().values(), rows),
            DataType::Date32 => self.put_numbers(array.as_primitive::<Date32Type>().values(), rows),
            DataType::Int64 => self.put_numbers(array.as_primitive::<Int64Type>().values(), rows),
            DataType::Time64(TimeUnit::Microsecond) => {
                self.put_numbers(array.as_primitive::<Time64MicrosecondType>().values(), rows);
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                self.put_numbers(array.as_primitive::<TimestampMicrosecondType>().values(), rows);
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                self.put_numbers(array.as_primitive::<TimestampNanosecondType>().values(), rows);
            }
            DataType::Float32 => self.put_numbers(array.as_primitive::<Float32Type>().values(), rows),
            DataType::Float64 => self.put_numbers(array.as_primitive::<Float64Type>().values(), rows),
            DataType::Boolean => {
                let values = array.as_boolean().values();
                rows.each(|row| self.page.plain.push(u8::from(values.value(row))));
                let added = &self.page.plain[self.page.plain.len() - (end - start)..];
                if !added.is_empty() {
                    self.page.widen(Bounds::Boolean(!added.contains(&0), added.contains(&1)));
                }
            }
            DataType::Utf8 => {
                let texts = array.as_string::<i32>();
                self.put_texts(&Texts { offsets: texts.value_offsets(), bytes: texts.value_data() }, rows);
            }
            DataType::Binary => {
                let texts = array.as_binary::<i32>();
                self.put_texts(&Texts { offsets: texts.value_offsets(), bytes: texts.value_data() }, rows);
            }
            other => return Err(ParquetError::NYI(format!("columns of {other}"))),
        }
        Ok(())
    }

    fn put_numbers<T: Number>(&mut self, numbers: &[T], rows: Selected<'_>) {
        let page = &mut self.page;
        match rows {
            Selected::Range(range) => page.put_numbers(numbers[range].iter().copied(), &mut self.dictionary),
            Selected::Listed(rows) => {
                page.put_numbers(rows.iter().map(|row| numbers[*row as usize]), &mut self.dictionary);
            }
        }
    }

    fn put_texts(&mut self, texts: &Texts<'_>, rows: Selected<'_>) {
        let page = &mut self.page;
        match rows {
            Selected::Range(range) => page.put_texts(texts, range, &mut self.dictionary),
            Selected::Listed(rows) => {
                page.put_texts(texts, rows.iter().map(|row| *row as usize), &mut self.dictionary);
            }
        }
    }

    /// About how large the page is that was begun.
    fn page_bytes(&self) -> usize {
        let page = &self.page;
        match (&self.dictionary, self.column.physical_type()) {
            (Some(dictionary), _) => page.numbers.len() * bits(dictionary) as usize / 8,
            (None, Physical::BOOLEAN) => page.plain.len() / 8,
            (None, _) => page.plain.len(),
        }
    }

    fn finish_page(&mut self, press: &mut Press) -> Result<()> {
        if self.page.slots == 0 {
            return Ok(());
        }
        let page = std::mem::replace(&mut self.page, std::mem::take(&mut press.idle));
        if let (Some(trial), Some(dictionary)) = (&mut self.trial, &mut self.dictionary) {
            trial.add(page);
            dictionary.begin_page();
            return if trial.is_over(dictionary) { self.end_trial(press, false) } else { Ok(()) };
        }
        self.press_page(page, press)?;
        if let Some(dictionary) = &mut self.dictionary {
            dictionary.begin_page();
        }
        Ok(())
    }

    /// Keeps the dictionary or not, and makes the pages that waited for that.
    fn end_trial(&mut self, press: &mut Press, is_last: bool) -> Result<()> {
        let (Some(mut trial), Some(dictionary)) = (self.trial.take(), &self.dictionary) else {
            return Ok(());
        };
        let limits = (self.properties.page_bytes_max, is_last);
        if !trial.pays(dictionary, press, self.properties.compression, limits)? {
            for page in &mut trial.pages {
                dictionary.put_values(&page.numbers, &mut page.plain);
                page.numbers.clear();
            }
            self.dictionary = None;
        }
        trial.pages.into_iter().try_for_each(|page| self.press_page(page, press))
    }

    fn press_page(&mut self, mut page: Filling, press: &mut Press) -> Result<()> {
        press.plain.clear();
        if self.column.max_rep_level() > 0 {
            press.put_levels(&page.repetition, self.column.max_rep_level() as u8);
        }
        if self.column.max_def_level() > 0 {
            press.put_levels(&page.definition, self.column.max_def_level() as u8);
        }
        let encoding = match (&self.dictionary, self.column.physical_type()) {
            (Some(dictionary), _) => {
                let bits = bits(dictionary);
                press.plain.push(bits as u8);
                hybrid::pack(&page.numbers, bits, &mut press.plain);
                Encoding::RLE_DICTIONARY
            }
            (None, Physical::BOOLEAN) => {
                hybrid::put_bits(&page.plain, &mut press.plain);
                Encoding::PLAIN
            }
            (None, _) => {
                press.plain.extend_from_slice(&page.plain);
                Encoding::PLAIN
            }
        };
        let kind = Kind::Data { values: page.slots, encoding };
        let start = self.chunk.pages.len();
        let size = press.finish(&kind, self.properties.compression, &mut self.chunk.pages)?;
        self.chunk.places.push((start, size.stored));
        self.totals.plain_bytes += size.plain;
        self.describe_page(&page);
        self.totals.take(&mut page, encoding);
        page.clear();
        if press.idle.memory_bytes() == 0 {
            press.idle = page;
        }
        Ok(())
    }

    /// What the page indexes have of a page.
    fn describe_page(&mut self, page: &Filling) {
        let nulls = (page.slots - page.values) as i64;
        match &page.bounds {
            Some(bounds) => {
                let (least, greatest) = bounds.to_index(self.properties.cut_in_index);
                self.index.append(false, least, greatest, nulls);
            }
            None if page.values == 0 => self.index.append(true, Vec::new(), Vec::new(), nulls),
            // There are values, but none that can be compared.
            None => self.index.to_invalid(),
        }
        let histogram = |levels: &[u8], max: i16| {
            let mut histogram = LevelHistogram::try_new(max)?;
            for level in 0..=max {
                histogram.increment_by(level, count_of(levels, level as u8) as i64);
            }
            Some(histogram)
        };
        let definition = histogram(&page.definition, self.column.max_def_level());
        let repetition = histogram(&page.repetition, self.column.max_rep_level());
        self.index.append_histograms(&repetition, &definition);
        for (sum, more) in
            [(&mut self.totals.definition, &definition), (&mut self.totals.repetition, &repetition)]
        {
            if let (Some(sum), Some(more)) = (sum, more) {
                sum.add(more);
            }
        }
        self.offsets.append_row_count(page.rows as i64);
        let is_bytes = self.column.physical_type() == Physical::BYTE_ARRAY;
        self.offsets.append_unencoded_byte_array_data_bytes(is_bytes.then_some(page.text_bytes as i64));
    }

    fn finish_dictionary(&mut self, press: &mut Press) -> Result<()> {
        let Some(dictionary) = self.dictionary.take() else { return Ok(()) };
        press.plain.clear();
        dictionary.put_into(&mut press.plain);
        let kind = Kind::Dictionary { values: dictionary.len() };
        let size = press.finish(&kind, self.properties.compression, &mut self.chunk.dictionary)?;
        self.totals.plain_bytes += size.plain;
        Ok(())
    }

    /// All of the column, and what is told of it.
    pub(super) fn close(mut self, press: &mut Press) -> Result<(Chunk, ColumnCloseResult)> {
        self.finish_page(press)?;
        self.end_trial(press, true)?;
        self.finish_dictionary(press)?;
        let (totals, chunk) = (self.totals, self.chunk);
        let dictionary_bytes = chunk.dictionary.len();
        let order = match (totals.goes_up, totals.goes_down) {
            (true, _) => BoundaryOrder::ASCENDING,
            (false, true) => BoundaryOrder::DESCENDING,
            (false, false) => BoundaryOrder::UNORDERED,
        };
        self.index.set_boundary_order(order);
        for (start, bytes) in &chunk.places {
            self.offsets.append_offset_and_size((dictionary_bytes + start) as i64, *bytes as i32);
        }
        let physical = self.column.physical_type();
        let nulls = (totals.slots - totals.values) as u64;
        let statistics =
            bounds::statistics(physical, totals.bounds.as_ref(), nulls, self.properties.cut_in_statistics);
        let text_bytes = (physical == Physical::BYTE_ARRAY).then_some(totals.text_bytes as i64);
        let metadata = ColumnChunkMetaData::builder(self.column)
            .set_compression(self.properties.compression)
            .set_encodings(totals.encodings(dictionary_bytes > 0))
            .set_page_encoding_stats(totals.pages(dictionary_bytes > 0))
            .set_total_compressed_size(chunk.len() as i64)
            .set_total_uncompressed_size(totals.plain_bytes as i64)
            .set_num_values(totals.slots as i64)
            .set_data_page_offset(dictionary_bytes as i64)
            .set_dictionary_page_offset((dictionary_bytes > 0).then_some(0))
            .set_statistics(statistics)
            .set_unencoded_byte_array_data_bytes(text_bytes)
            .set_definition_level_histogram(totals.definition)
            .set_repetition_level_histogram(totals.repetition)
            .build()?;
        let closed = ColumnCloseResult {
            bytes_written: chunk.len() as u64,
            rows_written: totals.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: if self.index.valid() { Some(self.index.build()?) } else { None },
            offset_index: Some(self.offsets.build()),
        };
        Ok((chunk, closed))
    }

    /// About how large the column is so far.
    pub(super) fn encoded_bytes(&self) -> usize {
        // At least a bit for each slot, which mostly becomes much less.
        let levels = self.page.slots.div_ceil(8);
        let waiting = match (&self.trial, &self.dictionary) {
            (Some(trial), Some(dictionary)) => trial.numbers() * bits(dictionary) as usize / 8,
            _ => 0,
        };
        self.chunk.len()
            + levels
            + waiting
            + self.page_bytes()
            + self.dictionary.as_ref().map_or(0, Dictionary::size_bytes)
    }

    /// What is held in memory.
    pub(super) fn memory_bytes(&self) -> usize {
        self.chunk.memory_bytes()
            + self.page.memory_bytes()
            + self.trial.as_ref().map_or(0, Trial::memory_bytes)
            + self.dictionary.as_ref().map_or(0, Dictionary::memory_bytes)
    }
}

/// How many of the levels are this one; counted in bytes, of which a processor adds many at once.
fn count_of(levels: &[u8], level: u8) -> usize {
    let parts = levels.chunks(u8::MAX.into());
    parts.map(|part| usize::from(part.iter().map(|l| u8::from(*l == level)).sum::<u8>())).sum()
}

/// How many bits a number of a dictionary takes.
fn bits(dictionary: &Dictionary) -> u32 {
    hybrid::bits_of(dictionary.len().saturating_sub(1) as u32)
}
