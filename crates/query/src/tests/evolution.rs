//! Whatever becomes of a schema, rows are what they were, whether filters are pushed down or not.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use iceberg::spec::{ListType, NestedField, NestedFieldRef, PrimitiveType, StructType, Type};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::{Lake, batch, column, lines, record, schema};
use hosu_table::arrow_schema;

/// A value that does not know its field's name or place: structs are by field id.
#[derive(Clone, Debug)]
enum Thing {
    Null,
    Int(i64),
    Float(f64),
    Text(String),
    Struct(BTreeMap<i32, Thing>),
    List(Vec<Thing>),
}

#[derive(Clone, Debug)]
enum Change {
    Append(Vec<u64>),
    Add { parent: Index, kind: Index },
    Rename { field: Index, taken: bool },
    Drop(Index),
    Reorder { parent: Index, by: usize },
    Widen(Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => prop::collection::vec(any::<u64>(), 1..5).prop_map(Change::Append),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(parent, kind)| Change::Add { parent, kind }),
        2 => (any::<Index>(), any::<bool>()).prop_map(|(field, taken)| Change::Rename { field, taken }),
        1 => any::<Index>().prop_map(Change::Drop),
        1 => (any::<Index>(), 1_usize..4).prop_map(|(parent, by)| Change::Reorder { parent, by }),
        2 => any::<Index>().prop_map(Change::Widen),
    ]
}

/// The table's fields, and the names and ids that were given out.
struct Model {
    fields: Vec<NestedFieldRef>,
    last_id: i32,
    retired: Vec<String>,
    rows: Vec<Thing>,
}

impl Model {
    fn new() -> Self {
        let device = record(4, "dev", vec![column(6, "os", "string"), column(7, "ver", "int")]);
        let element = Type::Struct(StructType::new(vec![column(9, "p", "int"), column(10, "q", "string")]));
        let list = Type::List(ListType::new(Arc::new(NestedField::list_element(8, element, false))));
        let fields = vec![
            column(1, "i", "int"),
            column(2, "s", "string"),
            column(3, "f", "float"),
            device,
            Arc::new(NestedField::optional(5, "l", list)),
        ];
        Self { fields, last_id: 10, retired: Vec::new(), rows: Vec::new() }
    }

    /// Applies a function to the fields of the table, or of one struct in it.
    fn at(&mut self, parent: Index, change: &mut dyn FnMut(&mut Vec<NestedFieldRef>)) {
        let structs = 1 + count_structs(&self.fields);
        let mut wanted = parent.index(structs);
        if wanted == 0 {
            change(&mut self.fields);
        } else {
            self.fields = in_struct(&self.fields, &mut wanted, change);
        }
    }

    fn add(&mut self, parent: Index, kind: Index) {
        let id = self.last_id + 1;
        let (field, used) = match kind.index(6) {
            4 => (column(id, &format!("c{id}"), "decimal(7,1)"), 1),
            5 => (column(id, &format!("c{id}"), "timestamptz"), 1),
            0 => (column(id, &format!("c{id}"), "int"), 1),
            1 => (column(id, &format!("c{id}"), "string"), 1),
            2 => (column(id, &format!("c{id}"), "double"), 1),
            _ => (
                record(
                    id,
                    &format!("c{id}"),
                    vec![column(id + 1, "n", "int"), column(id + 2, "t", "string")],
                ),
                3,
            ),
        };
        // A name that a dropped or renamed column had, where there is one: ids tell them apart.
        let field = match self.retired.pop() {
            Some(name) => Arc::new(NestedField { name, ..field.as_ref().clone() }),
            None => field,
        };
        self.last_id += used;
        self.at(parent, &mut |fields| {
            if !fields.iter().any(|other| other.name == field.name) {
                fields.push(field.clone());
            }
        });
    }

    fn rename(&mut self, field: Index, taken: bool) {
        let fresh = format!("r{}", self.last_id);
        self.last_id += 1;
        let mut old = None;
        let retired = if taken { self.retired.pop() } else { None };
        let name = retired.unwrap_or(fresh);
        self.at(field, &mut |fields| {
            let position = field.index(fields.len());
            if !fields.iter().any(|other| other.name == name) {
                old = Some(fields[position].name.clone());
                fields[position] =
                    Arc::new(NestedField { name: name.clone(), ..fields[position].as_ref().clone() });
            }
        });
        self.retired.extend(old);
    }

    fn drop(&mut self, field: Index) {
        let mut old = None;
        self.at(field, &mut |fields| {
            if fields.len() > 1 {
                old = Some(fields.remove(field.index(fields.len())).name.clone());
            }
        });
        self.retired.extend(old);
    }

