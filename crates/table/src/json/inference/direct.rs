//! The short way to count a line: without a tree of its values.
//!
//! It knows lines whose fields were all seen before, each once in its object. Of any other line, be it no JSON at all, it
//! counts nothing and says so; the line is then taken the plain way. What it counts must be what the plain way counts,
//! and tests compare the two on any input.

use super::counts::Seen;
use super::{Inference, Node, ROOT};
use crate::json::scan::Cursor;

/// What remains of the line before, to be used again.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    /// What was seen in the line, and at which path: counted once the whole line is known to be good.
    seen: Vec<(usize, Seen)>,
    /// How many objects there were.
    objects: u64,
}

/// A line on its way.
struct Walk<'a, 'n> {
    cursor: Cursor<'a>,
    nodes: &'n mut [Node],
    scratch: &'n mut Scratch,
}

/// Counts a line; `None`, and nothing counted, when it is to be taken the plain way.
pub(super) fn observe(inference: &mut Inference, line: &[u8]) -> Option<()> {
    let Inference { nodes, scratch, .. } = inference;
    scratch.seen.clear();
    let mut walk = Walk { cursor: Cursor::new(line), nodes, scratch };
    walk.cursor.skip_white_space();
    walk.object(ROOT)?;
    walk.cursor.skip_white_space();
    if !walk.cursor.is_at_end() {
        return None;
    }
    for (node, seen) in &scratch.seen {
        if let Some(node) = nodes.get_mut(*node) {
            node.counts.add(*seen);
        }
    }
    Some(())
}

impl Walk<'_, '_> {
    // No deeper than there are paths, whose depth is limited.
    fn object(&mut self, node: usize) -> Option<()> {
        if !self.cursor.take(b'{') {
            return None;
        }
        self.scratch.objects += 1;
        let object = self.scratch.objects;
        self.cursor.skip_white_space();
        let mut has_more = !self.cursor.take(b'}');
        while has_more {
            match self.member(node)? {
                Some(member) => {
                    // The last of a name's values is the one that counts.
                    if std::mem::replace(&mut self.nodes.get_mut(member)?.object, object) == object {
                        return None;
                    }
                    self.value(member)?;
                }
                // A name that never had a value, and has none here.
                None => self.cursor.take_all(b"null").then_some(())?,
            }
            has_more = self.cursor.has_more(b'}')?;
        }
        Some(())
    }

    /// The path of the next member, if it has one; the cursor is at its value then.
    fn member(&mut self, parent: usize) -> Option<Option<usize>> {
        let name = self.cursor.text().filter(|name| !name.has_escapes)?.inner;
        self.cursor.skip_white_space();
        if !self.cursor.take(b':') {
            return None;
        }
        self.cursor.skip_white_space();
        let above = self.nodes.get(parent)?;
        let is_named = |at: usize| self.nodes.get(at).is_some_and(|node| node.name().as_bytes() == name);
        let expected = above.members.get(above.expected).copied();
        let found = match expected.filter(|at| is_named(*at)) {
            Some(expected) => expected,
            None => match above.member_named(std::str::from_utf8(name).ok()?).filter(|at| is_named(*at)) {
                Some(found) => found,
                None => return Some(None),
            },
        };
        let position = self.nodes.get(found)?.position;
        self.nodes.get_mut(parent)?.expected = position + 1;
        Some(Some(found))
    }

    fn value(&mut self, node: usize) -> Option<()> {
        let seen = match self.cursor.peek()? {
            b'n' => return self.cursor.take_all(b"null").then_some(()),
            b't' => self.cursor.take_all(b"true").then_some(Some(Seen::Boolean))?,
            b'f' => self.cursor.take_all(b"false").then_some(Some(Seen::Boolean))?,
            b'"' => Seen::of_quoted(&self.cursor.text()?),
            b'{' => {
                self.scratch.seen.push((node, Seen::Object));
                return self.object(node);
            }
            b'[' => {
                self.scratch.seen.push((node, Seen::Array));
                return self.array(node);
            }
            _ => Seen::of_number_token(&self.cursor.number()?),
        };
        self.scratch.seen.extend(seen.map(|seen| (node, seen)));
        Some(())
    }

    fn array(&mut self, node: usize) -> Option<()> {
        self.cursor.take(b'[');
        self.cursor.skip_white_space();
        let inside = self.nodes.get(node)?.inside;
        let mut has_more = !self.cursor.take(b']');
        while has_more {
            self.value(inside?)?;
            has_more = self.cursor.has_more(b']')?;
        }
        Some(())
    }
}
