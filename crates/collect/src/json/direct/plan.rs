//! A schema as records are read for it: which names may come, and what stands behind each.

use std::collections::{HashMap, HashSet};

use hosu_table::json::LastDate;
use hosu_table::rejects::{is_rescued_data, raw_column};
use iceberg::spec::{NestedField, NestedFieldRef, PrimitiveType, Schema, Type};

use crate::contract::{ObjectRules, Rules, ScalarRules};

/// The fields of a struct, or the columns of the table.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) members: Vec<Member>,
    by_name: HashMap<Box<[u8]>, usize>,
    /// The member that came first the last time.
    pub(super) first: usize,
    /// The members that must come.
    pub(super) required: Vec<usize>,
    /// Which names that are none of the members may come, with null.
    strangers: Strangers,
}

/// What is taken of names that are none of the members.
#[derive(Debug)]
enum Strangers {
    All,
    /// Those that are no other spelling of these names in lower case.
    AllBut(HashSet<String>),
    None,
}

/// A field and its name.
#[derive(Debug)]
pub(super) struct Member {
    /// The name as it stands in compact JSON: `"name":`.
    pub(super) key: Key,
    /// The last object that had it, by its number.
    pub(super) seen: u64,
    /// The member that came after this one the last time.
    pub(super) next: usize,
    pub(super) place: Place,
}

/// A name that is looked for, and its first eight bytes as a number: most others differ in them.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) bytes: Box<[u8]>,
    start: u64,
    /// Of a shorter name fewer bytes count.
    counted: u64,
}

/// What stands somewhere in a record.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) required: bool,
    pub(super) kind: Kind,
    /// How many columns one value fills, at the least.
    pub(super) columns: usize,
}

#[derive(Debug)]
pub(super) enum Kind {
    Boolean,
    Long,
    Double,
    Text,
    /// An instant in microseconds.
    Instant(LastDate),
    /// What needs no way of its own.
    Scalar(PrimitiveType),
    Object(Object),
    List(Box<Place>),
    /// A single value that a contract says something about.
    Checked(Box<Checked>),
    /// What is left to the plain way.
    Other,
}

/// A place of single values, and what a contract says about them.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) rules: ScalarRules,
    pub(super) place: Place,
}

/// No JSON text begins so.
const NO_KEY: &[u8] = b"\xff";

impl Object {
    pub(super) fn of_table(schema: &Schema) -> Self {
        let raw = raw_column(schema);
        Self::new(schema.as_struct().fields(), |at, name| !is_rescued_data(name) && Some(at) != raw)
    }

    fn new(fields: &[NestedFieldRef], may_be_named: impl Fn(usize, &str) -> bool) -> Self {
        let mut by_name = HashMap::new();
        for (at, field) in fields.iter().enumerate().filter(|(at, field)| may_be_named(*at, &field.name)) {
            by_name.insert(Box::from(field.name.as_bytes()), at);
        }
        let members = fields.iter().enumerate().map(|(at, field)| {
            let is_found = by_name.get(field.name.as_bytes()) == Some(&at);
            Member {
                key: if is_found { Key::of(&field.name) } else { Key::new(NO_KEY) },
                seen: 0,
                next: at + 1,
                place: Place::of(field),
            }
        });
        let members: Vec<Member> = members.collect();
        let required =
            fields.iter().enumerate().filter(|(_, field)| field.required).map(|(at, _)| at).collect();
        Self { members, by_name, first: 0, required, strangers: Strangers::All }
    }

    /// Takes from now on only what keeps a contract, too. None if that cannot be told place by place; the plan is of no use
    /// then.
    pub(super) fn hold_to(&mut self, rules: &ObjectRules<'_>) -> Option<()> {
        for (name, at) in &self.by_name {
            let member = self.members.get_mut(*at)?;
            match rules.member(std::str::from_utf8(name).ok()?) {
                Some(rules) => member.place.hold_to(rules)?,
                None if rules.is_open => {}
                None => member.place.close(),
            }
        }
        for name in &rules.required {
            let at = self.member_of(name.as_bytes())?;
            if !self.required.contains(&at) {
                self.required.push(at);
            }
        }
        let are_members = rules.names().all(|name| self.member_of(name.as_bytes()).is_some());
        self.strangers = match rules.is_open && are_members {
            true => {
                let names = self.by_name.keys().filter_map(|name| std::str::from_utf8(name).ok());
                Strangers::AllBut(names.map(str::to_lowercase).collect())
            }
            false => Strangers::None,
        };
        Some(())
    }

