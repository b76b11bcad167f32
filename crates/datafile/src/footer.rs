//! What the end of a Parquet file tells.

use hosu_host::{Host, Location};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaDataReader;

use crate::error::{self, DataFileError};

/// Read first: most footers are shorter, so that one request is enough.
const TAIL_BYTES: u64 = 64 << 10;

/// The number of rows of a data file of `size_bytes`, from its footer.
pub async fn row_count(host: &Host, location: &Location, size_bytes: u64) -> Result<u64, DataFileError> {
    let mut tail_bytes = TAIL_BYTES.min(size_bytes);
    loop {
        let tail = host.store.get_range(location, size_bytes - tail_bytes..size_bytes).await?;
        let mut reader = ParquetMetaDataReader::new();
        match reader.try_parse_sized(&tail, size_bytes) {
            Ok(()) => {
                let metadata = reader.finish().map_err(error::parquet(location))?;
                return Ok(metadata.file_metadata().num_rows().unsigned_abs());
            }
            Err(ParquetError::NeedMoreData(needed))
                if needed as u64 > tail_bytes && needed as u64 <= size_bytes =>
            {
                tail_bytes = needed as u64;
            }
            Err(source) => return Err(error::parquet(location)(source)),
        }
    }
}
