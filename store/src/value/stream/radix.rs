//! How many nodes a radix tree has.
//!
//! `XINFO STREAM` shows the size of the tree in which Redis files a stream's listpacks
//! (`rax.c`). Owns that figure; there is no such tree here.

use crate::value::stream::StreamId;

/// The number of nodes of the radix tree of these IDs, which are sorted.
pub(crate) fn nodes(ids: &[StreamId]) -> usize {
    let keys: Vec<[u8; 16]> = ids.iter().map(|id| id.to_bytes()).collect();
    if keys.is_empty() { 1 } else { subtree(&keys, 0) }
}

/// The nodes below the point where the keys, which agree up to `depth`, go on: one for the bytes
/// they share, one where they part, or a leaf.
fn subtree(keys: &[[u8; 16]], depth: usize) -> usize {
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else { return 0 };
    let shared = first.iter().zip(last).skip(depth).take_while(|(a, b)| a == b).count();
    let chain = usize::from(shared > 0);
    let depth = depth + shared;
    if depth >= 16 {
        return chain + 1;
    }
    let branches = keys.chunk_by(|a, b| a.get(depth) == b.get(depth));
    chain + 1 + branches.map(|branch| subtree(branch, depth + 1)).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of a server.
    #[test]
    fn as_rax_counts() {
        let id = |ms, seq| StreamId { ms, seq };
        assert_eq!(nodes(&[]), 1);
        assert_eq!(nodes(&[id(1, 1)]), 2);
        assert_eq!(nodes(&[id(1, 1), id(1, 2)]), 4);
        assert_eq!(nodes(&[id(1, 1), id(2, 1)]), 6);
    }
}
