//! The function that gives several percentiles of its values at once, in a struct.

use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Float64Builder, LargeListArray, StructArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::physical_expr::expressions::Literal;

/// DataFusion takes so many steps between two values, and so do we.
const STEPS: f64 = 1_000_000.0;

/// The name of the answer to the percentile at this place.
pub(super) fn field_name(place: usize) -> String {
    format!("p{place}")
}

/// `percentiles(value, percentile, …)`: what `percentile_cont` says of each percentile, in a struct.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Percentiles {
    signature: Signature,
}

impl Default for Percentiles {
    fn default() -> Self {
        Self { signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for Percentiles {
    fn name(&self) -> &str {
        "percentiles"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(answer_fields(arg_types.len().saturating_sub(1))))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = format_state_name(args.name, self.name());
        Ok(vec![Arc::new(Field::new(name, DataType::LargeList(item()), true))])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneGroup { groups: Groups::try_new(&args)? }))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::try_new(&args)?))
    }
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Float64, true))
}

fn answer_fields(percentiles: usize) -> Fields {
    (0..percentiles).map(|place| Field::new(field_name(place), DataType::Float64, true)).collect()
}

/// The values of each group.
struct Groups {
    percentiles: Vec<f64>,
    values: Vec<Vec<f64>>,
}

impl Groups {
    fn try_new(args: &AccumulatorArgs) -> Result<Self> {
        let percentiles =
            args.exprs.iter().skip(1).map(|expr| match expr.downcast_ref::<Literal>().map(Literal::value) {
                Some(ScalarValue::Float64(Some(percentile))) => Ok(*percentile),
                _ => exec_err!("a percentile is not a number that is known"),
            });
        Ok(Self { percentiles: percentiles.collect::<Result<_>>()?, values: Vec::new() })
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.values.resize_with(total, Vec::new);
        let values = values[0].as_primitive::<Float64Type>();
        if values.null_count() == 0 && filter.is_none() {
            for (group, value) in groups.iter().zip(values.values()) {
                self.values[*group].push(*value);
            }
            return Ok(());
        }
        let wanted = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        for (row, group) in groups.iter().enumerate() {
            if values.is_valid(row) && wanted(row) {
                self.values[*group].push(values.value(row));
            }
        }
        Ok(())
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        _: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.values.resize_with(total, Vec::new);
        for (group, values) in groups.iter().zip(values[0].as_list::<i64>().iter()) {
            if let Some(values) = values {
                self.values[*group].extend_from_slice(values.as_primitive::<Float64Type>().values());
            }
        }
        Ok(())
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let groups = emit_to.take_needed(&mut self.values);
        let offsets = OffsetBuffer::<i64>::from_lengths(groups.iter().map(Vec::len));
        let values = Arc::new(Float64Array::from(groups.concat()));
        Ok(vec![Arc::new(LargeListArray::try_new(item(), offsets, values, None)?)])
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let mut groups = emit_to.take_needed(&mut self.values);
        let mut answers: Vec<_> =
            self.percentiles.iter().map(|_| Float64Builder::with_capacity(groups.len())).collect();
        for values in &mut groups {
            let found = percentiles_of(values, &self.percentiles);
            answers.iter_mut().zip(found).for_each(|(answers, answer)| answers.append_option(answer));
        }
        let columns = answers.iter_mut().map(|answers| Arc::new(answers.finish()) as ArrayRef).collect();
        Ok(Arc::new(StructArray::try_new(answer_fields(self.percentiles.len()), columns, None)?))
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values = values[0].as_primitive::<Float64Type>();
        let offsets = OffsetBuffer::<i64>::new(ScalarBuffer::from_iter(0..=values.len() as i64));
        let wanted = filter.map(|filter| NullBuffer::from_iter(filter.iter().map(|row| row == Some(true))));
        let nulls = NullBuffer::union(values.nulls(), wanted.as_ref());
        let all = Arc::new(Float64Array::new(values.values().clone(), None));
        Ok(vec![Arc::new(LargeListArray::try_new(item(), offsets, all, nulls)?)])
    }

    fn supports_convert_to_state(&self) -> bool {
        true
    }

    fn size(&self) -> usize {
        let values: usize = self.values.iter().map(|values| values.capacity() * size_of::<f64>()).sum();
        values + self.values.capacity() * size_of::<Vec<f64>>()
    }
}

/// All rows in one group.
struct OneGroup {
    groups: Groups,
}

impl std::fmt::Debug for OneGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "percentiles {:?}", self.groups.percentiles)
    }
}

impl Accumulator for OneGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values[0].len();
        self.groups.update_batch(values, &vec![0; rows], None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states[0].len();
        self.groups.merge_batch(states, &vec![0; rows], None, 1)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.groups.values.resize_with(1, Vec::new);
        let states = self.groups.state(EmitTo::All)?;
        states.iter().map(|state| ScalarValue::try_from_array(state, 0)).collect()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.groups.values.resize_with(1, Vec::new);
        ScalarValue::try_from_array(&self.groups.evaluate(EmitTo::All)?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.groups.size()
    }
}

/// What `percentile_cont` says of each percentile. The values are put into another order.
fn percentiles_of(values: &mut [f64], percentiles: &[f64]) -> Vec<Option<f64>> {
    if values.is_empty() {
        return vec![None; percentiles.len()];
    }
    let last = values.len() - 1;
    let places = percentiles.iter().map(|percentile| {
        let index = percentile * last as f64;
        (index, (index.floor() as usize).min(last), (index.ceil() as usize).min(last))
    });
    let places: Vec<(f64, usize, usize)> = places.collect();
    let mut wanted: Vec<usize> = places.iter().flat_map(|(_, lower, upper)| [*lower, *upper]).collect();
    wanted.sort_unstable();
    wanted.dedup();
    // From the greatest down: what is before it is left of it then, and only there the next is looked for.
    let mut end = values.len();
    for place in wanted.into_iter().rev() {
        values[..end].select_nth_unstable_by(place, f64::total_cmp);
        end = place;
    }
    let answer = |(index, lower, upper): (f64, usize, usize)| {
        if lower == upper {
            return values[lower];
        }
        let weight = ((index - lower as f64) * STEPS) as usize as f64 / STEPS;
        values[lower] + (values[upper] - values[lower]) * weight
    };
    places.into_iter().map(|place| Some(answer(place))).collect()
}
