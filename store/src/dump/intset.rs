//! The intset: sorted integers of one width (`intset.c`). It must not know sets.

use super::listpack::signed;

/// The integers, which are sorted, as an intset of the least width.
pub(super) fn write(ints: &[i64]) -> Vec<u8> {
    let fits = |width: u32| {
        let unused = 64 - 8 * width;
        ints.first().into_iter().chain(ints.last()).all(|int| int << unused >> unused == *int)
    };
    let width = [2_u32, 4].into_iter().find(|width| fits(*width)).unwrap_or(8);
    let mut bytes = width.to_le_bytes().to_vec();
    bytes.extend((ints.len() as u32).to_le_bytes());
    for int in ints {
        bytes.extend(int.to_le_bytes().iter().take(width as usize));
    }
    bytes
}

/// The integers of an intset; `None` when it is not a sound one (`intsetValidateIntegrity`).
pub(super) fn parse(bytes: &[u8]) -> Option<Vec<i64>> {
    let (width, rest) = bytes.split_first_chunk::<4>()?;
    let (len, data) = rest.split_first_chunk::<4>()?;
    let width = u32::from_le_bytes(*width) as usize;
    let len = u32::from_le_bytes(*len) as usize;
    if !matches!(width, 2 | 4 | 8) || len == 0 || len.checked_mul(width)? != data.len() {
        return None;
    }
    let ints: Vec<i64> = data.chunks_exact(width).map(signed).collect();
    ints.is_sorted_by(|a, b| a < b).then_some(ints)
}
