//! Every object name under a table's location, both ways: made here, recognised here, nowhere else.
//!
//! A name must be one that every store and engine takes as it is. Values of partitions are anything that
//! people send, so they are percent-encoded to letters, digits, `_`, `-` and `.`, and cut: local file systems
//! allow 255 bytes between two slashes, S3 1,024 in all. A cut or colliding folder harms nothing, because the
//! folder is for people; what a file holds is written in its manifest, and its own name has a UUID.

use iceberg::spec::{PartitionSpec, PrimitiveLiteral, PrimitiveType, Schema, Struct, Transform, Type};
use uuid::Uuid;

use crate::name::TableName;

/// The folder of data files under a table's location.
pub const DATA_FOLDER: &str = "data";
/// The folder of metadata, manifest lists and manifests under a table's location.
pub const METADATA_FOLDER: &str = "metadata";

/// The longest name of one folder that is made here, in bytes.
pub const SEGMENT_BYTES_MAX: usize = 200;

/// All folders of one partition together, in bytes.
const PARTITION_BYTES_MAX: usize = 500;

/// Marks a value that was cut; encoded text has no such character.
const CUT: char = '~';

/// A file of a table, by what its name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectName {
    /// `data/<partition folders>/<number>-<uuid>.parquet`
    Data {
        /// The folders of the partition as [`partition_folders`] makes them; empty for a table without partitions.
        partition: Vec<String>,
        /// The id of the operation that wrote the file.
        uuid: Uuid,
        /// The file's number among those of its operation, from 0.
        number: u32,
    },
    /// `metadata/<uuid>-m<number>.avro`
    Manifest {
        /// The id of the commit that wrote it.
        uuid: Uuid,
        /// Its number among those of its commit, from 0.
        number: u32,
    },
    /// `metadata/snap-<snapshot id>-<attempt>-<uuid>.avro`
    ManifestList {
        /// The snapshot that it lists the manifests of.
        snapshot_id: i64,
        /// Which attempt of the commit wrote it, from 1.
        attempt: u32,
        /// The id of the commit.
        uuid: Uuid,
    },
    /// `metadata/<version>-<uuid>.metadata.json`, or `.gz.metadata.json`
    Metadata {
        /// How many metadata files the table had before.
        version: u32,
        /// The file's own id.
        uuid: Uuid,
        /// Whether its content is gzip.
        gzip: bool,
    },
}

impl ObjectName {
    /// The name relative to the table's location.
    pub fn to_relative(&self) -> String {
        match self {
            Self::Data { partition, uuid, number } => {
                let mut path = String::from(DATA_FOLDER);
                for folder in partition {
                    path.push('/');
                    path.push_str(folder);
                }
                format!("{path}/{number:05}-{uuid}.parquet")
            }
            Self::Manifest { uuid, number } => format!("{METADATA_FOLDER}/{uuid}-m{number}.avro"),
            Self::ManifestList { snapshot_id, attempt, uuid } => {
                format!("{METADATA_FOLDER}/snap-{snapshot_id}-{attempt}-{uuid}.avro")
            }
            Self::Metadata { version, uuid, gzip } => {
                let gzip = if *gzip { ".gz" } else { "" };
                format!("{METADATA_FOLDER}/{version:05}-{uuid}{gzip}.metadata.json")
            }
        }
    }

    /// The whole name under a table's location.
    pub fn under(&self, table_location: &str) -> String {
        under(table_location, &self.to_relative())
    }

    /// Recognises a name relative to the table's location; `None` for what is not ours, other engines' files too.
    pub fn parse(relative: &str) -> Option<Self> {
        let (folder, rest) = relative.split_once('/')?;
        match folder {
            DATA_FOLDER => parse_data(rest),
            METADATA_FOLDER => {
                parse_metadata(rest).or_else(|| parse_manifest_list(rest)).or_else(|| parse_manifest(rest))
            }
            _ => None,
        }
    }
}

/// A name below a location, with one slash between.
pub fn under(location: &str, relative: &str) -> String {
    format!("{}/{}", location.trim_end_matches('/'), relative.trim_start_matches('/'))
}

/// Where a new table lives: `<warehouse>/<database>/<table>-<uuid>`.
///
/// The UUID keeps apart what has or had the same name: a table dropped (its files stay), or renamed, while
/// another takes its name. Two tables in one folder would take each other's files for rubbish.
pub fn table_location(warehouse: &str, name: &TableName, uuid: Uuid) -> String {
    let database = encode(&name.database, SEGMENT_BYTES_MAX);
    let table = encode(&name.table, SEGMENT_BYTES_MAX);
    under(warehouse, &format!("{}/{table}-{}", no_dots(database), uuid.simple()))
}

