//! Who tells Luau that a script must end.
//!
//! Owns the thread that looks at clocks and tokens. It must not know what happens then.
//!
//! Luau has no hook that counts: it calls an interrupt at every loop and call when there is one,
//! which makes them several times slower. Its address may be set from any thread, so a thread
//! sets it when a run is late or was told to stop; until then the script pays nothing.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use redlua_core::StopToken;

/// How often the thread looks.
const PERIOD: Duration = Duration::from_millis(2);
/// How often it looks in vain before it sleeps until the next run.
const PATIENCE: u32 = 500;

/// One Lua state under watch.
pub(crate) struct Watch {
    /// When the run in progress must end, in nanoseconds of [`now`]; 0 while nothing runs.
    deadline: AtomicU64,
    token: StopToken,
    /// Where Luau looks for its interrupt, and what is to be found there.
    place: *const AtomicUsize,
    interrupt: usize,
}

// SAFETY: the place is written to as an atomic only, and only while the watch is on the list,
// from which it is taken before the Lua state is closed.
unsafe impl Send for Watch {}
// SAFETY: as above.
unsafe impl Sync for Watch {}

impl Watch {
    /// Puts a state under watch.
    ///
    /// # Safety
    /// `place` is an address that Luau reads, aligned, until [`Watch::end`] is called.
    pub(crate) unsafe fn new(
        token: StopToken,
        place: *const AtomicUsize,
        interrupt: usize,
    ) -> Arc<Self> {
        let watch = Arc::new(Watch { deadline: AtomicU64::new(0), token, place, interrupt });
        list().push(watch.clone());
        watch
    }

    /// Takes the state off the list; nothing is written to its place afterwards.
    pub(crate) fn end(self: &Arc<Self>) {
        list().retain(|other| !Arc::ptr_eq(self, other));
    }

    /// A run begins.
    pub(crate) fn begin(&self, deadline: Option<Instant>) {
        let deadline = deadline.map_or(u64::MAX, |at| nanoseconds(at).max(1));
        self.deadline.store(deadline, Ordering::Release);
        wake();
    }

    /// The run is over.
    pub(crate) fn done(&self) {
        self.deadline.store(0, Ordering::Release);
    }

    /// Sets the interrupt when the run must end; returns whether there is a run.
    fn look(&self, now: u64) -> bool {
        let deadline = self.deadline.load(Ordering::Acquire);
        if deadline == 0 {
            return false;
        }
        if now >= deadline || self.token.reason().is_some() {
            // SAFETY: the state is on the list, so the place is there.
            unsafe { &*self.place }.store(self.interrupt, Ordering::Release);
        }
        true
    }
}

static LIST: Mutex<Vec<Arc<Watch>>> = Mutex::new(Vec::new());
static START: LazyLock<Instant> = LazyLock::new(Instant::now);
static THREAD: OnceLock<Option<Thread>> = OnceLock::new();
/// Whether the thread sleeps until it is woken.
static ASLEEP: AtomicBool = AtomicBool::new(false);

fn list() -> std::sync::MutexGuard<'static, Vec<Arc<Watch>>> {
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}

fn nanoseconds(at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(*START).as_nanos()).unwrap_or(u64::MAX)
}

/// Sees to it that the thread is there and awake.
fn wake() {
    let thread = THREAD.get_or_init(|| {
        LazyLock::force(&START);
        let spawned = thread::Builder::new().name("redlua-luau-watch".into()).spawn(watch);
        spawned.ok().map(|handle| handle.thread().clone())
    });
    if ASLEEP.load(Ordering::SeqCst)
        && let Some(thread) = thread
    {
        thread.unpark();
    }
}

/// Whether the thread could be made; without it neither time nor tokens stop a script.
pub(crate) fn works() -> bool {
    wake();
    THREAD.get().is_some_and(Option::is_some)
}

fn watch() {
    let mut idle = 0;
    loop {
        let now = nanoseconds(Instant::now());
        let mut running = false;
        for watch in list().iter() {
            running |= watch.look(now);
        }
        idle = if running { 0 } else { idle + 1 };
        if idle < PATIENCE {
            thread::park_timeout(PERIOD);
            continue;
        }
        // A run that begins between the look above and this store is seen by the look below.
        ASLEEP.store(true, Ordering::SeqCst);
        let now = nanoseconds(Instant::now());
        if !list().iter().any(|watch| watch.look(now)) {
            thread::park_timeout(Duration::from_millis(250));
        }
        ASLEEP.store(false, Ordering::SeqCst);
        idle = 0;
    }
}
