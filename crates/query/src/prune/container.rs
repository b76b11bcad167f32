//! Manifests and files as containers of rows, and what is known of a column in one.

use datafusion::common::ScalarValue;
use iceberg::spec::{
    DataFile, Datum, Literal, ManifestFile, PartitionSpec, PrimitiveLiteral, Transform, Type,
};

use super::bounds;
use super::predicate::{Leaf, Wanted};
use crate::values;

/// What is known of a column in a container.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    /// No value is less.
    pub min: Option<ScalarValue>,
    /// No value is greater.
    pub max: Option<ScalarValue>,
    /// How many rows have NULL.
    pub nulls: Option<u64>,
}

/// Rows of which something is known without reading them.
pub(crate) trait Container {
    /// How many rows there are.
    fn rows(&self) -> Option<u64>;
    /// What is known of a column.
    fn known(&self, leaf: &Leaf) -> Known;
    /// Whether no row has one of these values in the column.
    fn lacks(&self, leaf: &Leaf, wanted: &Wanted<'_>) -> bool;
}

/// A data file.
pub(crate) struct FileContainer<'a> {
    /// The file.
    pub file: &'a DataFile,
    /// The spec that its partition values are of.
    pub spec: &'a PartitionSpec,
}

impl FileContainer<'_> {
    /// Bounds and counts as the file's metrics have them, and constants of identity partitions; without what
    /// follows from other transforms, which is true but wider than the file's values.
    pub fn measured(&self, leaf: &Leaf) -> Known {
        self.constant(leaf).unwrap_or_else(|| self.metrics(leaf))
    }

    /// What is known of a column that has but one value in the file, because the table is partitioned by it.
    pub fn constant(&self, leaf: &Leaf) -> Option<Known> {
        let (_, value) =
            self.partition_values(leaf).find(|(transform, _)| *transform == Transform::Identity)?;
        let Some(value) = value else { return leaf.is_top.then(|| self.all_null()) };
        let value = values::literal(value, &leaf.arrow)?;
        Some(Known { min: Some(value.clone()), max: Some(value), nulls: leaf.is_top.then_some(0) })
    }

    fn metrics(&self, leaf: &Leaf) -> Known {
        let nulls = leaf.is_top.then(|| self.file.null_value_counts().get(&leaf.id).copied()).flatten();
        let no_nan = self.file.nan_value_counts().get(&leaf.id) == Some(&0);
        if !values::has_sound_bounds(&leaf.primitive) || (values::is_float(&leaf.primitive) && !no_nan) {
            return Known { nulls, ..Known::default() };
        }
        let bound =
            |datum: Option<&Datum>| datum.and_then(|datum| values::scalar(datum.literal(), &leaf.arrow));
        Known {
            min: bound(self.file.lower_bounds().get(&leaf.id)),
            max: bound(self.file.upper_bounds().get(&leaf.id)),
            nulls,
        }
    }

    fn all_null(&self) -> Known {
        Known { nulls: Some(self.file.record_count()), ..Known::default() }
    }

    fn partition_values(&self, leaf: &Leaf) -> impl Iterator<Item = (Transform, Option<&Literal>)> {
        let fields = self.spec.fields().iter().zip(self.file.partition().iter());
        fields
            .filter(|(field, _)| field.source_id == leaf.id && field.transform != Transform::Void)
            .map(|(field, value)| (field.transform, value))
    }
}

impl Container for FileContainer<'_> {
    fn rows(&self) -> Option<u64> {
        Some(self.file.record_count())
    }

    fn known(&self, leaf: &Leaf) -> Known {
        let mut known = self.measured(leaf);
        for (transform, value) in self.partition_values(leaf) {
            match value {
                // Each transform makes NULL of NULL and of nothing else.
                None if leaf.is_top => return self.all_null(),
                Some(Literal::Primitive(value)) => {
                    let (min, max) = bounds::of_partition(
                        transform,
                        Some(value),
                        Some(value),
                        &leaf.primitive,
                        &leaf.arrow,
                    );
                    known.min = known.min.or(min);
                    known.max = known.max.or(max);
                }
                _ => {}
            }
        }
        known
    }

    fn lacks(&self, leaf: &Leaf, wanted: &Wanted<'_>) -> bool {
        self.partition_values(leaf).any(|(transform, value)| match (transform, value) {
            (Transform::Bucket(_), Some(Literal::Primitive(PrimitiveLiteral::Int(bucket)))) => {
                wanted.all_outside(transform, *bucket)
            }
            _ => false,
        })
    }
}

/// A manifest, known by the partition summaries that the manifest list has of it.
pub(crate) struct ManifestContainer<'a> {
    /// The manifest.
    pub manifest: &'a ManifestFile,
    /// The spec that its partition values are of.
    pub spec: &'a PartitionSpec,
}

impl Container for ManifestContainer<'_> {
    fn rows(&self) -> Option<u64> {
        Some(self.manifest.added_rows_count?.saturating_add(self.manifest.existing_rows_count?))
    }

    fn known(&self, leaf: &Leaf) -> Known {
        let mut known = Known::default();
        let summaries = self.manifest.partitions.iter().flatten();
        for (field, summary) in self.spec.fields().iter().zip(summaries) {
            if field.source_id != leaf.id || field.transform == Transform::Void {
                continue;
            }
            if leaf.is_top && !summary.contains_null {
                known.nulls = Some(0);
            }
            let has_nan = values::is_float(&leaf.primitive) && summary.contains_nan != Some(false);
            let has_values = has_nan || summary.lower_bound.is_some() || summary.upper_bound.is_some();
            if leaf.is_top && summary.contains_null && !has_values {
                return Known { nulls: self.rows(), ..Known::default() };
            }
            if field.transform == Transform::Identity && has_nan {
                continue;
            }
            let value = |bytes: Option<&Vec<u8>>| {
                let Ok(Type::Primitive(result)) =
                    field.transform.result_type(&Type::Primitive(leaf.primitive.clone()))
                else {
                    return None;
                };
                let datum = Datum::try_from_bytes(bytes?, result).ok()?;
                Some(datum.literal().clone())
            };
            let (first, last) =
                (value(summary.lower_bound.as_deref()), value(summary.upper_bound.as_deref()));
            let (min, max) = bounds::of_partition(
                field.transform,
                first.as_ref(),
                last.as_ref(),
                &leaf.primitive,
                &leaf.arrow,
            );
            known.min = known.min.or(min);
            known.max = known.max.or(max);
        }
        known
    }

    fn lacks(&self, _: &Leaf, _: &Wanted<'_>) -> bool {
        false
    }
}
