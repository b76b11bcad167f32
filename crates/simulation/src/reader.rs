//! Somebody who looks: each look pins a snapshot, and what was seen once must stay.

use std::collections::BTreeSet;
use std::sync::Arc;

use hosu_catalog::{Catalog, Table};
use hosu_table::name::TableName;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::book::{Book, EventId};
use crate::rows::{self, ReadError};

/// A reader, and what it saw.
#[derive(Debug)]
pub struct Reader {
    random: SmallRng,
    pinned: Vec<Pin>,
    /// What it complains about.
    pub complaints: Vec<String>,
    /// How many looks succeeded.
    pub looks: usize,
}

/// A snapshot, and the events that were in it.
#[derive(Clone, Debug)]
struct Pin {
    table: Arc<Table>,
    snapshot_id: i64,
    events: BTreeSet<EventId>,
}

impl Reader {
    /// A reader that chooses by `seed` where to look again.
    pub fn new(seed: u64) -> Self {
        Self { random: SmallRng::seed_from_u64(seed), pinned: Vec::new(), complaints: Vec::new(), looks: 0 }
    }

    /// Looks at the table as it is now, and at one snapshot from before. What fails because the store is having a bad
    /// day is passed over; what is gone is a complaint.
    pub async fn look(&mut self, catalog: &Catalog, table: &TableName, book: &Book) {
        let promised = book.acknowledged();
        if let Ok(Some(table)) = catalog.load(table).await
            && let Some(snapshot) = table.snapshot()
        {
            let pin =
                Pin { snapshot_id: snapshot.snapshot_id(), table: table.clone(), events: BTreeSet::new() };
            if let Some(events) = self.read(catalog, &pin).await {
                self.compare(book, &promised, &events);
                self.pinned.push(Pin { events, ..pin });
                self.looks += 1;
            }
        }
        if self.pinned.is_empty() {
            return;
        }
        let chosen = self.random.random_range(0..self.pinned.len());
        if let Some(pin) = self.pinned.get(chosen).cloned()
            && let Some(events) = self.read(catalog, &pin).await
            && events != pin.events
        {
            self.complaints.push(format!("snapshot {} shows other events than before", pin.snapshot_id));
        }
    }

    fn compare(&mut self, book: &Book, promised: &BTreeSet<i64>, events: &BTreeSet<EventId>) {
        let sent = book.sent();
        let promised = promised.iter().filter_map(|number| sent.get(number)).flat_map(|batch| batch.ids());
        let seen = self.pinned.last().into_iter().flat_map(|pin| pin.events.iter().copied());
        let missing: Vec<String> = promised
            .map(|id| (id, "acknowledged"))
            .chain(seen.map(|id| (id, "seen")))
            .filter(|(id, _)| !events.contains(id))
            .map(|((batch, place), why)| format!("event {place} of batch {batch} was {why} and is not there"))
            .collect();
        self.complaints.extend(missing);
    }

    async fn read(&mut self, catalog: &Catalog, pin: &Pin) -> Option<BTreeSet<EventId>> {
        let snapshot = pin.table.metadata.snapshot_by_id(pin.snapshot_id)?;
        match rows::rows_of(catalog, &pin.table, snapshot).await {
            Ok(rows) => Some(rows.events.into_keys().collect()),
            Err(error) => {
                self.complain(&error);
                None
            }
        }
    }

    fn complain(&mut self, error: &ReadError) {
        if error.is_loss() {
            self.complaints.push(format!("{error:?}"));
        }
    }
}