/// The version of the metadata file that follows this one, whoever wrote it: the number that its name starts
/// with, plus one; 0 when there is none.
pub fn next_metadata_version(metadata_location: &str) -> u32 {
    let name = metadata_location.rsplit('/').next().unwrap_or_default();
    let digits = name.split_once('-').map_or("", |(version, _)| version);
    digits.parse::<u32>().map_or(0, |version| version.saturating_add(1))
}

/// The folders of a partition, one a field: `event_time_day=2026-01-31`, `country=KR`, `city=null`.
///
/// A field whose column is gone from the schema is written by its stored value; a field without a value is NULL.
pub fn partition_folders(spec: &PartitionSpec, schema: &Schema, values: &Struct) -> Vec<String> {
    let fields = spec.fields();
    let bytes_max = (PARTITION_BYTES_MAX / fields.len().max(1)).clamp(24, SEGMENT_BYTES_MAX);
    let values = values.iter().chain(std::iter::repeat(None));
    let folders = fields.iter().zip(values).map(|(field, value)| {
        let source = schema.field_by_id(field.source_id).map(|source| source.field_type.as_ref());
        let literal = value.and_then(|value| value.as_primitive_literal());
        let text = literal.map(|literal| value_text(field.transform, source, &literal));
        partition_folder(&field.name, text.as_deref(), bytes_max)
    });
    folders.collect()
}

/// One folder of a partition, of at most `bytes_max` bytes: `<field>=<value>`, NULL as `null`.
pub fn partition_folder(field: &str, value: Option<&str>, bytes_max: usize) -> String {
    let field = encode(field, bytes_max / 2);
    let value = match value {
        None => "null".to_owned(),
        // The text is told apart from NULL, and reads back as itself.
        Some("null") => "%6Eull".to_owned(),
        Some(value) => encode(value, bytes_max.saturating_sub(field.len() + 1)),
    };
    format!("{field}={value}")
}

/// What a folder of a partition says: the field and its value, `None` for NULL. `None` in all for a folder
/// that says no such thing, or only the beginning of it.
pub fn parse_partition_folder(folder: &str) -> Option<(String, Option<String>)> {
    let (field, value) = folder.split_once('=')?;
    let value = if value == "null" { None } else { Some(decode(value)?) };
    Some((decode(field)?, value))
}

/// The value of a partition as Iceberg's engines show it: `2026`, `2026-01`, `2026-01-31`, `2026-01-31-09`.
fn value_text(transform: Transform, source: Option<&Type>, value: &PrimitiveLiteral) -> String {
    let source = source.and_then(Type::as_primitive_type);
    match (transform, value, source) {
        (Transform::Year, PrimitiveLiteral::Int(years), _) => (1970 + i64::from(*years)).to_string(),
        (Transform::Month, PrimitiveLiteral::Int(months), _) => {
            let months = i64::from(*months);
            format!("{:04}-{:02}", 1970 + months.div_euclid(12), months.rem_euclid(12) + 1)
        }
        (Transform::Day, PrimitiveLiteral::Int(days), _) => date_text(i64::from(*days)),
        (Transform::Hour, PrimitiveLiteral::Int(hours), _) => {
            let hours = i64::from(*hours);
            format!("{}-{:02}", date_text(hours.div_euclid(24)), hours.rem_euclid(24))
        }
        (_, PrimitiveLiteral::Int(days), Some(PrimitiveType::Date)) if transform == Transform::Identity => {
            date_text(i64::from(*days))
        }
        (_, PrimitiveLiteral::Long(micros), Some(PrimitiveType::Timestamp | PrimitiveType::Timestamptz)) => {
            match chrono::DateTime::from_timestamp_micros(*micros) {
                Some(instant) => instant.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
                None => micros.to_string(),
            }
        }
        (_, PrimitiveLiteral::Int128(digits), Some(PrimitiveType::Decimal { scale, .. })) => {
            decimal_text(*digits, *scale)
        }
        (_, PrimitiveLiteral::UInt128(bits), _) => Uuid::from_u128(*bits).to_string(),
        (_, literal, _) => literal_text(literal),
    }
}

