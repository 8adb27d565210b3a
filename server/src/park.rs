//! A thread that waits for what tasks wait for.
//!
//! Owns the waker that unparks a thread. Must not know what is waited for.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

/// Polls until there is an answer, sleeping in between; `None` when `deadline` comes first.
pub(crate) fn wait<T>(
    deadline: Option<Instant>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(answer) = poll(&mut cx) {
            return Some(answer);
        }
        match deadline.map(|deadline| deadline.checked_duration_since(Instant::now())) {
            None => thread::park(),
            Some(Some(left)) if !left.is_zero() => thread::park_timeout(left),
            Some(_) => return None,
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    #[test]
    fn another_thread_ends_the_wait() {
        let flag = Arc::new(AtomicBool::new(false));
        let answer = wait(None, |cx| {
            if flag.load(Ordering::Acquire) {
                return Poll::Ready(7);
            }
            let (flag, waker) = (flag.clone(), cx.waker().clone());
            thread::spawn(move || {
                flag.store(true, Ordering::Release);
                waker.wake();
            });
            Poll::Pending
        });
        assert_eq!(answer, Some(7));
    }

    #[test]
    fn the_deadline_ends_the_wait() {
        let start = Instant::now();
        let answer = wait(Some(start + Duration::from_millis(20)), |_| Poll::<()>::Pending);
        assert_eq!(answer, None);
        assert!(start.elapsed() >= Duration::from_millis(20));
    }
}
