//! From counted paths to fields: winners bottom-up, the first columns within the limit, names that do not clash.

use std::collections::HashSet;
use std::sync::Arc;

use iceberg::spec::{ListType, NestedField, NestedFieldRef, Schema, StructType, Type};

use super::counts::Wanted;
use super::{Inference, Node, ROOT};
use crate::declared::leaves_of;
use crate::evolve::{self, ParentPath};

/// The fields that were seen and that a schema lacks.
pub(super) fn additions(inference: &Inference, base: &Schema) -> Vec<(ParentPath, NestedFieldRef)> {
    let mut missing = Vec::new();
    let top = Place { path: ParentPath::root(), full_name: String::new() };
    let fields = base.as_struct().fields();
    find_missing(inference, ROOT, fields, &top, &mut missing);
    let mut names = Names::default();
    names.claim_existing(fields, "");
    let wanted = wanted(inference);
    let (kept, _) = within_limit(inference, &wanted, &missing, leaves_of(base));
    let mut builder = Builder { inference, wanted, kept, names, allowed: HashSet::new() };
    builder.allow(&missing, Dotted::Out);
    builder.allow(&missing, Dotted::In);
    let build = |missing: Missing| Some((missing.parent.path, builder.field(missing.node)?));
    missing.into_iter().filter_map(build).collect()
}

/// How many leaves of the fields that a schema lacks are more than it may have.
pub(super) fn beyond_limit(inference: &Inference, base: &Schema) -> usize {
    let mut missing = Vec::new();
    let top = Place { path: ParentPath::root(), full_name: String::new() };
    find_missing(inference, ROOT, base.as_struct().fields(), &top, &mut missing);
    within_limit(inference, &wanted(inference), &missing, leaves_of(base)).1
}

/// A field that a schema lacks.
struct Missing {
    parent: Place,
    node: usize,
}

/// A place of the schema.
#[derive(Clone)]
struct Place {
    path: ParentPath,
    full_name: String,
}

impl Place {
    fn child(&self, name: &str) -> Self {
        Self { path: self.path.child(name), full_name: join(&self.full_name, name) }
    }
}

fn find_missing(
    inference: &Inference,
    node: usize,
    fields: &[NestedFieldRef],
    place: &Place,
    missing: &mut Vec<Missing>,
) {
    let members = inference.nodes.get(node).map(|node| node.members.as_slice()).unwrap_or_default();
    for (at, member) in members.iter().filter_map(|at| Some((*at, inference.nodes.get(*at)?))) {
        match evolve::find(fields, member.name()) {
            None => missing.push(Missing { parent: place.clone(), node: at }),
            Some((_, field)) => {
                find_missing_inside(inference, at, &field.field_type, &place.child(&field.name), missing);
            }
        }
    }
}

fn find_missing_inside(
    inference: &Inference,
    node: usize,
    column_type: &Type,
    place: &Place,
    missing: &mut Vec<Missing>,
) {
    let inside = inference.nodes.get(node).and_then(|node| node.inside);
    match (column_type, inside) {
        (Type::Struct(inside), _) => find_missing(inference, node, inside.fields(), place, missing),
        (Type::List(list), Some(inside)) => {
            let element = &list.element_field.field_type;
            find_missing_inside(inference, inside, element, &place.child("element"), missing);
        }
        (Type::Map(map), Some(inside)) => {
            let value = &map.value_field.field_type;
            find_missing_inside(inference, inside, value, &place.child("value"), missing);
        }
        _ => {}
    }
}

/// What each path's column is to be; from the end, because what is inside a path has a higher number.
fn wanted(inference: &Inference) -> Vec<Option<Wanted>> {
    let mut wanted: Vec<Option<Wanted>> = vec![None; inference.nodes.len()];
    for (at, node) in inference.nodes.iter().enumerate().rev() {
        let is_known = |child: &usize| wanted.get(*child).is_some_and(Option::is_some);
        let has_fields = node.members.iter().any(is_known);
        let has_elements = node.inside.as_ref().is_some_and(is_known);
        if let Some(slot) = wanted.get_mut(at) {
            *slot = node.counts.wanted(has_fields, has_elements);
        }
    }
    wanted
}