    /// Whether a name that is none of the members may come, with null.
    pub(super) fn takes_stranger(&self, name: &[u8]) -> bool {
        match &self.strangers {
            Strangers::All => true,
            Strangers::AllBut(members) => {
                std::str::from_utf8(name).is_ok_and(|name| !members.contains(&name.to_lowercase()))
            }
            Strangers::None => false,
        }
    }

    /// The member of a name that is spelled so.
    pub(super) fn member_of(&self, name: &[u8]) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}

impl Key {
    fn of(name: &str) -> Self {
        // What has to be escaped does not stand in JSON as it is, or is something else there.
        match name.contains(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
            true => Self::new(NO_KEY),
            false => Self::new(format!("\"{name}\":").as_bytes()),
        }
    }

    fn new(bytes: &[u8]) -> Self {
        let (mut start, mut counted) = ([0; 8], [0; 8]);
        for ((byte, start), counted) in bytes.iter().zip(&mut start).zip(&mut counted) {
            (*start, *counted) = (*byte, 0xff);
        }
        Self { bytes: bytes.into(), start: u64::from_le_bytes(start), counted: u64::from_le_bytes(counted) }
    }

    /// Whether a text with these first eight bytes may begin with the name.
    #[inline]
    pub(super) fn may_begin(&self, eight: u64) -> bool {
        eight & self.counted == self.start
    }
}

impl Place {
    fn of(field: &NestedField) -> Self {
        let kind = match field.field_type.as_ref() {
            Type::Primitive(PrimitiveType::Boolean) => Kind::Boolean,
            Type::Primitive(PrimitiveType::Long) => Kind::Long,
            Type::Primitive(PrimitiveType::Double) => Kind::Double,
            Type::Primitive(PrimitiveType::String) => Kind::Text,
            Type::Primitive(PrimitiveType::Timestamptz) => Kind::Instant(LastDate::default()),
            Type::Primitive(other) => Kind::Scalar(other.clone()),
            Type::Struct(inside) => Kind::Object(Object::new(inside.fields(), |_, _| true)),
            Type::List(list) => Kind::List(Box::new(Self::of(&list.element_field))),
            Type::Map(_) => Kind::Other,
        };
        let columns = match &kind {
            Kind::Object(inside) => inside.members.iter().map(|member| member.place.columns).sum(),
            _ => 1,
        };
        Self { required: field.required, kind, columns }
    }

    fn hold_to(&mut self, rules: Rules<'_>) -> Option<()> {
        let takes_null = match &mut self.kind {
            Kind::Other => rules.scalar().is_some_and(|rules| rules.takes_null),
            Kind::Object(inside) => {
                let rules = rules.object()?;
                inside.hold_to(&rules)?;
                if !rules.takes_objects {
                    self.kind = Kind::Other;
                }
                rules.takes_null
            }
            Kind::List(element) => {
                let rules = rules.list()?;
                if let Some(rules) = rules.elements {
                    element.hold_to(rules)?;
                }
                if !rules.takes_lists {
                    self.kind = Kind::Other;
                }
                rules.takes_null
            }
            _ => {
                let rules = rules.scalar()?;
                let takes_null = rules.takes_null;
                if !self.takes_only(&rules) {
                    let kind = std::mem::replace(&mut self.kind, Kind::Other);
                    let place = Self { required: false, kind, columns: self.columns };
                    self.kind = Kind::Checked(Box::new(Checked { rules, place }));
                }
                takes_null
            }
        };
        self.required |= !takes_null;
        Some(())
    }

    /// Whether all that lands here keeps the rules anyway.
    fn takes_only(&self, rules: &ScalarRules) -> bool {
        match self.kind {
            Kind::Text | Kind::Instant(_) => rules.takes_all_texts(),
            Kind::Boolean => rules.takes_all_booleans(),
            Kind::Long | Kind::Double => rules.takes_all_numbers(),
            _ => false,
        }
    }

    /// Leaves all that comes here to the plain way.
    fn close(&mut self) {
        (self.required, self.kind) = (true, Kind::Other);
    }
}
