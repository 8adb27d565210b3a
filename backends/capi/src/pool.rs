//! Memory for the many small blocks of a Lua state.
//!
//! Owns the blocks up to [`LARGEST`] bytes: they are cut from chunks and, once freed, kept for
//! the next block of their size until the state is closed or [`Pool::reclaim`] is asked for. It
//! must not know what they hold.

use std::alloc::{self, Layout};
use std::cell::{Cell, RefCell};
use std::ptr;

/// Blocks come in multiples of this, which is also their alignment: that of `malloc` on 64-bit
/// platforms.
pub(crate) const UNIT: usize = 16;
/// The largest block that comes from a pool.
pub(crate) const LARGEST: usize = 256;
/// What is asked of the system at a time.
pub(crate) const CHUNK: usize = 32 << 10;

/// Free blocks by size, and the chunks they were cut from.
#[derive(Default)]
pub(crate) struct Pool {
    /// The first free block of each size; each free block begins with the address of the next.
    free: [Cell<Link>; LARGEST / UNIT + 1],
    /// The part of the newest chunk that is not cut yet.
    rest: Cell<Link>,
    rest_len: Cell<usize>,
    chunks: RefCell<Vec<Link>>,
}

/// The address of a block, or null.
#[derive(Clone, Copy)]
struct Link(*mut u8);

impl Default for Link {
    fn default() -> Self {
        Link(ptr::null_mut())
    }
}

