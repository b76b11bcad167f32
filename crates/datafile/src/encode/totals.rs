//! What is known of a column's pages so far, for the file's footer.

use parquet::basic::{Encoding, PageType};
use parquet::file::metadata::{LevelHistogram, PageEncodingStats};
use parquet::schema::types::ColumnDescriptor;

use super::bounds::Bounds;
use super::page::Filling;

/// What is known of the pages so far.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) slots: usize,
    pub(super) rows: usize,
    pub(super) values: usize,
    pub(super) text_bytes: usize,
    pub(super) plain_bytes: usize,
    pub(super) bounds: Option<Bounds>,
    pub(super) definition: Option<LevelHistogram>,
    pub(super) repetition: Option<LevelHistogram>,
    pub(super) dictionary_pages: i32,
    pub(super) plain_pages: i32,
    /// The bounds of the last page that has values, and whether pages have gone up and down so far.
    pub(super) last: Option<Bounds>,
    pub(super) goes_down: bool,
    pub(super) goes_up: bool,
}

impl Totals {
    pub(super) fn of(column: &ColumnDescriptor) -> Self {
        Self {
            definition: LevelHistogram::try_new(column.max_def_level()),
            repetition: LevelHistogram::try_new(column.max_rep_level()),
            goes_down: true,
            goes_up: true,
            ..Self::default()
        }
    }

    /// Adds a page that was finished.
    pub(super) fn take(&mut self, page: &mut Filling, encoding: Encoding) {
        self.slots += page.slots;
        self.rows += page.rows;
        self.values += page.values;
        self.text_bytes += page.text_bytes;
        match encoding {
            Encoding::RLE_DICTIONARY => self.dictionary_pages += 1,
            _ => self.plain_pages += 1,
        }
        let Some(bounds) = page.bounds.take() else { return };
        if let Some(last) = &self.last {
            self.goes_up &= bounds.is_behind(last);
            self.goes_down &= last.is_behind(&bounds);
        }
        match &mut self.bounds {
            Some(sum) => sum.merge(bounds.clone()),
            none => *none = Some(bounds.clone()),
        }
        self.last = Some(bounds);
    }

    pub(super) fn encodings(&self, has_dictionary: bool) -> Vec<Encoding> {
        let mut encodings = vec![Encoding::RLE];
        if has_dictionary || self.plain_pages > 0 {
            encodings.push(Encoding::PLAIN);
        }
        if self.dictionary_pages > 0 {
            encodings.push(Encoding::RLE_DICTIONARY);
        }
        encodings
    }

    pub(super) fn pages(&self, has_dictionary: bool) -> Vec<PageEncodingStats> {
        let of = |page_type, encoding, count| PageEncodingStats { page_type, encoding, count };
        let dictionary = has_dictionary.then(|| of(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1));
        let pages = [(Encoding::RLE_DICTIONARY, self.dictionary_pages), (Encoding::PLAIN, self.plain_pages)];
        let pages = pages.into_iter().filter(|(_, count)| *count > 0);
        dictionary
            .into_iter()
            .chain(pages.map(|(encoding, count)| of(PageType::DATA_PAGE, encoding, count)))
            .collect()
    }
}
