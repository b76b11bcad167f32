//! DataFusion's functions of times, made fast for UTC.
//!
//! They look up the zone's offset for each value, by way of calendar dates. UTC has none: without the zone the same
//! numbers give the same answer by arithmetic.

mod intervals;

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, make_array};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};

pub(crate) use intervals::PlainIntervals;

/// The functions that are slow with a zone.
const SLOW: [&str; 2] = ["date_trunc", "date_part"];

/// Puts [`InUtc`] around the slow functions. EXTRACT makes its function without asking for the name, so that another
/// one under that name would not do.
#[derive(Debug)]
pub(crate) struct WithoutZone;

impl FunctionRewrite for WithoutZone {
    fn name(&self) -> &str {
        "without_zone"
    }

    fn rewrite(&self, expr: Expr, _: &DFSchema, _: &ConfigOptions) -> Result<Transformed<Expr>> {
        match expr {
            Expr::ScalarFunction(mut call)
                if SLOW.contains(&call.func.name()) && !call.func.inner().is::<InUtc>() =>
            {
                call.func = Arc::new(ScalarUDF::new_from_impl(InUtc { function: call.func }));
                Ok(Transformed::yes(Expr::ScalarFunction(call)))
            }
            other => Ok(Transformed::no(other)),
        }
    }
}

/// A function that is asked without the zone where the zone is UTC.
#[derive(Debug, PartialEq, Eq, Hash)]
struct InUtc {
    function: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for InUtc {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.function.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.function.return_field_from_args(args)
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let wanted = args.return_field.clone();
        let mut changed = false;
        for (value, field) in args.args.iter_mut().zip(&mut args.arg_fields) {
            let ColumnarValue::Array(array) = value else { continue };
            let Some(without) = without_utc(array.data_type()) else { continue };
            *array = as_type(array, &without)?;
            *field = with_type(field, without);
            changed = true;
        }
        if !changed {
            return self.function.invoke_with_args(args);
        }
        if let Some(without) = without_utc(wanted.data_type()) {
            args.return_field = with_type(&wanted, without);
        }
        match self.function.invoke_with_args(args)? {
            ColumnarValue::Array(array) if array.data_type() != wanted.data_type() => {
                Ok(ColumnarValue::Array(as_type(&array, wanted.data_type())?))
            }
            answer => Ok(answer),
        }
    }

    fn preimage(&self, args: &[Expr], literal: &Expr, info: &SimplifyContext) -> Result<PreimageResult> {
        self.function.inner().preimage(args, literal, info)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.function.output_ordering(inputs)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }
}

fn without_utc(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Timestamp(unit, Some(zone)) if matches!(zone.as_ref(), "UTC" | "+00:00") => {
            Some(DataType::Timestamp(*unit, None))
        }
        _ => None,
    }
}

/// The same numbers as values of another type of the same width. A cast would convert each.
fn as_type(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    Ok(make_array(array.to_data().into_builder().data_type(data_type.clone()).build()?))
}

fn with_type(field: &FieldRef, data_type: DataType) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

#[cfg(test)]
mod tests;
