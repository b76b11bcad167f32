//! Events of any shape, by chance, and the same ones each time.

use serde_json::{Value, json};

/// A small generator of its own: the same seed makes the same events.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// A value without parts.
    pub fn scalar(&mut self) -> Value {
        match self.roll(9) {
            0 => json!(self.roll(1_000_000)),
            1 => json!(-(self.roll(1 << 31) as i64) * (1 << 31)),
            2 => json!(u64::MAX - self.roll(9)),
            3 => json!(self.roll(2000) as f64 / 16.0),
            4 => json!(self.roll(2) == 0),
            5 => json!(format!("2026-0{}-1{}T10:00:0{}.5Z", 1 + self.roll(9), self.roll(9), self.roll(9))),
            6 => json!(format!("2026-0{}-28", 1 + self.roll(9))),
            7 => json!(["호수", "", "a\"b\\c", "\u{1F600}", "null"][self.roll(5) as usize]),
            _ => Value::Null,
        }
    }

    /// Any value, nested up to `depth`.
    pub fn value(&mut self, depth: u64) -> Value {
        match self.roll(if depth == 0 { 4 } else { 6 }) {
            4 => (0..self.roll(4)).map(|_| self.value(depth - 1)).collect(),
            5 => {
                let fields = self.roll(4);
                Value::Object((0..fields).map(|_| (self.name(), self.value(depth - 1))).collect())
            }
            _ => self.scalar(),
        }
    }

    /// A name of a field.
    pub fn name(&mut self) -> String {
        ["a", "b", "kind", "nested", "값"][self.roll(5) as usize].to_owned()
    }

    /// Mostly of the same shape, sometimes of any.
    pub fn event(&mut self, id: usize) -> Value {
        let mut event =
            json!({"id": id, "n": self.roll(100), "at": "2026-03-01T00:00:00.120Z", "o": {"x": 1.5}});
        for _ in 0..self.roll(5) {
            event[self.name()] = self.value(3);
        }
        if self.roll(4) == 0 {
            event["n"] = self.scalar();
        }
        event
    }
}
