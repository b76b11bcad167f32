//! Where a file's bytes go while it is encoded: to the store as they come, or first to a temporary file, because the
//! parts of many uploads at a time would not fit into memory.

use std::fs::File;
use std::io::{Read, Seek, Write};

use bytes::Bytes;
use hosu_host::{Location, PART_BYTES, Scratch, Store, Upload};

use crate::error::{self, DataFileError};

/// The bytes of one file on their way.
pub(crate) enum Sink {
    /// Sent to the store as they come.
    Direct(Upload),
    /// Kept until the file is complete.
    Spooled {
        store: Store,
        location: Location,
        scratch: Scratch,
        table: Location,
        /// What was written before the last bytes; none for a file that is small.
        file: Option<File>,
    },
}

impl Sink {
    /// Takes bytes in the middle of the file.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), DataFileError> {
        if bytes.is_empty() {
            return Ok(());
        }
        match self {
            Self::Direct(upload) => Ok(upload.write(bytes).await?),
            Self::Spooled { scratch, table, file, .. } => {
                let (scratch, held) = (scratch.clone(), file.take());
                let append = move || {
                    let mut held = match held {
                        Some(file) => file,
                        None => scratch.file()?,
                    };
                    held.write_all(&bytes).map(|()| held)
                };
                let appended = tokio::task::spawn_blocking(append).await.map_err(error::given_up(table))?;
                *file = Some(appended.map_err(error::scratch(table))?);
                Ok(())
            }
        }
    }

    /// Takes the last bytes and makes the object exist. Returns its length.
    pub(crate) async fn finish(self, last: Bytes) -> Result<u64, DataFileError> {
        match self {
            Self::Direct(mut upload) => match upload.write(last).await {
                Ok(()) => Ok(upload.finish().await?),
                Err(error) => {
                    // The first error tells more than that of the cleaning up.
                    let _ = upload.abort().await;
                    Err(error.into())
                }
            },
            Self::Spooled { store, location, table, file, .. } => {
                let mut upload = store.upload(&location);
                match send(&mut upload, file, last, &table).await {
                    Ok(()) => Ok(upload.finish().await?),
                    Err(error) => {
                        let _ = upload.abort().await;
                        Err(error)
                    }
                }
            }
        }
    }

    /// Gives the file up.
    pub(crate) async fn abort(self) {
        if let Self::Direct(upload) = self {
            let _ = upload.abort().await;
        }
    }
}

async fn send(
    upload: &mut Upload,
    file: Option<File>,
    last: Bytes,
    table: &Location,
) -> Result<(), DataFileError> {
    if let Some(mut file) = file {
        file.rewind().map_err(error::scratch(table))?;
        loop {
            let read = move || {
                let mut bytes = Vec::with_capacity(PART_BYTES.min(left(&file)?));
                let read = (&file).take(PART_BYTES as u64).read_to_end(&mut bytes);
                read.map(|_| (file, bytes))
            };
            let read = tokio::task::spawn_blocking(read).await.map_err(error::given_up(table))?;
            let (again, bytes) = read.map_err(error::scratch(table))?;
            if bytes.is_empty() {
                break;
            }
            upload.write(bytes.into()).await?;
            file = again;
        }
    }
    Ok(upload.write(last).await?)
}

/// How many bytes of a file are still to be read.
fn left(mut file: &File) -> std::io::Result<usize> {
    let left = file.metadata()?.len().saturating_sub(file.stream_position()?);
    Ok(usize::try_from(left).unwrap_or(usize::MAX))
}
