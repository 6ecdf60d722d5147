//! Futures without a runtime: run to their end at once, or by turns.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Runs a future that never has to wait.
pub fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a pure future had to wait"),
    }
}

/// Lets futures take turns, as requests of one isolate do; `between` comes after each round, with its number, and ends
/// it all with `false`. Returns the outputs there are by then.
pub fn in_turns<F: Future>(
    futures: impl IntoIterator<Item = F>,
    between: impl Fn(usize) -> bool,
) -> Vec<Option<F::Output>> {
    let mut tasks: Vec<_> = futures.into_iter().map(|future| (Some(Box::pin(future)), None)).collect();
    for round in 1.. {
        for (future, output) in &mut tasks {
            let poll = future.as_mut().map(|future| future.as_mut().poll(&mut Context::from_waker(Waker::noop())));
            if let Some(Poll::Ready(ready)) = poll {
                (*future, *output) = (None, Some(ready));
            }
        }
        if !between(round) || tasks.iter().all(|(future, _)| future.is_none()) {
            break;
        }
    }
    tasks.into_iter().map(|(_, output)| output).collect()
}

/// Is ready when it is asked again.
pub async fn later() {
    let mut asked = false;
    poll_fn(|_| if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}
