//! A thread for planning. The walks over a plan are recursive, and some of a large statement need more stack than the threads of
//! a runtime have; and planning never waits, so that whoever polled it could not be told to stop meanwhile.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::error::QueryError;

/// Address space; memory is used of it only as deep as it was needed.
const STACK_BYTES: usize = 1 << 30;

/// What such threads are called.
const NAME: &str = "plan";

/// Whether this is such a thread: work that is a part of other work need not have another one.
fn is_deep() -> bool {
    std::thread::current().name() == Some(NAME)
}

/// Runs `work` to its end on a thread of its own. If it is not waited for it goes on, and nobody hears of it.
pub(crate) async fn with_deep_stack<T: Send + 'static>(
    work: impl Future<Output = Result<T, QueryError>> + Send + 'static,
) -> Result<T, QueryError> {
    let Ok(runtime) = Handle::try_current() else { return work.await };
    let (sender, receiver) = oneshot::channel();
    let thread = std::thread::Builder::new().name(NAME.to_owned()).stack_size(STACK_BYTES);
    let run = move || {
        // Nobody may be waiting.
        let _ = sender.send(runtime.block_on(work));
    };
    let failed = |message: String| QueryError::Failed { message };
    thread.spawn(run).map_err(|error| failed(format!("no thread to plan with: {error}")))?;
    receiver.await.map_err(|_| failed("planning was broken off".to_owned()))?
}

/// Does `work` on a thread with as much stack and waits for it; here, where there is no such thread to be had, or this is one.
/// Whoever asks for the tables of many statements does so once around all of it.
pub fn deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if is_deep() {
        return work();
    }
    let work = Mutex::new(Some(work));
    let run = || work.lock().unwrap_or_else(PoisonError::into_inner).take().map(|work| work());
    let done = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name(NAME.to_owned()).stack_size(STACK_BYTES);
        match thread.spawn_scoped(scope, run) {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => run(),
        }
    });
    match done {
        Some(done) => done,
        None => unreachable!("work is done once"),
    }
}
