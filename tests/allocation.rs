//! The hot path allocates nothing: `redis.call` from the script to the store and back.
//!
//! Owns a counting allocator, so it is a test binary with one test. Lua's own memory comes
//! from the same allocator; the replies here are strings that Lua already holds, so that Lua
//! needs none either and every allocation counted is one of Rust's.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use redlua::{Client, Reply};

struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every method passes on to `System` what it was given.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's obligations are those of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of one EVALSHA of `body` repeated `times` times.
fn allocations(client: &mut Client, body: &str, times: u32) -> usize {
    let source = format!(
        "local held = {{redis.call('get', 'k'), redis.call('incrby', 'n', 0), 'field'}}
         for i = 1, tonumber(ARGV[1]) do {body} end
         return #held"
    );
    let sha: String =
        redlua::from_reply(&client.command(("SCRIPT", "LOAD", source)).unwrap()).unwrap();
    let times = times.to_string();
    let argv: [&[u8]; 4] = [b"EVALSHA", sha.as_bytes(), b"0", times.as_bytes()];
    let mut run = || {
        let mut reply = redlua::conversions::ReplyBuilder::new(Default::default());
        let before = CALLS.load(Ordering::Relaxed);
        client.dispatch(&argv, &mut reply);
        let after = CALLS.load(Ordering::Relaxed);
        assert_eq!(reply.finish(), Some(Reply::Integer(3)));
        after - before
    };
    // The first run grows Lua's stack and whatever else is kept afterwards.
    run();
    run()
}

#[test]
fn calls_allocate_nothing() {
    let mut client = Client::new();
    client.command(("MSET", "k", "value", "n", 7)).unwrap();
    client.command(("HSET", "h", "field", "value")).unwrap();
    for body in [
        "redis.call('get', 'k')",
        "redis.call('GET', KEYS[1] or 'k')",
        "redis.call('exists', 'k')",
        "redis.call('hget', 'h', 'field')",
        "redis.call('incrby', 'n', 0)",
        "redis.pcall('get', 'missing')",
    ] {
        let few = allocations(&mut client, body, 10);
        let many = allocations(&mut client, body, 10_000);
        assert!(many <= few + 8, "{body}: {few} allocations for 10 calls, {many} for 10,000");
        assert!(few < 40, "{body}: an EVALSHA alone allocates {few} times");
    }
    // The counter counts.
    assert!(allocations(&mut client, "local new = string.rep('x', 4096) .. i", 10_000) > 9_000);
}
