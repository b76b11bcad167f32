//! The window functions that are computed from a row's place in its group.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::ScalarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_expr::window::{StandardWindowExpr, WindowExpr};
use datafusion::physical_plan::windows::WindowUDFExpr;

/// A larger offset is left to DataFusion.
const OFFSET_MAX: i64 = 1 << 30;

/// A function, and what it needs to know.
#[derive(Clone, Debug)]
pub(super) enum Function {
    RowNumber,
    Rank,
    DenseRank,
    /// The value of another row of the group, `back` rows before this one, or else the default.
    Shift {
        value: Arc<dyn PhysicalExpr>,
        back: i64,
        default: ScalarValue,
    },
}

impl Function {
    /// The function of a window expression, if it is one of these.
    pub fn of(window: &Arc<dyn WindowExpr>, schema: &Schema) -> Option<Self> {
        let standard = window.as_any().downcast_ref::<StandardWindowExpr>()?;
        let call = standard.get_standard_func_expr().as_any().downcast_ref::<WindowUDFExpr>()?;
        // No method tells; what is written differently one day is DataFusion's again.
        if !format!("{call:?}").ends_with("is_reversed: false, ignore_nulls: false }") {
            return None;
        }
        match call.fun().name() {
            "row_number" => Some(Self::RowNumber),
            "rank" => Some(Self::Rank),
            "dense_rank" => Some(Self::DenseRank),
            name @ ("lag" | "lead") => Self::shift(call.args(), name == "lag", schema),
            _ => None,
        }
    }

    fn shift(args: &[Arc<dyn PhysicalExpr>], back: bool, schema: &Schema) -> Option<Self> {
        let value = args.first()?.clone();
        let value_type = value.data_type(schema).ok()?;
        if value_type.is_null() {
            return None;
        }
        let offset = match args.get(1).map(literal) {
            None => 1,
            Some(Some(ScalarValue::Int64(Some(offset)))) if (1..=OFFSET_MAX).contains(offset) => *offset,
            Some(_) => return None,
        };
        let default = match args.get(2).map(literal) {
            None => ScalarValue::try_new_null(&value_type).ok()?,
            Some(default) => default?.cast_to(&value_type).ok()?,
        };
        Some(Self::Shift { value, back: if back { offset } else { -offset }, default })
    }
}

fn literal(expr: &Arc<dyn PhysicalExpr>) -> Option<&ScalarValue> {
    Some(expr.downcast_ref::<Literal>()?.value())
}
