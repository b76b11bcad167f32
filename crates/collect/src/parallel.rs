//! The same work for each of many things, on a few threads, when what takes the time is waiting for the system or hashing: of
//! 100,000 small files, one after another leave most cores idle. What comes of it does not depend on which thread is faster.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// So many threads work. More than there may be cores, because they wait for disks as well.
const THREADS: usize = 4;

/// What `work` makes of each item, in the order of the items, or the error of the first item that has one. Blocks.
///
/// # Errors
/// What `work` says.
pub(crate) fn in_order<I, R: Send, E: Send>(
    items: I,
    work: impl Fn(I::Item) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E>
where
    I: IntoIterator<IntoIter: ExactSizeIterator + Send>,
{
    let items = items.into_iter();
    let threads = THREADS.min(items.len());
    let (items, has_failed) = (Mutex::new(items.enumerate()), AtomicBool::new(false));
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    // Items are begun in their order, so all before one that failed were begun as well, and are waited for.
    let some = || {
        let mut done = Vec::new();
        while !has_failed.load(Ordering::Relaxed) {
            let Some((index, item)) = next() else { break };
            let result = work(item);
            has_failed.fetch_or(result.is_err(), Ordering::Relaxed);
            done.push((index, result));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(some)).collect();
        let mut done = some();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1_000).collect();
        let doubled = in_order(&items, |item| Ok::<usize, ()>(item * 2));
        assert_eq!(doubled, Ok(items.iter().map(|item| item * 2).collect()));
        assert_eq!(in_order(&[0; 0], |item: &usize| Ok::<usize, ()>(*item)), Ok(Vec::new()));
    }

    #[test]
    fn the_first_item_that_fails_is_told_however_late_its_thread_is() {
        let items: Vec<usize> = (0..100).collect();
        let later_failed = AtomicBool::new(false);
        let result = in_order(&items, |item| match item {
            50 => {
                // The error of 51 is there first.
                while !later_failed.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
                Err(50)
            }
            51 => {
                later_failed.store(true, Ordering::SeqCst);
                Err(51)
            }
            item => Ok(*item),
        });
        assert_eq!(result, Err(50));
    }
}
