//! The one way from an actor to the world: every call is counted here, may fail here, and may be the actor's last.

use std::fmt::Display;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::{self, Either};
use tokio::sync::watch;

use crate::faults::{Dice, Fault, FaultRates};
use crate::turns::{Seat, Turn};

/// An actor's way to the world, for one life of it. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    crash_after: Option<u64>,
    alive: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    dice: Dice,
    seat: Option<Arc<Seat>>,
    story: Vec<String>,
    calls: u64,
}

/// The actor is dead: nothing happens any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crashed;

/// A call that was let in. If it is the last one, the actor dies when it ends, or is given up.
#[derive(Debug)]
struct Entered<'a> {
    gate: &'a Gate,
    fate: Option<Fault>,
    is_last: bool,
    _turn: Option<Turn>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if self.is_last {
            self.gate.die();
        }
    }
}

impl Gate {
    /// A gate whose calls fail as `dice` say.
    pub fn new(dice: Dice) -> Self {
        Self::build(dice, None, None)
    }

    /// A gate through which everything passes.
    pub fn open() -> Self {
        Self::new(Dice::new(0, FaultRates::NONE))
    }

    /// A gate whose actor dies right after its `calls`th call: that call is done, nobody hears of it. With 0 it dies
    /// before the first.
    pub fn crashing_after(calls: u64, dice: Dice) -> Self {
        Self::build(dice, Some(calls), None)
    }

    /// The gate of one life of an actor that takes turns with others. Who holds the seat too keeps the actor's place
    /// for its next life.
    pub fn build(dice: Dice, crash_after: Option<u64>, seat: Option<Arc<Seat>>) -> Self {
        let state = State { dice, seat, story: Vec::new(), calls: 0 };
        let alive = watch::Sender::new(crash_after != Some(0));
        Self { inner: Arc::new(Inner { state: Mutex::new(state), crash_after, alive }) }
    }

    /// How many calls were made.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Each call with its number and what went wrong with it.
    pub fn story(&self) -> Vec<String> {
        self.lock().story.clone()
    }

    /// Whether the actor died.
    pub fn is_dead(&self) -> bool {
        !*self.inner.alive.borrow()
    }

    /// Runs the actor until it ends or dies; `None` when it died. Its seat is free afterwards.
    pub async fn live<T>(&self, actor: impl Future<Output = T>) -> Option<T> {
        let death = Box::pin(self.death());
        let end = match future::select(death, Box::pin(actor)).await {
            Either::Left(_) => None,
            // Work on another thread may have been the last, and its end be heard of before the death.
            Either::Right((end, _)) => (!self.is_dead()).then_some(end),
        };
        self.leave();
        end
    }

    /// Makes a call. `effect` is what it does; `failure` makes the error of a fault. The effect must not be begun
    /// before it is polled.
    pub async fn call<T, E>(
        &self,
        name: impl Display,
        effect: impl Future<Output = Result<T, E>>,
        failure: impl FnOnce(Fault) -> E,
    ) -> Result<T, E> {
        self.call_knowing(name, |_| effect, failure).await
    }