/// What is directly inside a path, of the kind that won.
fn inside<'n>(wanted: &[Option<Wanted>], at: usize, node: &'n Node) -> &'n [usize] {
    match wanted.get(at) {
        Some(Some(Wanted::Struct)) => &node.members,
        Some(Some(Wanted::List)) => node.inside.as_slice(),
        _ => &[],
    }
}

/// The columns that appeared first, as many as a table may still get, with all that they stand in; and how many more
/// there are.
fn within_limit(
    inference: &Inference,
    wanted: &[Option<Wanted>],
    missing: &[Missing],
    leaves_before: usize,
) -> (HashSet<usize>, usize) {
    let mut open: Vec<usize> = missing.iter().map(|missing| missing.node).collect();
    let mut leaves = Vec::new();
    while let Some(at) = open.pop() {
        if let Some(Some(Wanted::Scalar(_))) = wanted.get(at) {
            leaves.push(at);
        } else if let Some(node) = inference.nodes.get(at) {
            open.extend(inside(wanted, at, node));
        }
    }
    leaves.sort_unstable();
    let room = inference.limits.leaf_columns_max.saturating_sub(leaves_before);
    let beyond = leaves.len().saturating_sub(room);
    leaves.truncate(room);
    let mut kept = HashSet::new();
    for mut at in leaves {
        while kept.insert(at) {
            at = inference.nodes.get(at).map_or(ROOT, |node| node.parent);
        }
    }
    (kept, beyond)
}

/// The full names that are taken, without regard to case: `a.b` is one name, whether of a column or a field of `a`.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    fn claim(&mut self, full_name: &str) -> bool {
        self.0.insert(full_name.to_lowercase())
    }

    /// Takes all names of a schema.
    fn claim_existing(&mut self, fields: &[NestedFieldRef], parent: &str) {
        for field in fields {
            let full_name = join(parent, &field.name);
            self.claim(&full_name);
            match field.field_type.as_ref() {
                Type::Primitive(_) => {}
                Type::Struct(inside) => self.claim_existing(inside.fields(), &full_name),
                Type::List(list) => {
                    self.claim_existing(std::slice::from_ref(&list.element_field), &full_name)
                }
                Type::Map(map) => {
                    self.claim_existing(&[map.key_field.clone(), map.value_field.clone()], &full_name)
                }
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Dotted {
    In,
    Out,
}

struct Builder<'i> {
    inference: &'i Inference,
    wanted: Vec<Option<Wanted>>,
    kept: HashSet<usize>,
    names: Names,
    /// The paths whose full names are theirs.
    allowed: HashSet<usize>,
}

impl Builder<'_> {
    /// Gives names to paths. Those with a dot in a name come last: `a.b` beside `a` with a field `b` gets none.
    fn allow(&mut self, missing: &[Missing], dotted: Dotted) {
        for Missing { parent, node } in missing {
            self.allow_path(*node, &parent.full_name, dotted);
        }
    }

    fn allow_path(&mut self, at: usize, parent: &str, dotted: Dotted) {
        let Some(node) = self.inference.nodes.get(at).filter(|_| self.kept.contains(&at)) else { return };
        if dotted == Dotted::Out && node.name().contains('.') {
            return;
        }
        let full_name = join(parent, node.name());
        if !self.allowed.contains(&at) {
            if !self.names.claim(&full_name) {
                return;
            }
            self.allowed.insert(at);
        }
        for child in inside(&self.wanted, at, node) {
            self.allow_path(*child, &full_name, dotted);
        }
    }

    fn field(&self, at: usize) -> Option<NestedFieldRef> {
        let node = self.inference.nodes.get(at).filter(|_| self.allowed.contains(&at))?;
        // Ids are given once the whole schema is known.
        Some(Arc::new(NestedField::optional(0, node.name(), self.field_type(at, node)?)))
    }

    fn field_type(&self, at: usize, node: &Node) -> Option<Type> {
        let mut fields = inside(&self.wanted, at, node).iter().filter_map(|child| self.field(*child));
        match self.wanted.get(at)?.as_ref()? {
            Wanted::Scalar(scalar) => Some(Type::Primitive(scalar.clone())),
            Wanted::List => Some(Type::List(ListType::new(fields.next()?))),
            Wanted::Struct => {
                let fields: Vec<NestedFieldRef> = fields.collect();
                (!fields.is_empty()).then(|| Type::Struct(StructType::new(fields)))
            }
        }
    }
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}
