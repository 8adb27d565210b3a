//! Luau's compiler on a thread of its own, so that nobody has to wait for it.
//!
//! Owns the threads. It must not know who waits, nor what becomes of the code.
//!
//! The compiler is one call that looks at neither clock nor token. A script that must end leaves
//! without its code, and the thread comes to its end alone. A Lua state has one such thread at
//! most: its next long text waits for the last one.

use std::cell::Cell;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::ffi::{self, Code};

/// Texts of at most so many bytes take two milliseconds at worst.
const SHORT: usize = 16 << 10;
/// How long one waits before one asks whether to go on.
const TURN: Duration = Duration::from_millis(1);

/// The compiler of a Lua state.
#[derive(Default)]
pub(crate) struct Compiler {
    /// The thread that nobody waited for.
    left: Cell<Option<JoinHandle<()>>>,
}

impl Compiler {
    /// Compiles a text; `None` when there is no memory for it, or `given_up` says so.
    pub(crate) fn compile(&self, text: &[u8], given_up: &dyn Fn() -> bool) -> Option<Code> {
        if text.len() <= SHORT {
            return ffi::compile(text);
        }
        if let Some(last) = self.left.take() {
            while !last.is_finished() {
                if given_up() {
                    self.left.set(Some(last));
                    return None;
                }
                thread::sleep(TURN);
            }
        }
        let (sender, code) = sync_channel(1);
        let own = text.to_vec();
        let compiling =
            thread::Builder::new().name("redlua-luau-compiler".into()).spawn(move || {
                // Who does not wait any more does not want it.
                let _ = sender.send(ffi::compile(&own));
            });
        let Ok(compiling) = compiling else { return ffi::compile(text) };
        loop {
            match code.recv_timeout(TURN) {
                Ok(code) => return code,
                Err(RecvTimeoutError::Timeout) if given_up() => {
                    self.left.set(Some(compiling));
                    return None;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }
}
