//! A quicksort that only sorts one range of positions (`pqsort.c`).
//!
//! `SORT … LIMIT` and `GEOSEARCH … COUNT` show in which order it leaves elements that compare
//! equal. It therefore makes the same choices as Bentley and McIlroy's "engineered" sort, from
//! which the server's comes. It must not know what it sorts.

use std::cmp::Ordering;

/// Puts into place the elements that belong to the positions `first..=last`.
pub(crate) fn partial_sort<T>(
    items: &mut [T],
    first: usize,
    last: usize,
    compare: &impl Fn(&T, &T) -> Ordering,
) {
    let n = items.len();
    if n < 7 {
        for end in 1..n {
            let mut at = end;
            while at > 0 && compare(&items[at - 1], &items[at]).is_gt() {
                items.swap(at - 1, at);
                at -= 1;
            }
        }
        return;
    }
    items.swap(0, pivot(items, compare));
    // Elements equal to the pivot gather at both ends.
    let (mut left_equal, mut left) = (1, 1);
    let (mut right_equal, mut right) = (n - 1, n - 1);
    loop {
        while left <= right {
            match compare(&items[left], &items[0]) {
                Ordering::Greater => break,
                Ordering::Equal => {
                    items.swap(left_equal, left);
                    left_equal += 1;
                }
                Ordering::Less => {}
            }
            left += 1;
        }
        while left <= right {
            match compare(&items[right], &items[0]) {
                Ordering::Less => break,
                Ordering::Equal => {
                    items.swap(right, right_equal);
                    right_equal -= 1;
                }
                Ordering::Greater => {}
            }
            right -= 1;
        }
        if left > right {
            break;
        }
        items.swap(left, right);
        left += 1;
        right -= 1;
    }
    // They move to the middle.
    let less = left - left_equal;
    let more = right_equal - right;
    swap_runs(items, 0, left, left_equal.min(less));
    swap_runs(items, left, n, more.min(n - right_equal - 1));
    if less > 1 && first < less {
        let last = last.min(less - 1);
        partial_sort(&mut items[..less], first, last, compare);
    }
    let start = n - more;
    if more > 1 && last >= start {
        partial_sort(&mut items[start..], first.saturating_sub(start), last - start, compare);
    }
}

/// Exchanges the `len` elements from `from` on with the `len` elements before `end`.
fn swap_runs<T>(items: &mut [T], from: usize, end: usize, len: usize) {
    for at in 0..len {
        items.swap(from + at, end - len + at);
    }
}

/// A position whose element is likely to be in the middle.
fn pivot<T>(items: &[T], compare: &impl Fn(&T, &T) -> Ordering) -> usize {
    let n = items.len();
    let median = |a: usize, b: usize, c: usize| {
        let less = |a: usize, b: usize| compare(&items[a], &items[b]).is_lt();
        if less(a, b) {
            if less(b, c) {
                b
            } else if less(a, c) {
                c
            } else {
                a
            }
        } else if less(c, b) {
            b
        } else if less(a, c) {
            a
        } else {
            c
        }
    };
    let (mut low, mut middle, mut high) = (0, n / 2, n - 1);
    if n == 7 {
        return middle;
    }
    if n > 40 {
        let step = n / 8;
        low = median(low, low + step, low + 2 * step);
        middle = median(middle - step, middle, middle + step);
        high = median(high - 2 * step, high - step, high);
    }
    median(low, middle, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorts_the_range(mut items: Vec<u8>, a: usize, b: usize) {
            prop_assume!(!items.is_empty());
            let (a, b) = (a % items.len(), b % items.len());
            let (first, last) = (a.min(b), a.max(b));
            let mut sorted = items.clone();
            sorted.sort_unstable();
            partial_sort(&mut items, first, last, &u8::cmp);
            prop_assert_eq!(&items[first..=last], &sorted[first..=last]);
        }
    }
}