impl Pool {
    /// A block of `size` bytes; null when there is none before [`Pool::grow`].
    #[inline]
    pub(crate) fn allocate(&self, size: usize) -> *mut u8 {
        let class = size.div_ceil(UNIT);
        let Some(free) = self.free.get(class) else { return ptr::null_mut() };
        let Link(block) = free.get();
        if block.is_null() {
            return self.cut(class * UNIT);
        }
        // SAFETY: a free block of this size, whose first word `release` wrote.
        free.set(Link(unsafe { block.cast::<*mut u8>().read() }));
        block
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// `block` came from `allocate` of this pool with a size of the same class, and is not used
    /// any more.
    #[inline]
    pub(crate) unsafe fn release(&self, block: *mut u8, size: usize) {
        if let Some(free) = self.free.get(size.div_ceil(UNIT)) {
            // SAFETY: the block has at least UNIT bytes, aligned to UNIT, and is ours by contract.
            unsafe { block.cast::<*mut u8>().write(free.get().0) };
            free.set(Link(block));
        }
    }

    /// Bytes that were asked of the system.
    pub(crate) fn held(&self) -> usize {
        self.chunks.borrow().len() * CHUNK
    }

    /// Asks the system for one more chunk; `false` when there is no memory.
    pub(crate) fn grow(&self) -> bool {
        // SAFETY: the size is not zero.
        let chunk = unsafe { alloc::alloc(LAYOUT) };
        if chunk.is_null() {
            return false;
        }
        let (Link(rest), len) = (self.rest.get(), self.rest_len.get());
        if len > 0 {
            // SAFETY: the rest of the chunk before is a block that nobody uses; it is shorter than
            // the largest block, which did not fit.
            unsafe { self.release(rest, len) };
        }
        self.chunks.borrow_mut().push(Link(chunk));
        self.rest.set(Link(chunk));
        self.rest_len.set(CHUNK);
        true
    }

    /// Gives the chunks back of which no block is in use: what was freed in blocks of one size
    /// serves no other size before. Looks at every free block, which takes milliseconds.
    #[cold]
    pub(crate) fn reclaim(&self) {
        let mut chunks = self.chunks.borrow_mut();
        // The newest chunk is being cut.
        let newest = chunks.pop();
        chunks.sort_unstable_by_key(|chunk| chunk.0.addr());
        let place = |chunks: &[Link], block: *mut u8| {
            let after = chunks.partition_point(|chunk| chunk.0.addr() <= block.addr());
            let at = after.checked_sub(1)?;
            (block.addr() - chunks.get(at)?.0.addr() < CHUNK).then_some(at)
        };
        let mut unused = vec![0; chunks.len()];
        self.each_free(|block, size| {
            if let Some(unused) = place(&chunks, block).and_then(|at| unused.get_mut(at)) {
                *unused += size;
            }
            true
        });
        let empty = |at: usize| unused.get(at) == Some(&CHUNK);
        self.each_free(|block, _| !place(&chunks, block).is_some_and(empty));
        let mut at = 0;
        chunks.retain(|chunk| {
            let gone = empty(at);
            at += 1;
            if gone {
                // SAFETY: allocated in `grow` with this layout; all its blocks are free, and none
                // is on a list any more.
                unsafe { alloc::dealloc(chunk.0, LAYOUT) };
            }
            !gone
        });
        chunks.extend(newest);
    }

    /// Shows every free block with its size; those for which `keep` says `false` leave the lists.
    fn each_free(&self, mut keep: impl FnMut(*mut u8, usize) -> bool) {
        for (class, list) in self.free.iter().enumerate() {
            let Link(mut block) = list.replace(Link::default());
            while !block.is_null() {
                // SAFETY: a free block, whose first word is the address of the next.
                let next = unsafe { block.cast::<*mut u8>().read() };
                if keep(block, class * UNIT) {
                    // SAFETY: as above; it goes back to where it was.
                    unsafe { block.cast::<*mut u8>().write(list.get().0) };
                    list.set(Link(block));
                }
                block = next;
            }
        }
    }

    /// A block that was never used, from the newest chunk; null when that is cut up.
    #[cold]
    fn cut(&self, size: usize) -> *mut u8 {
        if self.rest_len.get() < size {
            return ptr::null_mut();
        }
        let Link(block) = self.rest.get();
        // SAFETY: `size` bytes of the chunk are left.
        self.rest.set(Link(unsafe { block.add(size) }));
        self.rest_len.set(self.rest_len.get() - size);
        block
    }
}

/// How chunks are laid out.
const LAYOUT: Layout = match Layout::from_size_align(CHUNK, UNIT) {
    Ok(layout) => layout,
    Err(_) => panic!("a chunk's size fits its alignment"),
};

impl Drop for Pool {
    fn drop(&mut self) {
        for Link(chunk) in self.chunks.get_mut().drain(..) {
            // SAFETY: allocated in `cut` with this layout; the blocks are no more used, since the
            // state that owned them is closed.
            unsafe { alloc::dealloc(chunk, LAYOUT) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allocate(pool: &Pool, size: usize) -> *mut u8 {
        let block = pool.allocate(size);
        if !block.is_null() {
            return block;
        }
        assert!(pool.grow());
        pool.allocate(size)
    }

    #[test]
    fn what_is_free_serves_other_sizes_once_it_is_reclaimed() {
        let pool = Pool::default();
        let kept = allocate(&pool, 40);
        // SAFETY: the block has 40 bytes.
        unsafe { kept.write_bytes(7, 40) };
        for size in (16..=LARGEST).step_by(16) {
            let blocks: Vec<*mut u8> = (0..(1 << 20) / size)
                .map(|_| {
                    let block = pool.allocate(size);
                    if !block.is_null() {
                        return block;
                    }
                    if pool.held() + CHUNK > 1 << 20 {
                        pool.reclaim();
                    }
                    allocate(&pool, size)
                })
                .collect();
            for block in blocks {
                // SAFETY: allocated above with that size, used no more.
                unsafe { pool.release(block, size) };
            }
            assert!(pool.held() <= (1 << 20) + 4 * CHUNK, "{size}: {}", pool.held());
        }
        pool.reclaim();
        // The chunk of the block that was kept, and the newest.
        assert!(pool.held() <= 2 * CHUNK);
        // SAFETY: the block is in use.
        assert_eq!(unsafe { kept.add(39).read() }, 7);
    }

    #[test]
    fn blocks_are_reused_and_do_not_overlap() {
        let pool = Pool::default();
        let mut blocks: Vec<(*mut u8, usize)> = Vec::new();
        for round in 0..5000usize {
            let size = round * 7 % LARGEST + 1;
            let block = allocate(&pool, size);
            assert_eq!(block.addr() % UNIT, 0);
            // SAFETY: the block has `size` bytes.
            unsafe { block.write_bytes(round as u8, size) };
            blocks.push((block, size));
            if round % 3 == 0 {
                let (block, size) = blocks.swap_remove(round % blocks.len());
                // SAFETY: allocated above with that size, used no more.
                unsafe { pool.release(block, size) };
            }
        }
        blocks.sort();
        for pair in blocks.windows(2) {
            assert!(pair[0].0.addr() + pair[0].1 <= pair[1].0.addr());
        }
    }
}