    fn widen(&mut self, field: Index) {
        self.at(field, &mut |fields| {
            let position = field.index(fields.len());
            let wider = match fields[position].field_type.as_ref() {
                Type::Primitive(PrimitiveType::Int) => PrimitiveType::Long,
                Type::Primitive(PrimitiveType::Float) => PrimitiveType::Double,
                Type::Primitive(PrimitiveType::Decimal { precision, scale }) => {
                    PrimitiveType::Decimal { precision: (precision + 5).min(38), scale: *scale }
                }
                _ => return,
            };
            let field_type = Box::new(Type::Primitive(wider));
            fields[position] = Arc::new(NestedField { field_type, ..fields[position].as_ref().clone() });
        });
    }

    fn rows_of(&self, fields: &[NestedFieldRef]) -> Vec<Value> {
        self.rows.iter().map(|row| to_json_struct(row, fields)).collect()
    }
}

fn count_structs(fields: &[NestedFieldRef]) -> usize {
    let inside = |field: &NestedFieldRef| match field.field_type.as_ref() {
        Type::Struct(inside) => 1 + count_structs(inside.fields()),
        Type::List(list) => match list.element_field.field_type.as_ref() {
            Type::Struct(inside) => 1 + count_structs(inside.fields()),
            _ => 0,
        },
        _ => 0,
    };
    fields.iter().map(inside).sum()
}

fn in_struct(
    fields: &[NestedFieldRef],
    wanted: &mut usize,
    change: &mut dyn FnMut(&mut Vec<NestedFieldRef>),
) -> Vec<NestedFieldRef> {
    let mut inside = |fields: &StructType| {
        *wanted = wanted.saturating_sub(1);
        let mut inner = fields.fields().to_vec();
        if *wanted == 0 {
            change(&mut inner);
            *wanted = usize::MAX;
        } else if *wanted < 1000 {
            inner = in_struct(&inner, wanted, change);
        }
        Type::Struct(StructType::new(inner))
    };
    let fields = fields.iter().map(|field| {
        let field_type = match field.field_type.as_ref() {
            Type::Struct(fields) => inside(fields),
            Type::List(list) => match list.element_field.field_type.as_ref() {
                Type::Struct(fields) => {
                    let element = NestedField {
                        field_type: Box::new(inside(fields)),
                        ..list.element_field.as_ref().clone()
                    };
                    Type::List(ListType::new(Arc::new(element)))
                }
                _ => field.field_type.as_ref().clone(),
            },
            other => other.clone(),
        };
        Arc::new(NestedField { field_type: Box::new(field_type), ..field.as_ref().clone() })
    });
    fields.collect()
}

fn thing(column_type: &Type, seed: u64) -> Thing {
    let next = |salt: u64| {
        seed.wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(salt.wrapping_mul(1_442_695_040_888_963_407))
            >> 7
    };
    if seed.is_multiple_of(5) {
        return Thing::Null;
    }
    match column_type {
        Type::Primitive(PrimitiveType::Int | PrimitiveType::Long) => Thing::Int((seed % 7) as i64 - 3),
        Type::Primitive(PrimitiveType::Float | PrimitiveType::Double) => {
            Thing::Float((seed % 9) as f64 / 2.0)
        }
        Type::Primitive(PrimitiveType::Decimal { .. }) => Thing::Text(format!("{}.5", seed % 7)),
        Type::Primitive(PrimitiveType::Timestamptz) => {
            Thing::Text(format!("2024-05-0{}T00:00:00.000001Z", seed % 3 + 1))
        }
        Type::Primitive(_) => Thing::Text(["", "a", "b", "한글", "zz"][(seed % 5) as usize].to_owned()),
        Type::Struct(inside) => Thing::Struct(things(inside.fields(), seed)),
        Type::List(list) => {
            Thing::List((0..seed % 3).map(|n| thing(&list.element_field.field_type, next(n + 1))).collect())
        }
        Type::Map(_) => Thing::Null,
    }
}

fn things(fields: &[NestedFieldRef], seed: u64) -> BTreeMap<i32, Thing> {
    let salted = |id: i32| seed.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(id as u64 * 77_777) >> 5;
    fields.iter().map(|field| (field.id, thing(&field.field_type, salted(field.id)))).collect()
}

fn to_json(thing: Option<&Thing>, column_type: &Type) -> Value {
    match (thing, column_type) {
        (None | Some(Thing::Null), _) => Value::Null,
        (Some(Thing::Int(value)), _) => json!(value),
        (Some(Thing::Float(value)), _) => json!(value),
        (Some(Thing::Text(value)), _) => json!(value),
        (Some(thing @ Thing::Struct(_)), Type::Struct(inside)) => to_json_struct(thing, inside.fields()),
        (Some(Thing::List(things)), Type::List(list)) => {
            things.iter().map(|thing| to_json(Some(thing), &list.element_field.field_type)).collect()
        }
        (thing, column_type) => panic!("{thing:?} is no {column_type}"),
    }
}

