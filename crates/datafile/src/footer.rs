//! What the end of a Parquet file tells, and whether a data file is what a manifest says it is.

use hosu_host::{Host, Location, LocationError, StoreError};
use iceberg::spec::{DataFile, DataFileFormat};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaDataReader;

use crate::error::{self, DataFileError};

/// Read first: most footers are shorter, so that one request is enough.
const TAIL_BYTES: u64 = 64 << 10;

/// Why a data file is not what its manifest says.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// Its path leads nowhere.
    #[error(transparent)]
    Path(#[from] LocationError),
    /// It is not there.
    #[error("the file does not exist")]
    Missing,
    /// It is shorter or longer.
    #[error("{found} bytes, the manifest says {expected}")]
    Size {
        /// Its size.
        found: u64,
        /// What the manifest says.
        expected: u64,
    },
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] DataFileError),
}

impl FileFault {
    /// Its kind, in snake case.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Path(_) => "location",
            Self::Missing => "file_missing",
            Self::Size { .. } => "file_size",
            Self::Unreadable(_) => "file_unreadable",
        }
    }
}

/// The rows that a data file has, read from itself; none when it is no Parquet file, of which only the size is compared.
///
/// # Errors
/// [`FileFault`] when it is not there or not what its manifest says.
pub async fn rows_in(host: &Host, file: &DataFile) -> Result<Option<u64>, FileFault> {
    let location = Location::parse(file.file_path())?;
    let info = match host.store.head(&location).await {
        Ok(info) => info,
        Err(StoreError::NotFound { .. }) => return Err(FileFault::Missing),
        Err(error) => return Err(FileFault::Unreadable(error.into())),
    };
    let expected = file.file_size_in_bytes();
    if info.size_bytes != expected {
        return Err(FileFault::Size { found: info.size_bytes, expected });
    }
    if file.file_format() != DataFileFormat::Parquet {
        return Ok(None);
    }
    Ok(Some(row_count(host, &location, info.size_bytes).await?))
}

/// The number of rows of a data file of `size_bytes`: what its row groups have, by its footer.
pub async fn row_count(host: &Host, location: &Location, size_bytes: u64) -> Result<u64, DataFileError> {
    let mut tail_bytes = TAIL_BYTES.min(size_bytes);
    loop {
        let tail = host.store.get_range(location, size_bytes - tail_bytes..size_bytes).await?;
        let mut reader = ParquetMetaDataReader::new();
        match reader.try_parse_sized(&tail, size_bytes) {
            Ok(()) => {
                let metadata = reader.finish().map_err(error::parquet(location))?;
                return Ok(metadata.row_groups().iter().map(|group| group.num_rows().unsigned_abs()).sum());
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
