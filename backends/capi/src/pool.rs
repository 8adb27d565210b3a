//! Memory for the many small blocks of a Lua state.
//!
//! Owns the blocks up to [`LARGEST`] bytes: they are cut from chunks and, once freed, kept for
//! the next block of their size until the state is closed. It must not know what they hold.

use std::alloc::{self, Layout};
use std::cell::{Cell, RefCell};
use std::ptr;

/// Blocks come in multiples of this, which is also their alignment: that of `malloc` on 64-bit
/// platforms.
pub(crate) const UNIT: usize = 16;
/// The largest block that comes from a pool.
pub(crate) const LARGEST: usize = 256;
/// What is asked of the system at a time.
const CHUNK: usize = 32 << 10;

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
    /// A block of `size` bytes; null when there is no memory.
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

    /// A block that was never used, from the newest chunk or from a new one.
    #[cold]
    fn cut(&self, size: usize) -> *mut u8 {
        if self.rest_len.get() < size {
            // SAFETY: the size is not zero.
            let chunk = unsafe { alloc::alloc(LAYOUT) };
            if chunk.is_null() {
                return chunk;
            }
            self.chunks.borrow_mut().push(Link(chunk));
            self.rest.set(Link(chunk));
            self.rest_len.set(CHUNK);
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

    #[test]
    fn blocks_are_reused_and_do_not_overlap() {
        let pool = Pool::default();
        let mut blocks: Vec<(*mut u8, usize)> = Vec::new();
        for round in 0..5000usize {
            let size = round * 7 % LARGEST + 1;
            let block = pool.allocate(size);
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