fn to_json_struct(thing: &Thing, fields: &[NestedFieldRef]) -> Value {
    let Thing::Struct(inside) = thing else { panic!("{thing:?} is no struct") };
    let entries =
        fields.iter().map(|field| (field.name.clone(), to_json(inside.get(&field.id), &field.field_type)));
    Value::Object(entries.collect())
}

/// Filters over every leaf that there is, alone and some of them together.
fn filters(fields: &[NestedFieldRef]) -> Vec<String> {
    let mut filters = vec!["true".to_owned()];
    leaves(fields, "", &mut filters);
    let both = filters.windows(2).enumerate().map(|(index, two)| match index % 2 {
        0 => two.join(" AND "),
        _ => two.join(" OR "),
    });
    let both: Vec<String> = both.collect();
    filters.extend(both);
    filters
}

fn leaves(fields: &[NestedFieldRef], prefix: &str, filters: &mut Vec<String>) {
    for field in fields {
        let name = format!("{prefix}\"{}\"", field.name);
        match field.field_type.as_ref() {
            Type::Primitive(PrimitiveType::String) => {
                filters.extend([format!("{name} > 'a'"), format!("{name} = '한글'")]);
            }
            Type::Primitive(PrimitiveType::Timestamptz) => {
                filters.push(format!("{name} > TIMESTAMP '2024-05-02T00:00:00Z'"));
            }
            Type::Primitive(_) => filters.extend([format!("{name} > 0"), format!("{name} = 1.5")]),
            Type::Struct(inside) => {
                leaves(inside.fields(), &format!("{name}."), filters);
            }
            _ => {}
        }
        filters.push(format!("{name} IS NULL"));
    }
}

async fn expected(model: &Model, sql: &str) -> Vec<String> {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    let schema = schema(model.fields.clone());
    let rows = batch(&schema, &model.rows_of(&model.fields));
    let table = MemTable::try_new(Arc::new(arrow_schema::to_arrow(&schema)), vec![vec![rows]]).unwrap();
    context.register_table("t", Arc::new(table)).unwrap();
    let rows = context.sql(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    lines(&rows.collect().await.unwrap())
}

async fn run(changes: Vec<Change>) {
    let lake = Lake::new();
    let mut model = Model::new();
    lake.create("t", schema(model.fields.clone()), "").await;
    for change in changes {
        let before = model.fields.clone();
        match change {
            Change::Append(seeds) => {
                let rows: Vec<Thing> =
                    seeds.into_iter().map(|seed| Thing::Struct(things(&model.fields, seed))).collect();
                let json: Vec<Value> = rows.iter().map(|row| to_json_struct(row, &model.fields)).collect();
                lake.append("t", &json).await;
                model.rows.extend(rows);
            }
            Change::Add { parent, kind } => model.add(parent, kind),
            Change::Rename { field, taken } => model.rename(field, taken),
            Change::Drop(field) => model.drop(field),
            Change::Reorder { parent, by } => model.at(parent, &mut |fields| {
                let by = by % fields.len();
                fields.rotate_left(by);
            }),
            Change::Widen(field) => model.widen(field),
        }
        if model.fields != before {
            lake.evolve("t", model.fields.clone()).await;
        }
    }
    check(&lake, &model).await;
}

async fn check(lake: &Lake, model: &Model) {
    for filter in filters(&model.fields) {
        let sql = format!("SELECT * FROM t WHERE {filter}");
        let rows = expected(model, &sql).await;
        assert_eq!(lake.rows(&sql).await, rows, "{sql}");
        let sql = format!("SELECT * FROM t WHERE {filter} LIMIT 2");
        assert_eq!(lake.rows(&sql).await.len(), rows.len().min(2), "{sql}");
    }
    for field in &model.fields {
        let name = &field.name;
        let sql = format!("SELECT \"{name}\" AS v FROM t");
        assert_eq!(lake.rows(&sql).await, expected(model, &sql).await, "{sql}");
        if let Type::Struct(inside) = field.field_type.as_ref() {
            for inner in inside.fields() {
                let sql =
                    format!("SELECT \"{name}\".\"{}\" AS v FROM t WHERE \"{name}\" IS NOT NULL", inner.name);
                assert_eq!(lake.rows(&sql).await, expected(model, &sql).await, "{sql}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn rows_survive_any_evolution(changes in prop::collection::vec(change(), 1..10)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(run(changes));
    }
}