fn literal_text(value: &PrimitiveLiteral) -> String {
    match value {
        PrimitiveLiteral::Boolean(value) => value.to_string(),
        PrimitiveLiteral::Int(value) => value.to_string(),
        PrimitiveLiteral::Long(value) => value.to_string(),
        PrimitiveLiteral::Float(value) => value.to_string(),
        PrimitiveLiteral::Double(value) => value.to_string(),
        PrimitiveLiteral::String(value) => value.clone(),
        PrimitiveLiteral::Binary(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        PrimitiveLiteral::Int128(value) => value.to_string(),
        PrimitiveLiteral::UInt128(value) => value.to_string(),
        PrimitiveLiteral::AboveMax => "above-max".to_owned(),
        PrimitiveLiteral::BelowMin => "below-min".to_owned(),
    }
}

fn date_text(days: i64) -> String {
    let seconds = days.checked_mul(86_400);
    match seconds.and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0)) {
        Some(instant) => instant.format("%Y-%m-%d").to_string(),
        None => days.to_string(),
    }
}

fn decimal_text(digits: i128, scale: u32) -> String {
    let scale = usize::try_from(scale).unwrap_or(0);
    let sign = if digits < 0 { "-" } else { "" };
    let text = format!("{:0>width$}", digits.unsigned_abs(), width = scale + 1);
    match text.split_at(text.len() - scale) {
        (whole, "") => format!("{sign}{whole}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction}"),
    }
}

/// Percent-encodes all but ASCII letters, digits, `_`, `-` and `.`, and cuts between two characters at
/// `bytes_max`, leaving [`CUT`] as a sign.
fn encode(text: &str, bytes_max: usize) -> String {
    let mut encoded = String::with_capacity(text.len());
    for character in text.chars() {
        let start = encoded.len();
        if character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.') {
            encoded.push(character);
        } else {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        if encoded.len() > bytes_max {
            encoded.truncate(start);
            while encoded.len() + CUT.len_utf8() > bytes_max && !encoded.is_empty() {
                drop_last(&mut encoded);
            }
            encoded.push(CUT);
            break;
        }
    }
    encoded
}

/// Drops one encoded character: one of the allowed, or the `%` groups of one of the others.
fn drop_last(encoded: &mut String) {
    let decoded = decode(encoded).unwrap_or_default();
    let kept = decoded.char_indices().next_back().map_or("", |(at, _)| decoded.get(..at).unwrap_or_default());
    *encoded = encode(kept, usize::MAX);
}

/// The inverse of [`encode`] for what was not cut.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
            }
            b'~' => return None,
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok()
}

/// A folder named `.` or `..` would be a way out of the warehouse.
fn no_dots(segment: String) -> String {
    if segment.chars().all(|c| c == '.') { segment.replace('.', "%2E") } else { segment }
}

fn parse_data(rest: &str) -> Option<ObjectName> {
    let (folders, file) = rest.rsplit_once('/').map_or((None, rest), |(folders, file)| (Some(folders), file));
    let partition: Vec<String> =
        folders.map(|folders| folders.split('/').map(str::to_owned).collect()).unwrap_or_default();
    if partition.iter().any(|folder| !folder.contains('=')) {
        return None;
    }
    let (number, uuid) = file.strip_suffix(".parquet")?.split_once('-')?;
    Some(ObjectName::Data { partition, uuid: parse_uuid(uuid)?, number: parse_number(number, 5)? })
}

fn parse_manifest(file: &str) -> Option<ObjectName> {
    let (uuid, number) = file.strip_suffix(".avro")?.split_once("-m")?;
    Some(ObjectName::Manifest { uuid: parse_uuid(uuid)?, number: parse_number(number, 1)? })
}

fn parse_manifest_list(file: &str) -> Option<ObjectName> {
    let rest = file.strip_prefix("snap-")?.strip_suffix(".avro")?;
    let (snapshot, rest) = rest.split_once('-')?;
    let (attempt, uuid) = rest.split_once('-')?;
    let snapshot_id = snapshot.parse().ok().filter(|id: &i64| id.to_string() == snapshot)?;
    Some(ObjectName::ManifestList {
        snapshot_id,
        attempt: parse_number(attempt, 1)?,
        uuid: parse_uuid(uuid)?,
    })
}

fn parse_metadata(file: &str) -> Option<ObjectName> {
    let stem = file.strip_suffix(".metadata.json")?;
    let (stem, gzip) = stem.strip_suffix(".gz").map_or((stem, false), |stem| (stem, true));
    let (version, uuid) = stem.split_once('-')?;
    Some(ObjectName::Metadata { version: parse_number(version, 5)?, uuid: parse_uuid(uuid)?, gzip })
}

/// A number as it is written here: in no other spelling, so that one object has one name.
fn parse_number(text: &str, width: usize) -> Option<u32> {
    text.parse().ok().filter(|number: &u32| format!("{number:0width$}") == text)
}

fn parse_uuid(text: &str) -> Option<Uuid> {
    text.parse().ok().filter(|uuid: &Uuid| uuid.to_string() == text)
}

#[cfg(test)]
mod tests;