    /// As [`Gate::call`], for calls that know [`Fault::Torn`] and [`Fault::Late`]: `effect` is told of these, and its
    /// result is the call's.
    pub async fn call_knowing<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        name: impl Display,
        effect: impl FnOnce(Option<Fault>) -> F,
        failure: impl FnOnce(Fault) -> E,
    ) -> Result<T, E> {
        let entered = self.enter(name).await;
        let fate = entered.fate;
        let result = match fate {
            Some(fault @ (Fault::Refused | Fault::TimedOut | Fault::Full)) => Err(failure(fault)),
            Some(Fault::LostAnswer) => match effect(None).await {
                Ok(_) => Err(failure(Fault::LostAnswer)),
                failed => failed,
            },
            fate => effect(fate).await,
        };
        drop(entered);
        if self.is_dead() {
            return future::pending().await;
        }
        result
    }

    /// As [`Gate::call`], for threads that may block. Nothing fails here but by death, as who blocks has no retries;
    /// faults are rolled where the asynchronous call around it is made.
    pub fn call_blocking<T>(&self, name: impl Display, effect: impl FnOnce() -> T) -> Result<T, Crashed> {
        let counted = self.count(&name, None);
        if counted.is_err() {
            // Who cannot wait for the last call to end must not go on with an error either.
            self.die();
        }
        let is_last = counted?;
        let result = effect();
        if is_last {
            self.die();
            return Err(Crashed);
        }
        Ok(result)
    }

    async fn enter(&self, name: impl Display) -> Entered<'_> {
        let seat = self.lock().seat.clone();
        let turn = match seat {
            Some(seat) => {
                let asked = seat.ask();
                // Only the actor's own clone may keep its place.
                drop(seat);
                asked.await.ok()
            }
            None => None,
        };
        let name = name.to_string();
        let fate = self.lock().dice.fate(&name);
        match self.count(&name, fate) {
            Ok(is_last) => Entered { gate: self, fate, is_last, _turn: turn },
            Err(Crashed) => {
                drop(turn);
                future::pending().await
            }
        }
    }

    /// Counts a call and tells whether it is the last one.
    fn count(&self, name: &impl Display, fate: Option<Fault>) -> Result<bool, Crashed> {
        if self.is_dead() {
            return Err(Crashed);
        }
        let mut state = self.lock();
        if self.inner.crash_after.is_some_and(|last| state.calls >= last) {
            return Err(Crashed);
        }
        state.calls += 1;
        let number = state.calls;
        let is_last = self.inner.crash_after == Some(number);
        let fate = fate.map(|fault| format!(": {fault:?}")).unwrap_or_default();
        let end = if is_last { " †" } else { "" };
        state.story.push(format!("{number} {name}{fate}{end}"));
        Ok(is_last)
    }

    fn die(&self) {
        self.inner.alive.send_replace(false);
        self.leave();
    }

    fn leave(&self) {
        let seat = self.lock().seat.take();
        // Outside of the lock: who sits up gives the turn to others.
        drop(seat);
    }

    async fn death(&self) {
        let mut alive = self.inner.alive.subscribe();
        // The sender lives as long as this gate.
        let _ = alive.wait_for(|alive| !alive).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    async fn add(gate: &Gate, sum: &AtomicU64) -> Result<u64, Fault> {
        gate.call("add", async { Ok(sum.fetch_add(1, Ordering::SeqCst) + 1) }, |fault| fault).await
    }

    #[tokio::test]
    async fn the_nth_call_is_done_and_nobody_hears_of_it() {
        for last in 0..4 {
            let (gate, sum) = (Gate::crashing_after(last, Dice::new(0, FaultRates::NONE)), AtomicU64::new(0));
            let heard = AtomicU64::new(0);
            let end = gate
                .live(async {
                    for _ in 0..3 {
                        add(&gate, &sum).await.unwrap();
                        heard.fetch_add(1, Ordering::SeqCst);
                    }
                })
                .await;
            assert_eq!(end.is_some(), last > 3, "{last}");
            assert_eq!(sum.load(Ordering::SeqCst), last.min(3));
            assert_eq!(heard.load(Ordering::SeqCst), last.saturating_sub(1));
            assert_eq!(gate.call_blocking("late", || 1), Err(Crashed));
            assert_eq!(gate.calls(), last);
        }
    }

    #[tokio::test]
    async fn a_lost_answer_has_an_effect_and_a_refusal_has_none() {
        let only = |rates| Gate::new(Dice::new(1, rates));
        let lost = only(FaultRates { lost_answer: 1000, ..FaultRates::NONE });
        let refused = only(FaultRates { refused: 1000, ..FaultRates::NONE });
        let sum = AtomicU64::new(0);
        assert_eq!(add(&lost, &sum).await, Err(Fault::LostAnswer));
        assert_eq!(add(&refused, &sum).await, Err(Fault::Refused));
        assert_eq!(sum.load(Ordering::SeqCst), 1);
        assert_eq!(lost.story(), ["1 add: LostAnswer"]);
    }

    #[tokio::test]
    async fn the_dead_do_not_hold_up_the_living() {
        let turns = crate::turns::Turns::new(1);
        let dice = || Dice::new(0, FaultRates::NONE);
        let dying = Gate::build(dice(), Some(2), Some(Arc::new(turns.sit())));
        let living = Gate::build(dice(), None, Some(Arc::new(turns.sit())));
        let sum = AtomicU64::new(0);
        let calls = |gate: Gate| {
            let sum = &sum;
            async move {
                for _ in 0..5 {
                    add(&gate, sum).await.unwrap();
                }
            }
        };
        let ends = future::join(dying.live(calls(dying.clone())), living.live(calls(living.clone()))).await;
        assert_eq!(ends, (None, Some(())));
        assert_eq!(sum.load(Ordering::SeqCst), 7);
    }
}
