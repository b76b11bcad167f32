//! Who comes next: actors that run side by side take turns at their calls, in an order that follows from a seed.
//!
//! Work on other threads (Parquet encoding, SQLite) is ready when it is ready, so the runtime alone would tell another
//! story each time. Here the next call is chosen only when every actor either waits to make one or has ended.
//!
//! An actor may have begun a call that it does not go on with before another one is done, as who reads ahead does. So a turn is
//! for all calls that the actor makes until one of them has ended.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::sync::oneshot;

/// The actors of one simulation and the order of their calls. Clones share it.
#[derive(Clone, Debug)]
pub struct Turns {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    random: SmallRng,
    waiting: BTreeMap<u64, VecDeque<oneshot::Sender<Turn>>>,
    actors_so_far: u64,
    /// The turn that is on, and whose.
    taken: Option<(u64, u64)>,
    turns_so_far: u64,
}

/// One actor's place among the others; it leaves when this is dropped.
#[derive(Debug)]
pub struct Seat {
    turns: Turns,
    actor: u64,
}

/// The right to make a call; the next turn begins when this is dropped.
#[derive(Debug)]
pub struct Turn {
    turns: Turns,
    number: u64,
}

impl Turns {
    /// Turns in the order that `seed` tells.
    pub fn new(seed: u64) -> Self {
        let state = State {
            random: SmallRng::seed_from_u64(seed),
            waiting: BTreeMap::new(),
            actors_so_far: 0,
            taken: None,
            turns_so_far: 0,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// A place for one more actor. All must sit before the first one runs, or the story depends on chance.
    pub fn sit(&self) -> Seat {
        let mut state = self.lock();
        let actor = state.actors_so_far;
        state.actors_so_far += 1;
        state.waiting.insert(actor, VecDeque::new());
        Seat { turns: self.clone(), actor }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the turn to somebody, if it is free and everybody has come.
    fn give(&self) {
        let Some((number, calls)) = self.lock().choose() else { return };
        for call in calls {
            // Who went away meanwhile drops the turn, which gives it to the next.
            let _ = call.send(Turn { turns: self.clone(), number });
        }
    }
}

impl State {
    fn choose(&mut self) -> Option<(u64, VecDeque<oneshot::Sender<Turn>>)> {
        for queue in self.waiting.values_mut() {
            queue.retain(|waiting| !waiting.is_closed());
        }
        if self.taken.is_some() || self.waiting.is_empty() || self.waiting.values().any(VecDeque::is_empty) {
            return None;
        }
        let chosen = self.random.random_range(0..self.waiting.len());
        let (actor, calls) = self.waiting.iter_mut().nth(chosen)?;
        self.turns_so_far += 1;
        self.taken = Some((self.turns_so_far, *actor));
        Some((self.turns_so_far, std::mem::take(calls)))
    }
}

impl Seat {
    /// Asks for a turn; the turn is what the receiver gives. It fails only when the actor has left.
    pub fn ask(&self) -> oneshot::Receiver<Turn> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.turns.lock();
        match state.taken {
            Some((number, actor)) if actor == self.actor => {
                drop(state);
                let _ = sender.send(Turn { turns: self.turns.clone(), number });
            }
            _ => {
                if let Some(queue) = state.waiting.get_mut(&self.actor) {
                    queue.push_back(sender);
                }
                drop(state);
                self.turns.give();
            }
        }
        receiver
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.turns.lock();
        let left = state.waiting.remove(&self.actor);
        // A call that it began and never went on with.
        if state.taken.is_some_and(|(_, actor)| actor == self.actor) {
            state.taken = None;
        }
        drop(state);
        drop(left);
        self.turns.give();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.turns.lock();
        if state.taken.is_some_and(|(number, _)| number == self.number) {
            state.taken = None;
        }
        drop(state);
        self.turns.give();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three actors that make five calls each, with work on other threads between; gives the order of the calls.
    fn story(seed: u64) -> Vec<usize> {
        let order = Arc::new(Mutex::new(Vec::new()));
        let turns = Turns::new(seed);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let seats: Vec<_> = (0..3).map(|_| turns.sit()).collect();
        let actors = seats.into_iter().enumerate().map(|(actor, seat)| {
            let order = order.clone();
            async move {
                for _ in 0..5 {
                    let turn = seat.ask().await.unwrap();
                    order.lock().unwrap().push(actor);
                    drop(turn);
                    tokio::task::spawn_blocking(move || (0..actor * 1_000).sum::<usize>()).await.unwrap();
                }
            }
        });
        runtime.block_on(futures::future::join_all(actors));
        let order = order.lock().unwrap();
        order.clone()
    }

    #[test]
    fn the_same_seed_gives_the_same_order() {
        let first = story(1);
        assert_eq!(first.len(), 15);
        for _ in 0..10 {
            assert_eq!(story(1), first);
        }
        assert_ne!(story(2), first);
    }

    #[tokio::test]
    async fn who_does_not_go_on_with_a_call_holds_up_nobody() {
        let turns = Turns::new(1);
        let (one, two) = (turns.sit(), turns.sit());
        let _begun = one.ask();
        let _left = two.ask();
        drop(two);
        assert!(one.ask().await.is_ok(), "the turn is for both of its calls");
        let three = turns.sit();
        let (waits, begun) = (three.ask(), one.ask());
        drop((one, begun));
        assert!(waits.await.is_ok());
    }

    #[tokio::test]
    async fn a_turn_is_not_lost_with_who_gave_up_waiting() {
        let turns = Turns::new(1);
        let (one, two) = (turns.sit(), turns.sit());
        let given_up = one.ask();
        drop(given_up);
        let mut waits = two.ask();
        assert!(waits.try_recv().is_err(), "the other one is on its way");
        let asked = one.ask();
        drop(asked);
        drop(one);
        assert!(waits.await.is_ok());
    }
}
